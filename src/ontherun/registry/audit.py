"""The audit chain: each entry's SHA-256 covers the entry and the hash of the one before it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from ontherun.registry.errors import AuditDamagedError
from ontherun.registry.records import AuditEntry


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of the chain so far."""

    sequence: int = 0
    hash: bytes = bytes(32)


def link(
    head: ChainHead,
    *,
    at: int,
    actor: str,
    source: str | None,
    action: str,
    entity_id: int | None,
    subject: str,
    details: Mapping[str, object],
) -> AuditEntry:
    """Make the entry that follows `head`."""
    sequence = head.sequence + 1
    text = json.dumps(details, sort_keys=True, separators=(",", ":"))
    digest = _digest(head.hash, sequence, at, actor, source, action, entity_id, subject, text)
    return AuditEntry(sequence, at, actor, source, action, entity_id, subject, text, head.hash, digest)


def follow(head: ChainHead, entries: Iterable[AuditEntry]) -> ChainHead:
    """Check that `entries` continue the chain after `head`; return its new end. AuditDamagedError where they do not."""
    for entry in entries:
        expected = head.sequence + 1
        if entry.sequence != expected:
            raise AuditDamagedError(expected, f"is missing; entry {entry.sequence} follows entry {head.sequence}.")
        if entry.previous_hash != head.hash:
            raise AuditDamagedError(expected, "does not continue the entry before it, which was replaced.")
        if entry.hash != _digest(
            head.hash,
            entry.sequence,
            entry.at,
            entry.actor,
            entry.source,
            entry.action,
            entry.entity_id,
            entry.subject,
            entry.details,
        ):
            raise AuditDamagedError(expected, "was altered after it was written.")
        head = ChainHead(entry.sequence, entry.hash)
    return head


class Witness:
    """Looks for a hash that somebody kept of the chain, in hexadecimal; without it, whoever cuts the end off, or writes
    the chain anew, leaves one that holds. An empty one looks for nothing."""

    def __init__(self, kept: str = "") -> None:
        self._kept = kept.lower()
        self._seen = not kept

    def watch(self, entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
        """Hand entries on, and look at each."""
        for entry in entries:
            self._seen = self._seen or entry.hash.hex() == self._kept
            yield entry

    def testify(self, head: ChainHead) -> None:
        """AuditDamagedError when the chain up to `head` has no entry with the hash."""
        if not self._seen:
            raise AuditDamagedError(
                head.sequence + 1, "is missing, or the chain was written anew: no entry has the hash that was kept."
            )


def _digest(previous: bytes, *fields: str | int | None) -> bytes:
    return sha256(previous + json.dumps(fields, separators=(",", ":")).encode("ascii")).digest()

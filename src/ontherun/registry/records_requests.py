"""Requests, Drop Copy groups and the venue's policies, as callers see them. Times are ns since 1970-01-01 UTC."""

from dataclasses import dataclass
from enum import StrEnum, unique

from ontherun.registry.records import Market
from ontherun.registry.request_states import RequestStatus
from ontherun.registry.terms import AnyTerms, CopiedMessages, RequestKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asked for, and what became of it.

    `effective_at` is when it is carried out: None while it waits for approval, and in the end when it did not come to
    that. `revision` counts amendments from 0. `submitter` tells people apart who may have the same name.
    `reason` is why it failed or was rejected. `session_ids` are the sessions that it created or concerned.
    """

    request_id: int
    entity_id: int
    status: RequestStatus
    terms: AnyTerms
    summary: str
    submitted_by: str
    submitter: str
    submitted_at: int
    revision: int = 0
    effective_at: int | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    reason: str = ""
    finished_at: int | None = None
    session_ids: tuple[str, ...] = ()

    @property
    def kind(self) -> RequestKind:
        """What it is about."""
        return self.terms.kind

    @property
    def live_date(self) -> str | None:
        """The earliest day that was asked for (ISO 8601)."""
        return getattr(self.terms, "live_date", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCopyGroup:
    """Order Entry sessions whose messages are copied to one target session.

    `target` is the Session ID of that: it has key pairs of its own. `sources` are Session IDs.
    """

    group_id: int
    entity_id: int
    name: str
    market: Market
    target: str
    sources: tuple[str, ...]
    messages: tuple[CopiedMessages, ...]
    created_at: int
    deleted_at: int | None = None


@unique
class TimetableName(StrEnum):
    """When requests are carried out."""

    AT_ONCE = "at-once"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class VenuePolicies:
    """How the venue treats requests. The operator sets it; the defaults are for one person at one machine.

    `four_eyes`: a request waits until another person approves it. `timetable`: carried out at once, or at the
    exchange's hours (`ontherun.calendar.EXCHANGE`). `session_allowance`: the most Order Entry sessions of an entity
    that has no allowance of its own. `drop_copy_sources`: the most sources of a Drop Copy group, 5,000 at the
    exchange for a market segment gateway (CME Customer Center help, Drop Copy Groups). `fee_text` is shown before a
    request that creates something is submitted; the exchange asks for an acknowledgement of fees there.
    `second_key_near_expiry_only` and `third_key_deletes_oldest` are two of the exchange's published key rules that
    others of its pages contradict (`ontherun.keys.KeyPolicy`).
    """

    four_eyes: bool = False
    timetable: TimetableName = TimetableName.AT_ONCE
    session_allowance: int = 100
    drop_copy_sources: int = 5000
    fee_text: str = ""
    second_key_near_expiry_only: bool = False
    third_key_deletes_oldest: bool = False

"""Recovery: the journal's batches carried out again, until everything is as it was."""

from typing import NamedTuple

from ontherun.gateway.engine import Engine
from ontherun.gateway.entries import Kind, decode
from ontherun.journal import Batch, Journal, Outbox


class RecoveryError(Exception):
    """A batch cannot be carried out again, or says something else than it said: which one, and what would help."""


class Recovered(NamedTuple):
    """What recovery found."""

    batches: int
    messages: int
    """Numbered messages, of all clients."""


def recover(engine: Engine, journal: Journal, outbox: "Outbox[tuple[str, int]]") -> Recovered:
    """Bring a new engine and an empty outbox to where the journal ends.

    Raises RecoveryError when a batch does not give the outputs that it gave, JournalDamaged when the journal itself is
    not whole.
    """
    messages = batches = 0
    for batch in journal.replay():
        messages += carry_out(engine, batch, outbox)
        batches = batch.row_id
    return Recovered(batches, messages)


def carry_out(engine: Engine, batch: Batch, outbox: "Outbox[tuple[str, int]]") -> int:
    """Carry out one batch of the journal again: the number of messages that it gave. Raises RecoveryError."""
    row_id, data, outputs_crc = batch
    messages = 0
    try:
        for entry in decode(data):
            if entry.kind is Kind.WEEK:
                outbox.clear()
            engine.apply(entry)
    except (ValueError, LookupError, TypeError) as error:
        raise RecoveryError(f"batch {row_id} of the journal cannot be carried out again: {error}") from error
    if engine.outputs_crc() != outputs_crc:
        raise RecoveryError(
            f"batch {row_id} of the journal now gives other messages than those that were sent: a version with "
            "other rules wrote it. Start that version, or start on a fresh data folder."
        )
    try:
        for lane in engine.touched:
            outbox.append(lane.key, lane.first, len(lane.out), lane.joined)
            messages += len(lane.out)
    except ValueError as error:
        raise RecoveryError(f"batch {row_id} of the journal numbers its messages wrongly: {error}") from error
    engine.end_turn()
    engine.forget_refusals()
    return messages

"""Sessions of all services as a change writes them: created, changed, deleted with everything that hangs off them."""

from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, update

from ontherun.registry.directory import Directory
from ontherun.registry.errors import ConflictError
from ontherun.registry.pairs_changes import PairChanges
from ontherun.registry.plans import Origin
from ontherun.registry.records import (
    AnySession,
    DropCopySession,
    MarketDataSession,
    OrderEntrySession,
    Service,
)
from ontherun.registry.store import Change
from ontherun.registry.tables import SessionFirmRow, SessionRow

_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SESSION_IDS = len(_CHARACTERS) ** 3
_FIRST_SESSION_ID = 10 * len(_CHARACTERS) ** 2  # A00, so that the first 33,696 ids begin with a letter

_SUBJECT = {
    Service.ORDER_ENTRY: "session",
    Service.DROP_COPY: "drop_copy_session",
    Service.MARKET_DATA: "market_data_session",
}


def session_id_at(position: int) -> str:
    """Return the Session ID of the session that was created after `position` others: A00, A01 ... ZZZ, 000 ... 9ZZ.

    Deleted sessions keep their place: an id is never given twice.
    """
    rest, last = divmod((_FIRST_SESSION_ID + position) % _SESSION_IDS, 36)
    first, middle = divmod(rest, 36)
    return _CHARACTERS[first] + _CHARACTERS[middle] + _CHARACTERS[last]


def free_session_ids(directory: Directory, count: int) -> list[str]:
    """Return the Session IDs of the next `count` sessions. ConflictError when there are not so many left."""
    position = len(directory.sessions())
    if position + count > _SESSION_IDS:
        raise ConflictError(
            f"{_SESSION_IDS - position} of {_SESSION_IDS} Session IDs are left, and {count} are needed."
        )
    return [session_id_at(position + place) for place in range(count)]


def create_sessions(change: Change, directory: Directory, sessions: list[AnySession], origin: Origin) -> None:
    """Have new sessions, whose ids are the next free ones, written, recorded and put into the directory."""
    position = len(directory.sessions())
    change.write(
        *(
            insert(SessionRow).values(
                session_id=session.session_id,
                position=position + place,
                service=session.service.value,
                entity_id=session.entity_id,
                created_at=session.created_at,
                **_columns(session),
            )
            for place, session in enumerate(sessions)
        ),
        *(insert(SessionFirmRow).values(_firm_rows(session)) for session in sessions),
    )
    for session in sessions:
        _record(change, "created", session, {**_columns(session), "firms": session.firms}, origin)
    change.then(lambda: _put(directory, sessions))


def change_session(change: Change, directory: Directory, was: AnySession, session: AnySession, origin: Origin) -> None:
    """Have a session replaced; the audit gets what changed."""
    before, columns = _columns(was), _columns(session)
    changed = {name: value for name, value in columns.items() if value != before[name]}
    change.write(update(SessionRow).where(SessionRow.session_id == session.session_id).values(columns))
    if session.firms != was.firms:
        changed["firms"] = session.firms
        change.write(
            delete(SessionFirmRow).where(SessionFirmRow.session_id == session.session_id),
            insert(SessionFirmRow).values(_firm_rows(session)),
        )
    _record(change, "changed", session, changed, origin)
    change.then(lambda: directory.put_session(session))


def delete_session(
    change: Change, directory: Directory, pair_changes: PairChanges, session: AnySession, origin: Origin
) -> None:
    """Have a session deleted with its key pairs, whose secrets are erased. Its row stays, so that its id does."""
    gone = replace(session, deleted_at=change.now)
    change.write(update(SessionRow).where(SessionRow.session_id == session.session_id).values(deleted_at=change.now))
    pairs = [stored for stored in directory.pairs_of(session.session_id) if stored.pair.deleted_at is None]
    for stored in pairs:
        pair_changes.delete(change, stored, reason="the session was deleted", **origin)
    _record(change, "deleted", session, {"label": session.label, "key_pairs": len(pairs)}, origin)
    change.then(lambda: directory.put_session(gone))


def _put(directory: Directory, sessions: list[AnySession]) -> None:
    for session in sessions:
        directory.put_session(session)


def _record(change: Change, verb: str, session: AnySession, details: dict[str, Any], origin: Origin) -> None:
    subject = f"session {session.session_id}"
    change.record(
        f"{_SUBJECT[session.service]}.{verb}",
        session.entity_id,
        subject,
        **{"session_id": session.session_id, **details, **origin},
    )


def _firm_rows(session: AnySession) -> list[dict[str, object]]:
    return [
        {"session_id": session.session_id, "gfid": gfid, "position": place} for place, gfid in enumerate(session.firms)
    ]


def _columns(session: AnySession) -> dict[str, Any]:
    return {
        "label": session.label,
        "notes": session.notes,
        "front_end_system": session.front_end_system,
        "live_date": session.live_date,
        "allowed_sources": list(session.allowed_sources),
        "settings": _settings(session),
    }


def _settings(session: AnySession) -> dict[str, Any]:
    match session:
        case OrderEntrySession():
            return {
                "market_segments": list(session.market_segments),
                "cancel_on_disconnect": session.cancel_on_disconnect,
                "protocol": session.protocol.value,
            }
        case DropCopySession():
            return {"market": session.market.value}
        case MarketDataSession():
            return {"market": session.market.value, "products": list(session.products)}

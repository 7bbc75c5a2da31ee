"""Fill the directory from the database, once, at the start."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ontherun.keys import EndReason, KeyPair
from ontherun.registry.audit import ChainHead
from ontherun.registry.directory import Directory
from ontherun.registry.loading_desk import fill_desk
from ontherun.registry.loading_people import fill_people
from ontherun.registry.records import (
    AnySession,
    DropCopySession,
    Entity,
    GlobexFirm,
    Market,
    MarketDataSession,
    OrderEntrySession,
    PartyDetails,
    SealedSecret,
    Service,
    SessionProtocol,
    StoredKeyPair,
)
from ontherun.registry.tables import (
    AuditEntryRow,
    EntityRow,
    GlobexFirmRow,
    KeyPairRow,
    PartyDetailsRow,
    SessionFirmRow,
    SessionRow,
)


async def chain_head(connection: AsyncConnection) -> ChainHead:
    """Return the end of the audit chain."""
    statement = select(AuditEntryRow.sequence, AuditEntryRow.hash).order_by(AuditEntryRow.sequence.desc()).limit(1)
    row = (await connection.execute(statement)).first()
    return ChainHead() if row is None else ChainHead(row.sequence, row.hash)


async def fill(directory: Directory, connection: AsyncConnection) -> None:
    """Read every record into an empty directory."""
    for row in await connection.execute(select(EntityRow.__table__).order_by(EntityRow.entity_id)):
        directory.put_entity(Entity(row.entity_id, row.name, row.created_at))
    for row in await connection.execute(
        select(GlobexFirmRow.__table__).order_by(GlobexFirmRow.created_at, GlobexFirmRow.gfid)
    ):
        directory.put_firm(GlobexFirm(row.gfid, row.entity_id, row.name, row.created_at, row.withdrawn_at))
    await _fill_sessions(directory, connection)
    for row in await connection.execute(
        select(KeyPairRow.__table__).order_by(KeyPairRow.created_at, KeyPairRow.access_key_id)
    ):
        pair = KeyPair(
            row.session_id,
            row.access_key_id,
            row.created_at,
            row.expires_at,
            row.deleted_at,
            row.deactivated_at,
            row.valid_from,
            row.expired_at,
            EndReason(row.ends_by),
        )
        sealed = None if row.sealed_secret is None else SealedSecret(row.master_key_id, row.sealed_secret)
        session = directory.session(row.session_id)
        assert session is not None  # a foreign key
        directory.put_pair(StoredKeyPair(pair, session.entity_id, sealed, row.label))
    for row in await connection.execute(select(PartyDetailsRow.__table__).order_by(PartyDetailsRow.created_at)):
        directory.put_party_details(
            PartyDetails(
                row.session_id,
                row.gfid,
                row.party_details_list_req_id,
                row.account.encode("ascii"),
                row.self_match_prevention_id,
                row.created_at,
            )
        )
    await fill_desk(directory.desk, connection)
    await fill_people(directory.people, connection)


async def _fill_sessions(directory: Directory, connection: AsyncConnection) -> None:
    firms: dict[str, list[str]] = defaultdict(list)
    for row in await connection.execute(select(SessionFirmRow.__table__).order_by(SessionFirmRow.position)):
        firms[row.session_id].append(row.gfid)
    for row in await connection.execute(select(SessionRow.__table__).order_by(SessionRow.position)):
        directory.put_session(_session(row, tuple(firms[row.session_id])))


def _session(row: Row[Any], firms: tuple[str, ...]) -> AnySession:
    common: dict[str, Any] = {
        "session_id": row.session_id,
        "entity_id": row.entity_id,
        "firms": firms,
        "created_at": row.created_at,
        "label": row.label,
        "notes": row.notes,
        "front_end_system": row.front_end_system,
        "live_date": row.live_date,
        "allowed_sources": tuple(row.allowed_sources),
        "deleted_at": row.deleted_at,
    }
    own = row.settings
    match Service(row.service):
        case Service.ORDER_ENTRY:
            return OrderEntrySession(
                **common,
                market_segments=tuple(own["market_segments"]),
                cancel_on_disconnect=own["cancel_on_disconnect"],
                protocol=SessionProtocol(own.get("protocol", SessionProtocol.FIXP)),
            )
        case Service.DROP_COPY:
            return DropCopySession(**common, market=Market(own["market"]))
        case Service.MARKET_DATA:
            return MarketDataSession(**common, market=Market(own["market"]), products=tuple(own["products"]))

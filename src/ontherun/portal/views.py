"""Records as the API shows them."""

from collections.abc import Collection
from dataclasses import asdict

from ontherun.keys import utc_text
from ontherun.portal import models
from ontherun.portal.status import Status
from ontherun.registry import (
    AuditEntry,
    Entity,
    GlobexFirm,
    OrderEntrySession,
    PartyDetails,
    Registry,
)


def _text(time: int | None) -> str | None:
    return None if time is None else utc_text(time)


def entity(record: Entity) -> models.EntityView:
    """Show an entity."""
    return models.EntityView(entity_id=record.entity_id, name=record.name, created_at=utc_text(record.created_at))


def firm(record: GlobexFirm) -> models.FirmView:
    """Show a firm."""
    return models.FirmView(
        gfid=record.gfid, entity_id=record.entity_id, name=record.name, created_at=utc_text(record.created_at)
    )


def session(
    record: OrderEntrySession,
    registry: Registry,
    connected: Collection[str],
    closed_ports: Collection[str],
    listening: Collection[models.GatewayView],
) -> models.SessionView:
    """Show a session with what is true of it now: the collections are what `Status` says of all sessions."""
    return models.SessionView(
        session_id=record.session_id,
        entity_id=record.entity_id,
        firms=list(record.firms),
        market_segments=list(record.market_segments),
        addresses=[at for at in listening if at.segment in record.market_segments],
        cancel_on_disconnect=record.cancel_on_disconnect,
        protocol=record.protocol.value,
        label=record.label,
        notes=record.notes,
        front_end_system=record.front_end_system,
        allowed_sources=list(record.allowed_sources),
        live_date=record.live_date,
        created_at=utc_text(record.created_at),
        valid_key_pairs=len(registry.directory.valid_pairs_of(record.session_id, registry.clock.now())),
        connected=record.session_id in connected,
        port_closed=record.session_id in closed_ports,
    )


def party_details(record: PartyDetails) -> models.PartyDetailsView:
    """Show party details."""
    return models.PartyDetailsView(
        session_id=record.session_id,
        firm=record.firm,
        party_details_list_req_id=record.party_details_list_req_id,
        account=record.account.decode("ascii"),
        self_match_prevention_id=record.self_match_prevention_id,
        created_at=utc_text(record.created_at),
    )


def audit_entry(record: AuditEntry) -> models.AuditEntryView:
    """Show an audit entry."""
    return models.AuditEntryView(
        sequence=record.sequence,
        at=utc_text(record.at),
        actor=record.actor,
        source=record.source,
        action=record.action,
        entity_id=record.entity_id,
        subject=record.subject,
        details=record.details,
        previous_hash=record.previous_hash.hex(),
        hash=record.hash.hex(),
    )


def gateways(status: Status) -> list[models.GatewayView]:
    """Show where the gateways listen."""
    return [
        models.GatewayView(
            segment=gateway.segment,
            role=gateway.role,
            host=gateway.host,
            port=gateway.port,
            tls=gateway.tls_certificate is not None,
        )
        for gateway in status.gateways()
    ]


def instruments(status: Status) -> list[models.InstrumentView]:
    """Show what can be traded."""
    return [models.InstrumentView(**asdict(instrument)) for instrument in status.instruments()]

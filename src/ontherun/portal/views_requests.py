"""Requests, Drop Copy groups and Market Data sessions as the API shows them."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import Response
from pydantic import JsonValue

from ontherun.keys import utc_text
from ontherun.portal.models_requests import RequestPreview, RequestView
from ontherun.portal.models_sessions import GroupView, MarketDataSessionView
from ontherun.registry import (
    DropCopyGroup,
    MarketDataSession,
    Preview,
    Principal,
    Registry,
    Request,
    RequestStatus,
    terms_to_json,
)

_SECOND = 1_000_000_000


def _text(time: int | None) -> str | None:
    return None if time is None else utc_text(time)


def request(record: Request, by: Principal, registry: Registry) -> RequestView:
    """Show a request."""
    left = None
    if record.status is RequestStatus.IN_PROGRESS and record.effective_at is not None:
        left = max((record.effective_at - registry.clock.now()) // _SECOND, 0)
    return RequestView(
        request_id=record.request_id,
        entity_id=record.entity_id,
        kind=record.kind.value,
        status=record.status.value,
        summary=record.summary,
        terms=plain(terms_to_json(record.terms)),
        submitted_by=record.submitted_by,
        submitted_at=utc_text(record.submitted_at),
        revision=record.revision,
        live_date=record.live_date,
        effective_at=_text(record.effective_at),
        seconds_left=left,
        decided_by=record.decided_by,
        decided_at=_text(record.decided_at),
        reason=record.reason,
        finished_at=_text(record.finished_at),
        session_ids=list(record.session_ids),
        may_decide=registry.requests.may_decide(by, record),
    )


def submitted(record: Request, by: Principal, registry: Registry, response: Response) -> RequestView:
    """Show a request that was just submitted, as 201 when it is completed and as 202 while it is not."""
    response.status_code = HTTPStatus.CREATED if record.status is RequestStatus.COMPLETED else HTTPStatus.ACCEPTED
    return request(record, by, registry)


def preview(found: Preview, registry: Registry) -> RequestPreview:
    """Show what a request would do."""
    return RequestPreview(
        kind=found.kind.value,
        entity_id=found.entity_id,
        summary=found.summary,
        effects=list(found.effects),
        effective_at=utc_text(found.effective_at),
        seconds_left=max((found.effective_at - registry.clock.now()) // _SECOND, 0),
        needs_approval=found.needs_approval,
        fee_text=found.fee_text,
    )


def group(record: DropCopyGroup, registry: Registry) -> GroupView:
    """Show a Drop Copy group with its target session."""
    target = registry.drop_copy.target(record)
    return GroupView(
        group_id=record.group_id,
        entity_id=record.entity_id,
        name=record.name,
        market=record.market.value,
        target=record.target,
        firm=target.firms[0],
        sources=list(record.sources),
        messages=[message.value for message in record.messages],
        front_end_system=target.front_end_system,
        allowed_sources=list(target.allowed_sources),
        created_at=utc_text(record.created_at),
        valid_key_pairs=len(registry.directory.valid_pairs_of(record.target, registry.clock.now())),
    )


def market_data_session(record: MarketDataSession, registry: Registry) -> MarketDataSessionView:
    """Show a Market Data session."""
    return MarketDataSessionView(
        session_id=record.session_id,
        entity_id=record.entity_id,
        firm=record.firms[0],
        market=record.market.value,
        products=list(record.products),
        label=record.label,
        notes=record.notes,
        front_end_system=record.front_end_system,
        allowed_sources=list(record.allowed_sources),
        created_at=utc_text(record.created_at),
        valid_key_pairs=len(registry.directory.valid_pairs_of(record.session_id, registry.clock.now())),
    )


def plain(terms: dict[str, Any]) -> dict[str, JsonValue]:
    """Return terms with lists in place of tuples, as JSON has them."""
    found: dict[str, JsonValue] = json.loads(json.dumps(terms))
    return found

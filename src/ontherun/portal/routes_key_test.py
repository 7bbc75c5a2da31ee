"""Test my key: is this signature right, and if not, what made it?"""

from dataclasses import asdict
from http import HTTPStatus

from fastapi import APIRouter

from ontherun.ilink.key_test import Finding, PastedError, read_frame, read_signature, unreadable
from ontherun.ilink.messages import Establish, Negotiate
from ontherun.portal import models
from ontherun.portal.dependencies import Asking, Serving
from ontherun.portal.models_key_test import (
    FindingView,
    PairFindingView,
    PastedEstablish,
    PastedFrame,
    PastedNegotiate,
    SignedValue,
)
from ontherun.portal.problems import answers
from ontherun.registry import OrderEntrySession, Principal, Registry

router = APIRouter(tags=["key pairs"])


@router.post(
    "/sessions/{session_id}/key-test",
    responses=answers(
        HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
    ),
    summary="Say whether a login's signature is right, and if not, what made it",
)
async def test_key(
    by: Asking,
    registry: Serving,
    session_id: models.SessionId,
    pasted: PastedFrame | PastedEstablish | PastedNegotiate,
) -> FindingView:
    """Judge a pasted login."""
    return view(await carry_out(registry, by, session_id, pasted))


async def carry_out(
    registry: Registry, by: Principal, session_id: str, pasted: PastedFrame | PastedEstablish | PastedNegotiate
) -> Finding:
    """Read what was pasted and have it judged; what cannot be read is a finding too, and uses no secret."""
    session = registry.key_tests.check(by, session_id)
    try:
        login = read_frame(pasted.frame) if isinstance(pasted, PastedFrame) else _message(pasted, session)
    except PastedError as error:
        return unreadable(error)
    signed_text = None if pasted.signed_text is None else pasted.signed_text.encode("utf-8", "surrogatepass")
    return await registry.key_tests.judge(by, session_id, login, signed_text)


def _message(pasted: PastedNegotiate, session: OrderEntrySession) -> Negotiate | Establish:
    """The login message that the values belong to."""
    firm = pasted.firm if pasted.firm is not None else session.firms[0]
    negotiate = Negotiate(
        hmac_signature=read_signature(pasted.signature),
        access_key_id=pasted.access_key_id.encode("ascii"),
        uuid=pasted.uuid,
        request_timestamp=pasted.request_timestamp,
        session=(session.session_id if pasted.session is None else pasted.session).encode("ascii"),
        firm=firm.encode("ascii"),
    )
    if not isinstance(pasted, PastedEstablish):
        return negotiate
    return Establish(
        hmac_signature=negotiate.hmac_signature,
        access_key_id=negotiate.access_key_id,
        trading_system_name=pasted.trading_system_name.encode("ascii"),
        trading_system_version=pasted.trading_system_version.encode("ascii"),
        trading_system_vendor=pasted.trading_system_vendor.encode("ascii"),
        uuid=negotiate.uuid,
        request_timestamp=negotiate.request_timestamp,
        next_seq_no=pasted.next_seq_no,
        session=negotiate.session,
        firm=negotiate.firm,
        keep_alive_interval=pasted.keep_alive_interval,
    )


def view(found: Finding) -> FindingView:
    """Show a finding."""
    return FindingView(
        message=found.message,
        accepted=found.accepted,
        verdict=found.verdict,
        advice=list(found.advice),
        canonical_text=found.canonical_text,
        values=[SignedValue(name=name, value=value) for name, value in found.values],
        clock_skew_ns=found.clock_skew,
        key_pairs=[PairFindingView(**asdict(pair)) for pair in found.pairs],
    )

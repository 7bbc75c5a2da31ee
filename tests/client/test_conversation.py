from collections.abc import Callable
from typing import Any

import pytest

from ontherun.client import Instruments
from ontherun.client.conversation import Mood, describe
from ontherun.ilink import messages
from ontherun.ilink.messages import UINT8_NULL

Build = Callable[..., Any]
UB10 = Instruments({"UB10": 400_010})


def test_a_login_shows_who_it_is_and_only_the_ends_of_key_and_signature(build: Build) -> None:
    line = describe(
        build(
            "Negotiate",
            session=b"ABC",
            firm=b"007",
            access_key_id=b"EXAMPLEKEYID00000001",
            hmac_signature=bytes(range(32)),
        )
    )
    assert (line.name, line.number, line.mood) == ("Negotiate", None, Mood.ASKS)
    assert "ABC" in line.words
    assert "1767225600000000" in line.words
    assert "EXAMPLEKEYID00000001" not in line.words
    assert bytes(range(32)).hex() not in line.words


def test_a_refused_login_is_explained(build: Build) -> None:
    for name in ("NegotiationReject", "EstablishmentReject"):
        line = describe(build(name, error_codes=0))
        assert line.mood is Mood.REFUSES
        assert "0 (hmac not authenticated): the venue does not accept the key or the signature" in line.words
    assert "13 (invalid uuid)" in describe(build("Terminate", error_codes=13)).words


def test_requests_say_what_they_ask_for(build: Build) -> None:
    order = describe(build("NewOrderSingle", seq_num=3, side=2, time_in_force=UINT8_NULL), UB10)
    assert (order.number, order.words, order.mood) == (3, "sell 5 UB10 at 99-16+, day, ClOrdID C1", Mood.ASKS)
    replace = describe(build("OrderCancelReplaceRequest", seq_num=4), UB10)
    assert replace.words == "replace order 4000001 by: buy 5 UB10 at 99-16+, day"
    cancel = describe(build("OrderCancelRequest", order_id=messages.UINT64_NULL), UB10)
    assert cancel.words == "cancel ClOrdID C1, buy UB10"


def test_reports_say_what_happened(build: Build) -> None:
    line = describe(build("ExecutionReportNew", seq_num=9, poss_retrans_flag=1), UB10)
    assert line.number == 9
    assert line.words.endswith("order 4000001 (sent again)")
    assert describe(build("ExecutionReportReject")).mood is Mood.REFUSES
    traded = build("ExecutionReportTradeOutright", no_order_events=[], no_fills=[])
    assert describe(traded).mood is Mood.TRADES


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Sequence", {"next_seq_no": 4}, "next number 4"),
        ("Sequence", {"next_seq_no": 4, "keep_alive_interval_lapsed": 1}, "next number 4, is anyone there?"),
        ("Terminate", {}, "finished"),
        ("RetransmitRequest", {"from_seq_no": 5, "msg_count": 10}, "please send again numbers 5 to 14"),
        ("RetransmitRequest", {"from_seq_no": 5, "last_uuid": 7}, "please send again all from number 5 of UUID 7"),
        ("Retransmission", {"from_seq_no": 5, "msg_count": 1}, "sending again number 5"),
        ("RetransmitReject", {"error_codes": 2, "reason": b"no"}, "refused: 2 (request limit exceeded): no"),
        ("NotApplied", {"from_seq_no": 5, "msg_count": 2}, "not applied: numbers 5 to 6 of yours"),
    ],
)
def test_session_messages_in_words(build: Build, name: str, values: dict[str, Any], words: str) -> None:
    assert describe(build(name, **values)).words == words


def test_every_message_of_the_schema_can_be_described(build: Build) -> None:
    for kind in messages.BY_TEMPLATE.values():
        groups = {group.attribute: [] for group, _ in kind.GROUPS}
        assert describe(build(kind.__name__, **groups)).name == kind.__name__

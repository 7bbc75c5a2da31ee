"""Self-match prevention: orders of one firm under one SelfMatchPreventionID do not trade with each other."""

from dataclasses import replace

import pytest

from ontherun.market import OrderTraded, parse_price
from ontherun.market.terms import ALL_OR_NONE, FILL_OR_KILL

from .messages import UB10, Trader, book, kinds, market

OLDEST, NEWEST, OTHER_ID = 4, 5, 6
"""Party details of the test's owners: the id 77 with and without an instruction, and the id 88."""
WHOLE = replace(UB10, symbol="AON", all_or_none=True, display_allowed=False)


def named(events):
    return [(type(event).__name__, event.order.terms.cl_ord_id) for event in events]


def traded(events):
    return [(event.order.terms.cl_ord_id, event.qty) for event in events if isinstance(event, OrderTraded)]


def test_the_oldest_goes_and_the_incoming_order_goes_on(market, abc, xyz):
    abc.buy(b"own", 5, "99-16", party_details_list_req_id=OLDEST)
    xyz.buy(b"theirs", 2, "99-16")
    events = abc.sell(b"new", 5, "99-16", party_details_list_req_id=OLDEST)
    assert named(events)[:2] == [("OrderAccepted", b"new"), ("OrderCancelled", b"own")]
    assert (events[1].request, events[1].restatement_reason) == (None, 103)
    assert traded(events) == [(b"theirs", 2), (b"new", 2)]
    assert book(market) == ([], [(parse_price("99-16"), [3])])


def test_the_newest_goes_after_its_trades_with_others_ahead(market, abc, xyz):
    xyz.buy(b"better", 1, "99-17")
    xyz.buy(b"ahead", 2, "99-16")
    abc.buy(b"own", 5, "99-16", party_details_list_req_id=OLDEST)
    events = abc.sell(b"new", 9, "99-16", party_details_list_req_id=NEWEST)
    assert traded(events) == [(b"better", 1), (b"new", 1), (b"ahead", 2), (b"new", 2)]
    assert [event.leaves_qty for event in events if isinstance(event, OrderTraded) and event.aggressor] == [8, 6]
    assert named(events)[-1] == ("OrderCancelled", b"new")
    assert (events[-1].restatement_reason, events[-1].order.cum_qty) == (107, 3)
    assert book(market) == ([(parse_price("99-16"), [5])], [])


def test_an_order_that_does_not_reach_its_own_leaves_it(market, abc, xyz):
    xyz.buy(b"ahead", 2, "99-16")
    abc.buy(b"own", 5, "99-16", party_details_list_req_id=OLDEST)
    for party in (OLDEST, NEWEST):
        assert traded(abc.sell(b"new%d" % party, 1, "99-16", party_details_list_req_id=party))
    assert book(market) == ([(parse_price("99-16"), [5])], [])


def test_only_the_shown_part_of_a_display_quantity_order_stands_ahead(market, abc, xyz):
    xyz.buy(b"ice", 6, "99-16", display_qty=2)
    abc.buy(b"own", 5, "99-16", party_details_list_req_id=OLDEST)
    events = abc.sell(b"new", 3, "99-16", party_details_list_req_id=OLDEST)
    assert named(events)[1] == ("OrderCancelled", b"own")
    assert traded(events)[-1] == (b"new", 3)


@pytest.mark.parametrize(("mine", "theirs"), [(1, OLDEST), (OLDEST, 1), (OLDEST, OTHER_ID)])
def test_other_ids_and_none_trade(market, abc, mine, theirs):
    abc.buy(b"1", 1, "99-16", party_details_list_req_id=theirs)
    assert traded(abc.sell(b"2", 1, "99-16", party_details_list_req_id=mine)) == [(b"1", 1), (b"2", 1)]


def test_another_firm_under_the_same_id_trades(market, abc, xyz):
    abc.buy(b"1", 1, "99-16", party_details_list_req_id=OLDEST)
    assert traded(xyz.sell(b"2", 1, "99-16", party_details_list_req_id=OLDEST))


def test_another_session_of_the_firm_is_held_to_it(market, abc):
    second = Trader(market, "DEF", "FIRM1")
    abc.buy(b"1", 1, "99-16", party_details_list_req_id=OLDEST)
    assert named(second.sell(b"2", 1, "99-16", party_details_list_req_id=OLDEST))[1] == ("OrderCancelled", b"1")


def test_a_fok_counts_the_quantity_of_others_only(market, abc, xyz):
    xyz.buy(b"theirs", 2, "99-16")
    abc.buy(b"own", 5, "99-16", party_details_list_req_id=OLDEST)
    fok = {"time_in_force": FILL_OR_KILL, "party_details_list_req_id": OLDEST}
    assert kinds(abc.sell(b"big", 3, "99-16", **fok)) == ["OrderAccepted", "OrderEliminated"]
    assert book(market) == ([(parse_price("99-16"), [2, 5])], [])
    assert traded(abc.sell(b"small", 2, "99-16", **fok))


def test_it_holds_in_an_all_or_none_book():
    segment = market(WHOLE)
    abc, xyz = Trader(segment), Trader(segment, "XYZ", "FIRM2")
    terms = {"exec_inst": ALL_OR_NONE, "party_details_list_req_id": OLDEST}
    abc.buy(b"own", 5, "99-16", **terms)
    xyz.buy(b"theirs", 5, "99-16", exec_inst=ALL_OR_NONE)
    events = abc.sell(b"new", 5, "99-16", **terms)
    assert named(events)[1] == ("OrderCancelled", b"own")
    assert traded(events) == [(b"theirs", 5), (b"new", 5)]


def test_where_it_is_compulsory_a_firm_does_not_trade_with_itself_without_an_id_either():
    segment = market(self_match_prevention=True)
    abc = Trader(segment)
    abc.buy(b"1", 1, "99-16")
    assert named(abc.sell(b"2", 1, "99-16"))[1] == ("OrderCancelled", b"1")

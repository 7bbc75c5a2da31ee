from ontherun.market import OrderAccepted, OrderCancelled, OrderEliminated, parse_price
from ontherun.market.segment import rests
from ontherun.market.terms import ALL_OR_NONE, BUY, FILL_AND_KILL, FILL_OR_KILL, PASSIVE, SELL, UINT8_NULL

from .messages import UB02, NewOrderSingle, Trader, book, kinds


def test_a_day_order_is_accepted_and_rests(market, abc):
    [accepted] = abc.buy(b"1", 5, "99-16")
    assert isinstance(accepted, OrderAccepted)
    assert accepted.order.owner is abc.owner
    assert accepted.order.terms.cl_ord_id == b"1"
    assert (accepted.order.leaves_qty, accepted.order.cum_qty) == (5, 0)
    assert book(market) == ([(parse_price("99-16"), [5])], [])


def test_a_plain_order_with_a_known_price_and_quantity_can_rest_without_an_event(market, abc):
    abc.buy(b"1", 5, "99-16")
    before = market.state()
    for number, unusual in enumerate(
        (
            {"time_in_force": FILL_AND_KILL},
            {"display_qty": 1},
            {"min_qty": 1},
            {"exec_inst": ALL_OR_NONE},
            {"execution_mode": PASSIVE},
            {"security_id": 99},
            {"party_details_list_req_id": 9},
            {"cl_ord_id": b"1"},
            {"side": 7},
            {"side": SELL},  # it would trade
            {"qty": 0},
            {"qty": 3},  # not seen yet
            {"price": "99-161"},
        )
    ):
        terms = {"cl_ord_id": b"X%d" % number, "side": BUY, "qty": 5, "price": "99-16"} | unusual
        order = NewOrderSingle(**terms)
        assert not rests(order) or market.rest(abc.owner, order) is None, unusual
    assert market.state() == before
    resting = market.rest(abc.owner, NewOrderSingle(b"2", BUY, 5, "99-16"))
    assert market.exec_format % resting.priority == b"40:2"
    assert book(market) == ([(parse_price("99-16"), [5, 5])], [])


def test_the_first_order_of_a_sender_comp_takes_every_check(market, abc):
    abc.buy(b"1", 5, "99-16")
    assert market.rest(Trader(market, "NEW").owner, NewOrderSingle(b"1", BUY, 5, "99-16")) is None


def test_an_order_without_time_in_force_is_a_day_order(market, abc):
    assert kinds(abc.buy(b"1", 5, "99-16", time_in_force=UINT8_NULL)) == ["OrderAccepted"]
    assert book(market) == ([(parse_price("99-16"), [5])], [])


def test_the_order_keeps_the_message_itself_not_a_copy(market, abc):
    [accepted] = abc.buy(b"1", 5, "99-16", location=b"GB", order_request_id=4711)
    assert accepted.order.terms.location == b"GB"
    assert accepted.order.terms.order_request_id == 4711


def test_order_ids_begin_with_the_segment_and_never_repeat(market, abc):
    ids = [abc.buy(b"%d" % number, 1, "99-16")[0].order.order_id for number in range(20)]
    assert len(set(ids)) == 20
    assert ids == sorted(ids)
    assert {str(order_id)[:2] for order_id in ids} == {"40"}
    assert all(order_id < 2**53 for order_id in ids)


def test_exec_ids_are_unique_printable_and_fit_their_field(market, abc, xyz):
    events = [event for number in range(10) for event in abc.buy(b"%d" % number, 2, "99-16")]
    events += xyz.sell(b"1", 15, "99-16")
    events += abc.cancel(b"9")
    exec_ids = [event.exec_id for event in events]
    assert len(set(exec_ids)) == len(exec_ids)
    assert all(len(exec_id) <= 40 and exec_id.isascii() and exec_id.startswith(b"40:") for exec_id in exec_ids)


def test_a_fak_takes_what_there_is_and_the_rest_is_eliminated(market, abc, xyz):
    abc.sell(b"1", 3, "99-16")
    accepted, resting, aggressor, eliminated = xyz.buy(b"1", 5, "99-16", time_in_force=FILL_AND_KILL)
    assert (resting.qty, aggressor.qty, aggressor.leaves_qty) == (3, 3, 2)
    assert isinstance(eliminated, OrderEliminated)
    assert eliminated.order is accepted.order
    assert eliminated.order.cum_qty == 3
    assert book(market) == ([], [])


def test_a_fak_that_meets_nothing_is_accepted_then_eliminated(market, abc):
    assert kinds(abc.buy(b"1", 5, "99-16", time_in_force=FILL_AND_KILL)) == ["OrderAccepted", "OrderEliminated"]
    assert market.orders_of(abc.owner) == []


def test_a_fok_trades_all_or_nothing(market, abc, xyz):
    abc.sell(b"1", 3, "99-16")
    abc.sell(b"2", 3, "99-17")
    before = book(market)
    assert kinds(xyz.buy(b"1", 7, "99-17", time_in_force=FILL_OR_KILL)) == ["OrderAccepted", "OrderEliminated"]
    assert kinds(xyz.buy(b"2", 4, "99-16", time_in_force=FILL_OR_KILL)) == ["OrderAccepted", "OrderEliminated"]
    assert book(market) == before
    events = xyz.buy(b"3", 5, "99-17", time_in_force=FILL_OR_KILL)
    assert kinds(events) == ["OrderAccepted", *["OrderTraded"] * 4]
    assert events[-1].leaves_qty == 0
    assert book(market) == ([], [(parse_price("99-17"), [1])])


def test_a_cancel_by_order_id_takes_the_order_out(market, abc):
    [accepted] = abc.buy(b"1", 5, "99-16")
    [cancelled] = abc.cancel(b"the cancel's own id", order_id=accepted.order.order_id)
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.order is accepted.order
    assert cancelled.request.cl_ord_id == b"the cancel's own id"
    assert cancelled.restatement_reason == UINT8_NULL
    assert book(market) == ([], [])


def test_a_cancel_without_order_id_finds_the_order_by_cl_ord_id(market, abc, xyz):
    [mine] = abc.buy(b"1", 5, "99-16")
    xyz.buy(b"1", 5, "99-16")
    [cancelled] = abc.cancel(b"1")
    assert cancelled.order is mine.order
    assert len(market.orders_of(xyz.owner)) == 1


def test_a_cancel_says_how_much_had_traded(market, abc, xyz):
    abc.buy(b"1", 5, "99-16")
    xyz.sell(b"1", 2, "99-16")
    [cancelled] = abc.cancel(b"1")
    assert (cancelled.order.cum_qty, cancelled.order.leaves_qty) == (2, 3)


def test_a_cancel_from_the_middle_of_a_queue_leaves_the_others_in_place(market, abc, xyz):
    for number in range(5):
        abc.buy(b"%d" % number, number + 1, "99-16")
    for number in (2, 0, 4):
        abc.cancel(b"%d" % number)
    assert book(market) == ([(parse_price("99-16"), [2, 4])], [])
    assert [event.order.terms.cl_ord_id for event in xyz.sell(b"9", 6, "99-16")[1:3]] == [b"1", b"3"]


def test_a_cl_ord_id_is_free_again_once_its_order_is_gone(market, abc, xyz):
    abc.buy(b"1", 1, "99-16")
    abc.cancel(b"1")
    assert kinds(abc.buy(b"1", 1, "99-16")) == ["OrderAccepted"]
    xyz.sell(b"1", 1, "99-16")
    assert kinds(abc.buy(b"1", 1, "99-16", time_in_force=FILL_AND_KILL)) == ["OrderAccepted", "OrderEliminated"]
    assert kinds(abc.buy(b"1", 1, "99-16")) == ["OrderAccepted"]


def test_a_cl_ord_id_is_unique_per_sender_comp_only(market, abc, xyz):
    assert kinds(abc.buy(b"1", 1, "99-16")) == ["OrderAccepted"]
    assert kinds(xyz.buy(b"1", 1, "99-16")) == ["OrderAccepted"]


def test_books_of_different_instruments_do_not_meet(market, abc, xyz):
    abc.sell(b"1", 1, "99-16")
    assert kinds(xyz.buy(b"1", 1, "99-16", security_id=UB02.security_id)) == ["OrderAccepted"]
    assert book(market) == ([], [(parse_price("99-16"), [1])])
    assert book(market, UB02) == ([(parse_price("99-16"), [1])], [])


def test_losing_the_connection_cancels_the_sender_comps_orders_only(market, abc, xyz):
    abc.buy(b"1", 1, "99-16")
    abc.sell(b"2", 2, "99-20", security_id=UB02.security_id)
    xyz.buy(b"1", 3, "99-16")
    events = market.cancel_day_orders(abc.owner, 100, 0)
    assert [(event.order.terms.cl_ord_id, event.request, event.restatement_reason) for event in events] == [
        (b"1", None, 100),
        (b"2", None, 100),
    ]
    assert market.orders_of(abc.owner) == []
    assert book(market) == ([(parse_price("99-16"), [3])], [])
    assert market.cancel_day_orders(abc.owner, 100, 0) == []


def test_the_end_of_the_day_eliminates_day_orders_oldest_first(market, abc, xyz):
    abc.buy(b"1", 1, "99-16")
    xyz.sell(b"1", 2, "99-20")
    abc.buy(b"2", 3, "99-17")
    events = market.end_of_day(0)
    assert kinds(events) == ["OrderEliminated"] * 3
    assert [(event.order.owner, event.order.terms.cl_ord_id) for event in events] == [
        (abc.owner, b"1"),
        (xyz.owner, b"1"),
        (abc.owner, b"2"),
    ]
    assert book(market) == ([], [])


def test_orders_of_an_owner_are_listed_by_order_id(market, abc, xyz):
    first = abc.buy(b"1", 1, "99-16")[0].order
    second = abc.sell(b"2", 1, "99-20")[0].order
    xyz.buy(b"3", 1, "99-16")
    assert market.orders_of(abc.owner) == [first, second]
    abc.replace(b"1", BUY, 1, "99-16")
    assert market.orders_of(abc.owner) == [first, second]
    abc.cancel(b"2", SELL)
    assert market.orders_of(abc.owner) == [first]

import pytest

from ontherun.market import (
    ExhaustedReplace,
    FillsTakenOff,
    OFMChain,
    OrderCancelled,
    OrderModified,
    RejectReason,
    ReplaceRejected,
    parse_price,
)
from ontherun.market.terms import BUY, FILL_AND_KILL, FILL_OR_KILL, SELL, UINT8_NULL

from .messages import UB10, Trader, book, kinds, market

AT = parse_price("99-16")


@pytest.fixture
def queue(abc):
    """Two bids of one firm at one price: A before B."""
    abc.buy(b"A", 5, "99-16")
    abc.buy(b"B", 5, "99-16")


def queue_at(market, price=AT):
    """ClOrdIDs of the bids at a price, oldest first."""
    return [order.terms.cl_ord_id for order in market.books[UB10.security_id].bids.levels[price]]


@pytest.mark.usefixtures("queue")
class TestPriority:
    def test_a_price_change_loses_it(self, market, abc):
        abc.replace(b"A", BUY, 5, "99-15")
        abc.replace(b"A", BUY, 5, "99-16")
        assert queue_at(market) == [b"B", b"A"]

    def test_more_quantity_loses_it(self, market, abc):
        abc.replace(b"A", BUY, 6, "99-16")
        assert queue_at(market) == [b"B", b"A"]

    def test_less_quantity_keeps_it(self, market, abc):
        abc.replace(b"A", BUY, 4, "99-16")
        assert queue_at(market) == [b"A", b"B"]
        assert book(market) == ([(AT, [4, 5])], [])

    def test_another_account_loses_it(self, market, abc):
        abc.replace(b"A", BUY, 5, "99-16", party_details_list_req_id=3)
        assert queue_at(market) == [b"B", b"A"]

    def test_other_party_details_of_the_same_account_keep_it(self, market, abc):
        abc.replace(b"A", BUY, 5, "99-16", party_details_list_req_id=2)
        assert queue_at(market) == [b"A", b"B"]

    def test_another_cl_ord_id_keeps_it(self, market, abc):
        order = market.orders_of(abc.owner)[0]
        abc.replace(b"A2", BUY, 5, "99-16", order_id=order.order_id)
        assert queue_at(market) == [b"A2", b"B"]

    def test_sender_manual_flag_and_time_in_force_keep_it(self, market, abc):
        abc.replace(
            b"A", BUY, 5, "99-16", sender_id=b"ELSE", manual_order_indicator=1, time_in_force=UINT8_NULL, location=b"GB"
        )
        assert queue_at(market) == [b"A", b"B"]

    def test_more_open_quantity_loses_it_even_when_order_qty_is_less(self, market, abc):
        Trader(market, "XYZ").sell(b"X", 3, "99-16")  # A has 2 left
        abc.replace(b"A", BUY, 4, "99-16")  # 4 open
        assert queue_at(market) == [b"B", b"A"]


def test_a_replace_answers_with_the_new_terms_under_the_same_order_id(market, abc):
    [accepted] = abc.buy(b"A", 5, "99-16")
    [modified] = abc.replace(b"A", BUY, 7, "99-17", order_request_id=4711)
    assert isinstance(modified, OrderModified)
    assert modified.order is accepted.order
    assert (modified.cum_qty, modified.leaves_qty) == (0, 7)
    assert (modified.order.terms.order_qty, modified.order.terms.order_request_id) == (7, 4711)
    assert book(market) == ([(parse_price("99-17"), [7])], [])


def test_a_replace_without_order_id_finds_the_order_by_cl_ord_id(market, abc):
    abc.buy(b"A", 5, "99-16")
    assert kinds(abc.replace(b"A", BUY, 4, "99-16")) == ["OrderModified"]
    assert book(market) == ([(AT, [4])], [])


def test_the_new_cl_ord_id_is_the_one_that_counts_afterwards(market, abc):
    order_id = abc.buy(b"old", 5, "99-16")[0].order.order_id
    abc.replace(b"new", BUY, 5, "99-17", order_id=order_id)
    assert abc.cancel(b"old")[0].reason == RejectReason.ORDER_NOT_IN_BOOK
    assert kinds(abc.buy(b"old", 1, "99-16")) == ["OrderAccepted"]
    assert kinds(abc.buy(b"new", 1, "99-16")) == ["BusinessRejected"]
    assert kinds(abc.cancel(b"new")) == ["OrderCancelled"]


def test_a_replace_to_a_better_price_trades(market, abc, xyz):
    abc.buy(b"A", 5, "99-16")
    xyz.sell(b"X", 3, "99-17")
    modified, resting, aggressor = abc.replace(b"A", BUY, 5, "99-17")
    assert (modified.cum_qty, modified.leaves_qty) == (0, 5)  # as it was before the trade
    assert resting.order.owner is xyz.owner
    assert (aggressor.aggressor, aggressor.cum_qty, aggressor.leaves_qty) == (True, 3, 2)
    assert book(market) == ([(parse_price("99-17"), [2])], [])


def test_a_replace_that_trades_in_full_leaves_nothing_behind(market, abc, xyz):
    abc.buy(b"A", 5, "99-16")
    xyz.sell(b"X", 5, "99-17")
    assert kinds(abc.replace(b"A", BUY, 5, "99-17")) == ["OrderModified", "OrderTraded", "OrderTraded"]
    assert book(market) == ([], [])
    assert market.orders_of(abc.owner) == []


@pytest.mark.parametrize("time_in_force", [FILL_AND_KILL, FILL_OR_KILL])
def test_a_replace_to_an_immediate_order_does_not_rest(market, abc, time_in_force):
    abc.buy(b"A", 5, "99-16")
    assert kinds(abc.replace(b"A", BUY, 5, "99-16", time_in_force=time_in_force)) == [
        "OrderModified",
        "OrderEliminated",
    ]
    assert book(market) == ([], [])
    assert market.orders_of(abc.owner) == []


class TestInFlightMitigation:
    """OFMOverride (9768). The order: buy 10, of which 2 have traded."""

    def trade(self, **policy):
        segment = market(**policy)
        abc = Trader(segment)
        abc.buy(b"A", 10, "99-16")
        Trader(segment, "XYZ").sell(b"X", 2, "99-16")
        return segment, abc

    def test_enabled_takes_fills_off(self):
        segment, abc = self.trade()
        [modified] = abc.replace(b"A", BUY, 5, "99-16", ofm_override=1)
        assert (modified.cum_qty, modified.leaves_qty) == (2, 3)
        assert book(segment) == ([(AT, [3])], [])

    def test_disabled_enters_the_quantity_as_stated_and_counts_from_zero(self):
        segment, abc = self.trade()
        [modified] = abc.replace(b"A", BUY, 5, "99-16", ofm_override=0)
        assert (modified.cum_qty, modified.leaves_qty) == (0, 5)
        assert book(segment) == ([(AT, [5])], [])

    def test_leaves_and_cum_add_up_to_order_qty_after_either(self):
        for ofm_override in (0, 1):
            segment, abc = self.trade()
            abc.replace(b"A", BUY, 12, "99-16", ofm_override=ofm_override)
            trade = Trader(segment, "XYZ").sell(b"Y", 1, "99-16")[1]
            assert trade.cum_qty + trade.leaves_qty == trade.order.terms.order_qty == 12

    def test_the_other_reading_swaps_the_values(self):
        for ofm_override, leaves in ((0, 3), (1, 5)):
            _, abc = self.trade(fills_taken_off=FillsTakenOff.WHEN_DISABLED)
            assert abc.replace(b"A", BUY, 5, "99-16", ofm_override=ofm_override)[0].leaves_qty == leaves

    @pytest.mark.parametrize(
        ("chain", "first", "second", "leaves"),
        [
            (OFMChain.FIRST_DECIDES, 1, 0, 3),
            (OFMChain.FIRST_DECIDES, 0, 1, 8),
            (OFMChain.ENABLED_STAYS, 1, 0, 3),
            (OFMChain.ENABLED_STAYS, 0, 1, 5),
        ],
    )
    def test_a_chain_of_replaces(self, chain, first, second, leaves):
        segment, abc = self.trade(ofm_chain=chain)
        abc.replace(b"A", BUY, 10, "99-16", ofm_override=first)  # filled 2, open 8; disabled: filled 0, open 10
        Trader(segment, "XYZ").sell(b"Y", 3, "99-16")
        [modified] = abc.replace(b"A", BUY, 8, "99-16", ofm_override=second)
        assert modified.leaves_qty == leaves

    def test_a_quantity_that_is_already_filled_cancels_the_order(self):
        segment, abc = self.trade()
        [cancelled] = abc.replace(b"A", BUY, 2, "99-16", ofm_override=1)
        assert isinstance(cancelled, OrderCancelled)
        assert cancelled.request.ofm_override == 1
        assert (cancelled.order.cum_qty, cancelled.restatement_reason) == (2, UINT8_NULL)
        assert book(segment) == ([], [])

    def test_or_is_refused_where_the_policy_says_so(self):
        segment, abc = self.trade(exhausted_replace=ExhaustedReplace.REJECT)
        before = segment.state()[3]
        [rejected] = abc.replace(b"A", BUY, 2, "99-16", ofm_override=1)
        assert isinstance(rejected, ReplaceRejected)
        assert rejected.reason == RejectReason.QUANTITY_OUT_OF_RANGE
        assert segment.state()[3] == before

    def test_a_replace_after_the_full_fill_is_refused(self):
        segment, abc = self.trade()
        Trader(segment, "XYZ").sell(b"Y", 8, "99-16")
        [rejected] = abc.replace(b"A", BUY, 5, "99-16", ofm_override=1)
        assert rejected.reason == RejectReason.ORDER_NOT_IN_BOOK


class TestDisplayQuantity:
    @pytest.fixture
    def iceberg(self, abc, xyz):
        """Bid 10, shows 3, of which 1 has traded: 2 shown, 7 hidden. Another bid stands behind."""
        order = abc.buy(b"ice", 10, "99-16", display_qty=3)[0].order
        abc.buy(b"plain", 1, "99-16")
        xyz.sell(b"X", 1, "99-16")
        return order

    def test_less_quantity_keeps_the_place_and_comes_out_of_what_is_hidden(self, market, abc, iceberg):
        abc.replace(b"ice", BUY, 6, "99-16", display_qty=3, ofm_override=1)
        assert (iceberg.leaves_qty, iceberg.hidden_qty) == (5, 3)
        assert queue_at(market) == [b"ice", b"plain"]

    def test_less_than_what_is_shown_hides_nothing(self, abc, iceberg):
        abc.replace(b"ice", BUY, 2, "99-16", display_qty=1, ofm_override=1)
        assert (iceberg.leaves_qty, iceberg.hidden_qty) == (1, 0)

    def test_a_larger_display_quantity_counts_from_the_next_part_on(self, market, abc, xyz, iceberg):
        abc.replace(b"ice", BUY, 10, "99-16", display_qty=5, ofm_override=1)
        assert (iceberg.leaves_qty, iceberg.hidden_qty) == (9, 7)
        assert queue_at(market) == [b"ice", b"plain"]
        xyz.sell(b"Y", 2, "99-16")
        assert (iceberg.leaves_qty, iceberg.hidden_qty) == (7, 2)
        assert queue_at(market) == [b"plain", b"ice"]

    def test_a_new_price_shows_a_full_part_again(self, abc, iceberg):
        abc.replace(b"ice", BUY, 10, "99-15", display_qty=3, ofm_override=1)
        assert (iceberg.leaves_qty, iceberg.hidden_qty) == (9, 6)

    def test_it_cannot_be_added_or_taken_away(self, market, abc, iceberg):
        before = market.state()[3]
        assert abc.replace(b"ice", BUY, 9, "99-16")[0].reason == RejectReason.FIELD_INCORRECT
        assert abc.replace(b"plain", BUY, 1, "99-16", display_qty=1)[0].reason == RejectReason.FIELD_INCORRECT
        assert market.state()[3] == before
        assert iceberg.hidden_qty == 7

    def test_it_cannot_be_above_what_remains(self, abc, iceberg):
        [rejected] = abc.replace(b"ice", BUY, 3, "99-16", display_qty=3, ofm_override=1)
        assert rejected.reason == RejectReason.DISPLAY_QTY_ABOVE_QUANTITY
        assert iceberg.terms.order_qty == 10


def test_a_replace_of_a_sell_mirrors_one_of_a_buy(market, abc, xyz):
    abc.sell(b"A", 5, "99-20")
    abc.sell(b"B", 5, "99-20")
    xyz.buy(b"X", 3, "99-16")
    assert kinds(abc.replace(b"A", SELL, 6, "99-16")) == ["OrderModified", "OrderTraded", "OrderTraded"]
    assert book(market) == ([], [(AT, [3]), (parse_price("99-20"), [5])])

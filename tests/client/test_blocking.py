"""The same session for programs without an event loop."""

import threading

import pytest

from ontherun.client import (
    Accepted,
    CancelRefused,
    Disconnected,
    Login,
    LoginRefused,
    OrderRefused,
    Side,
    StateError,
    TimeInForce,
    Traded,
)
from ontherun.client.blocking import connect
from ontherun.ilink.codes import TerminateCode

SOON = 10.0


def test_an_order_is_sent_replaced_and_filled(first: Login, second: Login) -> None:
    with connect(first) as a, connect(second) as b:
        offer = a.sell("UB30", "99-16+", 3)
        assert offer.accepted(SOON).order_id == offer.order_id
        assert offer.replace(price="99-17", timeout=SOON).leaves_qty == 3
        (bought,) = b.buy("UB30", "99-17", 3).filled(SOON)
        (sold,) = offer.filled(SOON)
        assert (bought.last_px, sold.last_px) == (offer.price, offer.price)
        assert [type(report) for report in offer.updates(SOON)][-1] is Traded
        assert offer.ended(SOON) is sold
        assert a.orders == ()
        assert a.login is first
        assert a.established
        assert a.uuid


def test_waiting_can_be_limited_and_taken_up_again(first: Login) -> None:
    with connect(first) as session:
        order = session.buy("UB30", "90", 1)
        order.accepted(SOON)
        with pytest.raises(TimeoutError):
            order.filled(0.01)
        reports = session.reports(0.01)
        assert isinstance(next(reports), Accepted)
        with pytest.raises(TimeoutError):
            next(reports)
        order.cancel(SOON)
        assert next(session.reports(SOON)).seq_num == 2
        with pytest.raises(CancelRefused):
            session.cancel(order, timeout=SOON)


def test_what_is_refused_raises(first: Login) -> None:
    with connect(first) as session:
        with pytest.raises(OrderRefused):
            session.buy("UB30", "99-163", 1).accepted(SOON)
        with pytest.raises(LoginRefused) as caught:
            connect(first)
        assert caught.value.code is TerminateCode.ALREADY_NEGOTIATED
        with pytest.raises(Disconnected, match="cannot connect"):
            connect(first.with_(port=1))


def test_orders_are_found_by_their_ids(first: Login) -> None:
    with connect(first) as session:
        session.buy("UB30", "90", 1, cl_ord_id="BY-ID").accepted(SOON)
    with connect(first) as session:
        modified = session.replace("BY-ID", price="90-01", quantity=2, security="UB30", side=Side.BUY, timeout=SOON)
        assert modified.order_id is not None
        assert session.cancel(modified.order_id, security="UB30", side=Side.BUY, timeout=SOON)


def test_after_a_loss_the_session_comes_back_by_itself(first: Login) -> None:
    with connect(first) as session:
        order = session.buy("UB30", "90", 1, time_in_force=TimeInForce.GTC)
        order.accepted(SOON)
        session.drop()
        session.ready(SOON)
        assert order.cancel(SOON).seq_num == 2


def test_after_closing_everything_that_came_can_still_be_read(first: Login) -> None:
    with connect(first) as session:
        order = session.buy("UB30", "90", 1)
    assert [type(report) for report in session.reports()] == [Accepted]
    assert order.accepted().order_id == order.order_id
    with pytest.raises(Disconnected, match="closed"):
        order.filled()
    with pytest.raises(Disconnected, match="closed"):
        session.buy("UB30", "90", 1)
    session.close()
    assert "not established" in repr(session)
    with connect(first) as session:
        session.cancel(order.order_id or 0, security="UB30", side=Side.BUY, timeout=SOON)


def test_no_thread_is_left_behind(first: Login) -> None:
    before = threading.active_count()
    with connect(first):
        assert threading.active_count() == before + 1
    with pytest.raises(Disconnected):
        connect(first.with_(port=1))
    with pytest.raises(StateError):
        connect(first, state=__file__)
    assert threading.active_count() == before


def test_several_threads_may_use_one_session(first: Login) -> None:
    with connect(first) as session:
        order_ids: list[int | None] = []

        def trade() -> None:
            for _ in range(10):
                order = session.buy("UB30", "90", 1)
                order_ids.append(order.accepted(SOON).order_id)
                order.cancel(SOON)

        threads = [threading.Thread(target=trade) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(order_ids)) == 40

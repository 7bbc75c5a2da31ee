"""Self-match prevention: which resting orders of its own an incoming order would meet, before anything happens.

Two orders match themselves when both name the same SelfMatchPreventionID (2362) and belong to one firm. The incoming
order's instruction (8000) decides: oldest (also when it is absent) cancels the resting orders that it meets, and it
goes on; newest cancels the incoming order when it meets the first, after its trades with others ahead of that one.

Source: schema id 8 version 9, template 518; CME client wiki, BrokerTec market functionality. That the incoming order's
instruction decides, and the trades ahead, are ours.
"""

from typing import NamedTuple

from ontherun.market.book import BookSide, Order
from ontherun.market.terms import CANCEL_NEWEST, UINT64_NULL


class Meetings(NamedTuple):
    """``own``: the resting orders that have to go; ``reachable``: how much could trade with others; ``stopped``:
    whether the incoming order goes, after having traded that."""

    own: list[Order]
    reachable: int
    stopped: bool


def meetings(order: Order, opposite: BookSide, limit: int, *, compulsory: bool) -> Meetings:
    """What an order would meet on its way through keys from ``limit`` up.

    Of a display quantity order only the shown part stands before the orders behind it.
    """
    newest = order.party_details.self_match_prevention_instruction == CANCEL_NEWEST
    wanted = order.leaves_qty
    own: list[Order] = []
    reached = 0
    for key in reversed(opposite.keys):
        if key < limit or reached >= wanted:
            break
        if order.book.all_or_none and key != limit:
            continue
        ahead = there = 0
        for resting in opposite.levels[key]:
            if order.book.all_or_none and (resting.leaves_qty != wanted or there):
                continue
            if not _same(order, resting, compulsory=compulsory):
                ahead += resting.leaves_qty - resting.hidden_qty
                there += resting.leaves_qty
            elif reached + ahead < wanted:
                if newest:
                    return Meetings([], reached + ahead, stopped=True)
                own.append(resting)
        reached += there
    return Meetings(own, min(reached, wanted), stopped=False)


def _same(order: Order, resting: Order, *, compulsory: bool) -> bool:
    """Whether the two must not trade with each other."""
    mine, theirs = order.party_details.self_match_prevention_id, resting.party_details.self_match_prevention_id
    if UINT64_NULL in (mine, theirs):
        return compulsory and order.owner.firm == resting.owner.firm
    return mine == theirs and order.owner.firm == resting.owner.firm

"""The market's rules once more, for clarity alone: one list of orders, searched from end to end at every step.

Shares no code with the market but the instruments. Says what happened as tuples, in the form of ``lockstep.told``.
"""

from .reference_checks import (
    CLOSED,
    FAK,
    FOK,
    GTC,
    GTD,
    NOTHING_BETTER,
    NULL_ID,
    NULL_QTY,
    ONLY_BEST,
    OPEN,
    PASSIVE,
    SELF_MATCH_NEWEST,
    SELF_MATCH_OLDEST,
    TODAY,
    ReferenceChecks,
)


class RestingOrder:
    def __init__(self, order_id, owner, terms, details):
        self.order_id = order_id
        self.owner = owner
        self.terms = terms
        self.details = details
        self.open = terms.order_qty
        self.filled = 0
        self.shown = 0
        self.place = None  # in the queue: smaller comes first
        self.ofm = None

    @property
    def immediate(self):
        return self.terms.time_in_force in (FAK, FOK)

    @property
    def only_best(self):
        return self.terms.exec_inst & ONLY_BEST

    @property
    def passive(self):
        return self.terms.execution_mode == PASSIVE


class ReferenceMarket(ReferenceChecks):
    def __init__(
        self,
        segment_id,
        instruments,
        ofm_latches=False,
        exhausted_cancels=True,
        day_min_qty=True,
        any_sender=True,
        compulsory=False,
    ):
        self.segment_id = segment_id
        self.instruments = {instrument.security_id: instrument for instrument in instruments}
        self.ofm_latches = ofm_latches
        self.exhausted_cancels = exhausted_cancels
        self.day_min_qty = day_min_qty
        self.any_sender = any_sender
        self.compulsory = compulsory
        self.today = TODAY
        self.status = OPEN
        self.orders = []
        self.places = self.order_ids = self.executions = self.side_trades = self.trade_entries = self.order_events = 0

    # Commands

    def new_order(self, owner, terms):
        said = self.business_fault(owner, terms, needs_price=True, target=None)
        if said:
            return said
        code = self.terms_fault(terms) or self.best_fault(terms, self.orders)
        if code:
            return [("rejected", 0, code, self.exec_id())]
        self.order_ids += 1
        order = RestingOrder(
            self.number(self.order_ids), owner, terms, owner.party_details[terms.party_details_list_req_id]
        )
        said = [("accepted", order.order_id, order.open, self.exec_id())]
        return said + self.enter(order, terms.min_qty)

    def cancel(self, owner, request):
        order = self.find(owner, request)
        said = self.business_fault(owner, request, needs_price=False, target=order)
        if said:
            return said
        code = self.target_fault(owner, request, order)
        if code:
            return [("cancel rejected", self.id_of(request, order), code, self.exec_id())]
        self.orders.remove(order)
        return [("cancelled", order.order_id, order.filled, 255, self.exec_id())]

    def replace(self, owner, request):
        order = self.find(owner, request)
        said = self.business_fault(owner, request, needs_price=True, target=order)
        if said:
            return said
        code = self.target_fault(owner, request, order)
        if not code and not self.any_sender and request.sender_id.upper() != order.terms.sender_id.upper():
            code = 2103
        code = code or self.terms_fault(request)
        if not code and (order.terms.display_qty == NULL_QTY) != (request.display_qty == NULL_QTY):
            code = 1011
        code = code or self.best_fault(request, [other for other in self.orders if other is not order])
        if code:
            return [("replace rejected", self.id_of(request, order), code, self.exec_id())]

        ofm = request.ofm_override if order.ofm is None else order.ofm
        if self.ofm_latches and request.ofm_override == 1:
            ofm = 1
        filled = order.filled if ofm == 1 else 0
        still_open = request.order_qty - filled
        if still_open <= 0 and self.exhausted_cancels:
            self.orders.remove(order)
            return [("cancelled", order.order_id, order.filled, 255, self.exec_id())]
        if still_open <= 0:
            return [("replace rejected", self.id_of(request, order), 2115, self.exec_id())]
        if request.display_qty != NULL_QTY and request.display_qty > still_open:
            return [("replace rejected", self.id_of(request, order), 2046, self.exec_id())]

        details = owner.party_details[request.party_details_list_req_id]
        same_place = (
            request.price == order.terms.price
            and still_open <= order.open
            and details.account == order.details.account
            and request.exec_inst == order.terms.exec_inst
            and (request.execution_mode == PASSIVE) == order.passive
            and (still_open == order.open or not self.instruments[request.security_id].all_or_none)
        )
        order.terms, order.details, order.ofm, order.filled, order.open = request, details, ofm, filled, still_open
        said = [("modified", order.order_id, filled, still_open, self.exec_id())]
        if same_place and not order.immediate:
            order.shown = min(order.shown, still_open, request.display_qty)
            return said
        self.orders.remove(order)
        return said + self.enter(order, request.min_qty if request.time_in_force == FAK else NULL_QTY)

    def set_state(self, status, trade_date=None):
        self.status = status
        self.today = trade_date or self.today
        said = []
        if status == OPEN:
            for security_id in self.instruments:
                waiting = sorted((o for o in self.orders if o.terms.security_id == security_id), key=lambda o: o.place)
                bids = [o.terms.price for o in waiting if o.terms.side == 1]
                asks = [o.terms.price for o in waiting if o.terms.side == 2]
                if bids and asks and max(bids) >= min(asks):
                    self.orders = [o for o in self.orders if o not in waiting]
                    for order in waiting:
                        self.executions += 1
                        said += self.enter(order)
        return said

    def end_of_day(self):
        return self.eliminate(
            order
            for order in self.orders
            if order.terms.time_in_force not in (GTC, GTD)
            or (order.terms.time_in_force == GTD and order.terms.expire_date <= self.today)
        )

    def new_on_the_run(self, security_id):
        return self.eliminate(
            order
            for order in self.orders
            if order.terms.security_id == security_id and order.terms.time_in_force in (GTC, GTD)
        )

    def cancel_day_orders(self, owner, reason):
        return self.cancel_unasked(
            (
                order
                for order in self.orders
                if order.owner.sender_comp == owner.sender_comp and order.terms.time_in_force not in (GTC, GTD)
            ),
            reason,
        )

    def mass_cancel(self, owner, request):
        if request.party_details_list_req_id not in owner.party_details:
            return [("business rejected", 1, 1505)]
        self.exec_id()
        report_id = self.number(self.executions)
        reason = None
        if request.mass_action_scope == 1 and request.security_id not in self.instruments:
            reason = 1
        elif request.mass_action_scope == 10 and request.security_group != b"USBD":
            reason = 9
        elif self.status == CLOSED:
            reason = 99
        gone = [] if reason else [order for order in self.orders if self.asked_for(order, owner, request)]
        gone.sort(key=lambda o: o.order_id)
        self.orders = [o for o in self.orders if o not in gone]
        return [("mass action", report_id, reason, [(o.terms.cl_ord_id, o.order_id, o.open) for o in gone])]

    @staticmethod
    def asked_for(order, owner, request):
        terms, account = order.terms, owner.party_details[request.party_details_list_req_id].account
        return (
            order.owner.sender_comp == owner.sender_comp
            and (request.mass_action_scope != 1 or terms.security_id == request.security_id)
            and (request.side == 255 or terms.side == request.side)
            and (request.time_in_force == 255 or terms.time_in_force % 255 == request.time_in_force)
            and (request.mass_cancel_request_type != 101 or order.details.account == account)
        )

    def eliminate(self, orders):
        gone = sorted(orders, key=lambda o: o.order_id)
        self.orders = [o for o in self.orders if o not in gone]
        return [("eliminated", order.order_id, order.filled, self.exec_id()) for order in gone]

    def cancel_unasked(self, orders, reason):
        gone = sorted(orders, key=lambda o: o.order_id)
        self.orders = [o for o in self.orders if o not in gone]
        return [("cancelled", order.order_id, order.filled, reason, self.exec_id()) for order in gone]

    # Matching

    def enter(self, order, min_qty=NULL_QTY):
        said = []
        own, there, stopped = self.meetings(order) if self.status == OPEN else ([], 0, False)
        if min_qty != NULL_QTY and there < min_qty:
            return [("eliminated", order.order_id, order.filled, self.exec_id())]
        if self.status == OPEN and not order.passive and (order.terms.time_in_force != FOK or there >= order.open):
            for other in own:
                self.orders.remove(other)
                said.append(("cancelled", other.order_id, other.filled, SELF_MATCH_OLDEST, self.exec_id()))
            self.keep = order.open - there if stopped else 0
            if self.instruments[order.terms.security_id].all_or_none:
                said += self.trade_whole(order)
            else:
                while order.open > self.keep and self.counterparties(order):
                    said += self.trade_at_best_price(order)
            if stopped:
                return [*said, ("cancelled", order.order_id, order.filled, SELF_MATCH_NEWEST, self.exec_id())]
        if order.open and order.immediate:
            said.append(("eliminated", order.order_id, order.filled, self.exec_id()))
        elif order.open:
            better = [o for o in self.beside(order) if self.rank(order.terms) > self.rank(o.terms)]
            if len(better) == len(self.beside(order)):  # better than every other
                said += self.cancel_unasked_in_queue(o for o in better if o.only_best)
            self.orders.append(order)
            self.queue(order)
        return said

    def meetings(self, order):
        """Matching on paper: the orders of its own that it meets, how much trades, whether it stops."""
        wanted, own = order.open, []
        queue = [[other.terms.price, other.shown, other.open, other] for other in self.counterparties(order)]
        if self.instruments[order.terms.security_id].all_or_none:
            queue = [at for at in queue if at[0] == order.terms.price and at[2] == order.open]
        while wanted and queue:
            price, shown, still_open, other = queue.pop(0)
            if self.same(order, other):
                if order.details.self_match_prevention_instruction == ord("N"):
                    return [], order.open - wanted, True
                own.append(other)
                continue
            qty = min(wanted, shown)
            wanted, still_open = wanted - qty, still_open - qty
            if still_open and qty == shown:  # the next part, behind the others of the price
                place = sum(1 for at in queue if at[0] == price)
                queue.insert(place, [price, min(still_open, other.terms.display_qty), still_open, other])
        return own, order.open - wanted, False

    def same(self, order, other):
        if order.owner.firm != other.owner.firm:
            return False
        mine, theirs = order.details.self_match_prevention_id, other.details.self_match_prevention_id
        return self.compulsory if NULL_ID in (mine, theirs) else mine == theirs

    def cancel_unasked_in_queue(self, orders):
        said = []
        for order in sorted(orders, key=lambda o: o.place):
            self.orders.remove(order)
            said.append(("cancelled", order.order_id, order.filled, NOTHING_BETTER, self.exec_id()))
        return said

    def beside(self, order):
        """The orders of the same instrument and side."""
        return [
            other
            for other in self.orders
            if (other.terms.security_id, other.terms.side) == (order.terms.security_id, order.terms.side)
        ]

    @staticmethod
    def rank(terms):
        return terms.price if terms.side == 1 else -terms.price

    def trade_whole(self, order):
        for other in [] if self.keep else self.counterparties(order):
            if other.terms.price == order.terms.price and other.open == order.open:
                self.trade_entries += 1
                self.order_events += 1
                said, qty = [], order.open
                self.orders.remove(other)
                for each in (other, order):
                    each.open, each.filled = 0, each.filled + qty
                    part = (self.order_events, qty, 5)
                    said.append(self.traded(each, order.terms.price, qty, each is order, [part]))
                return said
        return []

    def trade_at_best_price(self, order):
        price = self.counterparties(order)[0].terms.price
        self.trade_entries += 1
        said = []
        while (
            order.open > self.keep and self.counterparties(order) and self.counterparties(order)[0].terms.price == price
        ):
            said += self.trade_for_one_report(order, price)
        return said

    def trade_for_one_report(self, order, price):
        said, parts = [], []
        while (
            len(parts) < 254
            and order.open > self.keep
            and self.counterparties(order)
            and self.counterparties(order)[0].terms.price == price
        ):
            resting = self.counterparties(order)[0]
            qty = min(order.open - self.keep, resting.shown)
            for each in (order, resting):
                each.open -= qty
                each.filled += qty
            resting.shown -= qty
            self.order_events += 1
            parts.append((self.order_events, qty, 4 if order.open else 5))
            said.append(self.traded(resting, price, qty, False, [(self.order_events, qty, 4 if resting.open else 5)]))
            if not resting.open:
                self.orders.remove(resting)
            elif not resting.shown:
                self.queue(resting)
        said.append(self.traded(order, price, sum(qty for _, qty, _ in parts), True, parts))
        return said

    def traded(self, order, price, qty, aggressor, parts):
        exec_id = self.exec_id()
        self.side_trades += 1
        ids = (exec_id, self.number(self.executions), self.side_trades, self.trade_entries)
        return ("traded", order.order_id, price, qty, order.filled, order.open, aggressor, *ids, parts)

    def counterparties(self, order):
        """Every order that this one could trade with, in the order in which it would."""
        buying = order.terms.side == 1
        others = [
            other
            for other in self.orders
            if other.terms.security_id == order.terms.security_id
            and other.terms.side != order.terms.side
            and (other.terms.price <= order.terms.price if buying else other.terms.price >= order.terms.price)
        ]
        return sorted(others, key=lambda other: (other.terms.price if buying else -other.terms.price, other.place))

    def queue(self, order):
        self.places += 1
        order.place = self.places
        order.shown = min(order.open, order.terms.display_qty)

    # Orders and numbers

    def find(self, owner, request):
        for order in self.orders:
            if request.order_id == NULL_ID:
                if (order.owner.sender_comp, order.terms.cl_ord_id) == (owner.sender_comp, request.cl_ord_id):
                    return order
            elif order.order_id == request.order_id:
                return order
        return None

    def id_of(self, request, order):
        if request.order_id != NULL_ID:
            return request.order_id
        return order.order_id if order else 0

    def number(self, counter):
        return int(f"{self.segment_id}{counter:013d}")

    def exec_id(self):
        self.executions += 1
        return f"{self.segment_id}:{self.executions}".encode()

    def books(self):
        """Per instrument and side: (price, order id, open, shown), in the order in which they would trade."""
        seen = {}
        for security_id in self.instruments:
            for side in (1, 2):
                orders = [o for o in self.orders if (o.terms.security_id, o.terms.side) == (security_id, side)]
                orders.sort(key=lambda o: (-o.terms.price if side == 1 else o.terms.price, o.place))
                seen[security_id, side] = [(o.terms.price, o.order_id, o.open, o.shown) for o in orders]
        return seen

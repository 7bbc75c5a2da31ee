"""The reference market's checks: one list of conditions with their codes, in the documented order."""

LIMIT, GTC, FAK, FOK, GTD = ord("2"), 1, 3, 4, 6
ALL_OR_NONE, ONLY_BEST, NOT_HELD, PASSIVE = 1, 2, 4, ord("P")
NOTHING_BETTER, SELF_MATCH_OLDEST, SELF_MATCH_NEWEST = 9, 103, 107
TODAY = 1_799_280_000_000_000_000 // 10**9 // 86_400
NULL_DATE = 2**16 - 1
NULL_QTY, NULL_ID, NULL_PRICE = 2**32 - 1, 2**64 - 1, 2**63 - 1
CLOSED, PAUSE, OPEN, PRE_OPEN, POST_CLOSE = 4, 2, 17, 21, 26


class ReferenceChecks:
    """What is wrong with a command, as a code or as what is said; None where nothing is."""

    def business_fault(self, owner, terms, needs_price, target):
        if terms.party_details_list_req_id not in owner.party_details:
            return [("business rejected", 1, 1505)]
        if needs_price and terms.price == NULL_PRICE:
            return [("business rejected", 5, 44)]
        if needs_price and terms.time_in_force == GTD and terms.expire_date == NULL_DATE:
            return [("business rejected", 5, 432)]
        if terms.side not in (1, 2):
            return [("business rejected", 115, 54)]
        if needs_price:
            for other in self.orders:
                same = other.owner.sender_comp == owner.sender_comp and other.terms.cl_ord_id == terms.cl_ord_id
                if same and other is not target:
                    return [("business rejected", 133, 11)]
        return None

    def target_fault(self, owner, request, order):
        if request.security_id not in self.instruments:
            return 2047
        if self.status == CLOSED:
            return 1003
        if order is None:
            return 2045
        if order.owner.sender_comp != owner.sender_comp:
            return 2048
        if order.terms.security_id != request.security_id:
            return 2045
        return 2051 if order.terms.side != request.side else None

    def terms_fault(self, terms):
        if terms.security_id not in self.instruments:
            return 2047
        instrument = self.instruments[terms.security_id]
        immediate = terms.time_in_force in (FAK, FOK)
        good_till = terms.time_in_force in (GTC, GTD)
        whole, best, not_held = (bool(terms.exec_inst & bit) for bit in (ALL_OR_NONE, ONLY_BEST, NOT_HELD))
        passive = terms.execution_mode == PASSIVE
        display = terms.display_qty if terms.display_qty != NULL_QTY else None
        minimum = terms.min_qty if terms.min_qty != NULL_QTY else None
        for wrong, code in [
            (self.status in (CLOSED, PAUSE), 1003),
            (self.status == POST_CLOSE or (self.status == PRE_OPEN and immediate), 2130),
            (terms.ord_type != LIMIT, 2311),
            (whole != instrument.all_or_none, 5512),
            (not_held and not instrument.not_held_allowed, 5512),
            (terms.exec_inst > 7, 5512),
            (passive and not instrument.passive_allowed, 5512),
            (terms.time_in_force not in (0, 255, GTC, FAK, FOK, GTD), 7047),
            (immediate and passive, 7047),
            (good_till and not instrument.good_till_allowed, 7047),
            ((immediate or good_till) and instrument.all_or_none, 7047),
            (not_held and terms.time_in_force != FAK, 7047),
            (terms.time_in_force == GTD and terms.expire_date < self.today, 2019),
            (best and not instrument.only_best_allowed, 5010),
            (best and good_till, 5011),
            (terms.order_qty == 0 or terms.order_qty > instrument.max_qty, 2115),
            (terms.order_qty < instrument.min_qty, 5003),
            (terms.order_qty % instrument.qty_increment, 5006),
            (display is not None and not instrument.display_allowed, 1013),
            (display is not None and display > terms.order_qty, 2046),
            (display is not None and display < instrument.min_qty, 5004),
            (display is not None and display % instrument.qty_increment, 1011),
            (minimum is not None and minimum < instrument.min_qty, 5005),
            (minimum is not None and display is not None and display < minimum, 7613),
            (minimum is not None and minimum > terms.order_qty, 1011),
            (minimum is not None and terms.time_in_force == FOK, 1011),
            (minimum is not None and instrument.all_or_none, 1011),
            (minimum is not None and not immediate and (passive or not self.day_min_qty), 1011),
            (terms.price <= 0, 1012),
            (terms.price % instrument.tick, 1011),
            (not instrument.low_limit <= terms.price <= instrument.high_limit, 2137),
            (abs(terms.price - instrument.reference_price) > instrument.band, 2179),
        ]:
            if wrong:
                return code
        return None

    def best_fault(self, terms, others):
        same = [o.terms for o in others if (o.terms.security_id, o.terms.side) == (terms.security_id, terms.side)]
        if terms.exec_inst & ONLY_BEST and any(self.rank(other) > self.rank(terms) for other in same):
            return 5000 if terms.side == 1 else 5001
        return None

"""A session with a source-address allow-list: ours, the exchange does this in its network."""

import pytest

from ontherun.ilink.messages import NegotiationReject

from .conftest import OTHER_SECRET, UUID, Venue


@pytest.fixture
def guarded(venue: Venue) -> Venue:
    venue.keys.sources = {"192.0.2.1"}
    return venue


def test_a_login_from_a_listed_address_is_accepted(guarded: Venue) -> None:
    assert guarded.connect().log_in().session.stream.session == "ABC"


def test_a_login_from_elsewhere_is_blocked_and_its_trace_names_the_address(guarded: Venue) -> None:
    wire = guarded.connect(source="198.51.100.7")
    (answer,) = wire.negotiate()
    assert isinstance(answer, NegotiationReject)
    assert answer.error_codes == 10
    assert wire.traces[-1].reason == "the address 198.51.100.7 is not in the allow-list of session ABC"


def test_attempts_from_elsewhere_never_close_the_port_whatever_is_wrong_with_them(guarded: Venue) -> None:
    for number in range(20):
        guarded.now += 1_000
        guarded.connect(source="198.51.100.7").negotiate(signed_with=OTHER_SECRET, uuid=UUID + number)
    assert not guarded.stream().port_closed
    assert guarded.connect().log_in().session.stream.primary_bound

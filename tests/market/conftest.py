import pytest

from .messages import Trader, market


@pytest.fixture(name="market")
def a_market():
    return market()


@pytest.fixture
def abc(market):
    """The first firm."""
    return Trader(market, "ABC", "FIRM1")


@pytest.fixture
def xyz(market):
    """The second firm."""
    return Trader(market, "XYZ", "FIRM2")

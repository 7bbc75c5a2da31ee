from collections.abc import Iterator

import pytest
from tests.support.venue_process import VenueProcess


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue in a process of its own."""
    with VenueProcess(tmp_path_factory.mktemp("venue") / "data", "--no-fsync") as running:
        yield running

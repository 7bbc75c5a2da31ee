import inspect
from collections.abc import Callable
from typing import Any

import pytest

from ontherun.ilink import messages
from ontherun.ilink.messages import Message

UUID = 1_767_225_600_000_000
TERMS = {
    "uuid": UUID,
    "cl_ord_id": b"C1",
    "order_id": 4_000_001,
    "sender_id": b"TRADER1",
    "security_id": 400_010,
    "side": 1,
    "price": 99_515_625_000,
    "order_qty": 5,
    "time_in_force": 0,
}


@pytest.fixture
def build() -> Callable[..., Any]:
    """A message by its name: named values as given, else those of TERMS, else 0 and empty."""

    def make(name: str, **values: Any) -> Message:
        kind = getattr(messages, name)
        filled: dict[str, Any] = {}
        for parameter in inspect.signature(kind).parameters.values():
            if parameter.name in values:
                filled[parameter.name] = values.pop(parameter.name)
            elif parameter.name in TERMS:
                filled[parameter.name] = TERMS[parameter.name]
            elif parameter.default is inspect.Parameter.empty:
                filled[parameter.name] = b"" if parameter.annotation is bytes else 0
        assert not values, f"{name} has no {values}"
        message: Message = kind(**filled)
        return message

    return make

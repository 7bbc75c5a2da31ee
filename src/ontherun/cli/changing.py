"""Commands that change something: each of them takes --reason, and the audit keeps it with what the command did."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

REASON: ContextVar[str] = ContextVar("reason", default="")
"""What the command that runs was given as --reason; "" without one."""

_OPTION = Parameter(
    "reason",
    Parameter.KEYWORD_ONLY,
    default="",
    annotation=Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the audit.")],
)


def changing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --reason; whatever it asks of the API says so."""

    @wraps(command)
    def run(*arguments: Any, reason: str = "", **options: Any) -> None:
        before = REASON.set(reason)
        try:
            command(*arguments, **options)
        finally:
            REASON.reset(before)

    of_command = signature(command)
    parameters = [*of_command.parameters.values(), _OPTION]
    run.__signature__ = of_command.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run

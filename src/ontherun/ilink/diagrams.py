"""The transition tables as Markdown and Mermaid, for docs/session.md."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from ontherun.ilink.codes import TerminateCode
from ontherun.ilink.transitions import Outcome

StateT = TypeVar("StateT", bound=Enum)
EventT = TypeVar("EventT", bound=Enum)

_OUTCOMES: dict[Enum, str] = {Outcome.IGNORE: ".", Outcome.MISUSE: "-", Outcome.VIOLATION: "**0**"}


def markdown(table: Mapping[StateT, Mapping[EventT, Enum]]) -> str:
    """Events down, states across; a code stands for the Terminate with it, a dot for IGNORE, a dash for MISUSE."""
    states = list(table)
    head = ["event", *(state.name for state in states)]
    rows = [[event.name, *(_cell(state, table[state][event]) for state in states)] for event in table[states[0]]]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(state: Enum, entry: Enum) -> str:
    if entry is state:
        return "stays"
    if isinstance(entry, TerminateCode):
        return f"**{entry}**"
    return _OUTCOMES.get(entry, entry.name)


def mermaid(table: Mapping[StateT, Mapping[EventT, Enum]]) -> str:
    """The ways from one state to another that keep to the protocol, as a Mermaid state diagram."""
    states = list(table)
    lines = ["stateDiagram-v2", f"    [*] --> {states[0].name}"]
    for state in states:
        ways: dict[Enum, list[str]] = {}
        for event, entry in table[state].items():
            if entry in table and entry is not state and event.name != "CLOSE":
                ways.setdefault(entry, []).append(event.name)
        lines += [f"    {state.name} --> {target.name}: {', '.join(events)}" for target, events in ways.items()]
    return "\n".join(lines)

"""docs/keys.md tells the life of a pair as the table has it."""

from pathlib import Path

from ontherun.keys import LIFE, KeyPairEvent, KeyPairState

DOCUMENT = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")


def test_the_documented_table_is_the_table() -> None:
    for state in KeyPairState:
        after = [LIFE[state, event] for event in KeyPairEvent]
        assert f"| {state} | {' | '.join('refused' if step is None else step for step in after)} |" in DOCUMENT

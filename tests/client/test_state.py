from pathlib import Path

import pytest

from ontherun.client import StateError
from ontherun.client.state import SessionState, StateFile

STATE = SessionState("ABC", 1_767_225_600_000_000, 12, 30, 1_767_225_600_000_000_001)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    StateFile(tmp_path / "a.json").write(STATE)
    assert StateFile(tmp_path / "a.json").read("ABC") == STATE


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "a.json").read("ABC") is None


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "a.json")
    file.write(STATE)
    with (tmp_path / "a.json").open() as opened_before:
        file.write(SessionState("ABC", 1, 2, 3, 4))
        assert str(STATE.uuid) in opened_before.read()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_another_sessions_state_is_refused(tmp_path: Path) -> None:
    StateFile(tmp_path / "a.json").write(STATE)
    with pytest.raises(StateError, match="belongs to session ABC, not XYZ"):
        StateFile(tmp_path / "a.json").read("XYZ")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"session_id":"ABC","uuid":"1","next_seq_no":1,"next_expected":1,"request_timestamp":1}'],
)
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(StateError, match="holds no session state"):
        StateFile(tmp_path / "a.json").read("ABC")
    assert (tmp_path / "a.json").read_text() == content

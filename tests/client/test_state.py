import json
from pathlib import Path

import pytest

from ontherun.client import StateError
from ontherun.client.state import StateFile
from ontherun.ilink.client_inbound import ClientMemory, Missed

MEMORY = ClientMemory(
    uuid=1_767_225_600_000_000,
    negotiated_uuid=1_767_225_600_000_000,
    next_outbound=12,
    next_inbound=30,
    request_timestamp=1_767_225_600_000_000_001,
    unheard=[1_767_225_550_000_000],
    missed=[Missed(1_767_225_400_000_000, 8, 0), Missed(1_767_225_500_000_000, 3, 9)],
    bad_logins=[1_767_225_600_000_000_000],
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    StateFile(tmp_path / "a.json", "ABC").write(MEMORY)
    assert StateFile(tmp_path / "a.json", "ABC").read() == MEMORY


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "a.json", "ABC").read() is None


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "a.json", "ABC")
    file.write(MEMORY)
    with (tmp_path / "a.json").open() as opened_before:
        file.write(ClientMemory())
        assert str(MEMORY.uuid) in opened_before.read()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_another_sessions_state_is_refused(tmp_path: Path) -> None:
    StateFile(tmp_path / "a.json", "ABC").write(MEMORY)
    with pytest.raises(StateError, match="belongs to session ABC, not XYZ"):
        StateFile(tmp_path / "a.json", "XYZ").read()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"check": 0, "session_id": "ABC", "uuid": "1"}),
        json.dumps(dict.fromkeys(ClientMemory.__slots__, 1) | {"check": 0, "session_id": "ABC", "missed": [{}]}),
        json.dumps(dict.fromkeys(ClientMemory.__slots__, -1) | {"check": 0, "session_id": "ABC", "missed": []}),
    ],
)
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(StateError, match="holds no session state"):
        StateFile(tmp_path / "a.json", "ABC").read()
    assert (tmp_path / "a.json").read_text() == content


def test_a_file_that_was_changed_by_any_bit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    StateFile(path, "ABC").write(MEMORY)
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), 5):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(StateError, match=r"holds no session state|was changed or damaged"):
            StateFile(path, "ABC").read()


def test_a_write_that_was_cut_short_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    StateFile(path, "ABC").write(MEMORY)
    (tmp_path / "a.json.new").write_text('{"session_id": "AB')
    file = StateFile(path, "ABC")
    assert file.read() == MEMORY
    file.write(ClientMemory(uuid=5))
    assert StateFile(path, "ABC").read() == ClientMemory(uuid=5)

import json
from pathlib import Path

import pytest

from ontherun.client import KeyFile, KeyFileError

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
VALUES = {"session_id": "ABC", "firm": "007", "access_key_id": "EXAMPLEKEYID00000001", "secret_key": SECRET}


def file(folder: Path, values: object) -> Path:
    path = folder / "key.json"
    path.write_text(json.dumps(values))
    return path


def test_a_downloaded_json_file_is_read_and_its_secret_decoded(tmp_path: Path) -> None:
    key = KeyFile.load(file(tmp_path, VALUES | {"expires_at": "2027-01-01T00:00:00Z", "environment": "local"}))
    assert (key.session_id, key.firm, key.access_key_id) == ("ABC", "007", "EXAMPLEKEYID00000001")
    assert key.secret == bytes(range(32))
    assert (key.expires_at, key.environment) == ("2027-01-01T00:00:00Z", "local")


def test_the_environment_variables_of_the_env_format_are_read() -> None:
    key = KeyFile.from_environment({f"ONTHERUN_{name.upper()}": value for name, value in VALUES.items()})
    assert key == KeyFile.from_values(VALUES)


def test_one_pair_serves_every_firm_of_the_session() -> None:
    key = KeyFile.from_values(VALUES).with_firm("OTHER")
    assert (key.firm, key.access_key_id) == ("OTHER", VALUES["access_key_id"])


def test_a_key_never_shows_its_secret() -> None:
    key = KeyFile.from_values(VALUES)
    assert SECRET not in repr(key)
    assert repr(key.secret) not in repr(key)


@pytest.mark.parametrize("name", VALUES)
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyFileError, match=f"key.json: {name} is missing"):
        KeyFile.load(file(tmp_path, {key: value for key, value in VALUES.items() if key != name}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("session_id", "ABCD"), ("session_id", "A\nB"), ("firm", "TOOLONG"), ("access_key_id", "short"), ("firm", 7)],
)
def test_a_field_that_cannot_be_sent_is_named(name: str, value: object) -> None:
    with pytest.raises(KeyFileError, match=name):
        KeyFile.from_values(VALUES | {name: value})


@pytest.mark.parametrize("secret", [SECRET + "\n", SECRET[:-1], "*" * 43])
def test_a_wrong_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        KeyFile.from_values(VALUES | {"secret_key": secret})
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        KeyFile.load(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("Session ID: ABC")
    with pytest.raises(KeyFileError, match="not JSON"):
        KeyFile.load(tmp_path / "text.json")
    with pytest.raises(KeyFileError, match="JSON object"):
        KeyFile.load(file(tmp_path, [1]))

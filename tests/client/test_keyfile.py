import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ontherun.client import KeyFile, KeyFileError
from ontherun.keys.files import FILE_FORMATS
from ontherun.keys.files import KeyFile as HandedOut
from ontherun.keys.pair import KeyPair
from ontherun.keys.secret import Secret

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
    for content, said in (
        ("", "no key file"),
        ("hello", "no key file"),
        ("{", "not JSON"),
        ("Session ID: ABC", "firm"),
    ):
        (tmp_path / "text.json").write_text(content)
        with pytest.raises(KeyFileError, match=said):
            KeyFile.load(tmp_path / "text.json")
    (tmp_path / "text.json").write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileError, match="not a text file"):
        KeyFile.load(tmp_path / "text.json")
    with pytest.raises(KeyFileError, match="JSON object"):
        KeyFile.load(file(tmp_path, [1]))


@pytest.mark.parametrize("name", FILE_FORMATS)
def test_every_format_that_the_portal_hands_out_is_read(tmp_path: Path, name: str) -> None:
    pair = KeyPair("ABC", "EXAMPLEKEYID00000001", 1_767_225_600 * 10**9, 1_798_761_600 * 10**9)
    (tmp_path / "key").write_text(FILE_FORMATS[name](HandedOut(pair, Secret(bytes(range(32))), "007", "LOCAL")))
    key = KeyFile.load(tmp_path / "key")
    assert (key.session_id, key.firm, key.secret) == ("ABC", "007", bytes(range(32)))
    assert key.expiry == datetime(2027, 1, 1, tzinfo=UTC)
    assert key.environment == "LOCAL"


WIDTHS = (21, 31, 50, 21, 21, 0)
COLUMNS = "\n".join(
    "".join(value.ljust(width) for value, width in zip(row, WIDTHS, strict=True))
    for row in (
        ("Session ID", "Access ID", "Secret Key", "Creation Date", "Expiration Date", "Environment"),
        ("ABC", "EXAMPLEKEYID00000001", SECRET, "2026-01-23", "2027-01-23", "NEW RELEASE"),
        ("XYZ", "EXAMPLEKEYID00000003", SECRET, "2026-01-23", "2027-01-23", "NEW RELEASE"),
        ("ABC", "EXAMPLEKEYID00000002", SECRET, "2026-06-23", "2027-06-23", "NEW RELEASE"),
        ("",) * 6,
    )
)


def test_the_exchanges_file_of_fixed_columns_is_read_and_the_latest_expiry_comes_first(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text(COLUMNS)
    first, second = KeyFile.load_all(tmp_path / "keys.txt", firm="007", session_id="ABC")
    assert (first.access_key_id, second.access_key_id) == ("EXAMPLEKEYID00000002", "EXAMPLEKEYID00000001")
    assert (first.session_id, first.firm, first.environment) == ("ABC", "007", "NEW RELEASE")
    assert first.expiry == datetime(2027, 6, 24, tzinfo=UTC), "the day is meant to its end"
    assert KeyFile.load(tmp_path / "keys.txt", firm="007", session_id="ABC") == first


def test_what_a_key_file_leaves_open_has_to_be_said(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text(COLUMNS)
    for said, options in (
        ("firm is missing", {"session_id": "ABC"}),
        ("holds the keys of ABC, XYZ: say which", {"firm": "007"}),
        ("no key pair of session QQQ", {"firm": "007", "session_id": "QQQ"}),
    ):
        with pytest.raises(KeyFileError, match=said):
            KeyFile.load(tmp_path / "keys.txt", **options)


def test_an_expiry_that_is_no_time_is_named() -> None:
    with pytest.raises(KeyFileError, match="expires_at 'soon' is no date or time"):
        KeyFile.from_values(VALUES | {"expires_at": "soon"})

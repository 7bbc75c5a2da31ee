"""The forms of a downloaded key pair hold the same values."""

import csv
import json
import shlex
from dataclasses import replace

import pytest

from ontherun.keys import FILE_FORMATS, KeyFile, KeyPair, Secret
from ontherun.keys.clock import SECOND

FILE = KeyFile(
    KeyPair("ABC", "-_8AAAAAAAAAAAAAAAAA", 1_767_225_600 * SECOND + 5, 1_798_761_600 * SECOND),
    Secret(bytes(range(32))),
    "GLBX1",
    "LOCAL",
)
VALUES = {
    "session_id": "ABC",
    "firm": "GLBX1",
    "access_key_id": "-_8AAAAAAAAAAAAAAAAA",
    "secret_key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "created_at": "2026-01-01T00:00:00.000000005Z",
    "expires_at": "2027-01-01T00:00:00Z",
    "environment": "LOCAL",
}


def test_the_json_form_is_one_object() -> None:
    assert json.loads(FILE.as_json()) == VALUES


def test_the_env_form_has_one_assignment_for_each_value() -> None:
    assert dict(line.split("=", 1) for line in FILE.as_env().splitlines()) == {
        f"ONTHERUN_{name.upper()}": value for name, value in VALUES.items()
    }


def test_the_text_form_has_one_labelled_line_for_each_value() -> None:
    lines = FILE.as_text().splitlines()
    assert [line.split(":", 1)[1].strip() for line in lines] == list(VALUES.values())
    assert lines[3] == "Secret Key:     AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_the_csv_form_has_a_line_of_names_and_a_line_of_values() -> None:
    (row,) = csv.DictReader(FILE.as_csv().splitlines())
    assert row == VALUES


@pytest.mark.parametrize("form", list(FILE_FORMATS))
def test_every_form_ends_with_one_newline(form: str) -> None:
    text = FILE_FORMATS[form](FILE)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_a_label_is_in_every_form_of_the_file_and_breaks_none() -> None:
    file = replace(FILE, label='=desk\'s "7", $HOME')
    assert json.loads(file.as_json())["label"] == file.label
    lines = dict(line.partition("=")[::2] for line in shlex.split(file.as_env(), comments=False))
    assert lines["ONTHERUN_LABEL"] == file.label
    (row,) = csv.DictReader(file.as_csv().splitlines())
    assert row["label"] == f"'{file.label}"
    assert row["secret_key"] == VALUES["secret_key"]
    assert f"Label:          {file.label}\n" in file.as_text()

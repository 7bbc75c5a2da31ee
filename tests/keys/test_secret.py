"""A secret does not show itself by accident."""

import pickle
import traceback

import pytest

from ontherun.keys import KeyFile, KeyPair, Secret

SECRET = Secret(bytes(range(32)))
TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_no_way_of_printing_shows_the_secret() -> None:
    file = KeyFile(KeyPair("ABC", "a" * 20, 0, 1), SECRET, "GLBX1", "LOCAL")
    for shown in (
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>60}",
        "{}".format(SECRET),  # noqa: UP032 - the older way of formatting is the point
        repr([SECRET]),
        repr(file),
    ):
        assert "***" in shown
        assert TEXT not in shown
        assert "\\x01" not in shown


def test_a_traceback_with_the_secret_as_an_argument_does_not_show_it() -> None:
    with pytest.raises(KeyError) as caught:
        {}[SECRET]
    assert TEXT not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(SECRET)


def test_secrets_are_equal_by_their_bytes_only() -> None:
    assert Secret(bytes(range(32))) == SECRET
    assert hash(Secret(bytes(range(32)))) == hash(SECRET)
    assert Secret(bytes(32)) != SECRET
    assert SECRET != TEXT

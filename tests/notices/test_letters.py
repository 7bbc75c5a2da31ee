"""What a notice says, for every action that is told."""

import json
from html.parser import HTMLParser
from itertools import chain
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontherun.notices import Sender, as_html, as_text, letter, moment
from ontherun.notices.mail import compose
from ontherun.notices.webhooks import body
from ontherun.notices.wording import WORDS
from ontherun.registry import NOTICE_RULES, Happening, Notice

AT = 1_797_892_200_000_000_000  # 2026-12-21 22:30 UTC
SENDER = Sender("LOCAL", "https://keys.bank.example")


def notice(action: str, *happenings: Happening) -> Notice:
    return Notice(7, AT, NOTICE_RULES[action].topic, action, 1, None, "ann@bank.example", happenings)


def test_every_action_that_is_told_has_words_and_no_other() -> None:
    assert set(WORDS) == set(NOTICE_RULES)


@pytest.mark.parametrize("action", sorted(NOTICE_RULES))
@pytest.mark.parametrize("details", [{}, {"session_id": "A00", "access_key_id": "K" * 20, "expires_at": AT, "days": 7}])
def test_a_letter_is_whole_whatever_facts_there_are(action: str, details: dict[str, object]) -> None:
    for count in (1, 3):
        told = letter(notice(action, *[Happening(action, "session A00", details)] * count), SENDER)
        assert told.subject.startswith("[LOCAL] ")
        assert len(told.subject) > 12
        assert told.happened
        for text in (as_text(told), as_html(told)):
            assert "{" not in text.replace("{ ", "")
            assert "None" not in text


def test_the_words_use_facts_that_can_be_there() -> None:
    known = {"subject", "Subject", "actor", "count", "day", "in_days", "access_key_id", "session_id", "expires_at"}
    known |= {
        "successors",
        "at",
        "ends",
        "reason",
        "summary",
        "effective_at",
        "session_ids",
        "to",
        "role",
        "name",
        "source",
    }
    known |= {"alone", "until", "email", "roles", "kind", "source", "before", "primary", "do"}
    for words in WORDS.values():
        for sentence in chain((words.title, words.many), words.happened, words.next, words.to_do):
            assert {name for _, name, _, _ in Formatter().parse(sentence) if name} <= known


def test_times_are_in_the_three_zones_and_a_day_that_is_another_one_is_named() -> None:
    assert moment(AT) == "Mon 21 Dec 2026 16:30 Central (CST), 17:30 New York (EST), 22:30 UTC"
    assert moment(AT + 7 * 3600 * 10**9).endswith("Tue 22 Dec 00:30 New York (EST), Tue 22 Dec 05:30 UTC")


class Tags(HTMLParser):
    """The tags of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_text_of_a_user_becomes_markup_or_a_header(label: str, actor: str) -> None:
    happening = Happening("session.changed", "session A00", {"label": label + "<script>x</script>", "notes": label})
    told = letter(
        Notice(7, AT, NOTICE_RULES["session.changed"].topic, "session.changed", 1, None, actor, (happening,)), SENDER
    )
    assert "script" not in Tags(as_html(told)).tags
    message = compose(told, "a@b.example", "<1@b.example>", "c@b.example", AT)
    head = message.partition(b"\r\n\r\n")[0]
    assert b"script" not in head
    json.loads(body(notice("session.changed", happening), "LOCAL"))


def test_a_hundred_and_more_happenings_are_listed_and_counted() -> None:
    many = [
        Happening(
            "key_pair.expiring",
            f"session S{number}",
            {"session_id": f"S{number}", "access_key_id": f"K{number}", "expires_at": AT, "days": 7},
        )
        for number in range(150)
    ]
    told = letter(notice("key_pair.expiring", *many), SENDER)
    assert told.subject == "[LOCAL] 150 key pairs expire Mon 21 Dec 2026, in 7 days"
    assert told.happened[-1] == "... and 50 more."
    assert len(told.happened) == 101


@pytest.mark.parametrize(
    ("successors", "asks"), [([], "Generate a new key pair"), (["NEW1"], "log in with NEW1 before")]
)
def test_an_expiry_asks_for_a_new_pair_only_where_there_is_no_successor(successors: list[str], asks: str) -> None:
    details = {"session_id": "A00", "access_key_id": "K", "expires_at": AT, "days": 7, "successors": successors}
    (to_do,) = letter(notice("key_pair.expiring", Happening("key_pair.expiring", "session A00", details)), SENDER).to_do
    assert asks in to_do

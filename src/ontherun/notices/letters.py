"""A notice as a letter: subject, what happened, when, what happens next, what to do, and where to look.

Pure: the same notice gives the same letter, so the outbox shows exactly what was, or would have been, sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Formatter
from typing import Any

from ontherun.notices.times import day, moment
from ontherun.notices.wording import WORDS, Wording
from ontherun.registry import Happening, Notice, Topic

LISTED = 100
"""A letter lists so many happenings of a kind; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: `environment` marks each subject, links begin with `public_url` ("" leaves them out)."""

    environment: str
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person reads. Each of `happened` is one line; `facts` are (name, value)."""

    subject: str
    greeting: str
    happened: tuple[str, ...]
    when: str
    next: tuple[str, ...]
    to_do: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    footer: str

    @property
    def title(self) -> str:
        """The subject without the mark of the environment."""
        return self.subject.partition("] ")[2]


def letter(notice: Notice, sender: Sender, entity_name: str = "") -> Letter:
    """Write the letter for a notice."""
    groups: dict[str, list[Happening]] = {}
    for happening in notice.happenings:
        groups.setdefault(happening.action, []).append(happening)
    titles, happened, following, to_do = [], list[str](), list[str](), list[str]()
    for action, happenings in groups.items():
        words = WORDS[action]
        facts = [_facts(happening, notice) for happening in happenings]
        titles.append(_title(words, facts))
        happened.extend(_filled(words.happened, facts[:LISTED]) or _bare(action, facts[:LISTED]))
        if len(facts) > LISTED:
            happened.append(f"... and {len(facts) - LISTED} more.")
        following.extend(_filled(words.next, facts[:LISTED]))
        to_do.extend(_filled(words.to_do, facts[:LISTED]))
    more = f" (and {len(titles) - 1} more)" if len(titles) > 1 else ""
    return Letter(
        f"[{sender.environment}] {titles[0]}{more}",
        entity_name or "ontherun",
        tuple(happened),
        moment(notice.at),
        tuple(following),
        tuple(to_do),
        _listed_facts(notice),
        tuple(_links(notice, sender)),
        f"ontherun, environment {sender.environment}. Notice {notice.notice_id}, topic {notice.topic}. "
        "No notice of ours ever holds a secret, or asks for one.",
    )


def as_text(letter: Letter) -> str:
    """Write a letter as plain text."""
    parts = [letter.greeting, "", *letter.happened, "", f"When: {letter.when}"]
    for heading, lines in (("What happens next", letter.next), ("What to do", letter.to_do)):
        if lines:
            parts += ["", heading, *(f"- {line}" for line in lines)]
    if letter.facts:
        parts += ["", "Details", *(f"  {name + ':':<20} {value}" for name, value in letter.facts)]
    if letter.links:
        parts += ["", *(f"{name}: {url}" for name, url in letter.links)]
    return "\n".join([*parts, "", "-- ", letter.footer, ""])


def as_html(letter: Letter) -> str:
    """Write a letter as HTML that holds no script, no picture and nothing from elsewhere."""
    parts = [f"<h2>{escape(letter.title)}</h2>", f"<p>{escape(letter.greeting)}</p>"]
    parts += [f"<p>{escape(line)}</p>" for line in letter.happened]
    parts.append(f"<p><b>When:</b> {escape(letter.when)}</p>")
    for heading, lines in (("What happens next", letter.next), ("What to do", letter.to_do)):
        if lines:
            parts += [f"<h3>{heading}</h3>", "<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"]
    if letter.facts:
        rows = (
            f'<tr><th align="left">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in letter.facts
        )
        parts += ["<h3>Details</h3>", '<table cellpadding="4">', *rows, "</table>"]
    parts += [f'<p><a href="{escape(url)}">{escape(name)}</a></p>' for name, url in letter.links]
    parts.append(f"<hr><p><small>{escape(letter.footer)}</small></p>")
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n'


def _title(words: Wording, facts: Sequence[Mapping[str, str]]) -> str:
    plain = words.title.partition("{")[0].strip(" :") or "Notice"
    if len(facts) == 1:
        return next(iter(_filled((words.title,), facts)), plain)
    common = dict(facts[0]) | {"count": str(len(facts))}
    if len({each.get("day") for each in facts}) > 1:
        common |= {"day": "soon", "in_days": f"the first one {facts[0].get('day', '')}"}
    return next(iter(_filled((words.many,), [common])), f"{len(facts)} times: {plain}")


def _bare(action: str, facts: Iterable[Mapping[str, str]]) -> list[str]:
    """Say at least what happened, where an entry has no fact that the sentences speak of."""
    return list(dict.fromkeys(f"{action}: {each['subject']}, by {each['actor']}." for each in facts))


def _filled(sentences: Iterable[str], facts: Iterable[Mapping[str, str]]) -> list[str]:
    """Fill the sentences with each set of facts; what lacks a fact is left out, what is said twice is said once."""
    known = list(facts)
    found = (
        sentence.format_map(each)
        for sentence in sentences
        for each in known
        if all(name in each for _, name, _, _ in Formatter().parse(sentence) if name)
    )
    return list(dict.fromkeys(found))


def _facts(happening: Happening, notice: Notice) -> dict[str, str]:
    """What sentences may speak of, as text. An empty value is no fact."""
    facts = {"subject": happening.subject, "actor": notice.actor}
    facts["Subject"] = happening.subject[:1].upper() + happening.subject[1:]
    for name, value in happening.details.items():
        text = _text(name, value)
        if text:
            facts[name] = text
    if happening.details.get("successors") == []:
        facts["alone"] = "yes"
    if isinstance(at := happening.details.get("expires_at"), int):
        facts["day"] = day(at)
    if isinstance(days := happening.details.get("days"), int):
        facts["in_days"] = "1 day" if days == 1 else f"{days} days"
    return facts


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and (name.endswith("_at") or name in _TIMES):
        return moment(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(key, each)}" for key, each in value.items())
    return "" if value is None else str(value)


_INSIDE = frozenset({"days", "session_id"})
_TIMES = frozenset({"at", "until", "valid_from"})


def _listed_facts(notice: Notice) -> tuple[tuple[str, str], ...]:
    """The details of a single happening, as a table."""
    if len(notice.happenings) != 1:
        return ()
    happening = notice.happenings[0]
    rows = [("Subject", happening.subject), ("By", notice.actor)]
    for name, value in sorted(happening.details.items()):
        text = _text(name, value)
        if text and name not in _INSIDE:
            label = name.replace("_", " ").replace(" id", " ID")
            rows.append((label[:1].upper() + label[1:], text))
    return tuple(rows)


_PAGES = {
    Topic.EXPIRY: (("All expiries", "/keys/calendar"),),
    Topic.KEYS: (("All key pairs", "/keys"),),
    Topic.SESSIONS: (("All sessions", "/sessions"),),
    Topic.REQUESTS: (("All requests", "/requests"),),
    Topic.PEOPLE: (("People and their rights", "/people"),),
    Topic.VENUE: (("The venue", "/venue"),),
    Topic.TEST: (("Notices", "/notices"),),
}


def places(notice: Notice) -> list[tuple[str, str]]:
    """Return the pages of the portal that a notice leads to: name and path."""
    found = []
    subjects = dict.fromkeys(happening.subject for happening in notice.happenings[:LISTED])
    for subject in subjects if len(subjects) <= 5 else ():
        kind, _, name = subject.partition(" ")
        if kind in ("session", "request") and name.isalnum():
            found.append((f"{kind.capitalize()} {name}", f"/{kind}s/{name}"))
    return [*found, *_PAGES[notice.topic]]


def _links(notice: Notice, sender: Sender) -> Iterable[tuple[str, str]]:
    if sender.public_url:
        base = sender.public_url.rstrip("/")
        yield from ((name, base + path) for name, path in places(notice))
        yield "This message", f"{base}/messages/{notice.notice_id}"

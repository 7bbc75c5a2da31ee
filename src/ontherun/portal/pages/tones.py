"""Which colour a state has. The word is always there too: colour alone says nothing."""

from typing import Literal

Tone = Literal["good", "warn", "bad", "busy", "idle"]

_WORDS: dict[Tone, str] = {
    "good": "active, valid, completed, approved, delivered, sent, read, logged in, connected, enabled, open"
    ", established, backup, verified, intact, accepted, ok, primary, current, yes",
    "warn": "expiring, pending approval, pending, due, retrying, locked, port closed, sunset, unread, invited"
    ", not delivered, never used, early close, warning, unconfirmed, no recipient"
    ", no successor, the old key still logs in, older than policy",
    "bad": "expired, failed, rejected, revoked, refused, damaged, unavailable, missing, broken, blocked, given up"
    ", no valid pair, logins fail, terminating, terminated",
    "busy": "submitted, in-progress, in progress, scheduled, queued, running, new, waiting, moving, sending"
    ", not yet valid, logging in, negotiating, negotiated, binding, establishing",
}
_TONES: dict[str, Tone] = {word.strip(): tone for tone, words in _WORDS.items() for word in words.split(",")}


def tone_of(state: object) -> Tone:
    """Return the tone of a state's word; "idle", the quiet one, for deleted, inactive, cancelled and unknown words."""
    return _TONES.get(str(state).strip().lower(), "idle")

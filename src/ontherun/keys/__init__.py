"""Secure key pairs: how a pair is made, how long it lives, what may be done with it, what its file looks like.

Pure: random bytes and the present time come in as arguments; nothing is stored here.
"""

from ontherun.keys.clock import Clock, ManualClock, span_text, utc_text
from ontherun.keys.errors import (
    CutOverError,
    KeyRuleError,
    PairChoiceError,
    PairDeletedError,
    PairLimitError,
    PairStateError,
    TooEarlyError,
)
from ontherun.keys.files import FILE_FORMATS, KeyFile
from ontherun.keys.health import (
    NEVER,
    Concern,
    Finding,
    Health,
    HealthPolicy,
    KeyUse,
    health_of_session,
    score_of_entity,
)
from ontherun.keys.ladder import LADDER, ExpiryNotice, next_notice, notices_due
from ontherun.keys.pair import LIFE, EndReason, KeyPair, KeyPairEvent, KeyPairState, NextChange
from ontherun.keys.policy import KeyPolicy
from ontherun.keys.rules import (
    ACCESS_KEY_ID_RANDOM_BYTES,
    SECRET_KEY_RANDOM_BYTES,
    Generated,
    activate,
    cut_over,
    deactivate,
    delete,
    generate,
    living,
    settle,
)
from ontherun.keys.secret import Secret, base64url

__all__ = [
    # time
    "Clock",
    "ManualClock",
    "utc_text",
    "span_text",
    # a pair and its life
    "KeyPair",
    "KeyPairState",
    "KeyPairEvent",
    "EndReason",
    "NextChange",
    "LIFE",
    "Secret",
    "base64url",
    # what is allowed
    "KeyPolicy",
    "generate",
    "Generated",
    "delete",
    "deactivate",
    "activate",
    "cut_over",
    "living",
    "settle",
    "KeyRuleError",
    "PairLimitError",
    "PairChoiceError",
    "PairDeletedError",
    "PairStateError",
    "CutOverError",
    "TooEarlyError",
    "ACCESS_KEY_ID_RANDOM_BYTES",
    "SECRET_KEY_RANDOM_BYTES",
    # what administrators are told
    "LADDER",
    "ExpiryNotice",
    "notices_due",
    "next_notice",
    # how pairs are used, and how well they are looked after
    "KeyUse",
    "NEVER",
    "Finding",
    "Concern",
    "Health",
    "HealthPolicy",
    "health_of_session",
    "score_of_entity",
    # what a user takes away
    "KeyFile",
    "FILE_FORMATS",
]

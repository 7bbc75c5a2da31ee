"""Secure key pairs: how a pair is made, how long it lives, what may be done with it, what its file looks like.

Pure: random bytes and the present time come in as arguments; nothing is stored here.
"""

from ontherun.keys.clock import Clock, ManualClock, utc_text
from ontherun.keys.files import FILE_FORMATS, KeyFile
from ontherun.keys.pair import LIFE, KeyPair, KeyPairEvent, KeyPairState
from ontherun.keys.rules import (
    ACCESS_KEY_ID_RANDOM_BYTES,
    SECRET_KEY_RANDOM_BYTES,
    KeyPolicy,
    KeyRuleError,
    PairDeletedError,
    PairLimitError,
    delete,
    generate,
)
from ontherun.keys.secret import Secret

__all__ = [
    # time
    "Clock",
    "ManualClock",
    "utc_text",
    # a pair and its life
    "KeyPair",
    "KeyPairState",
    "KeyPairEvent",
    "LIFE",
    "Secret",
    # what is allowed
    "KeyPolicy",
    "generate",
    "delete",
    "KeyRuleError",
    "PairLimitError",
    "PairDeletedError",
    "ACCESS_KEY_ID_RANDOM_BYTES",
    "SECRET_KEY_RANDOM_BYTES",
    # what a user takes away
    "KeyFile",
    "FILE_FORMATS",
]

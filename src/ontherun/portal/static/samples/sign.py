"""Sign an iLink 3 login: python3 sign.py KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM [the five values of Establish]

KEYFILE is a downloaded key file in JSON. Four values sign a Negotiate; nine sign an Establish: TradingSystemName,
TradingSystemVersion, TradingSystemVendor, NextSeqNo and KeepAliveInterval (ms) come after the four.
"""

import base64
import hashlib
import hmac
import json
import sys


def sign(secret_key: str, values: list[str]) -> bytes:
    """The 32 bytes of HMACSignature."""
    secret = base64.urlsafe_b64decode(secret_key + "=" * (-len(secret_key) % 4))  # decode it first
    text = "\n".join(values)  # one line feed between two values, none at the end
    return hmac.new(secret, text.encode("ascii"), hashlib.sha256).digest()


if __name__ == "__main__":
    if len(sys.argv) not in (6, 11):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="ascii") as file:  # noqa: PTH123 - a sample for every Python 3
        key = json.load(file)
    print(sign(key["secret_key"], sys.argv[2:]).hex())  # noqa: T201 - it talks to a person

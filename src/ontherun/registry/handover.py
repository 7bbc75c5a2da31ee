"""A key file that only its receiver can open: the secret key sealed to a public key.

The receiver makes the key pair with openssl, hands over the public half, and the secret never travels in the clear.
The file is a JSON object; everything but the secret is readable. docs/keys.md shows how to open it.

- RSA (3072 to 8192 bits; less has less than 128 bits of strength): RSA-OAEP with SHA-256 and MGF1-SHA-256 over the text
  of the secret key (RFC 8017).
- X25519: an ephemeral key pair; AES-256-GCM with a key of HKDF-SHA-256 (salt: both public keys, ephemeral first; info:
  `ontherun key file 1`), a nonce of twelve zero bytes, since each key seals once, and the Access Key ID as associated
  data (RFC 7748, RFC 5869).
"""

import json
from base64 import b64encode
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ontherun.keys import KeyFile
from ontherun.registry.errors import InvalidError

FORMAT = "ontherun sealed key file 1"
INFO = b"ontherun key file 1"
LONGEST_PUBLIC_KEY = 4096
"""The most characters of a public key in PEM."""

_SMALLEST_RSA, _LARGEST_RSA = 3072, 8192
_EXPECTED = f"an RSA key of {_SMALLEST_RSA} to {_LARGEST_RSA} bits or an X25519 key, in PEM (BEGIN PUBLIC KEY)"

ReceiverKey = RSAPublicKey | X25519PublicKey


def read_public_key(pem: str) -> ReceiverKey:
    """Read the receiver's public key. InvalidError for what is none, or none to seal to."""
    try:
        key = serialization.load_pem_public_key(pem.strip().encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidError("public_key", "is not a public key that can be read.", _EXPECTED) from None
    if isinstance(key, X25519PublicKey):
        return key
    if isinstance(key, RSAPublicKey) and _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
        return key
    raise InvalidError("public_key", "is not a public key that a secret can be sealed to.", _EXPECTED)


def fingerprint(key: ReceiverKey) -> str:
    """Return the SHA-256 of the key (its DER SubjectPublicKeyInfo) in hexadecimal."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sealed_file(key_file: KeyFile, receiver: ReceiverKey) -> str:
    """Return the key file with its secret sealed to `receiver`, as JSON."""
    fields = key_file.fields()
    secret = fields.pop("secret_key").encode("ascii")
    if isinstance(receiver, RSAPublicKey):
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        sealed = {"algorithm": "RSA-OAEP-SHA256", "sealed_secret_key": _text(receiver.encrypt(secret, oaep))}
    else:
        sealed = _sealed_box(secret, receiver, fields["access_key_id"].encode("ascii"))
    content = {"format": FORMAT, **fields, "receiver": fingerprint(receiver), **sealed}
    return json.dumps(content, indent=2) + "\n"


def _sealed_box(secret: bytes, receiver: X25519PublicKey, bound_to: bytes) -> dict[str, str]:
    once = X25519PrivateKey.generate()
    ephemeral = once.public_key().public_bytes_raw()
    salt = ephemeral + receiver.public_bytes_raw()
    key = HKDF(hashes.SHA256(), 32, salt, INFO).derive(once.exchange(receiver))
    return {
        "algorithm": "X25519-HKDF-SHA256-AES256GCM",
        "ephemeral_public_key": _text(ephemeral),
        "sealed_secret_key": _text(AESGCM(key).encrypt(bytes(12), secret, bound_to)),
    }


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")

"""A key file that only its receiver opens, by openssl or with a few lines of Python."""

import asyncio
import json
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ontherun.registry import SYSTEM, InvalidError

from .conftest import Venue

OAEP = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256")


def pem(key: X25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def sealed(venue: Venue, public_key: str) -> tuple[dict[str, str], str]:
    """The sealed file, and the secret that it should hold."""
    pairs = venue.registry.pairs
    access_key_id = (await pairs.generate(SYSTEM, "A00")).pair.access_key_id
    text = await pairs.download_sealed(venue.admin, "A00", access_key_id, public_key)
    secret = (await pairs.download(SYSTEM, "A00", access_key_id, "json")).secret.text
    assert secret not in text
    return json.loads(text), secret


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
async def test_openssl_opens_what_was_sealed_to_an_rsa_key(venue: Venue, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 3072)
    private = tmp_path / "receiver.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    content, secret = await sealed(venue, pem(key.public_key()))
    assert content["algorithm"] == "RSA-OAEP-SHA256"
    opened = await asyncio.to_thread(
        subprocess.run,
        ["openssl", "pkeyutl", "-decrypt", "-inkey", private, *OAEP],
        input=b64decode(content["sealed_secret_key"]),
        capture_output=True,
        check=True,
    )
    assert opened.stdout.decode() == secret


async def test_a_few_lines_of_python_open_what_was_sealed_to_an_x25519_key(venue: Venue) -> None:
    key = X25519PrivateKey.generate()
    content, secret = await sealed(venue, pem(key.public_key()))
    assert content["algorithm"] == "X25519-HKDF-SHA256-AES256GCM"
    ephemeral = b64decode(content["ephemeral_public_key"])
    shared = key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    salt = ephemeral + key.public_key().public_bytes_raw()
    aes = AESGCM(HKDF(hashes.SHA256(), 32, salt, b"ontherun key file 1").derive(shared))
    opened = aes.decrypt(bytes(12), b64decode(content["sealed_secret_key"]), content["access_key_id"].encode())
    assert opened.decode() == secret


async def test_everything_but_the_secret_is_readable_and_the_audit_names_the_receiver(venue: Venue) -> None:
    content, _ = await sealed(venue, pem(X25519PrivateKey.generate().public_key()))
    assert content["format"] == "ontherun sealed key file 1"
    assert (content["session_id"], content["firm"], content["environment"]) == ("A00", "OURS1", "LOCAL")
    assert "secret_key" not in content
    entry = (await venue.registry.audit_entries(SYSTEM, limit=2))[1]
    details = json.loads(entry.details)
    assert (entry.action, details["file_format"]) == ("key_pair.downloaded", "sealed")
    assert details["receiver"] == content["receiver"]


@pytest.mark.parametrize(
    "public_key",
    [
        "",
        "no key",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        pem(ec.generate_private_key(ec.SECP256R1()).public_key()),
        pem(rsa.generate_private_key(65537, 1024).public_key()),
        pem(rsa.generate_private_key(65537, 2048).public_key()),  # 112 bits of strength
    ],
)
async def test_a_key_that_cannot_be_sealed_to_is_refused_and_nothing_is_read(venue: Venue, public_key: str) -> None:
    access_key_id = (await venue.registry.pairs.generate(SYSTEM, "A00")).pair.access_key_id
    before = await venue.registry.verify_audit()
    with pytest.raises(InvalidError, match="public_key"):
        await venue.registry.pairs.download_sealed(venue.admin, "A00", access_key_id, public_key)
    assert await venue.registry.verify_audit() == before

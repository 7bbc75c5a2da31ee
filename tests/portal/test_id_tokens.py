"""What an ID token has to be (OpenID Connect Core 3.1.3.7): from a provider of our own, which may lie."""

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.support.people import make_user

from ontherun.portal import create_app
from ontherun.portal.single_sign_on import FAILED, Provider, SingleSignOn
from ontherun.registry import Role

from .browser import Browser
from .conftest import Portal
from .test_single_sign_on import begin

OURS, OTHERS = RSAKey.generate_key(2048, {"kid": "1"}), RSAKey.generate_key(2048, {"kid": "1"})
CLIENT = "ontherun"


@dataclass
class Liar:
    """An identity provider that says what a test wants it to."""

    url: str = ""
    token: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                **self.metadata,
            },
            "/jwks": {"keys": [OURS.as_dict(private=False)]},
            "/token": {"access_token": "a", "token_type": "Bearer", "id_token": self.token},
        }
        body = json.dumps(answers[path]).encode()
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    found = Liar(metadata={"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]})
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()
    await server.wait_closed()


def parts(algorithm: str, claims: dict[str, Any]) -> str:
    return ".".join(text_of(json.dumps(part).encode()) for part in ({"alg": algorithm, "kid": "1"}, claims))


def text_of(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def signed(claims: dict[str, Any], key: RSAKey = OURS) -> str:
    return jwt.encode({"alg": "RS256", "kid": "1"}, claims, key)


def unsigned(claims: dict[str, Any]) -> str:
    return parts("none", claims) + "."


def with_the_public_key_as_secret(claims: dict[str, Any]) -> str:
    plain = parts("HS256", claims)
    return f"{plain}.{text_of(hmac.digest(OURS.as_pem(private=False), plain.encode(), 'sha256'))}"


async def come_in(portal: Portal, liar: Liar, make: Any = signed, **changes: Any) -> tuple[int, str]:
    """Sign in with a token of Ann whose claims are changed; None takes a claim away."""
    await make_user(portal.registry, "ann@example.com", {1: Role.READ_ONLY})
    sso = SingleSignOn(Provider(liar.url, CLIENT, "secret"), portal.clock.now)
    portal.app = create_app(portal.registry, portal.running, sso)
    browser = Browser(portal)
    asked = parse_qs(urlsplit(await begin(browser)).query)
    now = int(time.time())
    claims = {
        "iss": liar.url,
        "sub": "ann",
        "aud": CLIENT,
        "iat": now,
        "exp": now + 60,
        "nonce": asked["nonce"][0],
        "email": "ann@example.com",
        "email_verified": True,
        **changes,
    }
    liar.token = make({name: value for name, value in claims.items() if value is not None})
    answer = await browser.get(f"/sign-in/sso/callback?code=c&state={asked['state'][0]}")
    assert (browser.session_cookie is not None) == (answer.status_code == 200)
    return answer.status_code, answer.text


async def test_a_token_that_is_as_it_should_be_lets_in(portal: Portal, liar: Liar) -> None:
    status, text = await come_in(portal, liar)
    assert status == 200, text


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another client"},
        {"aud": "another client", "azp": CLIENT},
        {"aud": ["another client"], "azp": CLIENT},
        {"aud": None},
        {"iss": "https://another.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
async def test_a_token_for_somebody_or_something_else_lets_nobody_in(
    portal: Portal, liar: Liar, changes: dict[str, Any]
) -> None:
    status, text = await come_in(portal, liar, **changes)
    assert (status, FAILED in text) == (401, True)


@pytest.mark.parametrize(
    "make", [unsigned, with_the_public_key_as_secret, lambda claims: signed(claims, OTHERS), lambda _: "a.b.c"]
)
async def test_a_token_that_the_providers_key_did_not_sign_lets_nobody_in(
    portal: Portal, liar: Liar, make: Any
) -> None:
    assert (await come_in(portal, liar, make))[0] == 401

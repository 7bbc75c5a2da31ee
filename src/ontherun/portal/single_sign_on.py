"""Single sign-on with OpenID Connect: code flow with PKCE and a nonce, all state kept here and tied to one browser."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ontherun.registry import Identity, NotRecognisedError

if TYPE_CHECKING:
    from fastapi import Request

_LIFE = 600 * 1_000_000_000
_MOST_UNDER_WAY = 1000
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What may sign an ID token: public keys only. A provider may announce `none` and shared secrets besides."""

IMPOSTOR = (
    "What answers at the identity provider's address says that it is another one. Tell the operator of the venue: "
    "--oidc-issuer has to be exactly what the provider calls itself."
)
FAILED = "The identity provider did not confirm who you are, or it took too long. Try again."
UNREACHABLE = "The identity provider cannot be reached now. Try again, or sign in another way."


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider: its address, and what it knows this venue as. The secret is read from a file."""

    issuer: str
    client_id: str
    client_secret: str | None = None
    name: str = "single sign-on"


@dataclass(slots=True)
class _UnderWay:
    session: dict[str, Any]
    target: str
    began_at: int


class SingleSignOn:
    """Sends browsers to the identity provider, and reads what they bring back."""

    def __init__(self, provider: Provider, now: Callable[[], int]) -> None:
        self.provider = provider
        self._now = now
        self._under_way: dict[bytes, _UnderWay] = {}
        self._client: Any = None

    async def begin(self, request: "Request", visitor: str, redirect_uri: str, target: str) -> str:
        """Return where to send a browser; `target` is where it wants to be in the end. NotRecognisedError: nowhere."""
        from authlib.integrations.starlette_client import OAuthError
        from httpx2 import HTTPError

        under_way = _UnderWay({}, target, self._now())
        request.scope["session"] = under_way.session
        try:
            client = self._app()
            metadata = await client.load_server_metadata()
            if metadata.get("issuer") not in (self.provider.issuer, self.provider.issuer.rstrip("/")):
                raise NotRecognisedError(IMPOSTOR)
            announced = metadata.get("id_token_signing_alg_values_supported") or ALGORITHMS[:1]
            metadata["id_token_signing_alg_values_supported"] = [name for name in announced if name in ALGORITHMS]
            answer = await client.authorize_redirect(request, redirect_uri)
        except (OAuthError, HTTPError, ValueError, RuntimeError, LookupError):
            raise NotRecognisedError(UNREACHABLE) from None
        while len(self._under_way) >= _MOST_UNDER_WAY:
            del self._under_way[next(iter(self._under_way))]
        self._under_way[_hash(visitor)] = under_way
        return str(answer.headers["location"])

    async def finish(self, request: "Request", visitor: str) -> tuple[Identity, str]:
        """Return who came back, and where to go on. NotRecognisedError when it is not what this browser began."""
        from authlib.integrations.starlette_client import OAuthError
        from httpx2 import HTTPError
        from joserfc.errors import JoseError

        under_way = self._under_way.pop(_hash(visitor), None)
        if under_way is None or not 0 <= self._now() - under_way.began_at < _LIFE:
            raise NotRecognisedError(FAILED)
        request.scope["session"] = under_way.session
        try:
            client = self._app()
            issuer = (await client.load_server_metadata())["issuer"]
            expected = {
                "iss": issuer,
                "aud": self.provider.client_id,
            }  # the library alone lets `azp` stand in for `aud`
            token = await client.authorize_access_token(
                request,
                claims_options={name: {"essential": True, "value": value} for name, value in expected.items()},
            )
        except (OAuthError, JoseError, HTTPError, ValueError, RuntimeError, LookupError, TypeError):
            raise NotRecognisedError(FAILED) from None
        claims = token.get("userinfo")
        if not claims or not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise NotRecognisedError(FAILED)
        return self._identity(claims), under_way.target

    def _identity(self, claims: dict[str, Any]) -> Identity:
        email, name = claims.get("email"), claims.get("name")
        verified = email.lower() if isinstance(email, str) and claims.get("email_verified") is True else None
        shown = name if isinstance(name, str) and name.strip() else (verified or "somebody")
        return Identity(self.provider.issuer, claims["sub"][:255], verified, " ".join(shown.split())[:100])

    def _app(self) -> Any:
        if self._client is None:
            from authlib.integrations.starlette_client import OAuth

            provider = self.provider
            self._client = OAuth().register(
                "provider",
                client_id=provider.client_id,
                client_secret=provider.client_secret,
                server_metadata_url=provider.issuer.rstrip("/") + "/.well-known/openid-configuration",
                client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "timeout": 10},
            )
        return self._client


def _hash(visitor: str) -> bytes:
    return sha256(visitor.encode("utf-8", "surrogatepass")).digest()

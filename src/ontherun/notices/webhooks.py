"""Webhooks, signed as the Standard Webhooks specification says (standardwebhooks.com): its libraries verify them.

webhook-id          the delivery, the same at each attempt: a receiver that has seen it drops it
webhook-timestamp   seconds since 1970-01-01 UTC
webhook-signature   v1,BASE64(HMAC-SHA-256(secret, id "." timestamp "." body)), after a rotation a second one with the
                    secret before, divided by a space: a receiver takes either

Redirects are not followed, an answer is read up to a bound, and the whole takes a bounded time.
"""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import new as hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import ontherun
from ontherun.keys import Secret, utc_text
from ontherun.notices.networks import Address, Networks, NotReachableError
from ontherun.registry import Delivery, DeliveryEvent, Notice, SendResult, Webhook

if TYPE_CHECKING:
    from httpx2 import AsyncClient

TIMEOUT = 10.0
"""Seconds for one attempt, from looking up the name to the end of the answer."""

LONGEST_ANSWER = 4096
"""Bytes of an answer that are read."""

_SHOWN = 200  # characters of the answer that are kept
_GONE = 410


def secret_text(secret: Secret) -> str:
    """Return a signing secret as its owner gets it: whsec_ and base64."""
    return "whsec_" + b64encode(secret.raw).decode("ascii")


def body(notice: Notice, environment: str) -> bytes:
    """Make the JSON body of a webhook."""
    content = {
        "type": notice.action,
        "timestamp": utc_text(notice.at),
        "notice_id": notice.notice_id,
        "environment": environment,
        "topic": notice.topic.value,
        "entity_id": notice.entity_id,
        "actor": notice.actor,
        "events": [
            {"type": each.action, "subject": each.subject, "details": dict(each.details)} for each in notice.happenings
        ],
    }
    return json.dumps(content, separators=(",", ":")).encode("utf-8")


def signature(secret: Secret, webhook_id: str, timestamp: int, content: bytes) -> str:
    """Sign a body; `timestamp` in seconds."""
    signed = f"{webhook_id}.{timestamp}.".encode("ascii") + content
    return "v1," + b64encode(hmac(secret.raw, signed, sha256).digest()).decode("ascii")


class WebhookSender:
    """Sends to webhooks. `now` gives nanoseconds since 1970-01-01 UTC."""

    def __init__(self, networks: Networks, environment: str, now: Callable[[], int], timeout: float = TIMEOUT) -> None:
        self._networks = networks
        self._environment = environment
        self._now = now
        self._timeout = timeout
        self._tls: ssl.SSLContext | None = None

    async def send(self, hook: Webhook, secrets: Sequence[Secret], notice: Notice, delivery: Delivery) -> SendResult:
        """Send a notice to a webhook, signed with each of its secrets.

        Every way in which that can end is a SendResult; no exception. No answer in time counts as failed and is tried
        again: the receiver knows the id of what it has seen.
        """
        import httpx2

        content = body(notice, self._environment)
        message_id, timestamp = f"notice_{delivery.delivery_id}", self._now() // 1_000_000_000
        digest = sha256(content).hexdigest()
        headers = {
            "content-type": "application/json",
            "user-agent": f"ontherun/{ontherun.__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(each, message_id, timestamp, content) for each in secrets),
        }
        try:
            async with asyncio.timeout(self._timeout):
                status, answer = await self._post(hook.url, headers, content)
        except TimeoutError:
            return SendResult(DeliveryEvent.FAIL, f"No answer within {self._timeout:g} s.", message_id, digest)
        except (httpx2.HTTPError, NotReachableError, OSError) as error:
            return SendResult(DeliveryEvent.FAIL, _words(error), message_id, digest)
        return SendResult(_event_of(status), f"{status} {answer}".strip(), message_id, digest)

    async def _post(self, url: str, headers: dict[str, str], content: bytes) -> tuple[int, str]:
        parts = urlsplit(url)
        assert parts.hostname is not None  # as it was when the webhook was added
        addresses = await self._networks.resolve(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        if parts.scheme != "https" and not all(map(self._networks.named, addresses)):
            raise NotReachableError("http:// is for networks that the operator allows; use https://.")
        async with self._client() as client:
            request = client.build_request(
                "POST",
                urlunsplit(parts._replace(netloc=_netloc(addresses[0], parts.port))),
                headers=headers | {"host": parts.netloc},
                content=content,
                extensions={"sni_hostname": parts.hostname},  # the certificate is the host's, not the address's
            )
            response = await client.send(request, stream=True)
            try:
                answer = b""
                async for chunk in response.aiter_raw(LONGEST_ANSWER):
                    answer += chunk
                    if len(answer) >= LONGEST_ANSWER:
                        break
            finally:
                await response.aclose()
        return response.status_code, _printable(answer)

    def _client(self) -> "AsyncClient":
        import httpx2

        if self._tls is None:
            self._tls = ssl.create_default_context()  # the machine's certificates, or those of SSL_CERT_FILE
        return httpx2.AsyncClient(timeout=self._timeout, follow_redirects=False, trust_env=False, verify=self._tls)


def _netloc(address: Address, port: int | None) -> str:
    host = f"[{address}]" if address.version == 6 else str(address)
    return host if port is None else f"{host}:{port}"


def _event_of(status: int) -> DeliveryEvent:
    if 200 <= status < 300:
        return DeliveryEvent.CONFIRM
    return DeliveryEvent.GIVE_UP if status == _GONE else DeliveryEvent.FAIL


def _printable(answer: bytes) -> str:
    text = "".join(char if char.isprintable() else " " for char in answer.decode("utf-8", "replace"))
    return " ".join(text.split())[:_SHOWN]


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

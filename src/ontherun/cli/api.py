"""How commands reach the running venue: its REST API, found through DIR/up.json or named by options.

Imports stay light here: a command's --help must not wait for a web framework or a database. httpx2 is imported by the
first request.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import quote, urlsplit
from uuid import uuid4

import typer

from ontherun.cli.changing import REASON

if TYPE_CHECKING:
    from httpx2 import Client, Headers, Response

DEFAULT_DATA = Path("~/.ontherun")
UP_FILE = "up.json"
"""Written into the data directory by `ontherun up`: an object with api_url and token_file."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Data = Annotated[
    Path, typer.Option("--data", envvar="ONTHERUN_DATA", metavar="DIR", help="The venue's data directory.")
]
ApiUrl = Annotated[str | None, typer.Option("--api-url", metavar="URL", help="A venue elsewhere; needs --token-file.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="The file that holds the API token.")
]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TIMEOUT = 30.0  # seconds
_WAITS = (0.2, 1.0)  # seconds before the second and the third try


def fail(message: str) -> NoReturn:
    """Print what is wrong to standard error and leave with exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


class Api:
    """The REST API of one venue. Every method leaves the command with a message when the API refuses."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    @classmethod
    def connect(cls, data: Path, api_url: str | None, token_file: Path | None) -> "Api":
        """Find the venue that runs on `data`, or take the one that is named."""
        if api_url is None:
            up_file = data.expanduser() / UP_FILE
            try:
                up = json.loads(up_file.read_text(encoding="utf-8"))
                api_url, token_file = str(up["api_url"]), token_file or Path(up["token_file"])
            except FileNotFoundError:
                fail(
                    f"No venue runs on {data}: there is no {up_file}.\n"
                    "Start one with: ontherun up. Or name one with --data DIR, or with --api-url URL --token-file FILE."
                )
            except (OSError, ValueError, LookupError, TypeError) as error:
                fail(f"{up_file} cannot be used: {error!r}. It is written by: ontherun up")
        if token_file is None:
            fail("--api-url needs --token-file FILE as well.")
        try:
            token = token_file.expanduser().read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            fail(f"The API token cannot be read: {error}")
        return cls(api_url, token)

    def get(self, *path: str, **query: str | int | bool) -> Any:
        """Return the JSON answer to GET."""
        return self._request("GET", path, query).json()

    def text(self, *path: str, **query: str | int | bool) -> str:
        """Return the text answer to GET."""
        return self._request("GET", path, query).text

    def every(self, *path: str, next_is: str = "after", **query: str | int | bool) -> list[dict[str, Any]]:
        """Return all items of a list, page by page; `next_is` is the parameter that `next` goes into."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(*path, **query)
            items.extend(page["items"])
            if page["next"] is None:
                return items
            query[next_is] = page["next"]

    def post(self, *path: str, body: dict[str, Any] | None = None, **query: str | int | bool) -> Any:
        """Return the JSON answer to POST."""
        return self._request("POST", path, query, body).json()

    def patch(self, *path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer to PATCH."""
        return self._request("PATCH", path, {}, body).json()

    def post_file(self, *path: str, body: dict[str, Any]) -> bytes:
        """Return the bytes of the file that answers POST."""
        return bytes(self._request("POST", path, {}, body).content)

    def put(self, *path: str, body: dict[str, Any], **query: str | int | bool) -> Any:
        """Return the JSON answer to PUT."""
        return self._request("PUT", path, query, body).json()

    def delete(self, *path: str, **query: str | int | bool) -> Any:
        """Send DELETE, and return the JSON answer, None where there is none."""
        answer = self._request("DELETE", path, query)
        return answer.json() if answer.content else None

    def send_csv(self, *path: str, content: bytes) -> Any:
        """Return the JSON answer to a CSV file that is posted."""
        return self._request("POST", path, {}, content=content).json()

    def file(self, *path: str, **query: str | int | bool) -> bytes:
        """Return the file that answers GET."""
        return self._request("GET", path, query).content

    def act(self, *path: str) -> None:
        """Send POST where there is nothing to answer."""
        self._request("POST", path, {})

    def save(self, out: Path, *path: str, **query: str | int | bool) -> None:
        """Write the answer to GET into a new file, as it arrives."""
        import httpx2

        try:
            with (
                self._client() as client,
                client.stream("GET", self._at(path), params=query, headers=self._headers()) as answer,
            ):
                if not answer.is_success:
                    answer.read()
                    fail(_refusal(answer))
                with out.open("xb") as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}.")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            fail(f"The venue at {self._url} does not answer to the end ({error}). {out} is not whole.")

    def _request(
        self,
        method: str,
        path: Iterable[str],
        query: dict[str, str | int | bool],
        body: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> "Response":
        """Ask once, or again with the same Idempotency-Key when the answer was lost: there is one effect at most."""
        import httpx2

        headers = self._headers()
        if content is not None:
            headers["Content-Type"] = "text/csv"
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid4())
        waits = iter(_WAITS)
        while True:
            try:
                with self._client() as client:
                    answer = client.request(
                        method, self._at(path), params=query, json=body, content=content, headers=headers
                    )
            except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError) as error:
                if (wait := next(waits, None)) is None:
                    fail(f"The venue at {self._url} breaks the connection ({error}). Is it still running?")
                time.sleep(wait)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                fail(f"The venue at {self._url} does not answer ({error}). Is it still running?")
            else:
                return answer if answer.is_success else fail(_refusal(answer))

    def _client(self) -> "Client":
        import httpx2

        # A proxy for the outside world is no way to the venue on this machine.
        return httpx2.Client(timeout=_TIMEOUT, trust_env=urlsplit(self._url).hostname not in _LOOPBACK)

    def _at(self, path: Iterable[str]) -> str:
        return "/".join([self._url, "api/v1", *(quote(part, safe="") for part in path)])

    def _headers(self) -> "Headers":
        from httpx2 import Headers

        headers = {"Authorization": f"Bearer {self._token}"}
        if reason := REASON.get():
            headers["Audit-Reason"] = reason
        return Headers(headers, encoding="utf-8")


def _refusal(answer: "Response") -> str:
    try:
        problem = answer.json()
        return f"{problem['detail']}"
    except (ValueError, LookupError, TypeError):
        return f"The venue answered {answer.status_code} {answer.reason_phrase}."


def print_json(value: object) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table whose columns are as wide as what they hold; nothing is cut off."""
    lines = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_list(
    found: Sequence[dict[str, Any]],
    heads: Sequence[str],
    row: Callable[[dict[str, Any]], Sequence[object]],
    nothing: str,
    *,
    as_json: bool,
) -> None:
    """Print a list as JSON or as a table, or say what to do where there is nothing."""
    if as_json:
        print_json(found)
    elif found:
        print_table(heads, map(row, found))
    else:
        typer.echo(nothing)


def print_record(record: dict[str, Any], *, as_json: bool) -> None:
    """Print one thing as JSON, or a line for each of its fields."""
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        shown = " ".join(map(str, value)) if isinstance(value, list) else value
        typer.echo(f"{name.replace('_', ' ').capitalize() + ':':<20}{'-' if shown in ('', None) else shown}")


def day(time: str) -> str:
    """Shorten a time for people: 2027-11-22T21:17:13Z -> 2027-11-22 21:17."""
    return f"{time[:10]} {time[11:16]}"

"""How commands reach the running venue: its REST API, found through DIR/up.json or named by options.

Imports stay light here: a command's --help must not wait for a web framework or a database. httpx2 is imported by the
first request.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import quote, urlsplit

import typer

if TYPE_CHECKING:
    from httpx2 import Response

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

    def post(self, *path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the JSON answer to POST."""
        return self._request("POST", path, {}, body).json()

    def patch(self, *path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer to PATCH."""
        return self._request("PATCH", path, {}, body).json()

    def put(self, *path: str, body: dict[str, Any]) -> Any:
        """Return the JSON answer to PUT."""
        return self._request("PUT", path, {}, body).json()

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

    def _request(
        self,
        method: str,
        path: Iterable[str],
        query: dict[str, str | int | bool],
        body: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> "Response":
        import httpx2

        url = "/".join([self._url, "api/v1", *(quote(part, safe="") for part in path)])
        # A proxy for the outside world is no way to the venue on this machine.
        through_proxy = urlsplit(url).hostname not in _LOOPBACK
        headers = {"Authorization": f"Bearer {self._token}"}
        if content is not None:
            headers["Content-Type"] = "text/csv"
        try:
            with httpx2.Client(timeout=_TIMEOUT, trust_env=through_proxy) as client:
                answer = client.request(method, url, params=query, json=body, content=content, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            fail(f"The venue at {self._url} does not answer ({error}). Is it still running?")
        if answer.is_success:
            return answer
        fail(_refusal(answer))


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


def day(time: str) -> str:
    """Shorten a time for people: 2027-11-22T21:17:13Z -> 2027-11-22 21:17."""
    return f"{time[:10]} {time[11:16]}"

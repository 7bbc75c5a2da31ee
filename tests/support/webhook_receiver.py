"""A program that receives webhooks, as a process of its own. It verifies with the very sample of docs/notices.md.

    python -m tests.support.webhook_receiver FOLDER SECRET [STATUS...]

Each request is kept as a JSON file. The given statuses are answered one after the other, then 200.
"""

import json
import re
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class WebhookReceiver:
    """The process. The signing secret is written into FOLDER/secret once it is known."""

    def __init__(self, folder: Path, *statuses: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.webhook_receiver", str(folder), *map(str, statuses)], cwd=ROOT
        )
        while not (folder / "ready").exists():
            assert self.process.poll() is None
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{(folder / 'ready').read_text()}/hook"

    def know(self, secret: str) -> None:
        (self.folder / "secret").write_text(secret)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What came, oldest first: headers, body, and whether the sample says that it is genuine."""
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("*.json"))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()


def sample() -> Any:
    """The function `verify` of docs/notices.md."""
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "notices.md").read_text(), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verify"]


def serve(folder: Path, statuses: list[int]) -> None:
    verify = sample()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            secret = (folder / "secret").read_text()
            kept = {
                "path": self.path,
                "headers": headers,
                "body": json.loads(body),
                "genuine": verify(secret, headers, body, tolerance=float("inf")),
                "altered": verify(secret, headers, body + b" ", tolerance=float("inf")),
                "fresh": verify(secret, headers, body),
            }
            number = len(list(folder.glob("*.json"))) + 1
            draft = folder / f"{number:04d}.draft"
            draft.write_text(json.dumps(kept))
            draft.rename(folder / f"{number:04d}.json")
            status = statuses.pop(0) if statuses else 200
            if status == 0:  # no answer
                time.sleep(60)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            answer = b"thank you" if status < 300 else b"no " * 10_000
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    (folder / "ready.draft").write_text(str(server.server_port))
    (folder / "ready.draft").rename(folder / "ready")
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), [int(status) for status in sys.argv[2:]])

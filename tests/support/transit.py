"""The transit endpoints of Vault and OpenBao over HTTP, in a process of their own: real keys, versions, tokens.

Run: python transit.py TOKEN; prints its port. Written from the public API documentation of the transit secrets engine.
"""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = sys.argv[1]
KEYS: dict[str, list[bytes]] = {"venue": [os.urandom(32)]}


class Transit(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(405, {"errors": ["unsupported operation"]})

    def do_POST(self) -> None:
        self.do_PUT()

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.headers.get("X-Vault-Token") != TOKEN:
            return self.answer(403, {"errors": ["permission denied"]})
        _, _, mount, action, name, *rest = self.path.split("/")
        versions = KEYS.get(name)
        if mount != "transit" or versions is None:
            return self.answer(400, {"errors": ["encryption key not found"]})
        if action == "encrypt":
            nonce = os.urandom(12)
            sealed = nonce + AESGCM(versions[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), None)
            text = f"vault:v{len(versions)}:{base64.b64encode(sealed).decode()}"
            return self.answer(200, {"data": {"ciphertext": text, "key_version": len(versions)}})
        if action == "decrypt":
            _, version, text = body["ciphertext"].split(":")
            sealed = base64.b64decode(text)
            try:
                plain = AESGCM(versions[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], None)
            except (InvalidTag, IndexError):
                return self.answer(400, {"errors": ["cipher: message authentication failed"]})
            return self.answer(200, {"data": {"plaintext": base64.b64encode(plain).decode()}})
        if action == "keys" and rest == ["rotate"]:
            versions.append(os.urandom(32))
            return self.answer(204, None)
        return self.answer(404, {"errors": []})

    def answer(self, status: int, body: object) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Transit)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()

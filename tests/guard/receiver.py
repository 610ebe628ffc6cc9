"""A webhook's receiver: real HTTP, which can be down, slow or wrong."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Listens on a free port; answers with `status`, whatever comes."""

    status: int = 200
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    refuses: bytes = b""
    """Bodies that hold this are refused with 400."""

    def __enter__(self) -> Receiver:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = 400 if outer.refuses and outer.refuses in body else outer.status
                if status < 300:
                    outer.taken.append(Taken({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                for name, value in {**outer.headers, "Content-Length": str(len(outer.answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hush"

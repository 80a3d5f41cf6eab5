# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that lie: each request is answered by a function of the test, which may never come to an end."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import typing as t
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

BLOCK = b" " * 65536


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, "" without it."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def text(self) -> str:
        """The whole request, as a server that is set to debugging shows it. The credential stands first: not all of
        it may be quoted."""
        first = sorted(self.headers, key=lambda header: header[0].lower() != "authorization")
        return (
            "\n".join(f"{name}: {value}" for name, value in first)
            + "\n"
            + self.path
            + "\n"
            + self.body.decode(errors="replace")
        )


@dataclass
class Answer:
    """``body`` in pieces has no announced length unless a header gives one. ``cut``: the connection is reset
    instead."""

    status: int = 200
    body: bytes | Iterable[bytes] = b"{}"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    @classmethod
    def of(cls, document: t.Any, status: int = 200, content_type: str = "application/json", **headers: str) -> Answer:
        """A JSON document."""
        return cls(
            status,
            json.dumps(document).encode(),
            content_type,
            {name.replace("_", "-"): value for name, value in headers.items()},
        )


Script = Callable[[Asked], Answer]


class Liar:
    """A server on loopback between construction and ``close``; ``script`` answers and may be replaced at any time."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.ended = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> t.Any:
                # http.server looks for do_GET, do_POST and so on
                if name.startswith("do_"):
                    return lambda: owner._answer(self)
                raise AttributeError(name)

            def log_message(self, *args: t.Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: t.Any) -> None:
                """A client that goes away is what the tests want."""

            def process_request_thread(self, request: t.Any, client_address: t.Any) -> None:
                if tls is not None:
                    try:
                        request = tls.wrap_socket(request, server_side=True)
                    except OSError:
                        return
                super().process_request_thread(request, client_address)

            def server_bind(self) -> None:
                # the base class asks the DNS for its own name
                TCPServer.server_bind(self)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and end what never ends by itself."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def endless(self, block: bytes = BLOCK, *, pause: float = 0.0) -> Iterator[bytes]:
        """The block again and again, until the client has gone or the test has ended."""
        while not self.ended.wait(pause):
            yield block

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        asked = Asked(handler.command, handler.path, tuple(handler.headers.items()), body)
        self.asked.append(asked)
        answer = self.script(asked)
        if answer.cut:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if isinstance(answer.body, bytes):
            headers.setdefault("Content-Length", str(len(answer.body)))
        else:
            headers["Connection"] = "close"
            handler.close_connection = True
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        with contextlib.suppress(OSError):
            for piece in [answer.body] if isinstance(answer.body, bytes) else answer.body:
                handler.wfile.write(piece)
                handler.wfile.flush()

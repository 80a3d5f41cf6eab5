# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP(S) server that answers from a script and keeps what it was asked: a cluster or a registry that is broken,
slow or hostile."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import typing as t
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

import trustme

# an object of the API that says nothing more
OBJECT = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "it"}}
BLOCK = b" " * 65536


@dataclass
class Reply:
    """One answer. ``body``: bytes are sent as they are, an iterator piece by piece and without a length, anything else
    as JSON. ``action`` is what happens instead: ``reset``, ``hang up``, ``drip``, ``stop early``, or ``raw``: the
    pieces of ``body``, headers and all."""

    status: int = 200
    body: t.Any = field(default_factory=OBJECT.copy)
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    action: str = ""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; the headers in order, repeated ones repeated."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the first value of a header, "" without it."""
        return next(iter(self.values(name)), "")

    @property
    def text(self) -> str:
        """The whole request, as a server that is set to debugging shows it. The credential stands first: not all of
        it may be quoted."""
        first = sorted(self.headers, key=lambda header: header[0].lower() != "authorization")
        lines = [f"{name}: {value}" for name, value in first]
        return "\n".join([*lines, self.path, self.body.decode(errors="replace")])


Script = Callable[[Asked], Reply]


class ScriptedServer:
    """Listens on loopback between construction and ``close``. Each request gets the next of ``replies``, of which the
    last one stays; with a ``script``, which may be replaced at any time, it gets what that returns."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, script: Script | None = None) -> None:
        self.replies: list[Reply] = [Reply()]
        self.script = script
        self.asked: list[Asked] = []
        self.connections = 0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                with owner._lock:
                    owner.connections += 1

            def handle_any(self) -> None:
                owner._handle(self)

            def __getattr__(self, name: str) -> t.Any:
                # http.server looks for do_GET, do_POST and so on
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *args: t.Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: t.Any) -> None:
                """Say nothing: a client that breaks off is part of the tests."""

            def process_request_thread(self, request: t.Any, client_address: t.Any) -> None:
                if tls is not None:
                    # not while accepting, where a client that breaks off would stop the server
                    request.settimeout(10)
                    try:
                        request = tls.wrap_socket(request, server_side=True)
                    except OSError:
                        return
                super().process_request_thread(request, client_address)

            def server_bind(self) -> None:
                # the base class asks the DNS for its own name
                TCPServer.server_bind(self)

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'http' if tls is None else 'https'}://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and end what never ends by itself."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def endless(self, block: bytes = BLOCK, *, pause: float = 0.0) -> Iterator[bytes]:
        """Yield a body that repeats the block until the client has gone or the test has ended."""
        while not self._ended.wait(pause):
            yield block

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        asked = Asked(handler.command, handler.path, list(handler.headers.items()), body)
        with self._lock:
            self.asked.append(asked)
            if self.script is None:
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self._answer(handler, reply if self.script is None else self.script(asked))

    def _answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.action == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        if reply.action == "hang up":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        if reply.action == "raw":
            handler.close_connection = True
            self._send(handler, reply.body, pause=0.05)
            return
        in_pieces = isinstance(reply.body, Iterator)
        body = reply.body if in_pieces or isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": reply.content_type} if reply.content_type else {}
        headers |= reply.headers
        if in_pieces:
            headers["Connection"] = "close"
            handler.close_connection = True
        else:
            headers.setdefault("Content-Length", str(len(body)))
        handler.send_response(reply.status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if in_pieces:
            self._send(handler, body)
        elif reply.action == "drip":
            self._send(handler, (body[position : position + 1] for position in range(len(body))), pause=0.05)
        elif reply.action == "stop early":
            handler.wfile.write(body[:-1])
            handler.close_connection = True
        else:
            handler.wfile.write(body)

    def _send(self, handler: BaseHTTPRequestHandler, pieces: Iterable[bytes], *, pause: float = 0.0) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if pause:
                self._ended.wait(pause)


@dataclass
class Authority:
    """A CA with a server certificate for 127.0.0.1 and ``api.internal``, and files of both."""

    ca: trustme.CA
    ca_path: Path
    ca_pem: str
    client_cert: Path
    client_key: Path

    def server_context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
        return context

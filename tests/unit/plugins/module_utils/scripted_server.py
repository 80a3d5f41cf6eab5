# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small HTTP(S) server that answers from a script and keeps what it was asked, for tests of the way to the
cluster."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import typing as t
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

import trustme

# an object of the API that says nothing more
OBJECT = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "it"}}


@dataclass
class Reply:
    """One scripted answer. ``action`` instead of an answer: ``reset``, ``hang up``, ``drip``, or ``raw``: the pieces
    of ``body``, headers and all."""

    status: int = 200
    body: t.Any = field(default_factory=OBJECT.copy)
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    action: str = ""


@dataclass
class Asked:
    """One request as it arrived; the headers in order, repeated ones repeated."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class ScriptedServer:
    """Answers each request with the next reply; the last one stays."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.replies: list[Reply] = [Reply()]
        self.asked: list[Asked] = []
        self.connections = 0
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
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with owner._lock:
                    owner.asked.append(Asked(self.command, self.path, list(self.headers.items()), body))
                    reply = owner.replies.pop(0) if len(owner.replies) > 1 else owner.replies[0]
                owner._answer(self, reply)

            def __getattr__(self, name: str) -> t.Any:
                # http.server looks for do_GET, do_POST and so on
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *args: t.Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: t.Any) -> None:
                """A client that breaks off is part of the tests."""

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
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

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
            self._drip(handler, reply.body)
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        handler.send_response(reply.status)
        if reply.content_type:
            handler.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if "Content-Length" not in reply.headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if reply.action == "drip":
            self._drip(handler, (body[position : position + 1] for position in range(len(body))))
        elif reply.action == "stop early":
            handler.wfile.write(body[:-1])
            handler.close_connection = True
        else:
            handler.wfile.write(body)

    def _drip(self, handler: BaseHTTPRequestHandler, pieces: t.Iterable[bytes]) -> None:
        pause = threading.Event()
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            pause.wait(0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


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

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to one cluster through ``urllib3``: trust, client certificate, proxy, exact headers, bounded answers, no redirects.

Nothing of the surroundings takes part: no proxy variables, no .netrc, no cookies. ``requests``, which stands on ``urllib3``, would
add what has to be taken away again, and a twentieth of a module's start.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import http.client
import io
import ssl
import time
import typing as t
from typing import NamedTuple

from ansible.module_utils.basic import missing_required_lib

from .._cluster.connection import Connection, Pem
from .._core.errors import ConfigurationError, MissingLibraryError
from .._core.masking import basic_credential

try:
    import urllib3
    from urllib3._collections import HTTPHeaderDict

    HAS_URLLIB3 = True
except ImportError:
    HAS_URLLIB3 = False

USER_AGENT = "ansible-quayside.openshift_images"
CONNECT_TIMEOUT = 10.0
# seconds for the body of an answer, over the time that the answer may take to begin
BODY_TIME = 120.0
CHUNK = 64 * 1024
# bytes: a list of thousands of image streams fits; what is no JSON is only quoted from
JSON_LIMIT = 128 * 1024 * 1024
OTHER_LIMIT = 64 * 1024


class RawAnswer(NamedTuple):
    """One HTTP answer as bytes. ``truncated`` is the limit of its kind where the body was longer, and 0 where it is whole."""

    status: int
    content_type: str
    body: bytes
    truncated: int
    location: str
    retry_after: str
    warnings: tuple[str, ...]


class NoAnswer(Exception):
    """No complete answer came; ``cause`` is the exception that says why."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class AnswerTimeout(Exception):
    """The answer began and did not end within the time allowed for it."""


class AnswerIncomplete(Exception):
    """The connection ended before the announced length."""


class _Answer(http.client.HTTPResponse):
    """An answer whose beginning is bounded too: the limit of a socket is one for each piece that comes, however small."""

    def __init__(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = _Lines(_InTime(sock))


class _InTime(io.RawIOBase):
    """What comes from a socket, until the time for the whole answer is over."""

    def __init__(self, sock: t.Any) -> None:
        super().__init__()
        self._pieces = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + sock.gettimeout() + BODY_TIME

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise AnswerTimeout
        return t.cast("int | None", self._pieces.readinto(buffer))

    def close(self) -> None:
        self._pieces.close()
        super().close()


class _Lines(io.BufferedReader):
    """Lines with an end: older urllib3 reads the lines between the chunks of a body however long they are."""

    def readline(self, size: int | None = -1, /) -> bytes:
        return super().readline(CHUNK if size is None or size < 0 else size)


def in_time(manager: t.Any) -> t.Any:
    """The pool manager of urllib3, with connections whose answers are bounded."""
    manager.pool_classes_by_scheme = {scheme: _with_bounds(pool) for scheme, pool in manager.pool_classes_by_scheme.items()}
    return manager


def _with_bounds(pool: t.Any) -> t.Any:
    connection = type("_Connection", (pool.ConnectionCls,), {"response_class": _Answer})
    return type("_Pool", (pool,), {"ConnectionCls": connection})


class Transport:
    """Sends single requests over kept connections; safe to use from several threads."""

    def __init__(self, connection: Connection, pool_size: int) -> None:
        if not HAS_URLLIB3:
            # which people install for us, and which brings urllib3
            raise MissingLibraryError(missing_required_lib("requests"))
        self._connection = connection
        # loading CAs costs more than a call, so it is done only for what is used
        tls: dict[str, t.Any] = {"ssl_context": tls_context(connection)} if connection.host.startswith("https:") else {}
        if tls and connection.server_name:
            tls["server_hostname"] = connection.server_name
        self._manager = in_time(_manager(connection, {**tls, "maxsize": pool_size, "block": True}))
        if not connection.verify:
            # the user asked for it; one warning for each request says nothing new
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def send(
        self, method: str, path: str, query: t.Mapping[str, str], body: bytes | None, content_type: str, token: str | None, timeout: float
    ) -> RawAnswer:
        """Send one request and read the whole answer, which has ``timeout`` seconds to begin. Raises NoAnswer."""
        try:
            return self._exchange(method, path, query, body, content_type, token, timeout)
        except (urllib3.exceptions.HTTPError, OSError, AnswerTimeout, AnswerIncomplete) as exc:
            raise NoAnswer(exc) from None

    def _exchange(
        self, method: str, path: str, query: t.Mapping[str, str], body: bytes | None, content_type: str, token: str | None, timeout: float
    ) -> RawAnswer:
        url = urllib3.util.parse_url(self._connection.host + path)
        # what forwards instead of opening a tunnel has to be told where to
        forwarded = url.scheme == "http" and self._manager.proxy is not None
        deadline = time.monotonic() + timeout + BODY_TIME
        # the one of urllib3's ways that leaves the headers of every method as they are
        response = self._manager.connection_from_host(url.host, url.port, url.scheme).request_encode_url(
            method,
            url.url if forwarded else url.request_uri,
            fields=dict(query),
            body=body,
            headers=self._headers(token, body, content_type),
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=timeout),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
            limit = JSON_LIMIT if kind == "application/json" else OTHER_LIMIT
            content, truncated = _read(response, limit, deadline)
            return RawAnswer(
                status=response.status,
                content_type=kind,
                body=content,
                truncated=limit if truncated else 0,
                location=response.headers.get("Location", ""),
                retry_after=response.headers.get("Retry-After", ""),
                warnings=tuple(response.headers.getlist("Warning")),
            )
        finally:
            # a connection whose answer was read to its end has been given back before
            response.close()
            response.release_conn()

    def close(self) -> None:
        """Close the kept connections."""
        self._manager.clear()

    def _headers(self, token: str | None, body: bytes | None, content_type: str) -> t.Any:
        # a dict would join repeated headers with commas, which makes one wrong group of two impersonated ones
        headers = HTTPHeaderDict()
        headers.add("User-Agent", USER_AGENT)
        headers.add("Accept", "application/json")
        headers.add("Accept-Encoding", "gzip")
        if token is not None:
            headers.add("Authorization", f"Bearer {token}")
        elif self._connection.username is not None and self._connection.password is not None:
            headers.add("Authorization", f"Basic {basic_credential(self._connection.username, self._connection.password)}")
        for name, value in self._connection.impersonation.headers():
            # names may be any text: their UTF-8 bytes go out, as other clients send them
            headers.add(name, value.encode().decode("latin-1"))
        if body is not None:
            headers.add("Content-Type", content_type)
            headers.add("Content-Length", str(len(body)))
        return headers


def _manager(connection: Connection, pools: dict[str, t.Any]) -> t.Any:
    """The pools of connections, with ``pools`` as their settings. Raises ConfigurationError, MissingLibraryError."""
    if connection.proxy is None:
        return urllib3.PoolManager(**pools)
    from .proxied_transport import proxy_manager

    return proxy_manager(connection, pools)


def _read(response: t.Any, limit: int, deadline: float) -> tuple[bytes, bool]:
    """The body, or the beginning of one that is longer than ``limit`` bytes, and whether it is. Never waits for more than
    what has arrived, so that a server that sends a byte now and then meets the deadline."""
    decode = is_plain_or_gzip(response.headers)
    # urllib3 before 2 has no read1: there the deadline is looked at after each small piece
    piece = (
        (lambda: response.read1(CHUNK, decode_content=decode))
        if hasattr(response, "read1")
        else (lambda: response.read(1024, decode_content=decode))
    )
    content = bytearray()
    while True:
        chunk = piece()
        if not chunk:
            break
        content += chunk
        if len(content) > limit:
            return bytes(memoryview(content)[: min(limit, OTHER_LIMIT)]), True
        if time.monotonic() > deadline:
            raise AnswerTimeout
    announced = response.headers.get("Content-Length", "")
    # as a float, since it may have thousands of digits
    if announced.isdecimal() and response.tell() < float(announced):
        raise AnswerIncomplete
    return bytes(content), False


def is_plain_or_gzip(headers: t.Mapping[str, str]) -> bool:
    """Whether a body may be unpacked: one that was packed several times becomes a thousand times larger with each."""
    return headers.get("Content-Encoding", "").strip().lower() in ("", "identity", "gzip", "x-gzip")


def tls_context(connection: Connection) -> ssl.SSLContext:
    """The TLS settings for the API server: whom to trust, and the client certificate. Raises ConfigurationError."""
    context = trusting(connection)
    if connection.client_cert is not None:
        from .client_certificate import load_client_certificate

        load_client_certificate(context, connection.client_cert, connection.client_key)
    return context


def trusting(connection: Connection) -> ssl.SSLContext:
    """The TLS settings without a client certificate. Raises ConfigurationError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # a trusted certificate that is no self-signed root is an anchor too, as for kubectl and oc
    context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
    if not connection.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if not hasattr(urllib3, "BaseHTTPResponse"):
        # urllib3 before 2: it names no address to the context, and compares names itself where the context does not
        context.check_hostname = False
    if connection.ca is not None:
        _load_ca(context, connection.ca)
    else:
        load_system_ca(context)
    return context


def load_system_ca(context: ssl.SSLContext) -> None:
    """Trust what the system trusts."""
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        # an image without a CA store of its own
        import requests

        context.load_verify_locations(cafile=requests.certs.where())


def _load_ca(context: ssl.SSLContext, ca: Pem) -> None:
    try:
        context.load_verify_locations(cafile=ca.path, cadata=ca.text)
    except ssl.SSLError:
        raise ConfigurationError(f"{ca.named} holds no certificate in PEM form.") from None
    except OSError as exc:
        raise ConfigurationError(f"{ca.named} cannot be read: {exc.strerror}.") from None

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why no answer came: an exception of the transport as a kind, whether the request can have been sent, and a sentence's middle.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import errno
import socket
import ssl
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.quayside.openshift_images.plugins.module_utils._connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._masking import scrub
from ansible_collections.quayside.openshift_images.plugins.module_utils._transport import CONNECT_TIMEOUT, AnswerTimeout

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)
# OpenSSL's X509_V_ERR_*: host name and address mismatch; not yet valid and expired
_HOSTNAME_CODES = (62, 64)
_EXPIRED_CODES = (9, 10)


@dataclass(frozen=True)
class Failure:
    """``sent``: the request may have reached the server. ``passing``: trying again soon can help."""

    text: str
    sent: bool
    passing: bool


def failure_of(exc: BaseException, connection: Connection, timeout: float) -> Failure:
    """Explain an exception that ``Transport.send`` raised. The text completes the sentence "Cannot ...: "."""
    chain = list(_chain(exc))
    names = {type(item).__name__ for item in chain}
    host = connection.host
    if isinstance(exc, AnswerTimeout) or "ReadTimeout" in names or "ReadTimeoutError" in names:
        return Failure(f"the API server {host} did not answer within {timeout:g} seconds", sent=True, passing=True)
    if "ProxyError" in names or "InvalidProxyURL" in names or "ProxySchemeUnknown" in names:
        return Failure(_proxy_text(chain, connection), sent=False, passing=False)
    tls = _first(chain, ssl.SSLError)
    if tls is not None:
        return _tls_failure(tls, connection)
    if _first(chain, ConnectionRefusedError) is not None:
        return Failure(f"{_reached(connection)} refused the connection; check the option host and its port, and that the API server runs", False, True)
    if _first(chain, socket.gaierror) is not None or "NameResolutionError" in names:
        name = urlsplit(connection.proxy or host).hostname
        return Failure(f"the name {name} cannot be resolved; check the option {'proxy' if connection.proxy else 'host'} and the DNS of the machine where the module runs", False, True)
    if "ConnectTimeout" in names or "ConnectTimeoutError" in names:
        return Failure(f"{_reached(connection)} did not accept a connection within {CONNECT_TIMEOUT:g} seconds; check the option host, firewalls and whether a proxy is needed", False, True)
    if "InvalidSchema" in names:
        return Failure("the proxy is a SOCKS proxy, which needs the Python library PySocks where the module runs", False, False)
    unreachable = _first(chain, OSError, lambda item: item.errno in _UNREACHABLE)
    if unreachable is not None:
        return Failure(f"{_reached(connection)} cannot be reached: {unreachable.strerror}; check the network and whether a proxy is needed", False, True)
    detail = scrub(str(chain[-1])) or type(chain[-1]).__name__
    return Failure(f"the connection to the API server {host} broke off before a complete answer came ({detail})", True, True)


def _tls_failure(exc: ssl.SSLError, connection: Connection) -> Failure:
    host, text = connection.host, str(exc)
    if isinstance(exc, ssl.SSLCertVerificationError):
        problem = exc.verify_message
        if exc.verify_code in _HOSTNAME_CODES:
            advice = "use a host name that the certificate names, or a kubeconfig with tls-server-name"
            return Failure(f"the certificate of {host} is for another name ({problem.rstrip('.')}); {advice}", False, False)
        if exc.verify_code in _EXPIRED_CODES:
            return Failure(f"the certificate of {host} is not valid now ({problem}); renew it, or check the clock of the machine where the module runs", False, False)
        trusted = f"the CA of {connection.ca.origin}" if connection.ca is not None else "the CAs of the machine where the module runs"
        return Failure(
            f"the certificate of {host} is not signed by {trusted} ({problem}); set the option ca_cert to the CA file of the cluster", False, False
        )
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text or "RECORD_LAYER_FAILURE" in text:
        return Failure(f"{host} does not speak TLS; check the port of the option host, or write it with http:// if it is meant so", False, False)
    if "ALERT" in text:
        # the server ends the handshake: with TLS 1.3 this is how a client certificate is refused
        certificate = f"the client certificate of {connection.credential_origin}" if connection.client_cert is not None else "a client certificate that was not given"
        return Failure(f"{host} ended the TLS handshake ({exc.reason}); it may want another certificate than {certificate}", False, False)
    return Failure(f"TLS with {host} failed ({exc.reason or text})", False, "EOF" in text)


def _proxy_text(chain: t.Sequence[BaseException], connection: Connection) -> str:
    shown = _without_credentials(connection.proxy or "")
    if _first(chain, ConnectionRefusedError) is not None:
        return f"the proxy {shown} refused the connection; check the option proxy"
    if _first(chain, socket.gaierror) is not None:
        return f"the name of the proxy {shown} cannot be resolved; check the option proxy"
    tunnel = _first(chain, OSError, lambda item: "Tunnel connection failed" in str(item))
    if tunnel is not None:
        said = scrub(str(tunnel)).partition("failed: ")[2]
        advice = "set proxy_headers.proxy_basic_auth" if "407" in said else "check that it allows connections to this host and port"
        return f"the proxy {shown} did not open a tunnel to {connection.host} ({said}); {advice}"
    return f"the proxy {shown} could not be used ({type(chain[-1]).__name__}); check the option proxy"


def _reached(connection: Connection) -> str:
    return f"the proxy {_without_credentials(connection.proxy)}" if connection.proxy else f"the API server {connection.host}"


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


_Found = t.TypeVar("_Found", bound=BaseException)


def _first(chain: t.Sequence[BaseException], kind: type[_Found], accept: t.Callable[[_Found], bool] = lambda item: True) -> _Found | None:
    for item in chain:
        if isinstance(item, kind) and accept(item):
            return item
    return None


def _chain(exc: BaseException) -> t.Iterator[BaseException]:
    """The exception and everything it wraps: HTTP libraries put the cause into ``args``, ``reason`` or ``__cause__``."""
    waiting: list[t.Any] = [exc]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        waiting.extend([getattr(item, "reason", None), getattr(item, "original_error", None), *item.args, item.__cause__, item.__context__])

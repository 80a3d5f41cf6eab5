# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why no answer came: an exception of the transport as a kind, whether the request can have been sent, and words for
it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import errno
import socket
import ssl
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._core.masking import scrub
from .._core.numbers import seconds
from .._core.outward import excerpt
from .._http.answers import AnswerIncomplete, AnswerTimeout
from .._http.session import CONNECT_TIMEOUT, NoAnswer
from .connection import Connection

# OpenSSL's X509_V_ERR_*: host name and address mismatch; not yet valid and expired
_HOSTNAME_CODES = (62, 64)
_VALIDITY_CODES = (9, 10)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)
_PROXY_ERRORS = {"ProxyError", "ProxySchemeUnknown"}
# characters of what a server or proxy said
QUOTED = 300
_TUNNEL_ADVICE = {
    "407": "set proxy_headers.proxy_basic_auth",
    **dict.fromkeys(
        ("502", "503", "504"),
        "it cannot reach the cluster itself: check the host's name and port, and the DNS of the proxy",
    ),
}
_HERE = "the machine where the module runs"


@dataclass(frozen=True)
class Failure:
    """``text`` completes "Cannot ...: ".

    ``sent``: the request may have reached the server; ``passing``: trying again can help; ``slow``: a try costs its
    whole time limit.
    """

    text: str
    sent: bool = False
    passing: bool = False
    slow: bool = False


def failure_of(failed: NoAnswer, connection: Connection, timeout: float) -> Failure:
    """Explain what kept a request from an answer. ``timeout``: the seconds that it was given."""
    chain, names = failed.chain, failed.names
    if isinstance(failed.cause, AnswerTimeout) or "ReadTimeoutError" in names:
        text = f"the API server {connection.host} did not answer completely within {seconds(timeout)}"
        return Failure(text, sent=True, passing=True, slow=True)
    tls = _first(chain, ssl.SSLError)
    # TLS that the host does not have is the proxy's
    about_proxy = tls is not None and connection.host.startswith("http:")
    refused_by_proxy = _proxy_text(chain, connection) if about_proxy or names & _PROXY_ERRORS else None
    if refused_by_proxy is not None:
        return Failure(refused_by_proxy)
    mismatch = next((item for item in chain if type(item).__name__ == "CertificateError"), None)
    if mismatch is not None:
        # urllib3's own comparison, if it does it
        return Failure(_wrong_name_text(connection, str(mismatch)))
    refused = _tls_refusal(tls, connection) if tls is not None else None
    if refused is not None:
        return Failure(refused)
    return _network_failure(chain, names, connection, failed.begun)


def _network_failure(chain: t.Sequence[BaseException], names: set[str], connection: Connection, begun: bool) -> Failure:
    reached = (
        f"the proxy {_without_credentials(connection.proxy)}"
        if connection.proxy
        else f"the API server {connection.host}"
    )
    option = connection.proxy_origin if connection.proxy else connection.cluster_origin
    if _first(chain, ConnectionRefusedError) is not None:
        advice = f"check {option} and its port, and that it runs"
        return Failure(f"{reached} refused the connection; {advice}", passing=True)
    if _first(chain, socket.gaierror) is not None or "NameResolutionError" in names:
        name = urlsplit(connection.proxy or connection.host).hostname
        return Failure(f"the name {name} cannot be resolved; check {option} and the DNS of {_HERE}", passing=True)
    if "ConnectTimeoutError" in names:
        advice = f"check {option}, firewalls, and whether a proxy is needed"
        return Failure(
            f"{reached} did not accept a connection within {seconds(CONNECT_TIMEOUT)}; {advice}",
            passing=True,
            slow=True,
        )
    if "LocationParseError" in names:
        return Failure(f"{connection.host} is not the URL of an API server; check {connection.cluster_origin}")
    unreachable = _first(chain, OSError, lambda item: item.errno in _UNREACHABLE)
    if unreachable is not None:
        return Failure(
            f"{reached} cannot be reached ({unreachable.strerror}); check the network and whether a proxy is needed",
            passing=True,
        )
    if isinstance(chain[0], AnswerIncomplete):
        detail = "the answer is shorter than announced"
    else:
        # a server can be quoted here: the line that should be its status
        detail = scrub(excerpt(str(chain[-1]).strip(), QUOTED)) or type(chain[-1]).__name__
    text = f"the connection to the API server {connection.host} broke off before a complete answer came ({detail})"
    if connection.host.startswith("http:") and not begun:
        text += f"; {connection.cluster_origin} begins with http://, and API servers speak https"
    return Failure(text, sent=True, passing=True)


def _tls_refusal(exc: ssl.SSLError, connection: Connection) -> str | None:
    """Return what ended the handshake, for good.

    Return None for a connection that broke off, since then a request may have gone out.
    """
    host, text = connection.host, str(exc)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _distrust_text(exc, connection)
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text or "RECORD_LAYER_FAILURE" in text:
        return (
            f"{host} does not speak TLS; check the port of {connection.cluster_origin}, or write it with http:// if "
            "that is meant"
        )
    if "ALERT" in text and "INTERNAL_ERROR" not in text:
        # with TLS 1.3 a server refuses a client certificate after the client took the handshake for done
        given = (
            f"the client certificate of {connection.credential_origin}"
            if connection.client_cert is not None
            else "no client certificate"
        )
        return f"{host} ended the TLS handshake ({exc.reason}); it was given {given}, check whether it wants another"
    return None


def _distrust_text(exc: ssl.SSLCertVerificationError, connection: Connection) -> str:
    host, problem = connection.host, str(getattr(exc, "verify_message", exc.args[-1])).rstrip(".")
    # one that urllib3 raised has no code
    if getattr(exc, "verify_code", None) in (None, *_HOSTNAME_CODES):
        return _wrong_name_text(connection, problem)
    if exc.verify_code in _VALIDITY_CODES:
        return f"the certificate of {host} is not valid now ({problem}); renew it, or correct the clock of {_HERE}"
    trusted = connection.ca.origin if connection.ca is not None else f"the CAs of {_HERE}"
    return (
        f"the certificate of {host} is not trusted by {trusted} ({problem}); set the option ca_cert to the file with "
        "the CA of the cluster"
    )


def _wrong_name_text(connection: Connection, problem: str) -> str:
    advice = "use a host name that the certificate names, or a kubeconfig with tls-server-name"
    return f"the certificate of {connection.host} is for another name ({problem}); {advice}"


def _proxy_text(chain: t.Sequence[BaseException], connection: Connection) -> str | None:
    """Return what the proxy refused.

    Return None if the connection through it broke off, since then a request may have gone out.
    """
    shown = _without_credentials(connection.proxy or "")
    if _first(chain, ConnectionRefusedError) is not None:
        return f"the proxy {shown} refused the connection; check {connection.proxy_origin}"
    if _first(chain, socket.gaierror) is not None:
        return (
            f"the name of the proxy {shown} cannot be resolved; check {connection.proxy_origin} and the DNS of {_HERE}"
        )
    distrust = _first(chain, ssl.SSLCertVerificationError)
    if distrust is not None:
        problem = str(getattr(distrust, "verify_message", distrust.args[-1])).rstrip(".")
        return (
            f"the certificate of the proxy {shown} is not trusted ({problem}); add its CA to those of {_HERE}, or to "
            "the file of the option ca_cert"
        )
    if _first(chain, ssl.SSLError, lambda item: "WRONG_VERSION_NUMBER" in str(item)) is not None:
        return f"the proxy {shown} does not speak TLS; write {connection.proxy_origin} with http://"
    # http.client tells it in the text of an OSError that holds nothing else
    tunnel = _first(chain, OSError, lambda item: str(item).startswith("Tunnel connection failed"))
    if tunnel is not None:
        said = scrub(excerpt(str(tunnel), QUOTED)).partition("failed: ")[2]
        advice = _TUNNEL_ADVICE.get(said[:3], "check that it allows connections to this host and port")
        return f"the proxy {shown} did not open a tunnel to {connection.host} ({said}); {advice}"
    return None


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


_Found = t.TypeVar("_Found", bound=BaseException)


def _first(
    chain: t.Sequence[BaseException], kind: type[_Found], accept: t.Callable[[_Found], bool] = lambda item: True
) -> _Found | None:
    return next((item for item in chain if isinstance(item, kind) and accept(item)), None)

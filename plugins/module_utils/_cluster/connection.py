# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is reached, as values: address, credential, trust, proxy, impersonation.

No file or network is touched here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ssl
import typing as t
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from .._core.masking import basic_credential
from .._http.session import USER_AGENT, Session, Settings, require_requests
from .._http.tls import Pem, load_system_ca, tls_context, trusting

# takes every secret that is met on the way
Mask = t.Callable[[t.Iterable[str]], None]
TOKEN_TEXT = r"[\x21-\x7e]+\Z"


class Impersonation(NamedTuple):
    """As whom the API server is to treat the requests; every part is sent as its own ``Impersonate-*`` header."""

    user: str | None = None
    groups: tuple[str, ...] = ()
    uid: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        """Return header names and values in the order of sending; a group or extra value has a header of its own."""
        found: list[tuple[str, str]] = []
        if self.user:
            found.append(("Impersonate-User", self.user))
        found.extend(("Impersonate-Group", group) for group in self.groups)
        if self.uid:
            found.append(("Impersonate-Uid", self.uid))
        found.extend((f"Impersonate-Extra-{key}", value) for key, value in self.extra)
        return found


class Connection(NamedTuple):
    """Everything that a client needs to reach one cluster.

    ``credential_origin`` says in words where the credential came from ("" if there is none), never its value.
    ``renew_token`` gets a fresh bearer token (a token file that is rotated, an exec plugin); the client asks it once
    after a 401. ``by_plugin``: an exec plugin or auth provider of a kubeconfig gave the credential. ``proxy`` is
    None if ``no_proxy`` excludes the host; ``proxy_origin`` and ``cluster_origin`` say in words who named the proxy
    and the host.
    """

    host: str
    token: str | None = None
    username: str | None = None
    password: str | None = None
    client_cert: Pem | None = None
    client_key: Pem | None = None
    ca: Pem | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    proxy_headers: t.Mapping[str, str] = MappingProxyType({})
    proxy_origin: str = "the option proxy"
    cluster_origin: str = "the option host"
    impersonation: Impersonation = Impersonation()
    credential_origin: str = ""
    by_plugin: bool = False
    renew_token: t.Callable[[], str] | None = None

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return f"Connection({self.host!r})"


def split_url(url: str) -> SplitResult | None:
    """Return the parts of a URL; None for what is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def open_session(connection: Connection, pool_size: int) -> Session:
    """Return a session for the cluster, which nothing of the environment changes.

    Raises ConfigurationError, MissingLibraryError.
    """
    require_requests()
    proxy = connection.proxy
    # loading CAs costs more than a call, so it is done only for what is used
    context = None
    if connection.host.startswith("https:"):
        context = tls_context(
            verify=connection.verify,
            ca=connection.ca,
            client_cert=connection.client_cert,
            client_key=connection.client_key,
        )
    session = Session(
        Settings(
            context=context,
            server_name=connection.server_name,
            pool_size=pool_size,
            block=True,
            proxies=lambda _url: {"http": proxy, "https": proxy} if proxy else {},
            proxy_headers=connection.proxy_headers,
            proxy_context=_proxy_context(connection) if proxy and proxy.startswith("https:") else None,
        )
    )
    if proxy:
        session.open_proxy(proxy)
    return session


def request_headers(
    connection: Connection, token: str | None, body: bytes | None, content_type: str
) -> list[tuple[str, str]]:
    """Return the headers of one request."""
    headers = [("User-Agent", USER_AGENT), ("Accept", "application/json"), ("Accept-Encoding", "gzip")]
    if token is not None:
        headers.append(("Authorization", f"Bearer {token}"))
    elif connection.username is not None and connection.password is not None:
        headers.append(("Authorization", f"Basic {basic_credential(connection.username, connection.password)}"))
    # names may be any text: their UTF-8 bytes go out, as other clients send them
    headers += [(name, value.encode().decode("latin-1")) for name, value in connection.impersonation.headers()]
    if body is not None:
        headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return headers


def _proxy_context(connection: Connection) -> ssl.SSLContext:
    """Return the TLS settings for the proxy: the system's CAs and the cluster's."""
    context = trusting(verify=connection.verify, ca=connection.ca)
    if connection.verify and connection.ca is not None:
        load_system_ca(context)
    return context

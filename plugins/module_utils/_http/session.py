# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests over kept connections, for clusters and registries: one adapter of ``requests``, exact headers, no
redirects.

Nothing of the environment takes part unless the caller passes it: no proxy variables, no CA bundles, no .netrc, no
cookies.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ssl
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit

from ansible.module_utils.basic import missing_required_lib

from .._core.errors import MissingLibraryError
from . import answers
from .answers import AnswerIncomplete, AnswerTimeout, RawAnswer, media_type, read_body, with_deadline

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter

    try:
        from urllib3 import HTTPHeaderDict
    except ImportError:
        # urllib3 before 2
        from urllib3.response import HTTPHeaderDict  # type: ignore[attr-defined]
except ImportError:
    HAS_REQUESTS = False
    HTTPAdapter = object  # type: ignore[assignment,misc]
else:
    HAS_REQUESTS = True

USER_AGENT = "ansible-quayside.openshift_images"
CONNECT_TIMEOUT = 10.0
Headers = t.Iterable[tuple[str, str]]


class NoAnswer(Exception):
    """No complete answer came; ``cause`` is the exception that says why, without those of ``requests`` around it.

    ``begun``: the answer's headers had come.
    """

    def __init__(self, cause: BaseException, begun: bool) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause
        self.begun = begun

    @property
    def chain(self) -> list[BaseException]:
        """Return the cause and everything that it wraps."""
        return list(_chain(self.cause))

    @property
    def names(self) -> set[str]:
        """Return the names of these exceptions' types."""
        return {type(item).__name__ for item in self.chain}


def _no_proxies(_url: str) -> dict[str, str]:
    return {}


def environment_proxies(url: str) -> dict[str, str]:
    """Return the proxies that the environment names for a URL."""
    return requests.utils.get_environ_proxies(url)


@dataclass(frozen=True)
class Settings:
    """How a session connects.

    ``context`` holds the TLS settings, None if nothing is reached by TLS. ``proxies`` names the proxies for a URL as
    ``requests`` takes them; ``proxy_headers`` go to the proxy alone, None for the credential in its URL;
    ``proxy_context`` is for a proxy that is itself reached by TLS. ``block``: no more connections to a host than
    ``pool_size``.
    """

    context: ssl.SSLContext | None = None
    server_name: str | None = None
    pool_size: int = 8
    block: bool = False
    proxies: t.Callable[[str], dict[str, str]] = _no_proxies
    proxy_headers: t.Mapping[str, str] | None = None
    proxy_context: ssl.SSLContext | None = field(default=None, repr=False)


class _Adapter(HTTPAdapter):
    """Uses our TLS context alone, for every host and through every proxy: ``requests`` itself would add the system's
    CAs to a private one, or turn verification back on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls: dict[str, t.Any] = {} if settings.context is None else {"ssl_context": settings.context}
        if self._tls and settings.server_name:
            self._tls["server_hostname"] = settings.server_name
        super().__init__(pool_connections=32, pool_maxsize=settings.pool_size, max_retries=0, pool_block=settings.block)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: t.Any) -> None:
        self._pools = {"num_pools": connections, "maxsize": maxsize, "block": block}
        super().init_poolmanager(connections, maxsize, block, **{**kwargs, **self._tls})
        with_deadline(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        if proxy not in self.proxy_manager:
            self.proxy_manager[proxy] = with_deadline(self._through(proxy, {**kwargs, **self._pools, **self._tls}))
        return self.proxy_manager[proxy]

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        address = address_of(request.url)
        return {"scheme": address.scheme, "host": address.host, "port": address.port}, {}

    def cert_verify(self, conn: t.Any, url: t.Any, verify: t.Any, cert: t.Any) -> None:
        """Leave certificates to the context."""

    def _through(self, proxy: str, pools: dict[str, t.Any]) -> t.Any:
        """Return the pools of connections through a proxy. Raises MissingLibraryError."""
        if proxy.startswith("socks"):
            return _through_socks(proxy, pools)
        headers = (
            self.proxy_headers(proxy) if self._settings.proxy_headers is None else dict(self._settings.proxy_headers)
        )
        context = self._settings.proxy_context
        if context is not None:
            # the second one is for a host without TLS, for which urllib3 before 2 takes the proxy for the server
            pools = {"proxy_ssl_context": context, "ssl_context": context, **pools}
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **pools)


def _through_socks(proxy: str, pools: dict[str, t.Any]) -> t.Any:
    try:
        from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415 - a library of its own, which few have or need
    except ImportError:
        raise MissingLibraryError(missing_required_lib("PySocks", reason="for a SOCKS proxy")) from None
    parts = urlsplit(proxy)
    username, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return SOCKSProxyManager(proxy, username=username, password=password, **pools)


class Session:
    """Sends single requests over kept connections; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        """Prepare a session, which connects with its first request. Raises MissingLibraryError."""
        require_requests()
        self._settings = settings
        self._adapter = _Adapter(settings)
        if settings.context is not None and settings.context.verify_mode == ssl.CERT_NONE:
            # the user asked for it; one warning for each request says nothing new
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def open_proxy(self, proxy: str) -> None:
        """Prepare the way through a proxy, so that what it lacks is found before the first request.

        Raises MissingLibraryError.
        """
        self._adapter.proxy_manager_for(proxy)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Headers,
        body: bytes | None = None,
        connect: float | None = None,
        begin: float,
        finish: float | None = None,
        limit: t.Callable[[int, str], int],
    ) -> RawAnswer:
        """Send one request and read the whole answer. Redirects are not followed. Raises NoAnswer.

        ``connect``, ``begin`` and ``finish`` are the seconds for the connection, for the answer to begin, and for
        its body; ``limit`` gives the bytes of it that are read for a status and a media type.
        """
        begun = False
        try:
            request = requests.PreparedRequest()
            request.method, request.url, request.body = method, str(plain_address(url)), body
            request.headers = _header_dict(headers)
            deadline = time.monotonic() + begin + (answers.BODY_TIME if finish is None else finish)
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(CONNECT_TIMEOUT if connect is None else connect, begin),
                proxies=self._settings.proxies(request.url),
            )
            begun = True
            # a connection whose answer was read to its end has been given back before
            with response:
                allowed = limit(response.status_code, media_type(response.headers))
                content, truncated = read_body(response.raw, allowed, deadline)
                return RawAnswer(
                    response.status_code,
                    response.headers,
                    content,
                    allowed if truncated else 0,
                    request.url,
                    tuple(response.raw.headers.getlist("Warning")),
                )
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
            AnswerTimeout,
            AnswerIncomplete,
        ) as exc:
            raise NoAnswer(_without_wrappers(exc), begun) from None

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()


def require_requests() -> None:
    """Raise MissingLibraryError if requests is not installed."""
    if not HAS_REQUESTS:
        raise MissingLibraryError(missing_required_lib("requests"))


def address_of(url: str) -> t.Any:
    """Return the parts of a URL (scheme, auth, host, port, path, query) as the connection takes them.

    There is no second opinion about where a request goes. Raises ValueError for what is no address.
    """
    address = urllib3.util.parse_url(url)
    if not address.scheme or (address.scheme in ("http", "https") and not address.host):
        raise ValueError("no address")
    return address


def plain_address(url: str) -> t.Any:
    """Return the same without a credential and without a fragment, which no request carries."""
    return address_of(url)._replace(auth=None, fragment=None)


def joined_address(base: str, target: str) -> t.Any:
    """Return the parts of what ``target``, seen from ``base``, names. Raises ValueError for what is no address."""
    return plain_address(urljoin(base, target))


def server_of(address: t.Any) -> tuple[str, str, int]:
    """Return what has to be the same for a credential to be sent on: scheme, host and port."""
    return address.scheme, address.host or "", address.port or (443 if address.scheme == "https" else 80)


def _header_dict(headers: Headers) -> t.Any:
    # a dict would join repeated headers with commas, which makes one wrong group of two impersonated ones
    found = HTTPHeaderDict()
    for name, value in headers:
        found.add(name, value)
    return found


def _without_wrappers(exc: BaseException) -> BaseException:
    """Return what the exceptions of ``requests``, and those that count retries, are about."""
    while isinstance(exc, (requests.RequestException, urllib3.exceptions.MaxRetryError)):
        inner = getattr(exc, "reason", None) or (exc.args[0] if exc.args else None)
        if not isinstance(inner, BaseException):
            break
        exc = inner
    return exc


def _chain(exc: BaseException) -> t.Iterator[BaseException]:
    """Yield the exception and everything it wraps.

    HTTP libraries put the cause into ``args``, ``reason`` or ``__cause__``.
    """
    waiting: list[t.Any] = [exc]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        # a TypeError is urllib3's own: before version 2 it tries an argument that Python 3 does not know
        if not isinstance(item, TypeError):
            yield item
        waiting.extend(
            [
                getattr(item, "reason", None),
                getattr(item, "original_error", None),
                *item.args,
                item.__cause__,
                item.__context__,
            ]
        )

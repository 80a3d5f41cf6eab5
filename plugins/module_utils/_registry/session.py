# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to registries, from where the module runs: trust, bounded answers, bounded redirects, and one sentence for each failure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

No cookies and no .netrc take part; a proxy of the environment does, since it is how the host gets out. A redirect never
carries a credential to another host.
"""

from __future__ import annotations

import json
import os
import random
import ssl
import threading
import time
import typing as t
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

from .._cluster.connection import Connection
from .._core.errors import ConfigurationError, RegistryError
from .._core.masking import SECRETS_MET, derived_forms, scrub, url_passwords
from .._core.outward import excerpt
from .._http.retry_after import seconds_to_wait
from .._http.session import AnswerTimeout, in_time, is_plain_or_gzip, tls_context

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
except ImportError:
    HAS_REQUESTS = False
    HTTPAdapter = object  # type: ignore[assignment,misc]
else:
    HAS_REQUESTS = True

USER_AGENT = "ansible-quayside.openshift_images"
# bytes: errors and tokens; what is longer is no such answer
SHORT_LIMIT = 64 * 1024
_CHUNK = 64 * 1024
# Where images of docker.io are really served.
DOCKER_HUB_API = "registry-1.docker.io"
_MAX_REDIRECTS = 5
_MAX_WORDS = 200
_MAX_URL = 2000
_BUSY = (429, 500, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)
# What the TLS library says of a host that answers in plain HTTP.
_NO_TLS = ("WRONG_VERSION_NUMBER", "wrong version number", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "record layer failure", "RECORD_LAYER_FAILURE")


class Patience(NamedTuple):
    """How long to wait, in seconds: for a connection, for an answer to begin, for its whole body, and between ``tries``.

    ``longest_pause`` is the longest Retry-After that is waited for.
    """

    connect: float = 10.0
    answer: float = 30.0
    body: float = 120.0
    tries: int = 3
    pause: float = 0.5
    longest_pause: float = 10.0


class RegistryAnswer(NamedTuple):
    """One answer. ``url`` is where it came from, after redirects; ``truncated`` says that the body was longer than allowed."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes
    url: str
    truncated: bool = False

    @property
    def retry_after(self) -> int | None:
        """Seconds that the server asks to wait, where it names a number or a date."""
        seconds = seconds_to_wait(self.headers.get("Retry-After", ""))
        return None if seconds is None else round(seconds)

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def json_object(self) -> dict[str, t.Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def errors(self) -> list[dict[str, t.Any]]:
        """The registry's own errors, each with ``code`` and ``message``, as far as it gave any."""
        errors = self.json_object().get("errors")
        return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []

    def server_words(self) -> str:
        """The server's own short reason without what is a credential by its shape, "" where it gave none."""
        document = self.json_object()
        first = next(iter(self.errors()), {})
        for words in (document.get("details"), document.get("error_description"), document.get("message"), first.get("message"), document.get("error")):
            if isinstance(words, str) and words.strip():
                return scrub(excerpt(" ".join(words.split()), 10 * _MAX_WORDS))[:_MAX_WORDS]
        return ""


class _RegistryAdapter(HTTPAdapter):
    """Uses our TLS context alone, for every host and through every proxy."""

    def __init__(self, context: ssl.SSLContext, pool_size: int) -> None:
        self._context = context
        super().__init__(pool_connections=32, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: t.Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **kwargs)
        in_time(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        return in_time(super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs))

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        parts = urlsplit(request.url)
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, {}

    def cert_verify(self, conn: t.Any, url: t.Any, verify: t.Any, cert: t.Any) -> None:
        """The context decides about certificates."""


class RegistryNetwork:
    """Kept connections to all registries of a run; safe to use from several threads. ``close`` gives them back."""

    def __init__(self, pool_size: int = 8) -> None:
        self._pool_size = pool_size
        # no option holds these, and a proxy may show what it was sent
        for password in url_passwords(list(getproxies().values())):
            SECRETS_MET.update(derived_forms(password))
        self._adapters: dict[tuple[bool, str], t.Any] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> RegistryNetwork:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def adapter(self, insecure: bool, ca_cert: str | None) -> t.Any:
        """The adapter for one way to check certificates. Raises ConfigurationError for a CA file that cannot be used."""
        ca_file = "" if insecure else ca_cert or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
        with self._lock:
            if (insecure, ca_file) not in self._adapters:
                self._adapters[insecure, ca_file] = _RegistryAdapter(_trust(insecure, ca_file), self._pool_size)
            return self._adapters[insecure, ca_file]

    def close(self) -> None:
        """Close the kept connections."""
        for adapter in self._adapters.values():
            adapter.close()


class RegistryHttp:
    """Requests to one registry, and to the token servers and stores that it names.

    ``name`` is the registry in sentences. ``insecure`` accepts any certificate, and plain HTTP where a host does not speak
    TLS, as an import with ``insecure`` does; ``ca_cert`` is the path of CA certificates to trust besides the system's.
    """

    def __init__(
        self,
        network: RegistryNetwork,
        name: str,
        *,
        insecure: bool = False,
        ca_cert: str | None = None,
        patience: Patience | None = None,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.insecure = insecure
        self._adapter = network.adapter(insecure, ca_cert)
        self._patience = patience or Patience()
        self._sleep = sleep
        # origins that turned out to speak plain HTTP
        self._plain: set[str] = set()
        if insecure:
            # The task says that certificates are not checked; there is nobody whom a line on stderr would tell more.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def get(self, url: str, *, headers: t.Mapping[str, str] | None = None, limit: int = SHORT_LIMIT) -> RegistryAnswer:
        """GET, following a few redirects. A credential stays with the host that it is for."""
        sent = dict(headers or {})
        for _turn in range(_MAX_REDIRECTS + 1):
            answer = self.send("GET", url, headers=sent, limit=limit)
            target = answer.headers.get("Location", "") if answer.status in _MOVED else ""
            if not target:
                return answer
            try:
                url = urljoin(answer.url, target)
                stays = _server(url) == _server(answer.url)
            except ValueError:
                raise self.error("redirects to something that is no address") from None
            self._check_redirect(answer.url, url)
            if not stays:
                sent.pop("Authorization", None)
        raise self.error(f"redirects more than {_MAX_REDIRECTS} times")

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: t.Mapping[str, str] | None = None,
        params: t.Mapping[str, str] | None = None,
        data: t.Mapping[str, str] | None = None,
        limit: int = SHORT_LIMIT,
    ) -> RegistryAnswer:
        """One request, tried again where the registry is busy or the connection broke; redirects are not followed.

        Raises ``RegistryError`` where no whole answer came.
        """
        turn = 1
        while True:
            pause = self._patience.pause * turn * random.uniform(0.5, 1.0)
            if origin(url) in self._plain:
                url = f"http{url[len('https'):]}"
            try:
                answer = self._exchange(method, url, dict(headers or {}), params, data, limit)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AnswerTimeout) as exc:
                if self._speaks_plain_http(exc, url):
                    self._plain.add(origin(url))
                    continue
                self._raise_for_lasting(exc, url)
                if turn >= self._patience.tries:
                    raise self._unreachable(exc, url) from None
            else:
                asked = answer.retry_after or 0
                pause = max(pause, asked + random.uniform(0, min(1.0, 0.25 * asked)))
                if answer.status not in _BUSY or turn >= self._patience.tries or asked > self._patience.longest_pause:
                    return answer
            self._sleep(pause)
            turn += 1

    def error(self, text: str, status: int | None = None) -> RegistryError:
        """The error of a sentence that begins with the registry."""
        return RegistryError(f'The registry "{self.name}" {text}', registry=self.name, status=status)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        params: t.Mapping[str, str] | None,
        data: t.Mapping[str, str] | None,
        limit: int,
    ) -> RegistryAnswer:
        # no session: it would read the whole body of a redirect, however long
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        prepared = requests.Request(method, url, headers=headers, params=params, data=data).prepare()
        deadline = time.monotonic() + self._patience.answer + self._patience.body
        response = self._adapter.send(
            prepared,
            stream=True,
            timeout=(self._patience.connect, self._patience.answer),
            proxies=requests.utils.get_environ_proxies(url),
        )
        with response:
            allowed = limit if response.status_code < 300 else SHORT_LIMIT
            body, truncated = _read(response, allowed, deadline)
            return RegistryAnswer(response.status_code, response.headers, body, url, truncated)

    def _check_redirect(self, source: str, target: str) -> None:
        scheme, where = urlsplit(target).scheme, shown_origin(target)
        if scheme != "https" and not (scheme == "http" and (self.insecure or source.startswith("http://"))):
            raise self.error(f'redirects to "{where}", which is not reached over HTTPS; that is not followed unless insecure: true is set for it')

    def _speaks_plain_http(self, exc: Exception, url: str) -> bool:
        """Whether plain HTTP is allowed, and all that is left to try."""
        is_tls = isinstance(exc, requests.exceptions.SSLError) and any(sign in str(exc) for sign in _NO_TLS)
        return is_tls and self.insecure and url.startswith("https://")

    def _raise_for_lasting(self, exc: Exception, url: str) -> None:
        """Raise what trying again would not change."""
        if isinstance(exc, (requests.Timeout, AnswerTimeout, urllib3.exceptions.ReadTimeoutError)):
            raise self._unreachable(exc, url) from None
        if isinstance(exc, requests.exceptions.InvalidURL) or (isinstance(exc, ValueError) and not isinstance(exc, OSError)):
            raise self.error(f'names "{shown_origin(url)}", which is no address') from None
        if not isinstance(exc, requests.exceptions.SSLError):
            return
        text = str(exc)
        if any(sign in text for sign in _NO_TLS):
            raise self.error(
                f"answers at {shown_origin(url)} without TLS; if it is meant to be plain HTTP, set insecure: true for it, otherwise check host and port"
            ) from None
        if "certificate" in text.lower():
            raise self.error(
                f"has a certificate at {shown_origin(url)} that is not trusted ({self._cause(exc)}); give the CA that signed it as ca_cert of the registry, "
                "or set insecure: true for it"
            ) from None
        raise self.error(f"could not be reached at {shown_origin(url)} ({self._cause(exc)})") from None

    def _unreachable(self, exc: BaseException, url: str) -> RegistryError:
        return self.error(f"could not be reached at {shown_origin(url)} ({self._cause(exc)}); check host, port and network")

    def _cause(self, exc: BaseException) -> str:
        """Return the innermost reason of a failed connection, without the URL that the outer ones repeat."""
        if isinstance(exc, requests.exceptions.ConnectTimeout):
            return f"no connection within {self._patience.connect:g} seconds"
        if isinstance(exc, requests.exceptions.Timeout):
            return f"no answer within {self._patience.answer:g} seconds"
        if isinstance(exc, (AnswerTimeout, urllib3.exceptions.ReadTimeoutError)):
            return "its answer began and did not end in time"
        if isinstance(exc, requests.exceptions.ProxyError):
            return "the proxy did not let it through"
        innermost = exc
        while True:
            inner = getattr(innermost, "reason", None) or innermost.__cause__ or innermost.__context__ or (innermost.args[0] if innermost.args else None)
            # a TypeError is urllib3's own: before version 2 it tries an argument that Python 3 does not know
            if not isinstance(inner, BaseException) or inner is innermost or isinstance(inner, TypeError):
                break
            innermost = inner
        if isinstance(innermost, ssl.SSLCertVerificationError):
            return innermost.verify_message
        strerror = innermost.strerror if isinstance(innermost, OSError) else None
        return excerpt(str(strerror or innermost).split("(Caused by", 1)[0].strip(), _MAX_WORDS)


def origin(url: str) -> str:
    """Scheme, host and port of a URL, without the user name and password that it may hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2][:100]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def shown_origin(url: str) -> str:
    """The same for a sentence: a server may have put what it was sent into an address, of which a slash would leave a part."""
    return origin(excerpt(url, _MAX_URL))


def _server(url: str) -> tuple[str, str, int]:
    """What has to be the same for a credential to be sent on."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)


def _read(response: t.Any, limit: int, deadline: float) -> tuple[bytes, bool]:
    """The body up to ``limit`` bytes, and whether there was more. A server that sends a byte now and then meets the deadline."""
    raw, decode = response.raw, is_plain_or_gzip(response.headers)
    # urllib3 before 2 has no read1, and waits until a piece is full: it is kept small for the deadline's sake
    piece = (lambda: raw.read1(_CHUNK, decode_content=decode)) if hasattr(raw, "read1") else (lambda: raw.read(64, decode_content=decode))
    content = bytearray()
    while True:
        chunk = piece()
        if not chunk:
            announced = response.headers.get("Content-Length", "")
            # as a float, since it may have thousands of digits
            if announced.isdecimal() and raw.tell() < float(announced):
                raise OSError("the connection ended in the middle of the answer")
            return bytes(content), False
        content += chunk
        if len(content) > limit:
            return bytes(content[:limit]), True
        if time.monotonic() > deadline:
            raise AnswerTimeout


def _trust(insecure: bool, ca_file: str) -> ssl.SSLContext:
    """The TLS settings for registries: the system's CAs and those of ``ca_file``, or none where nothing is checked."""
    context = tls_context(Connection("https://", verify=not insecure))
    if not ca_file:
        return context
    try:
        context.load_verify_locations(**{"capath" if os.path.isdir(ca_file) else "cafile": ca_file})
    except ssl.SSLError:
        raise ConfigurationError(f"ca_cert: {ca_file} holds no certificate in PEM form.") from None
    except OSError as exc:
        raise ConfigurationError(f"ca_cert: {ca_file} cannot be read where the module runs: {exc.strerror}.") from None
    return context

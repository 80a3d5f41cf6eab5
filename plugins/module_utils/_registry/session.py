# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to registries, from where the module runs: trust, bounded answers, bounded redirects, and one sentence for
each failure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

No cookies and no .netrc take part; a proxy of the environment does, since it is how the host gets out. A redirect
never carries a credential to another host.
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
from urllib.parse import urlencode
from urllib.request import getproxies

from .._core.errors import ConfigurationError, RegistryError
from .._core.masking import SECRETS_MET, derived_forms, scrub, url_passwords
from .._core.numbers import seconds
from .._core.outward import excerpt
from .._http.answers import AnswerTimeout, media_type, seconds_to_wait
from .._http.session import (
    USER_AGENT,
    NoAnswer,
    Session,
    Settings,
    address_of,
    environment_proxies,
    joined_address,
    plain_address,
    require_requests,
    server_of,
)
from .._http.tls import tls_context

# bytes: errors and tokens; what is longer is no such answer
SHORT_LIMIT = 64 * 1024
# Where images of docker.io are really served.
DOCKER_HUB_API = "registry-1.docker.io"
_MAX_REDIRECTS = 5
_MAX_WORDS = 200
_MAX_URL = 2000
_BUSY = (429, 500, 502, 503, 504)
_MOVED = (301, 302, 303, 307, 308)
# What the TLS library says of a host that answers in plain HTTP.
_NO_TLS = (
    "WRONG_VERSION_NUMBER",
    "wrong version number",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "record layer failure",
    "RECORD_LAYER_FAILURE",
)


class Patience(NamedTuple):
    """How long to wait, in seconds: for a connection, for an answer to begin, for its whole body, and between
    ``tries``.

    ``longest_pause`` is the longest Retry-After that is waited for.
    """

    connect: float = 10.0
    answer: float = 30.0
    body: float = 120.0
    tries: int = 3
    pause: float = 0.5
    longest_pause: float = 10.0


class RegistryAnswer(NamedTuple):
    """One answer. ``url`` is where it came from, after redirects.

    ``truncated`` says that the body was longer than allowed.
    """

    status: int
    headers: t.Mapping[str, str]
    body: bytes
    url: str
    truncated: bool = False

    @property
    def retry_after(self) -> int | None:
        """Return the seconds that the server asks to wait; None if it names no time."""
        seconds = seconds_to_wait(self.headers.get("Retry-After", ""))
        return None if seconds is None else round(seconds)

    @property
    def content_type(self) -> str:
        """Return the media type without its parameters."""
        return media_type(self.headers)

    def json_object(self) -> dict[str, t.Any]:
        """Return the body as a JSON object; empty if it is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def errors(self) -> list[dict[str, t.Any]]:
        """Return the registry's own errors, each with ``code`` and ``message``, as far as it gave any."""
        errors = self.json_object().get("errors")
        return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []

    def server_words(self) -> str:
        """Return the server's own short reason without what is a credential by its shape, "" if it gave none."""
        document = self.json_object()
        first = next(iter(self.errors()), {})
        for words in (
            document.get("details"),
            document.get("error_description"),
            document.get("message"),
            first.get("message"),
            document.get("error"),
        ):
            if isinstance(words, str) and words.strip():
                return _shown_words(words)
        # Some refuse in plain text, as ECR does.
        text = self.body[: 10 * _MAX_WORDS].decode("utf-8", "replace") if self.content_type == "text/plain" else ""
        return _shown_words(text)

    @property
    def said(self) -> str:
        """Return the status with the server's own words, for a sentence."""
        words = self.server_words()
        return f'HTTP {self.status}: "{words}"' if words else f"HTTP {self.status}"


def _shown_words(words: str) -> str:
    return scrub(excerpt(" ".join(words.split()), 10 * _MAX_WORDS))[:_MAX_WORDS]


class RegistryNetwork:
    """Kept connections to all registries of a run; safe to use from several threads. ``close`` gives them back."""

    def __init__(self, pool_size: int = 8) -> None:
        self._pool_size = pool_size
        # no option holds these, and a proxy may show what it was sent
        for password in url_passwords(list(getproxies().values())):
            SECRETS_MET.update(derived_forms(password))
        self._sessions: dict[tuple[bool, str], Session] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> RegistryNetwork:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def session(self, insecure: bool, ca_cert: str | None) -> Session:
        """Return the session for one way to check certificates.

        Raises ConfigurationError for a CA file that cannot be used, MissingLibraryError.
        """
        ca_file = (
            ""
            if insecure
            else ca_cert or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or ""
        )
        with self._lock:
            if (insecure, ca_file) not in self._sessions:
                settings = Settings(
                    context=_trust(insecure, ca_file), pool_size=self._pool_size, proxies=environment_proxies
                )
                self._sessions[insecure, ca_file] = Session(settings)
            return self._sessions[insecure, ca_file]

    def close(self) -> None:
        """Close the kept connections."""
        for session in self._sessions.values():
            session.close()


class RegistryHttp:
    """Requests to one registry, and to the token servers and stores that it names.

    ``name`` is the registry in sentences. ``insecure`` accepts any certificate, and plain HTTP if a host does not
    speak TLS, as an import with ``insecure`` does; ``ca_cert`` is the path of CA certificates to trust besides the
    system's.
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
        self._session = network.session(insecure, ca_cert)
        self._patience = patience or Patience()
        self._sleep = sleep
        # origins that turned out to speak plain HTTP
        self._plain: set[str] = set()

    def get(self, url: str, *, headers: t.Mapping[str, str] | None = None, limit: int = SHORT_LIMIT) -> RegistryAnswer:
        """Get a URL and follow a few redirects. A credential stays with the host that it is for."""
        sent = dict(headers or {})
        for _turn in range(_MAX_REDIRECTS + 1):
            answer = self.send("GET", url, headers=sent, limit=limit)
            target = answer.headers.get("Location", "") if answer.status in _MOVED else ""
            if not target:
                return answer
            try:
                address = joined_address(answer.url, target)
            except ValueError:
                raise self.error("redirects to something that is no address") from None
            self._check_redirect(answer.url, address)
            url = str(address)
            if server_of(address) != server_of(address_of(answer.url)):
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
        """Send one request; retry if the registry is busy or the connection broke. Redirects are not followed.

        Raises ``RegistryError`` if no whole answer came.
        """
        turn = 1
        while True:
            pause = self._patience.pause * turn * random.uniform(0.5, 1.0)
            if origin(url) in self._plain:
                url = f"http{url[len('https') :]}"
            try:
                answer = self._exchange(method, url, dict(headers or {}), params, data, limit)
            except NoAnswer as exc:
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
        """Return the error of a sentence that begins with the registry."""
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
        fields = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        body = None
        if params:
            url += f"{'&' if '?' in url else '?'}{urlencode(params)}"
        if data is not None:
            body = urlencode(data).encode()
            fields.update({"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))})
        patience = self._patience
        raw = self._session.send(
            method,
            url,
            headers=fields.items(),
            body=body,
            connect=patience.connect,
            begin=patience.answer,
            finish=patience.body,
            limit=lambda status, _type: limit if status < 300 else SHORT_LIMIT,
        )
        return RegistryAnswer(raw.status, raw.headers, raw.body, raw.url, raw.truncated > 0)

    def _check_redirect(self, source: str, target: t.Any) -> None:
        if target.scheme != "https" and not (
            target.scheme == "http" and (self.insecure or source.startswith("http://"))
        ):
            where = shown_origin(str(target))
            raise self.error(
                f'redirects to "{where}", which is not reached over HTTPS; that is not followed unless insecure: true '
                "is set for it"
            )

    def _speaks_plain_http(self, failed: NoAnswer, url: str) -> bool:
        """Return whether plain HTTP is allowed, and all that is left to try."""
        return self.insecure and url.startswith("https://") and _is_no_tls(failed)

    def _raise_for_lasting(self, failed: NoAnswer, url: str) -> None:
        """Raise what a retry would not change."""
        if failed.names & {"ConnectTimeoutError", "ReadTimeoutError", "AnswerTimeout"}:
            raise self._unreachable(failed, url) from None
        cause = failed.cause
        if isinstance(cause, ValueError) and not isinstance(cause, OSError):
            raise self.error(f'names "{shown_origin(url)}", which is no address') from None
        if not _is_about_tls(failed):
            return
        if _is_no_tls(failed):
            raise self.error(
                f"answers at {shown_origin(url)} without TLS; if it is meant to be plain HTTP, set insecure: true for "
                "it, otherwise check host and port"
            ) from None
        # CertificateError: urllib3 before 2 compares names itself
        if "CertificateError" in failed.names or any("certificate" in str(item).lower() for item in failed.chain):
            raise self.error(
                f"has a certificate at {shown_origin(url)} that is not trusted ({self._cause(failed)}); give the CA "
                "that signed it as ca_cert of the registry, or set insecure: true for it"
            ) from None
        raise self.error(f"could not be reached at {shown_origin(url)} ({self._cause(failed)})") from None

    def _unreachable(self, failed: NoAnswer, url: str) -> RegistryError:
        return self.error(
            f"could not be reached at {shown_origin(url)} ({self._cause(failed)}); check host, port and network"
        )

    def _cause(self, failed: NoAnswer) -> str:
        """Return the innermost reason of a failed connection, without the URL that the outer ones repeat."""
        if "ConnectTimeoutError" in failed.names:
            return f"no connection within {seconds(self._patience.connect)}"
        if isinstance(failed.cause, AnswerTimeout) or (failed.begun and "ReadTimeoutError" in failed.names):
            return "its answer began and did not end in time"
        if "ReadTimeoutError" in failed.names:
            return f"no answer within {seconds(self._patience.answer)}"
        if "ProxyError" in failed.names:
            return "the proxy did not let it through"
        for item in failed.chain:
            if isinstance(item, ssl.SSLCertVerificationError):
                return str(getattr(item, "verify_message", item))
        innermost = failed.chain[-1]
        strerror = innermost.strerror if isinstance(innermost, OSError) else None
        return excerpt(str(strerror or innermost).split("(Caused by", 1)[0].strip(), _MAX_WORDS)


def _is_about_tls(failed: NoAnswer) -> bool:
    return bool(failed.names & {"SSLError", "CertificateError"}) or any(
        isinstance(item, ssl.SSLError) for item in failed.chain
    )


def _is_no_tls(failed: NoAnswer) -> bool:
    return _is_about_tls(failed) and any(sign in str(item) for item in failed.chain for sign in _NO_TLS)


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, without the user name and password that it may hold."""
    try:
        address = plain_address(url)
    except ValueError:
        return url.rpartition("@")[2][:100]
    return f"{address.scheme}://{address.netloc or ''}"


def shown_origin(url: str) -> str:
    """Return the same for a sentence.

    A server may have put what it was sent into an address, of which a slash would leave a part.
    """
    return origin(excerpt(url, _MAX_URL))


def _trust(insecure: bool, ca_file: str) -> ssl.SSLContext:
    """Return the TLS settings for registries.

    They trust the system's CAs and those of ``ca_file``, or everything if nothing is checked.
    """
    require_requests()
    context = tls_context(verify=not insecure)
    if not ca_file:
        return context
    try:
        context.load_verify_locations(**{"capath" if os.path.isdir(ca_file) else "cafile": ca_file})
    except ssl.SSLError:
        raise ConfigurationError(f"ca_cert: {ca_file} holds no certificate in PEM form.") from None
    except OSError as exc:
        raise ConfigurationError(f"ca_cert: {ca_file} cannot be read where the module runs: {exc.strerror}.") from None
    return context

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trying a credential at its registry, from where the module runs, before a secret with it is written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The way of ``docker login``: ask ``/v2/`` without a credential, then answer the challenge that comes back: Basic at the
registry itself, Bearer at the token server that the challenge names, and with the token at the registry once more.
"""

from __future__ import annotations

import os
import re
import ssl
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

try:
    import requests
    import urllib3
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

from ansible_collections.quayside.openshift_images.plugins.module_utils._auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import MissingLibraryError, RegistryError
from ansible_collections.quayside.openshift_images.plugins.module_utils._keyring import DOCKER_HUB_HOSTS, file_key
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_desired import DesiredRegistry

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
_TRIES = 3
_WAIT = 0.5
_SIDE_BY_SIDE = 8
_BUSY = (429, 500, 502, 503, 504)
_DOCKER_HUB_API = "registry-1.docker.io"
_CLIENT_ID = "quayside.openshift_images"
_MAX_WORDS = 200

_CHALLENGE = re.compile(r"(?:^|,)\s*(Basic|Bearer)(?:\s+|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


@dataclass(frozen=True)
class LoginResult:
    """What trying one login has shown: accepted, not_asked (the registry wants no credential), not_tried, refused or failed.

    ``error`` says why for the last two, ``status`` is the HTTP status code where an answer came.
    """

    registry: str
    username: str
    result: str
    error: str = ""
    status: int | None = None

    def as_dict(self) -> dict[str, t.Any]:
        return {"registry": self.registry, "username": self.username, "result": self.result, "error": self.error or None, "status": self.status}


class LoginsRefused(RegistryError):
    """At least one registry did not accept its credential, or could not be asked. ``tried`` are the results of all."""

    def __init__(self, message: str, tried: t.Sequence[LoginResult]) -> None:
        first = next(result for result in tried if result.error)
        super().__init__(message, registry=first.registry, status=first.status)
        self.tried = list(tried)

    def results(self) -> dict[str, t.Any]:
        return {**super().results(), "verified": [result.as_dict() for result in self.tried]}


def try_logins(registries: t.Sequence[DesiredRegistry]) -> list[LoginResult]:
    """Log in to every registry; raise ``LoginsRefused`` with all refusals where there is one, ``MissingLibraryError`` without requests."""
    if not HAS_REQUESTS:
        raise MissingLibraryError("verify: the Python library requests is not installed where the module runs; install it, or leave out verify")
    if not registries:
        return []
    with ThreadPoolExecutor(max_workers=min(_SIDE_BY_SIDE, len(registries))) as pool:
        tried = list(pool.map(_try_login, registries))
    errors = [result.error for result in tried if result.error]
    if errors:
        raise LoginsRefused(f"{'; '.join(errors)}; nothing was written", tried)
    return tried


def _try_login(registry: DesiredRegistry) -> LoginResult:
    login = registry.login or Login()
    key = file_key(registry.registry)
    if key is None or not key.host or "*" in key.host:
        return LoginResult(registry.registry, login.shown_username, "not_tried")
    try:
        result = log_in(registry.registry, key.host, login, insecure=registry.insecure, ca_cert=registry.ca_cert)
    except RegistryError as exc:
        return LoginResult(registry.registry, login.shown_username, "refused" if exc.status in (401, 403) else "failed", str(exc), exc.status)
    return LoginResult(registry.registry, login.shown_username, result)


def log_in(registry: str, host: str, login: Login, *, insecure: bool = False, ca_cert: str | None = None, sleep: t.Callable[[float], None] = time.sleep) -> str:
    """Return ``accepted`` or ``not_asked``; raise ``RegistryError`` with the whole sentence where ``login`` does not open the registry.

    ``registry`` names it in sentences, ``host`` is host[:port]. ``insecure`` accepts any certificate, and plain HTTP where
    the host does not speak TLS, as an import with ``insecure`` does; ``ca_cert`` is the path of a bundle of CA certificates.
    """
    with requests.Session() as session:
        # Neither .netrc nor REQUESTS_CA_BUNDLE may stand in for what the task says; a proxy is how the host gets out.
        session.trust_env = False
        attempt = _Attempt(session, registry, login, insecure, ca_cert, sleep)
        return attempt.run(_DOCKER_HUB_API if host in DOCKER_HUB_HOSTS else host)


class _Attempt:
    """One login: the session with what each of its requests needs."""

    def __init__(self, session: requests.Session, registry: str, login: Login, insecure: bool, ca_cert: str | None, sleep: t.Callable[[float], None]) -> None:
        self._session = session
        self._registry = registry
        self._login = login
        self._insecure = insecure
        self._verify: bool | str = False if insecure else ca_cert or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._sleep = sleep

    def run(self, host: str) -> str:
        url = f"https://{host}/v2/"
        try:
            answer = self._send("GET", url)
        except _PlainHttp:
            url = f"http://{host}/v2/"
            answer = self._send("GET", url)
        if answer.status_code == 200:
            return "not_asked"
        if answer.status_code != 401:
            raise self._unexpected(answer, "/v2/")
        challenges = parse_challenges(answer.headers.get("WWW-Authenticate", ""))
        if "basic" in challenges and self._login.password:
            headers = {"Authorization": f"Basic {self._login.auth}"}
        elif "bearer" in challenges:
            headers = {"Authorization": f"Bearer {self._token(challenges['bearer'])}"}
        else:
            kind = "an identity token" if self._login.identity_token else "a user name and a password"
            raise self._error(f"asks for a credential in a way that {kind} cannot answer", 401)
        answer = self._send("GET", url, headers=headers)
        if answer.status_code in (401, 403):
            raise self._refused(answer)
        if answer.status_code != 200:
            raise self._unexpected(answer, "/v2/")
        return "accepted"

    def _token(self, challenge: t.Mapping[str, str]) -> str:
        realm = challenge.get("realm", "")
        if not realm.startswith("https://") and not (self._insecure and realm.startswith("http://")):
            raise self._error(
                f'names the token server "{realm}", which is not reached over HTTPS; no password is sent there unless insecure: true is set for it'
            )
        fields = {"client_id": _CLIENT_ID}
        if challenge.get("service"):
            fields["service"] = challenge["service"]
        if self._login.identity_token:
            fields.update(grant_type="refresh_token", refresh_token=self._login.identity_token)
            answer = self._send("POST", realm, data=fields)
        else:
            fields["account"] = self._login.shown_username
            answer = self._send("GET", realm, params=fields, headers={"Authorization": f"Basic {self._login.auth}"})
        if answer.status_code in (400, 401, 403):
            raise self._refused(answer)
        if answer.status_code != 200:
            raise self._unexpected(answer, "its token server")
        token = _json_object(answer)
        text = token.get("token") or token.get("access_token")
        if not isinstance(text, str) or not text:
            raise self._error("has a token server that answered without a token")
        return text

    def _send(self, method: str, url: str, **arguments: t.Any) -> requests.Response:
        if self._insecure:
            # The task says that this certificate is not checked; there is nobody whom a line on stderr would tell more.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        turn = 1
        while True:
            try:
                answer = self._session.request(
                    method,
                    url,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    verify=self._verify,
                    allow_redirects=False,
                    proxies=requests.utils.get_environ_proxies(url),
                    **arguments,
                )
            except requests.RequestException as exc:
                self._raise_for_tls(exc, url)
                if turn >= _TRIES:
                    raise self._error(f"could not be reached at {_origin(url)} ({_cause(exc)}); check host, port and network") from None
            else:
                if answer.status_code not in _BUSY or turn >= _TRIES:
                    return answer
            self._sleep(_WAIT * turn)
            turn += 1

    def _raise_for_tls(self, exc: Exception, url: str) -> None:
        """Raise what trying again would not change."""
        text = str(exc)
        if not isinstance(exc, requests.exceptions.SSLError):
            return
        if any(sign in text for sign in ("WRONG_VERSION_NUMBER", "wrong version number", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "record layer failure")):
            if self._insecure and url.startswith("https://"):
                raise _PlainHttp
            raise self._error(
                f"answers at {_origin(url)} without TLS; if it is meant to be plain HTTP, set insecure: true for it, otherwise check host and port"
            ) from None
        if "certificate" in text.lower():
            raise self._error(
                f"has a certificate at {_origin(url)} that is not trusted ({_cause(exc)}); give the CA that signed it as ca_cert, or set insecure: true for it"
            ) from None
        raise self._error(f"could not be reached at {_origin(url)} ({_cause(exc)})") from None

    def _refused(self, answer: requests.Response) -> RegistryError:
        words = _server_words(answer)
        said = f': "{words}"' if words else ""
        who = f'the user "{self._login.shown_username}"' if self._login.password else "the identity token"
        return self._error(f"refused {who} (HTTP {answer.status_code}{said}); correct the credential", answer.status_code)

    def _unexpected(self, answer: requests.Response, where: str) -> RegistryError:
        hint = "; it does not look like a registry, check host and port" if answer.status_code == 404 or 300 <= answer.status_code < 400 else ""
        return self._error(f"answered HTTP {answer.status_code} at {where}{hint}", answer.status_code)

    def _error(self, text: str, status: int | None = None) -> RegistryError:
        return RegistryError(f'The registry "{self._registry}" {text}', registry=self._registry, status=status)


class _PlainHttp(Exception):
    """The host does not speak TLS, and plain HTTP was allowed."""


def parse_challenges(header: str) -> dict[str, dict[str, str]]:
    """Return the parameters of each challenge of a WWW-Authenticate header by its scheme, ``basic`` or ``bearer``."""
    found: dict[str, dict[str, str]] = {}
    schemes = list(_CHALLENGE.finditer(header))
    for position, scheme in enumerate(schemes):
        end = schemes[position + 1].start() if position + 1 < len(schemes) else len(header)
        parameters = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain for name, quoted, plain in _PARAMETER.findall(header[scheme.end() : end])
        }
        found.setdefault(scheme.group(1).lower(), parameters)
    return found


def _json_object(answer: requests.Response) -> dict[str, t.Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _server_words(answer: requests.Response) -> str:
    """Return the server's own short reason, "" where it gave none."""
    document = _json_object(answer)
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    for words in (document.get("details"), document.get("error_description"), document.get("message"), first.get("message"), document.get("error")):
        if isinstance(words, str) and words.strip():
            return " ".join(words.split())[:_MAX_WORDS]
    return ""


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _cause(exc: BaseException) -> str:
    """Return the innermost reason of a failed connection, without the URL that the outer ones repeat."""
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS:g} seconds"
    if isinstance(exc, requests.exceptions.Timeout):
        return f"no answer within {READ_SECONDS:g} seconds"
    if isinstance(exc, requests.exceptions.ProxyError):
        return "the proxy did not let it through"
    innermost = exc
    while True:
        inner = getattr(innermost, "reason", None) or innermost.__cause__ or innermost.__context__ or (innermost.args[0] if innermost.args else None)
        if not isinstance(inner, BaseException) or inner is innermost:
            break
        innermost = inner
    if isinstance(innermost, ssl.SSLCertVerificationError):
        return innermost.verify_message
    strerror = innermost.strerror if isinstance(innermost, OSError) else None
    return str(strerror or innermost).split("(Caused by", 1)[0].strip()[:_MAX_WORDS]

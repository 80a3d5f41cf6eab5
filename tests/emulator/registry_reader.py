# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a registry (v2 protocol) the way the API server's importer does, with the errors that it reports."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import ssl
import typing as t
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from cryptography import x509

from .keyring import Credential
from .pullspec import PullSpec

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
LIST_TYPES = (DOCKER_LIST, OCI_INDEX)
_ACCEPT = ", ".join((SCHEMA2, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX))

_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_EXPIRED = {9, 10}
_NAME_MISMATCH = {62, 64}
_PING_SECONDS = 15.0
_KNOWN_CODES = frozenset(
    [
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DENIED",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "MANIFEST_UNVERIFIED",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "PAGINATION_NUMBER_INVALID",
        "RANGE_INVALID",
        "SIZE_INVALID",
        "TAG_INVALID",
        "TOOMANYREQUESTS",
        "UNAUTHORIZED",
        "UNAVAILABLE",
        "UNSUPPORTED",
    ]
)


class RegistryError(Exception):
    """A call that failed; ``codes`` are the registry's own, empty if it was no registry's answer."""

    def __init__(self, text: str, codes: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.codes = codes


class IntegrityError(RegistryError):
    """A manifest that is not the one of its digest; told without the image's name."""


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry served it."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """The digest of the content."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    @property
    def document(self) -> dict[str, t.Any]:
        """The parsed content."""
        return t.cast("dict[str, t.Any]", json.loads(self.content))


class RegistryTransport:
    """Connections to registries, verified against the cluster's trust and not verified; one for the whole server."""

    def __init__(self, trusted: t.Sequence[Path]) -> None:
        self._trust = ssl.create_default_context()
        for file in trusted:
            self._trust.load_verify_locations(cafile=str(file))
        self._blind = ssl.create_default_context()
        self._blind.check_hostname = False
        self._blind.verify_mode = ssl.CERT_NONE
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool; to be called on the event loop that uses it."""
        connector = aiohttp.TCPConnector(limit=64, family=socket.AF_UNSPEC, happy_eyeballs_delay=None)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)

    async def stop(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, url: str, *, verify: bool, **options: t.Any) -> tuple[int, str, t.Mapping[str, str], bytes]:
        """GET: status, reason phrase, headers, body. Raises RegistryError in Go's words."""
        if self._session is None:
            raise RuntimeError("the transport is not started")
        try:
            context = self._trust if verify else self._blind
            async with self._session.get(url, ssl=context, **options) as response:
                return response.status, response.reason or "", response.headers, await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise RegistryError(f'Get "{url}": {await self._words(error)}') from error

    async def _words(self, error: BaseException) -> str:
        if isinstance(error, asyncio.TimeoutError):
            return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return await self._certificate_words(error)
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            return _tls_words(str(error))
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return f"dial tcp: lookup {error.host}: no such host"
        if isinstance(error, aiohttp.ClientConnectorError):
            return f"dial tcp {_address(error)}: connect: {_refusal(error.os_error)}"
        if isinstance(error, aiohttp.ClientPayloadError):
            return "unexpected EOF"
        return "EOF" if isinstance(error, aiohttp.ServerDisconnectedError) else str(error)

    async def _certificate_words(self, error: aiohttp.ClientConnectorCertificateError) -> str:
        cause = error.certificate_error
        code = getattr(cause, "verify_code", 0)
        prefix = "tls: failed to verify certificate: x509: "
        if code in _UNKNOWN_AUTHORITY:
            return prefix + "certificate signed by unknown authority"
        if code in _EXPIRED:
            return prefix + "certificate has expired or is not yet valid"
        if code in _NAME_MISMATCH:
            return prefix + await self._mismatch_words(error.host, error.port)
        return prefix + str(cause)

    async def _mismatch_words(self, host: str, port: int | None) -> str:
        loop = asyncio.get_running_loop()
        pem = await loop.run_in_executor(None, ssl.get_server_certificate, (host, port or 443))
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names: list[str] = []
        for extension in certificate.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                names = extension.value.get_values_for_type(x509.DNSName)
        return (
            f"certificate is valid for {', '.join(names)}, not {host}"
            if names
            else (f"certificate is not valid for any names, but wanted to match {host}")
        )


def _tls_words(text: str) -> str:
    if re.search(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG", text.upper()):
        return "http: server gave HTTP response to HTTPS client"
    return "remote error: tls: handshake failure"


def _refusal(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return "connection refused"
    return (error.strerror or str(error)).lower()


def _address(error: aiohttp.ClientConnectorError) -> str:
    try:
        found = socket.getaddrinfo(error.host, error.port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return f"{error.host}:{error.port}"
    return f"{found[0][4][0]}:{error.port}"


def _basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


@dataclass(frozen=True)
class _Challenge:
    scheme: str
    parameters: dict[str, str]


def _challenges(header: str) -> _Challenge | None:
    scheme, _blank, rest = header.strip().partition(" ")
    parameters = {key.lower(): value for key, value in re.findall(r'([A-Za-z_]+)="([^"]*)"', rest)}
    return _Challenge(scheme.lower(), parameters) if scheme else None


class Repository:
    """One repository, read with one credential within one import. The registry is contacted on the first read."""

    def __init__(
        self, transport: RegistryTransport, reference: PullSpec, credential: Credential | None, *, insecure: bool
    ) -> None:
        self._transport = transport
        self._path = reference.with_defaults().repository
        self._base = f"https://{reference.with_defaults().host}"
        self._credential = credential
        self._insecure = insecure
        self._challenge: _Challenge | None = None
        self._token: str | None = None
        self._outcome: RegistryError | None = None
        self._pinged = False

    async def manifest(self, tag_or_digest: str) -> Manifest:
        """Return a manifest or a list."""
        headers, content = await self._read(f"/v2/{self._path}/manifests/{tag_or_digest}", {"Accept": _ACCEPT})
        media_type = headers.get("Content-Type", "").partition(";")[0].strip()
        manifest = Manifest(media_type, content)
        if tag_or_digest.startswith("sha256:") and manifest.digest != tag_or_digest:
            raise IntegrityError(
                f"content integrity error: the manifest retrieved (media type: {media_type}) with digest"
                f" {tag_or_digest} does not match the digest calculated from the content {manifest.digest}"
            )
        return manifest

    async def blob(self, digest: str) -> bytes:
        """Return a blob's bytes."""
        return (await self._read(f"/v2/{self._path}/blobs/{digest}", {}))[1]

    async def tags(self) -> list[str]:
        """All tags, following the registry's pages."""
        found: list[str] = []
        path: str | None = f"/v2/{self._path}/tags/list"
        while path is not None:
            headers, content = await self._read(path, {})
            found += json.loads(content).get("tags") or []
            following = re.match(r"<([^>]*)>", headers.get("Link", ""))
            path = re.sub(r"^https?://[^/]*", "", following[1]) if following else None
        return found

    async def _read(self, path: str, headers: dict[str, str]) -> tuple[t.Mapping[str, str], bytes]:
        await self._ping()
        url = self._base + path
        try:
            headers = {**headers, **await self._authorization()}
        except RegistryError as error:
            raise RegistryError(f'Get "{url}": {error}') from error
        status, phrase, answer, body = await self._transport.get(url, verify=not self._insecure, headers=headers)
        if status >= 300:
            raise _failure(status, phrase, body)
        return answer, body

    async def _ping(self) -> None:
        """Make the first contact: how to log in, and whether the registry speaks HTTP only. Asked once."""
        if not self._pinged:
            self._pinged = True
            try:
                await self._first_contact()
            except RegistryError as error:
                self._outcome = error
        if self._outcome is not None:
            raise self._outcome

    async def _first_contact(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_PING_SECONDS)
        try:
            answer = await self._transport.get(f"{self._base}/v2/", verify=not self._insecure, timeout=timeout)
        except RegistryError:
            if not self._insecure or self._base.startswith("http://"):
                raise
            self._base = self._base.replace("https://", "http://", 1)
            await self._first_contact()
            return
        status, phrase, headers, _body = answer
        if "Docker-Distribution-Api-Version" not in headers and not (status < 300 or status in (401, 403)):
            raise RegistryError(f'endpoint "{self._base}" does not support v2 API (got {status} {phrase})')
        if status == 401:
            self._challenge = _challenges(headers.get("WWW-Authenticate", ""))

    async def _authorization(self) -> dict[str, str]:
        if self._challenge is None:
            return {}
        if self._challenge.scheme == "bearer":
            if self._token is None:
                self._token = await self._fetch_token(self._challenge.parameters)
            return {"Authorization": f"Bearer {self._token}"}
        username, password = self._credential or ("", "")
        if not username or not password:
            raise RegistryError("no basic auth credentials")
        return _basic(username, password)

    async def _fetch_token(self, parameters: dict[str, str]) -> str:
        username, password = self._credential or ("", "")
        query = {"scope": f"repository:{self._path}:pull"}
        if "service" in parameters:
            query["service"] = parameters["service"]
        if username:
            query["account"] = username
        status, phrase, _headers, body = await self._transport.get(
            parameters.get("realm", ""),
            verify=not self._insecure,
            params=query,
            headers=_basic(username, password) if username and password else {},
        )
        if status >= 300:
            raise _failure(status, phrase, body)
        answer = json.loads(body)
        token = answer.get("token") or answer.get("access_token")
        if not token:
            raise RegistryError("authorization server did not include a token in the response")
        return str(token)


def _failure(status: int, phrase: str, body: bytes) -> RegistryError:
    """Return an error answer as distribution's client reads it: ``details``, ``errors``, or neither."""
    if not 400 <= status < 500:
        return RegistryError(f"received unexpected HTTP status: {status} {phrase}")
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    document = document if isinstance(document, dict) else {}
    if document.get("details") and isinstance(document["details"], str):
        code = {401: "UNAUTHORIZED", 429: "TOOMANYREQUESTS"}.get(status, "UNKNOWN")
        return RegistryError(f"{_code_text(code)}: {document['details']}", (code,))
    errors = [error for error in document.get("errors") or [] if isinstance(error, dict)]
    if not errors:
        if status == 401:
            return RegistryError("unauthorized: authentication required", ("UNAUTHORIZED",))
        shown = body.decode(errors="replace")
        return RegistryError(f'error parsing HTTP {status} response body: no error details found: "{shown}"')
    codes = tuple(_known(str(error.get("code", ""))) for error in errors)
    texts = [_error_text(code, error) for code, error in zip(codes, errors, strict=True)]
    text = texts[0] if len(texts) == 1 else "errors:\n" + "".join(f"{line}\n" for line in texts)
    return RegistryError(text, codes)


def _known(code: str) -> str:
    return code if code in _KNOWN_CODES else "UNKNOWN"


def _code_text(code: str) -> str:
    return code.lower().replace("_", " ")


def _error_text(code: str, error: dict[str, t.Any]) -> str:
    message = error.get("message")
    return f"{_code_text(code)}: {message}" if message else _code_text(code)

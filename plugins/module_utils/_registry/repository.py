# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one repository of a registry: manifests, configurations and tags, each checked against its digest and
bounded.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import threading
import typing as t
from urllib.parse import quote, urlsplit

from .._core.errors import RegistryError
from .._core.numbers import seconds
from .._core.outward import excerpt
from .._core.references import DEFAULT_REGISTRY, PullSpec
from .._http.session import require_requests
from .bearer import authorization, unexpected
from .documents import (
    CONFIG_TYPES,
    MANIFEST_TYPES,
    BadDocument,
    ImageConfig,
    ServedManifest,
    digest_of,
    next_target,
    parse_config,
    parse_manifest,
    parse_tag_page,
)
from .session import (
    DOCKER_HUB_API,
    Patience,
    RegistryAnswer,
    RegistryHttp,
    RegistryNetwork,
    origin,
    shown_origin,
)

if t.TYPE_CHECKING:
    from .._credentials.auth_document import Login

# bytes; the specification lets registries stop at 4 MiB for a manifest
MANIFEST_LIMIT = 4 * 1024 * 1024
CONFIG_LIMIT = 8 * 1024 * 1024
PAGE_LIMIT = 16 * 1024 * 1024
PAGE_SIZE = 1000
MAX_PAGES = 1000
MAX_TAGS = 500_000
_JSON = "application/json"


class RegistryRepository:
    """One repository, read with one login (None: anonymously); several threads may use it.

    Each method raises ``RegistryError`` with the whole message.
    """

    def __init__(self, http: RegistryHttp, repository: PullSpec, login: Login | None) -> None:
        host, _slash, self._name = repository.location.partition("/")
        self._base = f"https://{DOCKER_HUB_API if host == DEFAULT_REGISTRY else host}"
        self._http = http
        self._login = login if login and not (login.is_empty and not login.identity_token) else None
        self._lock = threading.Lock()
        self._authorization = ""

    def manifest(self, reference: str) -> ServedManifest:
        """Read the manifest of a tag or digest. What comes for a digest has that digest, or it is an error."""
        what = f'"{reference}" of {self._name}'
        accept = ", ".join(MANIFEST_TYPES)
        answer = self._get(f"/v2/{self._name}/manifests/{reference}", what, accept, MANIFEST_LIMIT)
        if ":" in reference:
            self._check_digest(answer.body, reference, what)
            digest = reference
        else:
            named = answer.headers.get("Docker-Content-Digest", "")
            digest = digest_of(answer.body)
            if named.startswith("sha256:") and named != digest:
                raise self._http.error(
                    f"serves {what} as {excerpt(named, 80)}, but with the content of {digest}; it, or a proxy before "
                    "it, is broken"
                )
        try:
            return parse_manifest(answer.body, answer.content_type, digest)
        except BadDocument as exc:
            raise self._http.error(f"serves something else than an image as {what}: {exc}") from None

    def config(self, manifest: ServedManifest) -> ImageConfig:
        """Read the configuration of a single image; an empty one if the manifest is not of a container image."""
        if manifest.config is None or manifest.config.media_type not in CONFIG_TYPES:
            return ImageConfig()
        digest = manifest.config.digest
        what = f"the configuration {digest} of {self._name}"
        answer = self._get(f"/v2/{self._name}/blobs/{digest}", what, "*/*", CONFIG_LIMIT)
        self._check_digest(answer.body, digest, what)
        try:
            return parse_config(answer.body)
        except BadDocument as exc:
            raise self._http.error(f"serves something else than a configuration as {what}: {exc}") from None

    def tags(self) -> list[str]:
        """Read the whole list of tags, page by page, in the registry's order."""
        what = f"the tags of {self._name}"
        first = f"/v2/{self._name}/tags/list"
        found: dict[str, None] = {}
        seen: set[str] = set()
        path = f"{first}?n={PAGE_SIZE}"
        while path:
            if len(seen) == MAX_PAGES or len(found) > MAX_TAGS:
                raise self._http.error(
                    f"serves {what} in more than {MAX_PAGES} pages, or more than {MAX_TAGS} of them; that much is not "
                    "read"
                )
            seen.add(path)
            answer = self._page(path, first, what)
            try:
                found.update(dict.fromkeys(parse_tag_page(answer.body)))
            except BadDocument as exc:
                raise self._http.error(f"serves something else than a list as {what}: {exc}") from None
            try:
                path = _next_page(answer)
            except BadDocument as exc:
                raise self._http.error(f"serves a page of {what} that may not be the last one: {exc}") from None
            if path in seen:
                raise self._http.error(f"names a page of {what} as the one after itself")
        return list(found)

    def _page(self, path: str, first: str, what: str) -> RegistryAnswer:
        try:
            return self._get(path, what, _JSON, PAGE_LIMIT)
        except RegistryError as exc:
            if exc.status != 400 or path != f"{first}?n={PAGE_SIZE}":
                raise
        # it does not want to be told how long a page is
        return self._get(first, what, _JSON, PAGE_LIMIT)

    def _get(self, path: str, what: str, accept: str, limit: int) -> RegistryAnswer:
        url, used = self._base + path, self._authorization
        answer = self._send(url, accept, used, limit)
        if answer.status == 401 and origin(answer.url).partition("://")[2] == origin(url).partition("://")[2]:
            answer = self._send(url, accept, self._answer_challenge(answer, used), limit)
        if answer.status == 200 and answer.truncated:
            raise self._http.error(f"serves more than {limit // 1024 // 1024} MiB as {what}; that much is not read")
        if answer.status != 200:
            raise self._refusal(answer, what)
        return answer

    def _send(self, url: str, accept: str, with_authorization: str, limit: int) -> RegistryAnswer:
        headers = {"Accept": accept}
        if with_authorization:
            headers["Authorization"] = with_authorization
        return self._http.get(url, headers=headers, limit=limit)

    def _answer_challenge(self, answer: RegistryAnswer, used: str) -> str:
        """Return what opens the repository; asked for once, however many threads were refused."""
        with self._lock:
            if self._authorization == used:
                self._authorization = authorization(self._http, answer, self._login, f"repository:{self._name}:pull")
            return self._authorization

    def _check_digest(self, content: bytes, wanted: str, what: str) -> None:
        found = digest_of(content, wanted)
        if found != wanted:
            raise self._http.error(
                f"serves {what} with other content, whose digest is {found}; it, or a proxy before it, is broken"
            )

    def _refusal(self, answer: RegistryAnswer, what: str) -> RegistryError:
        said, status = answer.said, answer.status
        elsewhere = (
            origin(answer.url) != origin(self._base) and urlsplit(answer.url).netloc != urlsplit(self._base).netloc
        )
        if elsewhere:
            return self._http.error(
                f'redirects to "{shown_origin(answer.url)}" for {what}, which answered {said}', status
            )
        who = (
            f'the user "{self._login.shown_username}"' if self._login and self._login.password else "the identity token"
        )
        if status == 401 and self._login is None:
            return self._http.error(
                f"gives nobody {what} without a credential ({said}); give one, and check the name of the repository",
                status,
            )
        if status == 401:
            return self._http.error(
                f"does not give {what} to {who} ({said}); correct the credential, or the name of the repository", status
            )
        if status == 403:
            asker = "without a credential" if self._login is None else f"to {who}"
            return self._http.error(
                f"does not give {what} {asker} ({said}); ask its owner for the right to pull there", status
            )
        if status == 404:
            return self._missing(answer, what, said)
        if status == 429:
            when = "later" if answer.retry_after is None else f"after the {seconds(answer.retry_after)} that it names"
            return self._http.error(
                f"limits the rate of requests and did not give {what} ({said}); retry {when}, or with a credential",
                status,
            )
        return unexpected(self._http, answer, f"the request for {what}")

    def _missing(self, answer: RegistryAnswer, what: str, said: str) -> RegistryError:
        codes = [error.get("code") for error in answer.errors()]
        if "NAME_UNKNOWN" in codes:
            return self._http.error(f"has no repository {self._name} ({said}); check the name", 404)
        if codes:
            return self._http.error(f"does not have {what} ({said}); check the name", 404)
        return unexpected(self._http, answer, f"the request for {what}")


class RegistryReader:
    """Opens the repositories that one run reads, each once; safe to use from several threads, and a context manager."""

    def __init__(self, *, pool_size: int = 8, patience: Patience | None = None) -> None:
        require_requests()
        self._network = RegistryNetwork(pool_size)
        self._patience = patience
        self._lock = threading.Lock()
        self._registries: dict[tuple[str, bool, str | None], RegistryHttp] = {}
        self._repositories: dict[tuple[t.Any, ...], RegistryRepository] = {}

    def __enter__(self) -> RegistryReader:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._network.close()

    def repository(
        self, spec: PullSpec, login: Login | None, *, insecure: bool = False, ca_cert: str | None = None
    ) -> RegistryRepository:
        """Return the repository of a pull spec, as one login reads it.

        Raise ``ConfigurationError`` for a CA file that cannot be used.

        It is the same object for the same arguments, so that a token is fetched once.
        """
        registry = spec.registry or DEFAULT_REGISTRY
        with self._lock:
            way = (registry, insecure, ca_cert)
            if way not in self._registries:
                self._registries[way] = RegistryHttp(
                    self._network, registry, insecure=insecure, ca_cert=ca_cert, patience=self._patience
                )
            which = (*way, spec.location, login)
            if which not in self._repositories:
                self._repositories[which] = RegistryRepository(self._registries[way], spec, login)
            return self._repositories[which]


def _next_page(answer: RegistryAnswer) -> str:
    """Return path and query of the next page, "" on the last one.

    ``BadDocument`` says what of the links is not understood.

    Registries behind proxies name hosts that only they can reach, so only what is asked for is taken, not from whom:
    a credential cannot be led elsewhere that way either.
    """
    target = next_target(answer.headers.get("Link", ""))
    if not target:
        return ""
    try:
        parts = urlsplit(target)
    except ValueError:
        raise BadDocument("its link to the next page is no address") from None
    if not parts.path.startswith("/"):
        parts = urlsplit(answer.url)._replace(query=parts.query)
    if not parts.query:
        raise BadDocument("its link to the next page does not say which one that is")
    return quote(parts.path, safe="/%:@~!$&'()*+,;=") + f"?{parts.query}"

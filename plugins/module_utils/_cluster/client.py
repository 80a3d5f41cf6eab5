# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only code that talks HTTP to the cluster: one API call with bounded retries, JSON in and out, typed errors.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import threading
import time
import typing as t
from urllib.parse import urlencode

from .._core.concurrency import IMPORTING
from .._core.errors import ApiError
from .._core.outward import excerpt
from .._http.answers import RawAnswer
from .._http.session import NoAnswer
from .connection import Connection, open_session, request_headers
from .paths import core_path, image_path, segment
from .retry_policy import NORMAL, RetryPolicy
from .shapes import flaw_of

if t.TYPE_CHECKING:
    from .retry import Retry

__all__ = ["MERGE_PATCH", "STRATEGIC_MERGE", "ClusterClient", "core_path", "image_path", "segment"]

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
MERGE_PATCH = "application/merge-patch+json"
DEFAULT_TIMEOUT = 60.0
MAX_PAGES = 10_000
# bytes: a list of thousands of image streams fits; what is no JSON is only quoted from
JSON_LIMIT = 128 * 1024 * 1024
OTHER_LIMIT = 64 * 1024
WARNINGS_SHOWN = 50
# characters
WARNING_LIMIT = 500
_WARNING = r'299 \S+ "((?:[^"\\]|\\.)*)"'


class ClusterClient:
    """Calls one cluster's API. Safe to use from several threads; connections are kept."""

    def __init__(
        self,
        connection: Connection,
        *,
        pool_size: int = 8,
        warn: t.Callable[[str], None] | None = None,
        retry: RetryPolicy = NORMAL,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        """``warn`` gets each different warning of the API server once.

        Raises ConfigurationError, MissingLibraryError.
        """
        self.connection = connection
        self.requests_sent = 0
        self._session = open_session(connection, pool_size)
        self._token = connection.token
        self._warn = warn
        self._warned: set[str] = set()
        self._reached = False
        self._retry = retry
        self._sleep = sleep
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: t.Mapping[str, str] | None = None,
        body: t.Any = None,
        content_type: str = "application/json",
        timeout: float | None = None,
        repeatable: bool = True,
    ) -> t.Any:
        """Send one request; return the decoded JSON object.

        ``path`` starts with ``/`` and is percent-encoded; ``timeout`` is how many seconds to wait for the answer.
        429 and 503 are always retried, what may have been carried out (reset, 500, 502, 504) only if
        ``repeatable``. Raises the ApiError family, ApiUnreachable, ApiOutcomeUnknown.
        """
        url = f"{self.connection.host}{path}" + (f"?{urlencode(query)}" if query else "")
        payload = None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        seconds = DEFAULT_TIMEOUT if timeout is None else timeout
        call: Retry | None = None
        while True:
            token = self._token
            with self._lock:
                self.requests_sent += 1
            try:
                headers = request_headers(self.connection, token, payload, content_type)
                raw = self._session.send(method, url, headers=headers, body=payload, begin=seconds, limit=_limit)
            except NoAnswer as exc:
                call = call or self._retry_of(method, path, body, seconds, repeatable)
                call.note_failure(exc)
                self._reached = self._reached or call.sent
                call.wait_after_failure(self._reached)
                continue
            self._reached = True
            if raw.warnings and self._warn is not None:
                self._surface_warnings(raw.warnings, self._warn)
            data = _decoded(raw)
            flaw = ""
            if data is not None and 200 <= raw.status < 300:
                flaw = _flaw_of_object(data, path) or flaw_of(data)
                if not flaw:
                    return data
            call = call or self._retry_of(method, path, body, seconds, repeatable)
            if raw.status == 401 and self._renew_token(token, call):
                continue
            call.wait_after_error(raw, data, flaw)

    def get(self, path: str, *, query: t.Mapping[str, str] | None = None, timeout: float | None = None) -> t.Any:
        """Read one object."""
        return self.request("GET", path, query=query, timeout=timeout)

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[dict[str, t.Any]]:
        """Return all items of a list, following ``metadata.continue``; no limit is sent, so usually it is one call."""
        items: list[dict[str, t.Any]] = []
        parameters = dict(query or {})
        restarted = False
        for _page in range(MAX_PAGES):
            try:
                page = self.request("GET", path, query=parameters)
            except ApiError as exc:
                if exc.status != 410 or "continue" not in parameters or restarted:
                    raise
                # the list was too old to be continued; begin again, once
                restarted, items, parameters = True, [], dict(query or {})
                continue
            flaw = _flaw_of_list(page)
            if flaw:
                raise self._retry_of("GET", path, None, 0.0, False).misread(flaw)
            items.extend(page.get("items") or [])
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return items
            parameters["continue"] = following
        raise self._retry_of("GET", path, None, 0.0, False).endless(MAX_PAGES)

    def create(
        self, path: str, body: t.Any, *, query: t.Mapping[str, str] | None = None, timeout: float | None = None
    ) -> t.Any:
        """Create an object. It is retried after a broken connection too: what the first try created is a Conflict."""
        return self.request("POST", path, query=query, body=body, timeout=timeout)

    def replace(self, path: str, body: t.Any, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        """Replace an object; with ``metadata.resourceVersion`` in the body no other writer's change is lost."""
        return self.request("PUT", path, query=query, body=body)

    def patch(self, path: str, body: t.Any, content_type: str, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        """Patch an object; ``content_type`` is STRATEGIC_MERGE or MERGE_PATCH."""
        return self.request("PATCH", path, query=query, body=body, content_type=content_type)

    def delete(self, path: str, *, body: t.Any = None, query: t.Mapping[str, str] | None = None) -> t.Any:
        """Delete an object; ``body`` are the DeleteOptions (preconditions, propagation)."""
        return self.request("DELETE", path, query=query, body=body)

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _retry_of(self, method: str, path: str, body: t.Any, timeout: float, repeatable: bool) -> Retry:
        with IMPORTING:
            from .retry import Retry  # noqa: PLC0415 - for a call that did not succeed only
        return Retry(self.connection, method, path, body, self._retry, self._sleep, timeout, repeatable)

    def _renew_token(self, refused: str | None, call: Retry) -> bool:
        """Get a fresh token after a 401, once a call, from where the refused one came; return False if there is none.

        Raises ConfigurationError if the source gives none any more.
        """
        if self.connection.renew_token is None or call.token_renewed:
            return False
        call.token_renewed = True
        call.tries += 1
        with self._lock:
            if self._token == refused:
                self._token = self.connection.renew_token()
            return self._token != refused

    def _surface_warnings(self, headers: t.Iterable[str], warn: t.Callable[[str], None]) -> None:
        for text in _warning_texts(headers):
            with self._lock:
                new = text not in self._warned and len(self._warned) < WARNINGS_SHOWN
                if new:
                    self._warned.add(text)
            if new:
                warn(f"The API server warns: {text}")


def _decoded(raw: RawAnswer) -> dict[str, t.Any] | None:
    """Return the answer's JSON object; None if the answer is none."""
    if raw.content_type != "application/json" or raw.truncated:
        return None
    try:
        data = json.loads(raw.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _warning_texts(headers: t.Iterable[str]) -> t.Iterator[str]:
    """Yield the texts of ``Warning`` headers, bounded."""
    for header in headers:
        for quoted in re.findall(_WARNING, header):
            yield excerpt(re.sub(r"\\(.)", r"\1", quoted), WARNING_LIMIT)


def _limit(_status: int, content_type: str) -> int:
    return JSON_LIMIT if content_type == "application/json" else OTHER_LIMIT


def _flaw_of_object(data: dict[str, t.Any], path: str) -> str:
    """Say why an answer is not an object of the API, whatever its status code says; "" for one that is.

    Completes "the answer".
    """
    if not path.startswith(("/api/", "/apis/")):
        # /version has neither
        return ""
    if not all(isinstance(data.get(key), str) and data[key] for key in ("kind", "apiVersion")):
        return "is JSON without the kind and apiVersion that every object of the API has"
    if data["kind"] == "Status" and data.get("status") == "Failure":
        return "is a Status of a failure"
    return ""


def _flaw_of_list(page: dict[str, t.Any]) -> str:
    """Say why an answer is not a list; "" for one that is."""
    return "" if page["kind"].endswith("List") else f"is a {excerpt(page['kind'], 100)} and not a list"

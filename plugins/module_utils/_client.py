# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only code that talks HTTP to the cluster: one API call with bounded retries, JSON in and out, typed errors.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._api_paths import core_path, image_path, segment
from ansible_collections.quayside.openshift_images.plugins.module_utils._connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import (
    ApiError,
    ApiOutcomeUnknown,
    ApiUnreachable,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._transport import NoAnswer, RawAnswer, Transport

if t.TYPE_CHECKING:
    # What a run without an error does not need is imported where it is used: see _payload.
    from ansible_collections.quayside.openshift_images.plugins.module_utils._api_errors import Answer
    from ansible_collections.quayside.openshift_images.plugins.module_utils._api_target import Target

__all__ = ["MERGE_PATCH", "STRATEGIC_MERGE", "ClusterClient", "RetryPolicy", "core_path", "image_path", "segment"]

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
MERGE_PATCH = "application/merge-patch+json"
DEFAULT_TIMEOUT = 60.0
MAX_PAGES = 10_000
WARNINGS_SHOWN = 50
WARNING_LIMIT = 500
_WARNING = r'299 \S+ "((?:[^"\\]|\\.)*)"'


class RetryPolicy(t.NamedTuple):
    """How often and how long a call is tried again; all times in seconds.

    ``busy_attempts`` for 429 and 503, and for a server that was there before and cannot be connected to any more, since it
    may be starting again; ``broken_attempts`` for everything else that can pass, ``slow_attempts`` where each try costs its
    whole time limit (504 too). The n-th wait is
    ``first_wait`` doubled n times, at most ``longest_wait``, between half and all of it by chance; a Retry-After of the
    server replaces it, within ``longest_wait``. ``total_wait`` ends it whatever the counts say.
    """

    busy_attempts: int = 8
    broken_attempts: int = 4
    slow_attempts: int = 2
    first_wait: float = 0.5
    longest_wait: float = 20.0
    total_wait: float = 60.0


_RETRY = RetryPolicy()


class _Tries:
    """What one call has spent."""

    def __init__(self) -> None:
        self.count = 0
        self.waited = 0.0
        self.token_renewed = False
        self.sent = False


class ClusterClient:
    """Calls one cluster's API. Safe to use from several threads; connections are kept."""

    def __init__(
        self,
        connection: Connection,
        *,
        pool_size: int = 8,
        warn: t.Callable[[str], None] | None = None,
        retry: RetryPolicy = _RETRY,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        """``warn`` gets each different warning of the API server once. Raises ConfigurationError, MissingLibraryError."""
        self.connection = connection
        self.requests_sent = 0
        self._transport = Transport(connection, pool_size)
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
        """One API call; returns the decoded JSON object.

        ``path`` starts with ``/`` and is percent-encoded; ``timeout`` is how many seconds to wait for the answer.
        429 and 503 are tried again always, what may have been carried out (reset, 500, 502, 504) only if ``repeatable``.
        Raises the ApiError family, ApiUnreachable, ApiOutcomeUnknown.
        """
        payload = None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        seconds = DEFAULT_TIMEOUT if timeout is None else timeout
        tries = _Tries()
        while True:
            token = self._token
            tries.count += 1
            with self._lock:
                self.requests_sent += 1
            try:
                raw = self._transport.send(method, path, query or {}, payload, content_type, token, seconds)
            except NoAnswer as exc:
                self._after_failure(exc.cause, _target(method, path, body), tries, seconds, repeatable)
                continue
            self._reached = True
            self._surface_warnings(raw)
            data, flaw = _decoded(raw)
            if data is not None and 200 <= raw.status < 300:
                return data
            if raw.status == 401 and self._renew_token(token, tries):
                continue
            self._after_error(raw, _answer(raw, data, flaw), _target(method, path, body), path, tries, repeatable)

    def get(self, path: str, *, query: t.Mapping[str, str] | None = None, timeout: float | None = None) -> t.Any:
        """Read one object."""
        return self.request("GET", path, query=query, timeout=timeout)

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[dict[str, t.Any]]:
        """All items of a list, following ``metadata.continue``; no limit is sent, so usually it is one call."""
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
            items.extend(item for item in page.get("items") or [] if isinstance(item, dict))
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return items
            parameters["continue"] = following
        raise ApiError(
            f"Cannot {_target('GET', path, None).described()}: the API server's list has no end after {MAX_PAGES} pages; run the task again.",
            status=200,
            method="GET",
            path=path,
        )

    def create(self, path: str, body: t.Any, *, query: t.Mapping[str, str] | None = None, timeout: float | None = None) -> t.Any:
        """POST. Tried again after a broken connection too: what was created by the first try is then a Conflict."""
        return self.request("POST", path, query=query, body=body, timeout=timeout)

    def replace(self, path: str, body: t.Any, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        """PUT; with ``metadata.resourceVersion`` in the body no other writer's change is lost."""
        return self.request("PUT", path, query=query, body=body)

    def patch(self, path: str, body: t.Any, content_type: str, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        """PATCH; ``content_type`` is STRATEGIC_MERGE or MERGE_PATCH."""
        return self.request("PATCH", path, query=query, body=body, content_type=content_type)

    def delete(self, path: str, *, body: t.Any = None, query: t.Mapping[str, str] | None = None) -> t.Any:
        """DELETE; ``body`` are the DeleteOptions (preconditions, propagation)."""
        return self.request("DELETE", path, query=query, body=body)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def _after_failure(self, exc: BaseException, target: Target, tries: _Tries, seconds: float, repeatable: bool) -> None:
        """No answer came: wait for the next try, or raise."""
        from ansible_collections.quayside.openshift_images.plugins.module_utils._connection_failures import failure_of

        failure = failure_of(exc, self.connection, seconds)
        tries.sent = tries.sent or failure.sent
        self._reached = self._reached or failure.sent
        again = failure.passing and (repeatable or not failure.sent)
        if failure.slow:
            attempts = self._retry.slow_attempts
        elif self._reached and not failure.sent:
            attempts = self._retry.busy_attempts
        else:
            attempts = self._retry.broken_attempts
        if again and self._wait(tries, attempts, ""):
            return
        after = f" (tried {tries.count} times)" if tries.count > 1 else ""
        if tries.sent and target.method != "GET":
            tail = "it may have been carried out, so run the task again to see"
            raise ApiOutcomeUnknown(f"Cannot {target.described()}: {failure.text}{after}; {tail}.")
        raise ApiUnreachable(f"Cannot {target.described()}: {failure.text}{after}.")

    def _after_error(self, raw: RawAnswer, answer: Answer, target: Target, path: str, tries: _Tries, repeatable: bool) -> None:
        """An error answer came, or none that an API server gives: wait for the next try, or raise."""
        from ansible_collections.quayside.openshift_images.plugins.module_utils._api_errors import error_of, not_an_api_answer

        if 200 <= answer.status < 300:
            raise not_an_api_answer(answer, target, self.connection, path)
        lost_on_the_way = answer.status in (502, 504) or (answer.status == 503 and _lost_behind_the_api_server(answer))
        if lost_on_the_way and not repeatable:
            raise ApiOutcomeUnknown(
                f"Cannot {target.described()}: the API server {self.connection.host} answered {answer.status} before the work was done"
                f"{_said(answer)}; it may have been carried out, so run the task again to see."
            )
        if answer.status in (429, 503) and self._wait(tries, self._retry.busy_attempts, raw.retry_after):
            return
        # a 504 has cost the whole time that somebody on the way gives an answer
        attempts = self._retry.slow_attempts if answer.status == 504 else self._retry.broken_attempts
        if answer.status in (500, 502, 504) and repeatable and self._wait(tries, attempts, raw.retry_after):
            return
        raise error_of(answer, target, self.connection, path)

    def _wait(self, tries: _Tries, attempts: int, retry_after: str) -> bool:
        """Sleep before the next try; False where no further try is due."""
        policy = self._retry
        if tries.count >= attempts:
            return False
        asked = _asked(retry_after) if retry_after else None
        if asked:
            seconds = min(asked, policy.longest_wait)
            seconds += random.uniform(0, min(1.0, 0.25 * seconds))
        else:
            seconds = min(policy.first_wait * 2 ** (tries.count - 1), policy.longest_wait) * random.uniform(0.5, 1.0)
        if tries.waited + seconds > policy.total_wait:
            return False
        tries.waited += seconds
        self._sleep(seconds)
        return True

    def _renew_token(self, refused: str | None, tries: _Tries) -> bool:
        """After a 401, once a call: a fresh token from where the refused one came; False where there is none.
        Raises ConfigurationError where the source gives none any more."""
        if self.connection.renew_token is None or tries.token_renewed:
            return False
        tries.token_renewed = True
        with self._lock:
            if self._token == refused:
                self._token = self.connection.renew_token()
            return self._token != refused

    def _surface_warnings(self, raw: RawAnswer) -> None:
        if self._warn is None:
            return
        for header in raw.warnings:
            for quoted in re.findall(_WARNING, header):
                text = re.sub(r"\\(.)", r"\1", quoted)[:WARNING_LIMIT]
                with self._lock:
                    new = text not in self._warned and len(self._warned) < WARNINGS_SHOWN
                    if new:
                        self._warned.add(text)
                if new:
                    self._warn(f"The API server warns: {text}")


def _decoded(raw: RawAnswer) -> tuple[dict[str, t.Any] | None, str]:
    """The answer's JSON object, or the flaw that makes it none."""
    if raw.content_type != "application/json":
        return None, f"is no JSON ({raw.content_type or 'no content type'})"
    if raw.truncated:
        return None, f"is longer than {raw.truncated} bytes"
    try:
        data = json.loads(raw.body.decode("utf-8"))
    except UnicodeDecodeError:
        return None, "is not UTF-8 text"
    except (ValueError, RecursionError):
        return None, "is not valid JSON"
    return (data, "") if isinstance(data, dict) else (None, "is not a JSON object")


def _answer(raw: RawAnswer, data: dict[str, t.Any] | None, flaw: str) -> Answer:
    """The answer for an error's sentence: with its JSON object, or with the start of its text."""
    from ansible_collections.quayside.openshift_images.plugins.module_utils._api_errors import Answer

    text = raw.body[:4096].decode("utf-8", "replace") if flaw else ""
    return Answer(raw.status, raw.content_type, text, data, flaw, raw.location)


def _target(method: str, path: str, body: t.Any) -> Target:
    """What the request is about; what a POST creates is named by its body alone."""
    from ansible_collections.quayside.openshift_images.plugins.module_utils._api_target import Target, target_of

    target = target_of(method, path)
    metadata = body.get("metadata") if target.name is None and method == "POST" and isinstance(body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return Target(method, target.group, target.plural, target.namespace, name) if isinstance(name, str) else target


def _asked(retry_after: str) -> float | None:
    from ansible_collections.quayside.openshift_images.plugins.module_utils._retry_after import seconds_to_wait

    return seconds_to_wait(retry_after)


def _lost_behind_the_api_server(answer: Answer) -> bool:
    """The aggregator answers 503 for a server behind it; only where it could not even dial, nothing was carried out."""
    return answer.data is None and "error trying to reach service" in answer.text and "dial " not in answer.text


def _said(answer: Answer) -> str:
    message = answer.data.get("message") if answer.data is not None else answer.text.strip()
    return f": {str(message).strip()[:300]}" if message else ""

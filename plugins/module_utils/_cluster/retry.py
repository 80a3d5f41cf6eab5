# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A call of the API whose try did not succeed: when it is retried, and what is said if it is not.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import random
import typing as t

from .._core.concurrency import IMPORTING
from .._core.errors import ApiError, ApiOutcomeUnknown, ApiUnreachable
from .._core.outward import excerpt
from .._http.answers import RawAnswer
from .._http.session import NoAnswer
from .connection import Connection
from .error_text import Answer, Target, error_of, not_an_api_answer, target_of
from .retry_policy import RetryPolicy

TEXT_LIMIT = 4096
_UNREACHED = "error trying to reach service"


class Retry:
    """One call and what it has spent.

    ``tries`` counts all of its tries, ``sent`` says whether one may have reached the server.
    """

    def __init__(
        self,
        connection: Connection,
        method: str,
        path: str,
        body: t.Any,
        policy: RetryPolicy,
        sleep: t.Callable[[float], None],
        timeout: float,
        repeatable: bool,
    ) -> None:
        """``timeout``: the seconds that each try has; ``repeatable``: carrying it out twice does no harm."""
        self.tries = 0
        self.sent = False
        self.token_renewed = False
        self._connection = connection
        self._target = _target_of_call(method, path, body)
        self._path = path
        self._policy = policy
        self._sleep = sleep
        self._timeout = timeout
        self._repeatable = repeatable
        self._waited = 0.0

    def note_failure(self, failed: NoAnswer) -> None:
        """Note that no answer came to a try."""
        with IMPORTING:
            from .connection_failures import failure_of  # noqa: PLC0415 - for a server that cannot be reached only
        self.tries += 1
        self._failure = failure_of(failed, self._connection, self._timeout)
        self.sent = self.sent or self._failure.sent

    def wait_after_failure(self, reached: bool) -> None:
        """Wait for the next try after the failure that was noted, or raise ApiUnreachable, ApiOutcomeUnknown.

        ``reached``: the server was there before.
        """
        failure = self._failure
        again = failure.passing and (self._repeatable or not failure.sent)
        if failure.slow:
            attempts = self._policy.slow_attempts
        elif reached and not failure.sent:
            attempts = self._policy.busy_attempts
        else:
            attempts = self._policy.broken_attempts
        if again and self._wait(attempts, None):
            return
        after = f" (tried {self.tries} times)" if self.tries > 1 else ""
        if self.sent and self._target.method != "GET":
            tail = "it may have been carried out, so run the task again to see"
            raise ApiOutcomeUnknown(f"Cannot {self._target.described()}: {failure.text}{after}; {tail}.")
        raise ApiUnreachable(f"Cannot {self._target.described()}: {failure.text}{after}.")

    def wait_after_error(self, raw: RawAnswer, data: dict[str, t.Any] | None, flaw: str) -> None:
        """Wait for the next try after an error, or raise one of the family of ApiError, or ApiOutcomeUnknown.

        The error is the server's, or an answer that no API server gives: no JSON object, so no ``data``, or one with
        a ``flaw``.
        """
        self.tries += 1
        answer = _answer(raw, data, flaw)
        if 200 <= answer.status < 300:
            raise not_an_api_answer(answer, self._target, self._connection, self._path)
        lost_on_the_way = answer.status in (502, 504) or (answer.status == 503 and _lost_behind_the_api_server(answer))
        if lost_on_the_way and not self._repeatable:
            raise ApiOutcomeUnknown(
                f"Cannot {self._target.described()}: the API server {self._connection.host} answered {answer.status} "
                f"before the work was done{_said(answer)}; it may have been carried out, so run the task again to see."
            )
        if answer.status in (429, 503) and self._wait(self._policy.busy_attempts, raw.retry_after):
            return
        # a 504 has cost the whole time that somebody on the way gives an answer
        attempts = self._policy.slow_attempts if answer.status == 504 else self._policy.broken_attempts
        if answer.status in (500, 502, 504) and self._repeatable and self._wait(attempts, raw.retry_after):
            return
        raise error_of(answer, self._target, self._connection, self._path)

    def endless(self, pages: int) -> ApiError:
        """Return the error for a list that goes on after so many pages."""
        return ApiError(
            f"Cannot {self._target.described()}: the API server's list has no end after {pages} pages; run the task "
            "again.",
            status=200,
            method=self._target.method,
            path=self._path,
        )

    def misread(self, flaw: str) -> ApiError:
        """Return the error for an answer that is JSON of another form than the API's."""
        return not_an_api_answer(
            Answer(200, "application/json", "", None, flaw), self._target, self._connection, self._path
        )

    def _wait(self, attempts: int, retry_after: float | None) -> bool:
        """Sleep before the next try; False if no further try is due."""
        policy = self._policy
        if self.tries >= attempts:
            return False
        if retry_after:
            seconds = min(retry_after, policy.longest_wait)
            seconds += random.uniform(0, min(1.0, 0.25 * seconds))
        else:
            seconds = min(policy.first_wait * 2 ** (self.tries - 1), policy.longest_wait) * random.uniform(0.5, 1.0)
        if self._waited + seconds > policy.total_wait:
            return False
        self._waited += seconds
        self._sleep(seconds)
        return True


def _target_of_call(method: str, path: str, body: t.Any) -> Target:
    """Return what the request is about; what a POST creates is named by its body alone."""
    target = target_of(method, path)
    metadata = body.get("metadata") if target.name is None and method == "POST" and isinstance(body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return Target(method, target.group, target.plural, target.namespace, name) if isinstance(name, str) else target


def _answer(raw: RawAnswer, data: dict[str, t.Any] | None, flaw: str) -> Answer:
    flaw = flaw if data is not None else _flaw(raw)
    text = excerpt(raw.body[: 2 * TEXT_LIMIT].decode("utf-8", "replace"), TEXT_LIMIT) if flaw else ""
    return Answer(raw.status, raw.content_type, text, data, flaw, raw.location)


def _flaw(raw: RawAnswer) -> str:
    """Return why the answer is no JSON object; completes "the answer"."""
    if raw.content_type != "application/json":
        return f"is no JSON ({excerpt(raw.content_type, 100) or 'no content type'})"
    if raw.truncated:
        return f"is longer than {raw.truncated} bytes"
    try:
        json.loads(raw.body.decode("utf-8"))
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    except (ValueError, RecursionError):
        return "is not valid JSON"
    return "is not a JSON object"


def _lost_behind_the_api_server(answer: Answer) -> bool:
    """Tell whether a server behind the aggregator may have carried out what was answered with 503.

    If the aggregator could not even dial, nothing was carried out.
    """
    text = answer.text.lstrip()
    return answer.data is None and text.startswith(_UNREACHED) and not text.startswith(f"{_UNREACHED}: dial ")


def _said(answer: Answer) -> str:
    message = answer.data.get("message") if answer.data is not None else answer.text.strip()
    return f": {excerpt(str(message).strip(), 300)}" if message else ""

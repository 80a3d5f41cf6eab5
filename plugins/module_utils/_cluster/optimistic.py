# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading, computing and writing back without losing what somebody else writes at the same time.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A write carries the resourceVersion that was read; if another writer came between, the API server answers 409
(contract case resource_version_conflict) and everything begins again with what is on the cluster now.
"""

from __future__ import annotations

import random
import time
import typing as t

from .._core.errors import (
    CollectionError,
    Conflict,
    NotFound,
    may_have_been_done,
)

Result = t.TypeVar("Result")
Sleep = t.Callable[[float], None]

# With ten writers of one object each round has one winner; the random waits let far fewer than ten collide.
ATTEMPTS = 20
_FIRST_WAIT = 0.05
_LONGEST_WAIT = 1.0
# for a server that is in trouble
_FIRST_WAIT_UNANSWERED = 0.5


class StillConflicting(CollectionError):
    """Other writers were faster every time, so the change was not made."""


class RetryNeeded(Exception):
    """The attempt found the object changed, created or gone since it was read, or does not know what became of its
    write (``unanswered``): it has to begin again."""

    def __init__(self, unanswered: bool = False) -> None:
        super().__init__()
        self.unanswered = unanswered


class WriteTracker(t.Generic[Result]):
    """Remembers the write whose outcome is not known, so that the next attempt, which reads what became of it, can
    tell.

    ``limit`` such writes are sent at most; the last one is looked at too before its error stands. The requests must
    not be repeated by the client itself: the Conflict of a repeated one would hide that the first one was carried
    out.
    """

    def __init__(self, limit: int = 3) -> None:
        self._limit = self._left = limit
        self.progressed = False
        self.last: Result | None = None
        self.unanswered: CollectionError | None = None

    def send(self, write: t.Callable[[], t.Any], meaning: Result) -> None:
        """Carry out ``write``.

        Raise ``RetryNeeded`` if it has to be planned again, because of another writer or of a missing answer.
        """
        if self.unanswered is not None and self._left <= 0:
            raise self.unanswered
        try:
            write()
        except (Conflict, NotFound) as exc:
            if isinstance(exc, NotFound) and exc.details.get("kind") == "namespaces":
                raise
            raise RetryNeeded from None
        except CollectionError as exc:
            if not may_have_been_done(exc):
                raise
            self._left -= 1
            self.last, self.unanswered = meaning, exc
            raise RetryNeeded(unanswered=True) from None
        self.unanswered = None

    def note_progress(self) -> None:
        """Let the limits begin again.

        Part of the work was done before another writer, or a missing answer, came between.
        """
        self._left = self._limit
        self.progressed = True


def retry_until_settled(
    attempt: t.Callable[[], Result],
    subject: str,
    writes: WriteTracker[t.Any],
    *,
    sleep: Sleep = time.sleep,
    attempts: int = ATTEMPTS,
) -> Result:
    """Return what ``attempt`` returns; repeat it, after a short random wait, whenever somebody else came between.

    ``attempt`` reads, computes and writes through ``writes``. ``subject`` begins the sentence of
    ``StillConflicting``; waits are at most a second each, or a few if the server did not say what it did. If
    even the reading fails then, the error is that of the write, which may have been carried out.
    """
    turn = unanswered = 1
    while True:
        try:
            return attempt()
        except RetryNeeded as exc:
            if writes.progressed:
                turn, unanswered, writes.progressed = 1, 1, False
            if turn >= attempts:
                raise StillConflicting(
                    f"{subject} was changed by somebody else each of the {attempts} times that it was about to be "
                    "written; find out who keeps changing it, then run the task again"
                ) from None
            if exc.unanswered:
                wait, unanswered = _FIRST_WAIT_UNANSWERED * 2.0 ** min(unanswered - 1, 3), unanswered + 1
            else:
                wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(turn, 6))
        except CollectionError as exc:
            if writes.unanswered is None or exc is writes.unanswered:
                raise
            raise writes.unanswered from exc
        sleep(random.uniform(0.2, 1.0) * wait)
        turn += 1

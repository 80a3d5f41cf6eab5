# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on many objects of the cluster at once, each with an outcome of its own.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .concurrent_map import concurrent_map
from .errors import ApiUnreachable, CollectionError, Unauthorized

Item = t.TypeVar("Item")
Outcome = t.TypeVar("Outcome", bound="HasError")

WIDTH = 8
_NAMED_IN_A_SENTENCE = 5


class HasError(t.Protocol):
    """An outcome that says what went wrong, or None."""

    @property
    def error(self) -> CollectionError | None:
        """What stopped it, or None."""


class NotTried(CollectionError):
    """The cluster was found to be out of reach, or the token to be refused, before it was this object's turn."""


class ReadFailure(NamedTuple):
    """A part that could not be read. ``namespace`` is ``*`` where it is about all; ``resource`` is its plural."""

    namespace: str
    resource: str
    error: CollectionError


def each_with_outcome(
    items: t.Sequence[Item], work: t.Callable[[Item], Outcome], failed: t.Callable[[Item, CollectionError], Outcome], *, width: int = WIDTH
) -> list[Outcome]:
    """Return ``work`` of every item, in their order; at most ``width`` at once.

    Once the cluster cannot be reached at all, or does not accept the token, the items whose turn has not come get the
    outcome that ``failed`` makes: waiting for each of hundreds to fail alike would help nobody. A mistake in ``work`` is an
    outcome of its item too.
    """
    given_up: list[CollectionError] = []

    def one(item: Item) -> Outcome:
        if given_up:
            return failed(item, NotTried(f"not tried, because of this: {given_up[0]}"))
        try:
            outcome = work(item)
        except Exception as exc:
            from .internal_error import internal_error

            return failed(item, internal_error(exc))
        if isinstance(outcome.error, (ApiUnreachable, Unauthorized)):
            given_up.append(outcome.error)
        return outcome

    return concurrent_map(one, items, width)


def without_dot(text: object) -> str:
    """Return a sentence for use inside of another one."""
    return str(text).rstrip(".")


def failure_sentence(what: str, failures: t.Sequence[tuple[str, CollectionError]], total: int) -> str | None:
    """Return the failure message for the named failures of ``total`` items; None where there is none.

    The only item's error is the message itself; otherwise each failed item is named, the first few with their errors.
    """
    if not failures:
        return None
    if total == 1:
        return str(failures[0][1])
    parts = [f"{name}: {without_dot(error)}" for name, error in failures[:_NAMED_IN_A_SENTENCE]]
    rest = [name for name, _error in failures[_NAMED_IN_A_SENTENCE:]]
    if rest:
        parts.append(f"and likewise {', '.join(rest)} (their errors are in the result)")
    extent = f"all {total}" if len(failures) == total else f"{len(failures)} of {total}, the others were done"
    return f"{what} failed for {extent}: {'; '.join(parts)}."

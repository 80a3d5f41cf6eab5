# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on many objects of the cluster at once, each with an outcome of its own.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .errors import ApiUnreachable, CollectionError, Unauthorized, internal_error

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")
Outcome = t.TypeVar("Outcome", bound="HasError")

WIDTH = 8
# Hold this around an import in code that may run in a thread: before Python 3.10 a thread sees half of what another
# one is importing from the archive that Ansible makes of a module.
IMPORTING = threading.Lock()


class HasError(t.Protocol):
    """An outcome that says what went wrong, or None."""

    @property
    def error(self) -> CollectionError | None:
        """Return what stopped it, or None."""


class NotTried(CollectionError):
    """The cluster was found to be out of reach, or the token to be refused, before it was this object's turn."""


def concurrent_map(work: t.Callable[[Item], Result], items: t.Collection[Item], width: int) -> list[Result]:
    """Return ``work`` of every item, in their order; at most ``width`` at once.

    What ``work`` raises first, in that order, is raised when everything that had begun has ended.
    """
    if len(items) < 2 or width < 2:
        # threads cost more than they gain
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(width, len(items))) as pool:
        return list(pool.map(work, items))


def each_with_outcome(
    items: t.Sequence[Item],
    work: t.Callable[[Item], Outcome],
    failed: t.Callable[[Item, CollectionError], Outcome],
    *,
    width: int = WIDTH,
) -> list[Outcome]:
    """Return ``work`` of every item, in their order; at most ``width`` at once.

    Once the cluster cannot be reached at all, or does not accept the token, the items whose turn has not come get
    the outcome that ``failed`` makes: waiting for each of hundreds to fail alike would help nobody. A mistake in
    ``work`` is an outcome of its item too.
    """
    given_up: list[CollectionError] = []

    def one(item: Item) -> Outcome:
        if given_up:
            return failed(item, NotTried(f"not tried, because of this: {given_up[0]}"))
        try:
            outcome = work(item)
        except Exception as exc:
            return failed(item, internal_error(exc))
        if isinstance(outcome.error, (ApiUnreachable, Unauthorized)):
            given_up.append(outcome.error)
        return outcome

    return concurrent_map(one, items, width)

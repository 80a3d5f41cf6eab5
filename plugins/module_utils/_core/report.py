# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's work hands back: the last step of the road options, desired, observed, plan, apply, report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .diff import Difference
from .errors import CollectionError

_NAMED_IN_A_SENTENCE = 5


class Report:
    """The outcome of one module run. Holds JSON types only, and never a credential.

    ``failure`` is the complete message for the person at the screen if something was refused although the rest was
    done; ``results`` is returned in that case too, so that nothing is lost. ``differences`` are what diff mode
    prints, an entry for each object.
    """

    def __init__(
        self,
        changed: bool,
        results: dict[str, t.Any] | None = None,
        differences: t.Sequence[Difference] = (),
        failure: str | None = None,
        warnings: list[str] | None = None,
    ) -> None:
        self.changed = changed
        self.results = results or {}
        self.differences = list(differences)
        self.failure = failure
        self.warnings = warnings or []

    @property
    def before(self) -> dict[str, t.Mapping[str, t.Any]]:
        """Return the objects as they were, by name, without those that were not there."""
        return {one.name: one.before for one in self.differences if one.before is not None}

    @property
    def after(self) -> dict[str, t.Mapping[str, t.Any]]:
        """Return the objects as they are now, or will be, by name, without those that are not there."""
        return {one.name: one.after for one in self.differences if one.after is not None}


class ReadFailure(NamedTuple):
    """A part that could not be read. ``namespace`` is ``*`` if it is about all; ``resource`` is its plural."""

    namespace: str
    resource: str
    error: CollectionError


def without_dot(text: object) -> str:
    """Return a sentence for use inside of another one."""
    return str(text).rstrip(".")


def failure_sentence(what: str, failures: t.Sequence[tuple[str, CollectionError]], total: int) -> str | None:
    """Return the failure message for the named failures of ``total`` items; None if there is none.

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


def listed(names: t.Sequence[str], at_most: int = 8) -> str:
    """Return the names for a sentence: the first ones, and how many there are besides."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")

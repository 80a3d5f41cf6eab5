# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What diff mode shows: one entry for each object, one line for each value that changes, complete in itself.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .outward import visible

View = t.Optional[t.Mapping[str, t.Any]]
Lines = t.Callable[[View, View], "tuple[list[str], list[str]]"]

_PRESENT = "state: present"


def value_lines(before: View, after: View) -> tuple[list[str], list[str]]:
    """Return the lines of both sides of an object: ``path: value`` for each value, and only those that differ."""
    return only_different(list(_lines(before)), list(_lines(after)))


def only_different(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines that one side has and the other has not; all of them if only their order differs."""
    if before == after:
        return [], []
    left, right = set(before), set(after)
    if left == right:
        return before, after
    return [line for line in before if line not in right], [line for line in after if line not in left]


def shown_value(value: t.Any) -> str:
    """Return one value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return visible(str(value))


def _lines(value: t.Any, path: str = "") -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        for key, inner in value.items():
            yield from _lines(inner, f"{path}{visible(str(key))}: ")
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _lines(inner, path)
    elif value is not None and value != "":
        yield f"{path}{shown_value(value)}"


class Difference(NamedTuple):
    """One object before and after a run, as values that a person may see; None if it does not exist.

    ``kind`` is its kind in words, ``name`` is ``namespace/name``; ``lines`` turns the two sides into lines.
    """

    kind: str
    name: str
    before: View
    after: View
    lines: Lines = value_lines

    def as_diff(self) -> dict[str, str]:
        """Return an entry of the result ``diff``, as Ansible prints it."""
        before, after = self.lines(self.before, self.after)
        if not before and not after:
            before, after = ([] if side is None else [_PRESENT] for side in (self.before, self.after))
        header = f"{self.kind} {self.name}"
        return {
            "before_header": header,
            "after_header": header,
            "before": "".join(f"{line}\n" for line in before),
            "after": "".join(f"{line}\n" for line in after),
        }

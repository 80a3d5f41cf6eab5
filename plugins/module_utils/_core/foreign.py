# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inward wall: what clusters, registries and earlier files say is checked here, before anything is computed with
it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

An API server, or whatever answers in its place, can send JSON of any form, and users of a namespace can store almost
any text. A shape says which types the fields that the code reads must have: ``str``, ``int`` or ``bool``;
``[shape]`` for a list of such values; a mapping for an object with these fields, others are left alone;
``Each(shape)`` for an object with any keys; ``Name()`` for a name. A field that is missing or null fits every shape
but ``Needed(shape)``.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .outward import excerpt, visible

# characters: the longest name of Kubernetes, a stream's namespace and name, a tag
NAME_LIMIT = 255
_SHOWN = 80
_KINDS: dict[type, str] = {
    str: "a string",
    int: "a number",
    float: "a fraction",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


class Each(NamedTuple):
    """The shape of every value of an object, whatever its keys."""

    shape: t.Any


class Name(NamedTuple):
    """The shape of a name that later steps compute with: a string that the outward wall would not change."""


class Needed(NamedTuple):
    """The shape of a field that has to be there."""

    shape: t.Any


def misfit(value: t.Any, shape: t.Any) -> str | None:
    """Return what does not fit the shape, as in ``spec.tags[3].name is a number and not a string``.

    Return None if all does.
    """
    found = _flaw(value, shape)
    if found is None:
        return None
    place, flaw = found
    return f"{place.removeprefix('.') or 'it'} {flaw}"


def _flaw(value: t.Any, shape: t.Any) -> tuple[str, str] | None:
    """Return the first place that does not fit, and why.

    The place is put together on the way back: answers of thousands of objects fit almost always.
    """
    if isinstance(shape, Needed):
        if value is None:
            return "", "is missing"
        shape = shape.shape
    if value is None or shape is None:
        return None
    if isinstance(shape, Name):
        if not isinstance(value, str):
            return _unlike(value, str)
        if is_plain(value):
            return None
        return "", "is no name, because it holds other than visible characters or is too long"
    if isinstance(shape, type):
        # a boolean is an int to Python, and is none to anybody else
        fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        return None if fits else _unlike(value, shape)
    if isinstance(shape, list):
        return _flaw_of_items(value, Needed(shape[0])) if isinstance(value, list) else _unlike(value, list)
    if not isinstance(value, dict):
        return _unlike(value, dict)
    inner = dict.fromkeys(value, shape.shape) if isinstance(shape, Each) else shape
    for key, wanted in inner.items():
        found = _flaw(value.get(key), wanted)
        if found is not None:
            return f".{excerpt(str(key), _SHOWN)}{found[0]}", found[1]
    return None


def _flaw_of_items(items: list[t.Any], shape: Needed) -> tuple[str, str] | None:
    for index, item in enumerate(items):
        found = _flaw(item, shape)
        if found is not None:
            return f"[{index}]{found[0]}", found[1]
    return None


def _unlike(value: t.Any, wanted: type) -> tuple[str, str]:
    return "", f"is {_KINDS.get(type(value), 'something else')} and not {_KINDS[wanted]}"


def is_plain(text: str) -> bool:
    """Return whether a name can be shown as it is: the outward wall would not change it."""
    return 0 < len(text) <= NAME_LIMIT and visible(text) == text

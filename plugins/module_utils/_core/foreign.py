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


def misfit(value: t.Any, shape: t.Any, path: str = "") -> str | None:
    """Return what does not fit the shape, as in ``spec.tags[3].name is a number and not a string``.

    Return None if all does.
    """
    if isinstance(shape, Needed):
        if value is None:
            return f"{path} is missing"
        shape = shape.shape
    if value is None or shape is None:
        return None
    if isinstance(shape, Name):
        if isinstance(value, str):
            return (
                None
                if is_plain(value)
                else f"{path} is no name, because it holds other than visible characters or is too long"
            )
        return _unlike(value, str, path)
    if isinstance(shape, type):
        # a boolean is an int to Python, and is none to anybody else
        fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        return None if fits else _unlike(value, shape, path)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _unlike(value, list, path)
        return _first(misfit(item, Needed(shape[0]), f"{path}[{index}]") for index, item in enumerate(value))
    if not isinstance(value, dict):
        return _unlike(value, dict, path)
    if isinstance(shape, Each):
        return _first(
            misfit(inner, shape.shape, _inside(path, excerpt(str(key), _SHOWN))) for key, inner in value.items()
        )
    return _first(misfit(value.get(key), inner, _inside(path, key)) for key, inner in shape.items())


def _first(found: t.Iterator[str | None]) -> str | None:
    return next((text for text in found if text is not None), None)


def _inside(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _unlike(value: t.Any, wanted: type, path: str) -> str:
    return f"{path or 'it'} is {_KINDS.get(type(value), 'something else')} and not {_KINDS[wanted]}"


def is_plain(text: str) -> bool:
    """Return whether a name can be shown as it is: the outward wall would not change it."""
    return 0 < len(text) <= NAME_LIMIT and visible(text) == text

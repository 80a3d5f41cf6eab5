# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inward wall: what clusters, registries and earlier files say is checked here, before anything is computed with it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

An API server, or whatever answers in its place, can send JSON of any form, and users of a namespace can store almost any text. A name
that the outward wall would change is refused here, so that nothing computes with a name other than the one that is shown.
"""

from __future__ import annotations

import typing as t

from .errors import CollectionError, InputError
from .outward import excerpt, visible

# characters: the longest name of Kubernetes, a stream's namespace and name, a tag
NAME_LIMIT = 255
_SHOWN = 80


class ForeignError(CollectionError):
    """An object that somebody else wrote does not have the form that it must have, so it was not used."""


class ForeignObject:
    """One JSON object that somebody else wrote, read by the types that its fields must have.

    ``name`` says in messages what it is, with ``parent``, the object that it is a part of. A field that is missing or null gives
    the empty value of its type; one of another type raises ForeignError.
    """

    def __init__(self, value: t.Any, name: str, parent: ForeignObject | None = None) -> None:
        self._name = name
        self._parent = parent
        if not isinstance(value, t.Mapping):
            raise ForeignError(f"{self.what} is {_kind_of(value)} and not an object; the answer is not one of the API")
        self._value = value

    @property
    def what(self) -> str:
        """Return what the object is, in words."""
        return self._name if self._parent is None else f"{self._name} of {self._parent.what}"

    def text(self, key: str) -> str:
        """Return the string at ``key``."""
        return t.cast(str, self._get(key, str, ""))

    def number(self, key: str) -> int:
        """Return the integer at ``key``."""
        value = self._get(key, int, 0)
        if isinstance(value, bool):
            raise self._wrong(key, value, "a number")
        return t.cast(int, value)

    def flag(self, key: str) -> bool:
        """Return the boolean at ``key``."""
        return t.cast(bool, self._get(key, bool, False))

    def object(self, key: str) -> ForeignObject:
        """Return the object at ``key``."""
        return ForeignObject(self._get(key, dict, {}), key, self)

    def objects(self, key: str) -> list[ForeignObject]:
        """Return the list of objects at ``key``."""
        return [ForeignObject(item, f"an entry of {key}", self) for item in self._get(key, list, [])]

    def texts(self, key: str) -> dict[str, str]:
        """Return the mapping of strings to strings at ``key``: labels or annotations."""
        found = self._get(key, dict, {})
        for name, value in found.items():
            if not isinstance(value, str):
                raise self._wrong(f"{key}.{excerpt(str(name), _SHOWN)}", value, "a string")
        return t.cast("dict[str, str]", found)

    def _get(self, key: str, kind: type, otherwise: t.Any) -> t.Any:
        value = self._value.get(key)
        if value is None:
            return otherwise
        if not isinstance(value, kind):
            raise self._wrong(key, value, {str: "a string", int: "a number", bool: "true or false", dict: "an object", list: "a list"}[kind])
        return value

    def _wrong(self, key: str, value: t.Any, wanted: str) -> ForeignError:
        return ForeignError(f"{key} of {self.what} is {_kind_of(value)} and not {wanted}; the answer is not one of the API")


def is_plain(text: str) -> bool:
    """Return whether a name can be shown as it is: the outward wall would not change it."""
    return 0 < len(text) <= NAME_LIMIT and visible(text) == text


def accepted(check: t.Callable[..., None], *arguments: str) -> bool:
    """Return whether ``check``, a rule of options that raises InputError, accepts the names."""
    try:
        check(*arguments)
    except InputError:
        return False
    return True


def shown_name(text: str) -> str:
    """Return a name of others as a part of a message, whatever it holds."""
    return excerpt(text, _SHOWN)


def _kind_of(value: t.Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds: dict[type, str] = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "null")

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our named tuples beside those of ``typing``: the same class statement makes the same class."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.named_tuple import NamedTuple


def place(base: t.Any) -> t.Any:
    class Place(base):  # type: ignore[misc]
        """A place."""

        host: str
        port: int | None = None
        NAME = "place"

        def __repr__(self) -> str:
            return f"<{self.host}>"

        @property
        def shown(self) -> str:
            """Both parts."""
            return f"{self.host}:{self.port}"

        @classmethod
        def parse(cls, text: str) -> t.Any:
            return cls(*text.split(":"))

    return Place


def test_the_class_is_what_typing_makes() -> None:
    ours, theirs = place(NamedTuple), place(t.NamedTuple)
    kept = ("_fields", "_field_defaults", "__name__", "__qualname__", "__module__", "__doc__", "__bases__", "NAME")
    assert [getattr(ours, name) for name in kept] == [getattr(theirs, name) for name in kept]
    assert str(inspect.signature(ours)) == "(host, port=None)"


@pytest.mark.parametrize("base", [NamedTuple, t.NamedTuple])
def test_values(base: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = place(base)
    # pickle finds a class by its name
    kind.__qualname__ = "Place"
    monkeypatch.setitem(globals(), "Place", kind)
    one = kind("a", 1)
    assert (one, repr(one), one.shown) == (("a", 1), "<a>", "a:1")
    assert (one._replace(port=2), one._asdict(), kind("a").port) == (("a", 2), {"host": "a", "port": 1}, None)
    assert kind.parse("b:3") == ("b", "3")
    assert [pickle.loads(pickle.dumps(one)), copy.deepcopy(one)] == [one, one]
    assert hash(one) == hash(("a", 1))
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(AttributeError):
        one.port = 2

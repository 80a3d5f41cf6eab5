# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON as Go's decoders read it where Python reads it otherwise: a key that stands there twice, and the case of
keys."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Iterator


class Members(list[tuple[str, t.Any]]):
    """The members of a JSON object as they stand in the text, each as often as it stands there."""


def parse(text: str) -> t.Any:
    """Return a document whose objects are ``Members``; ValueError for what is no JSON."""
    return json.loads(text, object_pairs_hook=Members)


def fields(members: Members, names: Iterable[str]) -> Iterator[tuple[str, t.Any]]:
    """Yield what encoding/json puts into a struct with these fields, in this order: their case does not count."""
    known = {_folded(name): name for name in names}
    for key, value in members:
        if _folded(key) in known:
            yield known[_folded(key)], value


def decode(text: str) -> t.Any:
    """Return a document as Kubernetes' decoder leaves it in the structs and maps of a kind: of an object that stands
    there twice the members come together, of anything else the last one counts."""
    return json.loads(text, object_pairs_hook=_merged)


def _merged(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for key, value in pairs:
        present = found.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            value = _merged([*present.items(), *value.items()])
        found[key] = value
    return found


def _folded(key: str) -> str:
    """Return a key as Go compares it.

    The long s is the only character besides capitals that Go takes for an ASCII letter and ``lower`` does not.
    """
    return key.replace("\N{LATIN SMALL LETTER LONG S}", "s").lower()

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON patches (RFC 6902) as the API server applies them, with the freedoms that its library takes.

Those are: ``replace`` of an object's missing key adds it, ``test`` of a missing key against null holds, and a negative
index counts from the end of a list.
"""

from __future__ import annotations

import copy
import json
import re
import typing as t

from .gotext import json_type
from .statuses import bad_request, rejected_patch, too_large_patch

_LIMIT = 10000
_TEXTS = ("op", "path", "from")
_INDEX = re.compile(r"[+-]?[0-9]+")


class _DoesNotApply(Exception):
    """An operation that cannot be done; the server says no more than that."""


def apply_json_patch(current: t.Any, operations: t.Any) -> t.Any:
    """Return the document after all operations; 422 if one does not apply (contract case service_account_lists)."""
    _require_patch(operations)
    document = copy.deepcopy(current)
    try:
        for operation in operations or []:
            document = _apply(document, operation or {})
    except _DoesNotApply:
        raise rejected_patch() from None
    return document


def _require_patch(operations: t.Any) -> None:
    """400 for what is no list of operations, in the words of the server's decoder; 413 for too many."""
    problem = ""
    if operations is not None and not isinstance(operations, list):
        problem = f"json: cannot unmarshal {json_type(operations)} into Go value of type []handlers.jsonPatchOp"
    for operation in operations or [] if not problem else []:
        if operation is not None and not isinstance(operation, dict):
            problem = (
                problem or f"json: cannot unmarshal {json_type(operation)} into Go value of type handlers.jsonPatchOp"
            )
        for field in _TEXTS if isinstance(operation, dict) else ():
            if not isinstance(operation.get(field), str | None):
                problem = (
                    problem
                    or f"json: cannot unmarshal {json_type(operation[field])} into Go struct field jsonPatchOp.{field} "
                    "of type string"
                )
    if problem:
        raise bad_request(f"error decoding patch: {problem}")
    if len(operations or []) > _LIMIT:
        raise too_large_patch(_LIMIT, len(operations))


def _apply(document: t.Any, operation: dict[str, t.Any]) -> t.Any:
    kind, path = operation.get("op"), operation.get("path")
    if path is None:
        raise _DoesNotApply
    if path == "" and kind == "replace":
        if not isinstance(operation.get("value"), dict | list):
            raise _DoesNotApply
        return operation["value"]
    if path == "" and kind == "test":
        _require_equal(document, operation.get("value"))
        return document
    value = operation.get("value")
    if kind in ("move", "copy"):
        source, key = _place(document, operation.get("from"))
        value = copy.deepcopy(_get(source, key))
        if kind == "move":
            _remove(source, key)
    place, key = _place(document, path)
    if kind in ("add", "move", "copy"):
        _add(place, key, value)
    elif kind == "replace":
        _get(place, key)
        place[key if isinstance(place, dict) else _index(key, len(place))] = value
    elif kind == "remove":
        _remove(place, key)
    elif kind == "test":
        _require_equal(_get(place, key), value)
    else:
        raise _DoesNotApply
    return document


def _place(document: t.Any, path: str | None) -> tuple[t.Any, str]:
    """Return the object or list that a path leads into, and the last part of the path."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in (path or "").split("/")]
    if len(parts) < 2:
        raise _DoesNotApply
    for part in parts[1:-1]:
        document = _get(document, part)
        if not isinstance(document, dict | list):
            raise _DoesNotApply
    return document, parts[-1]


def _get(place: t.Any, key: str) -> t.Any:
    """Return a value; None for a key that an object does not have."""
    return place.get(key) if isinstance(place, dict) else place[_index(key, len(place))]


def _add(place: t.Any, key: str, value: t.Any) -> None:
    if isinstance(place, dict):
        place[key] = value
    else:
        place.insert(len(place) if key == "-" else _index(key, len(place) + 1), value)


def _remove(place: t.Any, key: str) -> None:
    if isinstance(place, list):
        del place[_index(key, len(place))]
    elif key in place:
        del place[key]
    else:
        raise _DoesNotApply


def _index(key: str, length: int) -> int:
    """Return a position below ``length``."""
    number = int(key) if _INDEX.fullmatch(key) else length
    if not -length <= number < length:
        raise _DoesNotApply
    return number % length


def _require_equal(one: t.Any, other: t.Any) -> None:
    """Equal as JSON text is: 1 is neither true nor 1.0; the order of keys does not count."""
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True):
        raise _DoesNotApply

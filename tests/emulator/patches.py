# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merge and strategic merge patches, as the API server applies them; JSON patches are in ``json_patch``."""

from __future__ import annotations

import typing as t

from .gotext import go_text
from .resources import MergeKeys
from .statuses import StatusError, bad_request

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def merge(current: t.Any, patch: t.Any) -> t.Any:
    """RFC 7396: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def strategic_merge(current: t.Any, patch: t.Any, rules: MergeKeys) -> t.Any:
    """Return a strategic merge patch: like ``merge``, but lists with a merge key merge element by element.

    Understands the directives ``$patch`` (merge, replace, delete), ``$retainKeys``, ``$setElementOrder/...`` and
    ``$deleteFromPrimitiveList/...``.
    """
    if not isinstance(patch, dict):
        return patch
    patch = dict(patch)
    directive = patch.pop("$patch", None)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown value of $patch: {directive}")
    merged = dict(current) if isinstance(current, dict) else {}
    retained = patch.pop("$retainKeys", None)
    if retained is not None:
        merged = {key: value for key, value in merged.items() if key in retained}
    for key in [key for key in patch if key.startswith(_DELETE)]:
        unwanted = patch.pop(key)
        field = key.removeprefix(_DELETE)
        merged[field] = [value for value in merged.get(field) or [] if value not in unwanted]
    orders = {key.removeprefix(_ORDER): patch.pop(key) for key in list(patch) if key.startswith(_ORDER)}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge_field(merged.get(key), value, rules.get(key), orders.get(key))
    for key in orders:
        if key not in patch and isinstance(merged.get(key), list):
            merged[key] = _merge_field(merged[key], [], rules.get(key), orders[key])
    return merged


def _merge_field(current: t.Any, value: t.Any, rule: t.Any, order: list[t.Any] | None) -> t.Any:
    if isinstance(value, list):
        if rule is None or isinstance(rule, dict):
            return value
        merge_key, element_rules = rule if isinstance(rule, tuple) else (rule, {})
        existing = current if isinstance(current, list) else []
        if merge_key == "":
            return existing + [element for element in value if element not in existing]
        return _merge_list(existing, value, merge_key, element_rules, order)
    return strategic_merge(current, value, rule if isinstance(rule, dict) else {})


def _key(element: t.Any, merge_key: str) -> t.Any:
    if not isinstance(element, dict) or merge_key not in element:
        raise StatusError(500, "", f"map: {go_text(element)} does not contain declared merge key: {merge_key}")
    return element[merge_key]


def _merge_list(
    current: list[t.Any],
    patch: list[t.Any],
    merge_key: str,
    rules: MergeKeys,
    order: list[t.Any] | None,
) -> list[t.Any]:
    elements = [element for element in patch if element != {"$patch": "replace"}]
    if len(elements) != len(patch):
        return elements
    merged = {_key(element, merge_key): element for element in current}
    server_order = list(merged)
    for element in elements:
        key = _key(element, merge_key)
        if element.get("$patch") == "delete":
            merged.pop(key, None)
        else:
            merged[key] = strategic_merge(merged.get(key), element, rules)
    wished = [_key(element, merge_key) for element in order] if order else [_key(e, merge_key) for e in elements]
    return [merged[key] for key in _element_order(wished, server_order, merged)]


def _element_order(wished: list[t.Any], server_order: list[t.Any], present: t.Container[t.Any]) -> list[t.Any]:
    """Elements that the patch names stand in its order and before those it does not name, unless the server had one
    of the latter in front (contract case service_account_lists: a new element comes first)."""
    left = [key for key in dict.fromkeys(wished) if key in present]
    right = [key for key in server_order if key in present and key not in left]
    position = {key: index for index, key in enumerate(server_order)}
    result: list[t.Any] = []
    while left and right:
        behind = left[0] in position and position[left[0]] > position[right[0]]
        result.append((right if behind else left).pop(0))
    return result + left + right

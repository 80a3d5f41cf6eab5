# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label and field selectors of list requests."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping

from .gotext import quote
from .statuses import bad_request

Test = Callable[[Mapping[str, t.Any]], bool]

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)$")
_COMPARE = re.compile(r"^(?P<key>[^=!\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^=!\s]*)$")
_EXISTS = re.compile(r"^(?P<absent>!?)\s*(?P<key>[A-Za-z0-9][\w./-]*)$")
_COMMON = {"metadata.name": ("metadata", "name"), "metadata.namespace": ("metadata", "namespace")}
_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "ImageStream": {
        "spec.dockerImageRepository": ("spec", "dockerImageRepository"),
        "status.dockerImageRepository": ("status", "dockerImageRepository"),
    },
    "Namespace": {"status.phase": ("status", "phase")},
    "Pod": {"spec.nodeName": ("spec", "nodeName"), "status.phase": ("status", "phase")},
    "Secret": {"type": ("type",)},
}
# These say it in fewer words than the others.
_SHORT_REFUSAL = ("Namespace", "Pod", "Secret")


def _split(selector: str) -> list[str]:
    """At the commas outside of parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", selector) if part.strip()]


def label_test(selector: str) -> Test:
    """Return a test of objects for a label selector: equality, sets and existence."""
    tests = [_label_term(term) for term in _split(selector)]

    def matches(item: Mapping[str, t.Any]) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def _label_term(term: str) -> Test:
    if found := _SET.match(term):
        key, wanted = found["key"], found["operator"] == "in"
        values = {value.strip() for value in found["values"].split(",")}
        return lambda labels: (key in labels and labels[key] in values) is wanted
    if found := _COMPARE.match(term):
        key, value, equal = found["key"], found["value"], found["operator"] != "!="
        return lambda labels: (key in labels and labels[key] == value) is equal
    if found := _EXISTS.match(term):
        key, present = found["key"], not found["absent"]
        return lambda labels: (key in labels) is present
    raise bad_request(f"unable to parse requirement: found {quote(term)}, expected: in, notin, =, ==, !=, gt, lt")


def field_test(selector: str, kind: str) -> Test:
    """Return a test of objects for a field selector (``=``, ``==``, ``!=``); 400 for fields that this kind cannot be
    selected by."""
    known = {**_COMMON, **_FIELDS.get(kind, {})}
    terms: list[tuple[tuple[str, ...], str, bool]] = []
    for term in _split(selector):
        found = _COMPARE.match(term)
        if found is None:
            raise bad_request(f"invalid selector: {quote(term)}; can't understand {quote(term)}")
        if found["key"] not in known:
            if kind in _SHORT_REFUSAL:
                raise bad_request(f"field label not supported: {found['key']}")
            raise bad_request(
                f'{quote(found["key"])} is not a known field selector: only "metadata.name", "metadata.namespace"'
            )
        terms.append((known[found["key"]], found["value"], found["operator"] != "!="))

    def matches(item: Mapping[str, t.Any]) -> bool:
        return all((_at(item, path) == value) is equal for path, value, equal in terms)

    return matches


def _at(item: Mapping[str, t.Any], path: tuple[str, ...]) -> str:
    value: t.Any = item
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value or "")

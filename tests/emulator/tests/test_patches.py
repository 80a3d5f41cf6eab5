# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patches as pure functions: merge, strategic merge with its directives."""

from __future__ import annotations

import typing as t

import pytest
from emulator.patches import merge, strategic_merge
from emulator.resources import BY_PATH, SERVICE_ACCOUNTS, STREAMS
from emulator.statuses import StatusError

STREAM = {"spec": {"tags": [{"name": "a", "reference": True}, {"name": "b", "importPolicy": {"scheduled": True}}]}}


def tags(patch: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the stream's tags after a strategic merge patch of them."""
    patched = strategic_merge(STREAM, {"spec": {"tags": patch}}, STREAMS.rules)
    return t.cast("list[dict[str, t.Any]]", patched["spec"]["tags"])


def test_merge() -> None:
    """Null removes, objects merge, lists are replaced."""
    before = {"a": {"b": 1, "c": 2}, "l": [1, 2]}
    assert merge(before, {"a": {"b": None, "d": 3}, "l": [3]}) == {"a": {"c": 2, "d": 3}, "l": [3]}
    assert before == {"a": {"b": 1, "c": 2}, "l": [1, 2]}


def test_elements_merge_by_key() -> None:
    """An element that is there is changed in part."""
    assert tags([{"name": "b", "importPolicy": {"insecure": True}}])[1] == {
        "name": "b",
        "importPolicy": {"scheduled": True, "insecure": True},
    }


def test_delete_and_replace_directives() -> None:
    """``$patch: delete`` removes an element, ``$patch: replace`` the rest of the list, or of an object."""
    assert tags([{"name": "a", "$patch": "delete"}]) == [STREAM["spec"]["tags"][1]]
    assert tags([{"$patch": "replace"}, {"name": "c"}]) == [{"name": "c"}]
    assert tags([{"name": "b", "importPolicy": {"$patch": "replace", "insecure": True}}])[1]["importPolicy"] == {
        "insecure": True
    }
    assert tags([{"name": "b", "$patch": "replace"}])[1] == {"name": "b"}


def test_new_elements_come_first() -> None:
    """As recorded in contract case service_account_lists."""
    account = {"secrets": [{"name": "one"}, {"name": "two"}]}
    patched = strategic_merge(account, {"secrets": [{"name": "new"}]}, SERVICE_ACCOUNTS.rules)
    assert [entry["name"] for entry in patched["secrets"]] == ["new", "one", "two"]
    patched = strategic_merge(account, {"secrets": [{"name": "two"}, {"name": "new"}]}, SERVICE_ACCOUNTS.rules)
    assert [entry["name"] for entry in patched["secrets"]] == ["one", "two", "new"]


def test_order_directive() -> None:
    """``$setElementOrder`` of kubectl puts elements in its order."""
    account = {"secrets": [{"name": "one"}, {"name": "two"}]}
    patch = {
        "$setElementOrder/secrets": [{"name": "two"}, {"name": "one"}, {"name": "new"}],
        "secrets": [{"name": "new"}],
    }
    patched = strategic_merge(account, patch, SERVICE_ACCOUNTS.rules)
    assert [entry["name"] for entry in patched["secrets"]] == ["two", "one", "new"]


def test_lists_without_a_key_are_replaced() -> None:
    """imagePullSecrets of a service account, unlike those of a pod."""
    account = {"imagePullSecrets": [{"name": "one"}]}
    assert strategic_merge(account, {"imagePullSecrets": [{"name": "two"}]}, SERVICE_ACCOUNTS.rules) == {
        "imagePullSecrets": [{"name": "two"}]
    }
    pods = BY_PATH["", "v1", "pods"].rules
    pod = {"spec": {"imagePullSecrets": [{"name": "one"}]}}
    patched = strategic_merge(pod, {"spec": {"imagePullSecrets": [{"name": "two"}]}}, pods)
    assert [entry["name"] for entry in patched["spec"]["imagePullSecrets"]] == ["two", "one"]


def test_primitive_lists() -> None:
    """Finalizers merge as a set, and single values can be removed."""
    before = {"metadata": {"finalizers": ["a", "b"]}}
    assert strategic_merge(before, {"metadata": {"finalizers": ["c"]}}, STREAMS.rules)["metadata"]["finalizers"] == [
        "a",
        "b",
        "c",
    ]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert strategic_merge(before, patch, STREAMS.rules)["metadata"]["finalizers"] == ["b"]


def test_retained_keys() -> None:
    """``$retainKeys`` drops every other field."""
    assert strategic_merge({"a": 1, "b": 2, "c": 3}, {"$retainKeys": ["a", "d"], "d": 4}, {}) == {"a": 1, "d": 4}


def test_an_element_without_its_key_is_refused() -> None:
    """Nothing is guessed."""
    with pytest.raises(StatusError, match="does not contain declared merge key: name"):
        tags([{"reference": True}])

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.diff import Difference, View, value_lines


def shown(before: View, after: View) -> tuple[str, str]:
    entry = Difference("pull secret", "shop/quay", before, after).as_diff()
    assert entry["before_header"] == entry["after_header"] == "pull secret shop/quay"
    return entry["before"], entry["after"]


def test_each_value_that_changes_is_a_line_complete_in_itself() -> None:
    before = {
        "type": "a",
        "registries": {"quay.io": {"username": "one", "password": "(hidden)"}, "other": {"username": "x"}},
    }
    after = {
        "type": "a",
        "registries": {"quay.io": {"username": "two", "password": "(hidden, differs)"}, "other": {"username": "x"}},
    }
    assert shown(before, after) == (
        "registries: quay.io: username: one\nregistries: quay.io: password: (hidden)\n",
        "registries: quay.io: username: two\nregistries: quay.io: password: (hidden, differs)\n",
    )


def test_truth_is_a_word_and_nothing_is_no_line() -> None:
    assert value_lines({"scheduled": False, "digest": ""}, {"scheduled": True, "digest": None}) == (
        ["scheduled: no"],
        ["scheduled: yes"],
    )


def test_a_new_object_shows_all_its_values_and_one_that_goes_too() -> None:
    view = {"imagePullSecrets": ["a", "b"]}
    assert shown(None, view) == ("", "imagePullSecrets: a\nimagePullSecrets: b\n")
    assert shown(view, None) == ("imagePullSecrets: a\nimagePullSecrets: b\n", "")


def test_an_object_without_values_is_shown_as_present() -> None:
    assert shown(None, {}) == ("", "state: present\n")
    assert shown({}, None) == ("state: present\n", "")


def test_another_order_shows_both_sides_whole() -> None:
    before: dict[str, t.Any] = {"secrets": ["a", "b"]}
    assert value_lines(before, {"secrets": ["b", "a"]}) == (["secrets: a", "secrets: b"], ["secrets: b", "secrets: a"])


def test_what_stays_is_no_line() -> None:
    assert value_lines({"a": 1, "b": {"c": "d"}}, {"a": 1, "b": {"c": "d"}}) == ([], [])


def test_foreign_text_begins_no_line() -> None:
    assert shown(None, {"a\nb": "c\n+d"}) == ("", "a\u240ab: c\u240a+d\n")

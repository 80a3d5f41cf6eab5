# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.foreign import (
    Each,
    Needed,
    is_plain,
    misfit,
)

SHAPE = {
    "name": Needed(str),
    "spec": {"tags": [{"name": Needed(str), "generation": int, "reference": bool}], "labels": Each(str)},
}


@pytest.mark.parametrize(
    "value",
    [
        {"name": "web"},
        {"name": "web", "spec": None, "other": 3},
        {"name": "web", "spec": {"tags": None, "labels": {}}},
        {
            "name": "web",
            "spec": {"tags": [{"name": "v1", "generation": 2, "reference": None}], "labels": {"a": "b", "c": None}},
        },
    ],
)
def test_what_fits(value: t.Any) -> None:
    assert misfit(value, SHAPE) is None


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ([], "it is a list and not an object"),
        ("x", "it is a string and not an object"),
        ({}, "name is missing"),
        ({"name": 3}, "name is a number and not a string"),
        ({"name": "web", "spec": []}, "spec is a list and not an object"),
        ({"name": "web", "spec": {"tags": {}}}, "spec.tags is an object and not a list"),
        ({"name": "web", "spec": {"tags": [None]}}, "spec.tags[0] is missing"),
        ({"name": "web", "spec": {"tags": [{"name": "v1"}, "v2"]}}, "spec.tags[1] is a string and not an object"),
        ({"name": "web", "spec": {"tags": [{}]}}, "spec.tags[0].name is missing"),
        (
            {"name": "web", "spec": {"tags": [{"name": "v1", "generation": True}]}},
            "spec.tags[0].generation is true or false and not a number",
        ),
        (
            {"name": "web", "spec": {"tags": [{"name": "v1", "generation": 1.5}]}},
            "spec.tags[0].generation is a fraction and not a number",
        ),
        (
            {"name": "web", "spec": {"tags": [{"name": "v1", "reference": 1}]}},
            "spec.tags[0].reference is a number and not true or false",
        ),
        ({"name": "web", "spec": {"labels": {"a": ["b"]}}}, "spec.labels.a is a list and not a string"),
        ({"name": "web", "spec": {"labels": {"a\nb": 1}}}, "spec.labels.a b is a number and not a string"),
    ],
)
def test_what_does_not_fit_is_named(value: t.Any, flaw: str) -> None:
    assert misfit(value, SHAPE) == flaw


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J", "x" * 256, "\u202eabc"])
def test_a_name_that_would_be_shown_otherwise_is_not_plain(name: str) -> None:
    assert not is_plain(name)

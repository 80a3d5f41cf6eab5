# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparison finds what differs, and nothing else."""

from __future__ import annotations

import typing as t

import pytest
from contract.matching import Tokens, differences

RECORDED = {"a": 1, "list": [{"b": None}], "text": "x"}


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        (RECORDED, []),
        ({**RECORDED, "a": 2}, ["body.a: 2 instead of 1"]),
        ({**RECORDED, "a": True}, ["body.a: True instead of 1"]),
        ({"a": 1, "list": [{}], "text": "x"}, ["body.list[0].b is missing"]),
        ({**RECORDED, "list": [{"b": ""}]}, ["body.list[0].b: '' instead of None"]),
        ({**RECORDED, "list": []}, ["body.list has 0 entries instead of 1: []"]),
        ({**RECORDED, "more": 0}, ["body.more was not there: 0"]),
        ({**RECORDED, "text": "y"}, ["body.text: 'y' instead of 'x'"]),
    ],
)
def test_differences(answered: t.Any, found: list[str]) -> None:
    """Values, types, presence, null."""
    assert differences(RECORDED, answered, Tokens()) == found


def test_tokens() -> None:
    """uid and time by form, also within texts."""
    uid, time = "8a34aa80-0706-4357-b747-0ae1575aa3a6", "2026-11-23T21:44:01Z"
    assert differences("<uid>", uid, Tokens()) == []
    assert differences("<uid>", "8a34", Tokens()) != []
    assert differences("<time>", time, Tokens()) == []
    assert differences("<time>", "yesterday", Tokens()) != []
    assert differences('{"created": "<time>"}', f'{{"created": "{time}"}}', Tokens()) == []


def test_versions() -> None:
    """Equal tokens have equal values, different tokens different ones."""
    tokens = Tokens()
    assert differences("<rv:1>", "7", tokens) == []
    assert differences('from "<rv:1>" to "<rv:2>"', 'from "7" to "8"', tokens) == []
    assert (tokens["rv:1"], tokens["rv:2"], "rv:3" in tokens) == ("7", "8", False)
    assert differences("<rv:1>", "8", tokens) == ["body: resourceVersion 8 instead of 7 for <rv:1>"]
    assert differences("<rv:3>", "8", tokens) == ["body: resourceVersion 8 of <rv:2> also for <rv:3>"]

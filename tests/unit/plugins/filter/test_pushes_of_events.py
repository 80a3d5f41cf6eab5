# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.filter.pushes_of_events import FilterModule

PUSH = {
    "registry": "r.example.com",
    "repository": "team/web",
    "tag": "v1",
    "digest": "sha256:" + "1" * 64,
    "at": "2026-11-12T08:15:02Z",
}
pushes_of_events = FilterModule().filters()["pushes_of_events"]


def event(window: int | None = None, **more: t.Any) -> dict[str, t.Any]:
    engine = {"rule_engine": {"events_in_window": window}} if window else {}
    return {**PUSH, "first": False, "meta": {"uuid": "x", "source": {"name": "y"}, **engine}, **more}


def test_one_event_is_one_push() -> None:
    assert pushes_of_events({"ruleset": "a", "rule": "b", "event": event()}) == [PUSH]
    assert pushes_of_events({"event": event(1)}) == [PUSH]


def test_what_a_payload_does_not_tell_is_left_out() -> None:
    assert pushes_of_events({"event": event(registry=None, digest=None, at=None)}) == [
        {"repository": "team/web", "tag": "v1"}
    ]


def test_of_several_pushes_in_a_window_the_whole_repository_is_looked_at() -> None:
    assert pushes_of_events({"event": event(2)}) == [{"registry": "r.example.com", "repository": "team/web"}]


def test_windows_of_several_repositories_end_together() -> None:
    found = pushes_of_events({"events": {"m_0": event(3), "m_1": event(1, repository="team/api")}})
    assert found == [{"registry": "r.example.com", "repository": "team/web"}, {**PUSH, "repository": "team/api"}]


def test_nothing_handed_on_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        pushes_of_events({})

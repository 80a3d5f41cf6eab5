# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import runpy
import typing as t
from pathlib import Path

import pytest
import yaml

FILTER = Path(__file__).parents[6] / "extensions" / "eda" / "plugins" / "event_filter" / "first_push.py"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def module() -> dict[str, t.Any]:
    """As ansible-rulebook loads it for each source: by its path."""
    return runpy.run_path(str(FILTER))


def push(repository: str = "team/web", registry: str | None = "r.example.com") -> dict[str, t.Any]:
    return {"registry": registry, "repository": repository, "tag": "v1"}


def test_the_first_push_of_a_repository_and_what_follows_within_seconds(
    clock: list[float], module: dict[str, t.Any]
) -> None:
    main = module["main"]
    assert main(push()) == {**push(), "first": True}
    assert main(push("team/api"))["first"]
    assert main(push(registry=None))["first"]
    clock[0] += 2.9
    assert main(push()) == {**push(), "first": False}
    clock[0] += 2.9
    assert not main(push())["first"]
    clock[0] += 3
    assert main(push())["first"]
    clock[0] += 1
    assert main(push(), seconds=0.5)["first"]


def test_it_remembers_only_what_is_recent(clock: list[float], module: dict[str, t.Any]) -> None:
    for number in range(1000):
        clock[0] += 1
        module["main"](push(f"team/{number}"))
    assert len(module["_last"]) == 3


@pytest.mark.parametrize(
    "event", [None, [], "x", {}, {"repository": 1}, {"repository": ["a"], "registry": {}}, {"payload": {}}]
)
def test_other_events_pass_as_they_are(event: t.Any, module: dict[str, t.Any]) -> None:
    assert module["main"](event) == event


def test_an_unusual_registry_does_not_end_the_source(module: dict[str, t.Any]) -> None:
    assert module["main"]({"repository": "a", "registry": {"b": []}}) == {"repository": "a", "registry": {"b": []}}


def test_the_documentation_is_yaml_and_has_the_default(module: dict[str, t.Any]) -> None:
    options = yaml.safe_load(module["DOCUMENTATION"])["options"]
    assert options["seconds"]["default"] == module["main"].__defaults__[0] == 3
    assert yaml.safe_load(module["EXAMPLES"])

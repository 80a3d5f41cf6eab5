# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

RULEBOOKS = Path(__file__).parents[5] / "extensions" / "eda" / "rulebooks"
NAMES = sorted(path.stem for path in RULEBOOKS.glob("*.yml"))


def rulesets(name: str) -> t.Any:
    return yaml.safe_load((RULEBOOKS / f"{name}.yml").read_text(encoding="utf-8"))


def test_there_is_one_for_playbooks_and_one_for_job_templates() -> None:
    assert NAMES == ["registry_push", "registry_push_awx"]
    playbooks, jobs = (rulesets(name)[0] for name in NAMES)
    assert [rule["action"] for rule in playbooks["rules"]] == [
        {"run_playbook": {"name": "quayside.openshift_images.pushed"}}
    ] * 2
    for rule in jobs["rules"]:
        assert list(rule["action"]) == ["run_job_template"]
    for ruleset in (playbooks, jobs):
        for rule in ruleset["rules"]:
            del rule["action"]
    assert playbooks == jobs


@pytest.mark.parametrize("name", NAMES)
def test_each_source_asks_for_a_proof_on_a_port_of_its_own_and_is_heard_on_this_machine_only(name: str) -> None:
    (ruleset,) = rulesets(name)
    found = [source["eda.builtin.webhook"] for source in ruleset["sources"]]
    assert [sorted(source.keys() & {"token", "hmac_secret"}) for source in found] == [["token"], ["hmac_secret"]]
    assert len({source["port"] for source in found}) == 2
    for source in found:
        assert "default('127.0.0.1')" in source["host"]
        assert "default" not in source.get("token", "") + source.get("hmac_secret", "")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_first_is_held_back_for_as_long_as_it_is_not_first(name: str) -> None:
    (ruleset,) = rulesets(name)
    first, others = ruleset["rules"]
    assert (first["condition"], others["condition"]) == ("event.first == true", "event.first == false")
    for source in ruleset["sources"]:
        (seconds,) = (
            options["seconds"]
            for entry in source["filters"]
            for filter_name, options in entry.items()
            if filter_name.endswith("first_push")
        )
        assert others["throttle"]["once_after"] == f"{seconds} seconds"
    assert "throttle" not in first

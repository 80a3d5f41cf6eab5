# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``awx_setup.yml`` against AWX's API as awx.awx asks it, and what it sets up, run as AWX would run it."""

from __future__ import annotations

import copy
import json
import os
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from integration.awx_jobs import ROOT
from integration.controller import Controller
from integration.playbooks import Playbooks, Run, collections_path

SETUP = "quayside.openshift_images.awx_setup"
CLUSTERS_WITH_DRIFT = "{{ drift_report_clusters_with_drift | default(['all'], true) | join(',') }}"
VARIABLES = {
    "awx_setup_project_url": "https://git.example.com/platform/images.git",
    "awx_setup_inventory_path": "inventory",
    "awx_setup_execution_environment": "registry.example.com/platform/openshift-images:1",
    "awx_setup_credentials": ["harbour", "registry.example.com"],
    "awx_setup_slices": 4,
    "awx_setup_report_folder": "/reports",
}


@pytest.fixture
def controller() -> Iterator[Controller]:
    """AWX with an organization and two credentials."""
    with Controller(ROOT) as controller:
        controller.create("organizations", {"name": "Default"})
        for name in VARIABLES["awx_setup_credentials"]:
            controller.create("credentials", {"name": name})
        yield controller


def set_up(playbooks: Playbooks, controller: Controller, **variables: t.Any) -> Run:
    paths = [collections_path(playbooks.directory), Path(os.environ.get("QUAYSIDE_TEST_AWX_COLLECTIONS", ROOT / ".build" / "awx"))]
    settings = {**controller.environment, "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, paths))}
    run = playbooks.with_environment({}).run(SETUP, variables={**VARIABLES, **variables}, settings=settings)
    assert run.exit_code == 0, run.output
    return run


def option_types() -> dict[str, str]:
    """The type of each option of a role."""
    found = {}
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        specified = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
        found.update({name: option["type"] for name, option in specified.items()})
    return found


def test_everything_is_created_and_found_again(controller: Controller, playbooks: Playbooks) -> None:
    first = set_up(playbooks, controller)

    assert {kind: len(entries) for kind, entries in controller.objects.items() if entries} == {
        "organizations": 1, "credentials": 2, "credential_types": 2, "execution_environments": 1, "projects": 1, "inventories": 1,
        "inventory_sources": 1, "job_templates": 3, "workflow_job_templates": 1, "workflow_job_template_nodes": 3, "workflow_approval_templates": 1,
        "schedules": 1,
    }
    assert len(first.changed()) == 11
    report, correction = (controller.named("job_templates", f"Images: {name}") for name in ("drift report", "correction"))
    assert (report["playbook"], report["forks"], report["job_slice_count"]) == ("playbooks/drift.yml", 10, 1)
    assert json.loads(report["extra_vars"])["drift_report_json_file"] == "/reports/drift-{{ awx_job_id }}.json"
    assert {"drift_correct": True, "openshift_images_hosts": CLUSTERS_WITH_DRIFT}.items() <= json.loads(correction["extra_vars"]).items()
    assert controller.named("job_templates", "Images: set up")["job_slice_count"] == 4
    assert all(len(controller.related["job_templates", template["id"], "credentials"]) == 2 for template in controller.objects["job_templates"])
    (schedule,) = controller.objects["schedules"]
    assert schedule["unified_job_template"] == controller.named("workflow_job_templates", "Images: nightly")["id"]

    assert controller.next_nodes("report", "failure_nodes") == ["approval"]
    assert controller.next_nodes("report", "success_nodes") == controller.next_nodes("approval", "failure_nodes") == []
    assert controller.next_nodes("approval", "success_nodes") == ["correction"]

    survey = controller.surveys[controller.named("job_templates", "Images: set up")["id"]]
    types = option_types()
    assert {question["variable"] for question in survey["spec"]} <= set(types)
    assert {types[question["variable"]] for question in survey["spec"]} == {"str"}

    before = copy.deepcopy((controller.objects, controller.surveys, controller.related))

    again = set_up(playbooks, controller)

    assert (controller.objects, controller.surveys, controller.related) == before
    # awx.awx sends more fields for an approval than AWX answers with, and takes that for a change.
    assert again.changed() == ["Create the workflow"]

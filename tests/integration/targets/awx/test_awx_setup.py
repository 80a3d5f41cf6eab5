# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``awx_setup.yml`` against AWX's API as awx.awx asks it, and what it sets up, run as AWX would run it."""

from __future__ import annotations

import copy
import json
import os
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from integration.awx_jobs import ROOT, Jobs, bearer_token
from integration.cluster import Cluster, tags_of
from integration.controller import Controller
from integration.playbooks import Playbooks, Run, collections_path
from integration.surroundings import Surroundings

SETUP = "quayside.openshift_images.awx_setup"
CLUSTERS_WITH_DRIFT = "{{ drift_report_clusters_with_drift | default(['all'], true) | join(',') }}"
VARIABLES = {
    "awx_setup_project_url": "https://git.example.com/platform/images.git",
    "awx_setup_inventory_path": "inventory",
    "awx_setup_execution_environment": "registry.example.com/platform/openshift-images:1",
    "awx_setup_credentials": ["harbour", "registry.example.com"],
    "awx_setup_slices": 4,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the jobs leave their reports."""
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    """AWX with an organization and two credentials."""
    with Controller(ROOT) as controller:
        controller.create("organizations", {"name": "Default"})
        for name in VARIABLES["awx_setup_credentials"]:
            controller.create("credentials", {"name": name})
        yield controller


def set_up(controller: Controller, folder: Path) -> Run:
    paths = [collections_path(folder), Path(os.environ.get("QUAYSIDE_TEST_AWX_COLLECTIONS", ROOT / ".build" / "awx"))]
    settings = {**controller.environment, "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, paths))}
    run = Playbooks(folder, {}).run(
        SETUP, variables={**VARIABLES, "awx_setup_report_folder": str(folder)}, settings=settings
    )
    assert run.exit_code == 0, run.output
    return run


@pytest.fixture(scope="module")
def first(controller: Controller, folder: Path) -> Run:
    """Return the run that creates everything."""
    return set_up(controller, folder)


def variables_of(controller: Controller, template: str) -> dict[str, t.Any]:
    """Return the variables of a job template."""
    return t.cast(
        "dict[str, t.Any]", json.loads(controller.named("job_templates", f"Images: {template}")["extra_vars"])
    )


def option_types() -> dict[str, str]:
    """Return the type of each option of a role."""
    found = {}
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        specified = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
        found.update({name: option["type"] for name, option in specified.items()})
    return found


def test_everything_is_created_and_found_again(controller: Controller, folder: Path, first: Run) -> None:
    assert {kind: len(entries) for kind, entries in controller.objects.items() if entries} == {
        "organizations": 1,
        "credentials": 2,
        "credential_types": 2,
        "execution_environments": 1,
        "projects": 1,
        "inventories": 1,
        "inventory_sources": 1,
        "job_templates": 4,
        "workflow_job_templates": 1,
        "workflow_job_template_nodes": 3,
        "workflow_approval_templates": 1,
        "schedules": 1,
    }
    assert len(first.changed()) == 12
    report = controller.named("job_templates", "Images: drift report")
    assert (report["playbook"], report["forks"], report["job_slice_count"]) == ("playbooks/drift.yml", 10, 1)
    assert (
        variables_of(controller, "drift report")["drift_report_json_file"]
        == f"{folder}/drift-{{{{ awx_job_id }}}}.json"
    )
    assert {"drift_correct": True, "openshift_images_hosts": CLUSTERS_WITH_DRIFT}.items() <= variables_of(
        controller, "correction"
    ).items()
    assert controller.named("job_templates", "Images: set up")["job_slice_count"] == 4
    assert all(
        len(controller.related["job_templates", template["id"], "credentials"]) == 2
        for template in controller.objects["job_templates"]
    )
    (rulebook,) = yaml.safe_load((ROOT / "extensions/eda/rulebooks/registry_push_awx.yml").read_text(encoding="utf-8"))
    for rule in rulebook["rules"]:
        started = rule["action"]["run_job_template"]
        assert started["organization"] == "{{ registry_push_organization | default('Default') }}"
        name = re.fullmatch(r"\{\{ registry_push_job_template \| default\('(.+)'\) \}\}", started["name"])
        assert name
        push = controller.named("job_templates", name[1])
        assert push["playbook"] == "playbooks/pushed.yml"
        # The push comes as a variable, for hosts that the rulebook names, and nothing waits for the job before.
        assert push["ask_variables_on_launch"]
        assert push["ask_limit_on_launch"]
        assert push["allow_simultaneous"]
    assert not report["ask_variables_on_launch"]

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

    again = set_up(controller, folder)

    assert (controller.objects, controller.surveys, controller.related) == before
    # awx.awx sends more fields for an approval than AWX answers with, and takes that for a change.
    assert again.changed() == ["Create the workflow"]


def test_the_workflow_corrects_what_the_report_has_shown_and_nothing_else(
    controller: Controller,
    first: Run,
    folder: Path,
    given: Surroundings,
    cluster: Cluster,
    namespace: str,
    tmp_path: Path,
) -> None:
    images = {"web": given.image("plain", "workflow", "v1"), "tools": given.image("plain", "workflow", "v2")}
    for image in images.values():
        given.push("plain", "workflow", image.rpartition(":")[2])
    # "harbour" declares only what is there; a cluster without a declaration would fail.
    for name in ("tools", "kept"):
        cluster.import_images(namespace, name, {"latest": (images["tools"], {"insecure": True})})
    kept, *declared = (
        {"namespace": namespace, "name": name, "tags": [{"name": "latest", "from": image, "insecure": True}]}
        for name, image in {"kept": images["tools"], **images}.items()
    )
    hosts = {
        "harbour": {"ansible_connection": "local", "image_streams_desired": [kept]},
        "lagoon": {"ansible_connection": "local", "image_streams_desired": declared},
    }
    jobs = Jobs(tmp_path, hosts, bearer_token(cluster.create_user(namespace, "developer", "edit")))

    report = jobs.launch(
        "playbooks/drift.yml", "--diff", template={**variables_of(controller, "drift report"), "awx_job_id": 101}
    )

    assert report.status == "failed"
    assert report.artifacts["drift_report_clusters_with_drift"] == ["lagoon"]
    assert json.loads(folder.joinpath("drift-101.json").read_text(encoding="utf-8"))["summary"]["clusters"] == 2
    (asked,) = controller.next_nodes("report", "failure_nodes")
    (approved,) = controller.next_nodes(asked, "success_nodes")
    # Without what the report hands on, there is nothing that somebody could have approved.
    lost = jobs.launch(
        "playbooks/drift.yml",
        template={**variables_of(controller, approved), "awx_job_id": 100, "awx_workflow_job_id": 9},
    )
    assert (lost.status, lost.changed()) == ("successful", {}), lost.output
    (_harbour, told) = json.loads(folder.joinpath("drift-100.json").read_text(encoding="utf-8"))["clusters"]
    assert {change["outcome"] for change in told["changes"]} == {"not_approved"}

    # In the meantime somebody changes what the report has shown as being in order.
    elsewhere = {"kind": "DockerImage", "name": images["web"]}
    cluster.patch_tag(namespace, "tools", "latest", {"from": elsewhere})
    cluster.settled([namespace])

    correction = jobs.launch(
        "playbooks/drift.yml",
        "--diff",
        template={**variables_of(controller, approved), "awx_job_id": 102},
        answers=report.artifacts,
    )

    assert correction.status == "successful", correction.output
    assert correction.changed() == {"lagoon": 1}
    now = cluster.snapshot([namespace])
    assert tags_of(now.stream(namespace, "web"))["latest"].digest
    assert tags_of(now.stream(namespace, "tools"))["latest"].source == images["web"]
    (corrected,) = json.loads(folder.joinpath("drift-102.json").read_text(encoding="utf-8"))["clusters"]
    assert (corrected["name"], corrected["verdict"]) == ("lagoon", "partly_corrected")

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook drift.yml over several clusters, one of which cannot be reached, and one of which forbids everything."""

from __future__ import annotations

import json
import shutil
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from fleet.inventory import UNREACHABLE, write_inventory
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.rights import Rights
from integration.surroundings import Surroundings

DRIFT = "quayside.openshift_images.drift"
MERGE = "quayside.openshift_images.drift_merge"
LAST = "Fail for what drift_report_fail_on names"
ROOT = Path(__file__).resolve().parents[4]
# What one host does for all of them.
ONCE = {
    "Check that the folders of the report exist",
    "Make a temporary folder for the results",
    "Write the report",
    "Summary",
}
ONCE |= {"Give the numbers to the workflow", "Remove the temporary folder"}
PROMTOOL = shutil.which("promtool") or "promtool"
SCHEMA = json.loads((ROOT / "docs" / "drift.schema.json").read_text(encoding="utf-8"))


def read(path: Path) -> dict[str, t.Any]:
    """Return a document that its schema allows."""
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(
        document,
        SCHEMA,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    return t.cast("dict[str, t.Any]", document)


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    """Yield the rights that the documentation names for a report."""
    rights = Rights(cluster, namespace)
    rights.apply("drift_report.yml")
    yield rights
    rights.remove()


def test_one_report_for_all_clusters_then_what_it_showed_is_corrected(
    given: Surroundings, rights: Rights, cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    playbooks = playbooks.with_environment({})
    given.push("private", "reported", "v1", "linux/amd64 linux/arm64")
    image = given.image("private", "reported", "v1")
    variables = {
        "image_streams_batch_size": 1,
        "registry_access_secrets": [
            {
                "name": "registries",
                "namespaces": [namespace],
                "registries": [given.credential()],
                "link": [{"service_accounts": ["default"]}],
            }
        ],
        "image_streams_desired": [
            {"namespace": namespace, "name": name, "tags": [{"name": "v1", "from": image}]} for name in ("web", "api")
        ],
    }
    fleet = write_inventory(
        tmp_path / "fleet.yml",
        harbour=rights.user(namespace, ("quayside-drift-report", namespace)).as_host(),
        closed=cluster.create_user(namespace, "stranger", "system:image-puller").as_host(),
        deserted=UNREACHABLE,
    )
    shown = tmp_path / "shown.json"

    what_differs_on_each_cluster_is_shown_and_nothing_written(
        playbooks, fleet, {**variables, **files(shown)}, cluster, namespace, given
    )
    variables["image_streams_desired"].append(
        {"namespace": namespace, "name": "later", "tags": [{"name": "v1", "from": image}]}
    )
    admin = write_inventory(tmp_path / "admin.yml", harbour={"k8s_auth_kubeconfig": str(given.kubeconfig)})
    corrected = tmp_path / "corrected.json"
    # Paths begin in the folder that the command is given in.
    variables["drift_report_approved_file"] = shown.name
    what_was_shown_is_corrected_and_nothing_else(
        playbooks, admin, {**variables, **files(corrected)}, cluster, namespace
    )
    merged = tmp_path / "merged.json"
    run = playbooks.run(
        MERGE, variables={"drift_report_files": f"{shown.name},{corrected.name}", **files(Path(merged.name))}
    )

    assert (run.exit_code, run.complaints()) == (0, [])
    verdicts = {one["name"]: one["verdict"] for one in read(merged)["clusters"]}
    assert verdicts == {"closed": "failed", "deserted": "failed", "harbour": "partly_corrected"}


def files(path: Path) -> dict[str, str]:
    """Return the variables that name the files."""
    return {"drift_report_json_file": str(path), "drift_report_html_file": str(path.with_suffix(".html"))}


def what_differs_on_each_cluster_is_shown_and_nothing_written(
    playbooks: Playbooks,
    fleet: Path,
    variables: dict[str, t.Any],
    cluster: Cluster,
    namespace: str,
    given: Surroundings,
) -> None:
    before = cluster.settled([namespace])

    run = playbooks.run(
        DRIFT, "-vvv", variables=variables, inventory=fleet, settings={"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    )

    assert run.complaints() == []
    assert run.exit_code == 2
    assert {(result.host, result.task) for result in run.results if result.outcome == "failed"} == {
        ("closed", LAST),
        ("deserted", LAST),
    }
    assert not cluster.snapshot([namespace]).written_since(before)
    document = read(Path(variables["drift_report_json_file"]))
    page = Path(variables["drift_report_html_file"]).read_text(encoding="utf-8")
    secret = given.credential()["password"]
    assert [text for text in (run.output, json.dumps(document), page) if secret in text] == []
    clusters = {one["name"]: one for one in document["clusters"]}
    assert {name: one["verdict"] for name, one in clusters.items()} == {
        "closed": "failed",
        "deserted": "failed",
        "harbour": "drift",
    }
    reasons = {"link_missing": 1, "registry_missing": 1, "secret_missing": 1, "stream_missing": 2}
    assert (clusters["harbour"]["reasons"], clusters["harbour"]["failures"]) == (reasons, [])
    assert "refused the connection" in clusters["deserted"]["failures"][0]["message"]
    assert "forbidden" in clusters["closed"]["failures"][0]["message"].lower()
    progress = [line for line in run.output.splitlines() if line.startswith("harbour: ")]
    assert progress == [
        (
            "harbour: secrets and links, streams 1 to 1 of 2: 3 changes (link_missing 1, registry_missing 1, "
            "secret_missing 1, stream_missing 1)"
        ),
        "harbour: streams 2 to 2 of 2: 1 change (stream_missing 1)",
    ]
    assert document["run"]["inventory"] == [str(fleet)]
    lines = run.of("Summary")["msg"]
    assert [line.split()[:2] for line in lines[:3]] == [
        ["closed", "failed"],
        ["deserted", "failed"],
        ["harbour", "drift"],
    ]
    assert (
        f"4 changes: {namespace}/registries registry_missing, secret_missing, {namespace}/default link_missing"
        in lines[2]
    )
    assert lines[-2].startswith(
        f"Report: {page_of(variables)} (for people), {variables['drift_report_json_file']} (for programs)"
    )
    command = (
        f"ansible-playbook -i {fleet} {DRIFT} -e drift_correct=true -e "
        f"drift_report_approved_file={variables['drift_report_json_file']}"
    )
    assert lines[-1].endswith(f": {command}")
    tasks = {result.task for result in run.results if result.host == "harbour" and result.outcome != "skipped"}
    assert {task.partition(" against")[0] for task in tasks - ONCE} == {
        "Validating arguments",
        "Verify the variables",
        "Compare the cluster with what is declared",
    }
    assert '"drift_report_clusters_with_drift": [\n' in run.output
    assert clusters["harbour"]["changes"][0]["id"] in run.output


def page_of(variables: dict[str, t.Any]) -> str:
    """Return the path of the page."""
    return t.cast("str", variables["drift_report_html_file"])


def what_was_shown_is_corrected_and_nothing_else(
    playbooks: Playbooks, admin: Path, variables: dict[str, t.Any], cluster: Cluster, namespace: str
) -> None:
    more = {
        "drift_correct": True,
        "drift_report_fail_on": "drift",
        "drift_report_prune_risks": True,
        "prune_risks_namespaces": [namespace],
    }

    run = playbooks.run(DRIFT, variables={**variables, **more}, inventory=admin)

    assert (run.exit_code, run.complaints()) == (2, [])
    (harbour,) = read(Path(variables["drift_report_json_file"]))["clusters"]
    outcomes = {(change["kind"], change["name"]): change["outcome"] for change in harbour["changes"]}
    assert outcomes == {
        ("secret", "registries"): "done",
        ("link", "default"): "done",
        ("tag", "web"): "done",
        ("tag", "api"): "done",
        ("tag", "later"): "not_approved",
    }
    assert harbour["prune_risks"]["summary"]["at_risk"] == 0
    assert "registries" in cluster.links(namespace, "default")["imagePullSecrets"]
    streams = {address.name for address in cluster.snapshot([namespace]) if address.plural == "imagestreams"}
    assert streams == {"web", "api"}
    assert run.messages()[LAST] == f"harbour: 1 change: {namespace}/later:v1 stream_missing."


def test_an_approval_that_cannot_be_read_is_named_before_any_request(playbooks: Playbooks, tmp_path: Path) -> None:
    absent, other = tmp_path / "absent.json", tmp_path / "other.json"
    other.write_text("{}")
    approvals = {"harbour": absent, "lagoon": other}
    fleet = write_inventory(
        tmp_path / "fleet.yml",
        **{name: {**UNREACHABLE, "drift_report_approved_file": str(path)} for name, path in approvals.items()},
    )
    report = tmp_path / "drift.json"

    run = playbooks.with_environment({}).run(DRIFT, variables={**files(report), "drift_correct": True}, inventory=fleet)

    assert run.exit_code == 2
    assert {cluster["name"]: cluster["failures"][0]["message"] for cluster in read(report)["clusters"]} == {
        "harbour": f"drift_report_approved_file: there is no file {absent}",
        "lagoon": f"drift_report_approved_file: {other} is no report on drift",
    }


def test_a_report_without_a_place_is_noticed_before_anything_is_compared(playbooks: Playbooks, tmp_path: Path) -> None:
    lost = tmp_path / "absent" / "drift.json"

    run = playbooks.with_environment({}).run(
        DRIFT, variables=files(lost), inventory=write_inventory(tmp_path / "fleet.yml", harbour={})
    )

    assert run.exit_code == 2
    sentence = f"There is no folder {lost.parent} for the report: make it, or name another file."
    assert run.messages() == {
        f"Check that the folders of the report exist ({path})": sentence for path in (lost, lost.with_suffix(".html"))
    }


def test_a_cluster_for_which_nothing_is_declared_fails_and_names_the_variables(
    given: Surroundings, cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    admin = write_inventory(tmp_path / "admin.yml", harbour={"k8s_auth_kubeconfig": str(given.kubeconfig)})

    run = playbooks.with_environment({}).run(
        DRIFT, variables={**files(tmp_path / "drift.json"), "image_stream_desired": []}, inventory=admin
    )

    assert run.exit_code == 2
    assert read(tmp_path / "drift.json")["clusters"][0]["verdict"] == "nothing_declared"
    assert "registry_access_secrets" in run.messages()[LAST]
    assert "image_streams_desired" in run.messages()[LAST]


def test_a_variable_that_cannot_be_evaluated_is_no_empty_one(
    given: Surroundings, playbooks: Playbooks, tmp_path: Path
) -> None:
    admin = write_inventory(
        tmp_path / "admin.yml",
        harbour={"k8s_auth_kubeconfig": str(given.kubeconfig), "registry_access_secrets": "{{ mistyped }}"},
    )

    run = playbooks.with_environment({}).run(DRIFT, variables=files(tmp_path / "drift.json"), inventory=admin)

    assert run.exit_code == 2
    (harbour,) = read(tmp_path / "drift.json")["clusters"]
    assert harbour["verdict"] == "failed"
    assert "mistyped" in harbour["failures"][0]["message"]


def test_ci_and_monitoring_get_the_same_data(
    given: Surroundings, cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    """docs/drift.md shows how; promtool says whether Prometheus takes it."""
    admin = write_inventory(tmp_path / "admin.yml", harbour={"k8s_auth_kubeconfig": str(given.kubeconfig)})
    secret = {"name": "registries", "namespaces": [namespace], "registries": [given.credential()]}
    machine = {
        f"drift_report_{kind}_file": str(tmp_path / name)
        for kind, name in (("junit", "drift.xml"), ("metrics", "drift.prom"))
    }

    run = playbooks.with_environment({}).run(
        DRIFT,
        variables={**files(tmp_path / "drift.json"), **machine, "registry_access_secrets": [secret]},
        inventory=admin,
    )

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    suites = ElementTree.parse(tmp_path / "drift.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == ("1", "1")
    text = (tmp_path / "drift.prom").read_text(encoding="utf-8")
    assert 'quayside_drift_cluster_verdict{cluster="harbour",verdict="drift"} 1' in text
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

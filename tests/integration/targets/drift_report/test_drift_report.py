# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook drift.yml over several clusters, one of which cannot be reached, and one of which forbids everything."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import jsonschema
import pytest
import yaml
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.surroundings import Surroundings

DRIFT = "quayside.openshift_images.drift"
ROOT = Path(__file__).resolve().parents[4]
SCHEMA = json.loads((ROOT / "docs" / "drift.schema.json").read_text(encoding="utf-8"))


def read(path: Path) -> dict[str, t.Any]:
    """A document that its schema allows."""
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return t.cast("dict[str, t.Any]", document)


@pytest.fixture
def fleet(given: Surroundings, cluster: Cluster, namespace: str, tmp_path: Path) -> Path:
    """An inventory: one cluster in order, one that nobody answers for, one whose user may do nothing."""
    access = cluster.create_user(namespace, "stranger", "system:image-puller")
    hosts = {
        "harbour": {"k8s_auth_kubeconfig": str(given.kubeconfig)},
        "closed": {"k8s_auth_host": access.host, "k8s_auth_api_key": access.token, "k8s_auth_ca_cert": access.ca_file},
        "deserted": {"k8s_auth_host": "https://127.0.0.1:9", "k8s_auth_api_key": "nobody-asks-for-it"},
    }
    path = tmp_path / "fleet.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    return path


def test_one_report_for_all_clusters(given: Surroundings, fleet: Path, cluster: Cluster, namespace: str, playbooks: Playbooks) -> None:
    given.push("private", "reported", "v1", "linux/amd64 linux/arm64")
    json_file, html_file = playbooks.directory / "drift.json", playbooks.directory / "drift.html"
    variables = {
        "drift_report_json_file": str(json_file),
        "drift_report_html_file": str(html_file),
        "registry_access_secrets": [
            {"name": "registries", "namespaces": [namespace], "registries": [given.credential()], "link": [{"service_accounts": ["default"]}]}
        ],
        "image_streams_desired": [{"namespace": namespace, "name": "web", "tags": [{"name": "v1", "from": given.image("private", "reported", "v1")}]}],
    }
    before = cluster.snapshot([namespace])

    run = playbooks.with_environment({}).run(DRIFT, variables=variables, inventory=fleet)

    assert run.complaints() == []
    assert run.exit_code == 2
    assert set(run.messages()) == {"Verify that the cluster is as declared"}
    assert not cluster.snapshot([namespace]).written_since(before)
    assert given.credential()["password"] not in run.output
    document = read(json_file)
    clusters = {cluster["name"]: cluster for cluster in document["clusters"]}
    assert {name: one["verdict"] for name, one in clusters.items()} == {"closed": "failed", "deserted": "failed", "harbour": "drift"}
    assert clusters["harbour"]["reasons"] == {"link_missing": 1, "registry_missing": 1, "secret_missing": 1, "stream_missing": 1}
    assert "refused the connection" in clusters["deserted"]["failures"][0]["message"]
    assert "forbidden" in clusters["closed"]["failures"][0]["message"].lower()
    assert "<table" in html_file.read_text(encoding="utf-8")

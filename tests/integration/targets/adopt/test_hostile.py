# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook over what a user of a namespace has written to run a program, or to forge lines, on the machine
that runs Ansible.

All texts stand in every field that such a user can set; each playbook runs once over all of them.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from integration.cluster import Cluster
from integration.hostile import hold, hostile_texts
from integration.playbooks import Playbooks
from integration.registry_secrets import auth, entry, registry_secret
from integration.surroundings import Surroundings

COLLECTION = "quayside.openshift_images"
PASSWORD = "a-password"
ARCH, OPERATING_SYSTEM = "importer.image.openshift.io/prefer-arch", "importer.image.openshift.io/prefer-os"


class Scene(t.NamedTuple):
    """A namespace of such a user, and the file that the program would make."""

    namespace: str
    proof: Path
    texts: tuple[str, ...]
    image: str


@pytest.fixture
def scene(given: Surroundings, cluster: Cluster, namespace: str, tmp_path: Path) -> Scene:
    given.push("plain", "hostile", "v1", "linux/amd64 linux/arm64")
    proof = tmp_path / "proof"
    texts = hostile_texts(proof)
    image = given.image("plain", "hostile", "v1")
    names = ["good", *(f"odd-{number}" for number in range(len(texts)))]
    images = [
        {"from": {"kind": "DockerImage", "name": image}, "to": {"name": name}, "importPolicy": {"insecure": True}}
        for name in names
    ]
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "web", "namespace": namespace},
    }
    cluster.call(
        "POST",
        f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamimports",
        {**body, "spec": {"import": True, "images": images}},
    )
    stream = cluster.get("imagestreams", namespace, "web")
    for tag in stream["spec"]["tags"]:
        if tag["name"] != "good":
            text = texts[int(tag["name"].removeprefix("odd-"))]
            tag["annotations"] = {ARCH: text, OPERATING_SYSTEM: text, "hostile": text}
    annotations = {f"hostile-{number}": text for number, text in enumerate(texts)}
    stream["metadata"]["annotations"] = annotations
    cluster.put("imagestreams", stream)
    for number, text in enumerate(texts):
        auths = {f"r{number}.example.com": {"auth": auth(text, PASSWORD), "email": text}, text: entry("u", PASSWORD)}
        secret = registry_secret(f"held-{number}", {**auths, "rotated.example.com": entry("old", PASSWORD)})
        secret["metadata"]["annotations"] = annotations
        cluster.create("secrets", namespace, secret)
    cluster.settled([namespace])
    return Scene(namespace, proof, texts, image)


def test_adopt_and_site(given: Surroundings, playbooks: Playbooks, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "adopted.yml"
    adopted = hold(
        playbooks.run(
            f"{COLLECTION}.adopt", "--diff", variables={"adopt_namespaces": scene.namespace, "adopt_file": str(path)}
        ),
        scene.proof,
    )

    text = path.read_text(encoding="utf-8")
    assert text.isascii()
    assert '!unsafe "{{ lookup' in text
    summary = adopted.of("Summary")["msg"]
    for number in range(len(scene.texts)):
        assert [
            line for line in summary["left_out"] if line.startswith(f'the tag {scene.namespace}/web:"odd-{number}": ')
        ]
    credentials = dict.fromkeys(summary["to_be_defined"], PASSWORD)

    site = hold(
        playbooks.run(f"{COLLECTION}.site", "-e", f"@{path}", "--check", "--diff", variables=credentials), scene.proof
    )
    assert site.changed() == []


def test_migration_and_back(playbooks: Playbooks, scene: Scene, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    variables = {
        "migrate_to_multiarch_namespaces": scene.namespace,
        "migrate_to_multiarch_apply": True,
        "migrate_to_multiarch_record": str(record),
    }
    hold(playbooks.run(f"{COLLECTION}.migrate_to_multiarch", "--diff", variables=variables), scene.proof)
    assert [tag["name"] for stream in json.loads(record.read_text())["streams"] for tag in stream["tags"]] == ["good"]

    back = {"migrate_to_multiarch_apply": True, "migrate_to_multiarch_back_from": str(record)}
    hold(playbooks.run(f"{COLLECTION}.migrate_to_multiarch", "--diff", variables=back), scene.proof)
    content = json.loads(record.read_text())
    content["streams"][0]["tags"][0]["prefer_os"] = scene.texts[0]
    record.write_text(json.dumps(content))
    refused = hold(playbooks.run(f"{COLLECTION}.migrate_to_multiarch", "--diff", variables=back), scene.proof, 2)
    assert "is not the record of a migration" in next(iter(refused.messages().values()))


def test_prune_risks_and_rotation(playbooks: Playbooks, scene: Scene) -> None:
    hold(
        playbooks.run(f"{COLLECTION}.prune_risks", variables={"prune_risks_namespaces": [scene.namespace]}), scene.proof
    )
    variables = {
        "rotate_credentials_registry": "rotated.example.com",
        "rotate_credentials_username": "new",
        "rotate_credentials_password": "another",
        "rotate_credentials_former_password": PASSWORD,
        "rotate_credentials_namespaces": scene.namespace,
        "rotate_credentials_verify": False,
    }
    hold(playbooks.run(f"{COLLECTION}.rotate_credentials", "--diff", variables=variables), scene.proof)


def test_drift(playbooks: Playbooks, scene: Scene, tmp_path: Path) -> None:
    stream = {
        "namespace": scene.namespace,
        "name": "web",
        "tags": [{"name": "good", "from": scene.image, "insecure": True}],
    }
    registries = [{"registry": "r.example", "username": "u", "password": "p"}]
    secret = {"name": "held-0", "namespaces": [scene.namespace], "update": "replace", "registries": registries}
    variables = {"image_streams_desired": [stream], "registry_access_secrets": [secret]}
    variables |= {
        "drift_report_json_file": str(tmp_path / "drift.json"),
        "drift_report_html_file": str(tmp_path / "drift.html"),
    }
    hold(playbooks.run(f"{COLLECTION}.drift", variables=variables), scene.proof)
    approved = {**variables, "drift_correct": True, "drift_report_approved_file": str(tmp_path / "drift.json")}
    hold(playbooks.run(f"{COLLECTION}.drift", variables=approved), scene.proof)

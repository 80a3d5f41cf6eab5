# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""adopt.yml and site.yml over what a user of a namespace has written to run a program on the machine of whoever adopts it."""

from __future__ import annotations

from pathlib import Path

from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.registry_secrets import entry, registry_secret
from integration.surroundings import Surroundings

ADOPT = "quayside.openshift_images.adopt"
SITE = "quayside.openshift_images.site"
SUMMARY = "Summary"


def test_a_template_in_an_annotation_or_a_secret_is_never_run(
    given: Surroundings, cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    given.push("plain", "hostile", "v1")
    proof, path = tmp_path / "proof", tmp_path / "adopted.yml"
    template = "{{ lookup('pipe', 'touch " + str(proof) + "') }}"
    image = given.image("plain", "hostile", "v1")
    images = [
        {"from": {"kind": "DockerImage", "name": image}, "to": {"name": name}, "importPolicy": {"insecure": True}} for name in ("odd", "good")
    ]
    body = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStreamImport", "metadata": {"name": "web", "namespace": namespace}}
    cluster.call("POST", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamimports", {**body, "spec": {"import": True, "images": images}})
    stream = cluster.get("imagestreams", namespace, "web")
    for tag in stream["spec"]["tags"]:
        if tag["name"] == "odd":
            tag["annotations"] = {f"importer.image.openshift.io/prefer-{what}": template for what in ("arch", "os")}
    stream["metadata"]["annotations"] = {"hostile": template}
    cluster.put("imagestreams", stream)
    credential = given.credential()
    hostile = {"auth": entry(template, "a-password")["auth"], "email": template}
    auths = {credential["registry"]: entry(credential["username"], credential["password"]), "hostile.example.com": hostile, f"{template}.example": hostile}
    cluster.create("secrets", namespace, registry_secret("registries", auths))
    cluster.settled([namespace])

    adopted = playbooks.run(ADOPT, variables={"adopt_namespaces": namespace, "adopt_file": str(path)})

    assert adopted.exit_code == 0, adopted.output
    assert not proof.exists()
    text = path.read_text(encoding="utf-8")
    assert f'username: !unsafe "{template}"' in text
    assert f'#   the tag {namespace}/web:"odd": ' in text
    summary = adopted.of(SUMMARY)["msg"]
    assert [line for line in summary["left_out"] if line.startswith(f'the tag {namespace}/web:"odd": ')]
    credentials = dict.fromkeys(summary["to_be_defined"], "a-password")
    credentials |= {name: credential["password"] for name in credentials if "localhost" in name or credential["registry"].split(":")[0] in name}

    site = playbooks.run(SITE, "-e", f"@{path}", "--check", "--diff", variables=credentials)

    assert site.exit_code == 0, site.output
    assert site.changed() == []
    assert not proof.exists()

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example of the documentation, run as a reader would run it."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from registries.certificates import write_private

from integration.cluster import Cluster, Document
from integration.global_secret import borrowed, find, put
from integration.playbooks import Playbooks
from integration.samples import samples_cluster
from integration.stage import NewNamespace
from integration.surroundings import Surroundings

from .documented import ROOT, Example, blocks, examples


def docker_config(given: Surroundings) -> dict[str, t.Any]:
    credential = given.credential()
    auth = base64.b64encode(f"{credential['username']}:{credential['password']}".encode()).decode()
    host = credential["registry"]
    return {"auths": {key: {"auth": auth} for key in (host, f"{host}/{given.repository('').rstrip('/')}")}}


def registry_secret(given: Surroundings) -> Document:
    data = base64.b64encode(json.dumps(docker_config(given)).encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": data},
    }


@pytest.fixture(scope="session")
def images(given: Surroundings) -> None:
    """Push the images that examples import."""
    for registry in ("private", "plain"):
        for tag, platforms in {
            "v1": "linux/amd64 linux/arm64",
            "v1.0": "linux/amd64",
            "v2": "linux/amd64",
            "stable": "linux/amd64",
        }.items():
            for name in ("web", "api", "plain"):
                given.push(registry, name, tag, platforms)


@pytest.fixture
def home(given: Surroundings, tmp_path: Path) -> Path:
    """Return a reader's home with the files of Docker and Podman, reports of slices, a record, and a folder of
    results."""
    for number in range(1, 5):
        report = {"format": "quayside.openshift_images/drift", "format_version": 1, "clusters": []}
        (tmp_path / f"slice-{number}.json").write_text(json.dumps(report))
    (tmp_path / "harbour.json").write_text(json.dumps({"cluster": "harbour", "streams": []}))
    (tmp_path / "results").mkdir()
    content = json.dumps(docker_config(given)).encode()
    for place in (".docker/config.json", ".config/containers/auth.json", "containers/auth.json", "auth.json"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, content)
    return tmp_path


@pytest.fixture
def replacements(given: Surroundings, cluster: Cluster, new_namespace: NewNamespace, images: None) -> dict[str, str]:
    """Return what examples write, and what the test has instead; the namespaces hold what examples find there."""
    shop, shop_test, billing, credentials = (new_namespace() for _number in range(4))
    for namespace in (shop, shop_test):
        for name in ("registry", "quay"):
            cluster.create("secrets", namespace, {**registry_secret(given), "metadata": {"name": name}})
    # What an owner keeps fresh, for others to copy.
    kept = {**registry_secret(given), "metadata": {"name": "registry-example-com"}}
    cluster.create("secrets", credentials, kept)
    cluster.import_images(
        shop, "web", {tag: (given.image("private", "web", tag), {"importMode": "Legacy"}) for tag in ("v1", "v2")}
    )
    private, plain = (given.registries[name].host for name in ("private", "plain"))
    team = given.repository("")
    return {
        "registry.example.com:5000/team/": f"{private}/{team}",
        "registry.example.com:5000": private,
        "plain.example.com:5000/team/": f"{plain}/{team}",
        "quay.io/*": f"{private}/*",
        "quay.io": private,
        "shop-test": shop_test,
        "namespace: shop\n": f"namespace: {shop}\n",
        "namespaces: shop\n": f"namespaces: {shop}\n",
        "namespace: shop,": f"namespace: {shop},",
        "[shop,": f"[{shop},",
        "[shop]": f"[{shop}]",
        "- shop\n": f"- {shop}\n",
        "billing": billing,
        "namespace: credentials\n": f"namespace: {credentials}\n",
        # The samples come from the plain registry, so it has what they need.
        "mirror.example.com:5000": plain,
    }


@contextmanager
def belongings(
    example: Example, cluster: Cluster, playbooks: Playbooks, given: Surroundings, directory: Path
) -> Iterator[Playbooks]:
    """Where the example may run: what belongs to the whole cluster is borrowed, and samples are brought along."""
    if "samples_" in example.text:
        with samples_cluster(given, directory) as samples:
            samples.add("ruby", {"v1": ()})
            yield samples.playbooks
    elif "cluster_pull_secret" in example.text or "openshift-config" in example.text:
        with borrowed(cluster, given.run):
            if find(cluster) is None:
                put(cluster, registry_secret(given))
            yield playbooks
    else:
        yield playbooks


@pytest.mark.parametrize("example", [pytest.param(example, id=example.origin) for example in examples()])
def test_example(
    example: Example,
    given: Surroundings,
    cluster: Cluster,
    playbooks: Playbooks,
    replacements: dict[str, str],
    home: Path,
    tmp_path: Path,
) -> None:
    variables = {
        "registry_password": given.credential()["password"],
        "vault_registry_password": given.credential()["password"],
        "vault_mirror_password": "not needed there",
        "vaulted_dockerconfigjson": json.dumps(docker_config(given)),
        # What the commands read from files.
        "rotate_credentials_username": given.credential()["username"],
        "rotate_credentials_password": given.credential()["password"],
        # What a rulebook hands on.
        "ansible_eda": {
            "event": {
                "registry": given.registries["private"].host,
                "repository": given.repository("web"),
                "tag": "v1",
            }
        },
        "cluster_pull_secret_registries": [given.credential()] if "cluster_pull_secret" in example.text else [],
    }
    playbook = tmp_path / "example.yml"
    write_private(playbook, example.playbook(replacements, variables).encode())
    authority = given.registries["private"].ca_file
    trusted = {"SSL_CERT_FILE": str(authority)} if authority else {}

    with belongings(example, cluster, playbooks, given, tmp_path) as runner:
        run = runner.run(playbook, settings={"HOME": str(home), "XDG_RUNTIME_DIR": str(home), **trusted})

    assert run.exit_code == 0, run.output
    assert run.complaints() == [], run.output
    assert run.results, "the example holds no task"


def test_argo_cd_ignores_what_the_cluster_writes_into_a_stream(
    given: Surroundings, cluster: Cluster, new_namespace: NewNamespace, images: None
) -> None:
    (text,) = (block.text for block in blocks(ROOT / "docs" / "owners.md") if block.file == "application.yml")
    (ignored,) = yaml.safe_load(text)["spec"]["ignoreDifferences"]
    assert (ignored["group"], ignored["kind"]) == ("image.openshift.io", "ImageStream")
    fields = {path.removeprefix(".spec.tags[].") for path in ignored["jqPathExpressions"]}
    namespace = new_namespace()
    declared = {"name": "v1", "from": {"kind": "DockerImage", "name": given.image("plain", "web", "v1")}}
    cluster.create(
        "imagestreams",
        namespace,
        {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStream",
            "metadata": {"name": "web"},
            "spec": {"tags": [declared]},
        },
    )

    cluster.import_images(namespace, "web", {"v1": (declared["from"]["name"], {})})

    (tag,) = cluster.settled([namespace]).stream(namespace, "web")["spec"]["tags"]
    assert {field for field, value in tag.items() if value and value != declared.get(field)} == fields

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""adopt.yml: what a cluster has as variables, without a credential, and site.yml changes nothing with them."""

from __future__ import annotations

import stat
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fleet.inventory import write_inventory
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.registry_secrets import entry, forms, registry_secret
from integration.rights import Rights
from integration.stage import NewNamespace, NewStage, Stage
from integration.surroundings import Surroundings

PLAYBOOK = "quayside.openshift_images.adopt"
SITE = "quayside.openshift_images.site"
ACCESS = "Read the pull secrets and their links"
WRITE = "Write the variables"
PARTNER = "partner.example.com"
ODD = "odd.example.com"
PASSWORD = "a-password-of-the-partner"
OTHER_PASSWORD = "another-password-of-the-partner"


@pytest.fixture
def namespaces(given: Surroundings, cluster: Cluster, new_namespace: NewNamespace) -> tuple[str, str]:
    """Two namespaces that somebody has set up without this collection: secrets, links, streams, and what cannot be
    declared."""
    shop, billing = new_namespace(), new_namespace()
    given.push("private", "adopted", "v1", "linux/amd64 linux/arm64")
    given.push("plain", "adopted", "v1")
    private = given.credential()
    for namespace, password in ((shop, PASSWORD), (billing, OTHER_PASSWORD)):
        auths = {
            private["registry"]: entry(private["username"], private["password"]),
            PARTNER: entry("{robot}", password),
        }
        cluster.create("secrets", namespace, registry_secret("registries", auths))
        link(cluster, namespace, "builder", "registries")
    link(cluster, shop, "default", "registries", "imagePullSecrets")
    older = registry_secret("older", {"old.example.com": entry("robot", PASSWORD)}, "kubernetes.io/dockercfg")
    older["metadata"]["annotations"] = {"openshift.io/image.excludeSecret": "true"}
    cluster.create("secrets", billing, older)
    odd = {
        "empty.example.com": {},
        "\nodd: 1": entry("robot", PASSWORD),
        "unseen.example.com": entry("a\n-b", PASSWORD),
        ODD: entry("- b 'c' #1", PASSWORD),
    }
    cluster.create("secrets", billing, registry_secret("odd", odd))
    import_tag(
        cluster, shop, "web", given.image("private", "adopted", "v1"), importMode="PreserveOriginal", scheduled=True
    )
    import_tag(cluster, billing, "web", given.image("plain", "adopted", "v1"), insecure=True)
    alias = {"name": "stable", "from": {"kind": "ImageStreamTag", "name": "v1"}}
    stream = cluster.get("imagestreams", shop, "web")
    tracked = {"argocd.argoproj.io/tracking-id": f"shop:image.openshift.io/ImageStream:{shop}/web"}
    stream["metadata"].setdefault("annotations", {}).update(tracked)
    cluster.put("imagestreams", {**stream, "spec": {**stream["spec"], "tags": [*stream["spec"]["tags"], alias]}})
    cluster.settled([shop, billing])
    return shop, billing


def link(cluster: Cluster, namespace: str, account: str, secret: str, *lists: str) -> None:
    """Link a secret, to both lists unless they are named."""
    document = cluster.get("serviceaccounts", namespace, account)
    for name in lists or ("imagePullSecrets", "secrets"):
        document[name] = [*(document.get(name) or []), {"name": secret}]
    cluster.put("serviceaccounts", document)


def import_tag(cluster: Cluster, namespace: str, stream: str, source: str, **policy: t.Any) -> None:
    """Import the tag v1 as somebody else does."""
    image = {"from": {"kind": "DockerImage", "name": source}, "to": {"name": "v1"}, "importPolicy": policy}
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": stream, "namespace": namespace},
        "spec": {"import": True, "images": [image]},
    }
    answer = cluster.call("POST", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamimports", body)
    assert answer["status"]["images"][0]["status"]["status"] == "Success", answer


def filled(placeholders: list[dict[str, t.Any]], given: Surroundings, shop: str) -> dict[str, str]:
    """Return the credentials as somebody would look them up: by registry, user and secret."""
    values = {
        given.credential()["registry"]: given.credential()["password"],
        "old.example.com": PASSWORD,
        ODD: PASSWORD,
    }
    partner = {True: PASSWORD, False: OTHER_PASSWORD}
    return {
        one["variable"]: partner[any(secret.startswith(f"{shop}/") for secret in one["secrets"])]
        if one["registry"] == PARTNER
        else values[one["registry"]]
        for one in placeholders
    }


def test_site_changes_nothing_with_what_was_adopted(
    given: Surroundings,
    cluster: Cluster,
    namespaces: tuple[str, str],
    playbooks: Playbooks,
    tmp_path: Path,
    new_stage: NewStage,
) -> None:
    shop, billing = namespaces
    path = tmp_path / "adopted.yml"
    variables = {"adopt_namespaces": f"{shop}, {billing}", "adopt_file": str(path)}
    before = cluster.settled(namespaces)
    adopting = new_stage(PLAYBOOK, *namespaces, variables=variables)

    predicted = adopting.predict()
    assert not path.exists()
    done = adopting.run("--diff")
    again = adopting.run("--diff")

    assert predicted.changed() == done.changed() == [WRITE]
    assert again.changed() == []
    assert not cluster.snapshot(namespaces).written_since(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    secrets = forms(PASSWORD, OTHER_PASSWORD, given.credential()["password"])
    assert [form for form in secrets if form in text + predicted.output + done.output] == []
    adopted = yaml.safe_load(text)
    assert set(adopted) == {"registry_access_secrets", "image_streams_desired"}
    assert {(stream["namespace"], stream["name"]) for stream in adopted["image_streams_desired"]} == {
        (shop, "web"),
        (billing, "web"),
    }
    placeholders = done.of(ACCESS)["placeholders"]
    assert all(f"#   {one['variable']}: the password of" in text for one in placeholders)
    assert f'#   the secret {billing}/odd, "empty.example.com": "it has no user name and password"' in text
    assert f'#   the secret {billing}/odd, "unseen.example.com": "it has characters that cannot be shown"' in text
    assert f'#   the tag {shop}/web:"stable": "it follows the ImageStreamTag v1"' in text

    # Of the one that Argo CD reconciles the file says so.
    (managed,) = done.of("Summary")["msg"]["managed_by"]
    assert managed == f'the image stream {shop}/web: "the Argo CD application \\"shop\\""'
    assert f"#   {managed}" in text.splitlines()

    credentials = filled(placeholders, given, shop)
    assert len(credentials) == 5
    site = Stage(cluster, playbooks, SITE, namespaces, {**adopted, **credentials})
    site.find_nothing_to_do()
    # and they are no empty words: without one of them everything that it is about would change
    site.variables[next(name for name, value in credentials.items() if value == OTHER_PASSWORD)] = PASSWORD
    (title,) = [title for title in site.predict().changed() if "Create and update the pull secrets" in title]
    assert title.startswith(f"Create and update the pull secrets (registries in {billing}, ")


def test_a_credential_that_was_not_filled_in_is_named(
    namespaces: tuple[str, str], playbooks: Playbooks, tmp_path: Path
) -> None:
    path = tmp_path / "adopted.yml"
    adopted = playbooks.run(PLAYBOOK, variables={"adopt_namespaces": [namespaces[1]], "adopt_file": path.name})
    assert path.exists(), "a path begins in the folder that the command is given in"
    variable = adopted.of(ACCESS)["placeholders"][0]["variable"]

    run = playbooks.run(SITE, "-e", f"@{path}")

    assert run.exit_code == 2
    assert f"'{variable}' is undefined" in run.output


def test_each_cluster_gets_a_file_of_its_own(
    given: Surroundings, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    hosts = {name: {"k8s_auth_kubeconfig": str(given.kubeconfig)} for name in ("harbour", "island")}
    inventory = write_inventory(tmp_path / "inventory.yml", **hosts)
    elsewhere = playbooks.with_environment({"PWD": str(tmp_path)})

    refused = elsewhere.run(
        PLAYBOOK,
        variables={"adopt_namespaces": namespace, "adopt_file": str(tmp_path / "one.yml")},
        inventory=inventory,
    )
    assert refused.exit_code == 2
    sentence = f"adopt_file is {tmp_path}/one.yml for harbour: with several clusters, the name of each has to be in it"
    assert sentence in [result.content["msg"] for result in refused.results if result.outcome == "failed"]
    assert not tmp_path.joinpath("one.yml").exists()

    run = elsewhere.run(PLAYBOOK, variables={"adopt_namespaces": namespace}, inventory=inventory)
    assert run.exit_code == 0, run.output
    for host in hosts:
        content = yaml.safe_load(tmp_path.joinpath(f"adopted-{host}.yml").read_text(encoding="utf-8"))
        assert content == {"registry_access_secrets": [], "image_streams_desired": []}


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    yield rights
    rights.remove()


def test_the_rights_of_the_manifest_are_enough(
    cluster: Cluster, namespace: str, namespaces: tuple[str, str], playbooks: Playbooks, tmp_path: Path, rights: Rights
) -> None:
    rights.apply("adopt.yml")
    access = rights.user(namespace, *(("quayside-adopt", one) for one in namespaces))
    path = tmp_path / "adopted.yml"
    as_user = playbooks.with_environment(access.variables())

    run = as_user.run(PLAYBOOK, variables={"adopt_namespaces": list(namespaces), "adopt_file": str(path)})
    assert run.exit_code == 0, run.output
    assert run.complaints() == []
    assert len(yaml.safe_load(path.read_text(encoding="utf-8"))["image_streams_desired"]) == 2
    refused = as_user.run(PLAYBOOK, variables={"adopt_file": str(path)})
    assert refused.exit_code == 2
    assert "cluster scope" in refused.output


def test_the_whole_cluster_without_what_is_its_own(
    cluster: Cluster, namespace: str, namespaces: tuple[str, str], playbooks: Playbooks, tmp_path: Path, rights: Rights
) -> None:
    rights.apply("adopt.yml")
    as_user = playbooks.with_environment(rights.user(namespace, ("quayside-adopt", "")).variables())
    path = tmp_path / "adopted.yml"
    shop, billing = namespaces
    # other tests come and go meanwhile: only what is left out, and what is not, is certain
    run = as_user.run(
        PLAYBOOK, variables={"adopt_file": str(path), "adopt_skip_namespaces": ["kube-*", f"*{billing[-6:]}"]}
    )

    assert run.exit_code == 0, run.output
    adopted = yaml.safe_load(path.read_text(encoding="utf-8"))
    streams = {stream["namespace"] for stream in adopted["image_streams_desired"]}
    secrets = {one for secret in adopted["registry_access_secrets"] for one in secret["namespaces"]}
    for found in (streams, secrets):
        assert shop in found
        assert billing not in found

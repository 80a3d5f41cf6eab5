# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole repositories: more tags than the server imports at once, patterns, tags that are gone, and by which road
they were listed."""

from __future__ import annotations

import typing as t

import pytest
from integration.cluster import Cluster, tags_of
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import entry, forms, registry_secret
from integration.stage import NewStage, Stage
from integration.surroundings import Surroundings
from registries.client import RegistryClient

EVERY = "Every tag that fits"
MANY = tuple(f"v1.{number}" for number in range(60)) + tuple(f"v2.{number}" for number in range(5))


@pytest.fixture
def variables(given: Surroundings, cluster: Cluster, namespace: str) -> dict[str, t.Any]:
    """Return a repository of this test's own with 65 tags, in a private registry that the namespace has a credential
    for."""
    name = f"many-{namespace}"
    digest = given.push("private", name, MANY[0], "linux/amd64 linux/s390x")
    with RegistryClient(given.registries["private"]) as client:
        manifest = client.manifest(given.repository(name), digest)
        for tag in MANY[1:]:
            client.put_manifest(given.repository(name), tag, manifest)
    credential = given.credential()
    cluster.create(
        "secrets",
        namespace,
        registry_secret("private", {credential["registry"]: entry(credential["username"], credential["password"])}),
    )
    return {
        "target_namespace": namespace,
        "repository": given.image("private", name, "x").rpartition(":")[0],
        "patterns": [],
        "purge": False,
    }


@pytest.fixture
def trusting(given: Surroundings, playbooks: Playbooks) -> Playbooks:
    """Playbooks on a machine that trusts the private registry, as the cluster does."""
    return playbooks.with_environment(
        {**playbooks.environment, "SSL_CERT_FILE": str(given.registries["private"].ca_file)}
    )


def stage_of(stage: Stage, playbooks: Playbooks) -> Stage:
    stage.playbooks = playbooks
    return stage


def road(run: Run) -> tuple[str, str | None]:
    (stream,) = run.of(EVERY)["streams"]
    return stream["tags_from"], stream["tags_from_reason"]


def test_all_65_tags_and_then_those_that_are_left(
    given: Surroundings,
    cluster: Cluster,
    namespace: str,
    new_stage: NewStage,
    trusting: Playbooks,
    variables: dict[str, t.Any],
) -> None:
    stage = stage_of(new_stage("repository.yml", namespace, variables=variables), trusting)
    done = stage.converge()
    assert road(done) == ("registry", None)
    assert set(tags_of(cluster.get("imagestreams", namespace, "many"))) == set(MANY)
    assert [text for text in forms(given.credential()["password"]) if text in done.output] == []

    repository = given.repository(f"many-{namespace}")
    with RegistryClient(given.registries["private"]) as client:
        for tag in ("v2.3", "v2.4"):
            client.delete_tag(repository, tag)
    kept = stage_of(
        new_stage(
            "repository.yml", namespace, variables=variables, complaints=("the repository no longer has v2.3, v2.4",)
        ),
        trusting,
    )
    run = kept.run()
    assert run.of(EVERY)["streams"][0]["gone_upstream"] == ["v2.3", "v2.4"]
    assert run.changed() == []

    purged = stage_of(
        new_stage("repository.yml", namespace, variables={**variables, "purge": True}), trusting
    ).converge()
    assert {tag: reasons for (_stream, tag), reasons in purged.changed_tags().items()} == {
        "v2.3": ("not_listed",),
        "v2.4": ("not_listed",),
    }
    assert set(tags_of(cluster.get("imagestreams", namespace, "many"))) == set(MANY) - {"v2.3", "v2.4"}


def test_what_is_not_chosen_is_not_looked_at(
    cluster: Cluster, namespace: str, new_stage: NewStage, trusting: Playbooks, variables: dict[str, t.Any]
) -> None:
    chosen = {**variables, "patterns": ["v2.*", "v1.59"], "purge": True}
    done = stage_of(new_stage("repository.yml", namespace, variables=chosen), trusting).converge()

    assert road(done) == ("registry", None)
    assert set(tags_of(cluster.get("imagestreams", namespace, "many"))) == {"v1.59", *MANY[60:]}


def test_a_registry_that_only_the_cluster_trusts_is_listed_by_the_cluster(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage, variables: dict[str, t.Any]
) -> None:
    stage = new_stage("repository.yml", namespace, variables={**variables, "patterns": ["v2.*"]})
    done = stage.run("--diff")

    where, why = road(done)
    assert where == "server"
    assert why is not None
    assert "that is not trusted" in why
    assert set(tags_of(cluster.get("imagestreams", namespace, "many"))) == set(MANY[60:])

    stage.variables["ca_file"] = str(given.registries["private"].ca_file)
    assert road(stage.run()) == ("registry", None)

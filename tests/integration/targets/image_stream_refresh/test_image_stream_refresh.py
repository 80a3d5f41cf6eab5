# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_stream_refresh: a push moves the declared tags that track it, and nothing else."""

from __future__ import annotations

import typing as t

import pytest
from integration.cluster import Cluster, tags_of
from integration.rights import Rights
from integration.stage import NewStage, Stage
from integration.surroundings import Surroundings

LIST = "linux/amd64 linux/arm64"
SCHEDULED = {"insecure": True, "scheduled": True}


def push_of(given: Surroundings, digest: str | None, tag: str | None = "v1") -> dict[str, t.Any]:
    """Return a push as the event filter gives it."""
    return {
        "registry": given.registries["plain"].host,
        "repository": given.repository("pushed"),
        "tag": tag,
        "digest": digest,
        "at": None,
    }


@pytest.fixture
def stage(given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage) -> Stage:
    """Return a stream with every kind of tag, imported before the push."""
    old = given.push("plain", "pushed", "v1", LIST, content="old")
    given.push("plain", "pushed", "v2", content="old")
    source, other = given.image("plain", "pushed", "v1"), given.image("plain", "pushed", "v2")
    cluster.import_images(
        namespace,
        "web",
        {
            "legacy": (source, SCHEDULED),
            "list": (source, {**SCHEDULED, "importMode": "PreserveOriginal"}),
            "once": (source, {"insecure": True}),
            "digest": (f"{source.rpartition(':')[0]}@{old}", {"insecure": True, "importMode": "PreserveOriginal"}),
            "other": (other, SCHEDULED),
        },
    )
    cluster.patch_tag(namespace, "web", "follower", {"from": {"kind": "ImageStreamTag", "name": "list"}})
    return new_stage("pushed.yml", namespace, variables={"target_namespace": namespace})


def test_declared_tags_that_track_what_was_pushed_and_no_others(
    given: Surroundings, cluster: Cluster, namespace: str, stage: Stage
) -> None:
    before = tags_of(cluster.get("imagestreams", namespace, "web"))
    digest = given.push("plain", "pushed", "v1", LIST, content="new")
    stage.variables["pushes"] = [push_of(given, digest)]

    done = stage.converge()

    assert done.changed_tags() == {(f"{namespace}/web", name): ("pushed",) for name in ("legacy", "list")}
    after = tags_of(cluster.get("imagestreams", namespace, "web"))
    assert after["list"].digest == digest
    assert after["legacy"].digest not in (digest, before["legacy"].digest)
    assert after["follower"].digest == digest
    for name in ("once", "digest", "other"):
        assert after[name] == before[name]
    for name, tag in after.items():
        # A push changes no specification.
        assert (tag.source, tag.scheduled, tag.import_mode) == (
            before[name].source,
            before[name].scheduled,
            before[name].import_mode,
        )


def test_without_tag_the_whole_repository_and_on_request_tags_that_are_not_scheduled(
    given: Surroundings, cluster: Cluster, namespace: str, stage: Stage
) -> None:
    given.push("plain", "pushed", "v1", LIST, content="newer")
    moved = given.push("plain", "pushed", "v2", content="newer")
    stage.variables.update(
        pushes=[push_of(given, None, None) | {"registry": "name-of-the-route.example.com"}],
        registry_names=[[given.registries["plain"].host, "name-of-the-route.example.com"]],
        only_scheduled=False,
    )

    done = stage.converge()

    assert set(done.changed_tags()) == {(f"{namespace}/web", name) for name in ("legacy", "list", "once", "other")}
    assert cluster.tag(namespace, "web", "other").digest == moved


def test_a_forged_push_changes_nothing(given: Surroundings, stage: Stage) -> None:
    stage.variables["pushes"] = [
        push_of(given, "sha256:" + "0" * 64),
        push_of(given, None, "gone"),
        push_of(given, None) | {"repository": "no/such"},
    ]
    stage.find_nothing_to_do()


def test_the_rights_of_the_manifest_are_enough(
    given: Surroundings, cluster: Cluster, namespace: str, stage: Stage
) -> None:
    rights = Rights(cluster, namespace)
    rights.apply("image_stream_refresh.yml")
    try:
        access = rights.user(namespace, ("quayside-image-stream-refresh", namespace))
        digest = given.push("plain", "pushed", "v1", LIST, content="newest")
        variables = {**stage.variables, "pushes": [push_of(given, digest)]}
        run = stage.playbooks.with_environment(access.variables()).run(stage.playbook, "--diff", variables=variables)
        assert run.exit_code == 0, run.output
        assert run.complaints() == [], run.output
        assert cluster.tag(namespace, "web", "list").digest == digest
    finally:
        rights.remove()

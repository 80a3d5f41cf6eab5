# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_stream_tag in playbooks: copies, aliases, images of streams, external images, references, removal."""

from __future__ import annotations

import typing as t

import pytest
from integration.cluster import Cluster, tags_of
from integration.stage import NewNamespace, NewStage
from integration.surroundings import Surroundings

SETUP_ANNOTATION = {"example.com/kept": "yes"}
POLICY = {"insecure": True, "importMode": "PreserveOriginal"}


@pytest.fixture
def variables(given: Surroundings, cluster: Cluster, namespace: str) -> dict[str, t.Any]:
    """Return a stream with an imported tag, and one that is to go."""
    digest = given.push("plain", "tagged", "v1", "linux/amd64 linux/arm64")
    given.push("plain", "tagged", "v2")
    source = given.image("plain", "tagged", "v1")
    cluster.import_images(
        namespace, "web", {"v1": (source, POLICY), "old": (given.image("plain", "tagged", "v2"), POLICY)}
    )
    return {"target_namespace": namespace, "web_digest": digest, "source": source}


def test_every_kind_of_tag(
    cluster: Cluster,
    namespace: str,
    new_namespace: NewNamespace,
    new_stage: NewStage,
    variables: dict[str, t.Any],
    given: Surroundings,
) -> None:
    other = new_namespace()
    cluster.patch_tag(
        namespace, "web", "referred", {"from": {"kind": "DockerImage", "name": variables["source"]}, "reference": True}
    )
    stage = new_stage("tags.yml", namespace, other, variables={**variables, "target_other": other})

    done = stage.converge()

    assert len(done.changed()) == 7
    assert "reference_changed" in done.of("No reference any more")["tag"]["reasons"]
    tags = tags_of(cluster.get("imagestreams", namespace, "web"))
    assert set(tags) == {"v1", "latest", "pinned", "external", "reference", "referred"}
    assert tags["reference"].insecure
    assert tags["referred"].digest
    assert cluster.tag(namespace, "web", "external").scheduled
    assert {tags[name].digest for name in ("v1", "latest", "pinned", "external")} == {variables["web_digest"]}
    copy = cluster.get("imagestreams", other, "web")["spec"]["tags"][0]
    assert copy["from"] == {
        "kind": "ImageStreamImage",
        "name": f"web@{variables['web_digest']}",
        "namespace": namespace,
    }

    # The source moves: the copy is drift, and nothing else is.
    cluster.patch_tag(other, "web", "production", {"annotations": SETUP_ANNOTATION})
    cluster.import_images(namespace, "web", {"v1": (given.image("plain", "tagged", "v2"), POLICY)})
    moved = stage.predict()
    assert "A copy in another namespace" in moved.changed()
    done = stage.run("--diff")
    assert done.of("A copy in another namespace")["tag"]["reasons"] == ["upstream_moved"]
    production = cluster.get("imagestreams", other, "web")["spec"]["tags"][0]
    assert production["annotations"] == SETUP_ANNOTATION


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            "web:absent",
            "{ns}/web:production cannot point to {ns}/web:absent, because that tag does not exist or has no image.",
        ),
        (
            "gone:v1",
            (
                "{ns}/web:production cannot point to the stream {ns}/gone, because it does not exist; for a stream of "
                "another namespace write from: NAMESPACE/STREAM:TAG, or set from_namespace."
            ),
        ),
    ],
)
def test_a_source_that_is_not_there_is_refused(
    namespace: str, new_stage: NewStage, variables: dict[str, t.Any], wanted: str, sentence: str
) -> None:
    stage = new_stage("refused.yml", namespace, variables={**variables, "wanted_source": wanted})

    assert stage.run_to_fail("--check").messages() == {"A tag": sentence.format(ns=namespace)}
    assert stage.run_to_fail().messages() == {"A tag": sentence.format(ns=namespace)}

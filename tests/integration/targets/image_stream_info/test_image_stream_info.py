# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_stream_info in playbooks: what it tells of streams, and that a stream given back as variables is left alone."""

from __future__ import annotations

from integration.cluster import Cluster
from integration.stage import NewStage
from integration.surroundings import Surroundings


def test_what_is_described_can_be_imported_back_without_a_change(
    cluster: Cluster, given: Surroundings, namespace: str, new_stage: NewStage
) -> None:
    digest = given.push("plain", "described", "v1", "linux/amd64 linux/arm64")
    given.push("plain", "described", "v2")
    source = given.image("plain", "described", "v1")
    cluster.import_images(
        namespace,
        "web",
        {
            "list": (source, {"insecure": True, "importMode": "PreserveOriginal", "scheduled": True}),
            "child": (source, {"insecure": True, "importMode": "Legacy"}),
            "moving": (given.image("plain", "described", "v2"), {"insecure": True, "importMode": "Legacy"}),
        },
    )
    stage = new_stage("adopt.yml", namespace, variables={"target_namespace": namespace})

    stage.find_nothing_to_do()

    described = stage.predict().of("Describe the streams")["streams"][0]
    tags = {tag["name"]: tag for tag in described["tags"]}
    assert tags["list"]["digest"] == digest
    assert [(child["os"], child["architecture"]) for child in tags["list"]["upstream"]["manifests"]] == [
        ("linux", "amd64"),
        ("linux", "arm64"),
    ]
    assert not any(tag["upstream"]["moved"] for tag in tags.values())
    assert tags["list"]["manifests"] == tags["list"]["upstream"]["manifests"]

    moved_to = given.push("plain", "described", "v2", content="moved")
    described = stage.predict().of("Describe the streams")["streams"][0]
    upstream = {tag["name"]: tag["upstream"] for tag in described["tags"]}
    assert [name for name, found in upstream.items() if found["moved"]] == ["moving"]
    assert upstream["moving"]["digest"] == moved_to
    moving = next(tag for tag in described["tags"] if tag["name"] == "moving")
    assert (moving["reasons"], moving["media_type"]) == (["upstream_moved"], upstream["moving"]["media_type"])

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role image_streams: batches that show the progress, and a failure that keeps no other batch from being done."""

from __future__ import annotations

import typing as t

from integration.cluster import Cluster
from integration.stage import NewStage
from integration.surroundings import Surroundings

LABELS = [
    "streams 1 to 2 of 3: 2 tags changed, 0 unchanged, 0 failed",
    "streams 3 to 3 of 3: 1 tag changed, 0 unchanged, 0 failed",
]
SUMMARY = "Summary"


def streams(given: Surroundings, namespace: str, *tags: str) -> list[dict[str, t.Any]]:
    """One stream for each tag of one repository."""
    return [
        {
            "namespace": namespace,
            "name": f"stream-{tag}",
            "insecure": True,
            "tags": [{"name": "only", "from": given.image("plain", "batches", tag)}],
        }
        for tag in tags
    ]


def test_batches_show_the_progress(given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage) -> None:
    tags = [f"v{number}" for number in range(3)]
    for tag in tags:
        given.push("plain", "batches", tag)
    variables = {
        "image_streams_desired": streams(given, namespace, *tags),
        "image_streams_batch_size": 2,
        "image_streams_results": "changed",
    }
    stage = new_stage("role.yml", namespace, variables=variables)

    done = stage.converge()

    assert done.of(SUMMARY)["msg"] == "3 tags in 3 streams: 3 changed, 0 unchanged, 0 failed - why: stream missing (3)"
    assert done.changed() == [f"Import the image streams ({label})" for label in LABELS]
    assert all(cluster.tag(namespace, f"stream-{tag}", "only").digest for tag in tags)


def test_a_failing_batch_stops_no_other_and_every_failed_tag_is_named(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    given.push("plain", "batches", "good")
    missing = ["gone-1", "gone-2"]
    desired = streams(given, namespace, missing[0], missing[1], "good")
    stage = new_stage(
        "role.yml", namespace, variables={"image_streams_desired": desired, "image_streams_batch_size": 2}
    )
    lines = ["2 of 3 tags could not be imported:"]
    for tag in missing:
        image = given.image("plain", "batches", tag)
        lines.append(
            f'- {namespace}/stream-{tag}:only from {image}\n    NotFound: dockerimage.image.openshift.io "{image}" not '
            "found\n    -> The registry has no such tag, digest or repository: check the pull spec."
        )

    for options in (("--check",), ()):
        run = stage.run_to_fail(*options)
        assert run.exit_code == 2
        labels = [result.item for result in run.results if result.item]
        assert [label.partition(":")[0] for label in labels] == [label.partition(":")[0] for label in LABELS]
        assert ["2 failed" in label for label in labels] == [True, False]
        assert "2 failed" in run.of(SUMMARY)["msg"]
        assert [message.rstrip("\n") for message in run.messages().values()] == ["\n".join(lines)]
    assert cluster.tag(namespace, "stream-good", "only").digest

    for tag in missing:
        given.push("plain", "batches", tag)
    _predicted, done = stage.predict_and_do()
    assert done.changed_tags() == {(f"{namespace}/stream-{tag}", "only"): ("last_import_failed",) for tag in missing}


def test_what_no_batch_can_see_is_refused_first(given: Surroundings, namespace: str, new_stage: NewStage) -> None:
    desired = streams(given, namespace, "v0", "v1", "v0")
    stage = new_stage(
        "role.yml", namespace, variables={"image_streams_desired": desired, "image_streams_batch_size": 1}
    )

    (message,) = stage.run_to_fail().messages().values()
    assert message == f"Streams are listed twice, join their entries: {namespace}/stream-v0"

    stage.variables["image_streams_batch_size"] = 0
    (message,) = stage.run_to_fail().messages().values()
    assert message.splitlines()[0] == "image_streams_batch_size is 0: give a number from 1"
    assert not [address for address in stage.snapshot() if address.plural == "imagestreams"]

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""samples_operator: the samples move to a mirror, failures are tried again and told, the operator is waited for."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.cluster import tags_of
from integration.samples import CONFIG, NAMESPACE, Samples, samples_cluster
from integration.stage import Stage
from integration.surroundings import Surroundings

TASK = "Configure the samples"
PLAYBOOK = Path(__file__).with_name("configure.yml")


@pytest.fixture
def samples(given: Surroundings, tmp_path: Path) -> Iterator[Samples]:
    """Yield a sample that the mirror has. The mirror is the self-signed registry: it needs no credentials."""
    with samples_cluster(given, tmp_path) as made:
        made.add("ruby", {"3.0": ("selfsigned",), "3.1": ("selfsigned",)})
        made.playbooks.run(PLAYBOOK, variables={"wait_timeout": 30})
        yield made


@pytest.fixture
def mirror(given: Surroundings) -> str:
    """Return the mirror's host."""
    return given.registries["selfsigned"].host


def staged(samples: Samples, **variables: t.Any) -> Stage:
    """Return the playbook of the module."""
    return samples.stage(PLAYBOOK, **variables)


def test_samples_move_to_a_mirror_and_back(samples: Samples, mirror: str) -> None:
    before = samples.config()
    stage = staged(samples, mirror=mirror, skipped=["never"], skipped_templates=["rails"])

    done = stage.converge()

    assert done.changed() == [TASK]
    result = done.of(TASK)
    assert result["summary"] == {"imagestreams": 1, "tags": 2, "imported": 2, "pending": 0, "failed": 0, "retried": 0}
    assert {
        tag.source.partition("/")[0] for tag in tags_of(samples.cluster.get("imagestreams", NAMESPACE, "ruby")).values()
    } == {mirror}
    config = samples.config()
    assert config["spec"] == {
        **before["spec"],
        "samplesRegistry": mirror,
        "skippedImagestreams": ["never"],
        "skippedTemplates": ["rails"],
    }
    assert {entry["type"]: entry["status"] for entry in result["conditions"]}["SamplesExist"] == "True"
    ((entry,),) = done.diffs().values()
    assert (
        entry["before_header"] == entry["after_header"] == "configuration configs.samples.operator.openshift.io/cluster"
    )
    assert entry["after"].splitlines() == [
        f"samples_registry: {mirror}",
        "skipped_imagestreams: never",
        "skipped_templates: rails",
    ]

    staged(samples, mirror="", skipped=[], skipped_templates=[]).run()

    assert samples.config()["spec"] == before["spec"]
    sources = {tag.source for tag in tags_of(samples.cluster.get("imagestreams", NAMESPACE, "ruby")).values()}
    assert sources == {samples.given.image("plain", "ruby", tag) for tag in ("3.0", "3.1")}


def test_what_the_mirror_lacks_is_told_and_can_be_skipped(samples: Samples, mirror: str) -> None:
    # Another test gives the mirror perl.
    samples.add("php", {"8.1": ()})
    missing = f"{mirror}/{samples.given.repository('php')}:8.1"

    failed = staged(samples, mirror=mirror).run_to_fail()

    assert failed.exit_code == 2
    assert failed.changed() == [TASK], "the configuration was written"
    (message,) = failed.messages().values()
    for part in ("1 of 3 tags", f"php:8.1 from {missing}\n    NotFound", "skipped_imagestreams", "(php)"):
        assert part in message
    (tag,) = failed.of(TASK)["failed_tags"]
    assert (tag["name"], tag["tag"], tag["from"], tag["reason"]) == ("php", "8.1", missing, "NotFound")

    again = staged(samples, mirror=mirror).run_to_fail()
    assert again.changed() == [], "the same failure is no change"
    assert again.of(TASK)["summary"]["retried"] == 1
    foreseen = staged(samples, mirror=mirror).run_to_fail("--check")
    assert foreseen.of(TASK)["failed_tags"] == again.of(TASK)["failed_tags"]

    tolerated = samples.stage(
        PLAYBOOK, ("tags of the samples could not be imported",), mirror=mirror, ignore_failed_tags=True
    ).run()
    assert tolerated.of(TASK)["failed_imagestreams"] == ["php"]
    assert tolerated.changed() == []

    assert staged(samples, mirror=mirror, skipped=["php"]).run().of(TASK)["imagestreams"] == ["ruby"]


def test_failed_imports_are_tried_again(samples: Samples, mirror: str) -> None:
    samples.add("perl", {"5.30": ()})
    assert staged(samples, mirror=mirror).run_to_fail().exit_code == 2
    digest = samples.given.push("selfsigned", "perl", "5.30")

    done = staged(samples, mirror=mirror).converge()

    assert done.changed_tags() == {(f"{NAMESPACE}/perl", "5.30"): ("last_import_failed",)}
    tag = samples.cluster.tag(NAMESPACE, "perl", "5.30")
    assert (tag.digest, tag.failure, tag.source.partition("/")[0]) == (digest, "", mirror)


def test_an_operator_that_does_nothing_is_not_waited_for_forever(samples: Samples, mirror: str) -> None:
    samples.control.change(samples_operator=False)

    run = staged(samples, mirror=mirror, wait_timeout=2).run_to_fail()

    (message,) = run.messages().values()
    assert message.startswith("The Cluster Samples Operator was not done after 2 seconds")
    assert "the operator has not taken over samples_registry" in message
    assert run.of(TASK)["outstanding"] == ["the operator has not taken over samples_registry"]
    assert run.changed() == [TASK]
    assert staged(samples, mirror=mirror, wait=False).run().changed() == []

    samples.control.change(samples_operator=True)
    assert staged(samples, mirror=mirror).run().of(TASK)["outstanding"] == []


def test_samples_are_removed_and_come_back(samples: Samples) -> None:
    staged(samples, management_state="Removed").predict_and_do()
    assert [address.name for address in samples.cluster.snapshot([NAMESPACE]) if address.plural == "imagestreams"] == []

    assert staged(samples, management_state="Managed").run().changed() == [TASK]
    assert {tag.failure for tag in tags_of(samples.cluster.get("imagestreams", NAMESPACE, "ruby")).values()} == {""}

    staged(samples, management_state="Unmanaged").run()
    warned = samples.stage(PLAYBOOK, ("only once they are Managed again",), mirror="mirror.example.com").run()
    assert warned.changed() == [TASK]


def test_a_cluster_without_the_operator_is_told(samples: Samples, mirror: str) -> None:
    samples.control.change(samples_operator=False)
    samples.cluster.call("DELETE", CONFIG)
    (message,) = staged(samples, mirror=mirror).run_to_fail().messages().values()
    assert "configs.samples.operator.openshift.io/cluster does not exist" in message

    samples.control.change(openshift=False)
    (message,) = staged(samples, mirror=mirror).run_to_fail().messages().values()
    assert "samples.operator.openshift.io" in message

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples import wait
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.observed import CONFIG_PATH, read_state
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.wait import (
    outstanding,
    wait_for_samples,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.samples_scenes import (
    STREAMS,
    config,
    stream,
    tag,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import refusal


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the waits, which take no time and are the only thing that takes any."""
    made: list[float] = []
    clock = SimpleNamespace(sleep=made.append, monotonic=lambda: sum(made))
    monkeypatch.setattr(wait, "time", clock)
    return made


def left(found: dict[str, t.Any], *streams: dict[str, t.Any]) -> list[str]:
    cluster = ScriptedCluster().on("GET", CONFIG_PATH, found).on("GET", STREAMS, {"items": list(streams)})
    answer = outstanding(read_state(cluster.client))
    assert cluster.sent[-1].query == {"labelSelector": "samples.operator.openshift.io/managed=true"}
    return answer


def test_nothing_is_left_where_status_and_streams_are_as_specified() -> None:
    spec = {"samplesRegistry": "a.example.com", "skippedImagestreams": ["b", "a"]}
    found = config(spec, {**spec, "skippedImagestreams": ["a", "b"]})
    assert left(found, stream("ruby", tag("v1"), tag("bad", reason="NotFound"))) == []


def test_a_specification_that_was_not_taken_over() -> None:
    found = config(
        {"samplesRegistry": "a.example.com", "skippedTemplates": ["x"]}, ConfigurationValid=("False", "", "bad words")
    )
    assert left(found) == [
        "the operator has not taken over samples_registry, skipped_templates",
        "the operator calls the configuration invalid (bad words)",
    ]


def test_an_operator_that_has_not_begun() -> None:
    found = {"metadata": {"name": "cluster", "resourceVersion": "1"}, "spec": {}}
    assert left(found) == [
        "the operator has not taken over management_state",
        "the operator has not created all samples",
    ]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("ImageChangesInProgress", "image streams are being imported (ruby)"),
        ("MigrationInProgress", "the samples of another release are being replaced (ruby)"),
        ("RemovePending", "the removal of the samples has still to begin or to end (ruby)"),
    ],
)
def test_what_is_under_way(condition: str, words: str) -> None:
    assert left(config({}, **{condition: ("True", "ruby ", "")})) == [words]


def test_samples_without_credentials() -> None:
    found = config({}, SamplesExist=("False", "", ""), ImportCredentialsExist=("False", "", "no secret"))
    assert left(found) == [
        "the operator has not created all samples",
        "the operator has no credentials for the registry (no secret)",
    ]


def test_missing_credentials_do_not_matter_once_the_samples_exist() -> None:
    assert left(config({}, ImportCredentialsExist=("False", "", "no secret"))) == []


def test_tags_without_an_import_are_named_but_not_all_of_many() -> None:
    tags = [tag(f"v{number}", pending=True) for number in range(12)]
    follower = {"name": "latest", "generation": 9, "from": {"kind": "ImageStreamTag", "name": "v1"}}
    (sentence,) = left(config({}), stream("ruby", *tags, (follower, {})))
    assert sentence.startswith("tags have still to be imported: ruby:v0, ruby:v1,")
    assert sentence.endswith("ruby:v9 and 2 more")


def test_unmanaged_waits_for_the_word_only() -> None:
    spec = {"managementState": "Unmanaged", "samplesRegistry": "a.example.com"}
    assert left(config(spec, {"managementState": "Managed"})) == [
        "the operator has not said yet that the samples are Unmanaged"
    ]
    assert left(config(spec, {"managementState": "Unmanaged"}), stream("ruby", tag("v1", pending=True))) == []


def test_removed_waits_until_the_streams_are_gone() -> None:
    spec = {"managementState": "Removed"}
    assert left(config(spec, {"managementState": "Managed"}), stream("ruby")) == [
        "the operator has not said yet that the samples are Removed",
        "image streams are still there: ruby",
    ]
    assert left(config(spec, spec, SamplesExist=("False", "", ""))) == []


def test_waiting_looks_again_until_all_is_done(waits: list[float]) -> None:
    waiting, done = (
        config({"samplesRegistry": "a.example.com"}),
        config({"samplesRegistry": "a.example.com"}, {"samplesRegistry": "a.example.com"}),
    )
    cluster = ScriptedCluster().on("GET", CONFIG_PATH, waiting, waiting, done).on("GET", STREAMS, *[{"items": []}] * 3)
    state, rest = wait_for_samples(cluster.client, timeout=60, pause=5)
    assert rest == []
    assert state.config.applied.samples_registry == "a.example.com"
    assert waits == [5, 5]


def test_waiting_ends_at_its_time_with_one_last_look(waits: list[float]) -> None:
    waiting = config({"samplesRegistry": "a.example.com"})
    cluster = ScriptedCluster().on("GET", CONFIG_PATH, *[waiting] * 4).on("GET", STREAMS, *[{"items": []}] * 4)
    _state, rest = wait_for_samples(cluster.client, timeout=12, pause=5)
    assert rest == ["the operator has not taken over samples_registry"]
    assert waits == [5, 5, 2]
    cluster.assert_all_asked()


def test_a_configuration_that_does_not_exist_is_the_operators_absence() -> None:
    body = {
        "kind": "Status",
        "status": "Failure",
        "reason": "NotFound",
        "message": 'configs "cluster" not found',
        "code": 404,
    }
    cluster = ScriptedCluster().on("GET", CONFIG_PATH, refusal("GET", CONFIG_PATH, 404, body))
    with pytest.raises(ConfigurationError, match="find out whether the operator runs"):
        read_state(cluster.client)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiOutcomeUnknown
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples import wait
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.observed import (
    CONFIG_NAME,
    CONFIG_PATH,
)
from ansible_collections.quayside.openshift_images.plugins.modules import samples_operator
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import Request, ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.samples_scenes import (
    DIGEST,
    IMPORTS,
    STREAMS,
    config,
    stream,
    tag,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    conflict,
    forbidden,
)

OLD, NEW = {"samplesRegistry": "a.example.com"}, {"samplesRegistry": "b.example.com"}
RunIt = t.Callable[..., t.Any]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ScriptedCluster:
    cluster = ScriptedCluster()
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: cluster)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return cluster


@pytest.fixture
def run(run_module_main: RunIt) -> RunIt:
    def run_it(*, check_mode: bool = False, **options: t.Any) -> t.Any:
        return run_module_main(samples_operator.main, options, check_mode=check_mode, diff=True)

    return run_it


def items(*streams: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"items": list(streams)}


def imported(request: Request) -> dict[str, t.Any]:
    """Return the API server's answer to an import, or a lookup, that succeeds."""
    image = {"metadata": {"name": DIGEST}, "dockerImageReference": f"b.example.com/samples/image@{DIGEST}"}
    answers = [
        {"tag": entry["to"]["name"], "status": {"status": "Success"}, "image": image} for entry in request.images
    ]
    status: dict[str, t.Any] = {"images": answers}
    if request.writes:
        status["import"] = stream("ruby", tag("v1"), tag("v2"))
    return {"status": status}


def refused(request: Request) -> dict[str, t.Any]:
    """Return the answer to an import of an image that the registry still does not have."""
    status = {"status": "Failure", "reason": "NotFound", "message": "said the registry of v2", "code": 404}
    answer: dict[str, t.Any] = {"images": [{"tag": "v2", "status": status}]}
    if request.writes:
        answer["import"] = stream("ruby", tag("v1"), tag("v2", reason="NotFound"))
    return {"status": answer}


def test_a_change_is_one_patch_and_is_waited_for(cluster: ScriptedCluster, run: RunIt) -> None:
    cluster.on(
        "GET",
        CONFIG_PATH,
        config(OLD, OLD, "1"),
        config(OLD, OLD, "1"),
        config(OLD, OLD, "1"),
        config(NEW, OLD, "2"),
        config(NEW, NEW, "3"),
    )
    cluster.on("GET", STREAMS, items(stream("ruby", tag("v1", pending=True))), items(stream("ruby", tag("v1"))))
    cluster.on("PATCH", CONFIG_PATH, config(NEW, OLD, "2"))
    would = run(check_mode=True, samples_registry="b.example.com")
    assert cluster.writes == []
    did = run(samples_registry="b.example.com")

    [write] = cluster.writes
    assert write.body == {"metadata": {"resourceVersion": "1"}, "spec": NEW}
    assert write.content_type == "application/merge-patch+json"
    assert would.result["changed"]
    assert did.result["changed"]
    assert would.result["diff"] == did.result["diff"]
    assert "samples_registry: b.example.com" in did.diff[f"configuration {CONFIG_NAME}"][1]
    assert would.result["config"] == did.result["config"]
    assert did.result["outstanding"] == []
    assert did.result["summary"] == {
        "imagestreams": 1,
        "tags": 1,
        "imported": 1,
        "pending": 0,
        "failed": 0,
        "retried": 0,
    }
    assert (did.result["imagestreams"], did.result["version"]) == (["ruby"], "4.0")
    cluster.assert_all_asked()


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_is_done_is_left_alone(cluster: ScriptedCluster, run: RunIt, check_mode: bool) -> None:
    cluster.on("GET", CONFIG_PATH, config(NEW, NEW), config(NEW, NEW)).on(
        "GET", STREAMS, items(stream("ruby", tag("v1")))
    )
    outcome = run(
        check_mode=check_mode, samples_registry="b.example.com", management_state="Managed", skipped_imagestreams=[]
    )
    assert not outcome.result["changed"]
    assert outcome.diff == {}
    cluster.assert_all_asked()


def test_without_waiting_nothing_is_looked_at(cluster: ScriptedCluster, run: RunIt) -> None:
    cluster.on("GET", CONFIG_PATH, config(OLD, OLD), config(NEW, OLD)).on("PATCH", CONFIG_PATH, config(NEW, OLD))
    outcome = run(samples_registry="b.example.com", wait=False)
    assert outcome.result["changed"]
    assert outcome.result["imagestreams"] == []


def test_after_a_conflict_the_configuration_is_read_again(cluster: ScriptedCluster, run: RunIt) -> None:
    theirs = {**OLD, "skippedTemplates": ["rails"]}
    cluster.on(
        "GET", CONFIG_PATH, config(OLD, OLD, "1"), config(theirs, OLD, "2"), config({**NEW, **theirs, **NEW}, OLD, "3")
    )
    cluster.on("PATCH", CONFIG_PATH, conflict("cluster"), config(NEW, OLD, "3"))
    outcome = run(samples_registry="b.example.com", wait=False)
    assert [write.body["metadata"]["resourceVersion"] for write in cluster.writes] == ["1", "2"]
    # of what somebody else wrote in between nothing changes
    assert outcome.diff[f"configuration {CONFIG_NAME}"] == (
        ["samples_registry: a.example.com"],
        ["samples_registry: b.example.com"],
    )
    assert outcome.result["config"]["skipped_templates"] == ["rails"]


def test_a_write_without_an_answer_is_looked_at_before_it_is_repeated(cluster: ScriptedCluster, run: RunIt) -> None:
    cluster.on("GET", CONFIG_PATH, config(OLD, OLD, "1"), config(NEW, OLD, "2"), config(NEW, OLD, "2"))
    cluster.on("PATCH", CONFIG_PATH, ApiOutcomeUnknown("no answer"))
    outcome = run(samples_registry="b.example.com", wait=False)
    assert outcome.result["changed"]
    assert "samples_registry: a.example.com" in outcome.diff[f"configuration {CONFIG_NAME}"][0]
    cluster.assert_all_asked()


def test_failed_imports_are_tried_again_and_nothing_else(cluster: ScriptedCluster, run: RunIt) -> None:
    failing = stream("ruby", tag("v1"), tag("v2", reason="NotFound"))
    cluster.on("GET", CONFIG_PATH, *[config(NEW, NEW)] * 4).on("GET", STREAMS, items(failing), items(failing))
    cluster.on("GET", f"{STREAMS}/ruby", failing, failing).on("POST", IMPORTS, imported, imported)
    would = run(check_mode=True)
    assert cluster.writes == []
    did = run()

    [write] = cluster.writes
    assert [entry["to"]["name"] for entry in write.images] == ["v2"]
    assert did.result["changed"]
    assert did.result["streams"][0]["tags"][0]["reasons"] == ["last_import_failed"]
    assert did.result["summary"] == {
        "imagestreams": 1,
        "tags": 2,
        "imported": 2,
        "pending": 0,
        "failed": 0,
        "retried": 1,
    }
    assert would.result["diff"] == did.result["diff"]
    assert would.result["summary"] == did.result["summary"]
    cluster.assert_all_asked()


def test_what_the_registry_lacks_fails_the_task_with_every_name(cluster: ScriptedCluster, run: RunIt) -> None:
    failing = stream("ruby", tag("v1"), tag("v2", reason="NotFound"))
    cluster.on("GET", CONFIG_PATH, *[config(NEW, NEW)] * 2).on("GET", STREAMS, items(failing))
    cluster.on("GET", f"{STREAMS}/ruby", failing).on("POST", IMPORTS, refused)
    outcome = run()
    assert outcome.failed
    assert not outcome.result["changed"], "the same failure is no change"
    for part in (
        "1 of 2 tags",
        "ruby:v2 from a.example.com/samples/image:v2\n    NotFound: said the registry of v2",
        "(ruby)",
    ):
        assert part in outcome.result["msg"]
    [failed] = outcome.result["failed_tags"]
    assert (failed["name"], failed["tag"], failed["reason"]) == ("ruby", "v2", "NotFound")
    assert failed["remedy"]
    assert outcome.result["failed_imagestreams"] == ["ruby"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_failures_are_told_without_trying_again_where_that_is_not_wanted(
    cluster: ScriptedCluster, run: RunIt, check_mode: bool
) -> None:
    cluster.on("GET", CONFIG_PATH, *[config(NEW, NEW)] * 2).on(
        "GET", STREAMS, items(stream("ruby", tag("v2", reason="NotFound")))
    )
    outcome = run(check_mode=check_mode, retry_failed=False)
    assert outcome.failed
    assert [entry["tag"] for entry in outcome.result["failed_tags"]] == ["v2"]
    assert cluster.writes == cluster.lookups == []


def test_failures_can_be_a_warning(cluster: ScriptedCluster, run: RunIt) -> None:
    cluster.on("GET", CONFIG_PATH, *[config(NEW, NEW)] * 2).on(
        "GET", STREAMS, items(stream("ruby", tag("v2", reason="NotFound")))
    )
    outcome = run(retry_failed=False, ignore_failed_tags=True)
    assert not outcome.failed
    assert "ruby:v2" in str(outcome.result["warnings"])


def test_an_operator_that_is_not_done_in_time(
    cluster: ScriptedCluster, run: RunIt, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 20)
    monkeypatch.setattr(wait, "time", SimpleNamespace(sleep=lambda _seconds: None, monotonic=lambda: next(clock)))
    busy = config(NEW, OLD, ImageChangesInProgress=("True", "ruby", ""))
    cluster.on("GET", CONFIG_PATH, *[busy] * 4).on(
        "GET", STREAMS, *[items(stream("ruby", tag("v1", reason="NotFound")))] * 3
    )
    outcome = run(wait_timeout=30)
    assert outcome.failed
    assert "not done after 30 seconds" in outcome.result["msg"]
    assert outcome.result["outstanding"] == [
        "image streams are being imported (ruby)",
        "the operator has not taken over samples_registry",
    ]
    assert cluster.writes == cluster.lookups == [], "nobody gets in the operator's way"


def test_changes_for_later_are_warned_of(cluster: ScriptedCluster, run: RunIt) -> None:
    unmanaged = {"managementState": "Unmanaged"}
    cluster.on("GET", CONFIG_PATH, *[config({**OLD, **unmanaged}, unmanaged)] * 2)
    outcome = run(check_mode=True, samples_registry="b.example.com")
    assert "only once they are Managed again" in str(outcome.result["warnings"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"samples_registry": "https://b.example.com"}, 'samples_registry "https://b.example.com" is not a registry'),
        ({"wait_sleep": 0}, "wait_sleep is 0"),
        ({"wait_timeout": -1}, "wait_timeout is -1"),
        ({"management_state": "managed"}, "value of management_state must be one of"),
    ],
)
def test_bad_options_end_before_the_first_request(
    cluster: ScriptedCluster, run: RunIt, options: dict[str, t.Any], sentence: str
) -> None:
    outcome = run(**options)
    assert outcome.failed
    assert sentence in outcome.result["msg"]
    assert cluster.sent == []


def test_a_missing_right_is_told(cluster: ScriptedCluster, run: RunIt) -> None:
    cluster.on("GET", CONFIG_PATH, config(OLD, OLD)).on("PATCH", CONFIG_PATH, forbidden("PATCH", CONFIG_PATH))
    outcome = run(samples_registry="b.example.com")
    assert outcome.failed
    assert "configs.samples.operator.openshift.io" in outcome.result["msg"]

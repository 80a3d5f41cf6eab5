# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is on the cluster and whatever is declared: what check mode says is done, once, and to nothing else."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Mapping
from unittest.mock import patch

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiOutcomeUnknown
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    DesiredStream,
    desired_streams,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    ObservedTag,
    parse_stream,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.plan import plan_stream
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.plan_types import Knowledge
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from ansible_collections.quayside.openshift_images.tests.unit.fakes.model_cluster import (
    PREFER_ARCHITECTURE,
    PREFER_OS,
    SOURCES,
    ModelCluster,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    NAMESPACE,
    conflict,
)
from hypothesis import assume, example, given
from hypothesis import strategies as st

STREAMS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreams"
IMPORTS = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}/imagestreamimports"

_MODES = st.sampled_from(["Legacy", "PreserveOriginal"])
_TAG_NAMES = st.sampled_from(["a", "b", "c", "d"])
_SOURCES = st.sampled_from(SOURCES)


def maybe(strategy: st.SearchStrategy[t.Any]) -> st.SearchStrategy[t.Any]:
    return st.none() | strategy


# What other people did to a stream before: imports of their own kind, hand-made changes, tags that follow tags.
_IMPORTED = st.fixed_dictionaries(
    {
        "what": st.just("import"),
        "tag": _TAG_NAMES,
        "source": _SOURCES.filter(lambda source: not source.endswith(":odd")),
        "mode": _MODES,
        "scheduled": st.booleans(),
        "insecure": st.booleans(),
    }
)
_PATCHED = st.fixed_dictionaries(
    {
        "what": st.just("patch"),
        "tag": _TAG_NAMES,
        "change": st.sampled_from(
            [
                {"importPolicy": {"scheduled": True}},
                {"importPolicy": {"insecure": True}},
                {"importPolicy": {"importMode": "PreserveOriginal"}},
                {"importPolicy": {"importMode": "Legacy"}},
                {"referencePolicy": {"type": "Local"}},
                {"annotations": {PREFER_ARCHITECTURE: "arm64"}},
                {"annotations": {PREFER_OS: "windows"}},
                {"from": {"kind": "DockerImage", "name": "one.example.com/team/web:stable"}},
                {"from": {"kind": "DockerImage", "name": "one.example.com/team/web:missing"}},
                {"from": {"kind": "ImageStreamTag", "name": "b"}},
                {"from": {"kind": "ImageStreamTag", "name": "other:b", "namespace": "elsewhere"}},
                {"generation": 0},
            ]
        ),
    }
)
_PASTS = st.lists(_IMPORTED | _PATCHED, max_size=6)

_TAGS = st.fixed_dictionaries(
    {"name": _TAG_NAMES, "from": _SOURCES},
    optional={
        "import_mode": maybe(_MODES),
        "reference_policy": maybe(st.sampled_from(["Source", "Local"])),
        "scheduled": maybe(st.booleans()),
        "insecure": maybe(st.booleans()),
        "prefer_architecture": maybe(st.sampled_from(["", "arm64", "s390x"])),
        "prefer_os": maybe(st.sampled_from(["", "windows"])),
    },
)
_DECLARED = st.fixed_dictionaries(
    {
        "tags": st.lists(_TAGS, min_size=1, max_size=4, unique_by=lambda tag: str(tag["name"])),
        "refresh": st.sampled_from(["missing", "drifted", "always"]),
        "purge_tags": st.booleans(),
        "lookup_policy_local": maybe(st.booleans()),
    }
)


def cluster_with(past: list[dict[str, t.Any]], default_mode: str = "Legacy") -> ModelCluster:
    """Return a cluster whose stream web has this past."""
    cluster = ModelCluster(default_mode)
    for event in past:
        if event["what"] == "import":
            image = {
                "from": {"kind": "DockerImage", "name": event["source"]},
                "to": {"name": event["tag"]},
                "importPolicy": {
                    "importMode": event["mode"],
                    "scheduled": event["scheduled"],
                    "insecure": event["insecure"],
                },
            }
            cluster.create(IMPORTS, {"metadata": {"name": "web"}, "spec": {"import": True, "images": [image]}})
        elif event["tag"] in observed(cluster).tags:
            body = {"spec": {"tags": [{"name": event["tag"], **copy.deepcopy(event["change"])}]}}
            cluster.patch(f"{STREAMS}/web", body, "application/strategic-merge-patch+json")
    cluster.forget()
    return cluster


def observed(cluster: ModelCluster) -> ObservedStream:
    stream = cluster.streams.get((NAMESPACE, "web"))
    return parse_stream(NAMESPACE, stream) if stream else ObservedStream(NAMESPACE, "web")


def wish(declared: dict[str, t.Any]) -> DesiredStream:
    (stream,) = desired_streams({"namespace": NAMESPACE, "name": "web", **declared})
    return stream


def run(cluster: ModelCluster, declared: dict[str, t.Any], *, check_mode: bool = False) -> Report:
    results = converge_streams(cluster.client, [wish(declared)], check_mode=check_mode, concurrency=1, timeout=30)
    return stream_report(results, lambda *_about: "", only_changed=False)


def declared_tags(declared: dict[str, t.Any]) -> set[str]:
    return {str(tag["name"]) for tag in declared["tags"]}


@examples
@given(_PASTS, _DECLARED, _MODES)
def test_check_mode_says_what_the_run_then_does_and_writes_nothing(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any], default_mode: str
) -> None:
    cluster = cluster_with(past, default_mode)
    before = cluster.snapshot()
    foreseen = run(cluster, declared, check_mode=True)
    assert (cluster.writes, cluster.snapshot()) == (0, before)
    done = run(cluster, declared)
    assert what_people_see(foreseen) == what_people_see(done)
    assert foreseen.changed == done.changed


# An old failure of another source, a patch of that tag, and a conflict because of another one.
_WITH_AN_OLD_FAILURE: list[dict[str, t.Any]] = [
    {"what": "import", "tag": "a", "source": source, "mode": "Legacy", "scheduled": False, "insecure": insecure}
    for source, insecure in (("one.example.com/team/web:v1", True), ("one.example.com/team/web:missing", False))
]
_PATCHED_AND_NEW: dict[str, t.Any] = {
    "tags": [
        {"name": "a", "from": "one.example.com/team/web:stable", "reference_policy": "Local"},
        {"name": "b", "from": "one.example.com/team/web:v1", "prefer_architecture": "arm64"},
    ],
    "refresh": "missing",
    "purge_tags": False,
    "lookup_policy_local": None,
}
# A preference that is written before a conflict, and an import after it.
_TWO_TAGS: list[dict[str, t.Any]] = [
    {"what": "import", "tag": tag, "source": source, "mode": "Legacy", "scheduled": False, "insecure": False}
    for tag, source in (("a", "one.example.com/team/web:v1"), ("b", "one.example.com/team/web:stable"))
]
_ANOTHER_PLATFORM: dict[str, t.Any] = {
    **_PATCHED_AND_NEW,
    "tags": [
        {"name": "a", "from": "one.example.com/team/web:stable"},
        {"name": "b", "from": "one.example.com/team/web:stable", "prefer_architecture": "arm64"},
    ],
}
# A list that the server refuses to store waits for its image for ever.
_PENDING: dict[str, t.Any] = {
    **_PATCHED_AND_NEW,
    "tags": [{"name": "a", "from": "one.example.com/team/web:odd", "prefer_architecture": "arm64"}],
}


@examples
@given(_PASTS, _DECLARED, _MODES, st.lists(st.booleans(), min_size=1, max_size=12))
@example(_WITH_AN_OLD_FAILURE, _PATCHED_AND_NEW, "Legacy", [False] * 4 + [True])
@example(_TWO_TAGS, _ANOTHER_PLATFORM, "Legacy", [False, False, True])
@example([], _PENDING, "Legacy", [True] * 12)
@example([], _PENDING, "PreserveOriginal", [True] * 12)
def test_the_import_controller_may_act_before_any_request(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any], default_mode: str, acts: list[bool]
) -> None:
    """What check mode said holds whatever the cluster's controller imports while the run goes on, and its work is
    not repeated."""
    cluster = cluster_with(past, default_mode)
    # What waits for the controller already changes by itself, and with it what follows it.
    assume(not any(tag.pending or tag.kind == "ImageStreamTag" for tag in observed(cluster).tags.values()))
    foreseen = run(cluster, declared, check_mode=True)
    moments, original, began = list(acts), cluster.request, []

    def request(method: str, path: str, **keywords: t.Any) -> t.Any:
        if began and moments and moments.pop(0):
            cluster.control_imports()
        began.append(method)
        return original(method, path, **keywords)

    with patch.object(cluster, "request", request), patch("time.sleep"):
        done = run(cluster, declared)
    assert what_people_see(foreseen) == what_people_see(done)
    cluster.control_imports()
    after = cluster.snapshot()
    assert not run(cluster, {**declared, "refresh": "missing"}).changed
    assert cluster.snapshot() == after


def test_an_import_that_stays_pending_is_shown_alike() -> None:
    """With the controller before every request, and in check mode."""
    foreseen = run(ModelCluster("PreserveOriginal"), _PENDING, check_mode=True)
    cluster = ModelCluster("PreserveOriginal")
    original = cluster.request

    def request(method: str, path: str, **keywords: t.Any) -> t.Any:
        cluster.control_imports()
        return original(method, path, **keywords)

    with patch.object(cluster, "request", request), patch("time.sleep"):
        done = run(cluster, _PENDING)
    for report in (foreseen, done):
        assert report.after["shop/web"]["tags"]["a"]["import_pending"] is True


def what_people_see(report: Report) -> dict[str, t.Any]:
    """Return everything that a report tells."""
    return {
        "results": report.results,
        "before": report.before,
        "after": report.after,
        "failure": report.failure,
    }


@examples
@given(_PASTS, _DECLARED, _MODES)
def test_a_second_run_stores_nothing_and_the_declared_is_there(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any], default_mode: str
) -> None:
    cluster = cluster_with(past, default_mode)
    first = run(cluster, declared)
    failed = {tag["tag"] for tag in first.results["failed_tags"]}
    after_first = cluster.snapshot()
    second = run(
        cluster, {**declared, "refresh": "drifted" if declared["refresh"] == "always" else declared["refresh"]}
    )
    assert cluster.snapshot() == after_first
    assert not second.changed
    assert {tag["tag"] for tag in second.results["failed_tags"]} == failed
    tags = observed(cluster).tags
    for tag in wish(declared).tags:
        if tag.name in failed:
            continue
        seen = tags[tag.name]
        assert (seen.kind, seen.source, seen.failure, seen.pending) == ("DockerImage", str(tag.source), None, False)
        for option in ("import_mode", "reference_policy", "scheduled", "insecure", "prefer_architecture", "prefer_os"):
            if getattr(tag, option) is not None:
                assert getattr(seen, option) == getattr(tag, option)


@examples
@given(_PASTS, _DECLARED)
def test_a_second_run_sends_no_write_once_everything_succeeded(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any]
) -> None:
    cluster = cluster_with(past)
    if run(cluster, declared).failure:
        return
    cluster.writes = 0
    run(cluster, {**declared, "refresh": "missing" if declared["refresh"] == "missing" else "drifted"})
    assert cluster.writes == 0


def of_their_own(tags: Mapping[str, ObservedTag]) -> dict[str, ObservedTag]:
    """Return the tags without the image of those that follow a tag of the stream: the server moves it along (contract
    case tags_between_streams)."""
    followed = {"digest": "", "image": "", "image_generation": 0, "failure": None, "failure_generation": 0}
    return {
        name: tag._replace(**followed) if tag.kind == "ImageStreamTag" and not tag.source_namespace else tag
        for name, tag in tags.items()
    }


@examples
@given(_PASTS, _DECLARED)
def test_what_is_not_declared_stays(past: list[dict[str, t.Any]], declared: dict[str, t.Any]) -> None:
    cluster = cluster_with(past)
    before = observed(cluster)
    run(cluster, declared)
    after = observed(cluster)
    names = declared_tags(declared)
    others = {name: tag for name, tag in before.tags.items() if name not in names}
    if declared["purge_tags"]:
        others = {name: tag for name, tag in others.items() if tag.kind != "DockerImage"}
    assert of_their_own({name: tag for name, tag in after.tags.items() if name not in names}) == of_their_own(others)
    for tag in wish(declared).tags:
        if tag.name in before.tags and tag.name in after.tags:
            for option in (
                "import_mode",
                "reference_policy",
                "scheduled",
                "insecure",
                "prefer_architecture",
                "prefer_os",
            ):
                if getattr(tag, option) is None:
                    assert getattr(after.tags[tag.name], option) == getattr(before.tags[tag.name], option)
    if declared.get("lookup_policy_local") is None:
        assert after.lookup_policy_local == before.lookup_policy_local


@examples
@given(_PASTS, _DECLARED, st.randoms(use_true_random=False))
def test_the_order_of_tags_does_not_matter(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any], random: t.Any
) -> None:
    def actions(tags: list[dict[str, t.Any]], check_mode: bool) -> tuple[list[t.Any], ...]:
        plan = plan_stream(wish({**declared, "tags": tags}), observed(cluster), Knowledge({}, foresee=check_mode))
        parts = (plan.patches, plan.items, plan.removals, plan.lookups)
        return (*(sorted(map(repr, part)) for part in parts), [plan.create, plan.lookup_policy_local])

    cluster = cluster_with(past)
    shuffled = list(declared["tags"])
    random.shuffle(shuffled)
    for check_mode in (True, False):
        assert actions(declared["tags"], check_mode) == actions(shuffled, check_mode)


@examples
@given(_PASTS, _DECLARED, st.lists(st.sampled_from(["", "409", "lost before", "lost after", "somebody"]), max_size=8))
def test_other_writers_and_lost_answers_do_not_change_the_outcome(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any], faults: list[str]
) -> None:
    calm, rough = cluster_with(past), cluster_with(past)
    # each is what remains after the tries of the client itself
    if faults.count("lost before") + faults.count("lost after") > 1:
        return
    script = list(faults)
    lost: list[str] = []
    original = rough.request

    def disturb(_method: str, _path: str) -> None:
        fault = script.pop(0) if script else ""
        if fault == "409":
            raise conflict()
        if fault == "lost before":
            raise ApiOutcomeUnknown("the connection broke")
        if fault == "lost after":
            lost.append(fault)
        if fault == "somebody" and (NAMESPACE, "web") in rough.streams:
            rough.streams[NAMESPACE, "web"]["metadata"]["resourceVersion"] += "x"

    def request(method: str, path: str, **keywords: t.Any) -> t.Any:
        lost.clear()
        answer = original(method, path, **keywords)
        if lost:
            raise ApiOutcomeUnknown("the connection broke")
        return answer

    rough.before_write = disturb
    with patch.object(rough, "request", request), patch("time.sleep"):
        disturbed = run(rough, declared)
    undisturbed = run(calm, declared)
    assert [tag["tag"] for tag in disturbed.results["failed_tags"]] == [
        tag["tag"] for tag in undisturbed.results["failed_tags"]
    ]
    assert disturbed.after == undisturbed.after
    assert (disturbed.failure is None) == (undisturbed.failure is None)

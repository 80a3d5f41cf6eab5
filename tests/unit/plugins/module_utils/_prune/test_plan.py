# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.image_uses import ImageUse, image_uses
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.plan import Findings, Risk, find_risks
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.rules import PrunePolicy, seen_by_pruner
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.stream_history import (
    StreamHistory,
    parse_children,
    parse_history,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.kinds import WORKLOAD_KINDS
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import (
    NOW,
    REGISTRY,
    SOURCE,
    child,
    containers,
    digest,
    stream,
    tag,
    templated,
    workload,
)

KINDS = {kind.kind: kind for kind in WORKLOAD_KINDS}
# The lists of the tag, newest first; each has a child for amd64 and one for arm64.
LISTS = ("five", "four", "three", "two", "one")
WEB = f"{REGISTRY}/shop/web"


def known(*objects: dict[str, t.Any], lists: t.Iterable[str] = LISTS) -> dict[tuple[str, str], StreamHistory]:
    """Streams with their children, as they are after having been read."""
    children = parse_children(
        {"images": {digest(name): {"manifests": [child(name), child(name, "arm64")]} for name in lists}}
    )
    parsed = [parse_history(one) for one in objects]
    return {
        one.key: replace(one, children={image: found for image, found in children.items() if image in one.images})
        for one in parsed
    }


def web(*extra: t.Any, **options: t.Any) -> dict[tuple[str, str], StreamHistory]:
    """Return the stream shop/web with a tag of five lists, and further tags."""
    return known(stream("shop", "web", tag("v1", *map(digest, LISTS), **options), *extra))


def used(kind: str, name: str, **rest: t.Any) -> list[ImageUse]:
    return image_uses(KINDS[kind], workload(rest.pop("namespace", "shop"), name, **rest))


def deployment(*images: str, name: str = "web", **rest: t.Any) -> list[ImageUse]:
    return used("Deployment", name, spec=templated(*images), **rest)


def pod(image: str, image_id: str, name: str = "web-1", **rest: t.Any) -> list[ImageUse]:
    return used(
        "Pod", name, spec=containers(image), status={"containerStatuses": [{"name": "c0", "imageID": image_id}]}, **rest
    )


def look(uses: list[ImageUse], streams: dict[tuple[str, str], StreamHistory], **policy: t.Any) -> Findings:
    return find_risks(uses, streams, seen_by_pruner(uses), PrunePolicy(NOW, **policy), {REGISTRY})


def only(findings: Findings) -> Risk:
    (risk,) = findings.risks
    assert findings.missing == ()
    return risk


@pytest.mark.parametrize(
    ("name", "revision", "level", "rule"),
    [
        ("five", 1, "revisions", "keep_tag_revisions"),
        ("four", 2, "revisions", "keep_tag_revisions"),
        ("three", 3, "revisions", "keep_tag_revisions"),
        ("two", 4, "prunable", "nothing"),
        ("one", 5, "prunable", "nothing"),
    ],
)
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_a_child_goes_with_its_list(name: str, architecture: str, revision: int, level: str, rule: str) -> None:
    risk = only(look(deployment(f"{WEB}@{child(name, architecture)}"), web()))
    assert (risk.child, risk.level, risk.image_id) == (child(name, architecture), level, False)
    (keeper,) = risk.keepers
    assert (keeper.parent, keeper.item.revision, keeper.tag.name, keeper.rule) == (digest(name), revision, "v1", rule)
    assert risk.in_list == keeper


def test_what_is_young_is_not_taken_yet() -> None:
    assert only(look(deployment(f"{WEB}@{child('two')}"), web(minutes=10))).level == "young"
    assert (
        only(look(deployment(f"{WEB}@{child('two')}"), web(minutes=10), keep_younger_than_minutes=5)).level
        == "prunable"
    )


def test_the_digest_of_a_list_is_no_risk() -> None:
    assert look(deployment(f"{WEB}@{digest('one')}"), web()) == Findings((), ())


def test_a_tag_is_no_risk() -> None:
    assert look(deployment(f"{WEB}:v1", "nginx", "Not An Image"), web()) == Findings((), ())


def test_an_image_that_is_no_child_is_no_risk() -> None:
    single = known(stream("shop", "web", tag("v1", digest("single"))))
    assert look(deployment(f"{WEB}@{digest('single')}"), single) == Findings((), ())


def test_a_digest_of_another_registry_that_no_stream_knows_is_no_risk() -> None:
    assert look(deployment(f"other.example.com/any/thing@{digest('unknown')}"), web()) == Findings((), ())


def test_a_list_that_a_workload_names_itself_protects_its_children() -> None:
    uses = deployment(f"{WEB}@{child('one')}") + used(
        "CronJob", "nightly", spec={"jobTemplate": {"spec": templated(f"{WEB}@{digest('one')}")}}
    )
    risk = only(look(uses, web()))
    assert (risk.level, risk.keepers[0].rule, risk.keepers[0].item.revision) == ("protected", "image_in_use", 5)


def test_the_list_has_to_be_named_where_the_pruner_looks() -> None:
    elsewhere = deployment(f"{WEB}@{child('one')}") + deployment(f"{REGISTRY}/shop/other@{digest('one')}", name="other")
    assert only(look(elsewhere, web())).level == "prunable"


def test_a_tag_of_its_own_protects_a_child() -> None:
    streams = web(tag("keep", child("one"), source=f"{SOURCE}@{child('one')}"))
    risk = only(look(deployment(f"{WEB}@{child('one')}"), streams))
    assert risk.level == "protected"
    assert [(keeper.tag.name, keeper.parent, keeper.rule) for keeper in risk.keepers] == [
        ("keep", "", "image_in_use"),
        ("v1", digest("one"), "nothing"),
    ]
    assert risk.in_list.tag.name == "v1"


def test_a_tag_of_its_own_protects_what_only_an_ephemeral_container_uses() -> None:
    uses = used("Pod", "web-1", spec={"ephemeralContainers": [{"name": "debug", "image": f"{WEB}@{child('one')}"}]})
    assert only(look(uses, web())).level == "prunable"
    risk = only(look(uses, web(tag("keep", child("one"), source=f"{SOURCE}@{child('one')}"))))
    assert (risk.level, risk.keepers[0].rule) == ("protected", "pinned_tag")


def test_a_tag_that_follows_the_lists_digest_protects_its_children() -> None:
    streams = web(tag("pinned", digest("one"), source=f"{SOURCE}@{digest('one')}"))
    risk = only(look(deployment(f"{WEB}@{child('one')}"), streams))
    assert (risk.level, risk.keepers[0].tag.name, risk.keepers[0].rule) == ("protected", "pinned", "pinned_tag")


def test_the_item_that_lasts_longest_counts() -> None:
    streams = web(tag("stable", digest("two"), digest("one")))
    risk = only(look(deployment(f"{WEB}@{child('one')}"), streams))
    assert risk.level == "revisions"
    assert [(keeper.tag.name, keeper.item.revision) for keeper in risk.keepers] == [("stable", 2), ("v1", 5)]


def test_one_child_of_two_lists() -> None:
    streams = known(stream("shop", "web", tag("v1", *map(digest, LISTS))))
    (web_stream,) = streams.values()
    shared = {**(web_stream.children or {}), digest("five"): (child("one"),)}
    risk = only(look(deployment(f"{WEB}@{child('one')}"), {web_stream.key: replace(web_stream, children=shared)}))
    assert [keeper.parent for keeper in risk.keepers] == [digest("five"), digest("one")]
    assert risk.level == "revisions"


def test_a_tag_in_use_keeps_its_newest_list() -> None:
    uses = deployment(f"{WEB}@{child('five')}", f"{WEB}:v1")
    risk = only(look(uses, web(), keep_tag_revisions=0))
    assert (risk.level, risk.keepers[0].rule) == ("revisions", "tag_in_use")


# ---- where the image is pulled from


def test_another_stream_does_not_serve_the_child() -> None:
    # other/copy keeps the list, but shop/web is what the workload pulls from
    streams = {**web(), **known(stream("other", "copy", tag("v1", digest("one"))))}
    assert only(look(deployment(f"{WEB}@{child('one')}"), streams)).level == "prunable"
    risk = only(look(deployment(f"{REGISTRY}/other/copy@{child('one')}"), streams))
    assert (risk.level, risk.keepers[0].stream.key) == ("revisions", ("other", "copy"))


def test_the_source_registry_is_not_pruned() -> None:
    risk = only(look(deployment(f"{SOURCE}@{child('one')}"), web()))
    assert (risk.level, risk.keepers[0].rule, risk.keepers[0].parent) == ("elsewhere", "nothing", digest("one"))


def test_a_source_with_the_path_of_the_stream_is_still_the_source() -> None:
    source = "registry.example.com/shop/web"
    streams = web(source=f"{source}:v1")
    assert only(look(deployment(f"{source}@{child('one')}"), streams)).level == "elsewhere"


@pytest.mark.parametrize("host", ["172.30.1.1:5000", "registry.apps.example.com", "docker-registry.default.svc:5000"])
def test_another_name_of_the_clusters_registry_is_known_by_the_path(host: str) -> None:
    assert only(look(deployment(f"{host}/shop/web@{child('one')}"), web())).level == "prunable"


def test_a_stream_that_was_not_read_does_not_hide_the_risk() -> None:
    streams = web()
    assert only(look(deployment(f"{REGISTRY}/hidden/copy@{child('one')}"), streams)).level == "prunable"


def test_a_protected_child_is_protected_wherever_it_is_pulled_from() -> None:
    streams = web(tag("keep", child("one"), source=f"{SOURCE}@{child('one')}"))
    assert only(look(deployment(f"{SOURCE}@{child('one')}"), streams)).level == "protected"


# ---- what nodes run


@pytest.mark.parametrize("image_id", [f"{WEB}@{child('one')}", f"docker-pullable://{WEB}@{child('one')}", child("one")])
def test_a_pod_that_runs_a_child(image_id: str) -> None:
    risk = only(look(pod(f"{WEB}:v1", image_id), web()))
    assert (risk.child, risk.image_id, risk.level, risk.keepers[0].item.revision) == (child("one"), True, "prunable", 5)


def test_a_pod_that_names_the_list_runs_one_of_its_children_of_course() -> None:
    assert look(pod(f"{WEB}@{digest('one')}", f"{WEB}@{child('one')}"), web()) == Findings((), ())
    assert look(pod(f"{SOURCE}@{digest('one')}", child("one")), web()) == Findings((), ())


def test_a_pod_that_names_the_child_is_one_use() -> None:
    risk = only(look(pod(f"{WEB}@{child('one')}", f"{WEB}@{child('one')}"), web()))
    assert risk.image_id is False


def test_a_pod_that_runs_what_no_stream_holds_is_nothing_of_ours() -> None:
    assert look(pod(f"{WEB}:v1", f"{WEB}@{digest('unknown')}"), web()) == Findings((), ())


def test_a_pod_that_runs_a_child_from_elsewhere() -> None:
    assert only(look(pod("registry.example.com/team/web:v1", child("one")), web())).level == "elsewhere"


def test_what_has_ended_needs_no_image() -> None:
    uses = used("Pod", "done", spec=containers(f"{WEB}@{child('one')}"), status={"phase": "Succeeded"})
    uses += used(
        "Job",
        "done",
        spec=templated(f"{WEB}@{child('one')}"),
        status={"conditions": [{"type": "Failed", "status": "True"}]},
    )
    uses += used(
        "Build",
        "done",
        spec={"strategy": {"dockerStrategy": {"from": {"kind": "DockerImage", "name": f"{WEB}@{child('one')}"}}}},
        status={"phase": "Complete"},
    )
    assert look(uses, web()) == Findings((), ())


# ---- what is gone already


def test_a_digest_that_the_stream_holds_no_more() -> None:
    findings = look(deployment(f"{WEB}@{digest('gone')}"), web())
    (missing,) = findings.missing
    assert (missing.digest, missing.stream, missing.use.workload.name) == (digest("gone"), ("shop", "web"), "web")
    assert findings.risks == ()


def test_nothing_is_said_to_be_gone_where_the_children_are_not_known() -> None:
    streams = {key: replace(one, children=None) for key, one in web().items()}
    assert look(deployment(f"{WEB}@{digest('gone')}"), streams) == Findings((), ())


def test_nothing_is_said_to_be_gone_from_another_registry() -> None:
    assert look(deployment(f"{SOURCE}@{digest('gone')}"), web()) == Findings((), ())


# ---- one entry for a controller and what it controls


def rollout(image: str, current: str) -> list[ImageUse]:
    """Return a Deployment that has moved on to ``current``, with its replica set of ``image`` and a pod of that."""
    return [
        *deployment(current),
        *used("ReplicaSet", "web-5f", spec=templated(image), owner=("Deployment", "web")),
        *used("Pod", "web-5f-1", spec=containers(image), owner=("ReplicaSet", "web-5f")),
        *used("Pod", "web-5f-2", spec=containers(image), owner=("ReplicaSet", "web-5f")),
    ]


def test_a_controller_and_its_pods_are_one_entry() -> None:
    image = f"{WEB}@{child('one')}"
    risk = only(look(rollout(image, image), web()))
    assert (risk.use.workload.kind, risk.use.workload.name) == ("Deployment", "web")
    assert risk.followers == (("ReplicaSet", "web-5f"), ("Pod", "web-5f-1"), ("Pod", "web-5f-2"))


def test_an_old_replica_set_speaks_for_its_pods() -> None:
    risk = only(look(rollout(f"{WEB}@{child('one')}", f"{WEB}@{digest('five')}"), web()))
    assert (risk.use.workload.kind, risk.use.workload.name) == ("ReplicaSet", "web-5f")
    assert risk.followers == (("Pod", "web-5f-1"), ("Pod", "web-5f-2"))


def test_pods_whose_controller_was_not_read_are_one_entry() -> None:
    uses = [
        use
        for index in (2, 1)
        for use in pod(f"{WEB}:v1", child("one"), name=f"web-{index}", owner=("ReplicaSet", "web"))
    ]
    risk = only(look(uses, web()))
    assert (risk.use.workload.name, risk.followers) == ("web-1", (("Pod", "web-2"),))


def test_containers_and_namespaces_are_entries_of_their_own() -> None:
    image = f"{WEB}@{child('one')}"
    findings = look([*deployment(image, image), *deployment(image, namespace="other")], web())
    assert [(risk.use.workload.namespace, risk.use.container) for risk in findings.risks] == [
        ("other", "c0"),
        ("shop", "c0"),
        ("shop", "c1"),
    ]


def test_controllers_that_own_each_other_end_the_search() -> None:
    image = f"{WEB}@{child('one')}"
    uses = used("ReplicaSet", "a", spec=templated(image), owner=("Deployment", "b")) + deployment(
        image, name="b", owner=("ReplicaSet", "a")
    )
    assert {risk.use.workload.name for risk in look(uses, web()).risks} == {"a", "b"}


def test_the_most_urgent_comes_first() -> None:
    uses = [
        *deployment(f"{WEB}@{child('five')}", name="a"),
        *deployment(f"{SOURCE}@{child('one')}", name="b"),
        *deployment(f"{WEB}@{child('two')}", name="d"),
        *deployment(f"{WEB}@{child('one')}", name="c"),
        *deployment(f"{WEB}@{digest('one')}", f"{REGISTRY}/shop/api@{child('one')}", name="e"),
    ]
    findings = look(uses, {**web(), **known(stream("shop", "api", tag("v1", *map(digest, LISTS), minutes=10)))})
    assert [(risk.use.workload.name, risk.level) for risk in findings.risks] == [
        ("d", "prunable"),
        ("e", "young"),
        ("a", "revisions"),
        ("b", "protected"),
        ("c", "protected"),
    ]

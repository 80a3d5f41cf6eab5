# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiOutcomeUnknown, Forbidden
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import ReadFailure, Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.image_uses import ImageUse, image_uses
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.observed import Observed
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.plan import Findings, find_risks
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.report import (
    protecting_tag,
    report_risks,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.rules import PrunePolicy, seen_by_pruner
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.stream_history import (
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
LISTS = ("five", "four", "three", "two", "one")
WEB = f"{REGISTRY}/shop/web"


def short(full: str) -> str:
    return full[: len("sha256:") + 12]


def used(kind: str, name: str, **rest: t.Any) -> list[ImageUse]:
    return image_uses(KINDS[kind], workload("shop", name, **rest))


def report(
    *uses: ImageUse, tags: t.Sequence[t.Any] = (), keep: int = 3, only_at_risk: bool = False, **options: t.Any
) -> Report:
    """Return the report about a stream shop/web with a tag of five lists."""
    history = parse_history(stream("shop", "web", tag("v1", *map(digest, LISTS), **options), *tags))
    manifests = {"images": {digest(name): {"manifests": [child(name), child(name, "arm64")]} for name in LISTS}}
    parsed = history.__class__(**{**vars(history), "children": parse_children(manifests)})
    observed = Observed(("shop",), list(uses), len(uses), {parsed.key: parsed}, anything=True)
    policy = PrunePolicy(NOW, keep)
    findings = find_risks(observed.uses, observed.streams, seen_by_pruner(observed.uses), policy, {REGISTRY})
    return report_risks(observed, findings, {child("one"): "linux/amd64"}, policy, only_at_risk=only_at_risk)


def one_risk(*uses: ImageUse, **options: t.Any) -> dict[str, t.Any]:
    (risk,) = report(*uses, **options).results["risks"]
    return t.cast("dict[str, t.Any]", risk)


def deployment(image: str, name: str = "web") -> ImageUse:
    return used("Deployment", name, spec=templated(image))[0]


def test_a_risk_tells_everything() -> None:
    assert one_risk(deployment(f"{WEB}@{child('one')}")) == {
        "namespace": "shop",
        "workload": {
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "container": "c0",
            "place": "container",
            "owner": "",
            "followers": [],
        },
        "image": f"{WEB}@{child('one')}",
        "image_id": "",
        "found_in": "image",
        "child": child("one"),
        "platform": "linux/amd64",
        "parent": digest("one"),
        "stream_namespace": "shop",
        "stream": "web",
        "tag": "v1",
        "revision": 5,
        "kept_by": "nothing",
        "keepers": [
            {
                "stream_namespace": "shop",
                "stream": "web",
                "tag": "v1",
                "revision": 5,
                "image": digest("one"),
                "created": "2026-05-04T01:56:00Z",
                "kept_by": "nothing",
            }
        ],
        "level": "prunable",
        "at_risk": True,
        "why": f"Deployment web, container c0, names {short(child('one'))}, a child of the list "
        f"{short(digest('one'))}, which is revision 5 of shop/web:v1, "
        "beyond the 3 that are kept; the pruner does not see this use, and its next run takes the child away.",
        "safe_reference": f"{WEB}@{digest('one')}",
    }


def test_a_read_changes_nothing_and_complains_about_nothing() -> None:
    found = report(deployment(f"{WEB}@{child('one')}"))
    assert (found.changed, found.failure, found.warnings, found.before, found.after) == (False, None, [], {}, {})


def test_the_owner_and_the_followers() -> None:
    image = f"{WEB}@{child('one')}"
    uses = [
        use for name in ("a", "b") for use in used("Pod", name, spec=containers(image), owner=("ReplicaSet", "web-5f"))
    ]
    risk = one_risk(*uses)
    assert (risk["workload"]["owner"], risk["workload"]["followers"]) == ("ReplicaSet/web-5f", ["Pod/b"])


# ---- why


LISTED = f"a child of the list {short(digest('one'))}, which is revision"


@pytest.mark.parametrize(
    ("name", "options", "end"),
    [
        ("five", {}, "and takes the child away when the tag has moved 3 more times."),
        ("three", {}, "and takes the child away when the tag has moved 1 more time."),
        ("two", {"minutes": 20}, "and only its age of less than 60 minutes keeps it yet."),
        (
            "two",
            {},
            "beyond the 3 that are kept; the pruner does not see this use, and its next run takes the child away.",
        ),
        (
            "one",
            {"keep": 0},
            "beyond the 0 that are kept; the pruner does not see this use, and its next run takes the child away.",
        ),
    ],
)
def test_why_the_child_stays_or_goes(name: str, options: dict[str, t.Any], end: str) -> None:
    assert one_risk(deployment(f"{WEB}@{child(name)}"), **options)["why"].endswith(end)


def test_why_a_tag_in_use_keeps_it() -> None:
    risk = one_risk(deployment(f"{WEB}@{child('five')}"), deployment(f"{WEB}:v1", "other"), keep=0)
    assert risk["why"].endswith("and keeps it only until the tag moves, because a workload names the tag.")


def test_why_a_list_in_use_protects() -> None:
    risk = one_risk(deployment(f"{WEB}@{child('one')}"), deployment(f"{WEB}@{digest('one')}", "other"))
    assert risk["why"].endswith(
        f"{LISTED} 5 of shop/web:v1; a workload names that very digest of the stream, which the pruner sees."
    )


def test_why_its_own_tag_protects() -> None:
    pinned = tag("keep", child("one"), source=f"{SOURCE}@{child('one')}")
    ephemeral = used(
        "Pod", "web-1", spec={"ephemeralContainers": [{"name": "debug", "image": f"{WEB}@{child('one')}"}]}
    )
    assert one_risk(*ephemeral, tags=[pinned])["why"] == (
        f"Pod web-1, ephemeral container debug, names {short(child('one'))}, which is revision 1 of shop/web:keep by "
        "itself; the tag follows a digest, so this stays its newest revision."
    )


@pytest.mark.parametrize(
    ("image", "host"),
    [(f"{SOURCE}@{child('one')}", "registry.example.com"), (f"team/web@{child('one')}", "Docker Hub")],
)
def test_why_another_registry_is_not_concerned(image: str, host: str) -> None:
    risk = one_risk(deployment(image))
    assert (risk["level"], risk["at_risk"]) == ("elsewhere", False)
    assert f"; it is pulled from {host}, which pruning this cluster does not touch" in risk["why"]


def test_what_a_node_runs_is_told_so() -> None:
    image_id = f"{WEB}@{child('one')}"
    (use,) = used(
        "Pod",
        "web-1",
        spec=containers(f"{WEB}:v1"),
        status={"containerStatuses": [{"name": "c0", "imageID": image_id}]},
    )
    risk = one_risk(use)
    assert (risk["image"], risk["image_id"], risk["found_in"]) == (f"{WEB}:v1", image_id, "image_id")
    assert risk["why"].startswith(f"Pod web-1, container c0, runs {short(child('one'))}, a child")
    assert risk["safe_reference"] == f"{WEB}@{digest('one')}"


def test_builds_and_volumes_are_named_as_such() -> None:
    strategy = {"dockerStrategy": {"from": {"kind": "ImageStreamImage", "name": f"web@{child('one')}"}}}
    (build,) = used("BuildConfig", "web", spec={"strategy": strategy})
    assert one_risk(build)["why"].startswith("BuildConfig web names ")
    (volume,) = used(
        "Pod", "web", spec={"volumes": [{"name": "model", "image": {"reference": f"{WEB}@{child('one')}"}}]}
    )
    assert one_risk(volume)["why"].startswith("Pod web, volume model, names ")


# ---- what to write instead


def test_the_list_is_named_where_the_workload_pulls_from() -> None:
    assert (
        one_risk(deployment(f"registry.apps.example.com/shop/web@{child('one')}"))["safe_reference"]
        == f"registry.apps.example.com/shop/web@{digest('one')}"
    )


def test_the_list_of_another_registry_is_named_there() -> None:
    assert (
        one_risk(deployment(f"mirror.example.com/a/b/c@{child('one')}"))["safe_reference"]
        == f"{SOURCE}@{digest('one')}"
    )


def test_what_is_safe_stays() -> None:
    image = f"{WEB}@{child('one')}"
    pinned = tag("keep", child("one"), source=f"{SOURCE}@{child('one')}")
    assert one_risk(deployment(image), tags=[pinned])["safe_reference"] == image


def test_a_stream_that_was_not_read_is_replaced_by_one_that_was() -> None:
    assert one_risk(deployment(f"{REGISTRY}/hidden/copy@{child('one')}"))["safe_reference"] == f"{WEB}@{digest('one')}"


# ---- the streams that protect


def test_protection_is_what_image_stream_import_takes() -> None:
    uses = [deployment(f"{WEB}@{child(name)}", f"web-{name}") for name in ("one", "two", "five", "one")]
    protection = report(*uses, referencePolicy={"type": "Local"}, importPolicy={"insecure": True}).results["protection"]
    names = sorted(("one", "two", "five"), key=child)
    assert protection == [
        {
            "namespace": "shop",
            "name": "web",
            "tags": [
                {
                    "name": protecting_tag(child(name)),
                    "from": f"{SOURCE}@{child(name)}",
                    "reference_policy": "Local",
                    "insecure": True,
                }
                for name in names
            ],
        }
    ]
    (desired,) = desired_streams({"streams": protection})
    assert [str(one.source) for one in desired.tags] == [f"{SOURCE}@{child(name)}" for name in names]


def test_the_tag_carries_the_digest() -> None:
    assert (
        protecting_tag("sha256:ad8447f58e134fde34462e027974a8332b14da44d4444cc4987fdc4c99954842") == "keep-ad8447f58e13"
    )


def test_a_source_with_a_port_keeps_it() -> None:
    found = report(deployment(f"{WEB}@{child('one')}"), source="registry.example.com:5000/web:v1").results["protection"]
    assert found[0]["tags"][0]["from"] == f"registry.example.com:5000/web@{child('one')}"


def test_what_is_safe_or_elsewhere_needs_no_protection() -> None:
    pinned = tag("keep", child("one"), source=f"{SOURCE}@{child('one')}")
    assert report(deployment(f"{WEB}@{child('one')}"), tags=[pinned]).results["protection"] == []
    assert report(deployment(f"{SOURCE}@{child('one')}")).results["protection"] == []


# ---- counts, choice, failures


def test_the_summary_counts_everything() -> None:
    uses = [deployment(f"{WEB}@{child(name)}", f"web-{name}") for name in ("one", "two", "five")]
    uses += [deployment(f"{SOURCE}@{child('one')}", "source"), deployment(f"{WEB}@{digest('gone')}", "gone")]
    for only_at_risk in (False, True):
        found = report(*uses, only_at_risk=only_at_risk).results
        assert found["summary"] == {
            "namespaces": 1,
            "workloads": 5,
            "image_streams": 1,
            "manifest_lists": 5,
            "risks": 4,
            "at_risk": 2,
            "levels": {"prunable": 2, "young": 0, "revisions": 1, "elsewhere": 1, "protected": 0},
            "missing": 1,
            "failed_namespaces": 0,
            "complete": True,
        }
        assert len(found["risks"]) == (2 if only_at_risk else 4)
        assert all(risk["at_risk"] for risk in found["risks"]) is only_at_risk
        assert len(found["protection"][0]["tags"]) == (2 if only_at_risk else 3)


def test_what_is_missing_is_told() -> None:
    (missing,) = report(deployment(f"{WEB}@{digest('gone')}")).results["missing"]
    assert (missing["namespace"], missing["digest"], missing["stream_namespace"], missing["stream"]) == (
        "shop",
        digest("gone"),
        "shop",
        "web",
    )
    assert missing["workload"]["name"] == "web"
    assert missing["why"] == (
        f"Deployment web, container c0, names {short(digest('gone'))}, which image stream shop/web holds no more, "
        "neither in its history nor as a child of a "
        "manifest list there: the next pull from the cluster's registry fails."
    )


def failed(*failures: tuple[str, str], anything: bool = True) -> Report:
    observed = Observed(("shop",), anything=anything)
    observed.failures = [
        ReadFailure(namespace, resource, Forbidden(f"Cannot list {resource}: refused.", status=403))
        for namespace, resource in failures
    ]
    return report_risks(observed, Findings((), ()), {}, PrunePolicy(NOW))


def test_what_could_not_be_read_is_returned_and_warned_about() -> None:
    found = failed(("shop", "pods"), ("shop", "deployments"), ("*", "jobs"))
    assert found.results["failed_namespaces"] == [
        {"namespace": "*", "resources": ["jobs"], "error": "Cannot list jobs: refused.", "status": 403},
        {
            "namespace": "shop",
            "resources": ["deployments", "pods"],
            "error": "Cannot list pods: refused.",
            "status": 403,
        },
    ]
    assert (found.results["summary"]["complete"], found.results["summary"]["failed_namespaces"]) == (False, 2)
    assert found.failure is None
    (warning,) = found.warnings
    assert warning == (
        "Not everything could be read, so there may be risks that are not reported: all namespaces (jobs): Cannot list "
        "jobs: refused; shop (deployments, pods): Cannot list pods: refused."
    )


def test_many_failures_are_a_sentence_still() -> None:
    (warning,) = failed(*((f"ns{index}", "pods") for index in range(7))).warnings
    assert warning.endswith("ns4 (pods): Cannot list pods: refused; and 2 more, which are in failed_namespaces.")
    assert "ns5" not in warning


def test_where_nothing_could_be_read_the_task_fails() -> None:
    found = failed(("shop", "pods"), anything=False)
    assert found.warnings == []
    assert found.failure is not None
    assert "shop (pods): Cannot list pods: refused." in found.failure


def test_an_error_without_an_answer_has_no_status() -> None:
    observed = Observed(("shop",), anything=True)
    observed.failures = [ReadFailure("shop", "pods", ApiOutcomeUnknown("Cannot list pods: the answer broke off."))]
    found = report_risks(observed, Findings((), ()), {}, PrunePolicy(NOW)).results["failed_namespaces"]
    assert found == [{"namespace": "shop", "resources": ["pods"], "error": "Cannot list pods: the answer broke off."}]

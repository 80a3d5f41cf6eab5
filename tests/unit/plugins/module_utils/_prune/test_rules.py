# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.image_uses import image_uses
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.rules import (
    PrunePolicy,
    SeenByPruner,
    kept_by,
    seen_by_pruner,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.stream_history import parse_history
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.kinds import WORKLOAD_KINDS
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import (
    NOW,
    SOURCE,
    containers,
    digest,
    stream,
    tag,
    templated,
    workload,
)

KINDS = {kind.kind: kind for kind in WORKLOAD_KINDS}
IMAGES = [digest(name) for name in "abcde"]
POLICY = PrunePolicy(NOW)
NOTHING_SEEN = SeenByPruner()


def rules(
    seen: SeenByPruner = NOTHING_SEEN, policy: PrunePolicy = POLICY, stream_minutes: float = 6000, **options: t.Any
) -> list[str]:
    """Return what keeps each of the five items of a tag, newest first."""
    history = parse_history(stream("shop", "web", tag("v1", *IMAGES, **options), minutes=stream_minutes))
    return [kept_by(history, history.tags[0], item, seen, policy) for item in history.tags[0].items]


def test_the_newest_revisions_are_kept() -> None:
    assert rules() == ["keep_tag_revisions"] * 3 + ["nothing"] * 2


@pytest.mark.parametrize("kept", [0, 1, 4, 9])
def test_as_many_as_the_policy_says(kept: int) -> None:
    assert rules(policy=PrunePolicy(NOW, keep_tag_revisions=kept)) == ["keep_tag_revisions"] * min(kept, 5) + [
        "nothing"
    ] * max(5 - kept, 0)


def test_what_is_young_is_kept() -> None:
    # the items are 56 to 60 minutes old; the pruner keeps what was created after that moment
    assert rules(minutes=56) == ["keep_tag_revisions"] * 3 + ["keep_younger_than", "nothing"]
    assert (
        rules(minutes=56, policy=PrunePolicy(NOW, keep_younger_than_minutes=0))
        == ["keep_tag_revisions"] * 3 + ["nothing"] * 2
    )


def test_everything_of_a_young_stream_is_kept() -> None:
    assert rules(stream_minutes=59) == ["keep_tag_revisions"] * 3 + ["keep_younger_than"] * 2
    assert rules(stream_minutes=60) == ["keep_tag_revisions"] * 3 + ["nothing"] * 2


def test_an_image_in_use_by_its_own_digest_is_kept() -> None:
    seen = SeenByPruner(
        images=frozenset({("shop", "web", IMAGES[4]), ("shop", "other", IMAGES[3]), ("other", "web", IMAGES[3])})
    )
    assert rules(seen) == ["keep_tag_revisions"] * 3 + ["nothing", "image_in_use"]


def test_a_tag_in_use_keeps_its_newest_image_only() -> None:
    seen = SeenByPruner(tags=frozenset({("shop", "web", "v1")}))
    assert rules(seen, PrunePolicy(NOW, keep_tag_revisions=0)) == ["tag_in_use"] + ["nothing"] * 4
    assert rules(seen, PrunePolicy(NOW, keep_tag_revisions=1)) == ["keep_tag_revisions"] + ["nothing"] * 4


def test_a_tag_that_follows_a_digest_stays_where_it_is() -> None:
    pinned = f"{SOURCE}@{IMAGES[0]}"
    assert rules(source=pinned) == ["pinned_tag", "keep_tag_revisions", "keep_tag_revisions", "nothing", "nothing"]
    assert rules(source=pinned, policy=PrunePolicy(NOW, keep_tag_revisions=0)) == ["nothing"] * 5


def seen_in(kind: str, **rest: t.Any) -> SeenByPruner:
    return seen_by_pruner(image_uses(KINDS[kind], workload("shop", "web", **rest)))


def test_what_the_pruner_sees() -> None:
    spec = containers(f"any.host/shop/web@{IMAGES[0]}", "any.host/shop/api:v2", "any.host/shop/latest")
    spec["initContainers"] = [{"name": "setup", "image": f"any.host/shop/setup@{IMAGES[1]}"}]
    assert seen_in("Pod", spec=spec) == SeenByPruner(
        frozenset({("shop", "api", "v2"), ("shop", "latest", "latest")}),
        frozenset({("shop", "web", IMAGES[0]), ("shop", "setup", IMAGES[1])}),
    )


@pytest.mark.parametrize("image", [f"any.host/a/b/c@{IMAGES[0]}", f"shop/web@{IMAGES[0]}", "nginx", "Not An Image", ""])
def test_references_of_another_form_are_not_seen(image: str) -> None:
    assert seen_in("Deployment", spec=templated(image)) == SeenByPruner()


def test_ephemeral_containers_volumes_and_nodes_are_not_seen() -> None:
    spec = {
        "containers": [{"name": "web", "image": "Not An Image"}],
        "ephemeralContainers": [{"name": "debug", "image": "any.host/shop/tools:v1"}],
        "volumes": [{"name": "model", "image": {"reference": "any.host/shop/model:v1"}}],
    }
    status = {"containerStatuses": [{"name": "web", "imageID": f"any.host/shop/web@{IMAGES[0]}"}]}
    assert seen_in("Pod", spec=spec, status=status) == SeenByPruner()


def test_pods_that_have_ended_are_not_seen_but_jobs_are() -> None:
    assert seen_in("Pod", spec=containers("any.host/shop/web:v1"), status={"phase": "Succeeded"}) == SeenByPruner()
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert seen_in("Job", spec=templated("any.host/shop/web:v1"), status=ended).tags == {("shop", "web", "v1")}


def test_of_builds_only_the_strategy_is_seen() -> None:
    source = {"images": [{"from": {"kind": "ImageStreamTag", "name": "tools:v1"}}]}
    strategy = {"sourceStrategy": {"from": {"kind": "ImageStreamTag", "name": "builder:v1", "namespace": "openshift"}}}
    assert seen_in("BuildConfig", spec={"strategy": strategy, "source": source}).tags == {
        ("openshift", "builder", "v1")
    }

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the registry offers, and what the cluster took of it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import image_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.platforms import Platforms, platforms_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import ObservedStream
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.result import StreamResult
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    NAMESPACE,
    PRIVATE,
    desired,
    forbidden,
    observed,
    tag,
)

SOURCE = f"{PRIVATE}/team/web:v2"
V2 = observed("reimport_unchanged", 1).tags["v2"]
LIST, AMD64, ARM64, OLD = (f"sha256:{letter * 64}" for letter in "abcd")
OLD_IMAGE = image_path(NAMESPACE, "imagestreamimages", f"web@{OLD}")


def offer(*platforms: str) -> Image:
    """Return a list with these at most three platforms; the first two have the digests of above."""
    digests = (AMD64, ARM64, f"sha256:{'e' * 64}")[: len(platforms)]
    children = []
    for platform, digest in zip(platforms, digests, strict=True):
        system, architecture, variant = (*platform.split("/"), "")[:3]
        children.append(Manifest(system, architecture, variant, digest, 400))
    return Image(LIST, f"{SOURCE}@{LIST}", "", tuple(children), "PreserveOriginal")


def single(architecture: str) -> Image:
    """Return an image that is no list."""
    return Image(AMD64, f"{SOURCE}@{AMD64}", "", (), "PreserveOriginal", architecture)


def found(outcome: t.Any, digest: str | None, cluster: ScriptedCluster | None = None) -> Platforms:
    """Return the platforms of a tag that has the digest, if the lookup of its source had this outcome."""
    before = ObservedStream(NAMESPACE, "web", True, "1", tags={"v2": V2._replace(digest=digest)} if digest else {})
    result = StreamResult(desired(tags=[tag("v2", SOURCE)]), before, before)
    result.outcomes["v2"] = outcome
    scripted = cluster or ScriptedCluster()
    (platforms,) = platforms_of(scripted.client, [result], concurrency=1, timeout=30).values()
    scripted.assert_all_asked()
    return platforms


@pytest.mark.parametrize(
    ("digest", "taken"),
    [(LIST, ["linux/amd64", "linux/arm64"]), (AMD64, ["linux/amd64"]), (ARM64, ["linux/arm64"]), (None, [])],
)
def test_the_list_one_of_its_children_and_nothing(digest: str | None, taken: list[str]) -> None:
    assert found(offer("linux/amd64", "linux/arm64"), digest) == Platforms(["linux/amd64", "linux/arm64"], taken, False)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["linux/amd64", "linux/arm64"], ["linux/arm64"]),
        (["linux/amd64", "linux/arm64/v8"], ["linux/arm64/v8"]),
        # Which of two it was, the cluster does not know.
        (["linux/amd64", "linux/arm64", "windows/arm64"], ["arm64"]),
        (["linux/amd64"], ["arm64"]),
    ],
)
def test_a_former_child_counts_for_the_platform_of_its_architecture(offered: list[str], taken: list[str]) -> None:
    former = {"image": {"metadata": {"name": OLD}, "dockerImageMetadata": {"Architecture": "arm64"}}}

    platforms = found(offer(*offered), OLD, ScriptedCluster().on("GET", OLD_IMAGE, former))

    assert platforms == Platforms(sorted(offered), taken, False)


def test_a_single_image_has_its_architecture() -> None:
    assert found(single("amd64"), AMD64) == Platforms(["amd64"], ["amd64"], True)


def test_what_cannot_be_found_out_is_not_known() -> None:
    cluster = ScriptedCluster().on("GET", OLD_IMAGE, forbidden("GET", OLD_IMAGE))

    assert found(ImportFailure("NotFound", "no"), OLD, cluster) == Platforms(None, None, False)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an image: Legacy's choice by its four rules, and the report on several images."""

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    CollectionError,
    RegistryError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.describe import (
    LegacyPreference,
    OpenedRepository,
    describe_image,
    describe_repository,
    explain_legacy,
    registry_report,
    side_by_side,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.documents import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    Descriptor,
    ImageConfig,
    ServedManifest,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.repository import RegistryRepository

A, B, C, D = ("sha256:" + letter * 64 for letter in "abcd")


def child(platform: str, digest: str, variant: str = "") -> Manifest:
    system, _slash, architecture = platform.partition("/")
    return Manifest(system, architecture, variant, digest, 5, DOCKER_MANIFEST)


ALL = (child("windows/amd64", D), child("linux/arm64", A, "v8"), child("linux/amd64", B), child("linux/s390x", C))
NO_AMD64 = (child("linux/s390x", C), child("linux/arm64", A))


@pytest.mark.parametrize(
    ("children", "preference", "digest", "rule", "why"),
    [
        (
            ALL,
            LegacyPreference("arm64"),
            A,
            "tag_annotation",
            "The first entry for linux/arm64, that the tag's annotations prefer.",
        ),
        (
            ALL,
            LegacyPreference("", "windows"),
            D,
            "tag_annotation",
            "The first entry for windows/amd64, that the tag's annotations prefer.",
        ),
        (
            ALL,
            LegacyPreference(),
            B,
            "control_plane_architecture",
            "The first entry for linux/amd64, the platform of the control plane.",
        ),
        (
            ALL,
            LegacyPreference("", "", "s390x"),
            C,
            "control_plane_architecture",
            "The first entry for linux/s390x, the platform of the control plane.",
        ),
        (
            ALL,
            LegacyPreference("ppc64le"),
            B,
            "linux_amd64",
            (
                "There is no entry for linux/ppc64le, that the tag's annotations prefer, so the first one for "
                "linux/amd64 is taken."
            ),
        ),
        (
            ALL,
            LegacyPreference("", "windows", "arm64"),
            B,
            "linux_amd64",
            (
                "There is no entry for windows/arm64, that the tag's annotations prefer, so the first one for "
                "linux/amd64 is taken."
            ),
        ),
        (
            NO_AMD64,
            LegacyPreference(),
            C,
            "first_entry",
            "There is no entry for linux/amd64, so the first one of the list is taken, linux/s390x.",
        ),
        (
            NO_AMD64,
            LegacyPreference("", "", "ppc64le"),
            C,
            "first_entry",
            (
                "There is no entry for linux/ppc64le, of the control plane, nor for linux/amd64, so the first one of "
                "the list is taken, linux/s390x."
            ),
        ),
    ],
)
def test_the_four_rules(
    children: tuple[Manifest, ...], preference: LegacyPreference, digest: str, rule: str, why: str
) -> None:
    choice = explain_legacy(children, preference, by_digest=False)

    assert choice is not None
    assert (choice.child.digest, choice.rule, choice.why) == (digest, rule, why)


def test_a_digest_ignores_the_annotations() -> None:
    choice = explain_legacy(ALL, LegacyPreference("arm64"), by_digest=True)

    assert choice is not None
    assert choice.as_dict() == {
        "digest": B,
        "os": "linux",
        "architecture": "amd64",
        "variant": None,
        "rule": "control_plane_architecture",
        "why": "The first entry for linux/amd64, the platform of the control plane (the preference does not count, "
        "because the image is named by digest).",
    }


def test_an_empty_list_has_no_choice() -> None:
    assert explain_legacy((), LegacyPreference(), by_digest=False) is None


class Served:
    """A repository that serves what it is told to; an error is raised."""

    def __init__(self, manifests: dict[str, t.Any], tags: t.Any = ()) -> None:
        self._manifests = manifests
        self._tags = tags
        self.asked: list[str] = []

    def manifest(self, reference: str) -> ServedManifest:
        self.asked.append(reference)
        return t.cast(ServedManifest, given(self._manifests.get(reference, missing())))

    def config(self, manifest: ServedManifest) -> ImageConfig:
        self.asked.append(f"config of {manifest.digest}")
        return ImageConfig("linux", "arm64", "v8", "2026-01-01T00:00:00Z", {"name": "web"})

    def tags(self) -> list[str]:
        self.asked.append("tags")
        return list(given(self._tags))


def given(answer: t.Any) -> t.Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def missing(status: int | None = 404) -> RegistryError:
    return RegistryError("not there", registry="h.example", status=status)


def opening(served: Served) -> t.Callable[[PullSpec], OpenedRepository]:
    return lambda _spec: OpenedRepository(t.cast(RegistryRepository, served), None)


SINGLE = ServedManifest(
    A, DOCKER_MANIFEST, 9, config=Descriptor("c", D, 1), layers=(Descriptor("l", B, 10), Descriptor("l", C, 20))
)
LIST = ServedManifest(D, OCI_INDEX, 99, children=(child("linux/arm64", A, "v8"), child("linux/s390x", C)))


def test_a_single_image() -> None:
    found = describe_image("h.example/web", opening(Served({"latest": SINGLE})), LegacyPreference(), with_tags=False)

    assert found == {
        "image": "h.example/web",
        "digest": A,
        "media_type": DOCKER_MANIFEST,
        "size": 9,
        "platforms": ["linux/arm64/v8"],
        "manifests": [],
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "created": "2026-01-01T00:00:00Z",
        "labels": {"name": "web"},
        "layers": 2,
        "layers_size": 30,
        "tags": None,
        "legacy_choice": None,
        "credential": None,
        "error": None,
    }


def test_a_list_is_described_by_the_child_that_legacy_takes() -> None:
    served = Served({"v1": LIST, A: SINGLE}, ["v1", "v2"])
    found = describe_image("h.example/web:v1", opening(served), LegacyPreference(), with_tags=True)

    assert served.asked == ["v1", A, f"config of {A}", "tags"]
    assert (found["digest"], found["platforms"], found["tags"]) == (D, ["linux/arm64/v8", "linux/s390x"], ["v1", "v2"])
    assert (found["legacy_choice"]["digest"], found["legacy_choice"]["rule"], found["layers_size"]) == (
        A,
        "first_entry",
        30,
    )
    assert found["manifests"][1] == {
        "os": "linux",
        "architecture": "s390x",
        "variant": None,
        "digest": C,
        "size": 5,
        "media_type": DOCKER_MANIFEST,
    }


def test_a_list_of_lists() -> None:
    nested = ServedManifest(A, OCI_INDEX, 99, children=LIST.children[1:])
    found = describe_image(
        "h.example/web:v1", opening(Served({"v1": LIST, A: nested})), LegacyPreference(), with_tags=False
    )

    assert (
        found["error"]
        == f"h.example/web:v1: the entry {A}, which Legacy would take, is a list itself; only lists of images can be "
        "imported"
    )
    assert (found["digest"], len(found["manifests"])) == (D, 2)


def test_an_empty_list() -> None:
    empty = ServedManifest(D, OCI_INDEX, 99)
    found = describe_image("h.example/web:v1", opening(Served({"v1": empty})), LegacyPreference(), with_tags=False)

    assert (found["manifests"], found["platforms"], found["legacy_choice"], found["error"]) == ([], [], None, None)


@pytest.mark.parametrize(
    ("error", "asked", "tags"),
    [(missing(), ["v9", "tags"], ["v1"]), (missing(401), ["v9"], None), (missing(None), ["v9"], None)],
)
def test_an_image_that_is_missing_shows_the_tags_that_are_there(
    error: RegistryError, asked: list[str], tags: t.Any
) -> None:
    served = Served({"v9": error}, ["v1"])
    found = describe_image("h.example/web:v9", opening(served), LegacyPreference(), with_tags=True)

    assert (served.asked, found["tags"], found["digest"], found["error"]) == (asked, tags, None, "not there")


def test_tags_that_are_refused_do_not_hide_the_image() -> None:
    found = describe_image(
        "h.example/web:v1", opening(Served({"v1": SINGLE}, missing(403))), LegacyPreference(), with_tags=True
    )

    assert (found["digest"], found["tags"], found["error"]) == (A, None, "not there")


def test_a_credential_that_cannot_be_used_is_the_images_error() -> None:
    def refuse(_spec: PullSpec) -> t.NoReturn:
        raise CollectionError("unusable")

    assert describe_image("h.example/web:v1", refuse, LegacyPreference(), with_tags=True)["error"] == "unusable"
    assert describe_repository("h.example/web", refuse) == {
        "repository": "h.example/web",
        "tags": None,
        "credential": None,
        "error": "unusable",
    }


def test_a_repository() -> None:
    assert describe_repository("h.example/web", opening(Served({}, ["v1"])))["tags"] == ["v1"]
    assert describe_repository("h.example/web", opening(Served({}, missing())))["error"] == "not there"


def test_each_different_one_is_described_once_and_side_by_side() -> None:
    together = threading.Barrier(2, timeout=10)
    described: list[str] = []

    def describe(text: str) -> dict[str, t.Any]:
        together.wait()
        described.append(text)
        return {"image": text}

    assert side_by_side(["a", "b", "a"], describe, 2) == [{"image": "a"}, {"image": "b"}, {"image": "a"}]
    assert sorted(described) == ["a", "b"]


def test_the_report_names_everything_that_failed() -> None:
    images = [{"image": "a", "error": None}, {"image": "b", "error": "no."}, {"image": "b", "error": "no."}]
    repositories = [{"repository": "c", "error": "neither"}, {"repository": "d", "error": None}]

    report = registry_report(images, repositories)

    assert report.failure == "2 of 2 images and 2 repositories could not be read:\n- b: no\n- c: neither"
    assert report.results == {"images": images, "repositories": repositories}
    assert not report.changed
    assert registry_report(images[:1], []).failure is None

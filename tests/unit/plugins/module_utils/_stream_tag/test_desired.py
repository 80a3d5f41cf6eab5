# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_tag.desired import (
    Source,
    desired_stream_tag,
    inferred_kind,
)

DIGEST = "sha256:" + "a" * 64
GIVEN: dict[str, t.Any] = {"namespace": "shop", "name": "web:production", "from": "web:v1", "state": "present"}


def wanted(**options: t.Any) -> t.Any:
    return desired_stream_tag({**GIVEN, **options})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("registry.example.com:5000/team/web:v1", "DockerImage"),
        ("localhost/web@" + DIGEST, "DockerImage"),
        ("web@" + DIGEST, "ImageStreamImage"),
        ("other/web@" + DIGEST, "ImageStreamImage"),
        ("web:v1", "ImageStreamTag"),
        ("other/web:v1", "ImageStreamTag"),
        ("web", "DockerImage"),
    ],
)
def test_a_kind_that_is_not_given_is_that_of_oc_tag(text: str, kind: str) -> None:
    assert inferred_kind(text) == kind


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ({}, Source("ImageStreamTag", "shop", "web", "v1")),
        ({"from": "other/web:v1"}, Source("ImageStreamTag", "other", "web", "v1")),
        ({"from_namespace": "other"}, Source("ImageStreamTag", "other", "web", "v1")),
        ({"from": f"web@{DIGEST}"}, Source("ImageStreamImage", "shop", "web", digest=DIGEST)),
        ({"from": "v1", "from_kind": "ImageStreamTag", "alias": True}, Source("ImageStreamTag", "shop", "web", "v1")),
        ({"from": "h.example/web:v1"}, Source("DockerImage", pull_spec="h.example/web:v1")),
    ],
)
def test_sources(options: dict[str, t.Any], source: Source) -> None:
    assert wanted(**options).source == source


@pytest.mark.parametrize("option", ["scheduled", "insecure"])
def test_what_holds_for_every_copy_may_be_said(option: str) -> None:
    assert wanted(**{option: False}).source == wanted().source


def test_an_absent_tag_needs_no_source() -> None:
    assert wanted(state="absent", **{"from": None}).source is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "web"}, 'name "web" is not a tag of a stream: write it as stream:tag'),
        ({"from": None}, "shop/web:production: from is missing: say what the tag is to point to"),
        ({"from_kind": "Pod"}, 'from_kind "Pod" is unknown: give ImageStreamTag, ImageStreamImage or DockerImage'),
        (
            {"reference_policy": "Remote"},
            'reference_policy "Remote" is unknown: valid reference policy values are Source or Local',
        ),
        ({"from": "web", "from_kind": "ImageStreamTag"}, 'from "web" is not an ImageStreamTag: write it as stream:tag'),
        ({"from_kind": "ImageStreamImage"}, 'from "web:v1" is not an ImageStreamImage: write it as stream@sha256:...'),
        (
            {"from": "other/web:v1", "from_namespace": "third"},
            'from "other/web:v1" and from_namespace "third" name different namespaces: give one',
        ),
        (
            {"from": "h.example/web:v1", "from_namespace": "other"},
            'from_namespace names the namespace of a stream: leave it out for the external image "h.example/web:v1"',
        ),
        (
            {"import_mode": "Both"},
            'import_mode "Both" is unknown: valid ImportMode values are Legacy or PreserveOriginal',
        ),
        (
            {"scheduled": True},
            "shop/web:production: scheduled is for external images: leave it out for an ImageStreamTag",
        ),
        (
            {"import_mode": "Legacy"},
            "shop/web:production: import_mode is for external images: leave it out for an ImageStreamTag",
        ),
        (
            {"alias": True, "from": "other:v1"},
            (
                "shop/web:production: alias works only inside one stream, because the cluster does not follow tags of "
                "other streams: leave alias out for a copy, and run the task again when the source moves"
            ),
        ),
        ({"alias": True, "from": "web:production"}, "shop/web:production: the tag cannot be an alias of itself"),
        ({"from": "web:production"}, "shop/web:production: the tag cannot be a copy of itself"),
        (
            {"alias": True, "from": f"web@{DIGEST}"},
            "shop/web:production: alias follows another tag: from_kind has to be ImageStreamTag",
        ),
        (
            {"from": "h.example/web:v1", "reference": True, "scheduled": True},
            "shop/web:production: a reference is not imported: leave scheduled out",
        ),
    ],
)
def test_refused(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        wanted(**options)
    assert str(refused.value) == sentence

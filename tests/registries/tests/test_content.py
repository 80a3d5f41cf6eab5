# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading registry.json and building images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from registries.content import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, digest_of, load_contents
from registries.images import build_image


def test_content_that_misses_its_digest_is_refused(tmp_path: Path) -> None:
    listed = "sha256:" + "1" * 64
    entry = {
        "repositories": {
            "team/a": {"tags": {}, "manifests": {listed: {"mediaType": DOCKER_MANIFEST, "content": "{}"}}}
        },
        "blobs": {},
    }
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"plain": entry}))
    with pytest.raises(ValueError, match=f"a manifest of plain/team/a is listed as {listed}"):
        load_contents(path)


def test_an_image_is_the_same_for_the_same_arguments_and_another_for_another_salt() -> None:
    first = build_image(["linux/amd64", "linux/arm64/v8"], salt="one")
    again = build_image(["linux/amd64", "linux/arm64/v8"], salt="one")
    other = build_image(["linux/amd64", "linux/arm64/v8"], salt="two")
    assert first == again
    assert not {m.digest for m in first.manifests} & {m.digest for m in other.manifests}


@pytest.mark.parametrize(
    ("image_format", "list_type", "single_type"),
    [("docker", DOCKER_LIST, DOCKER_MANIFEST), ("oci", OCI_INDEX, OCI_MANIFEST)],
)
def test_several_platforms_become_a_list_of_complete_images(
    image_format: str, list_type: str, single_type: str
) -> None:
    image = build_image(["linux/amd64", "linux/arm64/v8"], salt="s", image_format=image_format)
    assert image.top.media_type == list_type
    entries = json.loads(image.top.content)["manifests"]
    assert [entry["platform"] for entry in entries] == [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm64", "variant": "v8"},
    ]
    singles = {manifest.digest: manifest for manifest in image.manifests if manifest is not image.top}
    assert image.top.children() == list(singles)
    for single in singles.values():
        assert single.media_type == single_type
        for digest in single.blob_digests():
            assert digest_of(image.blobs[digest]) == digest


def test_one_platform_is_a_single_image_unless_a_list_is_asked_for() -> None:
    assert build_image(["linux/arm64"], salt="s").top.media_type == DOCKER_MANIFEST
    assert build_image(["linux/arm64"], salt="s", as_list=True).top.media_type == DOCKER_LIST


@pytest.mark.parametrize("platforms", [[], ["linux"], ["linux/"], ["a/b/c/d"]])
def test_unusable_platforms_are_refused(platforms: list[str]) -> None:
    with pytest.raises(ValueError, match="platform"):
        build_image(platforms, salt="s")

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that the API takes and cannot address, tags and streams that go."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams

from traps.scene import Scene


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "from": source, **options}


@pytest.mark.parametrize("name", ["a/b", "a%b", "a:b"])
def test_tag_name_that_no_api_can_address(scene: Scene, name: str) -> None:
    """An import accepts any tag name, also one that the imagestreamtags API can never address (2.9, invalid_requests).

    Such names are refused before anything is sent, and removed through the stream if others made them.
    """
    with pytest.raises(InputError, match="is not a tag name that the API can address"):
        desired_streams({"namespace": scene.namespace, "name": "web", "tags": [tag(name, f"{scene.web}:v2")]})
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})
    scene.api.import_images(
        "web", {"from": {"kind": "DockerImage", "name": f"{scene.web}:v1"}, "to": {"name": name}}
    ).raise_for_status()
    result = scene.converge(tags=[tag("v2", f"{scene.web}:v2")], purge_tags=True)
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["v2"]
    assert result.done.tags[name]["reasons"] == ["not_listed"]


def test_order_of_tags_means_nothing(scene: Scene) -> None:
    """Tags are stored by name: two of one name collapse to the last, and the order of a list is lost (2.9).

    Two tags of one name are refused, and another order of the same tags is no difference.
    """
    with pytest.raises(InputError, match="tag v1 is listed twice"):
        desired_streams(
            {"namespace": "shop", "name": "web", "tags": [tag("v1", f"{scene.web}:v1"), tag("v1", f"{scene.web}:v2")]}
        )
    tags = [tag("v2", f"{scene.web}:v2"), tag("v1", f"{scene.web}:v1")]
    scene.converge(tags=tags)
    assert scene.run(tags=tags[::-1]).writes == []


def test_tag_removed_from_the_spec_keeps_its_history(scene: Scene) -> None:
    """A tag that is removed from the spec stays in the status and can still be pulled (2.11, remove_spec_tag).

    A tag that is not listed any more goes with its history; tags that follow other tags stay.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1"}, v2={"from": f"{scene.web}:v2"})
    alias = {
        "metadata": {"name": "web:alias"},
        "tag": {"name": "alias", "from": {"kind": "ImageStreamTag", "name": "v2"}},
    }
    scene.api.send("PUT", scene.api.image("imagestreamtags", "web:alias"), alias).raise_for_status()
    scene.converge(tags=[tag("v2", f"{scene.web}:v2")], purge_tags=True)
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["alias", "v2"]
    assert [item["tag"] for item in scene.stream()["status"]["tags"]] == ["alias", "v2"]


@pytest.mark.parametrize("then", ["v1", "absent", "also-absent"])
@pytest.mark.parametrize("before", ["v2", "absent"])
def test_new_tag_finds_what_a_removed_one_has_left(scene: Scene, before: str, then: str) -> None:
    """A tag that is declared again gets the images and the failure of the one of its name that was removed from the
    spec (2.4, 2.5, 2.11).

    Check mode foresees that, also if its import fails and the former image stays, with and without a patch before
    it.
    """
    names = ("plain", "preferring")
    scene.import_as_others(**{name: {"from": f"{scene.web}:{before}"} for name in names})
    scene.patch({"tags": [{"name": name, "$patch": "delete"} for name in names]})
    result = scene.converge(
        tags=[
            tag("plain", f"{scene.web}:{then}"),
            tag("preferring", f"{scene.web}:{then}", prefer_architecture="arm64"),
        ]
    )
    assert list(result.done.failed) == ([] if then == "v1" else list(names))
    if then != "v1":
        assert result.done.tags["plain"]["digest"] == (scene.digest("plain") if before == "v2" else None)


def test_failed_tag_is_no_object_and_can_be_removed(scene: Scene) -> None:
    """A tag that was never imported cannot be read as an imagestreamtag (2.11).

    It is removed like any other.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"}, nope={"from": f"{scene.web}:nope"})
    assert scene.api.send("GET", scene.api.image("imagestreamtags", "web:nope")).status_code == 404
    scene.converge(tags=[tag("v2", f"{scene.web}:v2")], purge_tags=True)
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["v2"]


def test_deletion_of_what_is_gone_is_an_error(scene: Scene) -> None:
    """Deleting a stream or tag that does not exist is answered 404 (3, stream_create_update, tags_between_streams).

    What is gone already is no difference.
    """
    scene.converge(tags=[tag("v2", f"{scene.web}:v2")])
    result = scene.converge(state="absent")
    assert scene.versions() == {}
    assert result.again.writes == []


def test_bare_name_is_an_image_of_docker_hub(scene: Scene) -> None:
    """A bare stream name is imported from Docker Hub by other modules (1.3, 7.1).

    Every tag says where it comes from; a repository with a tag or digest is refused, as the server does
    (repository_import).
    """
    with pytest.raises(InputError, match='"" is not a pull spec'):
        desired_streams({"namespace": "shop", "name": "mysql", "tags": [tag("latest", "")]})
    with pytest.raises(InputError, match="carries a tag or digest"):
        desired_streams({"namespace": "shop", "name": "mysql", "repository": f"{scene.web}:v1"})


def test_name_with_tag_and_digest_is_understood(scene: Scene) -> None:
    """A pull spec with tag and digest is taken apart wrongly by other modules (7.1).

    It is one source by digest, and kept as it was written.
    """
    source = f"{scene.web}:v2@sha256:ffb105ccf038c9f5e2a289fbdd377ad5eb1d514e4aecc9b0f0e81fde6ca0f86a"
    scene.converge(tags=[tag("pinned", source)])
    assert scene.tag("pinned")["from"]["name"] == source


def test_namespace_that_does_not_exist(scene: Scene) -> None:
    """A namespace that does not exist is a 404 for the whole request, while its streams are only called missing
    (2.3, invalid_requests).

    Its streams fail in the same words in check mode and in the run; those of other namespaces are done.
    """
    tags = [tag("v2", f"{scene.web}:v2")]
    streams = [{"namespace": "no-such-namespace", "name": name, "tags": tags} for name in ("one", "two")]
    result = scene.converge(streams=[*streams, {"name": "web", "tags": tags}])
    first, second, done = result.done.report.results["streams"]
    assert first["error"].startswith('Cannot create image stream import "one" in namespace "no-such-namespace": ')
    assert second["error"].startswith('Cannot create image stream import "two" in namespace "no-such-namespace": ')
    assert (done["error"], done["changed"]) == (None, True)

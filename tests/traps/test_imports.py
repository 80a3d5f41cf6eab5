# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookups, what an import records and what not, sources and repositories."""

from __future__ import annotations

import time
import typing as t

import pytest

from traps.scene import Scene

WEB_V2 = "sha256:ffb105ccf038c9f5e2a289fbdd377ad5eb1d514e4aecc9b0f0e81fde6ca0f86a"


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "from": source, **options}


def test_dry_run_is_ignored_by_an_import(scene: Scene) -> None:
    """The server ignores dryRun of an import: it really imports (2.3, dry_run_all_is_ignored).

    Check mode sends lookups, which store nothing and need no stream, and never dryRun.
    """
    foreseen = scene.run(check_mode=True, tags=[tag("v1", f"{scene.web}:v1", import_mode="PreserveOriginal")])
    assert scene.versions() == {}
    assert [sent.query for sent in foreseen.sent if sent.method == "POST"] == [{"timeout": "60s"}]
    assert len(foreseen.tags["v1"]["manifests"]) == 3
    scene.converge(tags=[tag("v1", f"{scene.web}:v1", import_mode="PreserveOriginal")])


def test_lists_carry_a_new_time_on_every_lookup(scene: Scene) -> None:
    """The metadata of a list says that it was created now, on every lookup (2.3).

    Images are compared by digest and place; a list that did not move is no change.
    """
    scene.converge(tags=[tag("v1", f"{scene.web}:v1", import_mode="PreserveOriginal")])
    for _turn in range(2):
        assert not scene.run(check_mode=True, refresh="drifted", tags=[tag("v1", f"{scene.web}:v1")]).report.changed


def test_unchanged_import_writes_nothing(scene: Scene) -> None:
    """An import that brings nothing new writes nothing, which is the only sign that nothing changed (2.4, 7.1,
    reimport_unchanged).

    Changed means that the state before and after differ, also if every tag is imported on request.
    """
    tags = [tag("v1", f"{scene.web}:v1"), tag("v2", f"{scene.web}:v2")]
    scene.converge(refresh="always", tags=tags)
    versions = scene.versions()
    forced = scene.run(refresh="always", tags=tags)
    assert (forced.imported, scene.versions(), forced.report.changed) == (["v1", "v2"], versions, False)


def test_other_reference_of_the_same_image_is_not_recorded(scene: Scene) -> None:
    """An import of another reference of the same image leaves the source of the tag as it was, for ever (2.4,
    source_change).

    Such a source is patched, and the import that follows in the same run brings the generation level.
    """
    scene.import_as_others(stable={"from": f"{scene.web}:v2"})
    source = f"{scene.web}@{WEB_V2}"
    result = scene.converge(tags=[tag("stable", source)])
    assert scene.tag("stable")["from"]["name"] == source
    assert [sent.method for sent in result.done.writes] == ["PATCH", "POST"]
    assert len(scene.history("stable")) == 1


def test_source_of_an_existing_tag_cannot_be_changed(scene: Scene) -> None:
    """Other clients refuse to change the source of an existing tag, or do not notice that they did not (1.3, 7.1).

    A changed source is a difference like any other.
    """
    scene.import_as_others(stable={"from": f"{scene.web}:v2"})
    result = scene.converge(tags=[tag("stable", f"{scene.web}:v1")])
    assert scene.tag("stable")["from"]["name"] == f"{scene.web}:v1"
    assert result.done.tags["stable"]["reasons"] == ["source_changed"]
    assert result.done.tags["stable"]["previous_digest"] == WEB_V2


def test_same_digest_of_another_repository_replaces_the_history_item(scene: Scene) -> None:
    """The same digest from another repository is recorded in the place of the newest item, not as a new one (2.4).

    The source changes, the digest stays, and the second run finds nothing to do.
    """
    first = scene.push(f"{scene.namespace}/one", "v1", salt="same")
    assert scene.push(f"{scene.namespace}/two", "v1", salt="same") == first
    host = scene.hosts["private"]
    scene.converge(tags=[tag("v1", f"{host}/{scene.namespace}/one:v1")])
    result = scene.converge(tags=[tag("v1", f"{host}/{scene.namespace}/two:v1")])
    assert [item["dockerImageReference"] for item in scene.history("v1")] == [f"{host}/{scene.namespace}/two@{first}"]
    assert result.done.report.changed


def test_import_without_to_is_not_recorded(scene: Scene) -> None:
    """An image by digest without a target tag is answered Success and not recorded (2.4, source_without_tag).

    Every image is sent with its tag.
    """
    result = scene.converge(tags=[tag("pinned", f"{scene.web}@{WEB_V2}"), tag("latest", scene.web)])
    assert all(image["to"]["name"] for sent in result.done.sent for image in sent.imports)
    assert (scene.digest("pinned"), scene.tag("latest")["from"]["name"]) == (WEB_V2, scene.web)


def test_answer_names_the_tag_of_the_source(scene: Scene) -> None:
    """The answer of an import names the tag of the source, not that of the stream (2.4, import_not_found).

    Answers are matched to images by their position.
    """
    result = scene.converge(
        tags=[tag("v2", f"{scene.web}:v1"), tag("v1", f"{scene.web}:v2"), tag("v3", f"{scene.web}:v1")]
    )
    assert result.done.tags["v1"]["digest"] == scene.digest("v1") == WEB_V2
    assert result.done.tags["v2"]["digest"] == scene.digest("v2") != WEB_V2


def test_tag_that_follows_another_becomes_external(scene: Scene) -> None:
    """An import into a tag that follows another tag turns it into one of its own, unless the image is the same (2.4,
    7.1, tags_between_streams).

    The tag becomes what is declared in both cases, also with a schedule, which a following tag may not have (2.9).
    If its import fails it stays as it was, and the failure costs no other tag anything.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1"}, v2={"from": f"{scene.web}:v2"})
    for name in ("same", "other"):
        body = {
            "metadata": {"name": f"web:{name}"},
            "tag": {"name": name, "from": {"kind": "ImageStreamTag", "name": "v2"}},
        }
        scene.api.send("PUT", scene.api.image("imagestreamtags", f"web:{name}"), body).raise_for_status()
    scene.converge(scheduled=True, tags=[tag("same", f"{scene.web}:v2"), tag("other", f"{scene.web}:v1")])
    for name, source in (("same", "v2"), ("other", "v1")):
        assert scene.tag(name)["from"] == {"kind": "DockerImage", "name": f"{scene.web}:{source}"}
        assert scene.tag(name)["importPolicy"]["scheduled"] is True
    follower = {
        "metadata": {"name": "web:failing"},
        "tag": {"name": "failing", "from": {"kind": "ImageStreamTag", "name": "never"}},
    }
    scene.api.send("PUT", scene.api.image("imagestreamtags", "web:failing"), follower).raise_for_status()
    result = scene.converge(
        scheduled=True, tags=[tag("failing", f"{scene.web}:absent"), tag("fine", f"{scene.web}:v1")]
    )
    assert (list(result.done.failed), scene.tag("failing")["from"]["kind"]) == (["failing"], "ImageStreamTag")


def test_tag_that_follows_a_moved_one_moves_along(scene: Scene) -> None:
    """The server moves a tag along with the tag of its stream that it follows, within the same write
    (tags_between_streams).

    Check mode foresees that if a following tag is declared as an external one whose import would fail: it goes on
    following, whichever of the two comes first, and a failure that it had is over.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1"})
    follower = {"metadata": {"name": "web:follower"}, "tag": {"from": {"kind": "ImageStreamTag", "name": "web:v1"}}}
    scene.api.send("PUT", scene.api.image("imagestreamtags", "web:follower"), follower).raise_for_status()
    before = scene.digest("v1")
    result = scene.converge(tags=[tag("follower", f"{scene.web}:absent"), tag("v1", f"{scene.web}:v2")])
    moved = result.foreseen.tags["follower"]
    assert (moved["previous_digest"], moved["digest"]) == (before, scene.digest("v1"))
    assert scene.digest("follower") == scene.digest("v1") != before
    scene.patch({"tags": [{"name": "v1", "$patch": "delete"}]})
    again = scene.converge(tags=[tag("follower", f"{scene.web}:absent"), tag("v1", f"{scene.web}:v1")])
    assert again.foreseen.tags["follower"]["digest"] == scene.digest("follower") == before


@pytest.mark.parametrize("order", [1, -1])
def test_tag_whose_image_comes_with_the_one_that_it_follows_is_not_imported_in_vain(scene: Scene, order: int) -> None:
    """The first image of the tag that a tag follows takes the failure of that tag's own import away, or comes before
    it (tags_between_streams).

    What follows another tag is looked up first, and imported only if that can succeed. So no failure is recorded
    that one order of requests keeps and another one loses, and check mode foresees the tag as it will be.
    """
    for name in ("follower", "stubborn"):
        body = {"metadata": {"name": f"web:{name}"}, "tag": {"from": {"kind": "ImageStreamTag", "name": "v1"}}}
        if name == "stubborn":
            # what another client has tried in vain before
            scene.import_as_others(stubborn={"from": f"{scene.web}:absent"})
        scene.api.send("PUT", scene.api.image("imagestreamtags", f"web:{name}"), body).raise_for_status()
    # requests hold three images each
    names = ["follower", "stubborn", "one", "two", "three", "v1"][::order]
    absent = ("follower", "stubborn")
    result = scene.converge(tags=[tag(name, f"{scene.web}:{'absent' if name in absent else 'v1'}") for name in names])
    assert sorted(result.done.failed) == sorted(absent)
    for name in absent:
        assert scene.tag(name)["from"]["kind"] == "ImageStreamTag"
        assert result.foreseen.tags[name]["digest"] == scene.digest(name) == scene.digest("v1")
        assert result.foreseen.tags[name]["reasons"][:1] == ["source_changed"]
        status = next(entry for entry in scene.stream()["status"]["tags"] if entry["tag"] == name)
        assert "conditions" not in status


def test_tag_that_follows_what_is_not_there_yet_comes_along(scene: Scene) -> None:
    """A tag may follow one that does not exist; it gets its first image when that one does (3,
    tags_between_streams).

    Check mode foresees that if it is declared as an external one that the server refuses, and that no import is
    left pending.
    """
    body = {
        "metadata": {"name": "web:stable"},
        "tag": {"name": "stable", "from": {"kind": "ImageStreamTag", "name": "v2"}},
    }
    scene.api.send("PUT", scene.api.image("imagestreamtags", "web:stable"), body).raise_for_status()
    refused = tag("stable", f"{scene.hosts['private']}/team/odd:v1", import_mode="PreserveOriginal")
    result = scene.converge(tags=[refused, tag("v2", f"{scene.web}:v2")])
    assert result.foreseen.tags["stable"]["digest"] == scene.digest("stable") == scene.digest("v2")


def test_tag_that_follows_a_tag_elsewhere_becomes_external(scene: Scene) -> None:
    """Other clients follow aliases and change the tag at their end, or stop without saying so (1.3, 7.1).

    Exactly the declared tag is changed, and the one that it followed stays.
    """
    scene.import_as_others("src", v2={"from": f"{scene.web}:v2"})
    source = {"kind": "ImageStreamTag", "name": "src:v2", "namespace": scene.namespace}
    scene.api.send(
        "PUT",
        scene.api.image("imagestreamtags", "web:v2"),
        {"metadata": {"name": "web:v2"}, "tag": {"name": "v2", "from": source}},
    ).raise_for_status()
    before = scene.versions()["src"]
    scene.converge(tags=[tag("v2", f"{scene.web}:v2")])
    assert scene.tag("v2")["from"] == {"kind": "DockerImage", "name": f"{scene.web}:v2"}
    assert scene.versions()["src"] == before


def test_reference_tag_is_imported_and_settles(scene: Scene) -> None:
    """A tag with reference true points at its source without an image, and an import keeps it a reference (2.4).

    The declared tag gets its image; the reference stays, and the second run finds nothing to do.
    """
    body = {
        "metadata": {"name": "web:v2"},
        "tag": {"name": "v2", "from": {"kind": "DockerImage", "name": f"{scene.web}:v2"}, "reference": True},
    }
    scene.api.send("PUT", scene.api.image("imagestreamtags", "web:v2"), body).raise_for_status()
    scene.converge(tags=[tag("v2", f"{scene.web}:v2")])
    assert scene.tag("v2")["reference"] is True
    assert scene.digest("v2") == WEB_V2


def test_repository_import_stops_at_a_limit(scene: Scene) -> None:
    """An import of a whole repository takes 50 tags and only names the others (2.4, 7.1, repository_import).

    The tags are listed by a lookup and imported as tags, also those beyond the limit.
    """
    scene.control.change(bulk_limit=2)
    result = scene.converge(repository=scene.web, import_mode="PreserveOriginal")
    assert sorted(result.done.imported) == ["latest", "v1", "v2", "v3"]
    assert "dockerImageRepository" not in scene.stream()["spec"]
    assert [tag["name"] for tag in scene.stream()["spec"]["tags"]] == ["latest", "v1", "v2", "v3"]


def test_repository_import_resets_policies_and_ignores_preferences(scene: Scene) -> None:
    """An import of a whole repository overwrites the policies of every tag and does not read preferences (1.3, 2.4).

    Its tags are imported as tags: unset means keep, and a preference counts.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2", "spec": {"importPolicy": {"scheduled": True}}})
    scene.patch_tag("v2", referencePolicy={"type": "Local"})
    scene.converge(repository=scene.web, tag_patterns=["v*"], prefer_architecture="arm64")
    assert scene.tag("v2")["importPolicy"] == {"importMode": "Legacy", "scheduled": True}
    assert scene.tag("v2")["referencePolicy"] == {"type": "Local"}
    assert scene.digest("v1") == "sha256:8a95d54f689eab45199b4aca439e9c557b9d5af6a79954f663232c3e7cc093d3"


def test_limiter_lets_three_images_of_a_request_pass(scene: Scene) -> None:
    """A request may read three images at once and then two a second (2.6).

    Images travel in requests of three: nine take less than the three seconds that one request of nine would wait.
    """
    started = time.monotonic()
    result = scene.run(tags=[tag(f"t{number}", f"{scene.web}:v2") for number in range(9)])
    assert [len(sent.imports) for sent in result.writes] == [3, 3, 3]
    assert time.monotonic() - started < 2.5


def test_import_stops_after_34_seconds(scene: Scene) -> None:
    """Without a timeout in the request the server gives an import 34 seconds (2.6, 7.1).

    Each lookup and import names the timeout of the task.
    """
    result = scene.converge(timeout=300, tags=[tag("v2", f"{scene.web}:v2")])
    queries = [
        sent.query for run in (result.foreseen, result.done, result.again) for sent in run.sent if sent.method == "POST"
    ]
    assert len(queries) == 3
    assert queries == [{"timeout": "300s"}] * 3


def test_lookups_are_not_cached(scene: Scene) -> None:
    """The server reuses no lookup: each one asks the registry, and counts as a pull there (2.12).

    What moved is seen by the next run, equal questions of a run are asked once, and refresh missing asks for nothing.
    """
    repository = f"{scene.namespace}/moving"
    source = f"{scene.hosts['private']}/{repository}:v1"
    old = scene.push(repository, "v1", salt="old")
    streams = [{"name": name, "tags": [tag("v1", source)]} for name in ("a", "b")]
    scene.converge(streams=streams)
    new = scene.push(repository, "v1", salt="new")
    kept = scene.run(refresh="missing", streams=streams)
    assert [sent.method for sent in kept.sent] == ["GET"]
    moved = scene.converge(refresh="drifted", streams=streams)
    assert sum(len(sent.body["spec"]["images"]) for sent in moved.foreseen.sent if sent.looks_up) == 1
    assert moved.done.tags["v1"]["reasons"] == ["upstream_moved"]
    assert [item["image"] for item in scene.history("v1", "a")] == [new, old]


def test_many_sources_need_one_task(scene: Scene) -> None:
    """Other modules take one source for all streams, post them one after the other and lose results when one fails
    (7.1).

    One task has many streams and tags with sources of their own, and every result is returned.
    """
    api = f"{scene.hosts['private']}/team/api"
    streams = [
        {"name": "web", "tags": [tag("v1", f"{scene.web}:v1"), tag("gone", f"{scene.web}:gone")]},
        {"name": "api", "tags": [tag("v1", f"{api}:v1"), tag("v2", f"{api}:v2")]},
    ]
    result = scene.converge(streams=streams)
    assert list(result.done.failed) == ["gone"]
    assert result.done.report.results["summary"]["changed"] == 4
    assert sorted(scene.versions()) == ["api", "web"]


def test_stream_without_tags_gets_its_first_one(scene: Scene) -> None:
    """A stream without any tag in its spec breaks other modules (7.1).

    It gets its first tag like any other.
    """
    scene.api.send("POST", scene.api.image("imagestreams"), {"metadata": {"name": "web"}}).raise_for_status()
    result = scene.converge(tags=[tag("v2", f"{scene.web}:v2")], lookup_policy_local=True)
    assert result.done.tags["v2"]["reasons"] == ["tag_missing"]
    assert scene.stream()["spec"]["lookupPolicy"] == {"local": True}

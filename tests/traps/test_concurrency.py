# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other writers, controllers, generations, lost answers."""

from __future__ import annotations

import typing as t

from traps.scene import Scene, Sent

WEB_V2 = "sha256:ffb105ccf038c9f5e2a289fbdd377ad5eb1d514e4aecc9b0f0e81fde6ca0f86a"


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "from": source, **options}


def first(matches: t.Callable[[Sent], bool], action: t.Callable[[], None]) -> t.Callable[[Sent], None]:
    """Return what does ``action`` before the first request that matches."""
    done: list[bool] = []

    def before(sent: Sent) -> None:
        if not done and matches(sent):
            done.append(True)
            action()

    return before


def test_import_meets_another_writer(scene: Scene) -> None:
    """A write between read and import refuses the import, with 409, and its work is lost; other modules fail (2.2,
    2.11, 7.1, resource_version_conflict).

    The stream is read and planned again, and what the other writer did stays.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})
    client = scene.client()
    client.before = first(lambda sent: sent.writes, scene.touch)
    result = scene.run(client=client, tags=[tag("v1", f"{scene.web}:v1")])
    assert result.report.failure is None
    assert result.imported == ["v1", "v1"]
    assert scene.stream()["metadata"]["labels"]
    assert scene.digest("v2") == WEB_V2


def test_patch_meets_another_writer(scene: Scene) -> None:
    """A patch without the version that was read overwrites what somebody else changed meanwhile (2.11,
    resource_version_conflict).

    A patch names the version; after a conflict only what still differs is written.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})
    client = scene.client()
    client.before = first(
        lambda sent: sent.method == "PATCH",
        lambda: t.cast(None, scene.patch_tag("v2", importPolicy={"scheduled": True})),
    )
    result = scene.run(
        client=client, refresh="missing", tags=[tag("v2", f"{scene.web}:v2", scheduled=True, reference_policy="Local")]
    )
    assert result.report.failure is None
    assert [list(sent.body["spec"]["tags"][0]) for sent in result.writes] == [
        ["name", "referencePolicy", "importPolicy"],
        ["name", "referencePolicy"],
    ]


def test_stream_created_by_two_at_once(scene: Scene) -> None:
    """Of two imports that create the same stream one is refused with 409 AlreadyExists (2.11).

    It is repeated on the stream that is there now.
    """
    client = scene.client()
    client.before = first(lambda sent: sent.writes, lambda: scene.import_as_others(v2={"from": f"{scene.web}:v2"}))
    result = scene.run(client=client, tags=[tag("v1", f"{scene.web}:v1", prefer_architecture="arm64")])
    assert result.report.failure is None
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["v1", "v2"]


def test_stream_deleted_before_the_import(scene: Scene) -> None:
    """An import that names a version of a stream that is gone is refused with 404 (2.2, resource_version_conflict).

    The stream is made again, as declared.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})

    def delete() -> None:
        scene.api.send("DELETE", scene.api.image("imagestreams", "web")).raise_for_status()

    client = scene.client()
    client.before = first(lambda sent: sent.writes, delete)
    result = scene.run(client=client, tags=[tag("v1", f"{scene.web}:v1")])
    assert result.report.failure is None
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["v1"]


def test_generation_runs_ahead_of_the_image(scene: Scene) -> None:
    """A changed import mode with the same image raises the tag's generation only, so that a controller imports once
    more (2.11, generation_behind_settles).

    The same run imports the tag once more, so that the next run, and the controller, find nothing to do.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})
    result = scene.converge(refresh="missing", tags=[tag("v2", f"{scene.web}:v2", import_mode="PreserveOriginal")])
    assert result.done.imported == ["v2", "v2"]
    assert scene.tag("v2")["generation"] == scene.history("v2")[0]["generation"]


def test_controller_finds_nothing_to_do_afterwards(scene: Scene) -> None:
    """A running import controller imports whatever a writer left behind, so that the version moves once more (2.11,
    generation_behind_settles).

    After a run the controller finds nothing: the version stays.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"}, stable={"from": f"{scene.web}:v2"})
    scene.run(
        tags=[tag("v2", f"{scene.web}:v2", import_mode="PreserveOriginal"), tag("stable", f"{scene.web}@{WEB_V2}")]
    )
    assert scene.control.let_import(scene.namespace) == []
    assert (
        scene.run(refresh="drifted", tags=[tag("v2", f"{scene.web}:v2"), tag("stable", f"{scene.web}@{WEB_V2}")]).writes
        == []
    )


def test_patch_races_with_the_import_controller(scene: Scene) -> None:
    """After a patch of a source the controller's own import comes between patch and import: 409 (2.11).

    The engine repeats, and ends with what was declared.
    """
    scene.import_as_others(stable={"from": f"{scene.web}:v2"})
    acted: list[t.Any] = []
    client = scene.client()
    client.before = first(
        lambda sent: bool(sent.imports), lambda: acted.extend(scene.control.let_import(scene.namespace))
    )
    result = scene.run(client=client, tags=[tag("stable", f"{scene.web}@{WEB_V2}")])
    assert [one["code"] for one in acted] == [201]
    assert result.report.failure is None
    assert scene.tag("stable")["from"]["name"] == f"{scene.web}@{WEB_V2}"
    assert scene.tag("stable")["generation"] == scene.history("stable")[0]["generation"]


def test_imports_into_one_stream_exclude_each_other(scene: Scene) -> None:
    """Of several imports into the same stream at the same time all but one are refused with 409 (2.6).

    A stream has one writer at a time; different streams are written side by side.
    """
    streams = [
        {
            "name": f"s{number}",
            "tags": [tag(f"t{one}", f"{scene.web}:v2") for one in range(5)],
            "lookup_policy_local": True,
        }
        for number in range(3)
    ]
    before = scene.control.last_number()
    result = scene.run(streams=streams, concurrency=8)
    assert result.report.failure is None
    codes = [entry["code"] for entry in scene.control.requests(before) if scene.namespace in entry["path"]]
    assert 409 not in codes


def test_answer_is_lost_after_the_work_was_done(scene: Scene) -> None:
    """After a timeout or a broken connection the import may or may not have been done (2.6).

    The stream is read again, and only what is missing is done.
    """
    scene.control.fault(method="POST", path=f"{scene.namespace}/imagestreamimports", reset="after")
    result = scene.run(tags=[tag("v2", f"{scene.web}:v2")])
    assert result.report.failure is None
    assert result.report.changed
    assert scene.digest("v2") == WEB_V2
    assert not scene.run(check_mode=True, tags=[tag("v2", f"{scene.web}:v2")]).report.changed


def test_server_gives_up_with_504(scene: Scene) -> None:
    """When its time is over the server answers 504 while the work may go on (2.6).

    The request is repeated within bounds, and the stream is read again if somebody wrote it meanwhile.
    """
    scene.control.fault(method="POST", path=f"{scene.namespace}/imagestreamimports", status=504, after_work=True)
    result = scene.run(tags=[tag("v2", f"{scene.web}:v2"), tag("v1", f"{scene.web}:v1")])
    assert result.report.failure is None
    assert (scene.digest("v2"), bool(scene.digest("v1"))) == (WEB_V2, True)


def test_image_configuration_is_needed_for_every_import(scene: Scene) -> None:
    """Without the object images.config.openshift.io/cluster every import is a 500 (2.2).

    The error of the server is shown with the stream, and nothing is half done.
    """
    config = "/apis/config.openshift.io/v1/images/cluster"
    kept = scene.api.send("GET", config).json()
    scene.api.send("DELETE", config).raise_for_status()
    try:
        client = scene.client()
        client._sleep = lambda _seconds: None
        result = scene.run(client=client, tags=[tag("v2", f"{scene.web}:v2")])
    finally:
        restored = {"metadata": {"name": "cluster"}, "spec": kept.get("spec") or {}}
        scene.api.send("POST", config.rpartition("/")[0], restored).raise_for_status()
    assert result.report.failure is not None
    assert f"{scene.namespace}/web" in result.report.failure
    assert "answered 500" in result.report.failure
    assert scene.versions() == {}

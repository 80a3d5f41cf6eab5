# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that cannot be imported, and what that costs others."""

from __future__ import annotations

import typing as t

import pytest

from traps.scene import MERGE, Scene

WEB_V2 = "sha256:ffb105ccf038c9f5e2a289fbdd377ad5eb1d514e4aecc9b0f0e81fde6ca0f86a"


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "from": source, **options}


def test_failed_import_is_answered_with_201(scene: Scene) -> None:
    """An import of which images failed is answered 201 Created, and other modules report it as a success (2.5, 7.1,
    import_partial_failure).

    Each image's own status is read; the others are imported, and the task fails with each failed tag, reason and
    remedy.
    """
    result = scene.converge(
        tags=[tag("v1", f"{scene.web}:v1"), tag("nope", f"{scene.web}:nope"), tag("v2", f"{scene.web}:v2")]
    )
    assert list(result.done.failed) == ["nope"]
    assert result.done.failed["nope"]["reason"] == "NotFound"
    assert (scene.digest("v2"), result.done.tags["v1"]["changed"]) == (WEB_V2, True)
    assert result.done.report.failure is not None
    assert f"{scene.namespace}/web:nope from {scene.web}:nope\n    NotFound:" in result.done.report.failure


def test_failed_first_import_leaves_a_stream_and_a_tag(bare_scene: Scene) -> None:
    """A first import that fails leaves the stream, the tag and a condition, and no controller tries it again (2.5,
    2.11, import_unauthorized).

    The next run imports exactly the failed tags again.
    """
    scene = bare_scene
    tags = [tag("v1", f"{scene.web}:v1"), tag("plain", f"{scene.hosts['plain']}/team/plain:v2", insecure=True)]
    result = scene.converge(tags=tags)
    assert result.done.failed["v1"]["reason"] == "Unauthorized"
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["plain", "v1"]
    scene.secret("pull", {scene.hosts["private"]: scene.good_credential()})
    repaired = scene.converge(tags=tags)
    assert repaired.done.imported == ["v1"]
    assert repaired.done.tags["v1"]["reasons"] == ["last_import_failed"]
    assert "conditions" not in next(item for item in scene.stream()["status"]["tags"] if item["tag"] == "v1")


def test_failed_import_keeps_the_old_policies(scene: Scene) -> None:
    """An import that fails leaves source and policies of an existing tag as they were (2.5,
    failed_refresh_keeps_last_image).

    Policies that can be patched are patched after it; what only an import can change is retried by the next run.
    """
    repository = f"{scene.namespace}/gone"
    source = f"{scene.hosts['private']}/{repository}:v1"
    scene.push(repository, "v1", salt="soon gone")
    scene.import_as_others(v1={"from": source})
    scene.secret("pull", {scene.hosts["private"]: {"username": "puller", "password": "wrong"}})
    scene.patch_tag("v1", generation=0)
    result = scene.converge(refresh="missing", tags=[tag("v1", source, scheduled=True, reference_policy="Local")])
    assert result.done.failed["v1"]["reason"] == "Unauthorized"
    assert scene.tag("v1")["importPolicy"] == {"importMode": "Legacy", "scheduled": True}
    assert scene.tag("v1")["referencePolicy"] == {"type": "Local"}
    assert scene.digest("v1")


def test_failing_source_is_not_put_on_a_good_tag(scene: Scene) -> None:
    """An import of a missing source marks a good tag as failed although its own source is fine (2.5,
    failed_refresh_keeps_last_image).

    A new source is looked up first; if it cannot be had, the tag stays as it is and the task fails.
    """
    scene.converge(tags=[tag("v2", f"{scene.web}:v2")])
    version = scene.versions()
    result = scene.converge(tags=[tag("v2", f"{scene.web}:nope")])
    assert result.done.failed["v2"]["from"] == f"{scene.web}:nope"
    assert scene.versions() == version
    assert scene.digest("v2") == WEB_V2


def test_list_entry_without_platform_fails_the_whole_request(scene: Scene) -> None:
    """A list with an entry without platform is looked up with success, and its import fails all images beside it
    (2.5, list_entry_without_platform).

    The lookup's answer is checked for such entries; a refused request is divided, so that the others are imported.
    """
    odd = f"{scene.hosts['private']}/team/odd:v1"
    result = scene.converge(
        tags=[tag("odd", odd, import_mode="PreserveOriginal"), tag("v2", f"{scene.web}:v2"), tag("legacy", odd)]
    )
    assert list(result.done.failed) == ["odd"]
    assert result.done.failed["odd"]["reason"] == "Invalid"
    assert "set import_mode to Legacy" in result.done.failed["odd"]["remedy"]
    assert [item["name"] for item in scene.stream()["spec"]["tags"]] == ["legacy", "v2"]


@pytest.mark.parametrize(
    ("registry", "source", "message", "remedy"),
    [
        ("plain", "team/plain:v1", "server gave HTTP response to HTTPS client", "set insecure to true"),
        (
            "selfsigned",
            "team/self:v1",
            "certificate signed by unknown authority",
            "does not trust the registry's certificate",
        ),
        ("private", "team/absent:v1", "not found", "check the pull spec"),
    ],
)
def test_failures_hide_behind_internal_error(
    scene: Scene, registry: str, source: str, message: str, remedy: str
) -> None:
    """TLS, HTTP and connection problems all come as InternalError with the text of a library (2.5,
    insecure_registries, unreachable_registry).

    The text is kept, and what to do about it is said.
    """
    result = scene.converge(tags=[tag("v1", f"{scene.hosts[registry]}/{source}")])
    assert message in result.done.failed["v1"]["message"]
    assert remedy in result.done.failed["v1"]["remedy"]


@pytest.mark.parametrize(("registry", "source"), [("plain", "team/plain:v1"), ("selfsigned", "team/self:v1")])
def test_insecure_after_a_failure_starts_no_import(scene: Scene, registry: str, source: str) -> None:
    """Setting insecure on a tag that failed for TLS starts no import (2.11, insecure_registries).

    A failed tag is imported again, with the policy that is declared now.
    """
    tags = [tag("v1", f"{scene.hosts[registry]}/{source}")]
    assert scene.converge(tags=tags).done.failed
    result = scene.converge(tags=[{**tags[0], "insecure": True}])
    assert result.done.report.failure is None
    assert result.done.tags["v1"]["reasons"] == ["insecure_changed", "last_import_failed"]
    assert scene.tag("v1")["importPolicy"]["insecure"] is True


def test_insecure_of_the_first_image_counts_for_its_repository(scene: Scene) -> None:
    """Of several images of a repository in one request, the first decides whether it is read insecurely (2.7).

    No request mixes both values, so that each tag is read as declared.
    """
    source = f"{scene.hosts['plain']}/team/plain"
    result = scene.converge(
        tags=[tag("open", f"{source}:v1", insecure=True), tag("strict", f"{source}:v2", insecure=False)]
    )
    assert list(result.done.failed) == ["strict"]
    assert scene.history("strict") == []
    swapped = scene.converge(
        streams=[
            {
                "name": "other",
                "tags": [tag("strict", f"{source}:v2", insecure=False), tag("open", f"{source}:v1", insecure=True)],
            }
        ]
    )
    assert list(swapped.done.failed) == ["strict"]


def test_blocked_registry_is_named(scene: Scene) -> None:
    """A registry that the administrators block fails each image with the reason Forbidden, in lookups too (2.7).

    The failed tag says who decides about it.
    """
    config = "/apis/config.openshift.io/v1/images/cluster"
    blocked = {"spec": {"registrySources": {"blockedRegistries": [scene.hosts["selfsigned"]]}}}
    scene.api.send("PATCH", config, blocked, content_type=MERGE).raise_for_status()
    try:
        result = scene.converge(tags=[tag("v1", f"{scene.hosts['selfsigned']}/team/self:v1", insecure=True)])
    finally:
        scene.api.send("PATCH", config, {"spec": {"registrySources": None}}, content_type=MERGE).raise_for_status()
    assert result.done.failed["v1"]["reason"] == "Forbidden"
    assert "administrators block this registry" in result.done.failed["v1"]["remedy"]


def test_registry_that_is_not_allowed_fails_the_whole_request(scene: Scene) -> None:
    """A registry that is not among the allowed ones makes the server refuse every image of the request, in lookups
    too (2.1, 2.7).

    Each image is asked for alone then, so that only its own tag fails, and the message says who decides about it.
    """
    config = "/apis/config.openshift.io/v1/images/cluster"
    editor = {
        "metadata": {"name": "editor"},
        "roleRef": {"kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "editor"}],
    }
    scene.api.send("POST", scene.api.rbac("rolebindings"), editor).raise_for_status()
    allowed = {"spec": {"allowedRegistriesForImport": [{"domainName": scene.hosts["private"]}]}}
    scene.api.send("PATCH", config, allowed, content_type=MERGE).raise_for_status()
    try:
        client = scene.client(scene.control.token("editor"))
        tags = [tag("good", f"{scene.web}:v2"), tag("bad", f"{scene.hosts['plain']}/team/plain:v2", insecure=True)]
        result = scene.converge(client=client, tags=tags)
    finally:
        scene.api.send(
            "PATCH", config, {"spec": {"allowedRegistriesForImport": None}}, content_type=MERGE
        ).raise_for_status()
    assert list(result.done.failed) == ["bad"]
    assert (
        f'importing images from registry "{scene.hosts["plain"]}" is forbidden' in result.done.failed["bad"]["message"]
    )
    assert "administrators do not allow imports from this registry" in result.done.failed["bad"]["remedy"]
    assert [entry["name"] for entry in scene.stream()["spec"]["tags"]] == ["good"]


@pytest.mark.parametrize("exists", [False, True])
def test_tag_that_may_not_be_written_fails_the_whole_stream(scene: Scene, exists: bool) -> None:
    """A tag of a registry that is not allowed makes the server refuse a whole patch, or the creation of the stream,
    with all its tags (2.1, 2.7).

    Each tag is written alone then, so that only this one fails, in the words in which its import would have been
    refused.
    """
    config = "/apis/config.openshift.io/v1/images/cluster"
    editor = {
        "metadata": {"name": "editor"},
        "roleRef": {"kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "editor"}],
    }
    scene.api.send("POST", scene.api.rbac("rolebindings"), editor).raise_for_status()
    if exists:
        scene.import_as_others(old={"from": f"{scene.web}:v2"})
    allowed = {"spec": {"allowedRegistriesForImport": [{"domainName": scene.hosts["private"]}]}}
    scene.api.send("PATCH", config, allowed, content_type=MERGE).raise_for_status()
    tags = [
        tag("bad", f"{scene.hosts['plain']}/team/plain:v2", insecure=True, prefer_architecture="arm64"),
        tag("good", f"{scene.web}:v1", prefer_architecture="arm64"),
    ]
    try:
        client = scene.client(scene.control.token("editor"))
        alone = scene.converge(client=client, name="other", tags=tags[:1])
        result = scene.converge(client=client, tags=tags, lookup_policy_local=True)
    finally:
        scene.api.send(
            "PATCH", config, {"spec": {"allowedRegistriesForImport": None}}, content_type=MERGE
        ).raise_for_status()
    assert list(result.done.failed) == ["bad"]
    assert "administrators do not allow imports from this registry" in result.done.failed["bad"]["remedy"]
    assert [entry["name"] for entry in scene.stream()["spec"]["tags"]] == ["good", *(["old"] if exists else [])]
    assert alone.done.report.results["streams"][0]["state"] == "absent"


def test_tag_that_may_be_written_and_not_imported(scene: Scene) -> None:
    """A tag may be written and not imported: insecure for a registry allowed with TLS only (port 80), or of a
    repository that the stream had before (2.7).

    Such a tag is asked for before it is written, so that none stays behind that nothing will ever import.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})
    config = "/apis/config.openshift.io/v1/images/cluster"
    editor = {
        "metadata": {"name": "editor"},
        "roleRef": {"kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "editor"}],
    }
    scene.api.send("POST", scene.api.rbac("rolebindings"), editor).raise_for_status()
    allowed = {"spec": {"allowedRegistriesForImport": [{"domainName": "registry.example.com"}]}}
    scene.api.send("PATCH", config, allowed, content_type=MERGE).raise_for_status()
    try:
        client = scene.client(scene.control.token("editor"))
        refused = tag("v1", "registry.example.com/team/web:v1", insecure=True, prefer_architecture="arm64")
        result = scene.converge(client=client, name="new", tags=[refused])
        known = scene.converge(client=client, tags=[tag("v1", f"{scene.web}:v1", prefer_architecture="arm64")])
    finally:
        scene.api.send(
            "PATCH", config, {"spec": {"allowedRegistriesForImport": None}}, content_type=MERGE
        ).raise_for_status()
    assert (
        'importing images from registry "registry.example.com:80" is forbidden' in result.done.failed["v1"]["message"]
    )
    assert (
        f'importing images from registry "{scene.hosts["private"]}" is forbidden' in known.done.failed["v1"]["message"]
    )
    assert list(scene.versions()) == ["web"]
    assert [entry["name"] for entry in scene.stream()["spec"]["tags"]] == ["v2"]


def test_limit_is_met_before_any_import(scene: Scene) -> None:
    """A stream that would grow beyond a LimitRange by a patch is refused with all its tags, before any import (2.5).

    Each tag is written alone then, so that what fits is imported, and the failed tag says what to do. Check mode
    cannot tell.
    """
    limit = {"type": "openshift.io/ImageStream", "max": {"openshift.io/image-tags": "1"}}
    scene.api.send(
        "POST", scene.api.core("limitranges"), {"metadata": {"name": "few"}, "spec": {"limits": [limit]}}
    ).raise_for_status()
    tags = [
        tag("v1", f"{scene.web}:v1", prefer_architecture="arm64"),
        tag("v2", f"{scene.web}:v2", prefer_architecture="arm64"),
    ]
    result = scene.run(tags=tags)
    assert list(result.failed) == ["v2"]
    assert "A LimitRange of the namespace allows the stream no more tags or images" in result.failed["v2"]["remedy"]
    assert (result.tags["v1"]["changed"], bool(scene.digest("v1"))) == (True, True)
    assert [entry["name"] for entry in scene.stream()["spec"]["tags"]] == ["v1"]
    assert not scene.run(tags=tags).report.changed


def test_limit_of_the_namespace_fails_the_whole_request(scene: Scene) -> None:
    """A stream that would grow beyond a LimitRange makes the server refuse every image of the request, but no lookup
    shows it (2.5).

    Each image is asked for alone then, so that what fits is imported, and the failed tag says what to do. Check mode
    cannot tell.
    """
    limit = {"type": "openshift.io/ImageStream", "max": {"openshift.io/image-tags": "1"}}
    scene.api.send(
        "POST", scene.api.core("limitranges"), {"metadata": {"name": "few"}, "spec": {"limits": [limit]}}
    ).raise_for_status()
    tags = [tag("v1", f"{scene.web}:v1"), tag("v2", f"{scene.web}:v2")]
    result = scene.run(tags=tags)
    assert list(result.failed) == ["v2"]
    assert "A LimitRange of the namespace allows the stream no more tags or images" in result.failed["v2"]["remedy"]
    assert [entry["name"] for entry in scene.stream()["spec"]["tags"]] == ["v1"]
    assert not scene.run(tags=tags).report.changed


def test_repeated_failure_does_not_move_the_condition(scene: Scene) -> None:
    """A failure that is repeated word by word leaves the condition as it was, so its generation may stay behind for
    ever (2.11).

    A failed tag is known by its condition alone, and a run that fails in the same way again is no change.
    """
    scene.converge(tags=[tag("nope", f"{scene.web}:nope")])
    version = scene.versions()
    scene.patch_tag("nope", importPolicy={"importMode": "PreserveOriginal"})
    result = scene.converge(tags=[tag("nope", f"{scene.web}:nope")])
    assert result.done.failed["nope"]["reason"] == "NotFound"
    assert scene.versions() != version

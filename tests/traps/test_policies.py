# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an import does to a tag's policies, and what it cannot do."""

from __future__ import annotations

import typing as t

import pytest

from traps.scene import Scene

PREFER_ARCHITECTURE = "importer.image.openshift.io/prefer-arch"
_PRESERVED = {"importPolicy": {"importMode": "PreserveOriginal", "scheduled": True, "insecure": True}}


def tag(name: str, source: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "from": source, **options}


def test_import_mode_left_out_becomes_the_default(scene: Scene) -> None:
    """An import without an import mode flips a PreserveOriginal tag to Legacy, and its digest with it (1.3, 2.4,
    7.1, mode_flip).

    An import always names the mode: the declared one, else the one that the tag has.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1", "spec": _PRESERVED})
    digest = scene.digest("v1")
    scene.patch_tag("v1", generation=0)
    result = scene.converge(refresh="missing", tags=[tag("v1", f"{scene.web}:v1")])
    assert result.done.imported == ["v1"]
    assert (scene.tag("v1")["importPolicy"]["importMode"], scene.digest("v1")) == ("PreserveOriginal", digest)


def test_policy_left_out_is_overwritten(scene: Scene) -> None:
    """An import overwrites the whole import policy, so that scheduled and insecure left out become false (2.4, 7.1,
    policy_fields_overwritten).

    An import carries the complete policy: what is declared, and for the rest what the tag has.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1", "spec": _PRESERVED})
    scene.converge(tags=[tag("v1", f"{scene.web}:v2")])
    assert scene.tag("v1")["importPolicy"] == {"importMode": "PreserveOriginal", "scheduled": True, "insecure": True}


@pytest.mark.parametrize("registry_call", ["missing", "drifted", "always"])
@pytest.mark.parametrize("option", ["scheduled", "insecure"])
def test_scheduled_and_insecure_cannot_be_turned_off(scene: Scene, option: str, registry_call: str) -> None:
    """Other clients combine scheduled and insecure with what the tag has, so that false never turns them off (1.3,
    7.1).

    A declared false is sent as false, by a patch if no image is to be brought.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1", "spec": _PRESERVED})
    result = scene.converge(refresh=registry_call, tags=[tag("v1", f"{scene.web}:v1", **{option: False})])
    assert option not in scene.tag("v1")["importPolicy"]
    other = {"scheduled": "insecure", "insecure": "scheduled"}[option]
    assert scene.tag("v1")["importPolicy"][other] is True
    if registry_call != "always":
        assert [sent.method for sent in result.done.writes] == ["PATCH"]
        assert result.done.tags["v1"]["reasons"] == [f"{option}_changed"]


def test_reference_policy_is_not_changed_by_an_import(scene: Scene) -> None:
    """An import never changes the reference policy of an existing tag, and does not say so (1.3, 2.4, 7.1,
    reference_policy_not_changed_by_import).

    It is set by a patch of the stream.
    """
    scene.import_as_others(v2={"from": f"{scene.web}:v2"})
    result = scene.converge(tags=[tag("v2", f"{scene.web}:v2", reference_policy="Local")])
    assert scene.tag("v2")["referencePolicy"] == {"type": "Local"}
    assert [sent.method for sent in result.done.writes] == ["PATCH"]


def test_reference_policy_is_kept_by_everything_else(scene: Scene) -> None:
    """A reference policy that is left out is sent as Source by other clients, and counts on a new tag only (1.3, 2.4).

    An import of an existing tag carries the policy that the tag has; a new tag gets what is declared.
    """
    scene.converge(tags=[tag("v2", f"{scene.web}:v2", reference_policy="Local")])
    scene.converge(tags=[tag("v2", f"{scene.web}:v1", import_mode="PreserveOriginal")])
    assert scene.tag("v2")["referencePolicy"] == {"type": "Local"}


def test_annotation_of_the_stream_does_not_make_it_insecure(bare_scene: Scene) -> None:
    """Other clients take insecure from an annotation of the stream, or make it the default (1.3, 7.1).

    Only what is declared, or what the tag has, makes a tag insecure.
    """
    source = f"{bare_scene.hosts['plain']}/team/plain:v1"
    bare_scene.import_as_others(
        v2={"from": f"{bare_scene.hosts['plain']}/team/plain:v2", "spec": {"importPolicy": {"insecure": True}}}
    )
    body = {"metadata": {"annotations": {"openshift.io/image.insecureRepository": "true"}}}
    bare_scene.api.send(
        "PATCH", bare_scene.api.image("imagestreams", "web"), body, content_type="application/merge-patch+json"
    ).raise_for_status()
    result = bare_scene.converge(tags=[tag("v1", source)])
    assert "server gave HTTP response to HTTPS client" in result.done.failed["v1"]["message"]
    assert "set insecure to true" in result.done.failed["v1"]["remedy"]
    assert "insecure" not in bare_scene.tag("v1")["importPolicy"]


def test_policies_alone_start_no_import(scene: Scene) -> None:
    """A patch of scheduled, insecure, reference policy or annotations raises no generation, so no controller imports
    (2.11, generation_and_patch).

    They are patched, in one request, and nothing waits for an import of them.
    """
    scene.control.change(import_controller=True)
    scene.import_as_others(v2={"from": f"{scene.web}:v2", "spec": {"importPolicy": {"importMode": "PreserveOriginal"}}})
    generation = scene.tag("v2")["generation"]
    policies = {"scheduled": True, "insecure": True, "reference_policy": "Local", "prefer_architecture": "arm64"}
    result = scene.converge(refresh="missing", tags=[tag("v2", f"{scene.web}:v2", **policies)])
    assert [sent.method for sent in result.done.writes] == ["PATCH"]
    assert scene.tag("v2")["generation"] == generation
    assert scene.tag("v2")["importPolicy"]["importMode"] == "PreserveOriginal"


def test_default_import_mode_depends_on_the_cluster(scene: Scene) -> None:
    """The default import mode is the cluster's: Legacy here, PreserveOriginal on clusters of several architectures
    (2.9).

    A new tag without a declared mode gets the cluster's default; an existing tag keeps its own.
    """
    scene.import_as_others(old={"from": f"{scene.web}:v1"})
    scene.control.change(default_import_mode="PreserveOriginal")
    result = scene.converge(tags=[tag("old", f"{scene.web}:v1"), tag("new", f"{scene.web}:v1")])
    assert scene.tag("old")["importPolicy"]["importMode"] == "Legacy"
    assert scene.tag("new")["importPolicy"]["importMode"] == "PreserveOriginal"
    assert len(result.done.tags["new"]["manifests"]) == 3


def test_preference_is_read_from_the_tag_before_the_import(scene: Scene) -> None:
    """Legacy takes the child that annotations of the existing tag prefer; an import cannot set them (2.4, 2.10,
    prefer_architecture).

    The preference is on the tag, by a patch or with a new stream, before the import that reads it.
    """
    arm64 = "sha256:8a95d54f689eab45199b4aca439e9c557b9d5af6a79954f663232c3e7cc093d3"
    scene.import_as_others(v1={"from": f"{scene.web}:v1"})
    wanted = {"import_mode": "Legacy", "prefer_architecture": "arm64"}
    result = scene.converge(tags=[tag("v1", f"{scene.web}:v1", **wanted), tag("new", f"{scene.web}:v1", **wanted)])
    assert (scene.digest("v1"), scene.digest("new")) == (arm64, arm64)
    assert [sent.method for sent in result.done.writes] == ["PATCH", "POST"]
    fresh = scene.converge(streams=[{"name": "fresh", "tags": [tag("v1", f"{scene.web}:v1", **wanted)]}])
    assert scene.digest("v1", "fresh") == arm64
    assert [sent.path.rpartition("/")[2] for sent in fresh.done.writes] == ["imagestreams", "imagestreamimports"]


def test_preference_that_is_dropped_is_followed_by_an_import(scene: Scene) -> None:
    """A tag whose preference is removed keeps the child that was chosen by it until its next import (2.10).

    The annotation is removed and the tag imported again.
    """
    scene.converge(tags=[tag("v1", f"{scene.web}:v1", import_mode="Legacy", prefer_architecture="arm64")])
    scene.converge(tags=[tag("v1", f"{scene.web}:v1", prefer_architecture="")])
    assert scene.digest("v1") == "sha256:ad8447f58e134fde34462e027974a8332b14da44d4444cc4987fdc4c99954842"
    assert PREFER_ARCHITECTURE not in (scene.tag("v1").get("annotations") or {})


def test_legacy_does_not_tell_that_there_is_a_list(scene: Scene) -> None:
    """A lookup in Legacy mode does not reveal that the source is a list (2.3).

    If check mode has to foresee another choice from a list, it looks the list itself up.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1"})
    foreseen = scene.run(check_mode=True, tags=[tag("v1", f"{scene.web}:v1", prefer_architecture="ppc64le")])
    modes = [
        image["importPolicy"].get("importMode")
        for sent in foreseen.sent
        if sent.looks_up
        for image in sent.body["spec"]["images"]
    ]
    assert modes == ["PreserveOriginal"]
    scene.converge(tags=[tag("v1", f"{scene.web}:v1", prefer_architecture="ppc64le")])
    assert scene.digest("v1") == "sha256:97a817e269dd9dc80d43bc811667a6105beb2011085e0103aaf658b34e6dbaac"


def test_legacy_takes_the_first_entry_in_the_end(scene: Scene) -> None:
    """Legacy takes the preferred platform, else linux/amd64, else whatever comes first (2.10, legacy_without_amd64).

    Check mode foresees each of these choices.
    """
    expected = {
        "first": "sha256:87ba2cc27e4d86bdf8ade9ef",
        "s390x": "sha256:7224bd",
        "fallback": "sha256:ad8447f58e134f",
    }
    scene.converge(
        import_mode="Legacy",
        tags=[
            tag("first", f"{scene.web}:v3"),
            tag("s390x", f"{scene.web}:v3", prefer_architecture="s390x"),
            tag("fallback", f"{scene.web}:v1", prefer_architecture="s390x"),
        ],
    )
    assert {name: scene.digest(name).startswith(digest) for name, digest in expected.items()} == dict.fromkeys(
        expected, True
    )


def test_preserve_original_of_a_single_image_is_that_image(scene: Scene) -> None:
    """PreserveOriginal of an image for one platform is the same image as in Legacy mode (2.10).

    The mode is recorded, the digest stays, and the report has no manifests.
    """
    result = scene.converge(
        tags=[
            tag("a", f"{scene.web}:v2", import_mode="PreserveOriginal"),
            tag("b", f"{scene.web}:v2", import_mode="Legacy"),
        ]
    )
    assert scene.digest("a") == scene.digest("b")
    assert result.done.tags["a"]["manifests"] == []


def test_digest_ignores_the_preference(scene: Scene) -> None:
    """For a source by digest Legacy ignores the preference (2.10).

    A changed preference of such a tag is patched, and nothing is imported because of it.
    """
    scene.import_as_others(v1={"from": f"{scene.web}:v1", "spec": {"importPolicy": {"importMode": "PreserveOriginal"}}})
    source = f"{scene.web}@{scene.digest('v1')}"
    scene.converge(tags=[tag("pinned", source, import_mode="Legacy")])
    result = scene.converge(tags=[tag("pinned", source, import_mode="Legacy", prefer_architecture="arm64")])
    assert result.done.imported == []
    assert scene.digest("pinned") == "sha256:ad8447f58e134fde34462e027974a8332b14da44d4444cc4987fdc4c99954842"


def test_preferred_child_of_a_list_that_is_not_whole(scene: Scene) -> None:
    """Legacy takes its child from a list of which others cannot be had, for example if tags are mirrored and
    digests are not (2.5, 2.7, 2.10).

    Check mode, which looks at the whole list to choose, foresees an import with a digest that is not known yet.
    """
    mirrors = "/apis/config.openshift.io/v1/imagetagmirrorsets"
    rule = {"source": "registry.example.com/team", "mirrors": [f"{scene.hosts['private']}/team"]}
    scene.api.send(
        "POST", mirrors, {"metadata": {"name": "team"}, "spec": {"imageTagMirrors": [rule]}}
    ).raise_for_status()
    tags = [tag("v1", "registry.example.com/team/web:v1", import_mode="Legacy", prefer_architecture="arm64")]
    try:
        foreseen, done = scene.run(check_mode=True, tags=tags), scene.run(tags=tags)
        whole = scene.converge(name="whole", tags=[{**tags[0], "import_mode": "PreserveOriginal"}])
    finally:
        scene.api.send("DELETE", f"{mirrors}/team").raise_for_status()
    assert (foreseen.report.failure, foreseen.tags["v1"]["changed"], foreseen.tags["v1"]["digest"]) == (
        None,
        True,
        None,
    )
    assert (done.report.failure, done.tags["v1"]["digest"]) == (None, scene.digest("v1"))
    assert list(whole.done.failed) == ["v1"]

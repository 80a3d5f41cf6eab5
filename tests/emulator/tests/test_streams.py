# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams and their tags, where no contract case says how (server-behaviour.md 2.9, 2.11, 3)."""

from __future__ import annotations

import typing as t

import pytest
from emulator.client import ApiClient, ControlClient
from registries.embedded import EmbeddedRegistry

from .conftest import source

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
IMPORTED = "openshift.io/image.dockerRepositoryCheck"
ClientFactory = t.Callable[..., ApiClient]


def external(name: str, image: str = "quay.io/a/b:v1", **more: t.Any) -> dict[str, t.Any]:
    """Return a spec tag for an external image, which is only referenced unless ``more`` says otherwise."""
    return {"name": name, "from": {"kind": "DockerImage", "name": image}, "reference": True, **more}


def create(admin: ApiClient, name: str, *tags: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a new stream with these tags."""
    answer = admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": name}, "spec": {"tags": list(tags)}})
    assert answer.status_code == 201, answer.text
    return t.cast("dict[str, t.Any]", answer.json())


def items(stream: dict[str, t.Any], tag: str) -> list[dict[str, t.Any]]:
    """Return the history of a tag."""
    return next(entry["items"] for entry in stream["status"]["tags"] if entry["tag"] == tag) or []


def test_replacing_a_stream(admin: ApiClient) -> None:
    """PUT needs a version; spec counts, status does not; nothing changed, nothing written."""
    stream = create(admin, "s", external("a"))
    path = admin.image("imagestreams", "s")
    assert admin.send("PUT", path, stream).json() == stream
    blind = {**stream, "metadata": {"name": "s"}}
    refused = admin.send("PUT", path, blind)
    assert refused.status_code == 422
    assert refused.json()["message"] == (
        'imagestreams.image.openshift.io "s" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified '
        "for an update"
    )
    changed = {**stream, "spec": {"tags": [external("b")]}, "status": {"tags": []}}
    answer = admin.send("PUT", path, changed).json()
    assert [tag["name"] for tag in answer["spec"]["tags"]] == ["b"]
    assert [tag["tag"] for tag in answer["status"]["tags"]] == ["a", "b"]
    assert answer["metadata"]["generation"] == 2
    assert admin.send("PUT", path, stream).status_code == 409


def test_json_patch(admin: ApiClient) -> None:
    """Tags are a list sorted by name on the wire."""
    create(admin, "s", external("b"))
    operations = [{"op": "add", "path": "/spec/tags/-", "value": external("a")}]
    patched = admin.send("PATCH", admin.image("imagestreams", "s"), operations, content_type=JSON_PATCH).json()
    assert [tag["name"] for tag in patched["spec"]["tags"]] == ["a", "b"]
    operations = [{"op": "test", "path": "/spec/tags/0/name", "value": "b"}]
    assert admin.send("PATCH", admin.image("imagestreams", "s"), operations, content_type=JSON_PATCH).status_code == 422


def test_duplicate_tags_collapse_to_the_last(admin: ApiClient) -> None:
    """server-behaviour.md 2.9."""
    stream = create(admin, "s", external("a", "quay.io/a/b:v1"), external("a", "quay.io/a/b:v2"))
    assert [tag["from"]["name"] for tag in stream["spec"]["tags"]] == ["quay.io/a/b:v2"]


def test_clients_do_not_set_generations(admin: ApiClient) -> None:
    """Any other number than 0 is replaced by the server's."""
    create(admin, "s", external("a", generation=7))
    assert admin.stream("s")["spec"]["tags"][0]["generation"] == 1
    patch = {"spec": {"tags": [{"name": "a", "generation": 9}]}}
    patched = admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC).json()
    assert (patched["spec"]["tags"][0]["generation"], patched["metadata"]["generation"]) == (1, 1)


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        (
            external("a", importPolicy={"importMode": "x"}),
            'spec.tags[a].importPolicy.importMode: Invalid value: "x": invalid import mode',
        ),
        (
            external("a", referencePolicy={"type": "x"}),
            'spec.tags[a].referencePolicy.type: Invalid value: "x": valid values are "Source", "Local"',
        ),
        (external("a", "::"), 'spec.tags[a].from.name: Invalid value: "::": invalid reference format'),
        ({"name": "a", "from": {"kind": "DockerImage"}}, "spec.tags[a].from.name: Required value"),
        (
            {"name": "a", "from": {"kind": "ImageStreamTag", "name": "s:b"}, "importPolicy": {"scheduled": True}},
            (
                "spec.tags[a].importPolicy.scheduled: Invalid value: true: only tags pointing to Docker repositories "
                "may be scheduled"
            ),
        ),
        (
            {"name": "a", "from": {"kind": "ImageStreamTag", "name": "absent:b"}},
            ': Internal error: imagestreams "s" is invalid: spec.tags[a].from.name: Not found: "absent:b"',
        ),
        (
            {"name": "a", "from": {"kind": "ImageStreamTag", "name": "a:b:c"}},
            (
                'spec.tags[a].from.name: Invalid value: "a:b:c": must be of the form <tag>, <repo>:<tag>, <id>, or '
                "<repo>@<id>"
            ),
        ),
    ],
)
def test_refused_tags(admin: ApiClient, tag: dict[str, t.Any], message: str) -> None:
    """422 with the field."""
    refused = admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": "s"}, "spec": {"tags": [tag]}})
    assert refused.status_code == 422
    assert message in refused.json()["message"]
    assert admin.send("GET", admin.image("imagestreams", "s")).status_code == 404


def test_stream_names(admin: ApiClient) -> None:
    """No double separators, nothing that is no path segment."""
    for name, words in (("a__b", 'must match \\"'), ("a/b", "may not contain '/'"), ("Big", 'must match \\"')):
        refused = admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": name}})
        assert (refused.status_code, words in refused.text) == (422, True)


def test_a_repository_as_source(admin: ApiClient) -> None:
    """spec.dockerImageRepository is kept, and may not have a tag."""
    body = {"metadata": {"name": "s"}, "spec": {"dockerImageRepository": "quay.io/a/b"}}
    assert (
        admin.send("POST", admin.image("imagestreams"), body).json()["spec"]["dockerImageRepository"] == "quay.io/a/b"
    )
    patch = {"spec": {"dockerImageRepository": "quay.io/a/b:v1"}}
    refused = admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=MERGE)
    assert "the repository name may not contain a tag" in refused.json()["message"]


def test_a_following_tag_follows_and_a_removed_one_stops(admin: ApiClient) -> None:
    """Within one stream; the history stays."""
    create(admin, "s", external("a"), {"name": "f", "from": {"kind": "ImageStreamTag", "name": "s:a"}})
    patch = {"spec": {"tags": [{"name": "a", "from": {"kind": "DockerImage", "name": "quay.io/a/b:v2"}}]}}
    moved = admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC).json()
    assert [item["dockerImageReference"] for item in items(moved, "f")] == ["quay.io/a/b:v2"]
    patch = {"spec": {"tags": [{"name": "f", "$patch": "delete"}]}}
    admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC)
    assert items(admin.stream("s"), "f")[0]["dockerImageReference"] == "quay.io/a/b:v2"


def test_tags_from_other_namespaces_need_the_right_to_pull(
    admin: ApiClient, control: ControlClient, client: ClientFactory
) -> None:
    """get imagestreams/layers there."""
    create(admin, "s", external("a"))
    other = f"{admin.namespace}-other"
    admin.send("POST", "/api/v1/namespaces", {"metadata": {"name": other}})
    editor = client(control.token("jo"), other)
    binding = {
        "metadata": {"name": "jo"},
        "roleRef": {"kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "jo"}],
    }
    admin.send("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{other}/rolebindings", binding)
    tag = {"name": "copy", "from": {"kind": "ImageStreamTag", "namespace": admin.namespace, "name": "s:a"}}
    body = {"metadata": {"name": "d"}, "spec": {"tags": [tag]}}
    refused = editor.send("POST", editor.image("imagestreams"), body)
    assert refused.status_code == 422
    assert f"spec.tags[copy].from: Forbidden: {admin.namespace}/s" in refused.json()["message"]
    admin.send("POST", admin.rbac("rolebindings"), binding)
    made = editor.send("POST", editor.image("imagestreams"), body)
    assert items(made.json(), "copy")[0]["dockerImageReference"] == "quay.io/a/b:v1"
    admin.send("DELETE", f"/api/v1/namespaces/{other}")


def test_a_fixed_copy_of_an_image(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """from.kind ImageStreamImage by full digest or its beginning; children of a list cannot be tagged."""
    image = f"{plain.host}/team/plain:v1"
    admin.import_images("src", source(image, "v1", insecure=True, importMode="PreserveOriginal"))
    digest = items(admin.stream("src"), "v1")[0]["image"]
    for name in (f"src@{digest}", f"src@{digest[7:20]}"):
        tag = {"name": "fixed", "from": {"kind": "ImageStreamImage", "name": name}}
        answer = admin.send(
            "PUT", admin.image("imagestreamtags", "dst:fixed"), {"metadata": {"name": "dst:fixed"}, "tag": tag}
        )
        assert answer.ok, answer.text
        assert answer.json()["image"]["metadata"]["name"] == digest
    stored = admin.send("GET", admin.image("imagestreamimages", f"src@{digest}")).json()
    child = stored["image"]["dockerImageManifests"][0]["digest"]
    assert (
        admin.send("GET", admin.image("imagestreamimages", f"src@{child}")).json()["image"]["metadata"]["name"] == child
    )
    tag = {"name": "child", "from": {"kind": "ImageStreamImage", "name": f"src@{child}"}}
    refused = admin.send(
        "PUT", admin.image("imagestreamtags", "dst:child"), {"metadata": {"name": "dst:child"}, "tag": tag}
    )
    assert refused.status_code == 422
    assert f'imagestreamimage.image.openshift.io \\"{child}\\" not found' in refused.text.replace('\\\\\\"', '\\"')


def test_stream_images_that_are_not_there(admin: ApiClient) -> None:
    """400 for another form of name, 404 for an unknown stream or image."""
    create(admin, "s", external("a"))
    answer = admin.send("GET", admin.image("imagestreamimages", "s:a"))
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "ImageStreamImages must be retrieved with <name>@<id>",
    )
    for name, missing in (("none@sha256:aa", "none"), ("s@sha256:aa", "s@sha256:aa")):
        answer = admin.send("GET", admin.image("imagestreamimages", name))
        assert (answer.status_code, answer.json()["details"]["name"]) == (404, missing)


def test_stream_tags_as_objects(admin: ApiClient) -> None:
    """The path needs a tag; tags without an image are no imagestreamtags, but imagetags."""
    create(admin, "s", external("a"))
    for plural, kind in (("imagestreamtags", "ImageStreamTags"), ("imagetags", "ImageTags")):
        for method in ("GET", "DELETE"):
            answer = admin.send(method, admin.image(plural, "s"))
            assert (answer.status_code, answer.json()["message"]) == (
                400,
                f"{kind} must be retrieved with <name>:<tag>",
            )
        answer = admin.send("GET", admin.image(plural, "none:a"))
        assert answer.json()["message"] == f'{plural}.image.openshift.io "none" not found'
    assert admin.send("GET", admin.image("imagestreamtags", "s:a")).status_code == 404
    assert admin.send("GET", admin.image("imagestreamtags")).json()["items"] is None
    shown = admin.send("GET", admin.image("imagetags", "s:a")).json()
    assert (shown["spec"]["name"], shown["status"]["items"][0]["image"], shown["image"]) == ("a", "", None)
    listed = admin.send("GET", admin.image("imagetags")).json()["items"]
    assert [entry["metadata"]["name"] for entry in listed] == ["s:a"]


def test_writing_stream_tags(admin: ApiClient) -> None:
    """PUT replaces the tag and takes its annotations from the object; POST only makes new ones."""
    create(admin, "s", external("a", annotations={"x": "y"}))
    path = admin.image("imagestreamtags", "s:a")
    body = {"metadata": {"name": "s:a"}, "tag": external("a", "quay.io/a/b:v2")}
    assert admin.send("PUT", path, body).status_code == 200
    assert admin.stream("s")["spec"]["tags"][0]["annotations"] is None
    body["metadata"]["annotations"] = {"x": "z"}
    assert admin.send("PUT", path, body).json()["tag"]["annotations"] == {"x": "z"}
    taken = admin.send("POST", admin.image("imagestreamtags"), body)
    assert (taken.status_code, taken.json()["reason"]) == (409, "AlreadyExists")
    made = admin.send("POST", admin.image("imagestreamtags"), {"metadata": {"name": "new:b"}, "tag": external("b")})
    assert made.status_code == 201
    assert [tag["name"] for tag in admin.stream("new")["spec"]["tags"]] == ["b"]
    patch = {"tag": {"importPolicy": {"scheduled": True}}}
    patched = admin.send("PATCH", path, patch, content_type=MERGE)
    assert (patched.status_code, patched.json()["tag"]["importPolicy"]) == (
        200,
        {"scheduled": True, "importMode": "Legacy"},
    )
    # The stream that PATCH does not find is made up with a uid, so that it counts as one to change
    # (imagestreamtag/rest.go, Update).
    assert (
        admin.send(
            "PATCH", admin.image("imagestreamtags", "none:a"), {"tag": external("a")}, content_type=MERGE
        ).status_code
        == 201
    )
    assert [tag["name"] for tag in admin.stream("none")["spec"]["tags"]] == ["a"]
    refused = admin.send(
        "PATCH",
        admin.image("imagestreamtags", "never:a"),
        {"metadata": {"annotations": {"x": "y"}}},
        content_type=MERGE,
    )
    assert (
        refused.json()["message"]
        == f"imagestreamtag a is not a spec tag in imagestream {admin.namespace}/never, cannot be updated"
    )


def test_versions_of_stream_tags(admin: ApiClient) -> None:
    """The stream's version is the tag's: a stale one is refused, a missing one never."""
    stale = create(admin, "s", external("a"))["metadata"]["resourceVersion"]
    admin.send("PATCH", admin.image("imagestreams", "s"), {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    body = {"metadata": {"name": "s:a", "resourceVersion": stale}, "tag": external("a", "quay.io/a/b:v2")}
    refused = admin.send("PUT", admin.image("imagestreamtags", "s:a"), body)
    assert refused.status_code == 409
    assert "another caller has updated the resource version to" in refused.json()["message"]
    body["metadata"]["name"] = "none:a"
    assert admin.send("PUT", admin.image("imagestreamtags", "none:a"), body).status_code == 404


def test_dry_runs_of_tags(admin: ApiClient) -> None:
    """imagestreamtags and imagetags honour dryRun, creation of the stream included."""
    dry = {"dryRun": "All"}
    body = {"metadata": {"name": "s:a"}, "tag": external("a")}
    assert admin.send("PUT", admin.image("imagestreamtags", "s:a"), body, query=dry).status_code == 201
    assert admin.send("GET", admin.image("imagestreams", "s")).status_code == 404
    stream = create(admin, "s", external("a"))
    assert admin.send("DELETE", admin.image("imagestreamtags", "s:a"), query=dry).status_code == 200
    assert admin.send("DELETE", admin.image("imagetags", "s:a"), query=dry).status_code == 200
    assert admin.stream("s") == stream


def test_writing_image_tags(admin: ApiClient) -> None:
    """Metadata and status have to be sent back as they are; without a spec the tag leaves the spec."""
    made = admin.send("POST", admin.image("imagetags"), {"metadata": {"name": "s:a"}, "spec": external("")})
    assert (made.status_code, made.json()["spec"]["name"]) == (201, "a")
    shown = admin.send("GET", admin.image("imagetags", "s:a")).json()
    path = admin.image("imagetags", "s:a")
    changed = {**shown, "spec": {**shown["spec"], "importPolicy": {"scheduled": True}}}
    assert admin.send("PUT", path, changed).json()["spec"]["importPolicy"]["scheduled"] is True
    shown = admin.send("GET", path).json()
    refused = admin.send("PUT", path, {**shown, "status": None})
    assert 'status: Invalid value: "": may not update fields other than spec' in refused.json()["message"]
    refused = admin.send("PUT", path, {**shown, "metadata": {**shown["metadata"], "labels": {"a": "b"}}})
    assert 'metadata: Invalid value: "": may not update fields other than spec' in refused.json()["message"]
    refused = admin.send("PUT", path, {**shown, "spec": {**shown["spec"], "name": "b"}})
    assert 'spec.name: Invalid value: "b": must match image tag name' in refused.json()["message"]
    assert admin.send("PUT", path, {**shown, "spec": None}).status_code == 200
    stream = admin.stream("s")
    assert ("tags" in stream["spec"], items(stream, "a") != []) == (False, True)
    refused = admin.send("POST", admin.image("imagetags"), {"metadata": {"name": "s:b"}})
    assert "spec: Required value: spec is a required field during creation" in refused.json()["message"]


def test_deleting_tags(admin: ApiClient) -> None:
    """Also those that are in the spec only, or in the history only."""
    create(
        admin,
        "s",
        {"name": "never", "from": {"kind": "DockerImage", "name": "quay.io/a/b:v1"}},
        external("gone"),
        external("c"),
    )
    patch = {"spec": {"tags": [{"name": "gone", "$patch": "delete"}]}}
    admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC)
    assert admin.send("DELETE", admin.image("imagestreamtags", "s:never")).status_code == 200
    assert admin.send("DELETE", admin.image("imagetags", "s:gone")).status_code == 200
    stream = admin.stream("s")
    assert [tag["name"] for tag in stream["spec"]["tags"]] == [tag["tag"] for tag in stream["status"]["tags"]] == ["c"]
    wrong = {"preconditions": {"uid": "another"}}
    assert admin.send("DELETE", admin.image("imagestreamtags", "s:c"), wrong).status_code == 409
    for plural in ("imagestreamtags", "imagetags"):
        assert admin.send("DELETE", admin.image(plural, "s:gone")).status_code == 404


def test_reference_policy_local(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Resolves through the internal registry, for an image that is known."""
    image = f"{plain.host}/team/plain:v2"
    entry = {**source(image, "v2", insecure=True), "referencePolicy": {"type": "Local"}}
    admin.import_images("s", entry)
    shown = admin.send("GET", admin.image("imagestreamtags", "s:v2")).json()
    digest = shown["image"]["metadata"]["name"]
    assert (
        shown["image"]["dockerImageReference"]
        == f"image-registry.openshift-image-registry.svc:5000/{admin.namespace}/s@{digest}"
    )
    assert (
        admin.send("GET", f"/apis/image.openshift.io/v1/images/{digest}").json()["dockerImageReference"]
        == f"{plain.host}/team/plain@{digest}"
    )


def test_annotations_of_a_tag_are_shown_with_its_image(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """And only there: the stored image keeps its own."""
    admin.import_images("s", source(f"{plain.host}/team/plain:v2", "v2", insecure=True))
    patch = {"spec": {"tags": [{"name": "v2", "annotations": {"x": "y"}}]}}
    admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC)
    shown = admin.send("GET", admin.image("imagestreamtags", "s:v2")).json()
    assert (shown["metadata"]["annotations"], shown["image"]["metadata"]["annotations"]["x"]) == ({"x": "y"}, "y")
    stored = admin.send("GET", f"/apis/image.openshift.io/v1/images/{shown['image']['metadata']['name']}").json()
    assert "x" not in stored["metadata"]["annotations"]


def test_status_of_a_stream(admin: ApiClient) -> None:
    """The subresource sets the history; items without a generation get one."""
    stream = create(admin, "s", {"name": "a", "from": {"kind": "DockerImage", "name": "quay.io/a/b:v1"}})
    item = {
        "created": "2026-01-01T00:00:00Z",
        "dockerImageReference": f"quay.io/a/b@sha256:{'a' * 64}",
        "image": f"sha256:{'a' * 64}",
    }
    body = {**stream, "status": {"tags": [{"tag": "a", "items": [item]}]}, "spec": {}}
    answer = admin.send("PUT", admin.image("imagestreams", "s/status"), body).json()
    assert (items(answer, "a")[0]["generation"], answer["spec"]) == (1, stream["spec"])


def test_secrets_of_a_stream(admin: ApiClient) -> None:
    """Those that its imports look at."""
    content = {".dockerconfigjson": "{}"}
    kind = "kubernetes.io/dockerconfigjson"
    admin.send("POST", admin.core("secrets"), {"metadata": {"name": "opaque"}})
    admin.send("POST", admin.core("secrets"), {"metadata": {"name": "used"}, "type": kind, "stringData": content})
    excluded = {"name": "excluded", "annotations": {"openshift.io/image.excludeSecret": "true"}}
    admin.send("POST", admin.core("secrets"), {"metadata": excluded, "type": kind, "stringData": content})
    found = admin.send("GET", admin.image("imagestreams", "any/secrets")).json()
    assert [secret["metadata"]["name"] for secret in found["items"]] == ["used"]

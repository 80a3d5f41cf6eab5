# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused, with the server's words: those of Kubernetes' handlers and validation, and of the image API's."""

from __future__ import annotations

import typing as t

import pytest
from emulator.client import ApiClient
from registries.content import RepositoryContent
from registries.embedded import EmbeddedRegistry

from .conftest import source

MODE = "invalid import mode, valid modes are '', 'Legacy', 'PreserveOriginal'"


def causes(answer: t.Any) -> list[tuple[str, str]]:
    """Field and reason of each cause of a 422."""
    assert answer.status_code == 422, answer.text
    return [(cause["field"], cause["reason"]) for cause in answer.json()["details"]["causes"]]


UNKNOWN = "no kind {0} is registered for version {1} in scheme {2}"
IMAGE_SCHEME = '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
CORE_SCHEME = '"pkg/api/legacyscheme/scheme.go:30"'


@pytest.mark.parametrize(
    ("plural", "wanted", "version", "kind", "why"),
    [
        (
            "imagestreams",
            "ImageStream",
            "v1",
            "Secret",
            "converting (v1.Secret) to (image.ImageStream): unknown conversion",
        ),
        (
            "imagestreams",
            "ImageStream",
            "image.openshift.io/v2",
            "ImageStream",
            UNKNOWN.format('"ImageStream"', '"image.openshift.io/v2"', IMAGE_SCHEME),
        ),
        (
            "secrets",
            "Secret",
            "v1",
            "ServiceAccount",
            "converting (v1.ServiceAccount) to (core.Secret): unknown conversion",
        ),
        ("secrets", "Secret", "v1", "Sekret", UNKNOWN.format('"Sekret"', '"v1"', CORE_SCHEME)),
    ],
)
def test_objects_of_another_kind(admin: ApiClient, plural: str, wanted: str, version: str, kind: str, why: str) -> None:
    """The decoder's verdict (apiserver, endpoints/handlers/rest.go, transformDecodeError)."""
    path = admin.core(plural) if plural == "secrets" else admin.image(plural)
    answer = admin.send("POST", path, {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}})
    message = f'{kind} in version "{version[-2:]}" cannot be handled as a {wanted}: {why}'
    assert (answer.status_code, answer.json()["reason"], answer.json()["message"]) == (400, "BadRequest", message)


@pytest.mark.parametrize(
    ("plural", "body", "why"),
    [
        (
            "imagestreams",
            {"spec": {"tags": "x"}},
            "string into Go struct field ImageStreamSpec.spec.tags of type []v1.TagReference",
        ),
        (
            "imagestreams",
            {"spec": {"tags": [{"name": 5}]}},
            "number into Go struct field TagReference.spec.tags.name of type string",
        ),
        (
            "imagestreams",
            {"spec": {"lookupPolicy": {"local": "yes"}}},
            "string into Go struct field ImageLookupPolicy.spec.lookupPolicy.local of type bool",
        ),
        (
            "imagestreams",
            {"metadata": {"labels": {"a": True}}},
            "bool into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        ("imagestreams", {"spec": []}, "array into Go struct field ImageStream.spec of type v1.ImageStreamSpec"),
        (
            "imagestreamimports",
            {"spec": {"images": [{"importPolicy": {"importMode": 1}}]}},
            "number into Go struct field TagImportPolicy.spec.images.importPolicy.importMode of type v1.ImportModeType",
        ),
        (
            "serviceaccounts",
            {"imagePullSecrets": ["a"]},
            "string into Go struct field ServiceAccount.imagePullSecrets of type v1.LocalObjectReference",
        ),
        ("secrets", {"data": {"a": 1}}, "number into Go struct field Secret.data of type []uint8"),
        ("secrets", {"stringData": "x"}, "string into Go struct field Secret.stringData of type map[string]string"),
    ],
)
def test_values_of_another_type(admin: ApiClient, plural: str, body: dict[str, t.Any], why: str) -> None:
    """400 if an object is sent, 422 if a patch makes it so (sigs.k8s.io/json, and
    endpoints/handlers/patch.go)."""
    path = admin.image(plural) if plural.startswith("image") else admin.core(plural)
    sent = {**body, "metadata": {"name": "a", **body.get("metadata", {})}}
    answer = admin.send("POST", path, sent)
    assert answer.status_code == 400
    assert answer.json()["message"].endswith(f": json: cannot unmarshal {why}")
    if plural != "imagestreamimports":
        assert admin.send("POST", path, {"metadata": {"name": "a"}}).status_code == 201
        patched = admin.send("PATCH", f"{path}/a", body, content_type="application/merge-patch+json")
        assert causes(patched) == [("patch", "FieldValueInvalid")]
        assert patched.json()["message"].endswith(f": json: cannot unmarshal {why}")


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({}, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        ({"name": "b"}, "the name of the object (b) does not match the name on the URL (a)"),
        (
            {"name": "a", "namespace": "other"},
            "the namespace of the object (other) does not match the namespace on the request ({0})",
        ),
    ],
)
def test_replacements_that_do_not_fit_their_path(admin: ApiClient, metadata: dict[str, str], why: str) -> None:
    """Refused before the object is looked for (apiserver, endpoints/handlers/rest.go, checkName)."""
    for path in (admin.core("secrets", "a"), admin.image("imagestreams", "a")):
        answer = admin.send("PUT", path, {"metadata": metadata})
        assert (answer.status_code, answer.json()["message"]) == (400, why.format(admin.namespace))


def test_bodies_in_another_format(admin: ApiClient) -> None:
    """The formats that every server takes."""
    answer = admin.send("POST", admin.image("imagestreams"), "name: a", content_type="text/plain")
    assert answer.status_code == 415
    accepted = answer.json()["message"].removeprefix(
        "the body of the request was in an unknown format - accepted media types include: "
    )
    assert accepted == "application/json, application/yaml, application/vnd.kubernetes.protobuf"


def test_dry_runs_of_another_kind(admin: ApiClient) -> None:
    """Only All exists; nothing is done in the belief that it was a dry run (apimachinery, meta/v1/validation,
    ValidateDryRun)."""
    answer = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "a"}}, query={"dryRun": "all"})
    assert (
        answer.json()["message"]
        == 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["all"]: supported values: "All"'
    )
    assert causes(answer) == [("dryRun", "FieldValueNotSupported")]
    assert admin.send("GET", admin.core("secrets", "a")).status_code == 404
    assert admin.send("GET", admin.core("secrets"), query={"dryRun": "all"}).status_code == 200


def test_labels_and_annotations(admin: ApiClient) -> None:
    """Keys are qualified names, values of labels are words: of new objects and of changed ones."""
    metadata = {
        "name": "a",
        "labels": {"a b": "c", "x": "y z", "/k": "v"},
        "annotations": {"Example.com/Fine": "any text", "a/b/c": ""},
    }
    for path in (admin.core("secrets"), admin.image("imagestreams")):
        answer = admin.send("POST", path, {"metadata": metadata})
        assert causes(answer) == [("metadata.labels", "FieldValueInvalid")] * 3 + [
            ("metadata.annotations", "FieldValueInvalid")
        ]
        texts = [cause["message"] for cause in answer.json()["details"]["causes"]]
        assert texts[0].startswith(
            "Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end"
        )
        assert texts[1].startswith(
            'Invalid value: "y z": a valid label must be an empty string or consist of alphanumeric characters'
        )
        assert texts[2] == 'Invalid value: "/k": prefix part must be non-empty'
        assert texts[3].startswith('Invalid value: "a/b/c": a qualified name must consist of')
        assert admin.send("POST", path, {"metadata": {"name": "a"}}).status_code == 201
        changed = admin.send(
            "PATCH", f"{path}/a", {"metadata": {"labels": {"x": "-"}}}, content_type="application/merge-patch+json"
        )
        assert causes(changed) == [("metadata.labels", "FieldValueInvalid")]


@pytest.mark.parametrize(
    ("path", "selector", "why"),
    [
        (
            "imagestreams",
            "spec.x=y",
            '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            "serviceaccounts",
            "type=y",
            '"type" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("secrets", "spec.x=y", "field label not supported: spec.x"),
    ],
)
def test_fields_that_cannot_be_selected(admin: ApiClient, path: str, selector: str, why: str) -> None:
    """Each kind has its own, and two ways to say so."""
    answer = admin.send(
        "GET", admin.image(path) if path == "imagestreams" else admin.core(path), query={"fieldSelector": selector}
    )
    assert (answer.status_code, answer.json()["message"]) == (400, why)


def test_every_error_of_an_import_is_named(admin: ApiClient) -> None:
    """A wrong kind does not hide a wrong mode (image validation, ValidateImageStreamImport)."""
    images = [
        {"from": {"kind": "ImageStreamTag", "name": "x"}, "importPolicy": {"importMode": "Some"}},
        {"from": {"kind": "DockerImage", "name": ""}, "to": {"name": ""}},
    ]
    repository = {"from": {"kind": "DockerImage", "name": "quay.io/a/b:c"}, "importPolicy": {"importMode": "Some"}}
    spec = {"import": True, "images": images, "repository": repository}
    answer = admin.send("POST", admin.image("imagestreamimports"), {"metadata": {"name": "Bad"}, "spec": spec})
    assert [field for field, _reason in causes(answer)] == [
        "spec.images[0].from.kind",
        "spec.images[0].importPolicy.importMode",
        "spec.images[1].to.name",
        "spec.images[1].from.name",
        "spec.repository.from.name",
        "spec.repository.importPolicy.importMode",
        "metadata.name",
    ]
    assert f'spec.repository.importPolicy.importMode: Invalid value: "Some": {MODE}' in answer.json()["message"]


def test_every_error_of_a_tag_is_named(admin: ApiClient) -> None:
    """Source, reference policy, import policy: in this order (image validation, ValidateImageStreamTagReference)."""
    tag = {
        "name": "a",
        "from": {"kind": "DockerImage", "name": "::"},
        "importPolicy": {"importMode": "Some"},
        "referencePolicy": {"type": "Some"},
    }
    answer = admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": "s"}, "spec": {"tags": [tag]}})
    assert [field for field, _reason in causes(answer)] == [
        "spec.tags[a].from.name",
        "spec.tags[a].referencePolicy.type",
        "spec.tags[a].importPolicy.importMode",
    ]


def test_a_child_that_is_missing(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Fails a list that is kept whole, in the child's name (importer.go, importSubManifests); Legacy has no need of
    it."""
    recorded = plain.content.repositories["team/plain"]
    listed = recorded.manifests[recorded.tags["v1"]]
    children = [digest for digest in recorded.manifests if digest in listed.content.decode()]
    kept = {digest: manifest for digest, manifest in recorded.manifests.items() if digest != children[-1]}
    plain.content.repositories["team/torn"] = RepositoryContent({"v1": recorded.tags["v1"]}, kept)
    reference = f"{plain.host}/team/torn"
    images = (source(f"{reference}:v1", tag, insecure=True, importMode=tag) for tag in ("Legacy", "PreserveOriginal"))
    legacy, whole = (image["status"] for image in admin.import_images("s", *images).json()["status"]["images"])
    assert legacy["status"] == "Success"
    assert whole["message"] == f'dockerimage.image.openshift.io "{reference}@{children[-1]}" not found'


@pytest.mark.parametrize(
    ("secret", "fields"),
    [
        ({"type": "kubernetes.io/dockercfg", "stringData": {".dockerconfigjson": "{}"}}, ["data[.dockercfg]"]),
        ({"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "[]"}}, ["data[.dockercfg]"]),
        ({"type": "kubernetes.io/basic-auth", "stringData": {"x": "y"}}, ["data[username]", "data[password]"]),
        ({"type": "kubernetes.io/basic-auth", "stringData": {"password": ""}}, []),
        ({"type": "kubernetes.io/ssh-auth"}, ["data[ssh-privatekey]"]),
        ({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "x"}}, ["data[tls.key]"]),
        ({"type": "kubernetes.io/service-account-token"}, ["metadata.annotations[kubernetes.io/service-account.name]"]),
        (
            {
                "type": "kubernetes.io/service-account-token",
                "metadata": {"annotations": {"kubernetes.io/service-account.name": "x"}},
            },
            [],
        ),
        ({"stringData": {"a/b": "y"}}, ["data[a/b]"]),
    ],
)
def test_what_secrets_have_to_hold(admin: ApiClient, secret: dict[str, t.Any], fields: list[str]) -> None:
    """By type (core validation, ValidateSecret)."""
    answer = admin.send(
        "POST", admin.core("secrets"), {**secret, "metadata": {"name": "a", **secret.get("metadata", {})}}
    )
    assert answer.status_code == (422 if fields else 201), answer.text
    assert not fields or [field for field, _reason in causes(answer)] == fields


def test_patches_of_lists_without_the_merge_key(admin: ApiClient) -> None:
    """500, with the element as Go writes a map (apimachinery, util/mergepatch/errors.go)."""
    assert (
        admin.send(
            "POST", admin.core("serviceaccounts"), {"metadata": {"name": "a"}, "secrets": [{"name": "p"}]}
        ).status_code
        == 201
    )
    patch = {"secrets": [{"uid": "x", "kind": "Secret"}]}
    answer = admin.send(
        "PATCH", admin.core("serviceaccounts", "a"), patch, content_type="application/strategic-merge-patch+json"
    )
    assert (answer.status_code, answer.json()["message"]) == (
        500,
        "map: map[kind:Secret uid:x] does not contain declared merge key: name",
    )


def test_service_accounts_keep_names_only(admin: ApiClient) -> None:
    """Everything else of a reference is dropped (core serviceaccount strategy, cleanSecretReferences)."""
    reference = {"name": "p", "namespace": "elsewhere", "kind": "Secret"}
    made = admin.send(
        "POST",
        admin.core("serviceaccounts"),
        {"metadata": {"name": "a"}, "secrets": [reference], "imagePullSecrets": [reference]},
    )
    assert (made.json()["secrets"], made.json()["imagePullSecrets"]) == ([{"name": "p"}], [{"name": "p"}])


def test_reviews(admin: ApiClient) -> None:
    """An access review is no object with a creation time; a review of oneself has no spec."""
    wish = {"resourceAttributes": {"namespace": admin.namespace, "verb": "get", "resource": "secrets"}}
    review = admin.send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": wish}).json()
    assert (review["metadata"], review["spec"], review["status"]) == ({}, wish, {"allowed": True})
    binding = {
        "metadata": {"name": "readers"},
        "roleRef": {"kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "ann"}],
    }
    admin.send("POST", admin.rbac("rolebindings"), binding)
    review = admin.send(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {"spec": wish},
        headers={"Impersonate-User": "ann"},
    ).json()
    reason = f'RBAC: allowed by RoleBinding "readers/{admin.namespace}" of ClusterRole "edit" to User "ann"'
    assert review["status"] == {"allowed": True, "reason": reason}
    assert set(admin.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}).json()) == {
        "kind",
        "apiVersion",
        "metadata",
        "status",
    }

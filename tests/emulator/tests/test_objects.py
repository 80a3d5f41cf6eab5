# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stored objects of every kind: creation, replacement, lists, dry runs, what is not served."""

from __future__ import annotations

import base64
import typing as t

import pytest
from emulator.client import ApiClient, ControlClient

MERGE = "application/merge-patch+json"


def test_names_are_checked(admin: ApiClient) -> None:
    """Missing, wrong, and made up from a prefix."""
    refused = admin.send("POST", admin.core("secrets"), {"metadata": {}}).json()
    assert refused["message"] == 'Secret "" is invalid: metadata.name: Required value: name or generateName is required'
    refused = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "Bad_Name"}}).json()
    assert refused["details"]["causes"][0]["field"] == "metadata.name"
    assert "lowercase RFC 1123 subdomain" in refused["message"]
    made = admin.send("POST", admin.core("secrets"), {"metadata": {"generateName": "pull-"}}).json()
    assert made["metadata"]["name"].startswith("pull-")
    assert len(made["metadata"]["name"]) == len("pull-") + 5


def test_namespaces_of_path_and_body(admin: ApiClient) -> None:
    """They have to agree, and the namespace has to exist."""
    refused = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "a", "namespace": "other"}})
    assert refused.status_code == 400
    for method, path in (("POST", "secrets"), ("PUT", "secrets/a"), ("POST", "serviceaccounts")):
        answer = admin.send(method, f"/api/v1/namespaces/nowhere/{path}", {"metadata": {"name": "a"}})
        assert (answer.status_code, answer.json()["message"]) == (404, 'namespaces "nowhere" not found')


def test_unchanged_objects_are_not_written(admin: ApiClient) -> None:
    """PUT and PATCH that change nothing leave the version alone."""
    made = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "a"}, "stringData": {"k": "v"}}).json()
    assert made["data"] == {"k": base64.b64encode(b"v").decode()}
    assert admin.send("PUT", admin.core("secrets", "a"), made).json() == made
    assert admin.send("PATCH", admin.core("secrets", "a"), {"type": "Opaque"}, content_type=MERGE).json() == made


def test_optimistic_concurrency(admin: ApiClient) -> None:
    """A stale version is refused in PUT, PATCH and DELETE; core kinds may be replaced without a version."""
    made = admin.send("POST", admin.core("serviceaccounts"), {"metadata": {"name": "a"}}).json()
    changed = admin.send(
        "PUT", admin.core("serviceaccounts", "a"), {"metadata": {"name": "a"}, "imagePullSecrets": [{"name": "p"}]}
    )
    assert changed.json()["imagePullSecrets"] == [{"name": "p"}]
    stale = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "imagePullSecrets": []}
    assert admin.send("PATCH", admin.core("serviceaccounts", "a"), stale, content_type=MERGE).status_code == 409
    options = {"preconditions": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    refused = admin.send("DELETE", admin.core("serviceaccounts", "a"), options)
    assert refused.status_code == 409
    assert "Precondition failed: ResourceVersion in precondition" in refused.json()["message"]
    wrong = admin.send("PUT", admin.core("serviceaccounts", "a"), {"metadata": {"name": "a", "uid": "x"}})
    assert "Precondition failed: UID in precondition: x" in wrong.json()["message"]
    assert admin.send("PUT", admin.core("serviceaccounts", "a"), {"metadata": {"name": "b"}}).status_code == 400


def test_empty_lists_and_unknown_fields_are_dropped(admin: ApiClient) -> None:
    """As typed kinds are encoded."""
    body = {"metadata": {"name": "a"}, "secrets": [], "imagePullSecrets": [{"name": "p", "extra": 1}], "nonsense": True}
    made = admin.send("POST", admin.core("serviceaccounts"), body).json()
    assert set(made) == {"kind", "apiVersion", "metadata", "imagePullSecrets"}
    assert made["imagePullSecrets"] == [{"name": "p"}]


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (
            {"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "[]"}},
            (
                'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go '
                "value of type map[string]interface {}"
            ),
        ),
        ({"type": "kubernetes.io/dockercfg"}, "data[.dockercfg]: Required value"),
    ],
)
def test_registry_secrets(admin: ApiClient, secret: dict[str, t.Any], message: str) -> None:
    """The old type is checked like the new one."""
    refused = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}, **secret}).json()
    assert refused["message"] == f'Secret "s" is invalid: {message}'


def test_secret_values_have_to_be_base64(admin: ApiClient) -> None:
    """400 with the place where decoding stopped."""
    refused = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}, "data": {"k": "@@@@"}})
    assert refused.status_code == 400
    assert refused.json()["message"].endswith("illegal base64 data at input byte 0")


def test_keys_that_stand_twice_in_a_body(admin: ApiClient) -> None:
    """Maps are filled twice; of a single value the last one counts."""
    body = (
        '{"metadata": {"name": "s"}, "data": {"a": "YQ==", "b": "YQ=="}, "data": {"b": "Yg==", "c": "Yw=="}, "type": '
        '"x/y", "type": "Opaque"}'
    )
    made = admin.send("POST", admin.core("secrets"), body).json()
    assert (made["data"], made["type"]) == ({"a": "YQ==", "b": "Yg==", "c": "Yw=="}, "Opaque")


def test_immutable_secrets(admin: ApiClient) -> None:
    """Data and the flag stay as they are; labels do not."""
    admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}, "stringData": {"k": "v"}, "immutable": True})
    refused = admin.send("PATCH", admin.core("secrets", "s"), {"stringData": {"k": "w"}}, content_type=MERGE)
    assert (
        refused.json()["message"]
        == 'Secret "s" is invalid: data: Forbidden: field is immutable when `immutable` is set'
    )
    labelled = admin.send("PATCH", admin.core("secrets", "s"), {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    assert labelled.json()["metadata"]["labels"] == {"a": "b"}


def test_dry_runs_store_nothing(admin: ApiClient) -> None:
    """Creation, change and deletion."""
    made = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}}, query={"dryRun": "All"})
    assert made.status_code == 201
    assert "resourceVersion" not in made.json()["metadata"]
    assert admin.send("GET", admin.core("secrets", "s")).status_code == 404
    stored = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}}).json()
    changed = admin.send(
        "PATCH",
        admin.core("secrets", "s"),
        {"metadata": {"labels": {"a": "b"}}},
        content_type=MERGE,
        query={"dryRun": "All"},
    )
    assert changed.json()["metadata"]["labels"] == {"a": "b"}
    assert admin.send("DELETE", admin.core("secrets", "s"), query={"dryRun": "All"}).status_code == 200
    assert admin.send("GET", admin.core("secrets", "s")).json() == stored


def test_what_a_deletion_answers(admin: ApiClient) -> None:
    """A Status with the uid for secrets; service accounts and namespaces come back themselves."""
    secret = admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}}).json()
    answer = admin.send("DELETE", admin.core("secrets", "s")).json()
    assert answer["details"] == {"name": "s", "kind": "secrets", "uid": secret["metadata"]["uid"]}
    admin.send("POST", admin.core("serviceaccounts"), {"metadata": {"name": "a"}})
    assert admin.send("DELETE", admin.core("serviceaccounts", "a")).json()["kind"] == "ServiceAccount"
    assert admin.send("DELETE", admin.core("serviceaccounts", "a")).status_code == 404


def test_a_namespace_takes_its_objects_along(admin: ApiClient) -> None:
    """Nothing of it is found afterwards."""
    admin.send("POST", "/api/v1/namespaces", {"metadata": {"name": "short-lived"}})
    admin.send("POST", "/api/v1/namespaces/short-lived/secrets", {"metadata": {"name": "s"}})
    ending = admin.send("DELETE", "/api/v1/namespaces/short-lived").json()
    assert ending["status"]["phase"] == "Terminating"
    assert admin.send("GET", "/api/v1/namespaces/short-lived").status_code == 404
    assert admin.send("GET", "/api/v1/namespaces/short-lived/secrets").json()["items"] == []


def test_lists_page_and_select(admin: ApiClient) -> None:
    """limit and continue, labels, fields; items of a list carry no kind."""
    for number in range(5):
        labels = {"odd": str(number % 2), "number": str(number)}
        admin.send("POST", admin.core("configmaps"), {"metadata": {"name": f"c{number}", "labels": labels}})
    names: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = admin.send("GET", admin.core("configmaps"), query=query).json()
        assert all("kind" not in item for item in page["items"])
        names += [item["metadata"]["name"] for item in page["items"]]
        if "continue" not in page["metadata"]:
            break
        assert page["metadata"]["remainingItemCount"] == 5 - len(names)
        query["continue"] = page["metadata"]["continue"]
    assert names == ["c0", "c1", "c2", "c3", "c4"]

    def chosen(**query: str) -> list[str]:
        return [
            item["metadata"]["name"]
            for item in admin.send("GET", admin.core("configmaps"), query=query).json()["items"]
        ]

    assert chosen(labelSelector="odd=1") == ["c1", "c3"]
    assert chosen(labelSelector="odd!=1,number notin (0,2)") == ["c4"]
    assert chosen(labelSelector="number in (1, 4)") == ["c1", "c4"]
    assert chosen(labelSelector="!odd") == []
    assert chosen(fieldSelector="metadata.name=c2") == ["c2"]
    assert admin.send("GET", admin.core("configmaps"), query={"fieldSelector": "data.x=1"}).status_code == 400
    assert admin.send("GET", admin.core("configmaps"), query={"labelSelector": "a b"}).status_code == 400
    assert admin.send("GET", admin.core("configmaps"), query={"continue": "nonsense"}).status_code == 400


def test_collections_are_deleted_by_selector(admin: ApiClient) -> None:
    """What is not selected stays."""
    for name in ("a", "b"):
        admin.send("POST", admin.core("configmaps"), {"metadata": {"name": name, "labels": {"name": name}}})
    answer = admin.send("DELETE", admin.core("configmaps"), query={"labelSelector": "name=a"}).json()
    assert [item["metadata"]["name"] for item in answer["items"]] == ["a"]
    left = admin.send("GET", admin.core("configmaps")).json()["items"]
    assert [item["metadata"]["name"] for item in left] == ["b"]


def test_status_is_a_subresource(admin: ApiClient) -> None:
    """Of pods and custom resources: neither creation nor PUT sets it, the subresource sets only it."""
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running"},
    }
    made = admin.send("POST", admin.core("pods"), pod).json()
    assert made["status"]["phase"] == "Pending"
    changed = {**made, "spec": {}, "status": {"phase": "Running"}}
    answer = admin.send("PUT", admin.core("pods", "p/status"), changed).json()
    assert (answer["status"], answer["spec"]) == ({"phase": "Running"}, made["spec"])
    config = "/apis/samples.operator.openshift.io/v1/configs"
    admin.send(
        "POST",
        config,
        {"metadata": {"name": "cluster"}, "spec": {"managementState": "Managed"}, "status": {"version": "1"}},
    )
    stored = admin.send("GET", f"{config}/cluster").json()
    assert ("status" in stored, stored["metadata"]["generation"]) == (False, 1)
    admin.send("PATCH", f"{config}/cluster/status", {"status": {"version": "2"}}, content_type=MERGE)
    answer = admin.send(
        "PATCH", f"{config}/cluster", {"spec": {"managementState": "Removed"}}, content_type=MERGE
    ).json()
    assert (answer["status"]["version"], answer["metadata"]["generation"]) == ("2", 2)
    admin.send("DELETE", f"{config}/cluster")


def test_patch_types(admin: ApiClient) -> None:
    """Custom resources take no strategic merge patch; nothing takes anything else."""
    config = "/apis/config.openshift.io/v1/images/cluster"
    refused = admin.send("PATCH", config, {}, content_type="application/strategic-merge-patch+json")
    assert refused.status_code == 415
    assert admin.send("PATCH", config, "{", content_type=MERGE).status_code == 400
    assert admin.send("PATCH", config, {}, content_type="text/plain").status_code == 415


def test_bodies_of_another_kind_are_refused(admin: ApiClient) -> None:
    """Wrong kind, wrong version, no object, nothing at all."""
    for body in ({"kind": "Pod"}, {"apiVersion": "v2"}, "[]", ""):
        answer = admin.send(
            "POST", admin.core("secrets"), body if isinstance(body, str) else {"metadata": {"name": "s"}, **body}
        )
        assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


def test_size_limits(admin: ApiClient) -> None:
    """One of the kind, one of the server."""
    for length, code in ((1024 * 1024 + 1, 422), (3 * 1024 * 1024, 413)):
        secret = {"metadata": {"name": "big"}, "stringData": {"k": "x" * length}}
        assert admin.send("POST", admin.core("secrets"), secret).status_code == code


def test_what_is_not_served(admin: ApiClient) -> None:
    """Three kinds of 404, and 405."""
    answer = admin.send("GET", "/apis/apps.openshift.io/v1/deploymentconfigs")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    answer = admin.send("GET", admin.image("nonsense"))
    assert (answer.status_code, answer.json()["message"]) == (404, "the server could not find the requested resource")
    answer = admin.send("GET", "/apis/config.openshift.io/v1/nonsense")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    answer = admin.send("GET", admin.image("imagestreamimports"))
    assert (answer.status_code, answer.json()["reason"]) == (405, "MethodNotAllowed")
    assert admin.send("GET", admin.image("imagestreams", "s/nonsense")).status_code == 404


def test_what_only_some_clusters_have(control: ControlClient, admin: ApiClient) -> None:
    """Deployment configs and builds, by a switch; their templates merge like those of other workloads."""
    control.change(deployment_configs=True)
    path = f"/apis/apps.openshift.io/v1/namespaces/{admin.namespace}/deploymentconfigs"
    body = {
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}}},
    }
    assert admin.send("POST", path, body).status_code == 201
    change = {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "z"}]}}}}
    answer = admin.send("PATCH", f"{path}/web", change, content_type="application/strategic-merge-patch+json")
    assert {one["name"]: one["image"] for one in answer.json()["spec"]["template"]["spec"]["containers"]} == {
        "a": "x",
        "b": "z",
    }
    groups = {group["name"] for group in admin.send("GET", "/apis").json()["groups"]}
    assert {"apps.openshift.io", "build.openshift.io"} <= groups


def test_watch(admin: ApiClient) -> None:
    """Present objects, then changes, each with its kind."""
    admin.send("POST", admin.core("configmaps"), {"metadata": {"name": "a"}})
    with admin.session.get(
        f"{admin.url}{admin.core('configmaps')}", params={"watch": "1", "timeoutSeconds": "5"}, stream=True, timeout=30
    ) as answer:
        lines = answer.iter_lines()
        first = next(lines)
        assert b'"ADDED"' in first
        assert b'"kind":"ConfigMap"' in first
        other = ApiClient(admin.url, str(admin.session.verify), None, admin.namespace)
        other.session.headers.update(admin.session.headers)
        with other:
            other.send("DELETE", other.core("configmaps", "a"))
        assert b'"DELETED"' in next(lines)


def test_protobuf_bodies(admin: ApiClient) -> None:
    """A secret as kubectl sends it."""

    def field(number: int, value: bytes) -> bytes:
        return bytes([number << 3 | 2, len(value)]) + value

    metadata = field(1, b"pull") + field(11, field(1, b"app") + field(2, b"x"))
    secret = field(1, metadata) + field(2, field(1, b"k") + field(2, b"v")) + field(3, b"Opaque") + bytes([5 << 3, 1])
    envelope = field(1, field(1, b"v1") + field(2, b"Secret")) + field(2, secret)
    kind = "application/vnd.kubernetes.protobuf"
    made = admin.send("POST", admin.core("secrets"), b"k8s\x00" + envelope, content_type=kind)
    assert made.status_code == 201, made.text
    assert made.json()["data"] == {"k": "dg=="}
    assert (made.json()["metadata"]["labels"], made.json()["immutable"]) == ({"app": "x"}, True)
    unknown = b"k8s\x00" + field(1, field(1, b"v1") + field(2, b"Pod")) + field(2, b"")
    assert admin.send("POST", admin.core("pods"), unknown, content_type=kind).status_code == 415
    assert admin.send("POST", admin.core("pods"), b"nonsense", content_type=kind).status_code == 400

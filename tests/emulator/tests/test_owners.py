# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners that put an object back, hosted control planes, and the marks that say who owns what."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Callable

import pytest
import requests
from emulator.client import ApiClient, ControlClient
from registries.fleet import RegistryFleet

from .conftest import source

MERGE = "application/merge-patch+json"
PULL_SECRET = "/api/v1/namespaces/openshift-config/secrets/pull-secret"


@pytest.fixture(autouse=True)
def no_owner_stays(control: ControlClient) -> t.Iterator[None]:
    yield
    control.send("DELETE", "owners")


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_owner_puts_a_secret_back(admin: ApiClient, control: ControlClient) -> None:
    """Its own fields, and of exact ones nothing else; what it does not name stays."""
    path = admin.core("secrets", "s")
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": admin.namespace},
        "data": {"a": "YQ=="},
    }
    owner = control.own(document, "data")
    assert admin.send("GET", path).json()["data"] == {"a": "YQ=="}
    admin.send("PATCH", path, {"metadata": {"labels": {"ours": "yes"}}}, content_type=MERGE).raise_for_status()
    time.sleep(0.5)
    assert control.rounds(owner) == 0
    admin.send("PATCH", path, {"data": {"b": "Yg=="}}, content_type=MERGE).raise_for_status()
    wait_for(lambda: control.rounds(owner) == 1)
    now = admin.send("GET", path).json()
    assert (now["data"], now["metadata"]["labels"]) == ({"a": "YQ=="}, {"ours": "yes"})
    admin.send("DELETE", path).raise_for_status()
    wait_for(lambda: admin.send("GET", path).status_code == 200)
    assert control.rounds(owner) == 2
    control.send("DELETE", f"owners/{owner}")
    admin.send("DELETE", path).raise_for_status()
    time.sleep(0.5)
    assert admin.send("GET", path).status_code == 404


def test_an_owner_of_a_stream_wants_its_tags_and_leaves_the_history(admin: ApiClient, control: ControlClient) -> None:
    """Tags merge by name, as with Argo CD."""
    image = "registry.example.com/team/web"
    tag = {"name": "v1", "from": {"kind": "DockerImage", "name": f"{image}:v1"}}
    metadata = {"name": "s", "namespace": admin.namespace}
    admin.send(
        "POST", admin.image("imagestreams"), {"metadata": metadata, "spec": {"tags": [tag, {**tag, "name": "other"}]}}
    ).raise_for_status()
    owner = control.own(
        {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": metadata, "spec": {"tags": [tag]}}
    )
    patch = {"spec": {"tags": [{"name": "v1", "from": {"kind": "DockerImage", "name": f"{image}:v2"}}]}}
    admin.send(
        "PATCH", admin.image("imagestreams", "s"), patch, content_type="application/strategic-merge-patch+json"
    ).raise_for_status()
    wait_for(lambda: control.rounds(owner) == 1)
    assert {one["name"]: one["from"]["name"] for one in admin.stream("s")["spec"]["tags"]} == {
        "v1": f"{image}:v1",
        "other": f"{image}:v1",
    }


def test_what_is_no_owner(control: ControlClient) -> None:
    for wrong in (
        {},
        {"document": {"kind": "Secret"}},
        {"document": {"apiVersion": "v1", "kind": "Secret", "metadata": {}}},
        {"nonsense": 1},
    ):
        with pytest.raises(requests.HTTPError):
            control.send("POST", "owners", wrong)


def test_a_hosted_control_plane(admin: ApiClient, control: ControlClient, fleet: RegistryFleet) -> None:
    """Its pull secret is put back, and imports see nothing of the additional one."""
    infrastructure = "/apis/config.openshift.io/v1/infrastructures/cluster"
    assert admin.send("GET", infrastructure).json()["status"]["controlPlaneTopology"] == "HighlyAvailable"
    control.change(control_plane_topology="External")
    assert admin.send("GET", infrastructure).json()["status"]["controlPlaneTopology"] == "External"
    host = fleet.hosts()["private"]
    content = json.dumps({"auths": {host: {"username": fleet.credential[0], "password": fleet.credential[1]}}})
    secret = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": content}}
    additional = "/api/v1/namespaces/kube-system/secrets"
    admin.send("POST", additional, {"metadata": {"name": "additional-pull-secret"}, **secret}).raise_for_status()
    try:
        answer = admin.import_images("s", source(f"{host}/team/web:v2", "v2"), store=False)
        assert answer.json()["status"]["images"][0]["status"]["reason"] == "Unauthorized"
    finally:
        admin.send("DELETE", f"{additional}/additional-pull-secret")
    before = admin.send("GET", PULL_SECRET).json()["data"]
    admin.send("PATCH", PULL_SECRET, secret, content_type=MERGE).raise_for_status()
    wait_for(lambda: admin.send("GET", PULL_SECRET).json()["data"] == before)


def test_marks_of_owners_are_kept(admin: ApiClient) -> None:
    """References, annotations and managed fields, on every kind in use and over updates that do not name them."""
    marks = {
        "ownerReferences": [
            {
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "name": "e",
                "uid": "1-2",
                "controller": True,
            }
        ],
        "annotations": {"argocd.argoproj.io/tracking-id": "app:/Secret:ns/s"},
        "managedFields": [
            {
                "manager": "externalsecrets.external-secrets.io",
                "operation": "Update",
                "apiVersion": "v1",
                "fieldsType": "FieldsV1",
            }
        ],
    }
    for path in (admin.core("secrets"), admin.core("serviceaccounts"), admin.image("imagestreams")):
        made = admin.send("POST", path, {"metadata": {"name": "s", **marks}}).json()
        assert {key: made["metadata"][key] for key in marks} == marks
        patched = admin.send("PATCH", f"{path}/s", {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE).json()
        assert {key: patched["metadata"][key] for key in marks} == marks
        del patched["metadata"]["managedFields"]
        assert admin.send("PUT", f"{path}/s", patched).json()["metadata"]["managedFields"] == marks["managedFields"]
        cleared = admin.send("PATCH", f"{path}/s", {"metadata": {"managedFields": [{}]}}, content_type=MERGE).json()
        assert "managedFields" not in cleared["metadata"]

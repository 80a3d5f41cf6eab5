# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in for the Cluster Samples Operator."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator

import pytest
from emulator.client import ApiClient, ControlClient
from emulator.samples_operator import LABEL, NAMESPACE
from emulator.server import Emulator
from registries.embedded import EmbeddedRegistry

CONFIG = "/apis/samples.operator.openshift.io/v1/configs/cluster"
MERGE = "application/merge-patch+json"
Object = dict[str, t.Any]


def wait_for(truth: Callable[[], t.Any], seconds: float = 15.0) -> t.Any:
    """Return the first true value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = truth()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def openshift(
    emulator: Emulator, client: Callable[..., ApiClient], control: ControlClient, plain: EmbeddedRegistry
) -> Iterator[ApiClient]:
    """Yield the administrator in the namespace of the samples: one sample from the plain registry, and a running
    operator."""
    api = client(emulator.admin_token, NAMESPACE)
    source = {"kind": "DockerImage", "name": f"{plain.host}/team/plain:v1"}
    tags = [{"name": "v1", "from": source, "importPolicy": {"insecure": True}}]
    body = {"metadata": {"name": "sample", "labels": {LABEL: "true"}}, "spec": {"tags": tags}}
    assert api.send("POST", api.image("imagestreams"), body).status_code == 201
    control.change(samples_operator=True)
    yield api
    control.change(samples_operator=False)
    api.send("DELETE", CONFIG)
    api.send("DELETE", api.image("imagestreams", "sample"))


def configured(api: ApiClient, **spec: t.Any) -> Object:
    """Return the status once the operator has done what the specification says, and nothing is under way."""
    api.send("PATCH", CONFIG, {"spec": spec}, content_type=MERGE).raise_for_status()

    def done() -> Object | None:
        config = api.send("GET", CONFIG).json()
        status = config.get("status", {})
        applied = all((status.get(field) or None) == (value or None) for field, value in spec.items())
        return status if applied and conditions(status)["ImageChangesInProgress"] == "False" else None

    return t.cast(Object, wait_for(done))


def conditions(status: Object) -> dict[str, str]:
    """Return the conditions' states."""
    return {entry["type"]: entry["status"] for entry in status["conditions"]}


def test_samples_follow_the_registry_and_failures_are_reported(openshift: ApiClient, plain: EmbeddedRegistry) -> None:
    """Imports come from the registry of the configuration; an import that failed is said, and forgotten once it
    succeeds."""
    status = configured(openshift, samplesRegistry=plain.host)
    assert (conditions(status)["SamplesExist"], conditions(status)["ImportImageErrorsExist"]) == ("True", "False")
    assert openshift.stream("sample")["status"]["tags"][0]["items"]

    status = configured(openshift, samplesRegistry=f"{plain.host}/absent")
    assert conditions(status)["ImportImageErrorsExist"] == "True"
    assert [entry["reason"] for entry in status["conditions"] if entry["type"] == "ImportImageErrorsExist"] == [
        "sample"
    ]
    assert openshift.stream("sample")["spec"]["tags"][0]["from"]["name"] == f"{plain.host}/absent/team/plain:v1"

    status = configured(openshift, samplesRegistry=plain.host)
    assert conditions(status)["ImportImageErrorsExist"] == "False"


def test_skipped_samples_stay_and_removed_ones_come_back(openshift: ApiClient, plain: EmbeddedRegistry) -> None:
    """A skipped stream only loses its label's value; Removed deletes what is managed; Managed recreates it."""
    configured(openshift, samplesRegistry=plain.host, skippedImagestreams=["sample"])
    assert openshift.stream("sample")["metadata"]["labels"][LABEL] == "false"
    configured(openshift, managementState="Removed")
    assert openshift.stream("sample")
    configured(openshift, managementState="Managed", skippedImagestreams=[])
    assert openshift.stream("sample")["metadata"]["labels"][LABEL] == "true"
    status = configured(openshift, managementState="Removed")
    assert conditions(status)["SamplesExist"] == "False"
    assert openshift.send("GET", openshift.image("imagestreams", "sample")).status_code == 404
    configured(openshift, managementState="Managed")
    assert openshift.stream("sample")["status"]["tags"][0]["items"]


def test_unmanaged_samples_are_left_alone(openshift: ApiClient, plain: EmbeddedRegistry) -> None:
    """The status says so, and nothing else happens."""
    configured(openshift, samplesRegistry=plain.host)
    configured(openshift, managementState="Unmanaged")
    openshift.send("PATCH", CONFIG, {"spec": {"samplesRegistry": "elsewhere.example.com"}}, content_type=MERGE)
    time.sleep(1)
    assert openshift.stream("sample")["spec"]["tags"][0]["from"]["name"] == f"{plain.host}/team/plain:v1"

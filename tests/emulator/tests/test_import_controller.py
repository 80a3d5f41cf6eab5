# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The import controller: what it imports, when, and how a test says when. What it makes of a stream is in
contract/controller."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable

import pytest
from emulator.client import ApiClient, ControlClient
from emulator.import_controller import INTERVAL
from registries.embedded import EmbeddedRegistry
from registries.fleet import RegistryFleet

from .conftest import source

STRATEGIC = "application/strategic-merge-patch+json"
Push = Callable[..., str]


@pytest.fixture
def push(fleet: RegistryFleet, plain: EmbeddedRegistry) -> Push:
    """Pushes an image to the plain registry; the registry is put back afterwards."""

    def make(tag: str, salt: str) -> str:
        with fleet.client("plain") as client:
            return client.push_image("team/moving", tag, ["linux/amd64"], salt=salt)

    return make


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def create(admin: ApiClient, **tags: dict[str, t.Any]) -> None:
    """Create a stream with insecure external tags."""
    sources = {name: {"kind": "DockerImage", "name": policy.pop("image")} for name, policy in tags.items()}
    spec = [
        {"name": name, "from": sources[name], "importPolicy": {"insecure": True, **policy}}
        for name, policy in tags.items()
    ]
    admin.send(
        "POST", admin.image("imagestreams"), {"metadata": {"name": "s"}, "spec": {"tags": spec}}
    ).raise_for_status()


def histories(admin: ApiClient) -> dict[str, list[str]]:
    """Return the digests of each tag, newest first."""
    return {
        tag["tag"]: [item["image"] for item in tag.get("items") or []]
        for tag in admin.stream("s")["status"].get("tags") or []
    }


def conditions(admin: ApiClient) -> dict[str, str]:
    """Return the reasons of failed tags."""
    return {
        tag["tag"]: entry["reason"]
        for tag in admin.stream("s")["status"]["tags"]
        for entry in tag.get("conditions") or []
    }


def generations(admin: ApiClient) -> dict[str, int]:
    return {tag["name"]: tag["generation"] for tag in admin.stream("s")["spec"]["tags"]}


def test_it_imports_what_is_new_or_changed_and_leaves_failures_alone(
    admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry
) -> None:
    control.change(import_controller=True)
    create(admin, good={"image": f"{plain.host}/team/plain:v1"}, bad={"image": f"{plain.host}/team/plain:absent"})
    assert "tags" not in admin.stream("s")["status"]
    wait_for(lambda: len(histories(admin)) == 2)
    assert [len(items) for items in histories(admin).values()] == [0, 1]
    assert conditions(admin) == {"bad": "NotFound"}
    patch = {
        "spec": {"tags": [{"name": "good", "from": {"kind": "DockerImage", "name": f"{plain.host}/team/plain:v2"}}]}
    }
    admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC).raise_for_status()
    wait_for(lambda: len(histories(admin)["good"]) == 2)
    settled = admin.stream("s")
    time.sleep(1.0)
    assert admin.stream("s") == settled


def test_it_acts_when_it_is_told_to(admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry) -> None:
    """Without a time of its own nothing is imported before; a failure is not tried again."""
    control.change(import_controller=True, import_controller_after=None)
    create(admin, bad={"image": f"{plain.host}/team/plain:absent"})
    time.sleep(0.5)
    assert histories(admin) == {}
    assert control.let_import(admin.namespace) == [{"namespace": admin.namespace, "name": "s", "code": 201}]
    assert conditions(admin) == {"bad": "NotFound"}
    assert control.let_import(admin.namespace) == []


def test_scheduled_tags_are_imported_when_they_moved(
    admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry, push: Push
) -> None:
    """Measured (server-behaviour.md 2.11): only scheduled tags that moved get a generation and an item."""
    image = f"{plain.host}/team/moving:v1"
    first = push("v1", "one")
    push("other", "other")
    create(
        admin,
        moves={"image": image, "scheduled": True},
        fixed={"image": f"{plain.host}/team/moving@{first}", "scheduled": True},
        other={"image": f"{plain.host}/team/moving:other", "scheduled": True},
        rests={"image": image},
    )
    control.let_import(admin.namespace)
    assert control.let_import(admin.namespace, scheduled=True)[0]["code"] == 201
    assert generations(admin) == {"fixed": 2, "moves": 2, "other": 2, "rests": 2}
    second = push("v1", "two")
    control.let_import(admin.namespace, scheduled=True)
    assert generations(admin) == {"fixed": 2, "moves": 3, "other": 2, "rests": 2}
    assert (histories(admin)["moves"], histories(admin)["rests"]) == ([second, first], [first])
    del plain.content.repositories["team/moving"].tags["v1"]
    control.let_import(admin.namespace, scheduled=True)
    assert (histories(admin)["moves"], conditions(admin)) == ([second, first], {"moves": "NotFound"})
    assert generations(admin)["moves"] == 4
    version = admin.stream("s")["metadata"]["resourceVersion"]
    control.let_import(admin.namespace, scheduled=True)
    assert admin.stream("s")["metadata"]["resourceVersion"] == version


def test_the_interval_of_scheduled_imports(
    admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry, push: Push
) -> None:
    """A quarter of an hour, or what is set."""
    assert control.send("GET", "settings")["scheduled_imports_every"] == INTERVAL == 900
    control.change(import_controller=True, import_controller_after=0.0, scheduled_imports_every=0.4)
    first = push("v1", "one")
    create(admin, moves={"image": f"{plain.host}/team/moving:v1", "scheduled": True})
    wait_for(lambda: histories(admin) == {"moves": [first]})
    for salt in ("two", "three"):
        newest = push("v1", salt)
        wait_for(lambda newest=newest: histories(admin)["moves"][0] == newest)
    control.change(import_controller=False)
    push("v1", "four")
    time.sleep(1.0)
    assert histories(admin)["moves"][0] == newest


def test_it_tries_again_after_a_refusal(admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry) -> None:
    """Without the image configuration every import is a 500; the controller comes back by itself."""
    config = "/apis/config.openshift.io/v1/images/cluster"
    kept = admin.send("GET", config).json()
    admin.send("DELETE", config).raise_for_status()
    try:
        control.change(import_controller=True, import_controller_after=None)
        create(admin, good={"image": f"{plain.host}/team/plain:v1"})
        assert [one["code"] for one in control.let_import(admin.namespace)] == [500]
        control.change(import_controller_after=0.0)
        time.sleep(0.2)
        assert histories(admin) == {}
    finally:
        restored = {"metadata": {"name": "cluster"}, "spec": kept.get("spec") or {}}
        admin.send("POST", config.rpartition("/")[0], restored).raise_for_status()
    wait_for(lambda: len(histories(admin).get("good", ())) == 1)


@pytest.mark.parametrize(("moment", "seen"), [("before", [0, 1, 1]), ("after", [0, 0, 1])])
def test_it_acts_at_a_chosen_request(
    admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry, moment: str, seen: list[int]
) -> None:
    """Before a request is looked at, or after the work and before the answer."""
    create(admin, good={"image": f"{plain.host}/team/plain:v1"})
    control.fault(method="GET", path=f"{admin.namespace}/", skip=1, imports=moment)
    assert [len(histories(admin)) for _turn in range(3)] == seen


def test_it_acts_in_the_middle_of_an_import(admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry) -> None:
    """Between look-ups and write: one of the two is refused, also if it names no version."""
    image = f"{plain.host}/team/plain:v1"
    create(admin, good={"image": image})
    control.fault(method="POST", path="imagestreamimports$", imports="during")
    assert admin.import_images("s", source(image, "good", insecure=True)).status_code == 409
    assert len(histories(admin)["good"]) == 1
    assert admin.import_images("s", source(image, "good", insecure=True)).status_code == 201

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator and one set of registries for all tests; each test has a namespace of its own."""

from __future__ import annotations

import secrets
import typing as t
from pathlib import Path

import pytest
from emulator.client import ApiClient, ControlClient
from emulator.server import Emulator, EmulatorSettings, EmulatorThread
from registries.content import load_contents
from registries.embedded import EmbeddedRegistry
from registries.fleet import RegistryFleet

RECORDED = Path(__file__).parents[2] / "contract" / "registry.json"
ClientFactory = t.Callable[..., ApiClient]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RegistryFleet]:
    """Yield the registries of the contract, embedded so that they can misbehave."""
    contents = load_contents(RECORDED)
    with RegistryFleet(tmp_path_factory.mktemp("registries"), contents, engine="embedded") as running:
        yield running


@pytest.fixture(scope="session")
def emulator(fleet: RegistryFleet, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Emulator]:
    """Yield an emulator that trusts the registries' authority, with every switch off."""
    switches = {"import_controller": False}
    settings = EmulatorSettings(
        tmp_path_factory.mktemp("emulator"), registry_cas=[fleet.certificates.ca_file], switches=switches
    )
    with EmulatorThread(settings) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> t.Iterator[ClientFactory]:
    """Make clients: by token and namespace."""
    made: list[ApiClient] = []

    def make(token: str | None, namespace: str = "") -> ApiClient:
        made.append(ApiClient(emulator.url, emulator.ca_file, token, namespace))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def admin(emulator: Emulator, client: ClientFactory) -> t.Iterator[ApiClient]:
    """Yield the administrator in a fresh namespace, which is removed afterwards."""
    made = client(emulator.admin_token, f"test-{secrets.token_hex(4)}")
    assert made.send("POST", "/api/v1/namespaces", {"metadata": {"name": made.namespace}}).status_code == 201
    yield made
    made.send("DELETE", f"/api/v1/namespaces/{made.namespace}")


@pytest.fixture
def control(emulator: Emulator) -> t.Iterator[ControlClient]:
    """Yield the control endpoint; faults are off and switches back afterwards."""
    with ControlClient(emulator.url, emulator.ca_file, emulator.control_token) as made:
        before = made.send("GET", "settings")
        yield made
        made.clear_faults()
        made.change(**before)


@pytest.fixture
def plain(fleet: RegistryFleet) -> t.Iterator[EmbeddedRegistry]:
    """Yield the plain registry; its faults are off and its content is back afterwards."""
    registry = fleet.running["plain"]
    assert isinstance(registry, EmbeddedRegistry)
    repositories = dict(registry.content.repositories)
    yield registry
    registry.switches.faults = []
    registry.content.repositories.clear()
    registry.content.repositories.update(repositories)


def source(image: str, tag: str = "", **policy: t.Any) -> dict[str, t.Any]:
    """Return an entry of ``spec.images``."""
    entry: dict[str, t.Any] = {"from": {"kind": "DockerImage", "name": image}, "importPolicy": policy}
    return {**entry, "to": {"name": tag}} if tag else entry

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries with the recorded content, an emulator that trusts them, and a namespace for each test."""

from __future__ import annotations

import secrets
import typing as t
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from emulator.client import ApiClient, ControlClient
from emulator.server import Emulator, EmulatorSettings, EmulatorThread
from registries.content import load_contents
from registries.fleet import RegistryFleet

from traps.scene import Scene, connection_to

OpenScene = t.Callable[[], AbstractContextManager[Scene]]
_FEW_PASTS = 6
_RECORDED = Path(__file__).parents[1] / "contract" / "registry.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many random pasts are tried."""
    parser.addoption("--pasts", type=int, default=_FEW_PASTS, help="number of random pasts of a stream")


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RegistryFleet]:
    with RegistryFleet(tmp_path_factory.mktemp("registries"), load_contents(_RECORDED)) as running:
        yield running


@pytest.fixture(scope="session")
def emulator(fleet: RegistryFleet, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Emulator]:
    # Quiet: scenes count the engine's own requests. Those that are about the import controller turn it on, or say when
    # it acts.
    switches = {"import_controller": False}
    settings = EmulatorSettings(
        tmp_path_factory.mktemp("emulator"), registry_cas=[fleet.certificates.ca_file], switches=switches
    )
    with EmulatorThread(settings) as running:
        yield running


@pytest.fixture(scope="session")
def open_scene(emulator: Emulator, fleet: RegistryFleet) -> OpenScene:
    """Make a namespace without any credential, for a ``with`` block; the switches and faults of the emulator are put
    back at its end."""

    @contextmanager
    def opened() -> t.Iterator[Scene]:
        namespace = f"trap-{secrets.token_hex(5)}"
        with (
            ApiClient(emulator.url, emulator.ca_file, emulator.admin_token, namespace) as api,
            ControlClient(emulator.url, emulator.ca_file, emulator.control_token) as control,
        ):
            before = control.send("GET", "settings")
            api.send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}).raise_for_status()
            scene = Scene(
                namespace, fleet, api, control, connection_to(emulator.url, str(emulator.ca_file), emulator.admin_token)
            )
            yield scene
            scene.close()
            api.send("DELETE", f"/api/v1/namespaces/{namespace}").raise_for_status()
            control.clear_faults()
            control.change(**before)

    return opened


@pytest.fixture
def bare_scene(open_scene: OpenScene) -> t.Iterator[Scene]:
    """Yield a namespace without any credential."""
    with open_scene() as scene:
        yield scene


@pytest.fixture
def control(bare_scene: Scene) -> ControlClient:
    """Return the emulator's switches and faults, which are put back after each test."""
    return bare_scene.control


@pytest.fixture
def scene(bare_scene: Scene) -> Scene:
    """Return a namespace with the private registry's credential."""
    bare_scene.secret("pull", {bare_scene.hosts["private"]: bare_scene.good_credential()})
    return bare_scene

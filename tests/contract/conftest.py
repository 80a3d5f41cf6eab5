# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cases are replayed, and the registries and the emulator that they are replayed against."""

from __future__ import annotations

import json
import socket
import typing as t
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from emulator.client import ControlClient
from emulator.server import EmulatorSettings, EmulatorThread
from registries.content import load_contents
from registries.fleet import RegistryFleet

from contract.replay import Laboratory

_HERE = Path(__file__).parent
# Written literally in cases: the port that the private registry had, and one where nothing listened. The registry
# gets any free port here, for several runs may go on at once.
_PRIVATE_PORT = 25001
_UNUSED_PORT = 25999
_OURS = (
    (_HERE / "cases", _HERE / "registry.json"),
    (_HERE / "controller" / "cases", _HERE / "controller" / "registry.json"),
)


@dataclass(frozen=True)
class Place:
    """An emulator with registries that have the content of a recording, and its switches."""

    laboratory: Laboratory
    control: ControlClient


def pytest_addoption(parser: pytest.Parser) -> None:
    """Other recordings than our own."""
    parser.addoption("--cases", type=Path, help="folder of recorded cases (default: our own)")
    parser.addoption(
        "--registry",
        type=Path,
        help="what the registries served then (default: registry.json beside that folder, or our own)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case; a folder without any is an error."""
    if "case" not in metafunc.fixturenames:
        return
    found = [(case, registry) for folder, registry in recordings(metafunc.config) for case in read_cases(folder)]
    metafunc.parametrize(("case", "registry"), found, ids=[case["name"] for case, _registry in found])


def recordings(config: pytest.Config) -> t.Sequence[tuple[Path, Path]]:
    """Return the folders of cases, each with the content of its registries."""
    folder: Path | None = config.getoption("cases")
    registry: Path | None = config.getoption("registry")
    if folder is None:
        return [(ours, registry or content) for ours, content in _OURS]
    beside = folder.parent / "registry.json"
    return [(folder, registry or (beside if beside.is_file() else _HERE / "registry.json"))]


def read_cases(folder: Path) -> list[dict[str, t.Any]]:
    """Return the cases of a folder, each with its name."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise pytest.UsageError(f"there are no cases in {folder}")
    cases = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for case, file in zip(cases, files, strict=True):
        case.setdefault("name", file.stem)
    return cases


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Callable[[Path], Place]]:
    """Start a place for the content of registries when it is first asked for."""
    started: dict[Path, Place] = {}
    with ExitStack() as stack:

        def place(registry: Path) -> Place:
            if registry not in started:
                started[registry] = _start(registry, tmp_path_factory, stack)
            return started[registry]

        yield place


@pytest.fixture
def laboratory(case: dict[str, t.Any], registry: Path, places: Callable[[Path], Place]) -> Laboratory:
    """Registries with the recorded content, and an emulator that trusts their authority. Its import controller runs for
    cases that waited for controllers, as in the recording."""
    place = places(registry)
    place.control.change(import_controller=any(step.get("settled") for step in case["steps"]))
    return place.laboratory


def _start(registry: Path, folders: pytest.TempPathFactory, stack: ExitStack) -> Place:
    fleet = stack.enter_context(RegistryFleet(folders.mktemp("registries"), load_contents(registry)))
    settings = EmulatorSettings(folders.mktemp("emulator"), registry_cas=[fleet.certificates.ca_file])
    emulator = stack.enter_context(EmulatorThread(settings))
    control = stack.enter_context(ControlClient(emulator.url, emulator.ca_file, emulator.control_token))
    private_port = fleet.hosts()["private"].rpartition(":")[2]
    literals = {f":{_PRIVATE_PORT}": f":{private_port}", f":{_UNUSED_PORT}": f":{_unused_port()}"}
    return Place(Laboratory(emulator.url, emulator.ca_file, emulator.admin_token, fleet.hosts(), literals), control)


def _unused_port() -> int:
    """Return the recorded port, or another where nothing listens."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", _UNUSED_PORT)) != 0:
            return _UNUSED_PORT
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cases are replayed, and the registries and the emulator that they are replayed against."""

from __future__ import annotations

import json
import socket
import typing as t
from pathlib import Path

import pytest
from emulator.server import EmulatorSettings, EmulatorThread
from registries.content import load_contents
from registries.fleet import RegistryFleet

from contract.replay import Laboratory

_HERE = Path(__file__).parent
# Written literally in cases: the port that the private registry had, and one where nothing listened. The registry
# gets any free port here, for several runs may go on at once.
_PRIVATE_PORT = 25001
_UNUSED_PORT = 25999


def pytest_addoption(parser: pytest.Parser) -> None:
    """Other recordings than our own."""
    parser.addoption("--cases", type=Path, default=_HERE / "cases", help="folder of recorded cases")
    parser.addoption("--registry", type=Path, default=_HERE / "registry.json", help="what the registries served then")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case; a folder without any is an error."""
    if "case" in metafunc.fixturenames:
        folder: Path = metafunc.config.getoption("cases")
        files = sorted(folder.glob("*.json"))
        if not files:
            raise pytest.UsageError(f"there are no cases in {folder}")
        cases = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        for case, file in zip(cases, files, strict=True):
            case.setdefault("name", file.stem)
        metafunc.parametrize("case", cases, ids=[file.stem for file in files])


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Laboratory]:
    """Registries with the recorded content, and an emulator that trusts their authority."""
    contents = load_contents(request.config.getoption("registry"))
    with RegistryFleet(tmp_path_factory.mktemp("registries"), contents) as fleet:
        settings = EmulatorSettings(tmp_path_factory.mktemp("emulator"), registry_cas=[fleet.certificates.ca_file])
        with EmulatorThread(settings) as emulator:
            private_port = fleet.hosts()["private"].rpartition(":")[2]
            literals = {f":{_PRIVATE_PORT}": f":{private_port}", f":{_UNUSED_PORT}": f":{_unused_port()}"}
            yield Laboratory(emulator.url, emulator.ca_file, emulator.admin_token, fleet.hosts(), literals)


def _unused_port() -> int:
    """The recorded port, or another where nothing listens."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", _UNUSED_PORT)) != 0:
            return _UNUSED_PORT
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

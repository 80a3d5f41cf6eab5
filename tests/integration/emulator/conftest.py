# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator for each test, with its switches turned: what no real cluster does when it is asked to."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulator.server import Emulator, EmulatorSettings, EmulatorThread
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.surroundings import Surroundings


@pytest.fixture
def switches() -> dict[str, t.Any]:
    """Return the switches as this test wants them; a test overrides it by parameters."""
    return {}


@pytest.fixture
def emulator(given: Surroundings, tmp_path: Path, switches: dict[str, t.Any]) -> Iterator[Emulator]:
    """Yield the emulator, which trusts the private registry."""
    ca_file = given.registries["private"].ca_file
    settings = EmulatorSettings(tmp_path / "emulator", registry_cas=[ca_file] if ca_file else [], switches=switches)
    with EmulatorThread(settings) as running:
        yield running


@pytest.fixture
def cluster(emulator: Emulator) -> Iterator[Cluster]:
    """Yield the emulator as its administrator sees it."""
    cluster = Cluster(emulator.kubeconfig)
    yield cluster
    cluster.close()


@pytest.fixture
def playbooks(emulator: Emulator, tmp_path: Path) -> Playbooks:
    """Run playbooks on the emulator."""
    return Playbooks(tmp_path, {"KUBECONFIG": str(emulator.kubeconfig)})

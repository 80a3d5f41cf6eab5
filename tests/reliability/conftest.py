# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator and a registry for the whole session, and a place with namespaces of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from emulator.client import ApiClient
from emulator.server import EmulatorSettings, EmulatorThread
from registries.access import BasicAccess
from registries.certificates import Certificates, create_certificates
from registries.client import RegistryAddress, RegistryClient
from registries.content import RegistryContent
from registries.embedded import EmbeddedRegistry
from registries.fleet import start_embedded

from .place import PASSWORD, Place
from .running import set_pace


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return create_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def registry(certificates: Certificates) -> Iterator[EmbeddedRegistry]:
    """Yield a private registry over TLS, with a few tags of one repository."""
    running = start_embedded(RegistryContent(), access=BasicAccess("puller", PASSWORD), key_pair=certificates.trusted)
    with RegistryClient(RegistryAddress(running.host, "puller", PASSWORD, certificates.ca_file)) as client:
        for tag in ("old", *(f"v{number}" for number in range(1, 10))):
            client.push_image("team/web", tag, ["linux/amd64"], salt=tag)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def emulator(
    registry: EmbeddedRegistry, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorThread]:
    thread = EmulatorThread(EmulatorSettings(tmp_path_factory.mktemp("emulator"), registry_cas=[certificates.ca_file]))
    with thread:
        yield thread


@pytest.fixture
def place(
    emulator: EmulatorThread, registry: EmbeddedRegistry, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    for name in [name for name in os.environ if name.startswith("K8S_AUTH_") or name == "KUBECONFIG"]:
        monkeypatch.delenv(name)
    set_pace()
    server = emulator.emulator
    with ApiClient(server.url, server.ca_file, server.admin_token) as api:
        made = Place(server, registry, api, str(certificates.ca_file), emulator.call)
        made.open()
        yield made
        made.close()


def pytest_configure(config: pytest.Config) -> None:
    """Ignore what only the garbage collector closes: connections that are torn off in the middle of a handshake."""
    config.addinivalue_line("markers", "rounds(short, long): how often the test does what it does")
    for words in ("unclosed transport", "unclosed <socket"):
        config.addinivalue_line("filterwarnings", f"ignore:{words}:ResourceWarning")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a test does what it does: a few times in ``make test``, many in ``make soak``."""
    short, long = request.node.get_closest_marker("rounds").args
    return int(long if os.environ.get("QUAYSIDE_SOAK") else short)

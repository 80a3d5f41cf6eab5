# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of emulated clusters in this process, and the example inventory of docs/examples/fleet for them.

Every cluster is as its inventory declares, except for three kinds: the first one is reached by nobody, the second
forbids its user everything, and every fifth one has a tag whose import mode somebody changed.
"""

from __future__ import annotations

import base64
import json
import shutil
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from ansible.constants import DEFAULT_VAULT_ID_MATCH
from ansible.parsing.vault import VaultLib, VaultSecret
from emulator.access import AUTHENTICATED, User
from emulator.client import IMAGE, ApiClient
from emulator.server import Emulator, EmulatorSettings, EmulatorThread
from registries.certificates import write_private
from registries.client import RegistryAddress, RegistryClient

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "fleet"
NAMESPACE = "shop"
TAGS = {"v1": "linux/amd64 linux/arm64", "v2": "linux/amd64"}
UNREACHABLE, FORBIDDEN, EVERY_DRIFTED = 0, 1, 5
_STRANGER = User("stranger", (AUTHENTICATED,))
_VAULT_PASSWORD = "a-password-of-the-vault"


@dataclass
class EmulatedFleet:
    """``count`` clusters, between ``start`` and ``stop`` or within ``with``; the images are in the ``registry``."""

    directory: Path
    registry: RegistryAddress
    count: int
    repository: str = "team"
    inventory: Path = field(init=False)
    emulators: dict[str, Emulator] = field(default_factory=dict, init=False)
    _thread: EmulatorThread | None = field(default=None, init=False)

    def __enter__(self) -> EmulatedFleet:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def names(self) -> list[str]:
        """The clusters in order."""
        return [f"cluster-{number:03}" for number in range(self.count)]

    def drifted(self) -> list[str]:
        """Return the clusters where somebody changed something."""
        return [name for number, name in enumerate(self.names) if number % EVERY_DRIFTED == EVERY_DRIFTED - 1]

    def of_several_architectures(self) -> list[str]:
        """Return the clusters that hold whole manifest lists, if the inventory is used with its constructed
        groups."""
        return [self.names[-2]]

    @property
    def unreachable(self) -> str:
        """The cluster whose API server nobody answers for."""
        return self.names[UNREACHABLE]

    @property
    def forbidden(self) -> str:
        """The cluster whose user may do nothing."""
        return self.names[FORBIDDEN]

    def start(self) -> None:
        """Push the images, start the clusters, bring each into its state, write the inventory."""
        with RegistryClient(self.registry) as client:
            for tag, platforms in TAGS.items():
                client.push_image(f"{self.repository}/web", tag, platforms.split(), salt=tag, image_format="docker")
        try:
            for name in self.names:
                self._start_cluster(name)
            for name in self.names:
                self._set_up(self.emulators[name], drifted=name in self.drifted())
            self.inventory = self._write_inventory()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all of them."""
        if self._thread is None:
            return
        _first, *others = self.emulators.values()
        for emulator in others:
            self._thread.call(emulator.stop())
        self._thread.stop()
        self._thread = None

    @property
    def vault_options(self) -> tuple[str, ...]:
        """The options with which ansible-playbook opens the vault."""
        return ("--vault-password-file", str(self.directory / "vault-password"))

    def _start_cluster(self, name: str) -> None:
        """All clusters share one event loop, that of the first one."""
        ca_file = self.registry.ca_file
        # Quiet: a hundred clusters share one event loop, and what is measured is the report.
        switches = {"import_controller": False}
        settings = EmulatorSettings(self.directory / name, registry_cas=[ca_file] if ca_file else [], switches=switches)
        if self._thread is None:
            self._thread = EmulatorThread(settings)
            self.emulators[name] = self._thread.start()
        else:
            emulator = Emulator(settings)
            self._thread.call(emulator.start())
            self.emulators[name] = emulator

    def _set_up(self, emulator: Emulator, *, drifted: bool) -> None:
        auth = base64.b64encode(f"{self.registry.username}:{self.registry.password}".encode()).decode()
        content = json.dumps({"auths": {self.registry.host: {"auth": auth}}})
        data = {".dockerconfigjson": base64.b64encode(content.encode()).decode()}
        secret = {"metadata": {"name": "registry"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
        account = {"metadata": {"name": "default"}, "imagePullSecrets": [{"name": "registry"}]}
        images = [
            {
                "from": {"kind": "DockerImage", "name": self._image(tag)},
                "to": {"name": tag},
                "importPolicy": {"importMode": "Legacy"},
            }
            for tag in TAGS
        ]
        imported = {"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": {"import": True, "images": images}}
        with ApiClient(emulator.url, emulator.ca_file, emulator.admin_token, NAMESPACE) as client:
            for path, document in (
                ("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
                (client.core("secrets"), secret),
                (client.core("serviceaccounts"), account),
                (client.image("imagestreamimports"), imported),
            ):
                client.send("POST", path, document).raise_for_status()
            if drifted:
                change = {"spec": {"tags": [{"name": "v1", "importPolicy": {"importMode": "PreserveOriginal"}}]}}
                path = f"{IMAGE}/namespaces/{NAMESPACE}/imagestreams/web"
                client.send(
                    "PATCH", path, change, content_type="application/strategic-merge-patch+json"
                ).raise_for_status()

    def _image(self, tag: str) -> str:
        return f"{self.registry.host}/{self.repository}/web:{tag}"

    def _write_inventory(self) -> Path:
        """Return the example with these clusters, this registry and a vault that is closed."""
        inventory = self.directory / "inventory"
        shutil.copytree(EXAMPLE, inventory)
        shared = inventory / "group_vars" / "clusters" / "vars.yml"
        text = shared.read_text(encoding="utf-8")
        text = text.replace("registry.example.com:5000/team/", f"{self.registry.host}/{self.repository}/")
        text = text.replace("registry.example.com:5000", self.registry.host)
        shared.write_text(text.replace("username: puller", f"username: {self.registry.username}"))
        tokens: dict[str, str] = {}
        hosts: dict[str, dict[str, t.Any]] = {}
        inventory.joinpath("ca").mkdir()
        for number, (name, emulator) in enumerate(self.emulators.items()):
            shutil.copy(emulator.ca_file, inventory / "ca" / f"{name}.crt")
            tokens[name] = emulator.cluster.access.issue(_STRANGER) if number == FORBIDDEN else emulator.admin_token
            url = "https://127.0.0.1:9" if number == UNREACHABLE else emulator.url
            hosts[name] = {
                "k8s_auth_host": url,
                "cluster_region": ("north", "south")[number % 2],
                "cluster_architectures": ["amd64"],
            }
            if name in self.of_several_architectures():
                hosts[name]["cluster_architectures"] = ["amd64", "arm64"]
        groups = {"production": {"hosts": hosts}}
        inventory.joinpath("clusters.yml").write_text(
            yaml.safe_dump({"all": {"children": {"clusters": {"children": groups}}}})
        )
        content = {"vault_registry_password": self.registry.password, "vault_cluster_tokens": tokens}
        write_private(self.directory / "vault-password", _VAULT_PASSWORD.encode())
        vault = VaultLib([(DEFAULT_VAULT_ID_MATCH, VaultSecret(_VAULT_PASSWORD.encode()))])
        write_private(inventory / "group_vars" / "clusters" / "vault.yml", vault.encrypt(yaml.safe_dump(content)))
        return inventory / "clusters.yml"

    def credentials(self) -> t.Iterator[str]:
        """Everything that must not be shown."""
        yield self.registry.password
        for emulator in self.emulators.values():
            yield emulator.admin_token

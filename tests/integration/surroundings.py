# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests are given: a cluster by its kubeconfig, three registries, and nothing about what they really are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from registries.client import RegistryAddress, RegistryClient

VARIABLES = (
    "KUBECONFIG",
    *(f"TEST_REGISTRY_{part}" for part in ("PRIVATE", "PLAIN", "SELFSIGNED", "USER", "PASSWORD", "CA")),
)


@dataclass(frozen=True)
class Surroundings:
    """``kubeconfig`` of a cluster administrator; ``registries`` are private (TLS, basic authentication), plain
    (HTTP) and selfsigned, each as both the cluster and this machine reach it. ``run`` tells this run's objects from
    others'."""

    kubeconfig: Path
    registries: Mapping[str, RegistryAddress]
    run: str

    @classmethod
    def read(cls, environment: Mapping[str, str], run: str) -> Surroundings:
        """From the variables of ``VARIABLES``; a KeyError names the one that is missing."""
        ca_file = Path(environment["TEST_REGISTRY_CA"])
        private = RegistryAddress(
            environment["TEST_REGISTRY_PRIVATE"],
            environment["TEST_REGISTRY_USER"],
            environment["TEST_REGISTRY_PASSWORD"],
            ca_file,
        )
        open_registries = {
            name: RegistryAddress(environment[f"TEST_REGISTRY_{name.upper()}"], insecure=True)
            for name in ("plain", "selfsigned")
        }
        return cls(Path(environment["KUBECONFIG"]), {"private": private, **open_registries}, run)

    def repository(self, name: str) -> str:
        """Return a repository of this run's own."""
        return f"quayside-{self.run}/{name}"

    def image(self, registry: str, name: str, tag: str) -> str:
        """Return the pull spec of a tag, as the cluster reaches it."""
        return f"{self.registries[registry].host}/{self.repository(name)}:{tag}"

    def push(
        self,
        registry: str,
        name: str,
        tag: str,
        platforms: str = "linux/amd64",
        *,
        content: str = "",
        image_format: str = "docker",
    ) -> str:
        """Push an image for the ``platforms`` (separated by blanks; several make a list) and return its digest. Another
        ``content`` gives another digest."""
        with RegistryClient(self.registries[registry]) as client:
            salt = content or f"{self.run} {name}:{tag}"
            return client.push_image(
                self.repository(name), tag, platforms.split(), salt=salt, image_format=image_format
            )

    def credential(self, registry: str = "private") -> dict[str, str]:
        """Return an entry of ``registries`` for a pull secret."""
        address = self.registries[registry]
        return {"registry": address.host, "username": address.username, "password": address.password}


def are_given() -> bool:
    """Whether the environment names a cluster and registries."""
    return all(os.environ.get(name) for name in VARIABLES)

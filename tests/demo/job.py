# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job as data: images in three registries, and the variables that a team would write for ``site.yml``."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from registries.client import RegistryAddress, RegistryClient

NAMESPACES = ("shop", "billing")
SECRET = "registries"
# a registry that no stream uses: dropping it from the secret breaks nothing but the declared state
PARTNER = "registry.partner.example"
PARTNER_PASSWORD = "partner-demo-password"


@dataclass
class Job:
    """The registries by name, and the digest that each tag has there."""

    registries: dict[str, RegistryAddress]
    digests: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Job:
        """Return the registries that the ``TEST_REGISTRY_*`` variables name."""
        private = RegistryAddress(
            environment["TEST_REGISTRY_PRIVATE"],
            environment["TEST_REGISTRY_USER"],
            environment["TEST_REGISTRY_PASSWORD"],
            ca_file=Path(environment["TEST_REGISTRY_CA"]),
        )
        plain = RegistryAddress(environment["TEST_REGISTRY_PLAIN"], insecure=True)
        selfsigned = RegistryAddress(environment["TEST_REGISTRY_SELFSIGNED"], insecure=True)
        return cls({"private": private, "plain": plain, "selfsigned": selfsigned})

    def push_images(self) -> None:
        """Fill the registries: single images, manifest lists and an OCI index."""
        self._push("private", "team/web", "v1", ["linux/amd64", "linux/arm64"])
        self._push("private", "team/web", "stable", ["linux/amd64", "linux/arm64", "linux/s390x"])
        self._push("private", "team/api", "v1", ["linux/amd64"])
        self._push("private", "team/base", "2026", ["linux/amd64", "linux/arm64"], image_format="oci")
        self._push("plain", "team/tools", "v3", ["linux/amd64", "linux/ppc64le"])
        self._push("selfsigned", "team/legacy", "v1", ["linux/amd64"])

    def move_stable(self) -> str:
        """Do what an upstream team does: make ``team/web:stable`` another image. Return its digest."""
        return self._push("private", "team/web", "stable", ["linux/amd64", "linux/arm64"], salt="released today")

    def _push(
        self,
        registry: str,
        repository: str,
        tag: str,
        platforms: list[str],
        *,
        salt: str = "",
        image_format: str = "docker",
    ) -> str:
        with RegistryClient(self.registries[registry]) as client:
            digest = client.push_image(
                repository, tag, platforms, salt=salt or f"{repository}:{tag}", image_format=image_format
            )
        self.digests[self.image(registry, repository, tag)] = digest
        return digest

    def image(self, registry: str, repository: str, tag: str) -> str:
        """Return the pull spec of a tag."""
        return f"{self.registries[registry].host}/{repository}:{tag}"

    def variables(self) -> dict[str, t.Any]:
        """Return the variables of ``quayside.openshift_images.site``."""
        return {
            "registry_access_secrets": self._secrets(),
            "image_streams_desired": self._streams(),
        }

    def _secrets(self) -> list[dict[str, t.Any]]:
        private = self.registries["private"]
        return [
            {
                "name": SECRET,
                "namespaces": list(NAMESPACES),
                "registries": [
                    {"registry": private.host, "username": private.username, "password": private.password},
                    {"registry": PARTNER, "username": "demo", "password": PARTNER_PASSWORD},
                ],
                "link": [
                    {"service_accounts": ["default"], "for": ["pull"]},
                    {"service_accounts": ["builder"], "for": ["pull", "mount"]},
                ],
            }
        ]

    def _streams(self) -> list[dict[str, t.Any]]:
        base = self.image("private", "team/base", "2026")
        pinned = f"{base.rpartition(':')[0]}@{self.digests[base]}"
        return [
            {
                "namespace": "shop",
                "name": "web",
                "import_mode": "PreserveOriginal",
                "tags": [
                    {"name": "v1", "from": self.image("private", "team/web", "v1")},
                    {"name": "stable", "from": self.image("private", "team/web", "stable"), "scheduled": True},
                ],
            },
            {
                "namespace": "shop",
                "name": "api",
                "tags": [
                    {
                        "name": "v1",
                        "from": self.image("private", "team/api", "v1"),
                        "import_mode": "Legacy",
                        "reference_policy": "Local",
                    }
                ],
            },
            {
                "namespace": "billing",
                "name": "base",
                "tags": [{"name": "pinned", "from": pinned, "import_mode": "PreserveOriginal"}],
            },
            {
                "namespace": "billing",
                "name": "web-arm",
                "tags": [
                    {
                        "name": "v1",
                        "from": self.image("private", "team/web", "v1"),
                        "import_mode": "Legacy",
                        "prefer_architecture": "arm64",
                        "prefer_os": "linux",
                    }
                ],
            },
            {
                "namespace": "billing",
                "name": "tools",
                "insecure": True,
                "tags": [
                    {"name": "v3", "from": self.image("plain", "team/tools", "v3"), "import_mode": "PreserveOriginal"}
                ],
            },
            {
                "namespace": "billing",
                "name": "legacy",
                "insecure": True,
                "tags": [
                    {"name": "v1", "from": self.image("selfsigned", "team/legacy", "v1"), "import_mode": "Legacy"}
                ],
            },
        ]

    def desired_tags(self) -> set[tuple[str, str, str]]:
        """Namespace, stream and tag of everything that the variables name."""
        return {
            (stream["namespace"], stream["name"], tag["name"]) for stream in self._streams() for tag in stream["tags"]
        }

    def secrets_of_the_demo(self) -> list[str]:
        """Passwords that no output may show."""
        return [self.registries["private"].password, PARTNER_PASSWORD]

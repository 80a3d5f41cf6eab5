# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster with registries for the benches: the emulator and each registry in processes of their own, so that none of
their time is the measured program's."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.client import ApiClient, ControlClient
from lab.running import Lab
from registries.client import RegistryClient
from registries.images import build_image

NAMESPACE = "shop"
PLATFORMS = ("linux/amd64", "linux/arm64")


@dataclass
class Scene:
    """The cluster as its administrator reaches it, and a registry with images."""

    directory: Path
    lab: Lab
    api: ApiClient
    control: ControlClient
    state: dict[str, t.Any]

    @property
    def registry(self) -> str:
        """host:port of the registry whose images need no credential."""
        return self.lab.fleet.addresses["plain"].host

    @property
    def by_token(self) -> dict[str, str]:
        """The options of a module for host and token."""
        return {"host": self.state["url"], "api_key": self.state["admin_token"], "ca_cert": self.state["ca_file"]}

    @property
    def by_kubeconfig(self) -> dict[str, str]:
        """The options of a module for a kubeconfig of static parts."""
        return {"kubeconfig": self.state["kubeconfig"]}

    def push(self, repository: str, tags: int, images: int) -> list[str]:
        """Give a repository ``tags`` tags of ``images`` different images; returns the pull specs."""
        with RegistryClient(self.lab.fleet.addresses["plain"]) as client:
            built = [build_image(PLATFORMS, salt=f"{repository} {number}") for number in range(images)]
            for image in built:
                for digest, blob in image.blobs.items():
                    client.push_blob(repository, digest, blob)
                for manifest in image.manifests:
                    client.put_manifest(repository, manifest.digest, manifest)
            for number in range(tags):
                client.put_manifest(repository, f"v{number}", built[number % images].top)
        return [f"{self.registry}/{repository}:v{number}" for number in range(tags)]

    def import_tags(self, stream: str, sources: t.Mapping[str, str]) -> dict[str, t.Any]:
        """Import, three at a time, and return the stream."""
        entries = [entry(name, source) for name, source in sources.items()]
        for first in range(0, len(entries), 3):
            self.api.import_images(stream, *entries[first : first + 3]).raise_for_status()
        return self.api.stream(stream)

    def copy_stream(self, stream: t.Mapping[str, t.Any], name: str) -> None:
        """Create a stream with another one's tags and history."""
        body = {"metadata": {"name": name}, "spec": stream["spec"], "status": stream["status"]}
        created = self.api.send("POST", self.api.image("imagestreams"), body)
        created.raise_for_status()
        full = created.json() | {"status": stream["status"]}
        self.api.send("PUT", self.api.image("imagestreams", name) + "/status", full).raise_for_status()

    def delete_streams(self) -> None:
        """Remove every stream of the namespace."""
        for item in self.api.send("GET", self.api.image("imagestreams")).json()["items"]:
            self.api.send("DELETE", self.api.image("imagestreams", item["metadata"]["name"])).raise_for_status()

    @contextmanager
    def requests(self) -> Iterator[list[dict[str, t.Any]]]:
        """Collect the requests that came in meanwhile."""
        found: list[dict[str, t.Any]] = []
        first = self.control.last_number()
        yield found
        found += [entry for entry in self.control.requests(first) if not entry["path"].startswith("/_emulator/")]


def entry(tag: str, source: str) -> dict[str, t.Any]:
    """Return an entry of an import request."""
    return {"from": {"kind": "DockerImage", "name": source}, "to": {"name": tag}, "importPolicy": {"insecure": True}}


@contextmanager
def scene(directory: Path) -> Iterator[Scene]:
    """Yield a scene that ends with the block."""
    # Quiet: what a cluster does by itself would be measured too.
    with Lab(directory / "lab", controllers=False, namespaces=(NAMESPACE,)) as lab:
        state = json.loads((lab.directory / "cluster" / "emulator.json").read_text(encoding="utf-8"))
        with (
            ApiClient(state["url"], state["ca_file"], state["admin_token"], NAMESPACE) as api,
            ControlClient(state["url"], state["ca_file"], state["control_token"]) as control,
        ):
            yield Scene(directory, lab, api, control, state)

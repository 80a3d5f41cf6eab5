# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster with samples. The samples of a real cluster are everybody's, so these tests bring one of their own."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.client import ControlClient
from emulator.server import EmulatorSettings, EmulatorThread

from .cluster import Cluster, Document
from .playbooks import Playbooks
from .stage import Stage
from .surroundings import Surroundings

NAMESPACE = "openshift"
CONFIG = "/apis/samples.operator.openshift.io/v1/configs/cluster"
LABEL = "samples.operator.openshift.io/managed"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Samples:
    """The cluster, its operator's switch, and the registries that its samples come from."""

    cluster: Cluster
    control: ControlClient
    playbooks: Playbooks
    given: Surroundings

    def add(self, name: str, tags: Mapping[str, tuple[str, ...]]) -> None:
        """Add a sample that the release takes from the plain registry; its images are pushed to the registries named by
        tag."""
        entries = []
        for tag, registries in tags.items():
            for registry in {"plain", *registries}:
                self.given.push(registry, name, tag)
            source = {"kind": "DockerImage", "name": self.given.image("plain", name, tag)}
            entries.append({"name": tag, "from": source, "importPolicy": {"insecure": True}})
        metadata = {"name": name, "namespace": NAMESPACE, "labels": {LABEL: "true"}}
        self.cluster.create("imagestreams", NAMESPACE, {"metadata": metadata, "spec": {"tags": entries}})

    def config(self) -> Document:
        """Return the operator's configuration."""
        return self.cluster.call("GET", CONFIG)

    def configure(self, **spec: t.Any) -> None:
        """Change the configuration by hand."""
        self.cluster.call("PATCH", CONFIG, {"spec": spec}, content_type=MERGE)

    def stage(self, playbook: Path, complaints: tuple[str, ...] = (), **variables: t.Any) -> Stage:
        """Return a playbook that works in the namespace of the samples."""
        return Stage(self.cluster, self.playbooks, playbook, (NAMESPACE,), variables, complaints=complaints)


@contextmanager
def samples_cluster(given: Surroundings, directory: Path) -> Iterator[Samples]:
    """Yield a running cluster whose samples operator has nothing to do yet."""
    ca_file = given.registries["private"].ca_file
    assert ca_file is not None
    settings = EmulatorSettings(directory / "cluster", registry_cas=[ca_file], switches={"samples_operator": True})
    with (
        EmulatorThread(settings) as emulator,
        ControlClient(emulator.url, emulator.ca_file, emulator.control_token) as control,
    ):
        cluster = Cluster(emulator.kubeconfig)
        try:
            yield Samples(cluster, control, Playbooks(directory, {"KUBECONFIG": str(emulator.kubeconfig)}), given)
        finally:
            cluster.close()

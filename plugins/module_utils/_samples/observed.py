# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Cluster Samples Operator as the cluster has it: its configuration, what it says, and the image streams that it
manages.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The names of fields and conditions are those of the API ``samples.operator.openshift.io/v1`` (type ``Config`` of
openshift/api). The operator copies ``spec`` into ``status`` once it acts by it, so a difference between the two is
work that it has still to do.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._cluster.paths import api_path
from .._core.errors import ConfigurationError, NotFound
from .._import_engine.images import EXTERNAL
from .._import_engine.observed import ObservedStream, ObservedTag, parse_stream

# There is one such object, and the operator ignores others.
CONFIG_PATH = api_path("samples.operator.openshift.io/v1", None, "configs", "cluster")
CONFIG_NAME = "configs.samples.operator.openshift.io/cluster"
SAMPLES_NAMESPACE = "openshift"
MANAGED_SELECTOR = "samples.operator.openshift.io/managed=true"

MANAGED, UNMANAGED, REMOVED = "Managed", "Unmanaged", "Removed"

# The fields of the specification, which the status repeats: ours, and the API's.
FIELDS = {
    "samples_registry": "samplesRegistry",
    "management_state": "managementState",
    "skipped_imagestreams": "skippedImagestreams",
    "skipped_templates": "skippedTemplates",
}


class SamplesSpec(NamedTuple):
    """What the operator is to do. Without ``samples_registry`` it takes the registry that is built into the release."""

    samples_registry: str = ""
    management_state: str = MANAGED
    skipped_imagestreams: tuple[str, ...] = ()
    skipped_templates: tuple[str, ...] = ()

    @classmethod
    def parse(cls, fields: t.Mapping[str, t.Any]) -> SamplesSpec:
        """Read ``spec`` or ``status``. The operator takes a specification without a management state for Managed."""
        return cls(
            fields.get("samplesRegistry") or "",
            fields.get("managementState") or MANAGED,
            tuple(fields.get("skippedImagestreams") or ()),
            tuple(fields.get("skippedTemplates") or ()),
        )

    def differences(self, other: SamplesSpec) -> tuple[str, ...]:
        """Return the names of the fields in which the two differ; the order of a list means nothing to the operator."""
        return tuple(name for name in FIELDS if _meaning(getattr(self, name)) != _meaning(getattr(other, name)))

    def view(self) -> dict[str, t.Any]:
        """Return the fields for results and diffs."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in ((name, getattr(self, name)) for name in FIELDS)
        }


class Condition(NamedTuple):
    """A condition that the operator reports; ``status`` is True, False or Unknown as text."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class ObservedSamples(NamedTuple):
    """The configuration as the cluster has it: what the operator is to do, and what it says it does."""

    resource_version: str
    spec: SamplesSpec
    applied: SamplesSpec
    conditions: t.Mapping[str, Condition] = MappingProxyType({})
    version: str = ""
    reported_state: str = ""

    def is_true(self, condition: str) -> bool:
        """Return whether the operator reports the condition as True."""
        return condition in self.conditions and self.conditions[condition].status == "True"


class SamplesState(NamedTuple):
    """The operator's configuration and the image streams that it manages, at one moment."""

    config: ObservedSamples
    streams: tuple[ObservedStream, ...] = ()

    def external_tags(self) -> t.Iterator[tuple[ObservedStream, ObservedTag]]:
        """Yield every tag that is imported, with its stream."""
        for stream in self.streams:
            for tag in stream.tags.values():
                if tag.kind == EXTERNAL and not tag.reference:
                    yield stream, tag


def parse_samples(config: t.Mapping[str, t.Any]) -> ObservedSamples:
    """Turn the Config object into an ``ObservedSamples``."""
    status = config.get("status") or {}
    conditions = [
        Condition(entry["type"], entry.get("status", "Unknown"), entry.get("reason") or "", entry.get("message") or "")
        for entry in status.get("conditions") or ()
    ]
    return ObservedSamples(
        config["metadata"]["resourceVersion"],
        SamplesSpec.parse(config.get("spec") or {}),
        SamplesSpec.parse(status),
        {condition.type: condition for condition in conditions},
        status.get("version") or "",
        status.get("managementState") or "",
    )


def read_config(client: ClusterClient) -> ObservedSamples:
    """Read the operator's configuration. Raises ``ConfigurationError`` if it does not exist."""
    try:
        return parse_samples(client.get(CONFIG_PATH))
    except NotFound:
        raise ConfigurationError(
            f"{CONFIG_NAME} does not exist, which the Cluster Samples Operator creates when it starts: "
            "find out whether the operator runs in namespace openshift-cluster-samples-operator"
        ) from None


def read_state(client: ClusterClient) -> SamplesState:
    """Read the configuration first: what it says to be done then shows in the streams."""
    config = read_config(client)
    items = client.list_items(image_path(SAMPLES_NAMESPACE, "imagestreams"), query={"labelSelector": MANAGED_SELECTOR})
    return SamplesState(config, tuple(parse_stream(SAMPLES_NAMESPACE, item) for item in items))


def _meaning(value: str | tuple[str, ...]) -> t.Any:
    return frozenset(value) if isinstance(value, tuple) else value

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of the Cluster Samples Operator: as declared, as the cluster has it, and what has to change.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The names of fields and conditions are those of the API ``samples.operator.openshift.io/v1`` (type ``Config`` of openshift/api).
The operator copies ``spec`` into ``status`` once it acts by it, so a difference between the two is work that it has still to do.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .._cluster.paths import api_path
from .._core.errors import InputError
from .._core.references import PullSpec, check_stream_name

# There is one such object, and the operator ignores others.
CONFIG_PATH = api_path("samples.operator.openshift.io/v1", None, "configs", "cluster")
CONFIG_NAME = "configs.samples.operator.openshift.io/cluster"
SAMPLES_NAMESPACE = "openshift"
MANAGED_SELECTOR = "samples.operator.openshift.io/managed=true"

MANAGED, UNMANAGED, REMOVED = "Managed", "Unmanaged", "Removed"
MANAGEMENT_STATES = (MANAGED, UNMANAGED, REMOVED)

# The fields of the specification, which the status repeats: ours, and the API's.
_FIELDS = {
    "samples_registry": "samplesRegistry",
    "management_state": "managementState",
    "skipped_imagestreams": "skippedImagestreams",
    "skipped_templates": "skippedTemplates",
}


class SamplesSpec(NamedTuple):
    """What the operator shall do. Without ``samples_registry`` it takes the registry that is built into the release."""

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
        return tuple(name for name in _FIELDS if _meaning(getattr(self, name)) != _meaning(getattr(other, name)))

    def view(self) -> dict[str, t.Any]:
        """Return the fields for results and diffs."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in ((name, getattr(self, name)) for name in _FIELDS)}


class DesiredSamples(NamedTuple):
    """The configuration as declared. ``None`` means: keep. A list is the whole list; an empty registry is the built-in one."""

    samples_registry: str | None = None
    management_state: str | None = None
    skipped_imagestreams: tuple[str, ...] | None = None
    skipped_templates: tuple[str, ...] | None = None


class Condition(NamedTuple):
    """A condition that the operator reports; ``status`` is True, False or Unknown as text."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class ObservedSamples(NamedTuple):
    """The configuration as the cluster has it: what the operator shall do, and what it says it does."""

    resource_version: str
    spec: SamplesSpec
    applied: SamplesSpec
    conditions: t.Mapping[str, Condition] = MappingProxyType({})
    version: str = ""
    reported_state: str = ""

    def is_true(self, condition: str) -> bool:
        """Whether the operator reports the condition as True."""
        return condition in self.conditions and self.conditions[condition].status == "True"


class SamplesPlan(NamedTuple):
    """What to write: the ``spec`` of a merge patch (None takes a field away), and the specification after it."""

    patch: t.Mapping[str, t.Any]
    after: SamplesSpec


def desired_samples(params: t.Mapping[str, t.Any]) -> DesiredSamples:
    """Turn the module's options into values; ``InputError`` says which one cannot be meant."""
    registry = params.get("samples_registry")
    if registry:
        _check_registry(registry)
    streams, templates = params.get("skipped_imagestreams"), params.get("skipped_templates")
    for name in streams or ():
        check_stream_name(SAMPLES_NAMESPACE, name)
    for name in templates or ():
        if not name or "/" in name or name != name.strip():
            raise InputError(f'skipped_templates: "{name}" is not the name of a template')
    return DesiredSamples(
        registry,
        params.get("management_state"),
        None if streams is None else tuple(dict.fromkeys(streams)),
        None if templates is None else tuple(dict.fromkeys(templates)),
    )


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


def plan_samples(desired: DesiredSamples, observed: ObservedSamples) -> SamplesPlan:
    """Return what has to be written so that the specification is as declared: nothing where it is."""
    declared = {name: getattr(desired, name) for name in _FIELDS if getattr(desired, name) is not None}
    wanted = observed.spec._replace(**declared)
    names = observed.spec.differences(wanted)
    values = {name: getattr(wanted, name) for name in names}
    patch = {_FIELDS[name]: list(value) if isinstance(value, tuple) and value else value or None for name, value in values.items()}
    return SamplesPlan(patch, observed.spec._replace(**values))


def _meaning(value: str | tuple[str, ...]) -> t.Any:
    return frozenset(value) if isinstance(value, tuple) else value


def _check_registry(text: str) -> None:
    """The operator puts the text in the place of the registry's host in pull specs, so a path may follow the host."""
    try:
        spec = PullSpec.parse(f"{text}/image")
    except InputError:
        spec = None
    if spec is None or not spec.registry or spec.tag or spec.digest:
        raise InputError(f'samples_registry "{text}" is not a registry: write it as host[:port][/path], as pull specs begin')

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to change in the configuration of the Cluster Samples Operator, and which failed imports are made again.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._import_engine.adoption import adopt
from .._import_engine.desired import DesiredStream, desired_streams
from .._import_engine.observed import ObservedStream, ObservedTag
from .desired import DesiredSamples
from .observed import FIELDS, ObservedSamples, SamplesSpec


class SamplesPlan(NamedTuple):
    """What to write: the ``spec`` of a merge patch (None takes a field away), and the specification after it."""

    patch: t.Mapping[str, t.Any]
    after: SamplesSpec


def plan_samples(desired: DesiredSamples, observed: ObservedSamples) -> SamplesPlan:
    """Return what has to be written so that the specification is as declared: nothing if it is."""
    declared = {name: getattr(desired, name) for name in FIELDS if getattr(desired, name) is not None}
    wanted = observed.spec._replace(**declared)
    names = observed.spec.differences(wanted)
    values = {name: getattr(wanted, name) for name in names}
    patch = {
        FIELDS[name]: list(value) if isinstance(value, tuple) and value else value or None
        for name, value in values.items()
    }
    return SamplesPlan(patch, observed.spec._replace(**values))


def imports_to_repeat(failed: t.Sequence[tuple[ObservedStream, ObservedTag]]) -> list[DesiredStream]:
    """Declare the failed tags as they are, so that the import engine has nothing to do but to import them."""
    names: dict[str, set[str]] = {}
    streams = {stream.name: stream for stream, _tag in failed}
    for stream, tag in failed:
        names.setdefault(stream.name, set()).add(tag.name)
    declared = []
    for name, stream in streams.items():
        tags = [tag for tag in adopt(stream).variables.get("tags", ()) if tag["name"] in names[name]]
        if tags:
            declared.append({"namespace": stream.namespace, "name": name, "tags": tags})
    return desired_streams({"streams": declared, "refresh": "missing"}) if declared else []

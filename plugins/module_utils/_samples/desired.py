# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of the Cluster Samples Operator as declared: options become checked values.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.references import PullSpec, check_stream_name
from .._import_engine.desired import PendingCredential
from .observed import MANAGED, REMOVED, SAMPLES_NAMESPACE, UNMANAGED

MANAGEMENT_STATES = (MANAGED, UNMANAGED, REMOVED)


class Settings(NamedTuple):
    """How a run goes about it. Times are in seconds; ``timeout`` is the server's limit for one import request."""

    check_mode: bool
    wait: bool = True
    wait_timeout: float = 600
    wait_sleep: float = 5
    retry_failed: bool = True
    ignore_failed_tags: bool = False
    concurrency: int = 8
    timeout: int = 120
    pending: t.Sequence[PendingCredential] = ()


class DesiredSamples(NamedTuple):
    """The configuration as declared.

    ``None`` means: keep. A list is the whole list; an empty registry is the built-in one.
    """

    samples_registry: str | None = None
    management_state: str | None = None
    skipped_imagestreams: tuple[str, ...] | None = None
    skipped_templates: tuple[str, ...] | None = None


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


def _check_registry(text: str) -> None:
    """Raise ``InputError`` for what the operator cannot put in the place of a registry's host in pull specs.

    A path may follow the host.
    """
    try:
        spec = PullSpec.parse(f"{text}/image")
    except InputError:
        spec = None
    if spec is None or not spec.registry or spec.tag or spec.digest:
        raise InputError(
            f'samples_registry "{text}" is not a registry: write it as host[:port][/path], as pull specs begin'
        )

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drive the samples: write the operator's configuration, wait for the operator, retry failed imports, report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.errors import CollectionError
from .._core.report import Report
from .apply import SpecChange, write_configuration
from .desired import DesiredSamples, Settings
from .observed import CONFIG_NAME, MANAGED, ObservedSamples, SamplesSpec, SamplesState, read_config, read_state
from .plan import imports_to_repeat
from .report import FailedImports, failed_tag, samples_report
from .wait import outstanding, wait_for_samples

if t.TYPE_CHECKING:
    from .._import_engine.report import RemedyFor


def converge_samples(
    client: ClusterClient, desired: DesiredSamples, settings: Settings, remedy_for: RemedyFor
) -> Report:
    """Converge the configuration and its effect, or tell what that would do. Raises ``CollectionError``."""
    change = write_configuration(client, desired, check_mode=settings.check_mode)
    state = SamplesState(ObservedSamples("", change.after, SamplesSpec()))
    try:
        state, left = _effect(client, change, settings)
        imports = _retry_failed_imports(client, state, settings, remedy_for, retry=settings.retry_failed and not left)
    except CollectionError as error:
        if settings.check_mode or not change.names:
            raise
        written = samples_report(change, state, [], FailedImports(), settings)
        failure = f"{CONFIG_NAME} was written as declared, but its effect could not be watched: {error}"
        written.results.update(error.results())
        written.failure = failure
        return written
    return samples_report(change, state, left, imports, settings)


def _effect(client: ClusterClient, change: SpecChange, settings: Settings) -> tuple[SamplesState, list[str]]:
    """Return what the operator has made of the configuration, and what it has still to do.

    Wait for it if that is wanted.
    """
    if not settings.wait or (settings.check_mode and change.names):
        # What the operator will make of a configuration that is not written yet is not known.
        return SamplesState(read_config(client)), []
    if settings.check_mode:
        state = read_state(client)
        return state, outstanding(state)
    return wait_for_samples(client, timeout=settings.wait_timeout, pause=settings.wait_sleep)


def _retry_failed_imports(
    client: ClusterClient, state: SamplesState, settings: Settings, remedy_for: RemedyFor, *, retry: bool
) -> FailedImports:
    imports = FailedImports()
    if state.config.spec.management_state != MANAGED:
        return imports
    failed = [(stream, tag) for stream, tag in state.external_tags() if tag.failure and not tag.pending]
    again = imports_to_repeat(failed) if retry else []
    tried = {(stream.name, tag.name) for stream in again for tag in stream.tags}
    if again:
        from .failed_imports import repeat_imports  # noqa: PLC0415 - few samples fail

        imports.retried = repeat_imports(client, again, settings, remedy_for)
        imports.retried_count = len(tried)
    imports.failed = [
        failed_tag(stream, tag, remedy_for) for stream, tag in failed if (stream.name, tag.name) not in tried
    ]
    imports.failed += imports.retried.results["failed_tags"]
    imports.failed.sort(key=lambda entry: (entry["name"], entry["tag"]))
    return imports

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Cluster Samples Operator has still to do, and waiting until it is done.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The conditions are those of ``status.conditions`` of the operator's Config (openshift/api, samples/v1): SamplesExist
says that the configuration was processed; ImageChangesInProgress, MigrationInProgress and RemovePending say what is
under way. The operator considers an import over when it failed as well, so tags that failed are nothing that is
waited for. ImportCredentialsExist is not waited for, because releases from 4.5 import with the cluster's own pull
secret, and a registry of one's own never needed it.
"""

from __future__ import annotations

import time

from .._cluster.client import ClusterClient
from .._core.errors import ApiError, ApiUnreachable, CollectionError
from .._core.report import listed
from .observed import REMOVED, UNMANAGED, ObservedSamples, SamplesState, read_state

_UNDER_WAY = {
    "ImageChangesInProgress": "image streams are being imported",
    "MigrationInProgress": "the samples of another release are being replaced",
    "RemovePending": "the removal of the samples has still to begin or to end",
}
# More names than these make a sentence longer than anybody reads.
_SHOWN_NAMES = 10


def outstanding(state: SamplesState) -> list[str]:
    """Return what the operator, or the import of its streams, has still to do.

    A sentence each, nothing if all is done.
    """
    config = state.config
    wanted = config.spec.management_state
    if wanted == UNMANAGED:
        return (
            []
            if config.reported_state == UNMANAGED
            else ["the operator has not said yet that the samples are Unmanaged"]
        )
    left = [f"{words}{_why(config, name)}" for name, words in _UNDER_WAY.items() if config.is_true(name)]
    if wanted == REMOVED:
        if config.reported_state != REMOVED:
            left.append("the operator has not said yet that the samples are Removed")
        if state.streams:
            left.append(
                f"image streams are still there: {listed([stream.name for stream in state.streams], _SHOWN_NAMES)}"
            )
        return left
    if not config.reported_state or config.applied.differences(config.spec):
        names = config.spec.differences(config.applied) or ("management_state",)
        left.append(f"the operator has not taken over {', '.join(names)}")
        invalid = config.conditions.get("ConfigurationValid")
        if invalid and invalid.status == "False":
            left.append(f"the operator calls the configuration invalid{_why(config, 'ConfigurationValid')}")
    if not config.is_true("SamplesExist"):
        left.append(f"the operator has not created all samples{_why(config, 'SamplesExist')}")
        if "ImportCredentialsExist" in config.conditions and not config.is_true("ImportCredentialsExist"):
            left.append(f"the operator has no credentials for the registry{_why(config, 'ImportCredentialsExist')}")
    pending = [f"{stream.name}:{tag.name}" for stream, tag in state.external_tags() if tag.pending]
    if pending:
        left.append(f"tags have still to be imported: {listed(pending, _SHOWN_NAMES)}")
    return left


def wait_for_samples(client: ClusterClient, *, timeout: float, pause: float) -> tuple[SamplesState, list[str]]:
    """Look every ``pause`` seconds, for ``timeout`` seconds; return the last state and what was still left to do then.

    An API server that is out of reach or in trouble for a while is waited for too; raises what it was at the end.
    """
    deadline = time.monotonic() + timeout
    while True:
        trouble: CollectionError | None = None
        try:
            state = read_state(client)
        except (ApiUnreachable, ApiError) as error:
            if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                raise
            trouble = error
        else:
            left = outstanding(state)
            if not left:
                return state, left
        seconds = min(pause, deadline - time.monotonic())
        if seconds <= 0:
            if trouble is not None:
                raise trouble
            return state, left
        time.sleep(seconds)


def _why(config: ObservedSamples, condition: str) -> str:
    found = config.conditions.get(condition)
    said = " ".join(word for word in (found.reason.strip(), found.message.strip()) if word) if found else ""
    return f" ({said})" if said else ""

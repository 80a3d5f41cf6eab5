# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the operator's configuration, against the version that was read.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from typing import NamedTuple

from .._cluster.client import MERGE_PATCH, ClusterClient
from .._cluster.optimistic import WriteTracker, retry_until_settled
from .desired import DesiredSamples
from .observed import CONFIG_NAME, CONFIG_PATH, SamplesSpec, read_config
from .plan import SamplesPlan, plan_samples


class SpecChange(NamedTuple):
    """The specification before and after the run, or as check mode foresees it."""

    before: SamplesSpec
    after: SamplesSpec

    @property
    def names(self) -> tuple[str, ...]:
        """Return the fields that differ."""
        return self.before.differences(self.after)


def write_configuration(client: ClusterClient, desired: DesiredSamples, *, check_mode: bool) -> SpecChange:
    """Write what differs, and only that, against the version that was read; others' fields and changes stay."""
    writes: WriteTracker[SamplesPlan] = WriteTracker()
    first: list[SamplesSpec] = []

    def attempt() -> SpecChange:
        observed = read_config(client)
        plan = plan_samples(desired, observed)
        if plan.patch and not check_mode:
            if not first:
                first.append(observed.spec)
            body = {"metadata": {"resourceVersion": observed.resource_version}, "spec": dict(plan.patch)}
            writes.send(
                lambda: client.request("PATCH", CONFIG_PATH, body=body, content_type=MERGE_PATCH, repeatable=False),
                plan,
            )
        # A write that no answer came to, and was carried out after all, counts as done.
        return SpecChange(first[0] if writes.last and first else observed.spec, plan.after)

    return retry_until_settled(attempt, CONFIG_NAME, writes)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which workloads and streams are looked at, and by which rules: options, checked and typed, without any access to
the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from typing import NamedTuple

from .._core.names import namespaces_from
from .._core.numbers import check_numbers
from .._workloads.kinds import WORKLOAD_KINDS, WorkloadKind
from .rules import PrunePolicy


class PruneQuestion(NamedTuple):
    """What is looked at.

    ``namespaces`` is None for all of them; ``registry_hosts`` are further names of the cluster's registry.
    """

    namespaces: tuple[str, ...] | None
    kinds: tuple[WorkloadKind, ...]
    policy: PrunePolicy
    registry_hosts: tuple[str, ...]
    only_at_risk: bool
    concurrency: int


def prune_question(params: t.Mapping[str, t.Any]) -> PruneQuestion:
    """Return what the options of ``image_prune_risk_info`` ask about; raise ``InputError`` if they cannot be."""
    everywhere = params["namespace"] is None and params["namespaces"] is None
    namespaces = None if everywhere else namespaces_from(params)
    check_numbers(params, concurrency=1, keep_tag_revisions=0, keep_younger_than_minutes=0)
    return PruneQuestion(
        namespaces=namespaces,
        kinds=tuple(kind for kind in WORKLOAD_KINDS if not params["kinds"] or kind.kind in params["kinds"]),
        policy=PrunePolicy(
            dt.datetime.now(dt.timezone.utc), params["keep_tag_revisions"], params["keep_younger_than_minutes"]
        ),
        registry_hosts=tuple(params["registry_hosts"]),
        only_at_risk=params["results"] == "at_risk",
        concurrency=params["concurrency"],
    )

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road of a question about pruning: observed, plan, report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .._cluster.facts import ReadingClient
from .._core.report import Report
from .desired import PruneQuestion
from .image_uses import CLUSTER_REGISTRY
from .observed import observe, observe_children, observe_referenced_streams, read_platforms
from .plan import find_risks
from .report import report_risks
from .rules import seen_by_pruner


def answer(client: ReadingClient, question: PruneQuestion) -> Report:
    """Return which workloads use what the pruner's next run would delete."""
    width = question.concurrency
    observed = observe(client, question.namespaces, question.kinds, width)
    hosts = {CLUSTER_REGISTRY, *question.registry_hosts}.union(*(stream.hosts for stream in observed.streams.values()))
    observe_referenced_streams(client, observed, hosts, width)
    observe_children(client, observed, width)
    findings = find_risks(observed.uses, observed.streams, seen_by_pruner(observed.uses), question.policy, hosts)
    lists = {(risk.in_list.stream.key, risk.in_list.parent) for risk in findings.risks}
    platforms = read_platforms(client, lists, width)
    return report_risks(observed, findings, platforms, question.policy, only_at_risk=question.only_at_risk)

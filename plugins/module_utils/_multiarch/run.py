# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road of a question about manifest lists: observed, plan, report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._cluster.facts import control_plane_architecture
from .._core.report import Report
from .._import_engine.remedy_finder import RemedyFinder
from .._import_engine.stream_imports import look_up
from .._workloads.triggers import observe_triggers
from .desired import MigrationQuestion
from .observed import observe_chosen, observe_recorded
from .plan import judge, questions_back, questions_there
from .report import migration_report


def answer(client: ClusterClient, question: MigrationQuestion, mask: t.Callable[..., None]) -> Report:
    """Return what a migration to manifest lists would change, or going back from it."""
    width = question.concurrency
    if question.recorded is None:
        observed = observe_chosen(client, question.names, width)
        questions, others = questions_there(observed.streams.values(), question.names)
    else:
        observed = observe_recorded(client, question.recorded, width)
        questions, others = questions_back(question.recorded, observed.streams)
    answers = look_up(client, {one.lookup: None for one in questions}, width, question.timeout)
    nearby = sorted({namespace for namespace, _name in observed.streams})
    triggers = observe_triggers(client, question.trigger_namespaces, nearby, width)
    architecture = control_plane_architecture(client) if questions else ""
    candidates, more = judge(questions, answers, triggers.by_tag, architecture)
    return migration_report(candidates, [*others, *more], triggers, observed.errors, RemedyFinder(client, mask).remedy)

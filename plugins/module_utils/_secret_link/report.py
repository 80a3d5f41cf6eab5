# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user gets to see of links: return values, diff and failure message.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.diff import Difference
from .._core.report import Report, failure_sentence
from .apply import LinkOutcome
from .desired import LIST_FIELDS
from .plan import ListPlan


def report_links(outcomes: t.Sequence[LinkOutcome]) -> Report:
    """Return the module's report over all service accounts."""
    failures = [(str(outcome.account), outcome.error) for outcome in outcomes if outcome.error is not None]
    changed = [outcome for outcome in outcomes if outcome.plan is not None and outcome.plan.changed]
    results: dict[str, t.Any] = {
        "service_accounts": [_account(outcome) for outcome in outcomes],
        "failed_service_accounts": [name for name, _error in failures],
        "summary": {
            "service_accounts": len(outcomes),
            "changed": len(changed),
            "unchanged": len(outcomes) - len(changed) - len(failures),
            "failed": len(failures),
        },
    }
    if len(outcomes) == 1 and failures:
        results.update(failures[0][1].results())
    return Report(
        changed=bool(changed),
        results=results,
        differences=[
            Difference("service account", str(outcome.account), _shown(outcome, "before"), _shown(outcome, "after"))
            for outcome in changed
        ],
        failure=failure_sentence("Linking secrets to service accounts", failures, len(outcomes)),
        warnings=list(dict.fromkeys(warning for outcome in outcomes for warning in outcome.warnings)),
    )


def _account(outcome: LinkOutcome) -> dict[str, t.Any]:
    plan = outcome.plan
    return {
        "namespace": outcome.account.namespace,
        "name": outcome.account.name,
        "lists": [_list(one) for one in plan.lists] if plan is not None else [],
        "changed": plan is not None and plan.changed,
        "reasons": sorted({reason for one in plan.lists for reason in one.reasons}) if plan is not None else [],
        "managed_by": outcome.owner.name if outcome.owner is not None else None,
        "error": str(outcome.error) if outcome.error is not None else None,
    }


def _list(plan: ListPlan) -> dict[str, t.Any]:
    return {
        "for": plan.purpose,
        "secrets": list(plan.after),
        "added": list(plan.added),
        "removed": list(plan.removed),
        "changed": bool(plan.reasons),
        "reasons": list(plan.reasons),
    }


def _shown(outcome: LinkOutcome, side: str) -> dict[str, list[str]]:
    lists = outcome.plan.lists if outcome.plan is not None else ()
    return {LIST_FIELDS[one.purpose]: list(one.before if side == "before" else one.after) for one in lists}

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user gets to see of pull secrets: return values, diff and failure message, none with a credential in it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Everything here is built from plans; of a login only the user name, the e-mail address and whether there is a password
are taken.
"""

from __future__ import annotations

import typing as t

from .._core.diff import Difference
from .._core.report import Report, failure_sentence
from .._credentials.expiry import expiry_of
from .apply import SecretOutcome
from .desired import DesiredSecret
from .plan import RegistryChange, difference

if t.TYPE_CHECKING:
    from .verify import LoginResult

_COUNTS = {"create": "created", "update": "updated", "recreate": "recreated", "delete": "deleted", "none": "unchanged"}


def report_secrets(
    desired: DesiredSecret,
    outcomes: t.Sequence[SecretOutcome],
    verified: t.Sequence[LoginResult],
    warnings: t.Sequence[str] = (),
) -> Report:
    """Return the module's report over all namespaces.

    ``verified`` is what trying the logins has shown, ``warnings`` are about all namespaces together.
    """
    failures = [(outcome.namespace, outcome.error) for outcome in outcomes if outcome.error is not None]
    summary = {"namespaces": len(outcomes), "failed": len(failures), **dict.fromkeys(_COUNTS.values(), 0)}
    differences: list[Difference] = []
    for outcome in outcomes:
        if outcome.plan is None:
            continue
        summary[_COUNTS[outcome.plan.action]] += 1
        if outcome.plan.changed:
            differences.append(
                Difference("pull secret", f"{outcome.namespace}/{desired.name}", *difference(outcome.plan))
            )
    results: dict[str, t.Any] = {
        "secrets": [_secret(desired, outcome) for outcome in outcomes],
        "failed_namespaces": [namespace for namespace, _error in failures],
        "verified": [login.as_dict() for login in verified],
        "summary": summary,
    }
    if len(outcomes) == 1 and failures:
        results.update(failures[0][1].results())
    return Report(
        changed=any(outcome.plan.changed for outcome in outcomes if outcome.plan is not None),
        results=results,
        differences=differences,
        failure=failure_sentence(f'The pull secret "{desired.name}"', failures, len(outcomes)),
        warnings=list(
            dict.fromkeys(
                (
                    *desired.remarks(),
                    *desired.expired(),
                    *_untried(verified),
                    *warnings,
                    *(warning for outcome in outcomes for warning in outcome.warnings),
                )
            )
        ),
    )


def _untried(verified: t.Sequence[LoginResult]) -> t.Iterator[str]:
    for login in verified:
        if login.result == "not_asked":
            yield f'The registry "{login.registry}" asks for no credential, so the one for it could not be tried.'
        elif login.result == "not_tried":
            yield f'The key "{login.registry}" is not the name of one host, so its credential could not be tried.'


def _secret(desired: DesiredSecret, outcome: SecretOutcome) -> dict[str, t.Any]:
    plan = outcome.plan
    return {
        "namespace": outcome.namespace,
        "name": desired.name,
        "state": "present" if desired.present else "absent",
        "type": plan.secret_type if plan is not None else desired.secret_type,
        "registries": [_registry(change) for change in plan.registries] if plan is not None else [],
        "changed": plan is not None and plan.changed,
        "reasons": list(plan.reasons) if plan is not None else [],
        "managed_by": outcome.owner.name if outcome.owner is not None else None,
        "shadowing_checked": outcome.shadowing_checked,
        "error": str(outcome.error) if outcome.error is not None else None,
    }


def _registry(change: RegistryChange) -> dict[str, t.Any]:
    login = change.after or change.before
    return {
        "registry": change.shown,
        "state": "present" if change.after is not None else "absent",
        "username": (login.shown_username or None) if login is not None else None,
        "email": (login.email or None) if login is not None else None,
        "expires_at": (expiry_of(login.password, login.identity_token).text or None) if login is not None else None,
        "changed": bool(change.reasons),
        "reasons": list(change.reasons),
    }

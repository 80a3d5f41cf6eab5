# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets and links of one cluster compared with what is declared. Imported only if there are any.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from .._cluster.client import ClusterClient
from .._core.changes import NotApproved
from .._core.concurrency import HasError, each_with_outcome
from .._core.errors import ApiUnreachable, CollectionError, Unauthorized
from .._core.report import Report
from .._credentials.expiry import EXPIRED, EXPIRES, Expiry, expiry_of
from .._pull_secret.apply import SecretApplier, SecretOutcome
from .._pull_secret.hosted import Hosting, Placed, place_global_secret
from .._pull_secret.report import report_secrets
from .._pull_secret.sources import take_from_secrets
from .._pull_secret.verify import try_logins
from .._secret_link.apply import LinkApplier
from .._secret_link.desired import Waiting
from .._secret_link.plan import link_change
from .._secret_link.report import report_links
from .declared import DeclaredLinks, DeclaredSecret, Settings
from .result import CREDENTIAL_EXPIRES, Part, Place, change, failure, held, reason_of, unknown


def compare_secret(
    client: ClusterClient, secret: DeclaredSecret, approved: frozenset[str] | None, settings: Settings
) -> Part:
    """Compare a secret in its namespaces, or outside check mode converge it.

    Raises ApiUnreachable and Unauthorized.
    """
    hosting = Hosting(client)
    placed = Placed(secret.desired, secret.namespaces)
    try:
        if secret.is_global:
            placed = place_global_secret(secret.desired, secret.namespaces, secret.import_namespaces, hosting)
        desired = take_from_secrets(client, placed.desired, settings.mask)
        verified = try_logins(desired.present_registries) if secret.verify else []
    except (ApiUnreachable, Unauthorized):
        raise
    except CollectionError as error:
        refused = [SecretOutcome(namespace, error=error) for namespace in placed.namespaces]
        return _secret_part(
            report_secrets(placed.desired, refused, []), dict.fromkeys(placed.namespaces, reason_of(error))
        )
    applier = SecretApplier(
        client,
        desired,
        check_mode=settings.check_mode,
        mask=settings.mask,
        approved=approved,
        compare=True,
        hosting=hosting,
    )
    outcomes = each_with_outcome(
        placed.namespaces, applier.converge, lambda namespace, error: SecretOutcome(namespace, error=error)
    )
    _give_up_where_nothing_answers(outcomes)
    held_back = [
        held("secret", outcome.namespace, desired.name, None, outcome.error.reasons)
        for outcome in outcomes
        if isinstance(outcome.error, NotApproved)
    ]
    answered = [outcome for outcome in outcomes if not isinstance(outcome.error, NotApproved)]
    causes = {outcome.namespace: reason_of(outcome.error) for outcome in answered}
    kept = {f"{outcome.namespace}/{desired.name}": outcome.refused for outcome in answered}
    report = report_secrets(desired, answered, verified, placed.warnings)
    # The notices say it.
    ended = desired.expired()
    report.warnings = [warning for warning in report.warnings if warning not in ended]
    notices = [one for outcome in answered for one in _expiries(desired.name, outcome, settings.expires_within)]
    return _secret_part(report, causes, held_back, kept, notices)


def compare_links(
    client: ClusterClient, links: DeclaredLinks, approved: frozenset[str] | None, settings: Settings
) -> Part:
    """Compare the links to a secret, or outside check mode converge them. Raises ApiUnreachable and Unauthorized."""
    applier = LinkApplier(
        client,
        links.desired,
        check_mode=settings.check_mode,
        mask=settings.mask,
        waiting=Waiting(settings.wait_timeout),
        approved=approved,
        compare=True,
    )
    outcomes = applier.converge_all(links.accounts)
    _give_up_where_nothing_answers(outcomes)
    held_back = [
        held("link", outcome.account.namespace, outcome.account.name, None, outcome.error.reasons)
        for outcome in outcomes
        if isinstance(outcome.error, NotApproved)
    ]
    answered = [outcome for outcome in outcomes if not isinstance(outcome.error, NotApproved)]
    ids = {
        str(outcome.account): link_change(outcome.account.namespace, outcome.account.name, outcome.plan).id
        for outcome in answered
        if outcome.plan is not None
    }
    causes = {str(outcome.account): reason_of(outcome.error) for outcome in answered}
    refused = {str(outcome.account): outcome.refused for outcome in answered}
    return _link_part(report_links(answered), ids, causes, held_back, refused)


def _expiries(name: str, outcome: SecretOutcome, within: int) -> t.Iterator[dict[str, t.Any]]:
    """Yield a notice for each credential of the secret that has ended, or will within so many hours.

    These are the credentials that it holds once it is as declared.
    """
    for one in outcome.plan.registries if outcome.plan is not None else ():
        login = one.before if outcome.refused else one.after
        expiry = expiry_of(login.password, login.identity_token) if login is not None else Expiry()
        state = expiry.state(within)
        if login is not None and state in (EXPIRED, EXPIRES):
            user = f' (user "{login.shown_username}")' if login.username else ""
            ends = "expired" if state == EXPIRED else "expires"
            message = f'The credential of "{one.shown}"{user} {ends} at {expiry.text}: give a fresh one.'
            yield unknown("secret", {"namespace": outcome.namespace, "name": name}, None, CREDENTIAL_EXPIRES, message)


def _secret_part(
    report: Report,
    causes: t.Mapping[str, str],
    held_back: t.Sequence[dict[str, t.Any]] = (),
    refused: t.Mapping[str, str] = MappingProxyType({}),
    notices: t.Sequence[dict[str, t.Any]] = (),
) -> Part:
    """``causes`` say in a word why a secret could not be read, by namespace.

    ``refused`` says why a run would not write it.
    """
    changes, failures = [], []
    for secret in report.results["secrets"]:
        where = f"{secret['namespace']}/{secret['name']}"
        if secret["changed"]:
            changes.append(
                change(
                    "secret",
                    secret,
                    None,
                    report.before[where],
                    report.after[where],
                    _secret_reasons(secret),
                    refused=refused.get(where, ""),
                )
            )
        if secret["error"]:
            failures.append(failure("secret", secret, secret["error"], causes.get(secret["namespace"], "")))
    return _part("secret", report, report.results["secrets"], changes, failures, held_back)._replace(notices=notices)


def _part(
    kind: str,
    report: Report,
    content: t.Sequence[dict[str, t.Any]],
    changes: t.Sequence[dict[str, t.Any]],
    failures: t.Sequence[dict[str, t.Any]],
    held_back: t.Sequence[dict[str, t.Any]],
) -> Part:
    """Return the part with what is not known, and what is as declared."""
    open_questions = [
        unknown(kind, item, None, one["reason"] or "", one["message"])
        for one in failures
        for item in content
        if (item["namespace"], item["name"]) == (one["namespace"], one["name"]) and not item["changed"]
    ]
    confirmed: set[Place] = {
        (kind, item["namespace"], item["name"], None) for item in content if not item["changed"] and not item["error"]
    }
    return Part(kind, report, content, changes, failures, held_back, open_questions, confirmed)


def _secret_reasons(secret: t.Mapping[str, t.Any]) -> list[str]:
    """Return the reasons of the secret, with those of its registries in the place of the word that there are some."""
    found = [reason for registry in secret["registries"] for reason in registry["reasons"]]
    return sorted({*(reason for reason in secret["reasons"] if reason != "registries_changed" or not found), *found})


def _link_part(
    report: Report,
    ids: t.Mapping[str, str],
    causes: t.Mapping[str, str],
    held_back: t.Sequence[dict[str, t.Any]],
    refused: t.Mapping[str, str],
) -> Part:
    """``ids`` are those of the changes, by service account: they are about more than before and after say."""
    changes, failures = [], []
    for account in report.results["service_accounts"]:
        where = f"{account['namespace']}/{account['name']}"
        if account["changed"]:
            changes.append(
                change(
                    "link",
                    account,
                    None,
                    report.before[where],
                    report.after[where],
                    account["reasons"],
                    ids[where],
                    refused=refused[where],
                )
            )
        if account["error"]:
            failures.append(failure("link", account, account["error"], causes.get(where, "")))
    return _part("link", report, report.results["service_accounts"], changes, failures, held_back)


def _give_up_where_nothing_answers(outcomes: t.Iterable[HasError]) -> None:
    for outcome in outcomes:
        if isinstance(outcome.error, (ApiUnreachable, Unauthorized)):
            raise outcome.error

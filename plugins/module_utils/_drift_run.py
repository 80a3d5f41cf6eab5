# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster compared with what is declared for it: secrets, then links, then image streams, each on its own road.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.quayside.openshift_images.plugins.module_utils._approval import NotApproved
from ansible_collections.quayside.openshift_images.plugins.module_utils._client import ClusterClient
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift_desired import Declared, DeclaredLinks, DeclaredSecret
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift_platforms import Place, Platforms, platforms_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift_result import Part, drift_report, held
from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import ApiUnreachable, CollectionError, Unauthorized
from ansible_collections.quayside.openshift_images.plugins.module_utils._link_apply import LinkApplier
from ansible_collections.quayside.openshift_images.plugins.module_utils._link_desired import Waiting
from ansible_collections.quayside.openshift_images.plugins.module_utils._link_plan import link_change
from ansible_collections.quayside.openshift_images.plugins.module_utils._link_report import report_links
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_login import try_logins
from ansible_collections.quayside.openshift_images.plugins.module_utils._report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_apply import SecretApplier, SecretOutcome
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_report import report_secrets
from ansible_collections.quayside.openshift_images.plugins.module_utils._side_by_side import HasError, each_with_outcome
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_desired import PendingCredential
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_remedy import RemedyFinder
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_repositories import TagReader
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_run import converge_streams


@dataclass(frozen=True)
class Way:
    """How the comparison goes about it: times in seconds, ``concurrency`` requests at a time."""

    check_mode: bool
    mask: t.Callable[..., None]
    concurrency: int
    timeout: int
    wait_timeout: int = 0
    only_changed: bool = False
    platforms: bool = False


def compare(
    client: ClusterClient,
    wanted: Declared,
    way: Way,
    *,
    pending: t.Sequence[PendingCredential] = (),
    tag_reader: TagReader | None = None,
) -> Report:
    """Tell how the cluster differs from what is wanted, or outside check mode bring that about.

    ``pending`` are credentials that check mode counts on besides those of ``wanted``.
    Raises ``ApiUnreachable`` and ``Unauthorized``: nothing more can be told about a cluster that does not answer.
    """
    parts = [_secrets(client, secret, wanted, way) for secret in wanted.secrets]
    parts += [_links(client, links, wanted, way) for links in wanted.links]
    promised = [*pending, *_promised(parts)]
    if wanted.streams:
        results = converge_streams(
            client,
            wanted.streams,
            check_mode=way.check_mode,
            concurrency=way.concurrency,
            timeout=way.timeout,
            pending=promised,
            tag_reader=tag_reader,
        )
        remedy_for = RemedyFinder(client, way.mask).remedy
        held_back = [
            held("tag" if tag else "stream", result.desired.namespace, result.desired.name, tag or None, reasons)
            for result in results
            for tag, reasons in result.held_back.items()
        ]
        report = stream_report(results, remedy_for, only_changed=way.only_changed)
        if way.platforms:
            _add_platforms(report, platforms_of(client, results, concurrency=way.concurrency, timeout=way.timeout))
        parts.append(Part("stream", report, held_back=held_back))
    return drift_report(client.connection.host, parts, promised)


def _add_platforms(report: Report, platforms: t.Mapping[Place, Platforms]) -> None:
    for stream in report.results["streams"]:
        for tag in stream["tags"]:
            known = platforms.get((stream["namespace"], stream["name"], tag["name"]))
            tag["platforms"] = known.as_dict() if known else None


def _secrets(client: ClusterClient, secret: DeclaredSecret, wanted: Declared, way: Way) -> Part:
    try:
        verified = try_logins(secret.desired.present_registries) if secret.verify else []
    except CollectionError as error:
        return Part("secret", report_secrets(secret.desired, [SecretOutcome(namespace, error=error) for namespace in secret.namespaces], []))
    applier = SecretApplier(
        client,
        secret.desired,
        check_mode=way.check_mode,
        mask=way.mask,
        look_around=secret.look_around,
        approved=wanted.approved,
    )
    outcomes = each_with_outcome(secret.namespaces, applier.bring_about, lambda namespace, error: SecretOutcome(namespace, error=error))
    _give_up_where_nothing_answers(outcomes)
    held_back = [
        held("secret", outcome.namespace, secret.desired.name, None, outcome.error.reasons)
        for outcome in outcomes
        if isinstance(outcome.error, NotApproved)
    ]
    answered = [outcome for outcome in outcomes if not isinstance(outcome.error, NotApproved)]
    return Part("secret", report_secrets(secret.desired, answered, verified), held_back=held_back)


def _links(client: ClusterClient, links: DeclaredLinks, wanted: Declared, way: Way) -> Part:
    applier = LinkApplier(
        client,
        links.desired,
        check_mode=way.check_mode,
        mask=way.mask,
        waiting=Waiting(way.wait_timeout),
        approved=wanted.approved,
    )
    outcomes = applier.bring_about_all(links.accounts)
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
    return Part("link", report_links(answered), ids, held_back)


def _give_up_where_nothing_answers(outcomes: t.Iterable[HasError]) -> None:
    for outcome in outcomes:
        if isinstance(outcome.error, (ApiUnreachable, Unauthorized)):
            raise outcome.error


def _promised(parts: t.Iterable[Part]) -> list[PendingCredential]:
    """The credentials that the run writes, or would write."""
    return [
        PendingCredential(secret["namespace"], registry["registry"])
        for part in parts
        if part.kind == "secret"
        for secret in part.report.results["secrets"]
        if secret["changed"]
        for registry in secret["registries"]
        if registry["state"] == "present"
    ]

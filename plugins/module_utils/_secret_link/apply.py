# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converge links: read, plan, write, for every service account for itself.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A write is the whole object with the resourceVersion that was read, since a patch would replace imagePullSecrets
(contract case service_account_lists): nobody else's entry is lost.
"""

from __future__ import annotations

import collections
import time
import typing as t
from typing import NamedTuple

from .._cluster.facts import WritingClient, require_namespace
from .._cluster.optimistic import Sleep, WriteTracker, retry_until_settled
from .._cluster.paths import core_path
from .._core.changes import Approved, NotApproved
from .._core.concurrency import WIDTH, concurrent_map, each_with_outcome
from .._core.errors import CollectionError
from .._core.numbers import seconds
from .._core.owners import Owner, judge, owner_of
from .._credentials.secret_types import CONSUMED_TYPES, DOCKER_CONFIG_JSON
from .desired import LIST_FIELDS, AccountName, DesiredLinks, Waiting
from .observed import (
    Account,
    observe_account,
    observe_accounts,
    secret_types,
)
from .plan import LinkPlan, has_managed_secret, link_change, plan_links

# The service account of builds (server-behaviour.md 4.6).
_BUILDER = "builder"


class AccountMissing(CollectionError):
    """The service account does not exist, and did not come into being while it was waited for."""


class SecretMissing(CollectionError):
    """A secret to link does not exist in the namespace of the service account."""


class LinkOutcome(NamedTuple):
    """What became of one service account. ``plan`` is what was done, or would be, None if ``error`` came before.

    ``owner`` is who else reconciles the account, ``refused`` why a run would not carry the plan out: only a
    comparison has both. An account that does not exist has neither links nor an error if the task wants none of
    them.
    """

    account: AccountName
    plan: LinkPlan | None = None
    error: CollectionError | None = None
    warnings: tuple[str, ...] = ()
    owner: Owner | None = None
    refused: str = ""


class LinkApplier:
    """Converges the declared links of one service account after the other; several threads may call it at once.

    With ``approved``, the ids of changes, it makes no other change than these. With ``compare``, in check mode, what
    somebody else reconciles is compared all the same, and the outcome says that a run would be ``refused``.
    """

    def __init__(
        self,
        client: WritingClient,
        desired: DesiredLinks,
        *,
        check_mode: bool,
        mask: t.Callable[..., None],
        waiting: Waiting,
        approved: Approved | None = None,
        compare: bool = False,
        sleep: Sleep = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._desired = desired
        self._check_mode = check_mode
        self._mask = mask
        self._waiting = waiting
        self._approved = approved
        self._compare = compare and check_mode
        self._sleep = sleep
        self._clock = clock

    def converge(self, account: AccountName, known: Account | None = None) -> LinkOutcome:
        """Return what became of ``account``; an error is part of the outcome.

        ``known`` is the account as a list had it just now.
        """
        first_look = [known] if known is not None else []
        writes: WriteTracker[LinkPlan] = WriteTracker()
        warnings: list[str] = []
        owners: list[Owner | None] = [None]
        refused = [""]
        subject = f'The service account "{account.name}" in the namespace "{account.namespace}"'

        def attempt() -> LinkPlan:
            observed = first_look.pop() if first_look else self._wait_for(account)
            owners[:] = [owner_of("ServiceAccount", (observed or {}).get("metadata") or {})]
            plan = plan_links(self._desired, observed or {})
            if not plan.changed:
                return writes.last or plan
            if (
                self._approved is not None
                and link_change(account.namespace, account.name, plan).id not in self._approved
            ):
                raise NotApproved(sorted({reason for one in plan.lists for reason in one.reasons}))
            refusal, warning = judge(subject, owners[0], self._desired.take_over)
            if refusal is not None and not self._compare:
                raise refusal
            refused[:] = [str(refusal or "")]
            warnings[:] = [*filter(None, [warning]), *self._look_at_secrets(account, plan, observed or {})]
            if not self._check_mode:
                path = core_path(account.namespace, "serviceaccounts", account.name)
                writes.send(lambda: self._client.request("PUT", path, body=plan.body, repeatable=False), plan)
            return plan

        try:
            return LinkOutcome(
                account,
                retry_until_settled(attempt, subject, writes, sleep=self._sleep),
                None,
                tuple(warnings),
                owners[0],
                refused[0],
            )
        except CollectionError as exc:
            return LinkOutcome(account, error=exc, owner=owners[0])

    def converge_all(self, accounts: t.Sequence[AccountName]) -> list[LinkOutcome]:
        """Return what became of the accounts, in their order.

        If a namespace has several of them, they are read with one call.
        """
        counts = collections.Counter(account.namespace for account in accounts)
        crowded = [namespace for namespace, count in counts.items() if count > 1]
        known = dict(
            zip(crowded, concurrent_map(lambda namespace: observe_accounts(self._client, namespace), crowded, WIDTH))
        )
        return each_with_outcome(
            accounts,
            lambda account: self.converge(account, known.get(account.namespace, {}).get(account.name)),
            lambda account, error: LinkOutcome(account, error=error),
        )

    def _wait_for(self, account: AccountName) -> Account | None:
        """Return the account, waiting for it to come into being.

        Return None if links are to be taken away from one that does not exist.
        """
        deadline = self._clock() + self._waiting.timeout
        observed = observe_account(self._client, account)
        if observed is not None or self._desired.state == "absent":
            return observed
        require_namespace(
            self._client, account.namespace, f'its service account "{account.name}" cannot be linked to anything'
        )
        while self._clock() < deadline:
            self._sleep(min(self._waiting.pause, max(0.0, deadline - self._clock())))
            observed = observe_account(self._client, account)
            if observed is not None:
                return observed
        waited = f" and did not appear within {seconds(self._waiting.timeout)}" if self._waiting.timeout > 0 else ""
        raise AccountMissing(
            f'The service account "{account.name}" does not exist in the namespace "{account.namespace}"{waited}; '
            "create it first, or check its name"
        )

    def _look_at_secrets(self, account: AccountName, plan: LinkPlan, observed: Account) -> list[str]:
        """Look at the secrets that get a new link; return warnings about links that would have no effect.

        One that does not exist is an error, and in check mode, where an earlier task may be going to create it, a
        warning.
        """
        types = secret_types(self._client, account.namespace, plan.added, self._mask)
        missing = [name for name, secret_type in types.items() if secret_type is None]
        if self._check_mode:
            missing = [name for name in missing if name not in self._desired.pending]
        warnings = list(_without_effect(account, plan, observed, types))
        if not missing:
            return warnings
        names = ", ".join(f'"{name}"' for name in missing)
        subject = f"The secret {names} does" if len(missing) == 1 else f"The secrets {names} do"
        if self._check_mode:
            return [
                (
                    f'{subject} not exist in the namespace "{account.namespace}" yet; the run fails unless an earlier '
                    "task creates what is missing."
                ),
                *warnings,
            ]
        raise SecretMissing(
            f'{subject} not exist in the namespace "{account.namespace}", so the service account "{account.name}" was '
            "not changed; create the secret first, or check its name"
        )


def _without_effect(
    account: AccountName, plan: LinkPlan, observed: Account, types: t.Mapping[str, str | None]
) -> t.Iterator[str]:
    """Yield what is said about new links that help nobody."""
    where = f'to the service account "{account.name}" in the namespace "{account.namespace}"'
    pulled = {entry.get("name") for entry in observed.get(LIST_FIELDS["pull"]) or ()}.union(
        *(one.after for one in plan.lists if one.purpose == "pull")
    )
    for one in plan.lists:
        for name in one.added:
            secret_type = types.get(name)
            if one.purpose == "pull" and secret_type is not None and secret_type not in CONSUMED_TYPES:
                yield (
                    f'The secret "{name}" is linked for pull {where}, but it is of the type {secret_type}, which pods '
                    f"and builds do not pull with; it has to be of the type {DOCKER_CONFIG_JSON}."
                )
            if (
                one.purpose == "mount"
                and account.name == _BUILDER
                and secret_type in CONSUMED_TYPES
                and name not in pulled
                and has_managed_secret(observed)
            ):
                yield (
                    f'The secret "{name}" is linked only for mount {where}, but builds of this cluster take registry '
                    "credentials from what is linked for pull; use for: [pull], or both."
                )

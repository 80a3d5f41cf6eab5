# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converge pull secrets: read, plan, write, in every namespace for itself.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A secret that has to be recreated is first kept as a copy in a secret beside it (``FormerCopy``), so that a run that
is killed between deletion and creation loses nothing. A secret that is marked for deletion is never written.
"""

from __future__ import annotations

import time
import typing as t
from typing import NamedTuple

from .._cluster.facts import WritingClient, missing_namespace, require_namespace
from .._cluster.optimistic import (
    RetryNeeded,
    Sleep,
    WriteTracker,
    retry_until_settled,
)
from .._cluster.paths import core_path
from .._core.changes import Approved, NotApproved
from .._core.errors import CollectionError, Conflict, NotFound
from .._core.owners import OwnedByAnother, Owner, judge
from .._core.report import without_dot
from .._credentials.keyring import filed_text, shown_key
from .._credentials.registry_secrets import (
    RegistrySecret,
    hidden_keys,
    read_secret_object,
)
from .desired import DesiredSecret
from .former_copy import FormerCopy, RecreationFailed, as_new, former_copy_name
from .hosted import HOSTING_CLUSTER, Hosting, conflicts, refuse_kept
from .observed import ObservedSecret, observe_registry_secrets, observe_secret
from .places import ADDITIONAL, GLOBAL
from .plan import SecretPlan, plan_secret, secret_change

# How often a secret that waits for its finalizers is looked at again.
_DYING_LOOKS = 5


class SecretDying(CollectionError):
    """The secret is marked for deletion, so whatever is written into it goes with it."""


class SecretOutcome(NamedTuple):
    """What became of the secret in one namespace.

    ``plan`` is what was done (or would be), None if ``error`` came before.

    ``shadowing_checked`` says whether the other secrets of the namespace could be read; ``warnings`` are what came
    of it. ``owner`` is who else reconciles the secret, ``refused`` why a run would not carry the plan out: only a
    comparison has both.
    """

    namespace: str
    plan: SecretPlan | None = None
    error: CollectionError | None = None
    shadowing_checked: bool = False
    warnings: tuple[str, ...] = ()
    owner: Owner | None = None
    refused: str = ""


class SecretApplier:
    """Converges one declared secret in one namespace after the other; several threads may call it at once.

    With ``look_around`` it also looks at the other secrets of the namespace, to warn about what they do to this one.
    With ``approved``, the ids of changes, it makes no other change than these. With ``compare``, in check mode, what
    somebody else reconciles is compared all the same, and the outcome says that a run would be ``refused``. ``hosting``
    is what is known already of who hosts the control plane.
    """

    def __init__(
        self,
        client: WritingClient,
        desired: DesiredSecret,
        *,
        check_mode: bool,
        mask: t.Callable[..., None],
        look_around: bool = True,
        approved: Approved | None = None,
        compare: bool = False,
        hosting: Hosting | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._client = client
        self._desired = desired
        self._hosting = hosting or Hosting(client)
        self._check_mode = check_mode
        self._mask = mask
        self._look_around = look_around
        self._approved = approved
        self._compare = compare
        self._sleep = sleep

    def converge(self, namespace: str) -> SecretOutcome:
        """Return what became of ``namespace``.

        An error is part of the outcome, so that no other namespace's result is lost.
        """
        one = _OneSecret(
            self._client,
            self._desired,
            namespace,
            self._check_mode,
            self._mask,
            self._approved,
            self._compare,
            self._hosting,
        )
        try:
            plan = one.run(self._sleep)
        except CollectionError as exc:
            return SecretOutcome(namespace, error=exc, warnings=tuple(one.warnings), owner=one.owner)
        secrets = self._observe_others(namespace)
        warnings = (
            *one.warnings,
            *self._warnings(namespace, plan, secrets or []),
            *self._conflicts(namespace),
            *([self._hosting.warning] if self._hosting.warning else []),
        )
        return SecretOutcome(namespace, plan, None, secrets is not None, warnings, one.owner, one.refused)

    def _observe_others(self, namespace: str) -> list[RegistrySecret] | None:
        """Read the registry secrets of the namespace.

        Return None if that is of no use, not wanted or fails: it is for warnings only. No import takes anything from
        the secrets beside the global one.
        """
        of_the_cluster = (namespace, self._desired.name) in (GLOBAL, ADDITIONAL)
        if not self._look_around or of_the_cluster or not self._desired.present_registries:
            return None
        try:
            return observe_registry_secrets(self._client, namespace, self._mask)
        except CollectionError:
            return None

    def _conflicts(self, namespace: str) -> t.Iterator[str]:
        """Yield what the hosting cluster makes of entries of the additional pull secret, if this is it."""
        registries = self._desired.present_registries
        if not registries or (namespace, self._desired.name) != ADDITIONAL:
            return
        try:
            hosted = self._hosting.is_hosted()
        except CollectionError:
            # It is for warnings only.
            return
        if hosted:
            yield from conflicts(self._client, registries, self._mask)

    def _warnings(self, namespace: str, plan: SecretPlan, secrets: list[RegistrySecret]) -> t.Iterator[str]:
        """Yield what is wrong in the namespace beside this secret.

        Other secrets can hide its entries, or break every import.
        """
        name = self._desired.name
        others = [secret for secret in secrets if secret.name != name]
        for secret in others:
            if secret.breaks_imports:
                yield (
                    f'Every image import of the namespace "{namespace}" fails because of the secret "{secret.name}": '
                    f"{secret.breaks_imports}; repair or delete it."
                )
        # In check mode the cluster does not have the secret yet: it is judged as it would be.
        own = (
            read_secret_object(plan.body)
            if plan.body is not None
            else next((secret for secret in secrets if secret.name == name), None)
        )
        if own is None:
            return
        written = own.document.auths if own.document is not None else {}
        wanted = {filed_text(registry.registry) for registry in self._desired.present_registries}
        for key, hider in hidden_keys(
            name, [key for key in written if filed_text(key) in wanted], [*others, own]
        ).items():
            yield (
                f'Imports of the namespace "{namespace}" never use the entry for "{shown_key(key)}" of the secret '
                f'"{name}": {hider.because(name)}.'
            )


class _OneSecret:
    """The attempts for one secret: what earlier ones have sent or deleted is remembered here."""

    def __init__(
        self,
        client: WritingClient,
        desired: DesiredSecret,
        namespace: str,
        check_mode: bool,
        mask: t.Callable[..., None],
        approved: Approved | None,
        compare: bool,
        hosting: Hosting,
    ) -> None:
        self._client = client
        self._desired = desired
        self._hosting = hosting
        self._namespace = namespace
        self._check_mode = check_mode
        self._mask = mask
        self._approved = approved
        self._compare = compare and check_mode
        self._writes: WriteTracker[SecretPlan] = WriteTracker()
        self._deleted: ObservedSecret | None = None
        self._recreation: SecretPlan | None = None
        logins = [registry.login for registry in desired.present_registries if registry.login is not None]
        self._copy = FormerCopy(client, namespace, desired.name, logins, mask)
        self._has_kept = False
        self._dying_looks = 0
        self._was_missing = False
        self.owner: Owner | None = None
        self.refused = ""
        self._owner_warning = ""
        self.warnings: list[str] = []
        self._collection_path = core_path(namespace, "secrets")
        self._path = core_path(namespace, "secrets", desired.name)
        self._subject = f'The secret "{desired.name}" in the namespace "{namespace}"'

    def run(self, sleep: Sleep) -> SecretPlan:
        """Return the plan that was carried out, or would be; raise the ``CollectionError`` that came between."""
        try:
            plan = retry_until_settled(self._attempt, self._subject, self._writes, sleep=sleep)
        except CollectionError as exc:
            if self._deleted is None:
                self._remove_a_needless_copy()
                raise
            raise self._put_back(self._deleted, exc) from exc
        self.warnings += [*([self._owner_warning] if self._owner_warning else []), *self._about_the_copy(plan)]
        if not self._check_mode:
            self._remove_the_copy()
        return plan

    def _attempt(self) -> SecretPlan:
        observed = observe_secret(self._client, self._namespace, self._desired.name, self._mask)
        if observed is not None:
            self.owner = observed.owner
        if observed is not None and observed.is_dying:
            return self._while_dying(observed)
        if observed is None and self._recreation is not None:
            self._create(self._recreation)
            return self._recreation
        if observed is None and self._deleted is None and not self._was_missing:
            # A run that was killed while it recreated the secret has left a copy.
            self._was_missing = True
            self._copy.look()
        plan = plan_secret(self._desired, self._namespace, observed, self._deleted or self._copy.former)
        if not plan.changed:
            return self._writes.last or plan
        self._respect_the_owner()
        if (
            self._approved is not None
            and secret_change(self._namespace, self._desired.name, plan).id not in self._approved
        ):
            raise NotApproved(plan.reasons)
        if self._check_mode:
            if plan.action == "create":
                require_namespace(self._client, self._namespace, self._cannot_be_created)
            return plan
        self._carry_out(plan, observed)
        return plan

    def _respect_the_owner(self) -> None:
        """Raise if somebody else reconciles the secret and would undo the change; note a warning if they may."""
        refusal: OwnedByAnother | None
        if self._hosting.keeps(self._namespace, self._desired.name):
            self.owner = HOSTING_CLUSTER
            refusal = None if self._desired.take_over else refuse_kept(self._subject)
        else:
            refusal, self._owner_warning = judge(self._subject, self.owner, self._desired.take_over)
        if refusal is not None and not self._compare:
            raise refusal
        self.refused = str(refusal or "")

    def _while_dying(self, observed: ObservedSecret) -> SecretPlan:
        """Return the plan for a secret that is marked for deletion: nothing is left to do if it is not wanted.

        Raise otherwise.
        """
        waits = f"{self._subject} is marked for deletion and waits for {observed.waits_for}"
        if not self._desired.present:
            self.warnings.append(f"{waits}; it is gone once they are done.")
            return self._writes.last or SecretPlan("none", observed.secret_type, observed.secret_type)
        self._dying_looks += 1
        if not self._check_mode and self._dying_looks < _DYING_LOOKS:
            raise RetryNeeded
        if self._deleted is None and not self._check_mode:
            self._copy.look()
        kept = (
            f'; its former content is kept as the secret "{former_copy_name(self._desired.name)}"'
            if self._copy.is_there
            else ""
        )
        raise SecretDying(
            f"{waits}, so nothing was written into it{kept}; see to the finalizers, and run the task again"
        )

    def _remove_a_needless_copy(self) -> None:
        """Remove the copy that this run has written if the secret was not deleted after all: it holds credentials."""
        if not self._has_kept:
            return
        try:
            present = observe_secret(self._client, self._namespace, self._desired.name, self._mask)
        except CollectionError:
            return
        left = self._copy.remove() if present is not None and not present.is_dying else ""
        if left:
            self.warnings.append(left)

    def _remove_the_copy(self) -> None:
        """Remove the copy that this run has written, or that one which was killed at its very end has left."""
        if self._was_missing and self._copy.distrusted and self._desired.present:
            return
        if not self._copy.is_there and not self._was_missing:
            try:
                self._copy.look()
            except CollectionError:
                # The work is done; the next run looks again.
                return
        left = self._copy.remove()
        if left:
            self.warnings.append(left)

    def _about_the_copy(self, plan: SecretPlan) -> t.Iterator[str]:
        """Yield what has to be known about a copy that an earlier run has left.

        There is something to know only if the secret itself was not there.
        """
        if not self._was_missing or not self._desired.present:
            return
        name = former_copy_name(self._desired.name)
        of_time = f" of {self._copy.created}" if self._copy.created else ""
        if self._copy.distrusted:
            yield (
                f'The secret "{name}" in the namespace "{self._namespace}" looks like the copy{of_time} that a run has '
                f'kept of "{self._desired.name}", but '
                "no run with the credentials of this task has written it, so nothing was taken from it; look at it, "
                "and delete it."
            )
        elif self._copy.former is not None and plan.action == "create":
            listed = {filed_text(registry.registry) for registry in self._desired.registries}
            taken = ", ".join(
                f'"{change.shown}"'
                for change in plan.registries
                if change.after is not None and filed_text(change.registry) not in listed
            )
            yield (
                f"{self._subject} was not there, and is created with what an interrupted run{of_time} had kept of it"
                f"{f', the credentials for {taken}' if taken else ''}; remove what has been revoked since."
            )

    def _carry_out(self, plan: SecretPlan, observed: ObservedSecret | None) -> None:
        self._mask(*((plan.body or {}).get("data") or {}).values())
        if observed is None:
            self._create(plan)
        elif plan.action == "update":
            self._writes.send(lambda: self._client.request("PUT", self._path, body=plan.body, repeatable=False), plan)
        else:
            if plan.action == "recreate":
                self._copy.keep(observed)
                self._has_kept = True
            self._delete(plan, observed)
            if plan.action == "recreate":
                self._create(plan)

    def _create(self, plan: SecretPlan) -> None:
        try:
            self._writes.send(
                lambda: self._client.request("POST", self._collection_path, body=plan.body, repeatable=False), plan
            )
        except NotFound:
            raise missing_namespace(self._namespace, self._cannot_be_created) from None
        self._deleted = None

    def _delete(self, plan: SecretPlan, observed: ObservedSecret) -> None:
        # The preconditions keep a secret that somebody has changed, or recreated, since it was read.
        preconditions = {
            name: observed.metadata[name] for name in ("uid", "resourceVersion") if name in observed.metadata
        }
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            self._writes.send(lambda: self._client.request("DELETE", self._path, body=body, repeatable=False), plan)
        except RetryNeeded:
            # Without an answer it may be gone all the same.
            if self._writes.last is plan:
                self._remember_deleted(plan, observed)
            raise
        self._remember_deleted(plan, observed)

    def _remember_deleted(self, plan: SecretPlan, observed: ObservedSecret) -> None:
        if plan.action == "recreate":
            self._deleted, self._recreation = observed, plan

    @property
    def _cannot_be_created(self) -> str:
        return f'the secret "{self._desired.name}" cannot be created there'

    def _put_back(self, former: ObservedSecret, reason: CollectionError) -> CollectionError:
        """Create the secret as it was before it was deleted; return the error that says what came of it."""
        if isinstance(reason, SecretDying):
            return reason
        begin = f"{self._subject} was deleted and could not be created again ({without_dot(reason)})"
        try:
            self._client.request("POST", self._collection_path, body=as_new(former))
        except Conflict:
            return reason
        except CollectionError as exc:
            return RecreationFailed(
                f"{begin}, and could not be put back as it was either ({without_dot(exc)}); it is kept as the secret "
                f'"{former_copy_name(self._desired.name)}", with which the next run creates it'
            )
        self._copy.remove()
        return RecreationFailed(f"{begin}; it was put back as it was, so nothing has changed")

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to change in a pull secret: a pure function of declared and observed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

This is the only place that decides whether something changes: check mode reports it, diff mode prints it, apply carries
it out. Credentials are compared by what they mean, so an ``auth`` equals its user name and password, and the order of
keys, white space and base64 padding make no change.
"""

from __future__ import annotations

import copy
import hashlib
import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .._core.changes import Change
from .._core.errors import CollectionError
from .._credentials.auth_document import (
    AuthDocument,
    Login,
    MalformedAuth,
    decode_entry,
    encode_entry,
    encode_text,
)
from .._credentials.keyring import filed_text, shown_key
from .._credentials.registry_secrets import EXCLUDE_ANNOTATION
from .._credentials.secret_types import DATA_KEYS, DOCKER_CFG
from .desired import DesiredRegistry, DesiredSecret
from .observed import ObservedSecret

# How a password is given that is not to be given itself.
_DIGEST = "sha256:"
# What kubectl apply leaves behind: the whole former object, credentials included.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# What stands for a credential in a diff: one that stays, and one that is another than before.
HIDDEN = "(hidden)"
HIDDEN_DIFFERS = "(hidden, differs)"

# The reasons of a secret and of a registry, in the order in which they are reported.
SECRET_REASONS = (
    "secret_missing",
    "type_changed",
    "immutable",
    "content_unreadable",
    "registries_changed",
    "other_content_removed",
    "labels_changed",
    "annotations_changed",
    "import_exclusion_changed",
    "not_wanted",
    "other_password",
)
REGISTRY_REASONS = (
    "registry_missing",
    "entry_unusable",
    "username_changed",
    "password_changed",
    "identity_token_changed",
    "email_changed",
    "written_twice",
    "not_wanted",
    "not_listed",
)


class SecretRefused(CollectionError):
    """The secret that is there cannot be brought to what is wanted without a decision of the user's."""


class RegistryChange(NamedTuple):
    """One registry of the secret: ``before`` and ``after`` are its logins, None if it has no (readable) entry."""

    registry: str
    before: Login | None
    after: Login | None
    reasons: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Return the registry as people may see it."""
        return shown_key(self.registry)


class SecretPlan(NamedTuple):
    """What to do with one secret. ``body`` is the object to send (never shown), None if nothing is sent.

    ``former_type`` is the type of the secret that is there, None if there is none.
    """

    action: str  # none, create, update, recreate, delete
    secret_type: str
    former_type: str | None = None
    reasons: tuple[str, ...] = ()
    registries: tuple[RegistryChange, ...] = ()
    body: dict[str, t.Any] | None = None
    metadata_before: t.Mapping[str, t.Any] = MappingProxyType({})
    metadata_after: t.Mapping[str, dict[str, str]] = MappingProxyType({})

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return (
            f"SecretPlan({self.action!r}, {self.secret_type!r}, {self.former_type!r}, {self.reasons!r}, "
            f"{self.registries!r})"
        )

    @property
    def changed(self) -> bool:
        return self.action != "none"


def plan_secret(
    desired: DesiredSecret, namespace: str, observed: ObservedSecret | None, carried: ObservedSecret | None = None
) -> SecretPlan:
    """Return what to do in ``namespace``; raise ``SecretRefused`` if that needs a decision of the user's.

    ``carried`` is the secret that a former try has deleted in order to recreate it: a merge keeps its registries, and a
    new secret gets its labels and annotations.
    """
    where = f'The secret "{desired.name}" in the namespace "{namespace}"'
    if not desired.present:
        return _plan_absent(desired, observed, where)
    if observed is None:
        return _plan_create(desired, namespace, carried)
    recreate_reason = _recreate_reason(desired, observed, where)
    former, unreadable = _former_document(desired, observed, where)
    document, changes = _merge(desired, former, carried)
    if desired.former_password is not None and any(
        _has_other_password(change, desired.former_password) for change in changes
    ):
        kept = tuple(
            change._replace(after=change.before, reasons=()) for change in changes if change.before is not None
        )
        return SecretPlan("none", desired.secret_type, observed.secret_type, ("other_password",), kept)
    if desired.delete_if_empty and not document.auths:
        return SecretPlan("delete", observed.secret_type, observed.secret_type, ("not_wanted",), tuple(changes))
    _refuse_malformed(document, where)
    labels, annotations, metadata_reasons = _metadata(desired, observed.labels, observed.annotations)
    content_reasons: list[str] = []
    if unreadable:
        content_reasons.append("content_unreadable")
    if any(change.reasons for change in changes):
        content_reasons.append("registries_changed")
    if former.rest and not document.rest and desired.secret_type != DOCKER_CFG:
        content_reasons.append("other_content_removed")
    must_recreate = recreate_reason == "type_changed" or (recreate_reason == "immutable" and bool(content_reasons))
    if recreate_reason == "immutable" and content_reasons and not desired.recreate:
        raise SecretRefused(
            f"{where} is marked immutable, so the API server accepts no change of its content; set recreate: true to "
            "delete and recreate it, or choose another name"
        )
    reasons = ([recreate_reason] if must_recreate else []) + content_reasons + metadata_reasons
    if not reasons:
        return SecretPlan("none", desired.secret_type, observed.secret_type, registries=tuple(changes))
    body = _updated_body(desired, observed, document if content_reasons or must_recreate else None, labels, annotations)
    if must_recreate:
        body = _body_for_recreation(body)
    return SecretPlan(
        "recreate" if must_recreate else "update",
        desired.secret_type,
        observed.secret_type,
        _ordered(reasons),
        tuple(changes),
        body,
        *_shown_metadata(observed.labels, observed.annotations, labels, annotations),
    )


def _has_other_password(change: RegistryChange, former: str) -> bool:
    """Return whether an entry does not hold the credential to replace, or is not there any more.

    Such an entry is not replaced.
    """
    if not change.reasons or change.reasons == ("written_twice",):
        return False
    password = change.before.password if change.before is not None else None
    if password is None:
        return True
    digest = _DIGEST + hashlib.sha256(password.encode("utf-8", "surrogateescape")).hexdigest()
    return former not in (password, digest) and not (change.after is not None and password == change.after.password)


def secret_change(namespace: str, name: str, plan: SecretPlan) -> Change:
    """Return the change that ``plan`` makes."""
    before, after = difference(plan)
    return Change("secret", namespace, name, before, after)


def difference(plan: SecretPlan) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the secret before and after. A new password is told from a kept one by a word, never by its value."""
    absent: dict[str, t.Any] = {"state": "absent"}
    old: dict[str, t.Any] = {
        change.shown: _shown(change, change.before, HIDDEN) for change in plan.registries if change.before is not None
    }
    old.update({change.shown: "unusable" for change in plan.registries if "entry_unusable" in change.reasons})
    new = {
        change.shown: _shown(change, change.after, HIDDEN_DIFFERS)
        for change in plan.registries
        if change.after is not None
    }
    unreadable = "content_unreadable" in plan.reasons
    before: dict[str, t.Any] = {
        "state": "present",
        "type": plan.former_type,
        "registries": "unreadable" if unreadable else old,
        **plan.metadata_before,
    }
    after: dict[str, t.Any] = {"state": "present", "type": plan.secret_type, "registries": new, **plan.metadata_after}
    if plan.action == "recreate":
        after["deleted_and_created"] = True
    return (absent if plan.action == "create" else before), (absent if plan.action == "delete" else after)


def _plan_absent(desired: DesiredSecret, observed: ObservedSecret | None, where: str) -> SecretPlan:
    if observed is None:
        return SecretPlan("none", desired.secret_type)
    if observed.registry_secret is None and not desired.recreate:
        raise SecretRefused(
            f"{where} is of the type {observed.secret_type} and holds no registry credentials, so it is not deleted; "
            "set recreate: true to delete it all the same"
        )
    changes = [
        RegistryChange(key, _login_or_none(entry), None, ("not_wanted",))
        for key, entry in (observed.document or AuthDocument()).auths.items()
    ]
    # Annotations of others can hold anything, also the whole secret.
    before: dict[str, t.Any] = {
        kind: shown
        for kind, shown in (("labels", observed.labels), ("annotations", sorted(observed.annotations)))
        if shown
    }
    return SecretPlan(
        "delete", observed.secret_type, observed.secret_type, ("not_wanted",), tuple(changes), metadata_before=before
    )


def _plan_create(desired: DesiredSecret, namespace: str, carried: ObservedSecret | None) -> SecretPlan:
    if not desired.create and carried is None:
        raise SecretRefused(
            f'The secret "{desired.name}" does not exist in the namespace "{namespace}", and the task may not create '
            "it (create: false); check the names, or restore the secret first"
        )
    document, changes = _merge(desired, AuthDocument(), carried)
    if not document.auths:
        if not desired.registries:
            raise SecretRefused(
                f'The secret "{desired.name}" does not exist in the namespace "{namespace}", and the task names no '
                "registry to create it with; give registries, auth_file or auth_content"
            )
        return SecretPlan("none", desired.secret_type, registries=tuple(changes))
    kept = (
        {name: value for name, value in carried.annotations.items() if name != _LAST_APPLIED}
        if carried is not None
        else {}
    )
    labels, annotations, _reasons = _metadata(desired, carried.labels if carried is not None else {}, kept)
    metadata: dict[str, t.Any] = {"name": desired.name, "namespace": namespace}
    metadata.update({name: values for name, values in (("labels", labels), ("annotations", annotations)) if values})
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": desired.secret_type,
        "data": {DATA_KEYS[desired.secret_type]: encode_text(document.render(desired.secret_type))},
    }
    _before, after = _shown_metadata({}, {}, labels, annotations)
    return SecretPlan(
        "create", desired.secret_type, None, ("secret_missing",), tuple(changes), body, metadata_after=after
    )


def _recreate_reason(desired: DesiredSecret, observed: ObservedSecret, where: str) -> str:
    """Return the reason for which an update in place is impossible, "" if it is possible (contract case
    secret_validation)."""
    if observed.secret_type != desired.secret_type:
        if not desired.recreate:
            keep = f"set type: {observed.secret_type}, " if observed.secret_type in DATA_KEYS else ""
            raise SecretRefused(
                f"{where} is of the type {observed.secret_type}, not {desired.secret_type}, and the type of a secret "
                f"cannot be changed; set recreate: true to delete and recreate it, {keep}or choose another name"
            )
        return "type_changed"
    return "immutable" if observed.is_immutable else ""


def _former_document(desired: DesiredSecret, observed: ObservedSecret, where: str) -> tuple[AuthDocument, bool]:
    """Return the registries that are there, and whether the content is unreadable (then there are none)."""
    secret = observed.registry_secret
    if secret is None:
        return AuthDocument(), False
    if secret.document is not None:
        return secret.document, False
    if not desired.replace:
        raise SecretRefused(
            f"{where} cannot be merged into: {secret.problem}; repair or delete it, or overwrite its whole content "
            "with update: replace"
        )
    return AuthDocument(), True


def _merge(
    desired: DesiredSecret, former: AuthDocument, carried: ObservedSecret | None
) -> tuple[AuthDocument, list[RegistryChange]]:
    """Return the document as it will be, and every registry that it has or had, with the reasons for what changes."""
    auths = dict(former.auths)
    changes: list[RegistryChange] = []
    for registry in desired.registries:
        auths, own = _place(auths, registry)
        changes += own
    listed = {filed_text(registry.registry) for registry in desired.registries}
    for key in former.auths:
        if filed_text(key) in listed:
            continue
        login = _login_or_none(former.auths[key])
        if desired.replace:
            del auths[key]
            changes.append(RegistryChange(key, login, None, ("not_listed",)))
        else:
            changes.append(RegistryChange(key, login, login))
    if carried is not None and not desired.replace:
        for key, entry in (carried.document or AuthDocument()).auths.items():
            if filed_text(key) not in listed and not former.keys_of(key):
                auths[key] = entry
                changes.append(RegistryChange(key, None, _login_or_none(entry), ("registry_missing",)))
    return AuthDocument(auths, {} if desired.replace else dict(former.rest)), changes


def _place(auths: dict[str, t.Any], registry: DesiredRegistry) -> tuple[dict[str, t.Any], list[RegistryChange]]:
    """Put one registry into ``auths``.

    Of several spellings of one registry the cluster takes any, so only one stays.
    """
    spellings = AuthDocument(auths).keys_of(registry.registry)
    if registry.login is None:
        rest = {key: entry for key, entry in auths.items() if key not in spellings}
        gone = [RegistryChange(key, _login_or_none(auths[key]), None, ("not_wanted",)) for key in spellings]
        return rest, gone or [RegistryChange(registry.registry, None, None)]
    if not spellings:
        return {**auths, registry.registry: encode_entry(registry.login)}, [
            RegistryChange(registry.registry, None, registry.login, ("registry_missing",))
        ]
    former = registry.registry if registry.registry in spellings else spellings[0]
    before = _login_or_none(auths[former])
    reasons = _entry_reasons(auths[former], registry.login)
    twice = [
        RegistryChange(key, _login_or_none(auths[key]), None, ("written_twice",)) for key in spellings if key != former
    ]
    if not reasons:
        return {key: entry for key, entry in auths.items() if key == former or key not in spellings}, [
            RegistryChange(former, before, before),
            *twice,
        ]
    entry = encode_entry(registry.login, auths[former])
    placed = {}
    for key, value in auths.items():
        if key == former:
            placed[registry.registry] = entry
        elif key not in spellings:
            placed[key] = value
    return placed, [RegistryChange(registry.registry, before, decode_entry(entry), reasons), *twice]


def _entry_reasons(entry: t.Any, login: Login) -> tuple[str, ...]:
    try:
        before = decode_entry(entry)
    except MalformedAuth:
        return ("entry_unusable",)
    reasons = []
    if before.username != login.username:
        reasons.append("username_changed")
    if before.password != login.password:
        reasons.append("password_changed")
    if before.identity_token != login.identity_token:
        reasons.append("identity_token_changed")
    if login.email and before.email != login.email:
        reasons.append("email_changed")
    return tuple(reasons)


def _refuse_malformed(document: AuthDocument, where: str) -> None:
    for key, reason in document.malformed().items():
        raise SecretRefused(
            f'{where} cannot be merged into: its entry for "{key}" cannot be decoded ({reason}), which breaks every '
            "image import of the namespace; give that registry its credential in registries, remove it there with "
            "state: absent, or overwrite the whole content with update: replace"
        )


def _metadata(
    desired: DesiredSecret, labels: dict[str, str], annotations: dict[str, str]
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return labels and annotations as they are declared, with the reasons for what changes."""
    new_labels, new_annotations = _with(labels, desired.labels), _with(annotations, desired.annotations)
    reasons = []
    if new_labels != labels:
        reasons.append("labels_changed")
    if new_annotations != annotations:
        reasons.append("annotations_changed")
    if desired.exclude_from_import is not None:
        excluded = _with(new_annotations, {EXCLUDE_ANNOTATION: "true" if desired.exclude_from_import else None})
        if excluded != new_annotations:
            reasons.append("import_exclusion_changed")
        new_annotations = excluded
    return new_labels, new_annotations, reasons


def _with(values: dict[str, str], wanted: t.Mapping[str, str | None]) -> dict[str, str]:
    merged = {**values, **{name: value for name, value in wanted.items() if value is not None}}
    return {name: value for name, value in merged.items() if wanted.get(name, value) is not None}


def _updated_body(
    desired: DesiredSecret,
    observed: ObservedSecret,
    document: AuthDocument | None,
    labels: dict[str, str],
    annotations: dict[str, str],
) -> dict[str, t.Any]:
    """Return the observed object with the changes in it.

    Its resourceVersion stays, so that no other writer's change is lost.
    """
    body = copy.deepcopy(observed.raw)
    # Lists leave out what each item is; a single object has it.
    body.setdefault("apiVersion", "v1")
    body.setdefault("kind", "Secret")
    for name, values, former in (
        ("labels", labels, observed.labels),
        ("annotations", annotations, observed.annotations),
    ):
        if values != former:
            body["metadata"][name] = values
    if document is not None:
        data = {
            key: value
            for key, value in (body.get("data") or {}).items()
            if key not in DATA_KEYS.values() or observed.secret_type == desired.secret_type
        }
        data[DATA_KEYS[desired.secret_type]] = encode_text(document.render(desired.secret_type))
        body["data"] = data
    body["type"] = desired.secret_type
    return body


def _body_for_recreation(body: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the object for a POST.

    What the server set is left out, and what kubectl apply remembers of the former one.
    """
    metadata = {
        key: value
        for key, value in body["metadata"].items()
        if key in ("name", "namespace", "labels", "annotations", "ownerReferences")
    }
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {**body, "metadata": metadata}


def _shown_metadata(
    labels: dict[str, str], annotations: dict[str, str], new_labels: dict[str, str], new_annotations: dict[str, str]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the labels and annotations that differ, before and after.

    The annotation of kubectl apply is left out, because it holds credentials.
    """
    before: dict[str, dict[str, str]] = {}
    after: dict[str, dict[str, str]] = {}
    for kind, old, new in (("labels", labels, new_labels), ("annotations", annotations, new_annotations)):
        differing = [name for name in {**old, **new} if old.get(name) != new.get(name) and name != _LAST_APPLIED]
        for values, shown in ((old, before), (new, after)):
            kept = {name: values[name] for name in differing if name in values}
            if kept:
                shown[kind] = kept
    return before, after


def _ordered(reasons: t.Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(reasons), key=SECRET_REASONS.index))


def _login_or_none(entry: t.Any) -> Login | None:
    try:
        return decode_entry(entry)
    except MalformedAuth:
        return None


def _shown(change: RegistryChange, login: Login | None, word: str) -> dict[str, t.Any]:
    if login is None:
        return {}
    shown: dict[str, t.Any] = {}
    if login.username:
        shown["username"] = login.shown_username
    if login.email:
        shown["email"] = login.email
    if login.password:
        shown["password"] = word if "password_changed" in change.reasons else HIDDEN
    if login.identity_token:
        shown["identity_token"] = word if "identity_token_changed" in change.reasons else HIDDEN
    return shown

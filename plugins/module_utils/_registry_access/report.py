# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registry access described for people: secrets with their registries and problems, links, explanations, variables.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Of a login only the user name and the e-mail address are taken, so no credential can get here.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from .._core.errors import CollectionError, Forbidden
from .._core.owners import owner_of
from .._core.report import Report, failure_sentence
from .._credentials.auth_document import Login, MalformedAuth, decode_entry
from .._credentials.expiry import EXPIRED, EXPIRES, Expiry, expiry_of
from .._credentials.explanation import Explanation, explain, explain_unread
from .._credentials.keyring import has_user_info, key_remark, same_host, same_registry, shown_key
from .._credentials.registry_secrets import (
    RegistrySecret,
    hidden_keys,
)
from .._credentials.secret_types import CONSUMED_TYPES
from .._secret_link.desired import LIST_FIELDS
from .._secret_link.plan import MANAGED_ANNOTATION, is_managed
from .desired import AccessSelection
from .mirrors import Mirrors
from .observed import NamespaceAccess
from .variables import access_variables, linked_names

# What can be wrong with a secret, in the order in which it is reported.
PROBLEMS = (
    "malformed",
    "type_not_read",
    "doubtful_key",
    "no_credential",
    "identity_token_only",
    "credential_expires",
    "hidden",
)

Entries = t.Mapping[str, t.Any]


def report_access(
    wanted: AccessSelection, observed: t.Sequence[NamespaceAccess], mirrors: Mirrors | None = None
) -> Report:
    """Return the module's report. If images are to be explained, a missing right is an answer and no failure."""
    secrets = [
        _described_secret(access, secret, entries, wanted.expires_within)
        for access in observed
        for secret in access.secrets or ()
        if secret.name not in access.managed
        for entries in [described_entries(wanted, secret)]
        if entries is not None
    ]
    links = [link for access in observed for link in _links(access, wanted)]
    variables = access_variables(observed, lambda secret: described_entries(wanted, secret))
    explanations = [_explained(access, image, mirrors) for access in observed for image in wanted.images]
    failures: list[tuple[str, CollectionError]] = [
        (access.namespace, access.error) for access in observed if access.error is not None
    ]
    answered = [(name, error) for name, error in failures if wanted.images and isinstance(error, Forbidden)]
    unanswered = [failure for failure in failures if failure not in answered]
    return Report(
        changed=False,
        results={
            "secrets": secrets,
            "related": [one for access in observed for one in _related(access, wanted)],
            "links": links,
            "explanations": [explanation for explanation in explanations if explanation is not None],
            "as_variables": variables.secrets,
            "placeholders": [asdict(placeholder) for placeholder in variables.placeholders],
            "not_in_variables": [{**one._asdict(), "registry": one.registry or None} for one in variables.left_out],
            "failed_namespaces": [{"namespace": name, "error": str(error)} for name, error in failures],
            "summary": {
                "namespaces": len(observed),
                "secrets": len(secrets),
                "registries": sum(len(secret["registries"]) for secret in secrets),
                "linked_service_accounts": len(links),
                "problems": sum(len(secret["problems"]) for secret in secrets),
                "failed_namespaces": len(failures),
            },
        },
        failure=failure_sentence("Reading registry access", unanswered, len(observed)),
        warnings=[str(error) for _name, error in answered],
    )


def described_entries(wanted: AccessSelection, secret: RegistrySecret) -> Entries | None:
    """Return the entries of ``secret`` that the options ask for; None if the whole secret is of no interest.

    A secret that cannot be read stays of interest whatever registry is asked for: it might hold it.
    """
    if secret.document is None:
        return {}
    if not wanted.registry:
        return secret.document.auths
    found = {key: raw for key, raw in secret.document.auths.items() if same_registry(key, wanted.registry)}
    if wanted.registry_username:
        found = {
            key: raw for key, raw in found.items() if (_login(raw) or Login()).username == wanted.registry_username
        }
    return found or None


def _related(access: NamespaceAccess, wanted: AccessSelection) -> t.Iterator[dict[str, t.Any]]:
    """Yield the entries for other keys of the registry that is asked for.

    An image uses them before, or after, those of its own key.
    """
    for secret in access.secrets or ():
        if not wanted.registry or secret.name in access.managed or secret.document is None:
            continue
        for key, raw in secret.document.auths.items():
            of_user = not wanted.registry_username or (_login(raw) or Login()).username == wanted.registry_username
            if of_user and same_host(key, wanted.registry) and not same_registry(key, wanted.registry):
                shown = _registry(key, raw)
                yield {
                    "namespace": access.namespace,
                    "name": secret.name,
                    "registry": shown["registry"],
                    "username": shown["username"],
                }


def _described_secret(
    access: NamespaceAccess, secret: RegistrySecret, entries: Entries, expires_within: int
) -> dict[str, t.Any]:
    problems = list(_problems(access, secret, entries, expires_within))
    return {
        "namespace": access.namespace,
        "name": secret.name,
        "type": secret.secret_type,
        "excluded": secret.excluded,
        "managed_by": secret.managed_by or None,
        "registries": [_registry(key, raw) for key, raw in entries.items()],
        "problems": sorted(problems, key=lambda problem: PROBLEMS.index(problem["problem"])),
    }


def _registry(key: str, raw: t.Any) -> dict[str, t.Any]:
    login = _login(raw) or Login()
    expires = expiry_of(login.password, login.identity_token).text
    return {
        "registry": shown_key(key),
        "username": login.shown_username or None,
        "email": login.email or None,
        "expires_at": expires or None,
    }


def _problems(
    access: NamespaceAccess, secret: RegistrySecret, entries: Entries, expires_within: int
) -> t.Iterator[dict[str, t.Any]]:
    def problem(kind: str, message: str, registry: str | None = None) -> dict[str, t.Any]:
        shown = None if registry is None else shown_key(registry)
        return {
            "problem": kind,
            "registry": shown,
            "message": f'The secret "{secret.name}" in the namespace "{access.namespace}" {message}.',
        }

    breaks = ", and every image import of the namespace fails because of that" if secret.is_candidate else ""
    if secret.document is None:
        yield problem("malformed", f"cannot be read: {secret.problem}{breaks}")
    if secret.secret_type not in CONSUMED_TYPES:
        yield problem(
            "type_not_read",
            f"is of the type {secret.secret_type}, which neither image imports nor pods nor builds read",
        )
    for key, raw in entries.items():
        login = _login(raw)
        remark = key_remark(key)
        if login is None:
            reason = secret.document.malformed()[key] if secret.document is not None else ""
            yield problem(
                "malformed", f'has an entry for "{shown_key(key)}" that cannot be decoded: {reason}{breaks}', key
            )
        elif login.is_empty and login.identity_token:
            yield problem(
                "identity_token_only",
                f'has only an identity token for "{shown_key(key)}", with which image imports and pods ask anonymously',
                key,
            )
        elif login.is_empty:
            message = (
                f'has no user name and password for "{shown_key(key)}", so the registry is asked anonymously, and '
                "others are hidden"
            )
            yield problem("no_credential", message, key)
        expiry = expiry_of(login.password, login.identity_token) if login is not None else Expiry()
        state = expiry.state(expires_within)
        if state in (EXPIRED, EXPIRES):
            ends = "expired" if state == EXPIRED else "expires"
            yield problem(
                "credential_expires", f'has a credential for "{shown_key(key)}" that {ends} at {expiry.text}', key
            )
        if has_user_info(key):
            yield problem(
                "doubtful_key",
                f'has a user name or password in the key "{shown_key(key)}", which the cluster does not use',
                key,
            )
        if remark:
            yield problem("doubtful_key", f'has the key "{shown_key(key)}", which {remark}', key)
    for key, hider in hidden_keys(secret.name, entries, access.secrets or ()).items():
        yield problem(
            "hidden", f'has an entry for "{shown_key(key)}" that no import uses: {hider.because(secret.name)}', key
        )


def _links(access: NamespaceAccess, wanted: AccessSelection) -> t.Iterator[dict[str, t.Any]]:
    known = [
        secret
        for secret in access.secrets or ()
        if secret.name not in access.managed and described_entries(wanted, secret) is not None
    ]
    named = {secret.name for secret in known}
    usable = {secret.name for secret in known if secret.secret_type in CONSUMED_TYPES}
    for account in sorted(access.accounts or (), key=lambda account: str(account["metadata"]["name"])):
        lists: dict[str, list[str]] = {}
        for purpose in LIST_FIELDS:
            names = [
                name
                for name in linked_names(account, purpose)
                if name not in access.managed and not is_managed(name, account["metadata"])
            ]
            lists[purpose] = [name for name in names if name in named] if wanted.is_filtered else names
        if any(lists.values()):
            owner = owner_of("ServiceAccount", account["metadata"])
            unknown = access.secrets is None or wanted.is_filtered
            yield {
                "namespace": access.namespace,
                "service_account": account["metadata"]["name"],
                **lists,
                "ineffective": [] if unknown else [name for name in lists["pull"] if name not in usable],
                "managed": (account["metadata"].get("annotations") or {}).get(MANAGED_ANNOTATION),
                "managed_by": owner.name if owner is not None else None,
            }


def _explained(access: NamespaceAccess, image: str, mirrors: Mirrors | None) -> dict[str, t.Any] | None:
    """Return the explanation of one image.

    Return None if something else than a missing right kept the secrets from being read.
    """
    places = mirrors.of(image) if mirrors is not None else []
    own, *in_mirrors = [_credential_for(access, place) for place in (image, *places)]
    if own is None:
        return None
    first = f"Imports look for {image} in its mirrors first. " if places else ""
    last = "Then, at the registry that it names: " if places else ""
    sentences = [explanation.sentence for explanation in in_mirrors if explanation is not None]
    return {
        "namespace": access.namespace,
        "image": image,
        **_shown_explanation(own),
        "sentence": first + "".join(f"{sentence} " for sentence in sentences) + last + own.sentence,
        "mirrors": None
        if mirrors is None
        else [{"image": place, **_shown_explanation(one)} for place, one in zip(places, in_mirrors) if one is not None],
    }


def _credential_for(access: NamespaceAccess, image: str) -> Explanation | None:
    if access.secrets is not None:
        return explain(access.secrets, image)
    return explain_unread(access.namespace, image) if isinstance(access.error, Forbidden) else None


def _shown_explanation(explanation: Explanation) -> dict[str, t.Any]:
    return {
        "result": explanation.result,
        "sentence": explanation.sentence,
        "secret": explanation.secret or None,
        "key": explanation.key or None,
        "username": explanation.username or None,
        "wanted_key": explanation.wanted_key or None,
    }


def _login(raw: t.Any) -> Login | None:
    try:
        return decode_entry(raw)
    except MalformedAuth:
        return None

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registry access as variables: what the role registry_access takes, with a placeholder wherever a credential
stands.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Given back to the role with the placeholders filled in, the variables change nothing. What they cannot express is
left out and named: the role keeps what it is not told about.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from typing import NamedTuple

from .._core.errors import InputError
from .._core.names import check_object_name
from .._core.outward import TEXT_LIMIT, visible
from .._core.references import check_namespace
from .._credentials.auth_document import Login, decode_entry
from .._credentials.keyring import filed_text, has_user_info, shown_key
from .._credentials.registry_secrets import RegistrySecret
from .._credentials.secret_types import DATA_KEYS, DOCKER_CONFIG_JSON
from .._secret_link.desired import LIST_FIELDS
from .._secret_link.observed import Account
from .observed import NamespaceAccess

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")

# Service accounts by the lists that they have the secret in: (("pull",), ("builder", "default")), ...
Links = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


class AdoptedRegistry(NamedTuple):
    """One registry of a secret. ``login`` is never shown: it tells equal credentials from others."""

    registry: str
    login: Login

    @property
    def kind(self) -> str:
        """Return the option of ``registries`` that takes the credential."""
        if self.login.is_empty:
            return "identity_token"
        return "password" if self.login.is_text else "auth"


class AdoptedSecret(NamedTuple):
    """A secret as the variables have it, in one namespace. Those that differ in nothing else become one entry."""

    namespace: str
    name: str
    secret_type: str
    excluded: bool
    registries: tuple[AdoptedRegistry, ...]
    links: Links = ()


class LeftOut(NamedTuple):
    """What the variables do not hold: a whole secret if ``registry`` is "", and why."""

    namespace: str
    name: str
    registry: str
    reason: str


@dataclass
class Placeholder:
    """A variable that is still to be defined: which credential stands there, and in which secrets (namespace/name)."""

    variable: str
    kind: str
    registry: str
    username: str
    secrets: list[str] = field(default_factory=list)


class AccessVariables(NamedTuple):
    """``secrets`` is ``registry_access_secrets`` of the role."""

    secrets: list[dict[str, t.Any]]
    placeholders: list[Placeholder]
    left_out: list[LeftOut]


def access_variables(
    observed: t.Iterable[NamespaceAccess], described: t.Callable[[RegistrySecret], t.Mapping[str, t.Any] | None]
) -> AccessVariables:
    """Return what was observed as variables.

    ``described`` gives the entries of a secret to describe, None for no description.
    """
    adopted: list[AdoptedSecret] = []
    left_out: list[LeftOut] = []
    for access in observed:
        for secret in access.secrets or ():
            entries = described(secret)
            if secret.name in access.managed or entries is None:
                continue
            kept, reasons = _adopt(access, secret, entries)
            left_out += reasons
            adopted += [kept] if kept is not None else []
    groups: dict[AdoptedSecret, list[AdoptedSecret]] = {}
    for one in adopted:
        groups.setdefault(one._replace(namespace=""), []).append(one)
    placeholders = _placeholders(adopted)
    return AccessVariables(
        [_entry(group, placeholders) for group in groups.values()], list(placeholders.values()), left_out
    )


def _adopt(
    access: NamespaceAccess, secret: RegistrySecret, entries: t.Mapping[str, t.Any]
) -> tuple[AdoptedSecret | None, list[LeftOut]]:
    """Return the secret for the variables, None if they cannot hold it, and what they do not hold of it."""

    def without(reason: str, registry: str = "") -> LeftOut:
        return LeftOut(access.namespace, secret.name, shown_key(registry), reason)

    impossible = _impossible_name(access.namespace, secret.name)
    if impossible:
        return None, [without(impossible)]
    if secret.secret_type not in DATA_KEYS:
        return None, [without(f"it is of the type {secret.secret_type}, which pull_secret does not write")]
    if secret.document is None:
        return None, [without(secret.problem)]
    if secret.document.malformed():
        return None, [without("it has an entry that cannot be decoded, with which nothing can be merged")]
    spellings = [filed_text(key) for key in secret.document.auths]
    registries, left_out = [], []
    for key, raw in entries.items():
        reason = (
            "it is written twice, in two ways that are one registry to the cluster"
            if spellings.count(filed_text(key)) > 1
            else ""
        )
        login = decode_entry(raw)
        reason = reason or _why_not(key, login)
        if reason:
            left_out.append(without(reason, key))
        else:
            registries.append(AdoptedRegistry(key, login))
    if not registries:
        return None, left_out or [without("it holds no registry")]
    links = _links_to(
        secret.name,
        [
            account
            for account in access.accounts or ()
            if not _impossible_name(access.namespace, account["metadata"]["name"])
        ],
    )
    return AdoptedSecret(
        access.namespace, secret.name, secret.secret_type, secret.excluded, tuple(registries), links
    ), left_out


def _impossible_name(namespace: str, name: str) -> str:
    """Return why options would refuse the names of an object, "" when they take them."""
    try:
        check_namespace(namespace)
        check_object_name("name", name)
    except InputError as error:
        return error.message
    return ""


def _why_not(key: str, login: Login) -> str:
    """Return why the role could not write this entry as it is, "" if it can."""
    if login.is_empty and not login.identity_token:
        return "it has no user name and password"
    if login.identity_token and (login.username or login.password):
        return "it has an identity token beside a user name or password"
    if ":" in login.username:
        return "its user name has a colon in it"
    if has_user_info(key):
        return "its key has a user name or password in it"
    if key != key.strip() or not key:
        return "it is not the name of a registry"
    written = [key, login.email, *([login.username] if login.is_text else [])]
    if any(visible(text) != text or len(text) > TEXT_LIMIT for text in written):
        # Shown, and written into a file, it would be another one.
        return "it has characters that cannot be shown"
    return ""


def _links_to(name: str, accounts: t.Iterable[Account]) -> Links:
    of_purposes: dict[tuple[str, ...], list[str]] = {}
    for account in accounts:
        purposes = tuple(purpose for purpose in LIST_FIELDS if name in linked_names(account, purpose))
        if purposes:
            of_purposes.setdefault(purposes, []).append(account["metadata"]["name"])
    return tuple((purposes, tuple(sorted(names))) for purposes, names in sorted(of_purposes.items()))


def linked_names(account: Account, purpose: str) -> list[str]:
    """Return the names in one list of a service account, pull or mount, without repetition."""
    return list(dict.fromkeys(entry.get("name", "") for entry in account.get(LIST_FIELDS[purpose]) or ()))


_Credential = tuple[str, str, str, str]


def _credential(registry: AdoptedRegistry) -> _Credential:
    login = registry.login
    return filed_text(registry.registry), login.username, login.password, login.identity_token


def _placeholders(adopted: t.Sequence[AdoptedSecret]) -> dict[_Credential, Placeholder]:
    """Return a placeholder for each different credential.

    It is named after its registry, and after more if that is not enough.
    """
    found: dict[_Credential, Placeholder] = {}
    names: dict[_Credential, list[str]] = {}
    for secret in adopted:
        for registry in secret.registries:
            credential = _credential(registry)
            if credential not in found:
                begin = f"registry_access_{registry.kind}"
                words = [
                    _word(registry.registry),
                    _word(registry.login.shown_username),
                    _word(f"{secret.namespace} {secret.name}"),
                ]
                names[credential] = [
                    "_".join(word for word in [begin, *words[:count]] if word) for count in range(1, len(words) + 1)
                ]
                found[credential] = Placeholder("", registry.kind, registry.registry, registry.login.shown_username)
            found[credential].secrets.append(f"{secret.namespace}/{secret.name}")
    for credential, variable in _distinct(names).items():
        found[credential].variable = variable
    return found


def _distinct(names: t.Mapping[_Credential, list[str]]) -> dict[_Credential, str]:
    """Return for each the shortest of its names that no other has, with a number at the end if all are taken."""
    chosen: dict[_Credential, str] = {}
    taken: set[str] = set()
    for length in range(max((len(own) for own in names.values()), default=0)):
        offered = [own[length] for credential, own in names.items() if credential not in chosen]
        for credential, own in names.items():
            if credential not in chosen and offered.count(own[length]) == 1 and own[length] not in taken:
                chosen[credential] = own[length]
                taken.add(own[length])
    for credential, own in names.items():
        number = 1
        while credential not in chosen:
            number += 1
            if f"{own[-1]}_{number}" not in taken:
                chosen[credential] = f"{own[-1]}_{number}"
                taken.add(chosen[credential])
    return chosen


def _word(text: str) -> str:
    return _NOT_IN_A_NAME.sub("_", text.lower()).strip("_")


def _entry(group: t.Sequence[AdoptedSecret], placeholders: t.Mapping[_Credential, Placeholder]) -> dict[str, t.Any]:
    first = group[0]
    entry: dict[str, t.Any] = {"name": first.name, "namespaces": [secret.namespace for secret in group]}
    if first.secret_type != DOCKER_CONFIG_JSON:
        entry["type"] = first.secret_type
    if first.excluded:
        entry["exclude_from_import"] = True
    entry["registries"] = [_registry(registry, placeholders[_credential(registry)]) for registry in first.registries]
    if first.links:
        entry["link"] = [
            {"service_accounts": list(accounts), "for": list(purposes)} for purposes, accounts in first.links
        ]
    return entry


def _registry(registry: AdoptedRegistry, placeholder: Placeholder) -> dict[str, t.Any]:
    entry: dict[str, t.Any] = {"registry": registry.registry}
    if registry.kind == "password":
        entry["username"] = registry.login.username
    entry[registry.kind] = f"{{{{ {placeholder.variable} }}}}"
    if registry.login.email:
        entry["email"] = registry.login.email
    return entry

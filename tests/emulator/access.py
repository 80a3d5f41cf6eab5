# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a caller is (bearer tokens, client certificates, impersonation) and what they may do (RBAC objects)."""

from __future__ import annotations

import secrets
import time
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .gotext import quote
from .resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS, ResourceType
from .statuses import GroupName, StatusError, forbidden, unauthorized
from .store import Store

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
_ACCOUNT_PREFIX = "system:serviceaccount:"
_OPEN_PATHS = ("/version", "/healthz", "/livez", "/readyz")
_DISCOVERY_PATHS = ("/api", "/apis", "/openapi")


@dataclass(frozen=True)
class User:
    """An authenticated caller."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))


@dataclass(frozen=True)
class Action:
    """What a request wants to do. ``path`` stands alone, for what is not a resource."""

    verb: str
    resource: ResourceType | None = None
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def resource_name(self) -> str:
        """The resource as rules write it: ``imagestreams/layers``."""
        plural = self.resource.plural if self.resource else ""
        return f"{plural}/{self.subresource}" if self.subresource else plural


@dataclass
class _Token:
    user: User
    expires: float | None
    account: tuple[str, str, str] | None = None


def account_user(namespace: str, name: str, uid: str = "") -> User:
    """Return the user of a service account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{_ACCOUNT_PREFIX}{namespace}:{name}", groups, uid)


class Access:
    """Tokens, and the rules of the roles bound to a user. The rules are read from the stored RBAC objects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: dict[str, _Token] = {}

    def issue(self, user: User, lifetime: float | None = None) -> str:
        """Return a new token for ``user``, for ``lifetime`` seconds (None: until the end)."""
        token = "emulator~" + secrets.token_urlsafe(32)
        self._tokens[token] = _Token(user, time.monotonic() + lifetime if lifetime is not None else None)
        return token

    def issue_for_account(self, namespace: str, name: str, lifetime: float | None) -> str:
        """Return a token of an existing service account; it ends with the account."""
        account = self._store.get(SERVICE_ACCOUNTS, namespace, name)
        uid = account.data["metadata"]["uid"] if account else ""
        token = self.issue(account_user(namespace, name, uid), lifetime)
        self._tokens[token].account = (namespace, name, uid)
        return token

    def expire(self, user_name: str | None = None) -> int:
        """End the tokens of a user (None: all); returns how many ended."""
        ended = [token for token, entry in self._tokens.items() if user_name in (None, entry.user.name)]
        for token in ended:
            del self._tokens[token]
        return len(ended)

    def authenticate(self, headers: Mapping[str, str], certificate: User | None) -> User:
        """Return the caller of a request; 401 if a credential is given and not accepted."""
        authorization = headers.get("Authorization", "")
        if not authorization:
            return certificate or ANONYMOUS
        scheme, _blank, token = authorization.partition(" ")
        entry = self._tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if entry is None or (entry.expires is not None and time.monotonic() >= entry.expires):
            raise unauthorized()
        if entry.account is not None:
            namespace, name, uid = entry.account
            account = self._store.get(SERVICE_ACCOUNTS, namespace, name)
            if account is None or account.data["metadata"]["uid"] != uid:
                raise unauthorized()
        return entry.user

    def impersonate(self, user: User, name: str, groups: Iterable[str], uid: str) -> User:
        """Return the user that ``user`` asked to act as; 403 without the right to."""
        groups = tuple(groups)
        if name.startswith(_ACCOUNT_PREFIX) and name.count(":") == _ACCOUNT_PREFIX.count(":") + 1:
            namespace, _colon, account = name.removeprefix(_ACCOUNT_PREFIX).partition(":")
            self._require_impersonation(user, "serviceaccounts", account, namespace)
            groups = groups or account_user(namespace, account).groups
        else:
            self._require_impersonation(user, "users", name)
        for group in groups:
            if group not in (AUTHENTICATED, UNAUTHENTICATED):
                self._require_impersonation(user, "groups", group)
        if name == ANONYMOUS.name:
            return ANONYMOUS
        return User(name, groups if AUTHENTICATED in groups else (*groups, AUTHENTICATED), uid)

    def _require_impersonation(self, user: User, plural: str, name: str, namespace: str = "") -> None:
        resource = ResourceType("", "v1", plural, plural.capitalize(), namespaced=bool(namespace))
        self.require(user, Action("impersonate", resource, namespace=namespace, name=name))

    def require(self, user: User, action: Action) -> None:
        """403 unless ``user`` may do ``action``."""
        if not self.allows(user, action):
            raise denial(user, action)

    def allows(self, user: User, action: Action) -> bool:
        """Whether one of the rules bound to the user permits the action."""
        return self.permission(user, action) is not None

    def permission(self, user: User, action: Action) -> str | None:
        """Why the action is permitted, as an access review tells it ("" for what everybody may); None if it is
        not."""
        if MASTERS in user.groups:
            return ""
        if action.resource is None:
            everybody = _below(action.path, _OPEN_PATHS) or (
                AUTHENTICATED in user.groups and _below(action.path, _DISCOVERY_PATHS)
            )
            permits = _permits_path
        else:
            everybody = (
                action.resource.group in ("authorization.k8s.io", "authentication.k8s.io")
                and AUTHENTICATED in user.groups
            )
            permits = _permits
        if everybody:
            return ""
        return next(
            (
                f"RBAC: allowed by {grant}"
                for grant, rule in self._rules(user, action.namespace)
                if permits(rule, action)
            ),
            None,
        )

    def _rules(self, user: User, namespace: str) -> Iterator[tuple[str, Mapping[str, t.Any]]]:
        """Rules with the words for the binding that gives them."""
        for resource, space in ((CLUSTER_ROLE_BINDINGS, ""), (ROLE_BINDINGS, namespace)):
            for binding in self._store.items(resource, space) if resource is CLUSTER_ROLE_BINDINGS or space else ():
                subject = _subject(binding.data, user, space)
                if subject:
                    reference = binding.data.get("roleRef", {})
                    name = binding.data["metadata"]["name"] + (f"/{space}" if space else "")
                    grant = (
                        f"{resource.kind} {quote(name)} of {reference.get('kind')} {quote(str(reference.get('name')))} "
                        f"to {subject}"
                    )
                    yield from ((grant, rule) for rule in self._rules_of(reference, space))

    def _rules_of(self, reference: Mapping[str, t.Any], namespace: str) -> list[Mapping[str, t.Any]]:
        resource, space = (ROLES, namespace) if reference.get("kind") == "Role" else (CLUSTER_ROLES, "")
        role = self._store.get(resource, space, str(reference.get("name", "")))
        return role.data.get("rules") or [] if role else []


def _below(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)


def _subject(binding: Mapping[str, t.Any], user: User, namespace: str) -> str:
    """Return the subject of a binding that is the user, in words; "" if none is."""
    for subject in binding.get("subjects") or []:
        kind, name = subject.get("kind"), subject.get("name")
        space = subject.get("namespace") or namespace
        if (kind == "User" and name == user.name) or (kind == "Group" and name in user.groups):
            return f"{kind} {quote(name)}"
        if kind == "ServiceAccount" and user.name == f"{_ACCOUNT_PREFIX}{space}:{name}":
            return f"{kind} {quote(f'{name}/{space}')}"
    return ""


def _permits(rule: Mapping[str, t.Any], action: Action) -> bool:
    verbs, groups = rule.get("verbs") or [], rule.get("apiGroups") or []
    resources, names = rule.get("resources") or [], rule.get("resourceNames") or []
    group = action.resource.group if action.resource else ""
    return (
        ("*" in verbs or action.verb in verbs)
        and ("*" in groups or group in groups)
        and ("*" in resources or action.resource_name in resources)
        and (not names or action.name in names)
    )


def _permits_path(rule: Mapping[str, t.Any], action: Action) -> bool:
    verbs = rule.get("verbs") or []
    return ("*" in verbs or action.verb in verbs) and any(
        url in ("*", action.path) or (url.endswith("*") and action.path.startswith(url[:-1]))
        for url in rule.get("nonResourceURLs") or []
    )


def denial(user: User, action: Action) -> StatusError:
    """Return the 403 for an action (contract cases access_denied, access_import_only)."""
    who = f"User {quote(user.name)} cannot {action.verb}"
    if action.resource is None:
        return StatusError(403, "Forbidden", f"forbidden: {who} path {quote(action.path)}", {})
    where = f"in the namespace {quote(action.namespace)}" if action.namespace else "at the cluster scope"
    group = action.resource.group
    why = f"{who} resource {quote(action.resource_name)} in API group {quote(group)} {where}"
    return forbidden(GroupName(group, action.resource.plural), action.name, why)


def _rule(groups: str, resources: str, verbs: str) -> dict[str, list[str]]:
    split = [["" if group == "core" else group for group in groups.split()], resources.split(), verbs.split()]
    return dict(zip(("apiGroups", "resources", "verbs"), split, strict=True))


_WORKLOADS = _rule(
    "core apps batch",
    "pods replicationcontrollers deployments replicasets daemonsets statefulsets jobs cronjobs configmaps",
    "*",
)
_READ = "get list watch"
_VIEW = [
    _rule(
        "core apps batch",
        "pods replicationcontrollers deployments replicasets daemonsets statefulsets jobs cronjobs configmaps "
        "serviceaccounts namespaces",
        _READ,
    ),
    _rule("image.openshift.io", "imagestreams imagestreamtags imagetags imagestreamimages", _READ),
    _rule("apps.openshift.io build.openshift.io", "deploymentconfigs buildconfigs builds", _READ),
]
_EDIT = [
    *_VIEW,
    _WORKLOADS,
    _rule("core", "secrets serviceaccounts", "*"),
    _rule("image.openshift.io", "imagestreams imagestreamtags imagetags imagestreammappings", "*"),
    _rule("image.openshift.io", "imagestreams/layers imagestreams/secrets", "get update"),
    _rule("image.openshift.io", "imagestreamimports", "create"),
    _rule("apps.openshift.io build.openshift.io", "deploymentconfigs buildconfigs builds", "*"),
]
BUILT_IN_ROLES: dict[str, list[dict[str, list[str]]]] = {
    "cluster-admin": [_rule("*", "*", "*"), {"nonResourceURLs": ["*"], "verbs": ["*"]}],
    "view": _VIEW,
    "system:image-puller": [_rule("image.openshift.io", "imagestreams/layers", "get")],
    "edit": _EDIT,
    "admin": [*_EDIT, _rule("rbac.authorization.k8s.io", "roles rolebindings", "*")],
}
"""The cluster roles that teams are given, cut to the resources served here (server-behaviour.md 2.1)."""

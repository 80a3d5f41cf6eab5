# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosted control planes: where the cluster's global pull secret is then, who keeps it, and whose entries win.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The hosting cluster puts ``openshift-config/pull-secret`` back, and merges ``kube-system/additional-pull-secret`` into
what the nodes pull with. Imports see the original only (server-behaviour.md 6).
"""

from __future__ import annotations

import threading
import typing as t
from typing import NamedTuple

from .._cluster.facts import ReadingClient, control_plane_topology
from .._cluster.paths import core_path
from .._core.errors import CollectionError, Forbidden, InputError, NotFound
from .._core.owners import OwnedByAnother, Owner
from .._core.references import check_namespace
from .._core.report import without_dot
from .._credentials.auth_document import AuthDocument, Login, MalformedAuth, decode_entry
from .._credentials.keyring import filed_text, shown_key
from .._credentials.registry_secrets import read_secret_object, secret_texts
from .desired import DesiredRegistry, DesiredSecret
from .places import ADDITIONAL, COPIES_OF_THE_ORIGINAL, GLOBAL, KEPT_BY_THE_HOSTING_CLUSTER

_EXTERNAL = "External"
HOSTING_CLUSTER = Owner("the hosting cluster", reconciles=True)


class Hosting:
    """Whether another cluster hosts the control plane of this one: asked once, when somebody wants to know it first.

    ``answer`` is None while nobody has asked, and if the caller may not know it; ``warning`` says so then. Several
    threads may ask.
    """

    def __init__(self, client: ReadingClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._asked = False
        self.answer: bool | None = None
        self.warning = ""

    def is_hosted(self) -> bool:
        """Return whether the control plane is hosted; False if the caller may not know it."""
        with self._lock:
            if not self._asked:
                self._ask()
                self._asked = True
            return bool(self.answer)

    def keeps(self, namespace: str, name: str) -> bool:
        """Return whether the hosting cluster undoes every change of this secret."""
        return (namespace, name) in KEPT_BY_THE_HOSTING_CLUSTER and self.is_hosted()

    def _ask(self) -> None:
        try:
            self.answer = control_plane_topology(self._client) == _EXTERNAL
        except Forbidden as exc:
            self.warning = (
                "Whether the control plane of this cluster is hosted is not known, so it is taken for one that is not: "
                f"{without_dot(exc)}; grant get on infrastructures.config.openshift.io, as "
                "docs/rbac/cluster_pull_secret.yml does."
            )


class Placed(NamedTuple):
    """A secret with the namespaces that it is to be in. ``warnings`` are what has to be known of that."""

    desired: DesiredSecret
    namespaces: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def place_global_secret(
    desired: DesiredSecret, namespaces: tuple[str, ...], import_namespaces: tuple[str, ...], hosting: Hosting
) -> Placed:
    """Return ``desired``, which is the global pull secret, as this cluster has it.

    With a hosted control plane the additional one, and a copy for the imports of each of ``import_namespaces``.
    """
    if not hosting.is_hosted():
        return Placed(desired, namespaces, (hosting.warning,) if hosting.warning else ())
    # With no entry at all the hosting cluster would stop merging, and the nodes would keep what was taken out.
    placed = desired._replace(name=ADDITIONAL.name, create=True, delete_if_empty=True)
    where = (*(ADDITIONAL.namespace for _one in namespaces), *import_namespaces)
    present = [registry.registry for registry in desired.present_registries]
    return Placed(placed, where, () if import_namespaces or not present else (_unseen(present),))


def _unseen(registries: list[str]) -> str:
    names = ", ".join(f'"{registry}"' for registry in registries)
    return (
        f"The control plane of this cluster is hosted: nodes pull with {ADDITIONAL}, but image imports do not see it. "
        f"A namespace whose image streams import from {names} needs a secret of its own: name it in import_namespaces "
        "(cluster_pull_secret_import_namespaces)."
    )


def check_is_global(namespaces: tuple[str, ...], desired: DesiredSecret) -> None:
    """Raise ``InputError`` if the secret is not the cluster's global one, or is not only merged into."""
    if (*namespaces, desired.name) != GLOBAL or not desired.present or desired.replace:
        raise InputError(
            f"hosted: additional is about the cluster's global pull secret; give namespace: {GLOBAL.namespace}, name: "
            f"{GLOBAL.name}, and neither state: absent nor update: replace"
        )


def import_namespaces_from(namespaces: t.Sequence[str] | None) -> tuple[str, ...]:
    """Return the namespaces of the option ``import_namespaces``, each once; raise ``InputError`` if one is none.

    Imports of the namespace of the additional secret use that one itself.
    """
    for namespace in namespaces or ():
        check_namespace(namespace)
    return tuple(one for one in dict.fromkeys(namespaces or ()) if one != ADDITIONAL.namespace)


def refuse_kept(subject: str) -> OwnedByAnother:
    """Return the error for a change of ``subject``, which begins a sentence, that the hosting cluster would undo."""
    return OwnedByAnother(
        f"{subject} is kept by the hosting cluster (controlPlaneTopology: {_EXTERNAL}), which undoes every change, so "
        f"nothing was written; write the registries into {ADDITIONAL}, as the role cluster_pull_secret does"
    )


def conflicts(
    client: ReadingClient, registries: t.Sequence[DesiredRegistry], mask: t.Callable[..., None]
) -> t.Iterator[str]:
    """Yield a warning for each of ``registries`` that the original pull secret has another credential for.

    If that is not known, there is one warning that says so.
    """
    try:
        original = _read_original(client, mask)
    except CollectionError as exc:
        copies = " or ".join(map(str, COPIES_OF_THE_ORIGINAL))
        yield (
            f"Whether the original pull secret has other credentials for the registries of {ADDITIONAL}, and wins, is "
            f"not known: {without_dot(exc)}; grant get on {copies}."
        )
        return
    for registry in registries:
        for key in original.keys_of(registry.registry):
            if registry.login is None or _is_same(original.auths[key], registry.login):
                continue
            begin = f'The original pull secret of this hosted cluster has another credential for "{shown_key(key)}"'
            if key == registry.registry:
                yield (
                    f"{begin}, and the original wins: nodes never use the entry of {ADDITIONAL}; give a key with a "
                    f"path, such as {filed_text(key)}/TEAM, or ask those who host the cluster to change the original."
                )
            else:
                yield (
                    f'{begin}, which is the registry "{registry.registry}" of {ADDITIONAL} in another spelling, and '
                    "chance decides which of the two a node uses; give a key with a path."
                )


def _is_same(entry: t.Any, login: Login) -> bool:
    try:
        return decode_entry(entry)._replace(email="") == login._replace(email="")
    except MalformedAuth:
        return False


def _read_original(client: ReadingClient, mask: t.Callable[..., None]) -> AuthDocument:
    """Return what the hosting cluster merges with, from the copy that may be read; raise why none may."""
    refusal: CollectionError | None = None
    for place in COPIES_OF_THE_ORIGINAL:
        try:
            raw = client.get(core_path(place.namespace, "secrets", place.name))
        except NotFound:
            continue
        except CollectionError as exc:
            refusal = refusal or exc
            continue
        mask(*secret_texts([raw]))
        secret = read_secret_object(raw)
        if secret is not None and secret.document is not None:
            return secret.document
    if refusal is not None:
        raise refusal
    return AuthDocument()

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pull secrets and links that cluster_drift is to compare. Imported only if there are any.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.errors import InputError
from .._core.names import namespaces_from
from .._pull_secret.desired import desired_secret
from .._pull_secret.hosted import import_namespaces_from
from .._pull_secret.places import GLOBAL
from .._secret_link.desired import account_names, desired_links
from .declared import DeclaredLinks, DeclaredSecret


def declared_secrets(params: t.Mapping[str, t.Any]) -> tuple[tuple[DeclaredSecret, ...], tuple[DeclaredLinks, ...]]:
    """Turn the options of cluster_drift into secrets and their links; ``InputError`` names the entry at fault."""
    secrets, links = [], []
    for entry in params["secrets"] or ():
        options = {**entry, "namespace": None, "create": True, "take_over": _takes_over(entry, params)}
        try:
            namespaces = namespaces_from(options)
            secrets.append(DeclaredSecret(desired_secret(options), namespaces, options["verify"]))
            links += [_links(options, link, namespaces) for link in entry["link"] or ()]
        except InputError as error:
            raise InputError(f'secrets: "{entry["name"]}": {error.message}') from error
    if params["cluster_pull_secret"]:
        # First, because every import may fall back to it.
        entry = params["cluster_pull_secret"]
        secrets.insert(0, _global_secret({**entry, "take_over": _takes_over(entry, params)}))
    return tuple(secrets), tuple(links)


def _takes_over(entry: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> bool:
    """Return whether an entry is written though somebody else reconciles it: it says so itself, or all do."""
    own = entry["take_over"]
    return bool(params["take_over"] if own is None else own)


def _links(secret: t.Mapping[str, t.Any], link: t.Mapping[str, t.Any], namespaces: tuple[str, ...]) -> DeclaredLinks:
    """Return the links of a secret. They go away with it, from both lists, unless the entry says otherwise."""
    state = link["state"] or secret["state"]
    options = {
        "secrets": [secret["name"]],
        "service_accounts": link["service_accounts"],
        "for": link["for"] or (["pull", "mount"] if state == "absent" else ["pull"]),
        "state": state,
        "pending_secrets": [secret["name"]],
        "take_over": secret["take_over"],
    }
    return DeclaredLinks(desired_links(options), tuple(account_names(namespaces, options)))


def _global_secret(options: t.Mapping[str, t.Any]) -> DeclaredSecret:
    """Return the cluster's own pull secret. It is merged into and never created; only its content is looked at."""
    complete = {
        **dict.fromkeys(("auth_content", "exclude_from_import", "labels", "annotations")),
        **options,
        "name": GLOBAL.name,
        "state": "present",
        "update": "merge",
        "type": "kubernetes.io/dockerconfigjson",
        "create": False,
        "recreate": False,
    }
    try:
        imports = import_namespaces_from(options["import_namespaces"])
        return DeclaredSecret(desired_secret(complete), (GLOBAL.namespace,), options["verify"], True, imports)
    except InputError as error:
        raise InputError(f"cluster_pull_secret: {error.message}") from error

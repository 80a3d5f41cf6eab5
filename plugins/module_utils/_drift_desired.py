# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is declared for one cluster, as the modules for single parts take it: options become typed, checked values.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_desired import DesiredStream, desired_streams

if t.TYPE_CHECKING:
    # What only secrets need is imported where there are any: see _payload.
    from ansible_collections.quayside.openshift_images.plugins.module_utils._link_desired import AccountName, DesiredLinks
    from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_desired import DesiredSecret

GLOBAL_NAMESPACE = "openshift-config"
GLOBAL_NAME = "pull-secret"


class DeclaredSecret(t.NamedTuple):
    """A pull secret in its namespaces; ``verify`` logs in to its registries first, ``look_around`` warns about others beside it."""

    desired: DesiredSecret
    namespaces: tuple[str, ...]
    verify: bool = False
    look_around: bool = True


class DeclaredLinks(t.NamedTuple):
    """The links from service accounts to one secret."""

    desired: DesiredLinks
    accounts: tuple[AccountName, ...]


class Declared(t.NamedTuple):
    """What shall be on a cluster. With ``approved``, the ids of changes, nothing but these is to be changed."""

    secrets: tuple[DeclaredSecret, ...] = ()
    links: tuple[DeclaredLinks, ...] = ()
    streams: tuple[DesiredStream, ...] = ()
    approved: frozenset[str] | None = None

    def texts_to_hide(self) -> list[str]:
        """Return every text that must never be shown."""
        return [text for secret in self.secrets for text in secret.desired.secrets()]


def declared(params: t.Mapping[str, t.Any]) -> Declared:
    """Turn the options of cluster_drift into what is declared; ``InputError`` names the entry at fault."""
    secrets, links = [], []
    if params["secrets"]:
        from ansible_collections.quayside.openshift_images.plugins.module_utils._object_names import namespaces_from
        from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_desired import desired_secret
    for entry in params["secrets"] or ():
        options = {**entry, "namespace": None, "create": True}
        try:
            namespaces = namespaces_from(options)
            secrets.append(DeclaredSecret(desired_secret(options), namespaces, options["verify"]))
            links += [_links(entry, link, namespaces) for link in entry["link"] or ()]
        except InputError as error:
            raise InputError(f'secrets: "{entry["name"]}": {error.message}') from error
    if params["cluster_pull_secret"]:
        # First, because every import may fall back to it.
        secrets.insert(0, _global_secret(params["cluster_pull_secret"]))
    everything = Declared(tuple(secrets), tuple(links), _streams(params))
    return everything if params["approved"] is None else _only(everything, params["approved"])


def _only(everything: Declared, changes: t.Sequence[t.Mapping[str, t.Any]]) -> Declared:
    """Leave out what no approved change is about, so that nothing else is read again."""
    ids = frozenset(change["id"] for change in changes)
    places = {(change["kind"], change["namespace"], change["name"], change["tag"]) for change in changes}
    touched = {(namespace, name) for kind, namespace, name, _tag in places if kind in ("stream", "tag")}
    secrets = [
        secret._replace(namespaces=tuple(one for one in secret.namespaces if ("secret", one, secret.desired.name, None) in places))
        for secret in everything.secrets
    ]
    links = [
        link._replace(accounts=tuple(one for one in link.accounts if ("link", one.namespace, one.name, None) in places))
        for link in everything.links
    ]
    streams = [_with_tags(stream, places)._replace(approved=ids) for stream in everything.streams if stream.key in touched]
    return Declared(
        tuple(secret for secret in secrets if secret.namespaces), tuple(link for link in links if link.accounts), tuple(streams), ids
    )


def _with_tags(stream: DesiredStream, places: t.Container[tuple[str, str, str, str | None]]) -> DesiredStream:
    """The stream with the tags that are to be changed; all of them where tags are removed because they are not listed."""
    if stream.purge_tags or stream.repository:
        return stream
    return stream._replace(tags=tuple(tag for tag in stream.tags if ("tag", *stream.key, tag.name) in places))


def _links(secret: t.Mapping[str, t.Any], link: t.Mapping[str, t.Any], namespaces: tuple[str, ...]) -> DeclaredLinks:
    """The links of a secret go away with it, from both lists, unless the entry says otherwise."""
    from ansible_collections.quayside.openshift_images.plugins.module_utils._link_desired import account_names, desired_links

    state = link["state"] or secret["state"]
    options = {
        "secrets": [secret["name"]],
        "service_accounts": link["service_accounts"],
        "for": link["for"] or (["pull", "mount"] if state == "absent" else ["pull"]),
        "state": state,
        "pending_secrets": [secret["name"]],
    }
    return DeclaredLinks(desired_links(options), tuple(account_names(namespaces, options)))


def _global_secret(options: t.Mapping[str, t.Any]) -> DeclaredSecret:
    """The cluster's own pull secret is merged into and never created; nothing but its content is looked at."""
    from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_desired import desired_secret

    complete = {
        **dict.fromkeys(("auth_content", "exclude_from_import", "labels", "annotations")),
        **options,
        "name": GLOBAL_NAME,
        "state": "present",
        "update": "merge",
        "type": "kubernetes.io/dockerconfigjson",
        "create": False,
        "recreate": False,
    }
    try:
        return DeclaredSecret(desired_secret(complete), (GLOBAL_NAMESPACE,), options["verify"], look_around=False)
    except InputError as error:
        raise InputError(f"cluster_pull_secret: {error.message}") from error


def _streams(params: t.Mapping[str, t.Any]) -> tuple[DesiredStream, ...]:
    """A comparison forces nothing: a tag that is to be imported always is one whose upstream is looked at."""
    if not params["streams"]:
        return ()
    streams = desired_streams({"streams": params["streams"], "purge_tags": params["purge_tags"]})
    if not params["upstream"]:
        return tuple(stream._replace(refresh="missing") for stream in streams)
    return tuple(stream._replace(refresh="drifted") if stream.refresh == "always" else stream for stream in streams)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is declared for one cluster, as the modules for single parts take it: options become typed,
checked values.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._import_engine.desired import DesiredStream, desired_streams
from .._pull_secret.places import ADDITIONAL, GLOBAL
from .declared import Declared, DeclaredLinks, DeclaredSecret

Place = tuple[str, str, str, t.Optional[str]]


def declared(params: t.Mapping[str, t.Any]) -> Declared:
    """Turn the options of cluster_drift into what is declared; ``InputError`` names the entry at fault."""
    secrets: tuple[DeclaredSecret, ...] = ()
    links: tuple[DeclaredLinks, ...] = ()
    if params["secrets"] or params["cluster_pull_secret"]:
        from .desired_secrets import declared_secrets  # noqa: PLC0415 - streams need none of it

        secrets, links = declared_secrets(params)
    everything = Declared(secrets, links, _streams(params))
    if params["approved"] is None:
        return everything
    return _only_approved(everything, params["approved"])


def _streams(params: t.Mapping[str, t.Any]) -> tuple[DesiredStream, ...]:
    """Return the streams.

    A comparison forces nothing: a tag that is always imported is one whose upstream is looked at.
    """
    if not params["streams"]:
        return ()
    streams = desired_streams({name: params[name] for name in ("streams", "purge_tags", "purge_limit", "take_over")})
    if not params["upstream"]:
        return tuple(stream._replace(refresh="missing") for stream in streams)
    return tuple(stream._replace(refresh="drifted") if stream.refresh == "always" else stream for stream in streams)


def _only_approved(everything: Declared, changes: t.Sequence[t.Mapping[str, t.Any]]) -> Declared:
    """Leave out what no approved change is about, so that nothing else is read again."""
    ids = frozenset(change["id"] for change in changes)
    places = {(change["kind"], change["namespace"], change["name"], change["tag"]) for change in changes}
    touched = {(namespace, name) for kind, namespace, name, _tag in places if kind in ("stream", "tag")}
    secrets = [_in_places(secret, places) for secret in everything.secrets]
    links = [
        link._replace(accounts=tuple(one for one in link.accounts if ("link", one.namespace, one.name, None) in places))
        for link in everything.links
    ]
    streams = [
        _with_tags(stream, places)._replace(approved=ids) for stream in everything.streams if stream.key in touched
    ]
    return Declared(
        tuple(secret for secret in secrets if secret.namespaces or secret.import_namespaces),
        tuple(link for link in links if link.accounts),
        tuple(streams),
        ids,
    )


def _in_places(secret: DeclaredSecret, places: t.Container[Place]) -> DeclaredSecret:
    """Return the secret in those of its namespaces that a change is about. The global one has one of two places."""

    def touched(namespace: str, name: str) -> bool:
        return ("secret", namespace, name, None) in places

    if secret.is_global:
        return secret._replace(
            namespaces=secret.namespaces if touched(*GLOBAL) or touched(*ADDITIONAL) else (),
            import_namespaces=tuple(one for one in secret.import_namespaces if touched(one, ADDITIONAL.name)),
        )
    return secret._replace(namespaces=tuple(one for one in secret.namespaces if touched(one, secret.desired.name)))


def _with_tags(stream: DesiredStream, places: t.Container[Place]) -> DesiredStream:
    """Return the stream with the tags that are to be changed.

    It has all of them if tags are removed because they are not listed.
    """
    if stream.purge_tags or stream.repository:
        return stream
    return stream._replace(tags=tuple(tag for tag in stream.tags if ("tag", *stream.key, tag.name) in places))

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reading and writing needs to know of a cluster: whether a namespace is there, and how the control plane runs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.errors import ApiNotServed, CollectionError, Forbidden, NotFound
from .paths import api_path


class ReadingClient(t.Protocol):
    """The part of the cluster client that reading needs."""

    def get(self, path: str, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        """Read one object."""

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[dict[str, t.Any]]:
        """Read a list."""


class WritingClient(ReadingClient, t.Protocol):
    """The part of the cluster client that bringing objects about needs."""

    def request(self, method: str, path: str, *, body: t.Any = None, repeatable: bool = True) -> t.Any:
        """Send one request."""


class NamespaceMissing(CollectionError):
    """The namespace does not exist, so nothing can be created in it."""


def require_namespace(client: ReadingClient, namespace: str, purpose: str) -> None:
    """Raise ``NamespaceMissing`` if the namespace does not exist.

    A caller who may not read namespaces is taken at their word.

    ``purpose`` ends the sentence: what cannot be done without the namespace.
    """
    try:
        check_namespace_exists(client, namespace)
    except NotFound:
        raise missing_namespace(namespace, purpose) from None


def check_namespace_exists(client: ReadingClient, namespace: str) -> None:
    """Raise the server's ``NotFound`` if the namespace does not exist.

    A caller who may not read namespaces is taken at their word.
    """
    try:
        client.get(api_path("v1", None, "namespaces", namespace))
    except Forbidden:
        return


def missing_namespace(namespace: str, purpose: str) -> NamespaceMissing:
    """Return the error that says so."""
    return NamespaceMissing(f'The namespace "{namespace}" does not exist, so {purpose}; create the namespace first')


def control_plane_architecture(client: ReadingClient) -> str:
    """Return the architecture that Legacy prefers if a tag says nothing; amd64 if the caller may not know it."""
    try:
        platform = client.get("/version").get("platform", "")
    except Forbidden:
        platform = ""
    return platform.partition("/")[2] or "amd64"


def control_plane_topology(client: ReadingClient) -> str:
    """Return where the control plane runs, in the words of the cluster: ``External`` if another cluster hosts it.

    Return "" if it does not say. Raises Forbidden.
    """
    try:
        infrastructure = client.get(api_path("config.openshift.io/v1", None, "infrastructures", "cluster"))
    except (NotFound, ApiNotServed):
        return ""
    return (infrastructure.get("status") or {}).get("controlPlaneTopology") or ""

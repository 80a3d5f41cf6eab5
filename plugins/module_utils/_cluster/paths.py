# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixed API paths that the collection uses.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from urllib.parse import quote


def segment(name: str) -> str:
    """Return one path segment, percent-encoded.

    Raises ValueError for what would be another path (empty, ``.``, ``..``).
    """
    if name in ("", ".", ".."):
        raise ValueError(f"{name!r} cannot be a path segment")
    return quote(name, safe=":@")


def core_path(namespace: str, plural: str, name: str | None = None) -> str:
    """Return the path of a namespaced kind of the core group, or of one object of it."""
    return _namespaced("/api/v1", namespace, plural, name)


def image_path(namespace: str, plural: str, name: str | None = None) -> str:
    """Return the path of a namespaced kind of ``image.openshift.io/v1``, or of one object of it."""
    return _namespaced("/apis/image.openshift.io/v1", namespace, plural, name)


def api_path(group_version: str, namespace: str | None, plural: str, name: str | None = None) -> str:
    """Return the path of a kind of any group, ``apps/v1`` or ``v1`` for example; of all namespaces without one."""
    root = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
    if namespace is not None:
        return _namespaced(root, namespace, plural, name)
    return f"{root}/{plural}/{segment(name)}" if name is not None else f"{root}/{plural}"


def _namespaced(root: str, namespace: str, plural: str, name: str | None) -> str:
    path = f"{root}/namespaces/{segment(namespace)}/{plural}"
    return f"{path}/{segment(name)}" if name is not None else path

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which registry access to describe: options, checked and typed, without any access to the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.names import check_object_name, namespaces_from
from .._core.numbers import check_numbers
from .._credentials.keyring import lookup_text


class AccessSelection(NamedTuple):
    """What to look at. ``namespaces`` is None for those that ``namespace_selector`` fits, and without it for all.

    ``skip_namespaces`` are globs. ``name``, ``registry`` and ``registry_username`` narrow down which secrets, and
    which of their entries, are described; "" does not. ``images`` are the pull specs to explain; ``expires_within``
    are the hours within which the end of a credential is a problem.
    """

    namespaces: tuple[str, ...] | None = None
    namespace_selector: str = ""
    skip_namespaces: tuple[str, ...] = ()
    name: str = ""
    registry: str = ""
    registry_username: str = ""
    links: bool = True
    include_opaque: bool = False
    images: tuple[str, ...] = ()
    concurrency: int = 8
    expires_within: int = 0

    @property
    def is_filtered(self) -> bool:
        """Say whether some secrets of a namespace are left out of the description."""
        return bool(self.name or self.registry)

    def skips(self, namespace: str) -> bool:
        """Say whether ``namespace`` is not to be looked at."""
        return any(fnmatch.fnmatchcase(namespace, glob) for glob in self.skip_namespaces)


def access_selection(params: t.Mapping[str, t.Any]) -> AccessSelection:
    """Return what the options of ``registry_access_info`` ask for; raise ``InputError`` if they cannot be."""
    check_numbers(params, concurrency=1, expires_within=0)
    everywhere = params["namespace"] is None and params["namespaces"] is None
    if params["name"] is not None:
        check_object_name("name", params["name"])
    if params["registry_username"] is not None and params["registry"] is None:
        raise InputError("registry_username: it chooses among the credentials of one registry; give registry with it")
    if params["registry"] is not None and not params["registry"].strip():
        raise InputError("registry: it is empty; write host[:port][/path] as images do, or leave it out")
    images = tuple(dict.fromkeys(params["explain_for"] or ()))
    for image in images:
        try:
            lookup_text(image)
        except InputError as exc:
            raise InputError(f"explain_for: {exc}") from None
    if images and params["name"] is not None:
        raise InputError("explain_for: every secret of a namespace counts for it; leave out name")
    return AccessSelection(
        namespaces=None if everywhere else namespaces_from(params),
        namespace_selector=",".join(params["namespace_label_selectors"] or ()),
        skip_namespaces=tuple(params["skip_namespaces"] or ()),
        name=params["name"] or "",
        registry=(params["registry"] or "").strip(),
        registry_username=params["registry_username"] or "",
        links=params["links"],
        include_opaque=params["include_opaque"],
        images=images,
        concurrency=params["concurrency"],
        expires_within=params["expires_within"],
    )

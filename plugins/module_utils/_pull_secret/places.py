# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a cluster has its own pull secrets.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from typing import NamedTuple


class SecretPlace(NamedTuple):
    """A secret of the cluster itself, in a namespace of its own."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


GLOBAL = SecretPlace("openshift-config", "pull-secret")
ADDITIONAL = SecretPlace("kube-system", "additional-pull-secret")
_ORIGINAL = SecretPlace("kube-system", "original-pull-secret")
# Of the two copies that a hosted cluster has, the first is what the hosting cluster merges with.
COPIES_OF_THE_ORIGINAL = (_ORIGINAL, GLOBAL)
KEPT_BY_THE_HOSTING_CLUSTER = frozenset(
    (GLOBAL, SecretPlace("openshift", "pull-secret"), _ORIGINAL, SecretPlace("kube-system", "global-pull-secret"))
)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module imports before the others of the collection: it makes these imports cheap, and has argument specifications.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.payload import compile_once, spare_collector

compile_once()
spare_collector()

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import (  # noqa: E402
    ArgumentSpec,
    cluster_argument_spec,
    registry_logins,
)

__all__ = ["ArgumentSpec", "cluster_argument_spec", "registry_logins"]

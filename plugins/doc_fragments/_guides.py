# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doc fragment: the guides that several modules name.

Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations


class ModuleDocFragment:
    DRIFT = r"""
options: {}
seealso:
  - name: Drift
    description: The report on one or many clusters, and its correction.
    link: https://github.com/quayside/openshift_images/blob/main/docs/drift.md
"""

    FROM_OC_TO_TASKS = r"""
options: {}
seealso:
  - name: From oc to tasks
    description: Every command and its task.
    link: https://github.com/quayside/openshift_images/blob/main/docs/from-oc-to-tasks.md
"""

    MULTI_ARCH = r"""
options: {}
seealso:
  - name: Several architectures
    description: Manifest lists, and the way to them and back.
    link: https://github.com/quayside/openshift_images/blob/main/docs/multi-arch.md
"""

    PRIVATE_REGISTRIES = r"""
options: {}
seealso:
  - name: Private registries
    description: Keys, ports, which credential hides which, Podman.
    link: https://github.com/quayside/openshift_images/blob/main/docs/private-registries.md
"""

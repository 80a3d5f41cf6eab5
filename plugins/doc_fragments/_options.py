# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doc fragment: options that several modules have.

Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations


class ModuleDocFragment:
    NAMESPACES = r"""
options:
  namespace:
    description:
      - The namespace to work in.
      - Exactly one of O(namespace) and O(namespaces) is required.
    type: str
  namespaces:
    description:
      - Namespaces that each get the same. They are processed in parallel, and an error in one does not stop the others.
    type: list
    elements: str
"""

    LABEL_SELECTORS = r"""
options:
  label_selectors:
    description:
      - Label selectors. Only streams that match all of them count.
    type: list
    elements: str
"""

    CONCURRENCY = r"""
options:
  concurrency:
    description:
      - How many requests run at the same time.
    type: int
    default: 8
"""

    TIMEOUT = r"""
options:
  timeout:
    description:
      - How long the API server may take for one request of up to three images, in seconds.
    type: int
    default: 120
"""

    PENDING_CREDENTIALS = r"""
options:
  pending_credentials:
    description:
      - For check mode only. Registry credentials that an earlier task of the play would have written. If the registry
        refuses an image today and one of these matches it, the image counts as one that will be imported, with a digest
        that is not known yet.
      - The roles of the collection pass it to each other, so that check mode foresees a first run.
    type: list
    elements: dict
    suboptions:
      namespace:
        description:
          - Namespace of the secret.
        type: str
        required: true
      registries:
        description:
          - The keys of the credentials, as M(quayside.openshift_images.pull_secret) takes them.
        type: list
        elements: str
        required: true
"""

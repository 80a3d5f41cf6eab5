#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action plugin of this name does the work, where Ansible runs.

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_result
version_added: 1.0.0
short_description: Keep the result of one cluster for a report on drift
description:
  - Writes the result of one cluster to a file on the machine that runs Ansible.
    M(quayside.openshift_images.drift_report) merges these files. The role
    P(quayside.openshift_images.drift_report#role) uses it.
  - It is an action in Ansible's own process and starts no other, so it costs little for each cluster of a fleet.
extends_documentation_fragment:
  - quayside.openshift_images._attributes
  - quayside.openshift_images._guides.drift
attributes:
  check_mode:
    support: none
    details:
      - Check mode writes the file, too, because it also makes the report.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  content:
    description: The result.
    type: dict
    required: true
  path:
    description: The file, in an existing folder. Only its owner may read it.
    type: path
    required: true
seealso:
  - module: quayside.openshift_images.cluster_drift
  - module: quayside.openshift_images.drift_report
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: Keep what is known of a cluster that is not compared
  quayside.openshift_images.drift_result:
    content:
      format: quayside.openshift_images/drift-part
      cluster: harbour
      errors: ["The cluster is being rebuilt."]
    path: harbour.json
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: "/tmp/ansible.drift/cluster-005.json"
"""

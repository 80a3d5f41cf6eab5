#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action plugin of this name does the work, where Ansible runs.

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_collect
version_added: 1.0.0
short_description: Compare one cluster for a report on drift
description:
  - Runs M(quayside.openshift_images.cluster_drift) for one cluster, batch by batch, corrects what was shown if
    O(correct=true), and writes the result to a file on the machine that runs Ansible.
    M(quayside.openshift_images.drift_report) merges these files. The role
    P(quayside.openshift_images.drift_report#role) uses it.
  - A cluster that cannot be reached or compared does not fail the task. Its result says why.
  - Names are passed from the comparison to the correction in files, not in results of tasks, because Ansible hides the
    text of every password in those, even within the name of a tag.
  - It also takes the options of M(quayside.openshift_images.cluster_drift) that are not listed here.
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
attributes:
  check_mode:
    support: full
    details:
      - Check mode also compares and writes the file. It corrects nothing.
  diff_mode:
    support: full
    details:
      - A correction shows what it changed.
  idempotent:
    support: full
options:
  path:
    description:
      - The file to write, in an existing folder. Only its owner may read it.
    type: path
    required: true
  problems:
    description:
      - What is wrong with the variables. If anything is, the cluster is not compared, and this is its result.
    type: list
    elements: str
    default: []
  batch_size:
    description:
      - How many streams are compared at a time. If there are more, each finished batch shows one line.
    type: int
    default: 50
  correct:
    description:
      - Correct what was shown and is approved, and nothing else.
    type: bool
    default: false
  approved_changes:
    description:
      - The ids of the changes that may be made. If neither this nor O(approved_file) is given, everything that was
        shown.
    type: list
    elements: str
  approved_file:
    description:
      - A C(drift.json) on the machine that runs Ansible. The changes that it shows for this cluster may be made.
    type: str
    default: ""
  prune_risks:
    description:
      - Options of M(quayside.openshift_images.image_prune_risk_info), to look for workloads at risk as well.
    type: dict
  secrets:
    description:
      - As O(quayside.openshift_images.cluster_drift#module:secrets).
    type: list
    elements: raw
  secrets_take_over:
    description:
      - As O(quayside.openshift_images.cluster_drift#module:take_over), but only for the secrets and links that do not
        set it themselves.
    type: bool
    version_added: 1.0.0
  cluster_pull_secret:
    description:
      - As O(quayside.openshift_images.cluster_drift#module:cluster_pull_secret).
    type: dict
  streams:
    description:
      - As O(quayside.openshift_images.cluster_drift#module:streams).
    type: list
    elements: raw
  upstream:
    description:
      - As O(quayside.openshift_images.cluster_drift#module:upstream).
    type: bool
    default: true
  platforms:
    description:
      - As O(quayside.openshift_images.cluster_drift#module:platforms). Only with O(upstream=true).
    type: bool
    default: false
seealso:
  - module: quayside.openshift_images.cluster_drift
  - module: quayside.openshift_images.drift_report
  - name: Drift
    description: How the report is made, and what is in it.
    link: https://github.com/quayside/openshift_images/blob/main/docs/drift.md
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: Compare the cluster with one stream
  quayside.openshift_images.drift_collect:
    path: "results/{{ inventory_hostname }}.json"
    streams:
      - namespace: shop
        name: web
        tags:
          - name: v1
            from: registry.example.com:5000/team/web:v1
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: results/harbour.json
"""

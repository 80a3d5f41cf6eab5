#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_report
version_added: 1.0.0
short_description: Make one report of what was found on many clusters
description:
  - Puts the results of the role P(quayside.openshift_images.drift_report#role) for many clusters together, and reports that were made
    before, those of slices of an inventory for example.
  - Writes them as a JSON document with a fixed order, which C(docs/drift.schema.json) describes, and as one HTML page that needs nothing else.
  - It reads and writes files only, where it runs, and asks no cluster.
extends_documentation_fragment:
  - quayside.openshift_images._attributes
attributes:
  check_mode:
    support: full
    details:
      - Check mode reads the files and writes none.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - The report carries the time at which it was made.
options:
  files:
    description:
      - Files to put together, C(drift.json) or the results of single clusters; of a folder every file that ends in C(.json).
      - Of a cluster that several files have, the last one counts.
    type: list
    elements: path
    required: true
  clusters:
    description:
      - Names of clusters that have to be in the report. One that no file has is in it as failed.
    type: list
    elements: str
    default: []
  json_file:
    description:
      - Path of the JSON document to write.
    type: path
  html_file:
    description:
      - Path of the page to write.
    type: path
  template:
    description:
      - Path of the Jinja2 template of the page. The role has it.
      - Required with O(html_file).
    type: path
  title:
    description:
      - Title of the page.
    type: str
    default: Drift report
  most_tags:
    description:
      - How many tags the page may list. Where there are more, it counts those that are as declared, and lists the others.
      - The JSON document has all of them.
    type: int
    default: 5000
requirements:
  - python >= 3.9
  - jinja2 >= 3.0, for O(html_file)
seealso:
  - module: quayside.openshift_images.cluster_drift
  - name: Drift
    description: The report on one or many clusters, and its correction.
    link: https://github.com/quayside/openshift_images/blob/main/docs/drift.md
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: One report of the reports of four slices
  quayside.openshift_images.drift_report:
    files: [slice-1.json, slice-2.json, slice-3.json, slice-4.json]
    json_file: drift.json
"""

RETURN = r"""
summary:
  description: Numbers over all clusters.
  returned: success
  type: dict
  contains:
    clusters:
      description: How many clusters there are.
      type: int
      sample: 6
    verdicts:
      description: How many clusters have each verdict, V(in_sync), V(drift), V(corrected), V(partly_corrected) or V(failed).
      type: dict
      sample: {in_sync: 4, drift: 2}
    counts:
      description: Sums of the clusters' counts.
      type: dict
      sample: {secrets: 6, links: 12, streams: 18, tags: 72, changes: 3, failures: 0, prune_risks: 0}
    reasons:
      description: Number of changes by reason.
      type: dict
      sample: {upstream_moved: 3}
lines:
  description: The report in short, a line for each cluster and one for all.
  returned: success
  type: list
  elements: str
  sample: ['cluster-005: drift: 2 changes, 0 failures']
clusters:
  description: The clusters, without what was found there.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
      sample: cluster-005
    verdict:
      description: The verdict.
      type: str
      sample: drift
    complete:
      description: Whether everything could be compared.
      type: bool
      sample: true
    counts:
      description: How many things were compared, changes, failures and prune risks.
      type: dict
      sample: {secrets: 1, links: 2, streams: 3, tags: 12, changes: 2, failures: 0, prune_risks: 0}
    findings:
      description: What a job may fail for, in a sentence each; V(null) where there is nothing of the kind.
      type: dict
      contains:
        failures:
          description: What could not be compared or corrected.
          type: str
          sample: "1 failure: Unauthorized: you may not have access to the container image \"registry.example.com:5000/team/web:v1\" - The namespace shop has no credential for this image. Add one with the key registry.example.com:5000 (pull_secret)."
        drift:
          description: What differs and was not corrected.
          type: str
          sample: "2 changes"
        prune_risks:
          description: Workloads that pruning would take the image from.
          type: str
          sample: "1 prune risk"
    change_ids:
      description: The changes that are left, by their RV(quayside.openshift_images.cluster_drift#module:drift.changes[].id).
      type: list
      elements: str
      sample: [3f1c9a7be0d24586]
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.files import write_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    return ArgumentSpec(
        {
            "files": {"type": "list", "elements": "path", "required": True},
            "clusters": {"type": "list", "elements": "str", "default": []},
            "json_file": {"type": "path"},
            "html_file": {"type": "path"},
            "template": {"type": "path"},
            "title": {"type": "str", "default": "Drift report"},
            "most_tags": {"type": "int", "default": 5000},
        },
        required_by={"html_file": ["template"]},
    )


def work(context: ModuleContext) -> Report:
    """Read, put together, write."""
    return write_report(context.params, check_mode=context.check_mode)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

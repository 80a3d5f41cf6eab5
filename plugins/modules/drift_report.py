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
  - Merges the results of the role P(quayside.openshift_images.drift_report#role) for many clusters, and reports that
    were made before, for example those of the slices of an inventory.
  - Writes them as a JSON document with a fixed order, which C(docs/drift.schema.json) describes, as one self-contained
    HTML page, as JUnit XML for CI, and in the text format of Prometheus.
  - An existing file keeps its mode. A new one gets its mode from the umask.
  - It only reads and writes files on the host where it runs, and asks no cluster.
extends_documentation_fragment:
  - quayside.openshift_images._attributes
  - quayside.openshift_images._guides.drift
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
      - The report contains the time at which it was made.
options:
  files:
    description:
      - Files to merge, C(drift.json) or the results of single clusters. In a folder, every file that ends in C(.json)
        is taken.
      - If several files contain a cluster, the last one counts.
    type: list
    elements: path
    required: true
  clusters:
    description:
      - Names of clusters that must be in the report. If no file contains one of them, the report lists it as failed.
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
  junit_file:
    description:
      - Path of the JUnit XML to write. A suite is a cluster and a case an object. What differs is a failure. What could
        not be compared is skipped. A cluster that could not be compared at all is an error.
    type: path
    version_added: 1.0.0
  metrics_file:
    description:
      - Path of the metrics to write, gauges in the text format 0.0.4 of Prometheus, for the textfile collector of
        node_exporter. It reads files whose names end in C(.prom).
    type: path
    version_added: 1.0.0
  template:
    description:
      - Path of the Jinja2 template of the page, which is part of the role.
      - Required with O(html_file).
    type: path
  title:
    description:
      - Title of the page.
    type: str
    default: Drift report
  most_tags:
    description:
      - How many tags the page may list. If there are more, it lists those that differ, and only counts the others.
      - The JSON document has all of them.
    type: int
    default: 5000
  fail_on:
    description:
      - Findings for which RV(failing) names a cluster. The role then fails with that message.
      - V(failures) is something that could not be compared or corrected, V(nothing_declared) a cluster for which
        nothing is declared, V(drift) something that differs and was not corrected, V(unknown) something whose state is
        not known, V(notices) a finding that is not a difference, and V(prune_risks) a workload that pruning would take
        the image from.
    type: list
    elements: str
    choices: [failures, nothing_declared, drift, unknown, notices, prune_risks]
    default: [failures, nothing_declared]
    version_added: 1.0.0
requirements:
  - python >= 3.9
  - jinja2 >= 3.0, for O(html_file)
seealso:
  - module: quayside.openshift_images.cluster_drift
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: One report of the reports of four slices
  quayside.openshift_images.drift_report:
    files: [slice-1.json, slice-2.json, slice-3.json, slice-4.json]
    json_file: drift.json

- name: The same for CI and for monitoring
  quayside.openshift_images.drift_report:
    files: [drift.json]
    junit_file: drift.xml
    # Into the folder that the textfile collector reads.
    metrics_file: drift.prom
"""

RETURN = r"""
summary:
  description: Totals over all clusters.
  returned: success
  type: dict
  contains:
    clusters:
      description: How many clusters there are.
      type: int
      sample: 6
    verdicts:
      description:
        - How many clusters have each verdict, V(in_sync), V(drift), V(corrected), V(partly_corrected), V(failed) or
          V(nothing_declared).
      type: dict
      sample: {in_sync: 4, drift: 1, corrected: 0, partly_corrected: 0, failed: 1, nothing_declared: 0}
    counts:
      description: Sums of the clusters' counts.
      type: dict
      sample: {secrets: 12, links: 12, streams: 24, tags: 300, changes: 2, corrected: 0, left: 2, unknown: 1, failures:
      1, notices: 0, prune_risks: 0}
    states:
      description: How many objects are as declared, differ, or are unknown.
      type: dict
      sample: {as_declared: 321, differs: 2, unknown: 1}
    reasons:
      description: Number of changes by reason.
      type: dict
      sample: {upstream_moved: 2}
    unknown_reasons:
      description: Number of objects that could not be compared, by reason.
      type: dict
      sample: {Forbidden: 1}
    notice_reasons:
      description: Number of findings that are not changes, by reason.
      type: dict
      sample: {}
lines:
  description: >-
    The report in short: a line for each cluster that is not as declared, the worst first, a line for all clusters, and
    what to do next.
  returned: success
  type: list
  elements: str
  sample: ["harbour  drift  1 change: shop/web:v1 upstream_moved", "2 clusters (1 in_sync, 1 drift): 1 change
  (upstream_moved 1)"]
command:
  description: The command that corrects exactly what is left, V(null) if a correction would change nothing.
  returned: success
  type: str
  sample: ansible-playbook -i clusters.yml quayside.openshift_images.drift -e drift_correct=true -e
    drift_report_approved_file=drift.json
clusters:
  description: The clusters, without their findings.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
      sample: harbour
    verdict:
      description: The verdict.
      type: str
      sample: drift
    complete:
      description: Whether everything could be compared.
      type: bool
      sample: true
    counts:
      description: The numbers of objects that were compared, of changes, failures and prune risks.
      type: dict
      sample: {secrets: 2, links: 2, streams: 4, tags: 50, changes: 1, corrected: 0, left: 1, unknown: 0, failures: 0,
      notices: 0, prune_risks: 0}
    states:
      description: How many objects are as declared, differ, or are unknown.
      type: dict
      sample: {as_declared: 53, differs: 1, unknown: 0}
    findings:
      description: What a job may fail for, one sentence each, V(null) if there is nothing of that kind.
      type: dict
      contains:
        failures:
          description: What could not be compared or corrected.
          type: str
          sample: "harbour: Cannot read anything: the API server https://api.example.com:6443 refused the connection."
        nothing_declared:
          description: That nothing is declared for the cluster, and which variables would declare something.
          type: str
          sample: "harbour: nothing is declared for this cluster. Give at least one of image_streams_desired, or check
            their spelling."
        drift:
          description: What differs and was not corrected.
          type: str
          sample: "harbour: 1 change: shop/web:v1 upstream_moved."
        unknown:
          description: What could not be compared.
          type: str
          sample: "harbour: 1 object could not be compared: shop/web:v1 Unauthorized."
        notices:
          description: Findings that are not changes.
          type: str
          sample: "harbour: 1 notice: shop/registry credential_expires."
        prune_risks:
          description: Workloads that pruning would take the image from.
          type: str
          sample: "1 prune risk"
    change_ids:
      description: The changes that are left, by their
        RV(quayside.openshift_images.cluster_drift#module:drift.changes[].id).
      type: list
      elements: str
      sample: [0123456789abcdef]
stats:
  description: What the next job of a workflow gets from the role, with C(set_stats).
  returned: success
  type: dict
  sample: {drift_report_clusters_with_drift: [harbour], drift_report_clusters_failed: [], drift_report_approved:
  {harbour: [0123456789abcdef]}}
failing:
  description: For each cluster that fails by O(fail_on), the reason, by the name of the cluster.
  returned: success
  type: dict
  sample: {harbour: "harbour: the API server refused the connection."}
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
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
            "junit_file": {"type": "path"},
            "metrics_file": {"type": "path"},
            "template": {"type": "path"},
            "title": {"type": "str", "default": "Drift report"},
            "most_tags": {"type": "int", "default": 5000},
            "fail_on": {
                "type": "list",
                "elements": "str",
                "choices": ["failures", "nothing_declared", "drift", "unknown", "notices", "prune_risks"],
                "default": ["failures", "nothing_declared"],
            },
        },
        required_by={"html_file": ["template"]},
    )


def work(context: ModuleContext) -> Report:
    """Read the parts, put them together, write the report."""
    return write_report(context.params, check_mode=context.check_mode)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

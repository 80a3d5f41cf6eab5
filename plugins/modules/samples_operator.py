#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: samples_operator
short_description: Configure the Cluster Samples Operator and see its image streams imported
version_added: 1.0.0
description:
  - Sets the registry of the sample image streams in the namespace C(openshift), the samples to leave alone, and whether
    the operator manages them at all. The configuration is the object C(configs.samples.operator.openshift.io/cluster).
  - Waits until the operator has done what the configuration says, and until the image streams that it manages are
    imported.
  - Retries failed imports, and reports the tags that the registry does not have.
  - What is not given stays as it is. A run that finds everything done writes nothing.
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._options.timeout
  - quayside.openshift_images._options.pending_credentials
  - quayside.openshift_images._guides.private_registries
attributes:
  check_mode:
    support: full
    details:
      - Check mode does not wait. If the configuration would change, check mode cannot know what the operator will do.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  samples_registry:
    description:
      - The registry as C(host[:port][/path]). The operator replaces the registry's host in the sources of its image
        streams with it.
      - An empty string stands for the registry that is built into the release.
    type: str
  management_state:
    description:
      - V(Managed) lets the operator create and correct the samples.
      - V(Unmanaged) makes it leave everything as it is, even if the configuration changes.
      - V(Removed) makes it delete the samples, except those that are skipped.
    type: str
    choices: [Managed, Unmanaged, Removed]
  skipped_imagestreams:
    description:
      - Names of all image streams that the operator must not create or update. A name that is not in the list is
        managed again, and an empty list skips none.
      - The operator does not delete a stream because it is skipped.
    type: list
    elements: str
  skipped_templates:
    description:
      - Names of all templates that the operator must not create or update, as in O(skipped_imagestreams).
    type: list
    elements: str
  wait:
    description:
      - Wait until the operator and the imports are done. Failed imports are retried and reported only with
        O(wait=true).
      - A failed import counts as done.
    type: bool
    default: true
  wait_timeout:
    description:
      - Maximum time to wait, in seconds. The message of the failed task says what is left to do.
    type: int
    default: 600
  wait_sleep:
    description:
      - Time between two checks, in seconds.
    type: int
    default: 5
  retry_failed:
    description:
      - Retry the tags whose import failed, each as the operator has declared it.
    type: bool
    default: true
  ignore_failed_tags:
    description:
      - Warn of tags that could not be imported, instead of failing.
    type: bool
    default: false
seealso:
  - module: quayside.openshift_images.image_stream_import
  - module: quayside.openshift_images.pull_secret
notes:
  - The rights needed are C(get) and C(patch) of C(configs.samples.operator.openshift.io) named C(cluster); in the
    namespace C(openshift), C(list) and C(get) of C(imagestreams), and C(create) of C(imagestreamimports) for
    O(retry_failed=true).
  - The architectures of the samples cannot be set, because the operator refuses to change them while it manages
    samples.
"""

EXAMPLES = r"""
- name: Take the samples from a mirror
  quayside.openshift_images.samples_operator:
    samples_registry: mirror.example.com:5000
    management_state: Managed
    skipped_imagestreams: [jenkins, jenkins-agent-base]
    wait_timeout: 900

- name: See what the mirror lacks, without failing for it
  quayside.openshift_images.samples_operator:
    ignore_failed_tags: true
  register: samples

- name: Say so
  ansible.builtin.debug:
    msg: "{{ samples.failed_tags | map(attribute='from') | list }}"

- name: Remove all samples
  quayside.openshift_images.samples_operator:
    management_state: Removed

- name: Go back to the built-in registry, and skip nothing
  quayside.openshift_images.samples_operator:
    samples_registry: ""
    skipped_imagestreams: []
    skipped_templates: []
"""

RETURN = r"""
config:
  description: The configuration after the run, or as it would be in check mode.
  returned: always
  type: dict
  contains:
    samples_registry:
      description: The registry of the samples; empty for the built-in one.
      type: str
      sample: "mirror.example.com:5000"
    management_state:
      description: V(Managed), V(Unmanaged) or V(Removed).
      type: str
      sample: Managed
    skipped_imagestreams:
      description: Image streams that the operator leaves alone.
      type: list
      elements: str
      sample: [jenkins]
    skipped_templates:
      description: Templates that the operator leaves alone.
      type: list
      elements: str
      sample: [jenkins-ephemeral]
conditions:
  description: What the operator reports about itself.
  returned: always
  type: list
  elements: dict
  contains:
    type:
      description: Name of the condition, such as C(SamplesExist) or C(ImportImageErrorsExist).
      type: str
      sample: SamplesExist
    status:
      description: V(True), V(False) or V(Unknown).
      type: str
      sample: "True"
    reason:
      description: The operator's reason, for some conditions the names of image streams.
      type: str
      sample: ""
    message:
      description: The operator's words.
      type: str
      sample: Samples exist in the openshift project
version:
  description: The release whose samples the operator has created.
  returned: always
  type: str
  sample: "4.17.3"
imagestreams:
  description: Names of the image streams that the operator manages. Empty if the module did not look at them.
  returned: always
  type: list
  elements: str
  sample: [httpd, nodejs]
streams:
  description: Image streams whose imports were retried, as M(quayside.openshift_images.image_stream_import) returns
    them.
  returned: always
  type: list
  elements: dict
  sample: [{namespace: openshift, name: httpd, changed: true, tags: []}]
failed_tags:
  description: Tags that could not be imported.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Always V(openshift).
      type: str
      sample: openshift
    name:
      description: Name of the image stream.
      type: str
      sample: httpd
    tag:
      description: Name of the tag.
      type: str
      sample: "2.4-ubi9"
    from:
      description: The image that was requested from the registry.
      type: str
      sample: "mirror.example.com:5000/ubi9/httpd-24:latest"
    reason:
      description: The API server's reason, such as V(NotFound) or V(Unauthorized).
      type: str
      sample: Unauthorized
    message:
      description: The API server's words.
      type: str
      sample: "you may not have access to the container image \"mirror.example.com:5000/ubi9/httpd-24:latest\""
    remedy:
      description: What to do about it, if that is known.
      type: str
      sample: "The namespace openshift has no credential for this image. Add one with the key mirror.example.com:5000
        (pull_secret)."
failed_imagestreams:
  description: Names of the image streams with such tags, which O(skipped_imagestreams) could name.
  returned: always
  type: list
  elements: str
  sample: [httpd]
outstanding:
  description: What was left to do at the end, one sentence each. Empty if everything was done, or if the module did not
    check.
  returned: always
  type: list
  elements: str
  sample: ['tags have still to be imported: httpd:2.4-ubi9']
summary:
  description: Counts.
  returned: always
  type: dict
  contains:
    imagestreams:
      description: Image streams that the operator manages.
      type: int
      sample: 42
    tags:
      description: Their tags that are imported from a registry.
      type: int
      sample: 120
    imported:
      description: Tags with an image and without a failure.
      type: int
      sample: 119
    pending:
      description: Tags that are still to be imported.
      type: int
      sample: 0
    failed:
      description: Tags that could not be imported.
      type: int
      sample: 1
    retried:
      description: Tags whose import was retried.
      type: int
      sample: 1
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.numbers import check_numbers
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    pending_credentials,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.remedy_finder import RemedyFinder
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import (
    pending_credentials_option,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.desired import (
    MANAGEMENT_STATES,
    Settings,
    desired_samples,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.run import converge_samples


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    return cluster_argument_spec().merge(
        ArgumentSpec(
            {
                "samples_registry": {"type": "str"},
                "management_state": {"type": "str", "choices": list(MANAGEMENT_STATES)},
                "skipped_imagestreams": {"type": "list", "elements": "str"},
                "skipped_templates": {"type": "list", "elements": "str"},
                "wait": {"type": "bool", "default": True},
                "wait_timeout": {"type": "int", "default": 600},
                "wait_sleep": {"type": "int", "default": 5},
                "retry_failed": {"type": "bool", "default": True},
                "ignore_failed_tags": {"type": "bool", "default": False},
                "concurrency": {"type": "int", "default": 8},
                "timeout": {"type": "int", "default": 120},
                "pending_credentials": pending_credentials_option(),
            }
        )
    )


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    params = context.params
    desired, pending = desired_samples(params), pending_credentials(params)
    check_numbers(params, wait_timeout=1, wait_sleep=1, concurrency=1, timeout=1)
    settings = Settings(
        check_mode=context.check_mode,
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        wait_sleep=params["wait_sleep"],
        retry_failed=params["retry_failed"],
        ignore_failed_tags=params["ignore_failed_tags"],
        concurrency=params["concurrency"],
        timeout=params["timeout"],
        pending=pending,
    )
    client = context.client(pool_size=settings.concurrency)
    return converge_samples(client, desired, settings, RemedyFinder(client, context.mask).remedy)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

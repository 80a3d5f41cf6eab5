#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: multiarch_migration_info
short_description: Report which image stream tags can hold a whole manifest list
version_added: 1.0.0
description:
  - Asks the registries, through the cluster, which tags track a manifest list but hold only one child of it, because
    their import mode is V(Legacy).
  - Reports what preserving the list would change, which platforms it would add, and which image triggers of workloads
    it would fire.
  - Returns the input for M(quayside.openshift_images.image_stream_import) that migrates, and the input that goes back.
  - The collection's playbook C(migrate_to_multiarch) reports, migrates and goes back with it.
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.info_module
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._options.timeout
  - quayside.openshift_images._guides.multi_arch
options:
  namespace:
    description:
      - Namespace of the streams, or a shell pattern. Without O(namespace) and O(namespaces), the whole cluster is read.
    type: str
  namespaces:
    description:
      - Namespaces of the streams, or shell patterns. A pattern lists the streams of the whole cluster.
    type: list
    elements: str
  names:
    description:
      - Names of streams, or shell patterns. The default is all streams.
    type: list
    elements: str
  tags:
    description:
      - Names of tags, or shell patterns. The default is all tags.
    type: list
    elements: str
  record:
    description:
      - Report what going back would change, instead of migrating. Give it the value of RV(to_legacy) from before the
        migration. RV(to_legacy) of the result then contains what can go back now.
      - The other options select among the recorded tags.
      - A tag that has another source by now, or no longer preserves the original, is left alone.
      - If a tag is recorded more than once, the last entry counts, so that you can join the records of several
        migrations.
    type: list
    elements: dict
    suboptions:
      namespace:
        description: Namespace of the stream.
        type: str
        required: true
      name:
        description: Name of the stream.
        type: str
        required: true
      tags:
        description: The tags of the stream.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the tag.
            type: str
            required: true
          from:
            description: Pull spec that the tag followed.
            type: str
            required: true
          import_mode:
            description: Import mode that the tag had.
            type: str
            choices: [Legacy]
            default: Legacy
          prefer_architecture:
            description: Architecture that the tag preferred; empty for none.
            type: str
          prefer_os:
            description: Operating system that the tag preferred; empty for none.
            type: str
  trigger_namespaces:
    description:
      - Namespaces in whose workloads to look for image triggers.
      - The default is all namespaces, because any of them can watch a stream; or, if the caller may not list a kind
        over all, the namespaces of the streams.
    type: list
    elements: str
seealso:
  - module: quayside.openshift_images.image_stream_import
  - module: quayside.openshift_images.registry_image_info
  - module: quayside.openshift_images.image_prune_risk_info
notes:
  - The rights needed are C(list) of C(imagestreams), C(create) of C(imagestreamimports) to look up what the registries
    serve, and C(list) of the workloads. A kind that may not be listed is reported in RV(triggers_not_read).
  - A lookup of a list reads each of its children, and a registry that limits pulls counts each. Tags that already
    preserve the original are not looked up.
  - When a tag goes back, V(Legacy) takes one child of what the registry serves at that time, by the server's three
    rules. It takes the platform that the tag prefers, completed by that of the control plane; otherwise V(linux/amd64);
    otherwise the first entry. This can be another image than the tag had before the migration.
"""

EXAMPLES = r"""
- name: See which tags of a namespace could hold a whole list
  quayside.openshift_images.multiarch_migration_info:
    namespace: shop
    tags: ["v*"]
  register: multiarch

- name: Say so
  ansible.builtin.debug:
    msg: >-
      {{ item.stream }}:{{ item.tag }} gains {{ item.gained_platforms | join(', ') }} and makes
      {{ item.triggers | selectattr('automatic') | map(attribute='name') | join(', ') or 'nothing' }} roll out
  loop: "{{ multiarch.candidates | selectattr('migratable') }}"
  loop_control:
    label: "{{ item.stream }}:{{ item.tag }}"

- name: Preserve the lists
  quayside.openshift_images.image_stream_import:
    streams: "{{ multiarch.to_preserve }}"
    refresh: missing
  when: multiarch.to_preserve | length > 0

- name: See what going back would change
  quayside.openshift_images.multiarch_migration_info:
    record: "{{ multiarch.to_legacy }}"
  register: back
  when: multiarch.to_legacy | length > 0
"""

RETURN = r"""
candidates:
  description: The tags that can hold a whole list, or with O(record) those that can go back, in order of namespace,
    stream and tag.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the stream.
      type: str
      sample: shop
    stream:
      description: Name of the stream.
      type: str
      sample: web
    tag:
      description: Name of the tag.
      type: str
      sample: v1
    from:
      description: Pull spec that the tag follows.
      type: str
      sample: "registry.example.com:5000/team/web:v1"
    import_mode:
      description: The tag's import mode now.
      type: str
      sample: Legacy
    digest:
      description: Digest of the image that the tag has now.
      type: str
      sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
    platform:
      description: Platform of that image, as V(linux/arm64), if it is a child of the list that the registry serves now.
      type: str
      sample: linux/arm64
    upstream_moved:
      description: Whether the registry serves another image than the tag was imported from; it then changes for this
        reason, too.
      type: bool
      sample: false
    digest_after:
      description: >-
        Digest that the tag will have: that of the list, or, on the way back, that of the child.
      type: str
      sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
    list_digest:
      description: Digest of the list that the registry serves.
      type: str
      sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
    platforms:
      description: The list's platforms, without entries for attestations.
      type: list
      elements: str
      sample: [linux/amd64, linux/arm64/v8]
    legacy_digest:
      description: Digest that V(Legacy) takes now.
      type: str
      sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
    legacy_platform:
      description: Platform of that child.
      type: str
      sample: linux/arm64
    gained_platforms:
      description: The platforms that the migration adds.
      type: list
      elements: str
      sample: [linux/amd64]
    lost_platforms:
      description: With O(record), the platforms that going back removes.
      type: list
      elements: str
      sample: [linux/amd64]
    followed_by:
      description: Tags of the same stream that follow this one, and also get its image.
      type: list
      elements: str
      sample: [latest]
    triggers:
      description: What reacts when the tag, or one that follows it, gets another image.
      type: list
      elements: dict
      contains:
        kind:
          description: Kind of the object.
          type: str
          sample: Deployment
        namespace:
          description: Namespace of the object.
          type: str
          sample: shop
        name:
          description: Name of the object.
          type: str
          sample: web
        fields:
          description: Containers, or paths of fields, whose image is replaced; empty for a build config.
          type: list
          elements: str
          sample: [web]
        automatic:
          description: V(false) if the trigger is paused, or waits for somebody to start the deployment.
          type: bool
          sample: true
        tag:
          description: The tag that it watches.
          type: str
          sample: v1
    migratable:
      description: Whether the tag can be migrated, or can go back.
      type: bool
      sample: true
    why:
      description: Why it cannot.
      type: str
      sample: The tag refers to its source and is not imported.
others:
  description: The other tags that were asked about.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the stream.
      type: str
      sample: shop
    stream:
      description: Name of the stream.
      type: str
      sample: web
    tag:
      description: Name of the tag.
      type: str
      sample: v1
    from:
      description: What the tag follows.
      type: str
      sample: "registry.example.com:5000/team/web:v1"
    state:
      description:
        - V(preserved) if it preserves what the registry serves already.
        - V(single) if the registry serves a single image.
        - V(unreadable) if the registry could not be asked.
        - V(not_external) if it does not import an external image.
        - V(gone), V(source_changed) and V(not_preserved) with O(record), if the tag is not what the record is about.
      type: str
      sample: preserved
    why:
      description: The same in words. If the registry could not be asked, its reason and what to do about it.
      type: str
      sample: It preserves the list that the registry serves.
to_preserve:
  description:
    - The option O(quayside.openshift_images.image_stream_import#module:streams) that preserves the lists of exactly the
      candidates that can be migrated, and changes nothing else about them. Empty with O(record).
  returned: always
  type: list
  elements: dict
  sample:
    - namespace: shop
      name: web
      tags:
        - name: v1
          from: registry.example.com:5000/team/web:v1
          import_mode: PreserveOriginal
to_legacy:
  description:
    - The option O(quayside.openshift_images.image_stream_import#module:streams) that goes back, each tag to its own
      import mode and preferences. Save it before a migration.
  returned: always
  type: list
  elements: dict
  sample:
    - namespace: shop
      name: web
      tags:
        - name: v1
          from: registry.example.com:5000/team/web:v1
          import_mode: Legacy
failed_namespaces:
  description: Namespaces whose streams could not be read, each with C(namespace) and C(error).
  returned: always
  type: list
  elements: dict
  sample: [{namespace: billing, error: imagestreams.image.openshift.io is forbidden}]
triggers_read_in:
  description: The namespaces that were searched for triggers; V(*) for all.
  returned: always
  type: list
  elements: str
  sample: [shop]
triggers_not_read:
  description: Kinds whose triggers could not be read.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace.
      type: str
      sample: billing
    resource:
      description: The kind, as in access rules.
      type: str
      sample: deployments.apps
    error:
      description: The error.
      type: str
      sample: deployments.apps is forbidden
not_served:
  description: The kinds that this cluster does not serve.
  returned: always
  type: list
  elements: str
  sample: [deploymentconfigs]
summary:
  description: Counts.
  returned: always
  type: dict
  contains:
    tags:
      description: Number of tags that were asked about.
      type: int
      sample: 12
    candidates:
      description: Number of RV(candidates).
      type: int
      sample: 2
    migratable:
      description: Number of those that can be migrated, or can go back.
      type: int
      sample: 2
    not_migratable:
      description: Number of those that cannot.
      type: int
      sample: 0
    others:
      description: Number of RV(others) by their state.
      type: dict
      sample: {preserved: 9, no_list: 1}
    triggers:
      description: Number of objects that watch a tag that would change.
      type: int
      sample: 1
    automatic_triggers:
      description: Number of those that act by themselves.
      type: int
      sample: 1
    failed_namespaces:
      description: Number of RV(failed_namespaces).
      type: int
      sample: 0
    complete:
      description: Whether all streams and triggers could be read.
      type: bool
      sample: true
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._multiarch.desired import migration_question
from ansible_collections.quayside.openshift_images.plugins.module_utils._multiarch.run import answer


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    recorded_tag = {
        "name": {"type": "str", "required": True},
        "from": {"type": "str", "required": True},
        "import_mode": {"type": "str", "choices": ["Legacy"], "default": "Legacy"},
        "prefer_architecture": {"type": "str"},
        "prefer_os": {"type": "str"},
    }
    recorded = {
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "tags": {"type": "list", "elements": "dict", "required": True, "options": recorded_tag},
    }
    own = ArgumentSpec(
        {
            "namespace": {"type": "str"},
            "namespaces": {"type": "list", "elements": "str"},
            "names": {"type": "list", "elements": "str"},
            "tags": {"type": "list", "elements": "str"},
            "record": {"type": "list", "elements": "dict", "options": recorded},
            "trigger_namespaces": {"type": "list", "elements": "str"},
            "concurrency": {"type": "int", "default": 8},
            "timeout": {"type": "int", "default": 120},
        },
        mutually_exclusive=[("namespace", "namespaces")],
    )
    return cluster_argument_spec().merge(own)


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, then the road of run.py."""
    question = migration_question(context.params)
    return answer(context.client(pool_size=question.concurrency), question, context.mask)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

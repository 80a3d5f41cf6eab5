#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_prune_risk_info
short_description: Find workloads whose images oc adm prune images would take away
version_added: 1.0.0
description:
  - Finds workloads that use a child of a manifest list, the image of one platform, directly by its digest. C(oc adm
    prune images) does not see that use. It compares the digests that workloads name with the images of the tags, which
    are the lists. When enough newer lists have come, it drops a list from the tag's history, and deletes the child with
    it.
  - Reports for each use the child, its list, the tag and revision that keep it, what will happen to it, and what to
    write instead.
  - Looks at pods, replication controllers, replica sets, deployments, daemon sets, stateful sets, jobs and cron jobs,
    and, if the cluster serves them, deployment configs, build configs and builds. In these it looks at containers, init
    containers, ephemeral containers, image volumes, and the images that nodes report to run. Workloads that have ended
    are left out.
  - It only reads. Give RV(protection) to M(quayside.openshift_images.image_stream_import) to keep the children.
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.info_module
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._guides.multi_arch
options:
  namespace:
    description:
      - Namespace whose workloads are looked at.
      - Without O(namespace) and O(namespaces), the whole cluster is looked at, with one request for each kind. For a
        caller who may not list over all namespaces, each of the caller's projects is.
    type: str
  namespaces:
    description:
      - Namespaces whose workloads are looked at. Streams of other namespaces that these workloads pull from are read
        too.
    type: list
    elements: str
  kinds:
    description:
      - The kinds of workloads to look at.
      - The default is all of them.
    type: list
    elements: str
    choices:
      - Pod
      - ReplicationController
      - ReplicaSet
      - Deployment
      - DaemonSet
      - StatefulSet
      - Job
      - CronJob
      - DeploymentConfig
      - BuildConfig
      - Build
  keep_tag_revisions:
    description:
      - How many revisions of a tag the pruner keeps, as in its option C(--keep-tag-revisions).
    type: int
    default: 3
  keep_younger_than_minutes:
    description:
      - How old a revision must be before the pruner takes it, in minutes, as in its option C(--keep-younger-than).
    type: int
    default: 60
  registry_hosts:
    description:
      - Further names of the cluster's own registry, as workloads write them, for example that of a route of your own.
      - The name inside the cluster and the names in the image streams are known.
    type: list
    elements: str
    default: []
  results:
    description:
      - V(at_risk) returns only what the next run of the pruner would remove. RV(summary) always counts everything.
    type: str
    choices: [all, at_risk]
    default: all
seealso:
  - module: quayside.openshift_images.image_stream_import
  - module: quayside.openshift_images.image_stream_info
notes:
  - The rights needed are C(list) of C(imagestreams) and of the workloads, and C(get) of C(imagestreams) and
    C(imagestreams/layers), all of which the role C(edit) has; C(get) of C(imagestreamimages) tells the platforms. The
    rule sets are in the collection's C(docs/rbac/image_prune_risk_info.yml).
  - The pruner looks at the workloads of all namespaces. If you give this module only some of them, it does not know of
    uses in the others, and may report a list as at risk that a workload in another namespace keeps.
  - There is one request for the children of each image stream that has a history. None is sent if no workload names or
    runs a digest.
"""

EXAMPLES = r"""
- name: See what pruning would take from the workloads of a namespace
  quayside.openshift_images.image_prune_risk_info:
    namespace: shop
  register: prune

- name: Say what to write instead
  ansible.builtin.debug:
    msg: "{{ item.why }} Use {{ item.safe_reference }}"
  loop: "{{ prune.risks | selectattr('at_risk') }}"
  loop_control:
    label: "{{ item.workload.kind }}/{{ item.workload.name }}"

- name: Keep the children whatever the workloads name, with a tag for each
  quayside.openshift_images.image_stream_import:
    streams: "{{ prune.protection }}"
    refresh: missing
  when: prune.protection | length > 0

- name: Stop before a pruner that keeps one revision for a day takes something away
  quayside.openshift_images.image_prune_risk_info:
    namespaces: [shop, shop-test]
    keep_tag_revisions: 1
    keep_younger_than_minutes: 1440
    results: at_risk
  register: strict
  failed_when: strict is failed or strict.summary.at_risk > 0 or not strict.summary.complete
"""

RETURN = r"""
risks:
  description:
    - The uses of children by digest, the most urgent first.
    - A controller, its replica sets and its pods that use the same image in the same container are one entry.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the workload.
      type: str
      sample: shop
    workload:
      description: What uses the child.
      type: dict
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
        container:
          description: Name of the container, or of the volume; for builds V(strategy) or V(source).
          type: str
          sample: web
        place:
          description: V(container), V(init), V(ephemeral), V(volume) or V(build).
          type: str
          sample: container
        owner:
          description: Kind and name of the object's controller, as V(Deployment/web); empty without one.
          type: str
          sample: ""
        followers:
          description: The other objects of the same controller with this use, as V(Pod/web-1).
          type: list
          elements: str
          sample: [Pod/web-5d9c7b6f4-x2v8q]
    image:
      description: The image as the object names it.
      type: str
      sample: "registry.example.com/team/web@sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
    image_id:
      description: The image that the node reports to run; empty for objects other than pods.
      type: str
      sample: ""
    found_in:
      description: V(image) if the object names the child; V(image_id) if only the node reports it.
      type: str
      sample: image
    child:
      description: Digest of the child.
      type: str
      sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
    platform:
      description: The child's operating system, architecture and variant, as V(linux/arm64); empty if it could not be
        read.
      type: str
      sample: linux/arm64
    parent:
      description: Digest of the manifest list.
      type: str
      sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
    stream_namespace:
      description: Namespace of the stream that keeps it.
      type: str
      sample: shop
    stream:
      description: Name of the stream that keeps it.
      type: str
      sample: web
    tag:
      description: The tag that keeps it, or will lose it.
      type: str
      sample: v1
    revision:
      description: The position in the tag's history; 1 is the newest.
      type: int
      sample: 4
    kept_by:
      description:
        - V(image_in_use) if a workload names the list itself, or an image of the history, by its digest.
        - V(pinned_tag) if the tag follows a digest, so that this stays its newest revision.
        - V(keep_tag_revisions) if it is one of the newest O(keep_tag_revisions).
        - V(tag_in_use) if it is the newest one of a tag that a workload names.
        - V(keep_younger_than) if only its age keeps it.
        - V(nothing) if the pruner takes it.
      type: str
      sample: nothing
    keepers:
      description: Every history item that holds the child where this workload gets it from, the most lasting first.
      type: list
      elements: dict
      contains:
        stream_namespace:
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
        revision:
          description: The position in the tag's history; 1 is the newest.
          type: int
          sample: 1
        image:
          description: Digest of the item, that of a list or of the child itself.
          type: str
          sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
        created:
          description: When the tag got this image.
          type: str
          sample: "2026-05-04T12:00:00Z"
        kept_by:
          description: As RV(risks[].kept_by).
          type: str
          sample: nothing
    level:
      description:
        - V(prunable) if the pruner's next run takes the child away.
        - V(young) if only its age keeps it yet.
        - V(revisions) if it goes when the tag has moved often enough.
        - V(elsewhere) if the workload pulls it from another registry, so that it does not depend on what the pruner
          deletes.
        - V(protected) if it is kept for good.
      type: str
      sample: prunable
    at_risk:
      description: Whether RV(risks[].level) is V(prunable).
      type: bool
      sample: true
    why:
      description: The explanation in one sentence.
      type: str
      sample: >-
        Deployment web, container web, names sha256:b5aa2c3f0e8b, a child of the list sha256:93d9ce11e5b1, which is
        revision 4 of shop/web:v1, beyond the 3 that are kept; the pruner does not see this use, and its next run takes
        the child away.
    safe_reference:
      description: What the workload can name instead, usually the list by its digest; the same as now if that is safe.
      type: str
      sample: "registry.example.com/team/web@sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
missing:
  description: Uses of digests that their stream no longer has, so that the next pull from the cluster's registry fails.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the workload.
      type: str
      sample: shop
    workload:
      description: As RV(risks[].workload).
      type: dict
      sample: {kind: Deployment, namespace: shop, name: web}
    image:
      description: The image as the object names it.
      type: str
      sample: "registry.example.com/team/web@sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
    digest:
      description: The digest in it.
      type: str
      sample: "sha256:4f7e6d5c4b3a29180f1e2d3c4b5a69788796a5b4c3d2e1f0a9b8c7d6e5f40312"
    stream_namespace:
      description: Namespace of the stream.
      type: str
      sample: shop
    stream:
      description: Name of the stream.
      type: str
      sample: web
    why:
      description: The explanation in one sentence.
      type: str
      sample: >-
        Deployment web, container web, names sha256:4f7e6d5c4b3a, which image stream shop/web holds no more, neither in
        its history nor as a child of a list in it.
protection:
  description:
    - The option O(quayside.openshift_images.image_stream_import#module:streams) that imports each child that the pruner
      may reach, by its digest, into a tag of its own in the same stream. Its name is V(keep-) with the beginning of the
      digest.
    - With O(results=at_risk), it contains only those at risk.
  returned: always
  type: list
  elements: dict
  sample:
    - namespace: shop
      name: web
      tags:
        - name: keep-b5aa2c3f0e8b
          from: registry.example.com/team/web@sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f
failed_namespaces:
  description: Namespaces in which something could not be read. Everything else is reported.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace; V(*) for a request over all namespaces.
      type: str
      sample: billing
    resources:
      description: What could not be read.
      type: list
      elements: str
      sample: [deployments]
    error:
      description: The first error.
      type: str
      sample: "deployments.apps is forbidden: User \"puller\" cannot list resource \"deployments\" in API group \"apps\"
        in the namespace \"billing\""
    status:
      description: Its HTTP status code.
      returned: if the API server answered
      type: int
      sample: 403
not_served:
  description: The kinds that this cluster does not serve.
  returned: always
  type: list
  elements: str
  sample: [deploymentconfigs]
summary:
  description: Counts, whether returned or not.
  returned: always
  type: dict
  contains:
    namespaces:
      description: Number of namespaces.
      type: int
      sample: 3
    workloads:
      description: Number of objects that were examined.
      type: int
      sample: 14
    image_streams:
      description: Number of image streams that were examined.
      type: int
      sample: 5
    manifest_lists:
      description: Number of different manifest lists in their histories.
      type: int
      sample: 3
    risks:
      description: Number of uses of children by digest.
      type: int
      sample: 2
    at_risk:
      description: Number of those that the next run of the pruner would remove.
      type: int
      sample: 1
    levels:
      description: Number of uses by RV(risks[].level).
      type: dict
      sample: {prunable: 1, protected: 1}
    missing:
      description: Number of entries of RV(missing).
      type: int
      sample: 0
    failed_namespaces:
      description: Number of entries of RV(failed_namespaces).
      type: int
      sample: 0
    complete:
      description: Whether everything could be read.
      type: bool
      sample: true
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.desired import prune_question
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.run import answer
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.kinds import WORKLOAD_KINDS


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    own = ArgumentSpec(
        {
            "namespace": {"type": "str"},
            "namespaces": {"type": "list", "elements": "str"},
            "kinds": {"type": "list", "elements": "str", "choices": [kind.kind for kind in WORKLOAD_KINDS]},
            "keep_tag_revisions": {"type": "int", "default": 3},
            "keep_younger_than_minutes": {"type": "int", "default": 60},
            "registry_hosts": {"type": "list", "elements": "str", "default": []},
            "results": {"type": "str", "choices": ["all", "at_risk"], "default": "all"},
            "concurrency": {"type": "int", "default": 8},
        },
        mutually_exclusive=[("namespace", "namespaces")],
    )
    return cluster_argument_spec().merge(own)


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, then the road of run.py."""
    question = prune_question(context.params)
    return answer(context.client(pool_size=question.concurrency), question)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

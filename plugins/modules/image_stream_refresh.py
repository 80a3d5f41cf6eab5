#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_stream_refresh
short_description: Import what was just pushed to a registry
version_added: 1.0.0
description:
  - Imports the tags of image streams that track an image that was pushed, seconds after the push instead of up to 15
    minutes later.
  - A push changes no specification. Only tags that are declared on the cluster are imported, and by default only
    scheduled ones, so that a forged notification can only cause an import earlier than the cluster itself would make
    it.
  - The streams are read once for all pushes of a task. A tag tracks a push if its source is the repository that was
    pushed to, by its own name, by another name of the same registry (O(registry_names)), or through a mirror of an
    ImageTagMirrorSet. A tag is never imported if its source names a digest, if it follows another tag, or if it is only
    a reference.
  - A tag that already has the pushed digest costs no request. Under V(Legacy), a tag holds one child of a manifest
    list, so only an import can tell.
  - The event filter C(quayside.openshift_images.registry_push) turns the notifications of registries into O(pushes).
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._options.timeout
  - quayside.openshift_images._options.label_selectors
attributes:
  check_mode:
    support: full
    details:
      - Looks up through the cluster what the registry serves now, and stores nothing.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - An image that a tag already has is not imported again, or the import changes nothing.
options:
  pushes:
    description:
      - What was pushed. The list may be empty; then nothing is done.
    type: list
    elements: dict
    required: true
    suboptions:
      registry:
        description:
          - The registry, as pull specs name it. If it is missing, the push counts for each of the registries in
            O(registry_names).
        type: str
      repository:
        description:
          - The repository, without registry and tag.
        type: str
        required: true
      tag:
        description:
          - The tag. If it is missing, all tags of the repository that the streams track are imported.
        type: str
      digest:
        description:
          - The digest that the tag has now; for a manifest list, that of the list. A tag that already has it is left
            alone.
        type: str
      at:
        description:
          - When it was pushed. Nothing depends on it; the event filter provides it.
        type: str
  registry_names:
    description:
      - Lists of names, one for each registry that has several, for example its service, its route, and a mirror that
        the cluster does not know. A name is a host, with a C(:port) and a C(/path) if it has them.
      - A push to one of the names counts for each of them.
    type: list
    elements: list
  namespaces:
    description:
      - Namespaces to look at. The default is the whole cluster, or all projects of the caller if it may not list the
        streams of the cluster.
    type: list
    elements: str
  only_scheduled:
    description:
      - Import only tags that the cluster imports periodically. V(false) also imports the others, which the cluster
        would not import by itself.
    type: bool
    default: true
  results:
    description:
      - V(changed) returns only streams and tags that changed or failed.
    type: str
    choices: [all, changed]
    default: all
seealso:
  - module: quayside.openshift_images.image_stream_import
  - name: Push
    description: Images imported seconds after a registry reports a push.
    link: https://github.com/quayside/openshift_images/blob/main/docs/push.md
notes:
  - The rights needed are C(list) of C(imagestreams) and C(create) of C(imagestreamimports); to follow mirrors, also
    C(list) of C(imagetagmirrorsets).
  - Pushes that nobody heard are made up for by the schedule of the cluster, or by
    M(quayside.openshift_images.image_stream_import).
"""

EXAMPLES = r"""
- name: Import what was pushed, in all namespaces
  quayside.openshift_images.image_stream_refresh:
    pushes:
      - registry: registry.example.com
        repository: team/web
        tag: v1
        digest: sha256:acdd9f49f9da14f17ef2250602581f2c975cddb8016acd26ad55681b12c8df1c

- name: Look at all tags of a repository, whose registry has three names
  quayside.openshift_images.image_stream_refresh:
    pushes:
      - registry: quay-quay.apps.example.com
        repository: team/web
    registry_names:
      - [quay.example.com, quay-quay.apps.example.com, "quay.quay.svc:443"]
    namespaces: [shop, shop-test]

- name: Import tags too that are not scheduled
  quayside.openshift_images.image_stream_refresh:
    pushes:
      - {registry: registry.example.com, repository: team/web, tag: v1}
    label_selectors: ["app.kubernetes.io/part-of=shop"]
    only_scheduled: false
"""

RETURN = r"""
streams:
  description:
    - The streams in the order in which they were declared, as they are after the run, or would be in check mode.
    - They are returned even if the task fails because tags could not be imported.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the stream.
      type: str
      sample: shop
    name:
      description: Name of the stream.
      type: str
      sample: web
    state:
      description: V(present); V(absent) if the stream was deleted meanwhile.
      type: str
      sample: present
    lookup_policy_local:
      description: Whether workloads of the namespace may name the stream's tags.
      type: bool
      sample: false
    changed:
      description: Whether the stream or one of its tags changed.
      type: bool
      sample: true
    gone_upstream:
      description: Always empty here.
      type: list
      elements: str
      sample: []
    error:
      description: What stopped the whole stream, for example missing rights.
      type: str
      sample: >-
        Unauthorized: you may not have access to the container image "registry.example.com:5000/team/web:v1" - The
        namespace shop has no credential for this image. Add one with the key registry.example.com:5000 (pull_secret).
    tags:
      description: The tags that track what was pushed.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the tag.
          type: str
          sample: v1
        state:
          description: V(present) or V(absent); V(unknown) if the registry could not be asked, with the reason in
            RV(streams[].tags[].error).
          type: str
          sample: present
        from:
          description: Pull spec of the external image.
          type: str
          sample: "registry.example.com:5000/team/web:v1"
        import_mode:
          description: V(Legacy) or V(PreserveOriginal).
          type: str
          sample: PreserveOriginal
        reference_policy:
          description: V(Source) or V(Local).
          type: str
          sample: Source
        scheduled:
          description: Whether the cluster imports the tag again periodically.
          type: bool
          sample: true
        insecure:
          description: Whether the registry may be asked without verified TLS.
          type: bool
          sample: false
        digest:
          description: Digest of the tag's newest image. Under V(PreserveOriginal), it is that of the list itself.
          type: str
          sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
        previous_digest:
          description: Digest of the tag's newest image before this run.
          type: str
          sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
        media_type:
          description: Media type of the image, if this run asked for it.
          type: str
          sample: "application/vnd.docker.distribution.manifest.list.v2+json"
        architecture:
          description: Architecture of a single image, if this run asked for it.
          type: str
          sample: amd64
        manifests:
          description: The children of a manifest list under V(PreserveOriginal), if this run asked for it.
          type: list
          elements: dict
          contains:
            os:
              description: Operating system.
              type: str
              sample: linux
            architecture:
              description: Architecture.
              type: str
              sample: arm64
            variant:
              description: Variant of the architecture.
              type: str
              sample: v8
            digest:
              description: Digest of the child.
              type: str
              sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
            size:
              description: Size of the child's manifest in bytes.
              type: int
              sample: 528
        changed:
          description: Whether the tag changed.
          type: bool
          sample: true
        reasons:
          description:
            - Why the tag was imported. V(pushed), with V(last_import_failed) or V(never_imported) if that was so.
          type: list
          elements: str
          sample: [pushed]
        error:
          description: Why the image could not be imported, and what to do about it.
          type: str
          sample: >-
            Unauthorized: you may not have access to the container image "registry.example.com:5000/team/web:v1" - The
            namespace shop has no credential for this image. Add one with the key registry.example.com:5000
            (pull_secret).
failed_tags:
  description: The tags that could not be imported.
  returned: always
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the stream.
      type: str
      sample: shop
    name:
      description: Name of the stream.
      type: str
      sample: web
    tag:
      description: Name of the tag.
      type: str
      sample: v1
    from:
      description: Pull spec of the external image.
      type: str
      sample: "registry.example.com:5000/team/web:v1"
    reason:
      description: The server's reason, for example V(Unauthorized) or V(NotFound).
      type: str
      sample: Unauthorized
    message:
      description: The server's message.
      type: str
      sample: "you may not have access to the container image \"registry.example.com:5000/team/web:v1\""
    remedy:
      description: What to do about it.
      type: str
      sample: "The namespace shop has no credential for this image. Add one with the key registry.example.com:5000
        (pull_secret)."
summary:
  description: Counts of streams and tags, whether returned or not.
  returned: always
  type: dict
  contains:
    streams:
      description: Number of streams.
      type: int
      sample: 3
    streams_changed:
      description: Number of streams that changed.
      type: int
      sample: 1
    tags:
      description: Number of tags.
      type: int
      sample: 12
    changed:
      description: Number of tags that changed.
      type: int
      sample: 1
    unknown:
      description: Number of tags whose registry could not be asked, so that their state is unknown.
      type: int
      sample: 0
    unchanged:
      description: Number of tags that neither changed nor failed.
      type: int
      sample: 10
    failed:
      description: Number of tags that could not be imported.
      type: int
      sample: 1
    reasons:
      description: Number of changed tags by reason.
      type: dict
      sample: {pushed: 1}
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.numbers import check_numbers
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.remedy_finder import RemedyFinder
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_refresh.desired import desired_refresh
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_refresh.run import refresh


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    push = {name: {"type": "str"} for name in ("registry", "tag", "digest", "at")}
    return cluster_argument_spec().merge(
        ArgumentSpec(
            {
                "pushes": {
                    "type": "list",
                    "elements": "dict",
                    "required": True,
                    "options": {**push, "repository": {"type": "str", "required": True}},
                },
                "registry_names": {"type": "list", "elements": "list"},
                "namespaces": {"type": "list", "elements": "str"},
                "label_selectors": {"type": "list", "elements": "str"},
                "only_scheduled": {"type": "bool", "default": True},
                "concurrency": {"type": "int", "default": 8},
                "timeout": {"type": "int", "default": 120},
                "results": {"type": "str", "choices": ["all", "changed"], "default": "all"},
            }
        )
    )


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    params = context.params
    wanted = desired_refresh(params)
    check_numbers(params, concurrency=1, timeout=1)
    client = context.client(pool_size=params["concurrency"])
    return refresh(
        client,
        wanted,
        RemedyFinder(client, context.mask).remedy,
        check_mode=context.check_mode,
        concurrency=params["concurrency"],
        timeout=params["timeout"],
        only_changed=params["results"] == "changed",
    )


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

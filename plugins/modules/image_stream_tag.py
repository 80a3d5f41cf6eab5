#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_stream_tag
short_description: Point a tag of an image stream to another tag, image or external image
version_added: 1.0.0
description:
  - C(oc tag), declarative. A tag that points where it should is left alone.
  - A copy of a tag is fixed to the image that its source has now. When the source moves, the copy differs from what is
    declared, and the next run, or check mode, shows that as V(upstream_moved). A copy of a tag that only refers to an
    external image refers to that image too.
  - An external image is imported; the module waits for the outcome and fails if the import fails.
  - Annotations of the tag stay, which C(oc tag) erases.
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._guides.from_oc_to_tasks
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  namespace:
    description:
      - Namespace of the stream.
    type: str
    required: true
  name:
    description:
      - The tag as V(stream:tag).
    type: str
    required: true
  from_kind:
    description:
      - V(ImageStreamTag), V(ImageStreamImage) or V(DockerImage), written exactly so.
      - When unset it is what C(oc tag) takes. V(DockerImage) if O(from) begins with a registry host,
        V(ImageStreamImage) if it holds a digest, V(ImageStreamTag) if it holds a tag, else V(DockerImage).
    type: str
  from:
    description:
      - What the tag points to. V(stream:tag) or V(namespace/stream:tag), V(stream@sha256:...), or a pull spec.
      - Required with O(state=present).
    type: str
  from_namespace:
    description:
      - Namespace of the stream in O(from), if it is another one.
    type: str
  alias:
    description:
      - Follow the tag in O(from) instead of copying its image. Works inside one stream only.
    type: bool
  reference:
    description:
      - Only refer to the external image and do not import it.
    type: bool
  scheduled:
    description:
      - Import the external image periodically. If unset, the tag keeps its setting.
    type: bool
  insecure:
    description:
      - Allow plain HTTP and certificates that cannot be verified for the external image, also if it is only referred
        to. If unset, the tag keeps its setting.
    type: bool
  import_mode:
    description:
      - V(Legacy) or V(PreserveOriginal), written exactly so, for the external image. If unset, the tag keeps its
        setting.
    type: str
  reference_policy:
    description:
      - V(Source) or V(Local), written exactly so. If unset, the tag keeps its setting.
    type: str
  take_over:
    description:
      - Change the tag even if somebody else reconciles the stream, such as Argo CD or the Cluster Samples Operator, who
        will undo the change. Otherwise such a stream is not changed, and the task fails with the owner's name.
      - A tag that is already as declared does not need it.
    type: bool
    default: false
    version_added: 1.0.0
  state:
    description:
      - V(absent) removes the tag and its history.
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description:
      - How long the API server may take for the import of an external image, in seconds.
    type: int
    default: 120
seealso:
  - module: quayside.openshift_images.image_stream_import
  - name: Owners and expiry
    description: Who else reconciles an object, and what happens then.
    link: https://github.com/quayside/openshift_images/blob/main/docs/owners.md
notes:
  - The rights needed are C(get), C(patch) and C(create) of C(imagestreams) in O(namespace), C(get) of C(imagestreams)
    and of C(imagestreams/layers) in O(from_namespace), C(delete) of C(imagestreamtags) for O(state=absent), and for
    external images those of M(quayside.openshift_images.image_stream_import).
"""

EXAMPLES = r"""
- name: Promote what was tested, as a copy that does not move by itself
  quayside.openshift_images.image_stream_tag:
    namespace: shop
    name: web:production
    from_kind: ImageStreamTag
    from: web:v1

- name: Let latest follow v1
  quayside.openshift_images.image_stream_tag:
    namespace: shop
    name: web:latest
    from_kind: ImageStreamTag
    from: web:v1
    alias: true

- name: Track an external image with all its platforms
  quayside.openshift_images.image_stream_tag:
    namespace: shop
    name: api:v1
    from_kind: DockerImage
    from: registry.example.com:5000/team/api:v1
    import_mode: PreserveOriginal
    scheduled: true

- name: Refer to an external image without importing it
  quayside.openshift_images.image_stream_tag:
    namespace: shop
    name: web:outside
    from: registry.example.com:5000/team/web:v2
    reference: true

- name: Remove a tag and its history
  quayside.openshift_images.image_stream_tag:
    namespace: shop
    name: api:v1
    state: absent
"""

RETURN = r"""
tag:
  description: The tag as it is after the run, or would be in check mode.
  returned: always
  type: dict
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
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
    from_kind:
      description: What kind of source the tag has.
      type: str
      sample: DockerImage
    from:
      description: The source as the cluster records it. A copy of a tag is recorded as the image that the source had.
      type: str
      sample: "registry.example.com:5000/team/web:v1"
    from_namespace:
      description: Namespace of the source, if the cluster records one.
      type: str
      sample: shop
    reference:
      description: Whether the tag only refers to its source.
      type: bool
      sample: false
    import_mode:
      description:
        - V(Legacy) or V(PreserveOriginal). Null for a tag that this run creates without importing it, and for which
          none is declared.
      type: str
      sample: PreserveOriginal
    reference_policy:
      description: V(Source) or V(Local).
      type: str
      sample: Source
    scheduled:
      description: Whether the cluster imports the tag periodically.
      type: bool
      sample: true
    insecure:
      description: Whether the registry may be asked without verified TLS.
      type: bool
      sample: false
    digest:
      description: Digest of the tag's newest image.
      type: str
      sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
    previous_digest:
      description: Digest before this run.
      type: str
      sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
    media_type:
      description: Media type of an external image, if this run asked for it.
      type: str
      sample: "application/vnd.docker.distribution.manifest.list.v2+json"
      returned: for external images
    manifests:
      description: Children of a manifest list, if this run asked for it, as
        M(quayside.openshift_images.image_stream_import) returns them.
      type: list
      elements: dict
      sample:
        - os: linux
          architecture: arm64
          variant: v8
          digest: sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f
          size: 528
      returned: for external images
    changed:
      description: Whether the tag changed.
      type: bool
      sample: true
    reasons:
      description:
        - Why the tag had to change, as M(quayside.openshift_images.image_stream_import) names it; V(reference_changed)
          too.
      type: list
      elements: str
      sample: [scheduled_changed]
    managed_by:
      description: Who else reconciles the stream, V(null) for nobody.
      type: str
      sample: the Argo CD application "shop"
    error:
      description: Why the external image could not be imported, and what to do about it.
      type: str
      sample: >-
        Unauthorized: you may not have access to the container image "registry.example.com:5000/team/web:v1" - The
        namespace shop has no credential for this image. Add one with the key registry.example.com:5000 (pull_secret).
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.numbers import check_numbers
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_tag.desired import desired_stream_tag
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_tag.run import run_stream_tag


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    return cluster_argument_spec().merge(
        ArgumentSpec(
            {
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "from_kind": {"type": "str"},
                "from": {"type": "str"},
                "from_namespace": {"type": "str"},
                "alias": {"type": "bool"},
                "reference": {"type": "bool"},
                "scheduled": {"type": "bool"},
                "insecure": {"type": "bool"},
                "import_mode": {"type": "str"},
                "reference_policy": {"type": "str"},
                "take_over": {"type": "bool", "default": False},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "timeout": {"type": "int", "default": 120},
            }
        )
    )


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    params = context.params
    desired = desired_stream_tag(params)
    check_numbers(params, timeout=1)
    policies = {option: params[option] for option in ("scheduled", "insecure", "import_mode", "reference_policy")}
    return run_stream_tag(
        context.client(), desired, policies, context.mask, check_mode=context.check_mode, timeout=params["timeout"]
    )


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

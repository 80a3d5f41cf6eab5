#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_stream_info
short_description: Describe image streams, and what their registries serve now
version_added: 1.0.0
description:
  - Reads image streams with their tags, histories, conditions and policies.
  - Also returns each stream as input for M(quayside.openshift_images.image_stream_import), so that you can adopt a
    cluster that was set up by other means. Importing it back changes nothing.
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.info_module
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._options.timeout
  - quayside.openshift_images._options.label_selectors
  - quayside.openshift_images._guides.drift
  - quayside.openshift_images._guides.from_oc_to_tasks
options:
  namespace:
    description:
      - Namespace to read. Without O(namespace) and O(namespaces) the streams of the whole cluster are read.
    type: str
  namespaces:
    description:
      - Namespaces to read.
    type: list
    elements: str
  name:
    description:
      - Name of the stream. Without O(name) and O(names) all streams are described.
    type: str
  names:
    description:
      - Names of streams.
    type: list
    elements: str
  upstream:
    description:
      - Also ask the registries, through the cluster, what they serve now for each tag that tracks an external image.
        This stores nothing, and needs the right to C(create) C(imagestreamimports).
    type: bool
    default: false
  manifests:
    description:
      - Also read the image of each tag from the cluster, for its media type and the platforms of a manifest list. This
        asks no registry. It costs one request for each different image, and needs the right to C(get)
        C(imagestreamimages).
    type: bool
    default: false
seealso:
  - module: quayside.openshift_images.image_stream_import
notes:
  - The rights needed are C(list) of C(imagestreams), or C(get) if one stream of one namespace is named.
"""

EXAMPLES = r"""
- name: Describe the streams of two namespaces
  quayside.openshift_images.image_stream_info:
    namespaces: [shop, shop-test]
  register: images

- name: See which platforms the images have that were imported
  quayside.openshift_images.image_stream_info:
    namespace: shop
    name: web
    manifests: true

- name: See which tags moved in their registries
  quayside.openshift_images.image_stream_info:
    namespace: shop
    upstream: true
  register: images

- name: Say so
  ansible.builtin.debug:
    msg: "{{ images.streams | map(attribute='tags') | flatten | selectattr('upstream.moved') | map(attribute='name') |
    list }}"

- name: Take the streams of a namespace into another cluster's variables
  quayside.openshift_images.image_stream_info:
    namespace: shop
    label_selectors: ["app.kubernetes.io/part-of=shop"]
  register: adopted

- name: Importing them back changes nothing
  quayside.openshift_images.image_stream_import:
    streams: "{{ adopted.as_variables }}"
    refresh: missing
  when: adopted.as_variables | length > 0
"""

RETURN = r"""
streams:
  description: The streams, in order of namespace and name.
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
      description: V(present).
      type: str
      sample: present
    managed_by:
      description: Who else reconciles the stream, V(null) if nobody is known to.
      type: str
      sample: null
    generation:
      description: The stream's generation; each change of a tag raises it.
      type: int
      sample: 4
    resource_version:
      description: The stream's resource version; each write changes it.
      type: str
      sample: "184467"
    labels:
      description: Labels of the stream.
      type: dict
      sample: {app.kubernetes.io/part-of: shop}
    annotations:
      description: Annotations of the stream.
      type: dict
      sample: {openshift.io/image.dockerRepositoryCheck: '2026-05-04T12:00:00Z'}
    lookup_policy_local:
      description: Whether workloads of the namespace may name the stream's tags as if they were images.
      type: bool
      sample: false
    changed:
      description: V(false), because nothing is changed.
      type: bool
      sample: false
    image_repository:
      description: The stream's repository in the cluster's own registry, if it has one.
      type: str
      sample: "image-registry.openshift-image-registry.svc:5000/shop/web"
    tags:
      description: The tags, including those that are only left in the history.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the tag.
          type: str
          sample: v1
        in_spec:
          description: V(false) for a tag that was removed and whose history is still there.
          type: bool
          sample: true
        from:
          description: What the tag tracks, a pull spec if RV(streams[].tags[].from_kind) is V(DockerImage).
          type: str
          sample: "registry.example.com:5000/team/web:v1"
        from_kind:
          description: V(DockerImage), V(ImageStreamTag) or V(ImageStreamImage).
          type: str
          sample: DockerImage
        from_namespace:
          description: Namespace of the tag or image that is followed.
          type: str
          sample: shop
        reference:
          description: Whether the tag only refers to its source and is not imported.
          type: bool
          sample: false
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
        prefer_architecture:
          description: Architecture that V(Legacy) takes from a manifest list.
          type: str
          sample: arm64
        prefer_os:
          description: Operating system that V(Legacy) takes from a manifest list.
          type: str
          sample: linux
        generation:
          description: Generation of the tag's specification.
          type: int
          sample: 4
        pending:
          description: Whether the specification is ahead of the newest image.
          type: bool
          sample: false
        digest:
          description: Digest of the newest image.
          type: str
          sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
        previous_digest:
          description: Digest of the image before it in the history.
          type: str
          sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
        media_type:
          description: Media type of the newest image, with O(manifests=true), or with O(upstream=true) if it did not
            move.
          type: str
          sample: "application/vnd.docker.distribution.manifest.list.v2+json"
        architecture:
          description: Architecture of the newest image if that is a single one, with O(manifests=true), or with
            O(upstream=true) if it did not move.
          type: str
          sample: amd64
        manifests:
          description:
            - Children of the newest image if that is a manifest list, each with C(os), C(architecture), C(variant),
              C(digest), C(size). Known if RV(streams[].tags[].media_type) is.
          type: list
          elements: dict
          sample:
            - os: linux
              architecture: arm64
              variant: v8
              digest: sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f
              size: 528
        changed:
          description: V(false), because nothing is changed.
          type: bool
          sample: false
        reasons:
          description: Why M(quayside.openshift_images.image_stream_import) would change the tag, with O(upstream=true).
          type: list
          elements: str
          sample: [upstream_moved]
        history:
          description: The tag's images, newest first, each with C(digest), C(image), C(created) and C(generation).
          type: list
          elements: dict
          sample:
            - digest: sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51
              image: quay.io/team/web@sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51
              created: '2026-05-04T12:00:00Z'
              generation: 4
        conditions:
          description: Conditions of the tag, each with C(type), C(status), C(reason), C(message),
            C(last_transition_time), C(generation).
          type: list
          elements: dict
          sample:
            - type: ImportSuccess
              status: 'False'
              reason: NotFound
              message: dockerimage.image.openshift.io "registry.example.com:5000/team/web:v1" not found
              last_transition_time: '2026-05-04T12:00:00Z'
              generation: 4
        error:
          description: Why the last import failed.
          type: str
          sample: >-
            Unauthorized: you may not have access to the container image "registry.example.com:5000/team/web:v1" - The
            namespace shop has no credential for this image. Add one with the key registry.example.com:5000
            (pull_secret).
        upstream:
          description: What the registry serves now. Only for tags that track an external image, with O(upstream=true).
          returned: with O(upstream=true)
          type: dict
          contains:
            digest:
              description: Digest that an import would bring; the list's under V(PreserveOriginal), one child's under
                V(Legacy).
              type: str
              sample: "sha256:4f7e6d5c4b3a29180f1e2d3c4b5a69788796a5b4c3d2e1f0a9b8c7d6e5f40312"
            media_type:
              description: Media type of that image.
              type: str
              sample: "application/vnd.docker.distribution.manifest.list.v2+json"
            architecture:
              description: Architecture of that image if it is a single one.
              type: str
              sample: amd64
            manifests:
              description: Children of the list under V(PreserveOriginal), each with C(os), C(architecture), C(variant),
                C(digest), C(size).
              type: list
              elements: dict
              sample:
                - os: linux
                  architecture: arm64
                  variant: v8
                  digest: sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f
                  size: 528
            moved:
              description: Whether the registry serves another image than the tag has.
              type: bool
              sample: true
            error:
              description: Why the registry could not be asked, and what to do about it.
              type: str
              sample: >-
                Unauthorized: you may not have access to the container image "registry.example.com:5000/team/web:v1" -
                The namespace shop has no credential for this image. Add one with the key registry.example.com:5000
                (pull_secret).
    as_variables:
      description:
        - The stream as an entry of C(streams) of M(quayside.openshift_images.image_stream_import).
        - V(null) for a stream that cannot be declared; RV(streams[].not_in_variables) says why.
      type: dict
      sample: {namespace: shop, name: web, tags: [{name: v1, from: 'registry.example.com:5000/team/web:v1'}]}
    not_in_variables:
      description:
        - Tags that are not in C(as_variables), each with C(tag) and C(reason).
        - One reason is a value that M(quayside.openshift_images.image_stream_import) refuses. Without C(tag), the entry
          is about the whole stream.
      type: list
      elements: dict
      sample: [{tag: old, reason: It was removed from the specification.}]
as_variables:
  description:
    - The streams as C(streams) of M(quayside.openshift_images.image_stream_import), or C(image_streams_desired) of the
      role, without those that cannot be declared.
  returned: always
  type: list
  elements: dict
  sample: [{namespace: shop, name: web, tags: [{name: v1, from: 'registry.example.com:5000/team/web:v1'}]}]
failed_namespaces:
  description: Namespaces that could not be read, each with C(namespace) and C(error). The task fails, and returns the
    streams of the others.
  returned: always
  type: list
  elements: dict
  sample: [{namespace: billing, error: imagestreams.image.openshift.io is forbidden}]
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.numbers import check_numbers
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.info import (
    info_report,
    selection,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import find
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.remedy_finder import RemedyFinder
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    return cluster_argument_spec().merge(
        ArgumentSpec(
            {
                "namespace": {"type": "str"},
                "namespaces": {"type": "list", "elements": "str"},
                "name": {"type": "str"},
                "names": {"type": "list", "elements": "str"},
                "label_selectors": {"type": "list", "elements": "str"},
                "upstream": {"type": "bool", "default": False},
                "manifests": {"type": "bool", "default": False},
                "concurrency": {"type": "int", "default": 8},
                "timeout": {"type": "int", "default": 120},
            },
            mutually_exclusive=[("namespace", "namespaces"), ("name", "names")],
        )
    )


def work(context: ModuleContext) -> Report:
    """Take the road: options, observed, report."""
    params = context.params
    wanted = selection(params)
    check_numbers(params, concurrency=1, timeout=1)
    client = context.client(pool_size=params["concurrency"])
    found = find(client, wanted, params["concurrency"])
    remedy = RemedyFinder(client, context.mask).remedy if params["upstream"] else None
    return info_report(
        client,
        found,
        remedy,
        with_images=params["manifests"],
        concurrency=params["concurrency"],
        timeout=params["timeout"],
    )


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

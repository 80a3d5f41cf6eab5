#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_image_info
short_description: Describe images as their registries serve them
version_added: 1.0.0
description:
  - Reads manifests, manifest lists and image indexes, labels and tag lists from container registries, on the host where
    the module runs. No cluster is involved unless O(namespace) is given.
  - Says which child of a list an import with the mode V(Legacy) would take, and by which rule.
  - If one registry refuses, the others are still read. The task fails after that.
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.info_module
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._guides.multi_arch
  - quayside.openshift_images._guides.private_registries
options:
  images:
    description:
      - Pull specs of images, by tag or by digest. The default tag is V(latest).
    type: list
    elements: str
    aliases: [image]
  tags:
    description:
      - Also list all tags of each image's repository.
    type: bool
    default: false
  repositories:
    description:
      - Repositories, without tag or digest, whose tags are listed. No image is read for them.
    type: list
    elements: str
  registries:
    description:
      - Credentials of registries, and how to reach these.
      - An entry here takes precedence over one for the same registry in O(auth_file) or O(auth_content).
    type: list
    elements: dict
    suboptions:
      registry:
        description:
          - The registry as images write it, host[:port][/path]. The rules are those of the cluster. The longest one
            that an image begins with is used, C(*) stands for a part of the host between dots, and the port is compared
            as text.
        type: str
        required: true
      username:
        description:
          - The user name, together with O(registries[].password).
        type: str
      password:
        description:
          - The password or token.
        type: str
      auth:
        description:
          - User name and password as auth files have them, the base64 of C(user:password).
        type: str
      identity_token:
        description:
          - An identity (refresh) token, as C(docker login) stores it for some registries.
        type: str
      insecure:
        description:
          - Whether to accept any certificate, and plain HTTP if the registry does not speak TLS. If unset, O(insecure)
            counts.
        type: bool
      ca_cert:
        description:
          - Path of CA certificates to trust for this registry in addition to those of the system. If unset,
            O(registry_ca_cert) counts.
        type: path
  auth_file:
    description:
      - Path of a Docker C(config.json) or a Podman C(auth.json) on the host where the module runs.
    type: path
  auth_content:
    description:
      - The content of a Docker C(config.json) or a Podman C(auth.json), instead of O(auth_file). A mapping, its JSON
        text, or the base64 of that, as the C(data) of a secret has it.
    type: raw
  namespace:
    description:
      - A namespace of the cluster. Its pull secrets are used, as an import there would use them, for images for which
        neither O(registries) nor O(auth_file) has a credential.
    type: str
  insecure:
    description:
      - Whether to accept any certificate, and plain HTTP if a registry does not speak TLS.
    type: bool
    default: false
  registry_ca_cert:
    description:
      - Path of CA certificates to trust for registries, in addition to those of the system.
    type: path
  prefer_architecture:
    description:
      - The architecture that the tag of the stream prefers, for RV(images[].legacy_choice). It is
        O(quayside.openshift_images.image_stream_import#module:tags[].prefer_architecture) of an import.
    type: str
  prefer_os:
    description:
      - The operating system that the tag of the stream prefers.
    type: str
  control_plane_architecture:
    description:
      - The architecture of the cluster's control plane, for RV(images[].legacy_choice).
      - The default is that of the cluster if O(namespace) is given, otherwise V(amd64).
    type: str
  concurrency:
    description:
      - How many images are read at the same time.
    type: int
    default: 8
  timeout:
    description:
      - How long to wait for a registry to begin its answer, in seconds.
    type: int
    default: 30
seealso:
  - module: quayside.openshift_images.image_stream_import
  - module: quayside.openshift_images.image_stream_info
notes:
  - Without O(namespace), the options for cluster access are not used, and no rights in a cluster are needed. With it,
    C(list) of C(secrets) in the namespace is needed.
  - A rate-limited registry counts one pull for each image, and one more for a list.
  - The proxy variables of the environment are honoured.
"""

EXAMPLES = r"""
- name: What does this tag serve, and for which platforms
  quayside.openshift_images.registry_image_info:
    images: [registry.example.com:5000/team/web:v1]
    registries:
      - registry: registry.example.com:5000
        username: puller
        password: "{{ registry_password }}"
  register: web

- name: Say which child an import with the mode Legacy would take
  ansible.builtin.debug:
    msg: "{{ web.images[0].legacy_choice.digest }}: {{ web.images[0].legacy_choice.why }}"

- name: List the tags of a repository, with the credentials of an auth file
  quayside.openshift_images.registry_image_info:
    repositories: [registry.example.com:5000/team/web]
    auth_file: auth.json
  register: listed

- name: Read a registry that speaks plain HTTP
  quayside.openshift_images.registry_image_info:
    images: [plain.example.com:5000/team/plain:v1]
    insecure: true

- name: Read an image as an import in the namespace shop would, and what it would take for a tag that prefers arm64
  quayside.openshift_images.registry_image_info:
    image: registry.example.com:5000/team/web:v1
    namespace: shop
    prefer_architecture: arm64
  register: arm
"""

RETURN = r"""
images:
  description:
    - The images in the order of O(images).
    - They are returned even if the task fails because others could not be read.
  returned: always
  type: list
  elements: dict
  contains:
    image:
      description: The pull spec as it was given.
      type: str
      sample: "registry.example.com:5000/team/web:v1"
    digest:
      description: Digest of the manifest or list, computed from what the registry served.
      type: str
      sample: "sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51"
    media_type:
      description: Media type of the manifest or list.
      type: str
      sample: "application/vnd.docker.distribution.manifest.list.v2+json"
    size:
      description: Size of the manifest or list itself, in bytes.
      type: int
      sample: 1069
    platforms:
      description: The platforms as V(os/architecture[/variant]), of a list in its order.
      type: list
      elements: str
      sample: [linux/amd64, linux/arm64/v8]
    manifests:
      description: The children of a list in its order. Empty for a single image.
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
        media_type:
          description: Media type of the child.
          type: str
          sample: "application/vnd.docker.distribution.manifest.v2+json"
    os:
      description: Operating system of the image. For a list, this and the following values are those of the child in
        RV(images[].legacy_choice).
      type: str
      sample: linux
    architecture:
      description: Architecture of the image.
      type: str
      sample: arm64
    variant:
      description: Variant of the architecture.
      type: str
      sample: v8
    created:
      description: When the image was built, as the image itself says.
      type: str
      sample: "2026-05-04T12:00:00Z"
    labels:
      description: Labels of the image.
      type: dict
      sample: {org.opencontainers.image.title: web}
    layers:
      description: Number of layers.
      type: int
      sample: 5
    layers_size:
      description: Size of all layers as they are pulled, in bytes.
      type: int
      sample: 31457280
    tags:
      description: All tags of the repository, with O(tags=true).
      type: list
      elements: str
      sample: [v1, v2]
    legacy_choice:
      description: The child of a list that an import with the mode V(Legacy) would take. Null for a single image.
      type: dict
      contains:
        digest:
          description: Digest of the child.
          type: str
          sample: "sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f"
        os:
          description: Operating system of the child.
          type: str
          sample: linux
        architecture:
          description: Architecture of the child.
          type: str
          sample: amd64
        variant:
          description: Variant of the architecture.
          type: str
          sample: ""
        rule:
          description:
            - The rule that decides. V(tag_annotation), V(control_plane_architecture), V(linux_amd64) or V(first_entry).
          type: str
          sample: linux_amd64
        why:
          description: The same in a sentence.
          type: str
          sample: The list has an image for linux/amd64.
    credential:
      description: The credential with which the registry was asked, without its password. Null if none matched.
      type: dict
      contains:
        source:
          description: The option or secret that it came from.
          type: str
          sample: the option registries
        key:
          description: The key that matched, as it is written there.
          type: str
          sample: "registry.example.com:5000"
        username:
          description: The user name.
          type: str
          sample: puller
    error:
      description: What could not be read, who refused it, and what to do.
      type: str
      sample: "registry.example.com:5000 refused the user name and password (HTTP 401)."
repositories:
  description: The repositories in the order of O(repositories).
  returned: always
  type: list
  elements: dict
  contains:
    repository:
      description: The repository as it was given.
      type: str
      sample: "registry.example.com:5000/team/web"
    tags:
      description: All its tags, in the registry's order.
      type: list
      elements: str
      sample: [v1, v2]
    credential:
      description: As RV(images[].credential).
      type: dict
      sample: {source: the option registries, key: 'registry.example.com:5000', username: puller}
    error:
      description: Why they could not be read.
      type: str
      sample: "registry.example.com:5000 has no repository team/web (HTTP 404)."
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import registry_logins
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.desired import registry_question
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.run import answer


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    own = ArgumentSpec(
        {
            "images": {"type": "list", "elements": "str", "aliases": ["image"]},
            "tags": {"type": "bool", "default": False},
            "repositories": {"type": "list", "elements": "str"},
            "registries": registry_logins(insecure={"type": "bool"}, ca_cert={"type": "path"}),
            "auth_file": {"type": "path"},
            "auth_content": {"type": "raw", "no_log": True},
            "namespace": {"type": "str"},
            "insecure": {"type": "bool", "default": False},
            "registry_ca_cert": {"type": "path"},
            "prefer_architecture": {"type": "str"},
            "prefer_os": {"type": "str"},
            "control_plane_architecture": {"type": "str"},
            "concurrency": {"type": "int", "default": 8},
            "timeout": {"type": "int", "default": 30},
        },
        mutually_exclusive=[("auth_file", "auth_content")],
        required_one_of=[("images", "repositories")],
    )
    return own.merge(cluster_argument_spec())


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, then the road of run.py."""
    question = registry_question(context.params)
    context.mask(*question.credentials.secrets())
    return answer(context.client() if question.namespace else None, question, context.mask)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

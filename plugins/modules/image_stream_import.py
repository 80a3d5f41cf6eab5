#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_stream_import
short_description: Import external images into OpenShift image streams
version_added: 1.0.0
description:
  - Makes image streams track external images as declared, imports them, and reports the result for each tag.
  - The module reads what the cluster has, finds out what the registry serves when that matters, and writes only what
    differs. A second run writes nothing.
  - What is not declared is kept. An import by other means resets a tag's import mode, O(scheduled) and O(insecure) if
    they are left out. This module always sends the complete policy.
  - Replaces C(oc import-image), C(oc tag) for external images and C(oc set image-lookup).
author:
  - quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._options.timeout
  - quayside.openshift_images._options.pending_credentials
  - quayside.openshift_images._guides.from_oc_to_tasks
  - quayside.openshift_images._guides.multi_arch
  - quayside.openshift_images._guides.private_registries
attributes:
  check_mode:
    support: full
    details:
      - Images that would be imported are looked up in their registries through the cluster, which stores nothing. So
        check mode predicts the digests and failures of the run.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - With O(refresh=always), every run asks for the images, but RV(streams[].changed) is V(true) only if something
        changed.
options:
  namespace:
    description:
      - Namespace of the stream, or of each entry of O(streams) that names none.
    type: str
  name:
    description:
      - Name of the image stream. Give either this or O(streams).
    type: str
  tags:
    description:
      - The tags of the stream O(name). Tags of the stream that are not listed stay as they are unless
        O(purge_tags=true).
    type: list
    elements: dict
    suboptions: &tag_options
      name:
        description:
          - Name of the tag in the stream.
        type: str
        required: true
      from:
        description:
          - Pull spec of the external image, by tag or by digest.
        type: str
        required: true
      import_mode:
        description:
          - V(Legacy) imports one image of a manifest list, V(PreserveOriginal) the list itself with all its platforms.
            Upper and lower case count.
          - If unset, the tag keeps its mode. A new tag gets the default of the cluster.
        type: str
      reference_policy:
        description:
          - V(Source) lets workloads pull from the external registry, V(Local) through the cluster's own registry. Upper
            and lower case count.
          - If unset, the tag keeps its policy. A new tag gets V(Source).
        type: str
      scheduled:
        description:
          - Whether the cluster imports the tag again periodically. V(false) really turns it off. If unset, the tag
            keeps its setting.
        type: bool
      insecure:
        description:
          - Whether the registry may be asked over plain HTTP or with a certificate that cannot be verified. V(false)
            really turns it off. If unset, the tag keeps its setting. A new tag gets V(false).
        type: bool
      prefer_architecture:
        description:
          - Architecture that V(Legacy) takes from a manifest list, for example V(arm64). An empty string removes the
            preference.
          - It is recorded on the tag before the import, so that scheduled imports take the same one.
        type: str
      prefer_os:
        description:
          - Operating system that V(Legacy) takes from a manifest list. An empty string removes the preference.
        type: str
  repository:
    description:
      - Import every tag of this repository instead of O(tags), also beyond the 50 tags that the server imports at once.
      - Give it without tag or digest.
      - If the module can reach the registry and trusts its certificate, it reads the list of tags itself. It uses the
        credential of O(registries) or O(auth_file); otherwise the one that the cluster would use, if it may C(list)
        C(secrets) in the namespace; otherwise none. If it cannot read the list, the cluster lists the tags, which takes
        about half a minute for many tags. RV(streams[].tags_from) says who did it.
      - Certificates are verified with the CAs of the system, those of O(registry_ca_cert), and those of the file in
        E(REQUESTS_CA_BUNDLE).
    type: str
  tag_patterns:
    description:
      - Globs that select tags of O(repository), for example V(v1.*); C(*) stands for any characters. Without globs, all
        tags are taken.
      - If no tag of the repository matches, the stream fails, and nothing is imported or removed.
      - >-
          A glob after C(!) excludes tags: V(!sha256-*), for example, excludes the signatures of images. Put globs in
          quotes.
      - If the list comes from the registry, the images of other tags are not read.
    type: list
    elements: str
  import_mode:
    description:
      - V(Legacy) or V(PreserveOriginal); upper and lower case count. Default of O(tags[].import_mode) for all tags of
        the task.
    type: str
  reference_policy:
    description:
      - V(Source) or V(Local); upper and lower case count. Default of O(tags[].reference_policy) for all tags of the
        task.
    type: str
  scheduled:
    description:
      - Default of O(tags[].scheduled) for all tags of the task.
    type: bool
  insecure:
    description:
      - Default of O(tags[].insecure) for all tags of the task.
    type: bool
  prefer_architecture:
    description:
      - Default of O(tags[].prefer_architecture) for all tags of the task.
    type: str
  prefer_os:
    description:
      - Default of O(tags[].prefer_os) for all tags of the task.
    type: str
  lookup_policy_local:
    description:
      - Whether workloads of the namespace may name the stream's tags as if they were images. If unset, the stream keeps
        its setting.
    type: bool
  purge_tags:
    description:
      - Remove tags that track an external image and are not listed, with their history. Tags that follow other tags
        stay.
      - With O(repository), nothing is removed if one of O(tag_patterns) matches no tag, or if more would be removed
        than O(purge_limit) allows.
    type: bool
    default: false
  purge_limit:
    description:
      - How many tags O(purge_tags) may remove from one stream whose tags come from a O(repository). If there are more,
        the stream fails, nothing is removed, and the message names the tags.
      - The default is half of the stream's tags, but at least 4.
    type: int
  take_over:
    description:
      - Change the spec of streams even if somebody else reconciles them, such as Argo CD, Flux or the Cluster Samples
        Operator, who will undo the change.
      - Otherwise such a stream is not changed, and fails with the owner's name, which RV(streams[].managed_by)
        contains, too. Importing again what its tags already follow does not change the spec, and is done.
      - The guide on owners lists the marks that are known, and the owners about which there is only a warning. The
        default is V(false).
    type: bool
    version_added: 1.0.0
  refresh:
    description:
      - V(missing) imports what is new, changed or failed, and makes no registry call for the rest.
      - V(drifted) also asks what the registry serves now, and imports what moved.
      - V(always) imports each tag.
    type: str
    choices: [missing, drifted, always]
    default: drifted
  state:
    description:
      - V(absent) deletes the stream with all its tags.
    type: str
    choices: [present, absent]
    default: present
  streams:
    description:
      - Several streams in one task, which is much faster than a loop. Each entry takes the options of a single stream.
        What it leaves out comes from the task.
    type: list
    elements: dict
    suboptions:
      namespace:
        description:
          - Namespace of the stream.
        type: str
      name:
        description:
          - Name of the image stream.
        type: str
        required: true
      tags:
        description:
          - The tags of the stream.
        type: list
        elements: dict
        suboptions: *tag_options
      repository:
        description:
          - As O(repository).
        type: str
      tag_patterns:
        description:
          - As O(tag_patterns).
        type: list
        elements: str
      import_mode:
        description:
          - Default for the tags of this stream.
        type: str
      reference_policy:
        description:
          - Default for the tags of this stream.
        type: str
      scheduled:
        description:
          - Default for the tags of this stream.
        type: bool
      insecure:
        description:
          - Default for the tags of this stream.
        type: bool
      prefer_architecture:
        description:
          - Default for the tags of this stream.
        type: str
      prefer_os:
        description:
          - Default for the tags of this stream.
        type: str
      lookup_policy_local:
        description:
          - As O(lookup_policy_local).
        type: bool
      purge_tags:
        description:
          - As O(purge_tags).
        type: bool
      purge_limit:
        description:
          - As O(purge_limit).
        type: int
      take_over:
        description:
          - As O(take_over).
        type: bool
        version_added: 1.0.0
      refresh:
        description:
          - As O(refresh).
        type: str
        choices: [missing, drifted, always]
      state:
        description:
          - As O(state).
        type: str
        choices: [present, absent]
  registries:
    description:
      - Credentials with which the module lists the tags of O(repository). Imports use only the secrets of the
        namespace, which M(quayside.openshift_images.pull_secret) manages.
    type: list
    elements: dict
    suboptions:
      registry:
        description:
          - The registry as images write it, host[:port][/path]. The longest one with which an image begins is used.
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
      ca_cert:
        description:
          - Path of CA certificates to trust for this registry in addition to those of the system. If unset,
            O(registry_ca_cert) counts.
        type: path
  auth_file:
    description:
      - Path of a Docker C(config.json) or a Podman C(auth.json) on the host where the module runs, with credentials
        with which the module lists the tags of O(repository). O(registries) takes precedence.
    type: path
  registry_ca_cert:
    description:
      - Path of CA certificates to trust for registries, in addition to those of the system, if the module lists tags
        itself.
    type: path
  results:
    description:
      - V(changed) returns only streams and tags that changed or failed, V(all) returns all. RV(summary) always counts
        all.
      - If unset, all are returned. If the task fails, only what changed or failed is returned, so that the message is
        not lost among the rest.
    type: str
    choices: [all, changed]
seealso:
  - module: quayside.openshift_images.pull_secret
  - module: quayside.openshift_images.sa_secret_link
  - name: Getting started
    description: From a clone to a corrected drift, on an emulated cluster.
    link: https://github.com/quayside/openshift_images/blob/main/docs/getting-started.md
notes:
  - A task shows nothing until all its streams are done. For many streams, the role
    P(quayside.openshift_images.image_streams#role) runs them in batches and shows the progress.
  - One stream has one writer at a time, whatever O(concurrency) is.
  - The rights needed are C(get) and C(list) of C(imagestreams), and C(create) of C(imagestreamimports), which check
    mode needs, too; also C(patch) and C(create) of C(imagestreams) if reference policy, preference, lookup policy,
    O(scheduled) or O(insecure) of a tag change without an import, C(patch) of C(imagestreams) and C(delete) of
    C(imagestreamtags) for O(purge_tags), and C(delete) of C(imagestreams) for O(state=absent). With C(list) of
    C(secrets), the module explains a refused credential, and lists the tags of a private O(repository) faster.
"""

EXAMPLES = r"""
- name: Import two tags of an application, the second with all its platforms
  quayside.openshift_images.image_stream_import:
    namespace: shop
    name: web
    tags:
      - name: stable
        from: registry.example.com:5000/team/web:v1
      - name: next
        from: registry.example.com:5000/team/web:v2
        import_mode: PreserveOriginal
        scheduled: true

- name: Import many streams in one task, and only what is new, changed or failed
  quayside.openshift_images.image_stream_import:
    namespace: shop
    refresh: missing
    import_mode: PreserveOriginal
    streams:
      - name: api
        lookup_policy_local: true
        tags:
          - name: v1
            from: registry.example.com:5000/team/api:v1
      - name: plain
        insecure: true
        tags:
          - name: v1
            from: plain.example.com:5000/team/plain:v1

- name: Import every v1 release of a repository, and remove the tags that are no longer there
  quayside.openshift_images.image_stream_import:
    namespace: shop
    name: web-releases
    repository: registry.example.com:5000/team/web
    tag_patterns: ["v1.*"]
    purge_tags: true
    registries:
      - registry: registry.example.com:5000
        username: puller
        password: "{{ registry_password }}"

- name: Take the arm64 child of a manifest list
  quayside.openshift_images.image_stream_import:
    namespace: shop
    name: web-arm
    tags:
      - name: v1
        from: registry.example.com:5000/team/web:v1
        import_mode: Legacy
        prefer_architecture: arm64

- name: Remove a stream
  quayside.openshift_images.image_stream_import:
    namespace: shop
    name: web-arm
    state: absent
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
      description: V(present) or V(absent); V(unknown) if the stream could not be read.
      type: str
      sample: present
    managed_by:
      description: Who else reconciles the stream, V(null) if nobody is known to.
      type: str
      sample: null
    lookup_policy_local:
      description: Whether workloads of the namespace may name the stream's tags.
      type: bool
      sample: false
    changed:
      description: Whether the stream or one of its tags changed.
      type: bool
      sample: true
    gone_upstream:
      description: Tags of the stream that its O(repository) no longer has. They are removed only with O(purge_tags).
      type: list
      elements: str
      sample: [v0]
    tags_from:
      description: >-
        How the tags of O(repository) were listed: from the V(registry) itself, or by the API V(server).
      returned: for a stream with O(repository)
      type: str
      sample: registry
    tags_from_reason:
      description:
        - Why the module could not read the registry itself, or, in check mode, why its tags are not known yet. This is
          not a failure.
      returned: for a stream with O(repository)
      type: str
      sample: ""
    error:
      description: What stopped the whole stream, for example missing rights.
      type: str
      sample: "imagestreams.image.openshift.io \"web\" is forbidden"
    tags:
      description: The declared tags, and those that were removed.
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
            - Why the tag had to change. Any of V(stream_missing), V(tag_missing), V(source_changed),
              V(import_mode_changed), V(reference_policy_changed), V(scheduled_changed), V(insecure_changed),
              V(preference_changed), V(upstream_moved), V(last_import_failed), V(never_imported), V(forced),
              V(not_listed).
          type: list
          elements: str
          sample: [scheduled_changed]
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
      sample: {scheduled_changed: 1}
"""

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.numbers import check_numbers
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    desired_streams,
    pending_credentials,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.remedy_finder import RemedyFinder
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import (
    ONLY_CHANGED,
    stream_report,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import (
    converge_streams,
    reading_repositories,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import (
    pending_credentials_option,
    registry_logins,
    stream_options,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module

if t.TYPE_CHECKING:
    from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.sources import (
        OptionCredentials,
    )


def argument_spec() -> ArgumentSpec:
    """Return the options of the module."""
    stream = stream_options()
    entry = {**stream, "name": {"type": "str", "required": True}}
    # An entry of streams has no defaults of its own: what it leaves out it takes from the task.
    defaults = {
        name: {**stream[name], "default": value}
        for name, value in (("purge_tags", False), ("refresh", "drifted"), ("state", "present"))
    }
    return cluster_argument_spec().merge(
        ArgumentSpec(
            {
                **stream,
                **defaults,
                "streams": {"type": "list", "elements": "dict", "options": entry},
                "concurrency": {"type": "int", "default": 8},
                "timeout": {"type": "int", "default": 120},
                "pending_credentials": pending_credentials_option(),
                "registries": registry_logins(ca_cert={"type": "path"}),
                "auth_file": {"type": "path"},
                "registry_ca_cert": {"type": "path"},
                "results": {"type": "str", "choices": ["all", "changed"]},
            },
            mutually_exclusive=[("name", "streams")],
            required_one_of=[("name", "streams")],
        )
    )


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    params = context.params
    desired, pending = desired_streams(params), pending_credentials(params)
    check_numbers(params, concurrency=1, timeout=1)
    given = _given_credentials(context)
    client = context.client(pool_size=params["concurrency"])
    width, ca_cert = params["concurrency"], params["registry_ca_cert"]
    with reading_repositories(client, desired, context.mask, width=width, given=given, ca_cert=ca_cert) as tag_reader:
        results = converge_streams(
            client,
            desired,
            check_mode=context.check_mode,
            concurrency=width,
            timeout=params["timeout"],
            pending=pending,
            tag_reader=tag_reader,
        )
    return stream_report(
        results,
        RemedyFinder(client, context.mask).remedy,
        only_changed=ONLY_CHANGED[params["results"]],
        check_mode=context.check_mode,
        hint=context.check_mode and not pending,
    )


def _given_credentials(context: ModuleContext) -> OptionCredentials | None:
    """Return the credentials that the task itself gives."""
    if not (context.params["registries"] or context.params["auth_file"]):
        return None
    from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.sources import (  # noqa: PLC0415 - for credentials among the options only
        OptionCredentials,
    )

    given = OptionCredentials(context.params)
    context.mask(*given.secrets())
    return given


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

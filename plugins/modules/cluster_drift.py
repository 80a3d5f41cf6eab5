#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_drift
version_added: 1.0.0
short_description: Compare a cluster with everything that is declared for it
description:
  - Reports what differs between a cluster and the pull secrets, links and image streams that are declared for it, in
    one task, as check mode of M(quayside.openshift_images.pull_secret), M(quayside.openshift_images.sa_secret_link) and
    M(quayside.openshift_images.image_stream_import) does for each. It uses their plans.
  - In check mode, it writes nothing. Outside check mode, it converges what is declared, or only the part of it that
    O(approved) lists.
  - The role P(quayside.openshift_images.drift_report#role) runs it for each cluster, and makes a report of the results.
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._options.timeout
  - quayside.openshift_images._options.pending_credentials
  - quayside.openshift_images._guides.drift
attributes:
  check_mode:
    support: full
    details:
      - In check mode, too, the registries are asked through the cluster, with lookups that store nothing.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  secrets:
    description:
      - The pull secrets, as the role P(quayside.openshift_images.registry_access#role) takes them. Except for
        O(secrets[].link), they are the options of M(quayside.openshift_images.pull_secret).
    type: list
    elements: dict
    suboptions:
      namespaces:
        description:
          - The namespaces that each have the secret.
        type: list
        elements: str
        required: true
      name: &name
        description:
          - The name.
        type: str
        required: true
      state: &state
        description:
          - V(absent) says that there must be none.
        type: str
        choices: [present, absent]
        default: present
      registries: &registries
        description:
          - The registries and their credentials.
        type: list
        elements: dict
        suboptions:
          registry:
            description:
              - The registry as C(host[:port][/path]), written as images write it.
            type: str
            required: true
          username:
            description:
              - The user name.
            type: str
          password:
            description:
              - The password or token of the user.
            type: str
          auth:
            description:
              - The base64 of C(user:password), instead of both.
            type: str
          identity_token:
            description:
              - An identity token, which neither image imports nor the kubelet understand.
            type: str
          email:
            description:
              - The e-mail address that is stored with the credential.
            type: str
          state: *state
          insecure:
            description:
              - Accept any certificate of this registry while logging in.
            type: bool
            default: false
          ca_cert:
            description:
              - Path of the CA certificates to check this registry's certificate with while logging in.
            type: path
          from_secret:
            description:
              - Take the credential from the entry of another secret of the cluster.
            type: dict
            version_added: 1.0.0
            suboptions:
              namespace:
                description:
                  - Namespace of that secret.
                type: str
                required: true
              name:
                description:
                  - Name of that secret.
                type: str
                required: true
      auth_file: &auth_file
        description:
          - Path of a Docker C(config.json) or Podman C(auth.json) where the module runs.
        type: path
      auth_content:
        description:
          - The content of a Docker C(config.json) or a Podman C(auth.json).
        type: raw
      only: &only
        description:
          - Globs of the registries to take from the auth file.
        type: list
        elements: str
      update:
        description:
          - V(merge) keeps other registries in the secret, V(replace) removes them.
        type: str
        choices: [merge, replace]
        default: merge
      type:
        description:
          - The type of the secret.
        type: str
        choices:
          - kubernetes.io/dockerconfigjson
          - kubernetes.io/dockercfg
          - kubernetes.io/podmanconfigjson
        default: kubernetes.io/dockerconfigjson
      recreate:
        description:
          - Whether the secret may be deleted and recreated if it cannot be changed in place.
        type: bool
        default: false
      verify:
        description:
          - Log in to each registry first.
        type: bool
        default: false
      verify_ca_cert: &verify_ca_cert
        description:
          - Path of the CA certificates to check the registries' certificates with while logging in.
        type: path
      verify_insecure: &verify_insecure
        description:
          - Globs of registries whose certificate is not checked while logging in.
        type: list
        elements: str
      exclude_from_import:
        description:
          - Whether image imports must not use the secret.
        type: bool
      labels:
        description:
          - Labels of the secret.
        type: dict
      annotations:
        description:
          - Annotations of the secret.
        type: dict
      take_over:
        description:
          - As O(take_over), for this secret and its links.
        type: bool
        version_added: 1.0.0
      link:
        description:
          - The service accounts that the secret is linked to, in each of its namespaces.
        type: list
        elements: dict
        suboptions:
          service_accounts:
            description:
              - Names of the service accounts.
            type: list
            elements: str
            required: true
          for:
            description:
              - The lists of the service account. The default is V(pull), or both if the link is removed.
            type: list
            elements: str
            choices: [pull, mount]
          state:
            description:
              - V(absent) says that there must be no link. The default is the state of the secret.
            type: str
            choices: [present, absent]
  cluster_pull_secret:
    description:
      - What the cluster's global pull secret must hold, as the role
        P(quayside.openshift_images.cluster_pull_secret#role) takes it.
    type: dict
    suboptions:
      registries: *registries
      auth_file: *auth_file
      only: *only
      verify:
        description:
          - Log in to each registry first.
        type: bool
        default: true
      verify_ca_cert: *verify_ca_cert
      verify_insecure: *verify_insecure
      take_over:
        description:
          - As O(take_over), for the global pull secret.
        type: bool
        version_added: 1.0.0
      import_namespaces:
        description:
          - As O(quayside.openshift_images.pull_secret#module:import_namespaces). If the control plane is hosted, the
            secret C(kube-system/additional-pull-secret) is compared, and its copy in each of these namespaces.
        type: list
        elements: str
        version_added: 1.0.0
  streams:
    description:
      - The image streams, as O(quayside.openshift_images.image_stream_import#module:streams). Tags are never forced to
        be imported.
    type: list
    elements: dict
    suboptions:
      namespace:
        description:
          - Namespace of the stream.
        type: str
      name: *name
      tags:
        description:
          - The tags of the stream.
        type: list
        elements: dict
        suboptions:
          name: *name
          from:
            description:
              - Pull spec of the external image.
            type: str
            required: true
          import_mode: &import_mode
            description:
              - V(Legacy) or V(PreserveOriginal).
            type: str
          reference_policy: &reference_policy
            description:
              - V(Source) or V(Local).
            type: str
          scheduled: &scheduled
            description:
              - Whether the cluster imports the tag again periodically.
            type: bool
          insecure: &insecure
            description:
              - Whether the registry may be asked without verified TLS.
            type: bool
          prefer_architecture: &prefer_architecture
            description:
              - Architecture that V(Legacy) takes from a manifest list.
            type: str
          prefer_os: &prefer_os
            description:
              - Operating system that V(Legacy) takes from a manifest list.
            type: str
      repository:
        description:
          - Every tag of this repository instead of O(streams[].tags).
        type: str
      tag_patterns:
        description:
          - Shell patterns that select tags of the repository.
        type: list
        elements: str
      import_mode: *import_mode
      reference_policy: *reference_policy
      scheduled: *scheduled
      insecure: *insecure
      prefer_architecture: *prefer_architecture
      prefer_os: *prefer_os
      lookup_policy_local:
        description:
          - Whether workloads of the namespace may name the stream's tags as if they were images.
        type: bool
      purge_tags:
        description:
          - As O(purge_tags), for this stream.
        type: bool
      purge_limit:
        description:
          - As O(purge_limit), for this stream.
        type: int
      take_over:
        description:
          - As O(take_over), for this stream.
        type: bool
        version_added: 1.0.0
      refresh:
        description:
          - V(missing) does not ask for this stream what upstream serves now.
        type: str
        choices: [missing, drifted, always]
      state:
        description:
          - V(absent) says that there must be no such stream.
        type: str
        choices: [present, absent]
  upstream:
    description:
      - Also ask, through the cluster, what the registries serve now, and count a tag that moved as a difference.
    type: bool
    default: true
  platforms:
    description:
      - Also report which platforms the registry offers for each tag, and which of them the cluster took. For a tag that
        takes one child of a manifest list, this costs one more lookup.
    type: bool
    default: false
  purge_tags:
    description:
      - Count tags that track an external image and are not listed as a difference.
    type: bool
    default: false
  purge_limit:
    description:
      - How many tags O(purge_tags) may remove from one stream whose tags come from a repository, as in
        M(quayside.openshift_images.image_stream_import). If there are more, the comparison of the stream fails, as the
        run would.
    type: int
  take_over:
    description:
      - Outside check mode, change objects even if somebody else reconciles them, such as Argo CD or External Secrets,
        who will undo the change.
      - Otherwise the comparison shows what differs, and says in RV(drift.changes[].refused) that no run changes it.
    type: bool
    default: false
    version_added: 1.0.0
  expires_within:
    description:
      - Report credentials that expire within so many hours, with the reason V(credential_expires) in RV(drift.notices).
        The default V(0) reports those that have expired. This concerns only credentials that contain their expiry.
    type: int
    default: 0
    version_added: 1.0.0
  approved:
    description:
      - The only changes that may be made, as an earlier run returned them in RV(to_approve).
      - If a change would be a different one by now, because the cluster, the registry or the declaration has changed,
        it is not made, and is listed in RV(drift.held_back). An image that was unknown before may be any image.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - Name of the change.
        type: str
        required: true
      kind:
        description:
          - What is changed.
        type: str
        choices: [secret, link, stream, tag]
        required: true
      namespace:
        description:
          - Namespace of the object.
        type: str
        required: true
      name: *name
      tag:
        description:
          - Name of the tag.
        type: str
  wait_timeout:
    description:
      - How many seconds to wait for a service account that does not exist yet.
    type: int
    default: 0
  results:
    description:
      - V(changed) leaves out streams and tags that neither differ nor failed.
    type: str
    choices: [all, changed]
    default: all
  result_file:
    description:
      - Also write the return values to this file, as JSON that only its owner may read, on the host where the module
        runs.
      - Ansible hides the text of a password everywhere in the result of a task, even in the name of a tag. In this
        file, names are complete, so that a later task can compute with them. Messages are redacted as everywhere.
    type: path
seealso:
  - module: quayside.openshift_images.drift_report
notes:
  - The rights needed are those of the three modules; in check mode, those of their check modes.
    C(docs/rbac/drift_report.yml) of the collection has them.
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: What differs on this cluster
  quayside.openshift_images.cluster_drift:
    secrets:
      - name: registry
        namespaces: [shop]
        registries:
          - registry: registry.example.com:5000
            username: puller
            password: "{{ registry_password }}"
        link:
          - service_accounts: [default]
    streams:
      - namespace: shop
        name: web
        tags:
          - name: v1
            from: registry.example.com:5000/team/web:v1
  check_mode: true
  register: compared

- name: Correct what was found then, but not what has changed since
  quayside.openshift_images.cluster_drift:
    streams:
      - namespace: shop
        name: web
        tags:
          - name: v1
            from: registry.example.com:5000/team/web:v1
    approved: "{{ compared.to_approve }}"
"""

RETURN = r"""
drift:
  description: What was found, even if the task fails because not everything could be compared.
  returned: when the cluster answered
  type: dict
  contains:
    host:
      description: The API server.
      type: str
      sample: "https://api.cluster-1.example.com:6443"
    secrets:
      description: The pull secrets, as RV(quayside.openshift_images.pull_secret#module:secrets).
      type: list
      elements: dict
      sample: [{namespace: shop, name: registry, state: present, changed: false, reasons: []}]
    links:
      description: The service accounts, as RV(quayside.openshift_images.sa_secret_link#module:service_accounts).
      type: list
      elements: dict
      sample: [{namespace: shop, name: default, changed: false, reasons: []}]
    streams:
      description:
        - The image streams, as RV(quayside.openshift_images.image_stream_import#module:streams).
        - With O(platforms=true), each tag also has C(platforms). It is V(null), or it has the lists C(offered) and
          C(taken), each V(null) if it is not known, and C(single), which says whether the registry offers no list. For
          a single image, only the architecture is known.
      type: list
      elements: dict
      sample: [{namespace: shop, name: web, state: present, changed: true, tags: []}]
    changes:
      description: Every difference, with what is on the cluster and what is declared.
      type: list
      elements: dict
      contains:
        id:
          description: Identifies this change on this cluster. A change of the same object to or from anything else has
            another id.
          type: str
          sample: "3f1c9a7be0d24586"
        kind:
          description: V(secret), V(link), V(stream) or V(tag).
          type: str
          sample: tag
        namespace:
          description: Namespace of the object.
          type: str
          sample: shop
        name:
          description: Name of the secret, of the service account or of the image stream.
          type: str
          sample: web
        tag:
          description: Name of the tag.
          type: str
          sample: v1
        reasons:
          description: Why it changes, in the words of the modules.
          type: list
          elements: str
          sample: [upstream_moved]
        before:
          description: What is on the cluster, V(null) for nothing.
          type: dict
          sample:
            from: registry.example.com:5000/team/web:v1
            image: sha256:b5aa2c3f0e8b4f0d2a7b4c6e8d1f3a5b7c9e0d2f4a6b8c0d2e4f6a8b0c2d4e6f
        after:
          description: What is declared, V(null) for nothing.
          type: dict
          sample:
            from: registry.example.com:5000/team/web:v1
            image: sha256:93d9ce11e5b1dd8ee9a20d3fd6d4ef1b9a4c0e62d6c4a4fcd6f1e3d0c29d7b51
        managed_by:
          description: Who else reconciles the object, V(null) for nobody.
          type: str
          sample: the Argo CD application "shop"
        refused:
          description: >-
            Why a run would not make the change: somebody else reconciles the object, and O(take_over) is not set.
            V(null) if a run would make it.
          type: str
          sample: >-
            The image stream "shop/web" is reconciled by the Argo CD application "shop", which would undo the change, so
            nothing was written; change it in the source that it follows, or set take_over: true to write it all the
            same
    failures:
      description: Everything that could not be compared or corrected.
      type: list
      elements: dict
      contains:
        kind:
          description: V(secret), V(link), V(stream) or V(tag).
          type: str
          sample: tag
        namespace:
          description: Namespace of the object.
          type: str
          sample: shop
        name:
          description: Name of the object.
          type: str
          sample: web
        tag:
          description: Name of the tag.
          type: str
          sample: v1
        from:
          description: Pull spec of the tag.
          type: str
          sample: "registry.example.com:5000/team/web:v1"
        reason:
          description: The server's reason.
          type: str
          sample: Unauthorized
        message:
          description: The server's words.
          type: str
          sample: "you may not have access to the container image \"registry.example.com:5000/team/web:v1\""
        remedy:
          description: What to do about it.
          type: str
          sample: "The namespace shop has no credential for this image. Add one with the key registry.example.com:5000
            (pull_secret)."
    held_back:
      description: Changes that O(approved) does not list.
      type: list
      elements: dict
      contains:
        kind:
          description: V(secret), V(link), V(stream) or V(tag).
          type: str
          sample: tag
        namespace:
          description: Namespace of the object.
          type: str
          sample: shop
        name:
          description: Name of the object.
          type: str
          sample: web
        tag:
          description: Name of the tag.
          type: str
          sample: v1
        reasons:
          description: Why it would change.
          type: list
          elements: str
          sample: [upstream_moved]
    unknown:
      description: Everything that may or may not be as declared. None of it counts as changed or as compared.
      type: list
      elements: dict
      contains:
        kind:
          description: V(secret), V(link), V(stream) or V(tag).
          type: str
          sample: tag
        namespace:
          description: Namespace of the object.
          type: str
          sample: shop
        name:
          description: Name of the object.
          type: str
          sample: web
        tag:
          description: Name of the tag.
          type: str
          sample: v1
        reason:
          description:
            - >-
                Why, in one word: the server's reason, such as V(Unauthorized) or V(Forbidden), or V(credential_pending)
                if the run itself would have to write the credential first.
          type: str
          sample: Unauthorized
        message:
          description: Why, in the server's words.
          type: str
          sample: 'you may not have access to the container image "registry.example.com:5000/team/web:v1"'
    notices:
      description: Findings that are not changes, each with the keys of an entry of RV(drift.unknown). The reason is
        V(credential_expires).
      type: list
      elements: dict
      sample:
        - kind: secret
          namespace: shop
          name: registry
          tag:
          reason: credential_expires
          message: 'The credential of "registry.example.com" (user "AWS") expired at 2026-01-01T12:00:00Z: give a fresh
            one.'
    confirmed:
      description: The ids of O(approved) for which this run found that nothing is left to do.
      type: list
      elements: str
      sample: [3f1c9a7be0d24586]
    warnings:
      description: Other things worth knowing.
      type: list
      elements: str
      sample:
        - 'The key "registry.example.com" of the secret shop/registry matches no image of this run: the port is
          missing.'
    counts:
      description: How many secrets, links, streams and tags were compared, whether returned or not.
      type: dict
      sample: {secrets: 1, links: 2, streams: 3, tags: 12}
to_approve:
  description: The changes without their content, as input for O(approved).
  returned: when the cluster answered
  type: list
  elements: dict
  sample: [{id: 3f1c9a7be0d24586, kind: tag, namespace: shop, name: web, tag: v1}]
summary:
  description: How many secrets, links, streams and tags were compared, how many changes and failures there are, and the
    changes by reason.
  returned: when the cluster answered
  type: dict
  contains:
    changes:
      description: Number of changes.
      type: int
      sample: 1
    unknown:
      description: Number of objects that could not be compared.
      type: int
      sample: 0
    failures:
      description: Number of failures.
      type: int
      sample: 0
    notices:
      description: Number of findings that are not changes.
      type: int
      sample: 0
    reasons:
      description: Number of changes by reason.
      type: dict
      sample: {upstream_moved: 1}
described:
  description: A sentence with the numbers of changes and failures.
  returned: when the cluster answered
  type: str
  sample: 2 changes (upstream_moved 2), 1 failure
pending_credentials:
  description: Credentials that the run writes or would write, and those of O(pending_credentials); the input for a
    later task.
  returned: when the cluster answered
  type: list
  elements: dict
  sample: [{namespace: shop, registry: 'registry.example.com:5000', username: puller}]
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.compare import compare
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.declared import Settings
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.desired import declared
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.result import write_results
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    pending_credentials,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import reading_repositories
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import (
    pending_credentials_option,
    registries_option,
    secret_options,
    stream_options,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module


def argument_spec() -> ArgumentSpec:
    """Return the options of this module together with those of cluster access."""
    link = {
        "service_accounts": {"type": "list", "elements": "str", "required": True},
        "for": {"type": "list", "elements": "str", "choices": ["pull", "mount"]},
        "state": {"type": "str", "choices": ["present", "absent"]},
    }
    secret = {
        "namespaces": {"type": "list", "elements": "str", "required": True},
        **secret_options(),
        "take_over": {"type": "bool"},
        "link": {"type": "list", "elements": "dict", "options": link},
    }
    global_secret = {
        "registries": registries_option(),
        **{
            name: option
            for name, option in secret_options().items()
            if name in ("auth_file", "only", "verify_ca_cert", "verify_insecure")
        },
        "verify": {"type": "bool", "default": True},
        "take_over": {"type": "bool"},
        "import_namespaces": {"type": "list", "elements": "str"},
    }
    text = {"type": "str", "required": True}
    kinds = {"type": "str", "choices": ["secret", "link", "stream", "tag"], "required": True}
    approved = {"id": text, "kind": kinds, "namespace": text, "name": text, "tag": {"type": "str"}}
    return cluster_argument_spec().merge(
        ArgumentSpec(
            {
                # Its parts that are secret are marked as such.
                "secrets": {
                    "type": "list",
                    "elements": "dict",
                    "no_log": False,
                    "options": secret,
                    "mutually_exclusive": [["auth_file", "auth_content"]],
                },
                "cluster_pull_secret": {"type": "dict", "no_log": False, "options": global_secret},
                "streams": {
                    "type": "list",
                    "elements": "dict",
                    "options": {**stream_options(), "name": {"type": "str", "required": True}},
                },
                "upstream": {"type": "bool", "default": True},
                "platforms": {"type": "bool", "default": False},
                "purge_tags": {"type": "bool", "default": False},
                "purge_limit": {"type": "int"},
                "take_over": {"type": "bool", "default": False},
                "expires_within": {"type": "int", "default": 0},
                "pending_credentials": pending_credentials_option(),
                "approved": {"type": "list", "elements": "dict", "options": approved},
                "wait_timeout": {"type": "int", "default": 0},
                "concurrency": {"type": "int", "default": 8},
                "timeout": {"type": "int", "default": 120},
                "results": {"type": "str", "choices": ["all", "changed"], "default": "all"},
                "result_file": {"type": "path"},
            }
        )
    )


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    params = context.params
    for option, least in (("concurrency", 1), ("timeout", 1), ("wait_timeout", 0), ("expires_within", 0)):
        if params[option] < least:
            raise InputError(f"{option} is {params[option]}: give a number from {least}")
    wanted, pending = declared(params), pending_credentials(params)
    context.mask(*wanted.texts_to_hide())
    client = context.client(pool_size=params["concurrency"])
    settings = Settings(
        check_mode=context.check_mode,
        mask=context.mask,
        concurrency=params["concurrency"],
        timeout=params["timeout"],
        wait_timeout=params["wait_timeout"],
        only_changed=params["results"] == "changed",
        platforms=params["platforms"],
        expires_within=params["expires_within"],
    )
    with reading_repositories(client, wanted.streams, context.mask, width=params["concurrency"]) as tag_reader:
        report = compare(
            client, wanted, settings, pending=pending, tag_reader=tag_reader, approved=params["approved"] or ()
        )
    if params["result_file"]:
        write_results(params["result_file"], report, context.shown)
    return report


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

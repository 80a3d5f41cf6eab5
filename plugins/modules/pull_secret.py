#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_secret
version_added: 1.0.0
short_description: Manage registry credentials in pull secrets
description:
  - Creates, updates and deletes secrets that hold the credentials of container registries, in one or many namespaces.
  - Takes the credentials from options, from a Docker C(config.json), from a Podman C(auth.json), or from the content of
    an existing C(.dockerconfigjson).
  - By default the registries of the task are merged into the secret, and whatever else it holds stays. Several tasks,
    even at the same time, can each add their own registries, and no entry is lost.
  - >-
      Credentials are compared by meaning: an C(auth) equals the user name and password in it, and the order of keys,
      white space and base64 padding do not matter.
  - Content that would break every image import of the namespace is refused, and there is a warning about keys that no
    image can ever match.
  - No value of a credential appears in the result, in the diff or in an error, at any verbosity.
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.namespaces
  - quayside.openshift_images._guides.from_oc_to_tasks
  - quayside.openshift_images._guides.private_registries
attributes:
  check_mode:
    support: full
    details:
      - With O(verify=true), check mode asks the registries, too.
  diff_mode:
    support: full
    details:
      - The diff shows registries with their user names. A password is V((hidden\)), or V((hidden, differs\)) if it
        changes.
  idempotent:
    support: full
options:
  name:
    description:
      - The name of the secret.
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates the secret as described by the other options.
      - V(absent) deletes the whole secret. To remove only one registry, use O(registries[].state=absent).
      - A secret of another kind, which holds no registry credentials, is deleted only with O(recreate=true).
    type: str
    choices: [present, absent]
    default: present
  registries:
    description:
      - The registries and their credentials.
      - An entry here takes precedence over one for the same registry in O(auth_file) or O(auth_content).
    type: list
    elements: dict
    suboptions:
      registry:
        description:
          - The registry as C(host[:port][/path]), written as images write it. The cluster compares it as text, so
            V(registry.example.com) and V(registry.example.com:443) are two different registries.
          - The path is a plain prefix of the image's path, and V(*) stands for a part of the host name between two
            dots.
          - For Docker Hub write V(docker.io) or V(https://index.docker.io/v1/).
        type: str
        required: true
      username:
        description:
          - The user name, together with O(registries[].password).
        type: str
      password:
        description:
          - The password or token of the user.
        type: str
      auth:
        description:
          - User name and password as auth files have them, the base64 of C(user:password), instead of
            O(registries[].username) and O(registries[].password).
        type: str
      identity_token:
        description:
          - An identity (refresh) token, as C(docker login) stores it for some registries.
          - Image imports and the kubelet do not understand it, and ask the registry anonymously. There is a warning
            about this.
        type: str
      from_secret:
        description:
          - Take the credential from the entry for O(registries[].registry) of another secret of the cluster, such as
            one that External Secrets keeps fresh, instead of giving it here.
          - Each run reads it and compares it by meaning, so the secrets of the task follow it.
          - Needs the right to C(get) that secret.
        type: dict
        version_added: 1.0.0
        suboptions:
          namespace:
            description:
              - The namespace of that secret.
            type: str
            required: true
          name:
            description:
              - The name of that secret.
            type: str
            required: true
      email:
        description:
          - The e-mail address to store with the credential. No consumer needs it.
          - If unset, the address in the secret stays.
        type: str
      state:
        description:
          - V(absent) removes the registry from the secret.
        type: str
        choices: [present, absent]
        default: present
      insecure:
        description:
          - With O(verify=true), accept any certificate of this registry, and plain HTTP if it does not speak TLS.
          - Has no effect on the secret.
        type: bool
        default: false
      ca_cert:
        description:
          - With O(verify=true), the path of the CA certificates to check this registry's certificate with, instead of
            O(verify_ca_cert).
          - Has no effect on the secret.
        type: path
  auth_file:
    description:
      - The path of a Docker C(config.json), a Podman C(auth.json) or a C(.dockercfg), on the host where the module
        runs.
      - A file whose passwords are in a credential helper (C(credsStore), C(credHelpers)) contains none, and is refused.
      - Every entry that is taken must be usable. If some are not, select the others with O(only).
      - Tokens that Docker Desktop stores with the login for Docker Hub are left out, with a warning.
    type: path
  auth_content:
    description:
      - The content of a Docker C(config.json) or a Podman C(auth.json) or a C(.dockercfg), instead of O(auth_file). A
        mapping, its JSON text, or the base64 of that, as the C(data) of a secret has it under C(.dockerconfigjson).
      - Give it as text to keep user names readable in the result. In a mapping, Ansible masks every value.
    type: raw
  only:
    description:
      - Globs of the registries to take from O(auth_file) or O(auth_content), instead of all of them.
      - A glob is compared with the key as it is written and with the key as the cluster reads it, without scheme and
        C(/v1/).
    type: list
    elements: str
  update:
    description:
      - V(merge) changes the registries of the task and keeps everything else in the secret.
      - V(replace) makes the registries of the task the only content of the secret.
    type: str
    choices: [merge, replace]
    default: merge
  type:
    description:
      - The type of the secret.
      - V(kubernetes.io/dockercfg) is the older form, without C(auths) around the registries.
      - V(kubernetes.io/podmanconfigjson) appears in some documentation for Podman users. Nothing in the cluster reads
        that type, neither image imports nor pods nor builds, and there is a warning about this. A Podman C(auth.json)
        works as V(kubernetes.io/dockerconfigjson).
    type: str
    choices:
      - kubernetes.io/dockerconfigjson
      - kubernetes.io/dockercfg
      - kubernetes.io/podmanconfigjson
    default: kubernetes.io/dockerconfigjson
  create:
    description:
      - Whether a secret that does not exist is created. With V(false), a missing secret is an error.
    type: bool
    default: true
  recreate:
    description:
      - Allow the module to delete and recreate the secret if it cannot be changed in place, because it has another type
        or is marked immutable.
      - With O(update=merge), the new secret keeps its registries, and always its labels and annotations.
      - If the new secret cannot be created, the former one is restored. Meanwhile a copy of it is kept in a secret of
        the same name with C(.former) at its end, so that nothing is lost if the run is killed. With O(update=merge),
        the next run creates the secret with what the copy contains in addition to the registries of the task. This is a
        change like any other. A warning names these registries, because some of them may have been revoked since.
      - Nothing is taken from a copy unless a run with a credential of this task has written it.
      - If the secret exists again, the next run deletes a leftover copy.
      - A secret that a finalizer keeps after its deletion is never written. The task fails, and says where the former
        content is.
    type: bool
    default: false
  former_password:
    description:
      - Only replace an entry that has this password, or the new one already. A secret whose entry has another password
        is left as it is, with V(other_password) among RV(secrets[].reasons).
      - You can give C(sha256:) and the digest of the password in hexadecimal digits instead.
      - Whoever may write a secret in a namespace can give it an entry for any registry. Without this option, such an
        entry gets the new password, too.
    type: str
    version_added: 1.0.0
  check_others:
    description:
      - Also read the other registry secrets of the namespace, if the caller may list them, and warn about those that
        hide entries of this one or break every import.
    type: bool
    default: true
  hosted:
    description:
      - What to do with the cluster's global pull secret, V(pull-secret) in the namespace V(openshift-config), if
        another cluster hosts the control plane of this one. Such a cluster gets its global pull secret from there, and
        every change of it here is undone.
      - V(refuse) fails, and writes nothing.
      - V(additional) merges the registries into the secret V(additional-pull-secret) in the namespace V(kube-system)
        instead, whatever O(create) says. The hosting cluster merges that one into what the nodes pull with. It is
        deleted with its last registry. There is a warning about each registry for which the original pull secret has
        another credential, because the original wins, and one that says that image imports do not see this secret.
      - Needs the right to C(get) the infrastructure C(cluster) of C(config.openshift.io). Without it, the module treats
        the cluster as one that is not hosted, with a warning.
    type: str
    choices: [refuse, additional]
    default: refuse
    version_added: 1.0.0
  import_namespaces:
    description:
      - With O(hosted=additional), namespaces whose image streams import from the registries of the task. If the control
        plane is hosted, each gets a secret V(additional-pull-secret) of its own with these registries, because imports
        do not see that of the cluster. Otherwise they need none, and get none.
    type: list
    elements: str
    version_added: 1.0.0
  verify:
    description:
      - Log in to each registry of the task first, from where the module runs. If one of them does not accept its
        credential, or cannot be asked, nothing is written.
    type: bool
    default: false
  verify_ca_cert:
    description:
      - With O(verify=true), the path of the CA certificates with which the registries' certificates are verified.
      - The default is the CA certificates of the Python library C(requests), or those of E(REQUESTS_CA_BUNDLE).
    type: path
  verify_insecure:
    description:
      - With O(verify=true), globs of registries for which any certificate is accepted, and plain HTTP if they do not
        speak TLS.
      - It is meant for registries in O(auth_file); the others have O(registries[].insecure).
    type: list
    elements: str
  exclude_from_import:
    description:
      - V(true) sets the annotation C(openshift.io/image.excludeSecret), which keeps image imports from using the
        secret. V(false) removes it.
      - If unset, it stays as it is.
    type: bool
  take_over:
    description:
      - Write the secret even if somebody else reconciles it, such as Argo CD, Flux or External Secrets, who will undo
        the change.
      - Otherwise such a secret is not changed, and the task fails with the owner's name, which RV(secrets[].managed_by)
        contains, too.
      - The hosting cluster of a hosted control plane is the owner of the cluster's global pull secret.
      - The guide on owners lists the marks that are known, and the owners about which there is only a warning.
    type: bool
    default: false
    version_added: 1.0.0
  labels:
    description:
      - Labels to set on the secret. Others stay; one with the value V(null) is removed.
    type: dict
  annotations:
    description:
      - Annotations to set on the secret. Others stay; one with the value V(null) is removed.
    type: dict
notes:
  - >-
      An image import uses every secret of its namespace that has one of the two Docker types, linked to a service
      account or not. For an image, it uses only the first match: the longest key, then the secret whose name sorts
      first. Pods and builds use linked secrets.
  - If the caller may list the secrets of the namespace, there are warnings about hidden entries and about broken
    secrets beside this one. RV(secrets[].shadowing_checked) says whether they were read.
seealso:
  - module: quayside.openshift_images.sa_secret_link
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: From user name and password, in two namespaces
  quayside.openshift_images.pull_secret:
    namespaces: [shop, shop-test]
    name: registry
    registries:
      - registry: registry.example.com:5000
        username: puller
        password: "{{ registry_password }}"

- name: From a Docker config.json, only the registries of quay.io, tried before they are written
  quayside.openshift_images.pull_secret:
    namespace: shop
    name: quay
    auth_file: ~/.docker/config.json
    only: ["quay.io", "quay.io/*"]
    verify: true

- name: From a Podman auth.json
  quayside.openshift_images.pull_secret:
    namespace: shop
    name: registry
    auth_file: "{{ lookup('ansible.builtin.env', 'XDG_RUNTIME_DIR') }}/containers/auth.json"

- name: From a raw .dockerconfigjson, and nothing else
  quayside.openshift_images.pull_secret:
    namespace: shop
    name: registry
    auth_content: "{{ vaulted_dockerconfigjson }}"
    update: replace

- name: The credential that External Secrets keeps fresh, in two namespaces
  quayside.openshift_images.pull_secret:
    namespaces: [shop, billing]
    name: registry
    registries:
      - registry: registry.example.com:5000
        from_secret:
          namespace: credentials
          name: registry-example-com

- name: The global pull secret of a cluster, hosted or not, and a copy for the imports of a namespace if it is
  quayside.openshift_images.pull_secret:
    namespace: openshift-config
    name: pull-secret
    create: false
    hosted: additional
    import_namespaces: [shop]
    registries:
      - registry: registry.example.com:5000
        username: puller
        password: "{{ registry_password }}"

- name: Take one registry out of the secret
  quayside.openshift_images.pull_secret:
    namespace: shop
    name: registry
    registries:
      - registry: old-registry.example.com
        state: absent

- name: Turn a secret of the type that nothing reads into one that works
  quayside.openshift_images.pull_secret:
    namespace: shop
    name: podman
    auth_file: auth.json
    recreate: true
"""

RETURN = r"""
secrets:
  description: The result for the secret in each namespace.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace.
      type: str
      sample: shop
    name:
      description: The name of the secret.
      type: str
      sample: registry
    state:
      description: V(present) or V(absent), as the task asked for.
      type: str
      sample: present
    type:
      description: The type of the secret.
      type: str
      sample: kubernetes.io/dockerconfigjson
    registries:
      description: Every registry that the secret contains now, and those that were removed.
      type: list
      elements: dict
      contains:
        registry:
          description: The registry as the secret writes it.
          type: str
          sample: registry.example.com:5000
        state:
          description: V(present) if the secret contains it, V(absent) if it does not, or no longer does.
          type: str
          sample: present
        username:
          description: The user name of the credential.
          type: str
          sample: puller
        email:
          description: The e-mail address that is stored with it.
          type: str
          sample: puller@example.com
        expires_at:
          description:
            - When the credential expires, in UTC, if it contains its expiry, as tokens of Amazon ECR and JSON Web
              Tokens do. V(null) for all others.
            - There is a warning about a credential of the task that has expired.
          type: str
          sample: "2026-01-31T12:00:00Z"
        changed:
          description: Whether this entry changes.
          type: bool
          sample: true
        reasons:
          description:
            - Why it changes. One or more of V(registry_missing), V(entry_unusable), V(username_changed),
              V(password_changed), V(identity_token_changed), V(email_changed), V(written_twice) (the same registry
              under another spelling), V(not_wanted) (the task says absent), and V(not_listed) (with O(update=replace)).
          type: list
          elements: str
          sample: [password_changed]
    changed:
      description: Whether the secret changes.
      type: bool
      sample: true
    reasons:
      description:
        - Why it changes. One or more of V(secret_missing), V(type_changed), V(immutable), V(content_unreadable),
          V(registries_changed), V(other_content_removed), V(labels_changed), V(annotations_changed),
          V(import_exclusion_changed), and V(not_wanted).
        - >-
            V(other_password) is not a reason to change it: with O(former_password), it says why the secret was left as
            it is.
      type: list
      elements: str
      sample: [registries_changed]
    managed_by:
      description: Who else reconciles the secret, V(null) if nobody is known to.
      type: str
      sample: null
    shadowing_checked:
      description: Whether the other secrets of the namespace were read, to warn about entries that they hide.
      type: bool
      sample: true
    error:
      description: What went wrong in this namespace, V(null) if nothing did.
      type: str
      sample: null
hosted:
  description:
    - Whether another cluster hosts the control plane of this one. V(null) if it did not matter, or if the caller may
      not know it.
  returned: when the options were valid
  type: bool
  sample: null
failed_namespaces:
  description: The namespaces in which something went wrong.
  returned: when the options were valid
  type: list
  elements: str
  sample: []
verified:
  description: The results of logging in to the registries.
  returned: with O(verify=true), otherwise empty
  type: list
  elements: dict
  contains:
    registry:
      description: The registry.
      type: str
      sample: registry.example.com:5000
    username:
      description: The user name that was tried.
      type: str
      sample: puller
    result:
      description:
        - V(accepted), V(refused), V(failed) (the registry could not be asked), V(not_asked) (it requires no
          credential), or V(not_tried) (the key stands for many hosts).
      type: str
      sample: accepted
    error:
      description: Why it was refused or failed, V(null) otherwise.
      type: str
      sample: null
    status:
      description: The HTTP status code of the refusal, V(null) otherwise.
      type: int
      sample: null
summary:
  description: How many namespaces had which outcome.
  returned: when the options were valid
  type: dict
  contains:
    namespaces:
      description: The number of namespaces.
      type: int
      sample: 2
    created:
      description: Secrets that were created.
      type: int
      sample: 1
    updated:
      description: Secrets that were changed in place.
      type: int
      sample: 0
    recreated:
      description: Secrets that were deleted and recreated.
      type: int
      sample: 0
    deleted:
      description: Secrets that were deleted.
      type: int
      sample: 0
    unchanged:
      description: Secrets that were already as declared.
      type: int
      sample: 1
    failed:
      description: Namespaces in which something went wrong.
      type: int
      sample: 0
"""

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.concurrency import (
    WIDTH,
    each_with_outcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.names import namespaces_from
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import secret_options
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.apply import (
    SecretApplier,
    SecretOutcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import desired_secret
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.hosted import (
    Hosting,
    Placed,
    check_is_global,
    import_namespaces_from,
    place_global_secret,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.report import report_secrets
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.sources import take_from_secrets

if t.TYPE_CHECKING:
    from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import ClusterClient
    from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import DesiredSecret
    from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.verify import LoginResult


def argument_spec() -> ArgumentSpec:
    """Return the options of this module together with those of cluster access."""
    own = ArgumentSpec(
        {
            "namespace": {"type": "str"},
            "namespaces": {"type": "list", "elements": "str"},
            **secret_options(),
            "create": {"type": "bool", "default": True},
            "former_password": {"type": "str", "no_log": True},
            "check_others": {"type": "bool", "default": True},
            "hosted": {"type": "str", "choices": ["refuse", "additional"], "default": "refuse"},
            "import_namespaces": {"type": "list", "elements": "str"},
        },
        mutually_exclusive=[["namespace", "namespaces"], ["auth_file", "auth_content"]],
        required_one_of=[["namespace", "namespaces"]],
    )
    return own.merge(cluster_argument_spec())


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    namespaces = namespaces_from(context.params)
    desired = desired_secret(context.params)
    follows_hosting = context.params["hosted"] == "additional"
    import_namespaces = import_namespaces_from(context.params["import_namespaces"])
    if follows_hosting:
        check_is_global(namespaces, desired)
    elif import_namespaces:
        raise InputError(
            "import_namespaces: they get a copy of the additional pull secret only; give hosted: additional"
        )
    context.mask(*desired.secrets())
    client: ClusterClient | None = None
    width = min(WIDTH, len(namespaces) + len(import_namespaces))
    if desired.takes_from_secrets:
        client = context.client(pool_size=width)
        desired = take_from_secrets(client, desired, context.mask)
    verified = _verified(desired) if context.params["verify"] else []
    client = client or context.client(pool_size=width)
    hosting = Hosting(client)
    placed = (
        place_global_secret(desired, namespaces, import_namespaces, hosting)
        if follows_hosting
        else Placed(desired, namespaces)
    )
    applier = SecretApplier(
        client,
        placed.desired,
        check_mode=context.check_mode,
        mask=context.mask,
        look_around=context.params["check_others"],
        hosting=hosting,
    )
    outcomes = each_with_outcome(
        placed.namespaces, applier.converge, lambda namespace, error: SecretOutcome(namespace, error=error)
    )
    report = report_secrets(placed.desired, outcomes, verified, placed.warnings)
    report.results["hosted"] = hosting.answer
    return report


def _verified(desired: DesiredSecret) -> list[LoginResult]:
    from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.verify import try_logins  # noqa: PLC0415 - for verify only

    return try_logins(desired.present_registries)


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_access_info
version_added: 1.0.0
short_description: Describe pull secrets and their links, and say which credential an image import uses
description:
  - Reads the secrets with registry credentials and the service accounts of one, several or all namespaces. It reports
    which registries and users they are for, what is wrong with them, and which service accounts are linked to them.
  - Also returns them as variables of the role P(quayside.openshift_images.registry_access#role), with a placeholder for
    each credential, so that you can adopt a cluster that was set up by other means.
  - On request, says for any image which secret and key the API server uses for an import, or that none matches, and
    which key would.
  - Never returns a password, a token, or anything from which they could be derived.
extends_documentation_fragment:
  - quayside.openshift_images._cluster
  - quayside.openshift_images._attributes
  - quayside.openshift_images._attributes.info_module
  - quayside.openshift_images._attributes.actiongroup_openshift
  - quayside.openshift_images._options.concurrency
  - quayside.openshift_images._guides.private_registries
options:
  namespace:
    description:
      - Namespace to look at.
      - Without O(namespace), O(namespaces) and O(namespace_label_selectors), all namespaces are read, with two
        requests.
    type: str
  namespaces:
    description:
      - Namespaces to look at, with two requests each.
    type: list
    elements: str
  namespace_label_selectors:
    description:
      - Label selectors. Only namespaces that match all of them are read.
    type: list
    elements: str
  skip_namespaces:
    description:
      - Globs of namespaces to leave out, such as V(openshift-*).
    type: list
    elements: str
  name:
    description:
      - Only read the secret of this name. If you name the namespaces, the right to C(get) it is enough.
    type: str
  registry:
    description:
      - Only describe secrets that have an entry for this registry, and only that entry.
      - Keys are compared as the cluster compares them, so V(registry.example.com) also stands for
        C(https://registry.example.com/v1/), but neither for C(registry.example.com/team) nor for
        C(registry.example.com:443).
      - A secret that cannot be read is described, too, because it might have the entry.
    type: str
  registry_username:
    description:
      - With O(registry), only entries with this user name.
    type: str
  links:
    description:
      - Also read the service accounts, for RV(links) and for the links in RV(as_variables).
    type: bool
    default: true
  include_opaque:
    description:
      - Also read the secrets of the type C(Opaque), to find registry credentials there. Nothing uses them, but somebody
        may have meant them to be used.
      - Other types that hold no registry credentials are never read.
    type: bool
    default: false
  expires_within:
    description:
      - Report the problem V(credential_expires) for credentials that expire within so many hours. The default V(0)
        reports those that have expired.
      - This concerns only credentials that contain their expiry, such as tokens of Amazon ECR, which are valid for
        twelve hours, and JSON Web Tokens.
    type: int
    default: 0
    version_added: 1.0.0
  explain_for:
    description:
      - Pull specs of images. RV(explanations) says for each of them, in each namespace, which credential an import
        uses.
      - If the caller may not list the secrets of a namespace, its explanations say so, and the task does not fail.
    type: list
    elements: str
notes:
  - The rights needed are C(list) of C(secrets) and, unless O(links=false), of C(serviceaccounts), in the namespaces or
    in the whole cluster. For O(namespace_label_selectors) also C(list) of C(namespaces). Whoever may list secrets may
    read them; this module shows no value.
  - The secrets that the cluster keeps for its own registry, one for each service account, count in RV(explanations),
    and are left out everywhere else.
  - An import that no secret of the namespace matches uses the cluster's global pull secret, which you can read with
    O(namespace=openshift-config) and O(name=pull-secret).
seealso:
  - module: quayside.openshift_images.pull_secret
  - module: quayside.openshift_images.sa_secret_link
  - module: quayside.openshift_images.image_stream_info
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: Describe the registry access of a namespace
  quayside.openshift_images.registry_access_info:
    namespace: shop
  register: access

- name: Say what is wrong with it
  ansible.builtin.debug:
    msg: "{{ access.secrets | map(attribute='problems') | flatten | map(attribute='message') | list }}"

- name: Which credential does an import of these images use
  quayside.openshift_images.registry_access_info:
    namespaces: [shop, billing]
    links: false
    explain_for:
      - registry.example.com:5000/team/web:v1
      - quay.io/example/tool
  register: access

- name: Say it
  ansible.builtin.debug:
    msg: "{{ access.explanations | map(attribute='sentence') | list }}"

- name: Find where a credential for this registry is
  quayside.openshift_images.registry_access_info:
    registry: registry.example.com:5000
    skip_namespaces: ["openshift-*", "kube-*"]
  register: holders

- name: Take the pull secrets and links of a namespace into variables
  quayside.openshift_images.registry_access_info:
    namespace: shop
  register: adopted

- name: Show the variables, and what has still to be filled in
  ansible.builtin.debug:
    msg:
      registry_access_secrets: "{{ adopted.as_variables }}"
      to_be_defined: "{{ adopted.placeholders | map(attribute='variable') | list }}"
"""

RETURN = r"""
secrets:
  description: The secrets with registry credentials, in order of namespace and name.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the secret.
      type: str
      sample: shop
    name:
      description: Name of the secret.
      type: str
      sample: registry
    type:
      description: Type of the secret.
      type: str
      sample: kubernetes.io/dockerconfigjson
    managed_by:
      description: Who else reconciles the secret, such as Argo CD or External Secrets, V(null) if nobody is known to.
      type: str
      sample: null
    excluded:
      description: Whether its annotation keeps image imports from using it.
      type: bool
      sample: false
    registries:
      description: The registries it has entries for.
      type: list
      elements: dict
      contains:
        registry:
          description: The registry as the secret writes it.
          type: str
          sample: registry.example.com:5000
        username:
          description: The user name, V(null) if there is none, or if the entry cannot be decoded.
          type: str
          sample: puller
        expires_at:
          description: When the credential ends, in UTC, V(null) if it does not say so itself.
          type: str
          sample: "2026-01-31T12:00:00Z"
        email:
          description: The e-mail address that is stored with it.
          type: str
          sample: puller@example.com
    problems:
      description: What is wrong with it.
      type: list
      elements: dict
      contains:
        problem:
          description:
            - V(malformed) (it, or an entry, cannot be decoded), V(type_not_read) (nothing in the cluster reads its
              type), V(doubtful_key) (a key that matches no image, or fewer than it seems to), V(no_credential) (an
              entry without user name and password), V(identity_token_only) (which imports and pods do not understand),
              V(credential_expires) (it has ended, or ends within O(expires_within) hours), or V(hidden) (another entry
              is used instead).
          type: str
          sample: hidden
        registry:
          description: The key of the entry, V(null) if the whole secret is meant.
          type: str
          sample: registry.example.com:5000
        message:
          description: The sentence about it.
          type: str
          sample: >-
            The secret "registry" in the namespace "shop" has an entry for "registry.example.com:5000" that no import
            uses: the secret
            "a-copy" has another credential for it and comes first, because secrets are tried in the order of their
            names.
links:
  description: The service accounts that have any link, in order of namespace and name.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the service account.
      type: str
      sample: shop
    service_account:
      description: Name of the service account.
      type: str
      sample: default
    pull:
      description: The secrets that pods and builds pull with, without those that the cluster itself keeps.
      type: list
      elements: str
      sample: [registry]
    mount:
      description: The secrets that pods may mount, likewise.
      type: list
      elements: str
      sample: []
    ineffective:
      description: Names in C(pull) of which there is no secret that could be pulled with.
      type: list
      elements: str
      sample: []
    managed_by:
      description: Who else reconciles the service account, V(null) if nobody is known to.
      type: str
      sample: null
    managed:
      description: The secret that the cluster itself keeps for the service account.
      type: str
      sample: default-dockercfg-x7k2p
explanations:
  description: For each namespace and image, which credential an import of the image uses.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace.
      type: str
      sample: shop
    image:
      description: The image, as it was given.
      type: str
      sample: registry.example.com:5000/team/web:v1
    result:
      description:
        - V(used) (an entry matches), V(anonymous) (one matches that has no credential), V(no_match), V(broken) (a
          malformed secret makes every import of the namespace fail), or V(not_allowed) (the secrets may not be listed).
      type: str
      sample: used
    sentence:
      description: The explanation.
      type: str
      sample: >-
        For registry.example.com:5000/team/web:v1 the API server uses the key "registry.example.com:5000" of the secret
        "registry"
        (user "puller").
    secret:
      description: The secret that is used, or that is malformed.
      type: str
      sample: registry
    key:
      description: The key of the entry that is used.
      type: str
      sample: registry.example.com:5000
    username:
      description: The user name of the entry that is used.
      type: str
      sample: puller
    wanted_key:
      description: The key that would match, if none does or none could be read.
      type: str
      sample: null
    mirrors:
      description:
        - The same for the image in each mirror of the cluster, in the order in which imports try them, with its name
          there as RV(explanations[].image). Imports try the image's own registry last.
        - V(null) if the caller may not list the cluster's mirror sets.
      type: list
      elements: dict
      sample: []
as_variables:
  description:
    - The secrets with their links as C(registry_access_secrets) of the role, with a template for each credential.
    - A user name or an address may look like a template, too. P(quayside.openshift_images.adopted_variables#filter)
      writes them so that Ansible never evaluates them.
  returned: when the options were valid
  type: list
  elements: dict
  sample:
    - name: registry
      namespaces: [shop, billing]
      registries:
        - registry: registry.example.com:5000
          username: puller
          password: "{{ registry_access_password_registry_example_com_5000 }}"
      link:
        - service_accounts: [default]
          for: [pull]
placeholders:
  description: The variables in RV(as_variables) that you have to define, one for each different credential.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    variable:
      description: Name of the variable.
      type: str
      sample: registry_access_password_registry_example_com_5000
    kind:
      description: What its value is, V(password), V(identity_token), or V(auth) (the base64 of C(user:password)) if
        that is not text.
      type: str
      sample: password
    registry:
      description: The registry.
      type: str
      sample: registry.example.com:5000
    username:
      description: The user.
      type: str
      sample: puller
    secrets:
      description: The secrets with this credential, each as C(namespace/name).
      type: list
      elements: str
      sample: [shop/registry, billing/registry]
not_in_variables:
  description: What RV(as_variables) cannot express, and therefore leaves out. The role keeps it as it is.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    namespace:
      description: Namespace of the secret.
      type: str
      sample: shop
    name:
      description: Name of the secret.
      type: str
      sample: broken
    registry:
      description: The key of the entry, V(null) if the whole secret is meant.
      type: str
      sample: null
    reason:
      description: Why.
      type: str
      sample: it has an entry that cannot be decoded, with which nothing can be merged
related:
  description:
    - With O(registry), the entries that it leaves out although they are for the same host and port, such as those for a
      path. Each has C(namespace), C(name) of the secret, C(registry), which is the key, and C(username). With
      O(registry_username), only those of this user.
  returned: when the options were valid
  type: list
  elements: dict
  sample: []
failed_namespaces:
  description: Namespaces that could not be read, each with C(namespace) and C(error). The task fails, and returns what
    was read of the others.
  returned: when the options were valid
  type: list
  elements: dict
  sample: []
hosted:
  description:
    - Whether another cluster hosts the control plane of this one, so that nodes pull with
      C(kube-system/additional-pull-secret), too. V(null) unless the cluster's global pull secret was requested with
      O(namespace) and O(name), or if the caller may not know it.
  returned: when the options were valid
  type: bool
  sample: null
summary:
  description: How much was found.
  returned: when the options were valid
  type: dict
  contains:
    namespaces:
      description: Namespaces that were read; if all were, those with a secret or a service account.
      type: int
      sample: 2
    secrets:
      description: Secrets that are described.
      type: int
      sample: 2
    registries:
      description: Entries in them.
      type: int
      sample: 2
    linked_service_accounts:
      description: Service accounts with any link.
      type: int
      sample: 2
    problems:
      description: Problems.
      type: int
      sample: 0
    failed_namespaces:
      description: Namespaces that could not be read.
      type: int
      sample: 0
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.hosted import Hosting
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.places import GLOBAL
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.desired import access_selection
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.mirrors import observe_mirrors
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.observed import observe_access
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.report import report_access


def argument_spec() -> ArgumentSpec:
    """Return the options of this module together with those of cluster access."""
    own = ArgumentSpec(
        {
            "namespace": {"type": "str"},
            "namespaces": {"type": "list", "elements": "str"},
            "namespace_label_selectors": {"type": "list", "elements": "str"},
            "skip_namespaces": {"type": "list", "elements": "str"},
            "name": {"type": "str"},
            "registry": {"type": "str"},
            "registry_username": {"type": "str"},
            "links": {"type": "bool", "default": True},
            "include_opaque": {"type": "bool", "default": False},
            "explain_for": {"type": "list", "elements": "str"},
            "expires_within": {"type": "int", "default": 0},
            "concurrency": {"type": "int", "default": 8},
        },
        mutually_exclusive=[("namespace", "namespaces", "namespace_label_selectors")],
    )
    return own.merge(cluster_argument_spec())


def work(context: ModuleContext) -> Report:
    """Options, observed, report.

    What was read is not masked: nothing of it but names gets into the report, and masking a password that is also a
    part of such a name (a user "team" with the password "team") would make the variables useless.
    """
    wanted = access_selection(context.params)
    client = context.client(pool_size=wanted.concurrency)
    observed = observe_access(client, wanted, wanted.concurrency)
    report = report_access(wanted, observed, observe_mirrors(client) if wanted.images else None)
    report.results["hosted"] = None
    if any((namespace, wanted.name) == GLOBAL for namespace in wanted.namespaces or ()):
        hosting = Hosting(client)
        hosting.is_hosted()
        report.results["hosted"] = hosting.answer
        report.warnings += [hosting.warning] if hosting.warning else []
    return report


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

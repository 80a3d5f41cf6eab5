#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sa_secret_link
version_added: 1.0.0
short_description: Link secrets to service accounts
description:
  - Adds secrets to the lists of service accounts, and removes them, as C(oc secrets link) and C(oc secrets unlink) do,
    in one or many namespaces.
  - Only what the task names changes. Entries keep their order, and none is added twice.
  - Each service account is read, changed and written back with its C(resourceVersion). If somebody else has changed it
    in between, it is read again, so no entry of a concurrent writer is ever lost.
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
      - A secret that does not exist yet is an error outside check mode. In check mode it is a warning, because an
        earlier task may be about to create it.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  service_accounts:
    description:
      - The names of the service accounts.
    type: list
    elements: str
    required: true
    aliases: [service_account]
  secrets:
    description:
      - The names of the secrets.
      - With O(state=exact), the list may be empty. Then only the secrets that the cluster keeps for itself stay linked.
    type: list
    elements: str
    required: true
  for:
    description:
      - V(pull) is the list C(imagePullSecrets), with which pods and builds of the service account pull images.
      - V(mount) is the list C(secrets), which pods may mount.
      - A list that is not named here does not change, whatever O(state) says.
    type: list
    elements: str
    choices: [pull, mount]
    default: [pull]
  state:
    description:
      - V(present) adds the secrets that are missing from the lists, and keeps all others. A secret that gets a new link
        must exist.
      - V(absent) removes the secrets from the lists. Neither they nor the service account need to exist.
      - V(exact) makes the secrets the only entries of the lists, apart from those that the cluster keeps for the
        service account itself, which are named in its annotation C(openshift.io/internal-registry-pull-secret-ref) or
        like C(builder-dockercfg-x7k2p) and C(builder-token-x7k2p).
    type: str
    choices: [present, absent, exact]
    default: present
  pending_secrets:
    description:
      - For check mode only. Secrets that an earlier task of the play would have created, so that check mode does not
        warn about them. The role quayside.openshift_images.registry_access passes those that it creates itself.
    type: list
    elements: str
  take_over:
    description:
      - Write service accounts even if somebody else reconciles them, such as Argo CD or Flux, who will undo the change.
      - Otherwise such an account is not changed, and the task fails with the owner's name, which
        RV(service_accounts[].managed_by) contains, too.
      - For accounts of Helm charts and of the Operator Lifecycle Manager, there is only a warning.
    type: bool
    default: false
    version_added: 1.0.0
  wait_timeout:
    description:
      - How many seconds to wait for a service account that does not exist yet. The cluster creates V(default),
        V(builder) and V(deployer) a moment after their namespace.
      - A missing namespace is an error at once.
    type: int
    default: 30
  wait_sleep:
    description:
      - How many seconds to wait before the module looks for a service account again.
    type: int
    default: 1
notes:
  - Image imports do not look at links. They use every registry secret of their namespace.
  - Without the right to read secrets, the module assumes that the secrets exist.
seealso:
  - module: quayside.openshift_images.pull_secret
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: Let the pods of two service accounts pull with the secret
  quayside.openshift_images.sa_secret_link:
    namespace: shop
    service_accounts: [default, builder]
    secrets: [registry]

- name: Link for pulling and mounting, in several namespaces
  quayside.openshift_images.sa_secret_link:
    namespaces: [shop, shop-test]
    service_account: builder
    secrets: [registry, quay]
    for: [pull, mount]

- name: Nothing but this secret, and what the cluster keeps for itself
  quayside.openshift_images.sa_secret_link:
    namespace: shop
    service_account: default
    secrets: [registry]
    state: exact

- name: Take a secret out of the pull list
  quayside.openshift_images.sa_secret_link:
    namespace: shop
    service_account: default
    secrets: [old-registry]
    state: absent
"""

RETURN = r"""
service_accounts:
  description: The result for each service account.
  returned: when the options were valid
  type: list
  elements: dict
  contains:
    namespace:
      description: The namespace.
      type: str
      sample: shop
    name:
      description: The name of the service account.
      type: str
      sample: default
    lists:
      description: The lists that the task is about; empty if there was an error.
      type: list
      elements: dict
      contains:
        for:
          description: V(pull) (C(imagePullSecrets)) or V(mount) (C(secrets)).
          type: str
          sample: pull
        secrets:
          description: The names in the list after the run.
          type: list
          elements: str
          sample: [default-dockercfg-x7k2p, registry]
        added:
          description: The names that were added.
          type: list
          elements: str
          sample: [registry]
        removed:
          description: The names that were removed.
          type: list
          elements: str
          sample: []
        changed:
          description: Whether the list changes.
          type: bool
          sample: true
        reasons:
          description: Why it changes. One or more of V(link_missing), V(not_wanted), V(not_listed), and
            V(linked_twice).
          type: list
          elements: str
          sample: [link_missing]
    changed:
      description: Whether the service account changes.
      type: bool
      sample: true
    reasons:
      description: The reasons of its lists.
      type: list
      elements: str
      sample: [link_missing]
    managed_by:
      description: Who else reconciles the service account, V(null) if nobody is known to.
      type: str
      sample: null
    error:
      description: What went wrong with this service account, V(null) if nothing did.
      type: str
      sample: "serviceaccounts \"builder\" not found"
failed_service_accounts:
  description: The service accounts with which something went wrong, as C(namespace/name).
  returned: when the options were valid
  type: list
  elements: str
  sample: []
summary:
  description: How many service accounts had which outcome.
  returned: when the options were valid
  type: dict
  contains:
    service_accounts:
      description: The number of service accounts.
      type: int
      sample: 2
    changed:
      description: Those that changed.
      type: int
      sample: 1
    unchanged:
      description: Those that were already as declared.
      type: int
      sample: 1
    failed:
      description: Those with an error.
      type: int
      sample: 0
"""

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.concurrency import WIDTH
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.names import namespaces_from
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext, run_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.apply import LinkApplier
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.desired import (
    account_names,
    desired_links,
    waiting_from,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.report import report_links


def argument_spec() -> ArgumentSpec:
    """Return the options of this module together with those of cluster access."""
    own = ArgumentSpec(
        {
            "namespace": {"type": "str"},
            "namespaces": {"type": "list", "elements": "str"},
            "service_accounts": {"type": "list", "elements": "str", "required": True, "aliases": ["service_account"]},
            # names of secrets, nothing that is secret itself
            "secrets": {"type": "list", "elements": "str", "required": True, "no_log": False},
            "for": {"type": "list", "elements": "str", "choices": ["pull", "mount"], "default": ["pull"]},
            "state": {"type": "str", "choices": ["present", "absent", "exact"], "default": "present"},
            # Names of secrets are no secrets.
            "pending_secrets": {"type": "list", "elements": "str", "no_log": False},
            "take_over": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 30},
            "wait_sleep": {"type": "int", "default": 1},
        },
        mutually_exclusive=[["namespace", "namespaces"]],
        required_one_of=[["namespace", "namespaces"]],
    )
    return own.merge(cluster_argument_spec())


def work(context: ModuleContext) -> Report:
    """Take the road: options, desired, observed, plan, apply, report."""
    accounts = account_names(namespaces_from(context.params), context.params)
    desired = desired_links(context.params)
    waiting = waiting_from(context.params)
    client = context.client(pool_size=WIDTH)
    applier = LinkApplier(client, desired, check_mode=context.check_mode, mask=context.mask, waiting=waiting)
    return report_links(applier.converge_all(accounts))


def main() -> None:
    run_module(argument_spec(), work)


if __name__ == "__main__":
    main()

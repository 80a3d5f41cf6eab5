# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a pull secret from the flat answers of a survey and the values of a credential."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils._survey import pull_secrets

DOCUMENTATION = r"""
name: pull_secrets_from_survey
short_description: Reads a pull secret from the answers of a survey
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Turns the flat answers of a survey of AWX, and what its credential injects, into what
    P(quayside.openshift_images.registry_access#role) takes as
    O(quayside.openshift_images.registry_access#role:main:registry_access_secrets).
  - Nothing is asked of a cluster or a registry, and no sentence about what is wrong repeats a credential.
options:
  _input:
    description: The answers.
    type: dict
    required: true
    suboptions:
      survey_namespaces:
        description: Namespaces that each get the secret, separated by commas, blanks or line ends. Without any there is
          no secret.
        type: str
      survey_secret:
        description: Name of the secret.
        type: str
      survey_service_accounts:
        description: Service accounts that pull with the secret, separated likewise.
        type: str
      credential_registry:
        description: The registry as C(host[:port][/path]).
        type: str
      credential_username:
        description: The user name.
        type: str
      credential_password:
        description: The password or token of the user.
        type: str
      credential_auth_file:
        description: Path of a Docker C(config.json) or Podman C(auth.json) instead, or besides.
        type: str
"""

EXAMPLES = r"""
- name: Say for which namespaces a survey asks for a secret
  ansible.builtin.debug:
    msg: "{{ (answers | quayside.openshift_images.pull_secrets_from_survey).entries | map(attribute='namespaces') }}"
  vars:
    answers:
      survey_namespaces: shop, billing
      survey_secret: registry
      credential_auth_file: /run/credentials/auth.json
"""

RETURN = r"""
_value:
  description: What was read.
  type: dict
  contains:
    entries:
      description: The pull secret, if one is asked for.
      type: list
      elements: dict
    problems:
      description: One sentence for each thing that is wrong. With any of them, the entries are not to be used.
      type: list
      elements: str
"""


def pull_secrets_from_survey(answers: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    return pull_secrets(answers)._asdict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"pull_secrets_from_survey": pull_secrets_from_survey}

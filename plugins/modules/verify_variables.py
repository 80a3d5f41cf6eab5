#!/usr/bin/python
# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action plugin of this name does the work, where Ansible runs.

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_variables
version_added: 1.0.0
short_description: Check the variables of the collection's roles before anything is done
description:
  - Fails with one line for each variable with a value that the roles do not take, with its place, and for each
    undefined variable inside a given one.
  - Warns of variables that look like those of the collection but are not, for example because a letter is missing.
  - The roles and playbooks of the collection begin with it. No line repeats a credential.
extends_documentation_fragment:
  - quayside.openshift_images._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  roles:
    description: Names of the roles whose variables are checked, without the name of the collection.
    type: list
    elements: str
    default: []
  playbook:
    description: Name of a playbook whose variables are checked, without the name of the collection.
    type: str
  problems:
    description: More lines about what is wrong. If there are any, the task fails.
    type: list
    elements: str
    default: []
  values:
    description: Check the values of the variables, too. Otherwise only undefined variables inside them are errors.
    type: bool
    default: true
  run_tags:
    description: The tags of the run, C(ansible_run_tags). A role is in RV(roles) only if its name is one of them, or
      all are run.
    type: list
    elements: str
    default: [all]
  skip_tags:
    description: The tags that the run skips, C(ansible_skip_tags).
    type: list
    elements: str
    default: []
seealso:
  - name: Troubleshooting
    description: What each message means, and what to do about it.
    link: https://github.com/quayside/openshift_images/blob/main/docs/troubleshooting.md
author:
  - quayside contributors (@quayside)
"""

EXAMPLES = r"""
- name: Verify the variables before the first cluster is asked
  quayside.openshift_images.verify_variables:
    roles: [registry_access, image_streams]
"""

RETURN = r"""
roles:
  description: The roles whose variables ask for work.
  returned: success
  type: list
  elements: str
  sample: [registry_access]
"""

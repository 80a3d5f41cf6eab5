# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what a cluster has as a variables file."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.plugin_utils._adopted_file import adopted_file

DOCUMENTATION = r"""
name: adopted_variables
short_description: Writes what a cluster has as a variables file
version_added: 1.0.0
author:
  - quayside contributors (@quayside)
description:
  - Turns what M(quayside.openshift_images.image_stream_info) and M(quayside.openshift_images.registry_access_info) read
    from a cluster into the text of a variables file for the playbook C(quayside.openshift_images.site). The playbook
    C(quayside.openshift_images.adopt) does this for whole clusters.
  - The names of the variables that hold credentials are the only templates in the text. What came from the cluster and
    looks like a template carries the tag C(!unsafe), so that Ansible never runs it.
  - What the options of the modules would refuse is left out, one tag or secret at a time, and named.
  - What somebody else reconciles, such as Argo CD, is included and named.
positional: _input, access
options:
  _input:
    description: The return value C(streams) of M(quayside.openshift_images.image_stream_info).
    type: list
    elements: dict
    required: true
  access:
    description: The return values of M(quayside.openshift_images.registry_access_info).
    type: dict
    required: true
  cluster:
    description: What the head of the file calls the cluster.
    type: str
    required: true
  skip:
    description: Globs of namespaces whose image streams are left out.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Read the image streams of one namespace
  quayside.openshift_images.image_stream_info:
    namespace: shop
  register: found_streams

- name: Read its pull secrets and their links
  quayside.openshift_images.registry_access_info:
    namespace: shop
  register: found_access

- name: Write them as variables
  ansible.builtin.copy:
    content: "{{ (found_streams.streams | quayside.openshift_images.adopted_variables(found_access,
    cluster='shop')).text }}"
    dest: shop.yml
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The text, and what it contains.
  type: dict
  contains:
    text:
      description: The text of the variables file.
      type: str
    image_streams:
      description: How many image streams are in it.
      type: int
    pull_secrets:
      description: How many pull secrets are in it, each counted once for each of its namespaces.
      type: int
    to_be_defined:
      description: The variables that hold credentials.
      type: list
      elements: str
    left_out:
      description: One line for each object that is not in the text, with the reason.
      type: list
      elements: str
    managed_by:
      description: One line for each object in the text that somebody else reconciles, with its owner.
      type: list
      elements: str
"""


def adopted_variables(
    streams: list[dict[str, t.Any]], access: dict[str, t.Any], cluster: str, skip: t.Sequence[str] = ()
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    return adopted_file(streams, access, cluster, skip)._asdict()


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"adopted_variables": adopted_variables}

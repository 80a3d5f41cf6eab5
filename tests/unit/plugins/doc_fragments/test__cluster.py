# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the cluster options says what the specification says."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.doc_fragments import _attributes, _cluster
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec

DOCUMENTED: dict[str, t.Any] = yaml.safe_load(_cluster.ModuleDocFragment.DOCUMENTATION)["options"]


def shape(options: dict[str, t.Any], inner: str) -> dict[str, t.Any]:
    """Names, types, element types, aliases, defaults and choices, of suboptions too."""
    facts = ("type", "elements", "aliases", "default", "choices", "required")
    return {
        name: {**{fact: option[fact] for fact in facts if fact in option}, "inner": shape(option.get(inner, {}), inner)}
        for name, option in options.items()
    }


def test_options_agree() -> None:
    assert shape(DOCUMENTED, "suboptions") == shape(cluster_argument_spec().options, "options")


def flat(options: dict[str, t.Any], inner: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for name, option in options.items():
        found[name] = option
        found.update({f"{name}.{key}": value for key, value in flat(option.get(inner, {}), inner).items()})
    return found


@pytest.mark.parametrize("name", sorted(flat(DOCUMENTED, "suboptions")))
def test_environment_variables_agree(name: str) -> None:
    text = " ".join(flat(DOCUMENTED, "suboptions")[name]["description"])
    said = re.findall(r"E\((K8S_AUTH_\w+)\)", text)
    fallback = flat(cluster_argument_spec().options, "options")[name].get("fallback")
    assert said == (fallback[1] if fallback else [])


@pytest.mark.parametrize("name", ["DOCUMENTATION", "INFO_MODULE", "ACTIONGROUP_OPENSHIFT"])
def test_attributes_are_documented(name: str) -> None:
    attributes = yaml.safe_load(getattr(_attributes.ModuleDocFragment, name))["attributes"]
    expected = ["action_group"] if name == "ACTIONGROUP_OPENSHIFT" else ["check_mode", "diff_mode", "idempotent"]
    assert list(attributes) == expected

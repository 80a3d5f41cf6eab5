# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specifications are put together, and no option is defined twice."""

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.argument_spec import ArgumentSpec


def test_merge_joins_options_and_constraints() -> None:
    left = ArgumentSpec(
        {"a": {}}, mutually_exclusive=[("a", "b")], required_if=[("a", 1, ["b"])], required_by={"a": "b"}
    )
    right = ArgumentSpec(
        {"b": {}}, required_one_of=[("a", "b")], required_together=[("a", "b")], required_by={"b": "a"}
    )
    assert left.merge(right).to_kwargs() == {
        "argument_spec": {"a": {}, "b": {}},
        "mutually_exclusive": [("a", "b")],
        "required_one_of": [("a", "b")],
        "required_together": [("a", "b")],
        "required_if": [("a", 1, ["b"])],
        "required_by": {"a": "b", "b": "a"},
    }
    assert left.options == {"a": {}}


def test_merge_refuses_an_option_defined_twice() -> None:
    with pytest.raises(ValueError, match="options defined twice: a"):
        ArgumentSpec({"a": {}}).merge(ArgumentSpec({"a": {}, "b": {}}))

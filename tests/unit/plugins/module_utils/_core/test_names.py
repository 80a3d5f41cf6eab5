# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.names import (
    check_object_name,
    names_from,
    namespaces_from,
)


@pytest.mark.parametrize("name", ["a", "pull-secret", "a.b-c.d", "0", "x" * 253])
def test_names_of_objects(name: str) -> None:
    check_object_name("name", name)


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a/b", "x" * 254, "a\n"])
def test_names_that_no_object_can_have(name: str) -> None:
    with pytest.raises(InputError, match="name: "):
        check_object_name("name", name)


def test_names_are_taken_once() -> None:
    assert names_from("secrets", ["b", "a", "b"]) == ("b", "a")
    with pytest.raises(InputError, match="secrets: the list is empty; give at least one name"):
        names_from("secrets", [])


def test_namespaces_of_either_option() -> None:
    assert namespaces_from({"namespace": "shop", "namespaces": None}) == ("shop",)
    assert namespaces_from({"namespace": None, "namespaces": ["b", "a", "b"]}) == ("b", "a")
    with pytest.raises(InputError, match="namespaces: the list is empty; give at least one namespace"):
        namespaces_from({"namespace": None, "namespaces": []})
    with pytest.raises(InputError, match='"Shop" is not a namespace name'):
        namespaces_from({"namespace": "Shop", "namespaces": None})

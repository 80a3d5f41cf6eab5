# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""String options that YAML has made numbers of."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import stream_options
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.unquoted import unquoted_options

SPEC = {
    **stream_options(),
    "password": {"type": "str", "no_log": True},
    "timeout": {"type": "int"},
    "labels": {"type": "dict"},
    "other": {"type": "str", "aliases": ["another"]},
    "login": {"type": "dict", "options": {"user": {}}},
}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"tags": [{"name": 3.1, "from": "r/web:3.10"}, {"name": "v1", "from": 15}]}, ["tags[0].name", "tags[1].from"]),
        ({"tag_patterns": ["v*", 1]}, ["tag_patterns[1]"]),
        ({"password": 42798}, ["password"]),
        ({"another": True}, ["another"]),
        ({"login": {"user": 7}}, ["login.user"]),
        ({"timeout": 5, "insecure": True, "purge_limit": 0, "labels": {"a": 1}, "name": None, "namespace": "017"}, []),
        ({"tags": "no list", "login": "no mapping"}, []),
    ],
)
def test_they_are_found_wherever_they_are(params: dict[str, t.Any], found: list[str]) -> None:
    assert unquoted_options(SPEC, params) == found

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option that takes a credential is marked as one: in modules and in roles, whoever adds the next."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from security.specs import MODULES, ROLES, ROOT, options_of, shown_although_suspect

# What sounds like a credential and is none, by the last part of its path, and why.
_HARMLESS = {
    "secrets": "names of secrets, or secrets whose credentials inside are marked one by one",
    "pending_secrets": "names of secrets",
    "registry_access_secrets": "credentials inside are marked one by one",
    "samples_registry_secret": "a name of a secret",
    "registry_access_survey_secret": "a name of a secret",
    "samples_registry_credentials": "credentials inside are marked one by one",
    "cluster_pull_secret": "credentials inside are marked one by one",
    "pending_credentials": "keys of registries, for check mode",
    "image_streams_pending_credentials": "keys of registries, for check mode",
    "client_key": "a path",
    "from_secret": "namespace and name of a secret",
    "registry_access_credential_registry": "a key of a registry",
    "registry_access_credential_username": "a user name",
}


def suspects(options: t.Mapping[str, t.Any], prefix: str = "") -> set[str]:
    found = {path[-1] for path in shown_although_suspect(options, prefix)}
    return {name for name in found if name not in _HARMLESS and not name.endswith("auth_file")}


def role_options(role: str) -> dict[str, t.Any]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", specs["argument_specs"]["main"]["options"])


@pytest.mark.parametrize("module", MODULES)
def test_no_option_of_a_module_sounds_like_a_credential_and_is_shown(module: str) -> None:
    assert suspects(options_of(module)) == set()


@pytest.mark.parametrize("role", ROLES)
def test_no_variable_of_a_role_sounds_like_a_credential_and_is_shown(role: str) -> None:
    assert suspects(role_options(role), f"{role}_") == set()

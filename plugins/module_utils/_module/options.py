# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that more than one module takes: a pull secret and an image stream as they are declared.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._credentials.secret_types import DATA_KEYS, DOCKER_CONFIG_JSON

Options = dict[str, dict[str, t.Any]]

_POLICY_OPTIONS: Options = {
    "import_mode": {"type": "str"},
    "reference_policy": {"type": "str"},
    "scheduled": {"type": "bool"},
    "insecure": {"type": "bool"},
    "prefer_architecture": {"type": "str"},
    "prefer_os": {"type": "str"},
}


def registry_logins(**further: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the option ``registries`` that holds credentials; ``further`` are suboptions besides those."""
    return {
        "type": "list",
        "elements": "dict",
        "options": {
            "registry": {"type": "str", "required": True},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "auth": {"type": "str", "no_log": True},
            "identity_token": {"type": "str", "no_log": True},
            **further,
        },
        "mutually_exclusive": [["username", "auth", "identity_token"]],
        "required_together": [["username", "password"]],
    }


def registries_option() -> dict[str, t.Any]:
    """Return the option for registries with their credentials."""
    return registry_logins(
        email={"type": "str"},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        insecure={"type": "bool", "default": False},
        ca_cert={"type": "path"},
        # the name of a secret, nothing that is secret itself
        from_secret={
            "type": "dict",
            "no_log": False,
            "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
        },
    )


def secret_options() -> Options:
    """Return the options that declare a pull secret, without its namespaces."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "registries": registries_option(),
        "auth_file": {"type": "path"},
        "auth_content": {"type": "raw", "no_log": True},
        "only": {"type": "list", "elements": "str"},
        "update": {"type": "str", "choices": ["merge", "replace"], "default": "merge"},
        "type": {"type": "str", "choices": list(DATA_KEYS), "default": DOCKER_CONFIG_JSON},
        "recreate": {"type": "bool", "default": False},
        "verify": {"type": "bool", "default": False},
        "verify_ca_cert": {"type": "path"},
        "verify_insecure": {"type": "list", "elements": "str"},
        "exclude_from_import": {"type": "bool"},
        "labels": {"type": "dict"},
        "annotations": {"type": "dict"},
        "take_over": {"type": "bool", "default": False},
    }


def stream_options() -> Options:
    """Return the options that declare an image stream."""
    tag: Options = {"name": {"type": "str", "required": True}, "from": {"type": "str", "required": True}}
    return {
        "namespace": {"type": "str"},
        "name": {"type": "str"},
        "tags": {"type": "list", "elements": "dict", "options": {**tag, **_POLICY_OPTIONS}},
        "repository": {"type": "str"},
        "tag_patterns": {"type": "list", "elements": "str"},
        **_POLICY_OPTIONS,
        "lookup_policy_local": {"type": "bool"},
        "purge_tags": {"type": "bool"},
        "purge_limit": {"type": "int"},
        "take_over": {"type": "bool"},
        "refresh": {"type": "str", "choices": ["missing", "drifted", "always"]},
        "state": {"type": "str", "choices": ["present", "absent"]},
    }


def pending_credentials_option() -> dict[str, t.Any]:
    """Return the option for credentials that check mode counts on."""
    return {
        "type": "list",
        "elements": "dict",
        # Keys name registries, not credentials.
        "no_log": False,
        "options": {
            "namespace": {"type": "str", "required": True},
            "registries": {"type": "list", "elements": "str", "required": True},
        },
    }

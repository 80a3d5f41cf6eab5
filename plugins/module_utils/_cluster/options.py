# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of cluster access, and where their values came from.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleFallbackNotFound

from .._core.argument_spec import ArgumentSpec


def env_fallback_nonempty(*names: str) -> str:
    """Return the first of the environment variables that is set to something; an empty one counts as unset.

    Automation controllers inject empty strings for what was left out, and an empty string is no boolean.
    """
    for name in names:
        value = os.environ.get(name)
        if value:
            return value
    raise AnsibleFallbackNotFound


def environment_names(option: str) -> tuple[str, ...]:
    """Return the environment variables of a cluster option, first one first."""
    names = [option, *CLUSTER_OPTIONS[option].get("aliases", ())]
    return tuple(f"K8S_AUTH_{name.upper()}" for name in names)


def in_environment(option: str, value: t.Any) -> str | None:
    """Return the environment variable that holds this value of a cluster option; None if there is none."""
    return next((name for name in environment_names(option) if value and os.environ.get(name) == value), None)


def environment_value(option: str) -> str | None:
    """Return what the environment gives for a cluster option; an empty variable counts as unset."""
    return next((os.environ[name] for name in environment_names(option) if os.environ.get(name)), None)


def option_origin(option: str, value: t.Any) -> str:
    """Return in words where a cluster option's value came from.

    The environment variable that holds it, or the task's option.
    """
    variable = in_environment(option, value)
    return f"the environment variable {variable}" if variable else f"the option {option}"


def _proxy_header(name: str, **extra: t.Any) -> dict[str, t.Any]:
    return {"type": "str", "fallback": (env_fallback_nonempty, [f"K8S_AUTH_PROXY_HEADERS_{name.upper()}"]), **extra}


# The options of kubernetes.core by name, type and alias; cluster_argument_spec() adds each one's environment variables.
CLUSTER_OPTIONS: dict[str, dict[str, t.Any]] = {
    "kubeconfig": {"type": "raw"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    # a path, not the key itself
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {
        "type": "dict",
        # without it Ansible would not look at the environment variables below when the option is left out
        "apply_defaults": True,
        "options": {
            "proxy_basic_auth": _proxy_header("proxy_basic_auth", no_log=True),
            "basic_auth": _proxy_header("basic_auth", no_log=True),
            "user_agent": _proxy_header("user_agent"),
        },
    },
    "persist_config": {"type": "bool"},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}


def cluster_argument_spec() -> ArgumentSpec:
    """Return the options of cluster access.

    Each is also read from its ``K8S_AUTH_*`` environment variables if the task leaves it out.
    """
    options: dict[str, dict[str, t.Any]] = {}
    for name, definition in CLUSTER_OPTIONS.items():
        options[name] = dict(definition)
        if name != "proxy_headers":
            options[name]["fallback"] = (env_fallback_nonempty, list(environment_names(name)))
    return ArgumentSpec(options)

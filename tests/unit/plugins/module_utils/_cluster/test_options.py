# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import (
    CLUSTER_OPTIONS,
    cluster_argument_spec,
    environment_names,
    option_origin,
)

RunModule = t.Callable[..., t.Any]

# kubernetes.core's table: option -> type, aliases, environment variables
TABLE: dict[str, tuple[str, list[str], list[str]]] = {
    "kubeconfig": ("raw", [], ["K8S_AUTH_KUBECONFIG"]),
    "context": ("str", [], ["K8S_AUTH_CONTEXT"]),
    "host": ("str", [], ["K8S_AUTH_HOST"]),
    "api_key": ("str", [], ["K8S_AUTH_API_KEY"]),
    "username": ("str", [], ["K8S_AUTH_USERNAME"]),
    "password": ("str", [], ["K8S_AUTH_PASSWORD"]),
    "validate_certs": ("bool", ["verify_ssl"], ["K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_VERIFY_SSL"]),
    "ca_cert": ("path", ["ssl_ca_cert"], ["K8S_AUTH_CA_CERT", "K8S_AUTH_SSL_CA_CERT"]),
    "client_cert": ("path", ["cert_file"], ["K8S_AUTH_CLIENT_CERT", "K8S_AUTH_CERT_FILE"]),
    "client_key": ("path", ["key_file"], ["K8S_AUTH_CLIENT_KEY", "K8S_AUTH_KEY_FILE"]),
    "proxy": ("str", [], ["K8S_AUTH_PROXY"]),
    "no_proxy": ("str", [], ["K8S_AUTH_NO_PROXY"]),
    "persist_config": ("bool", [], ["K8S_AUTH_PERSIST_CONFIG"]),
    "impersonate_user": ("str", [], ["K8S_AUTH_IMPERSONATE_USER"]),
    "impersonate_groups": ("list", [], ["K8S_AUTH_IMPERSONATE_GROUPS"]),
}


def show_params() -> None:
    module = AnsibleModule(**cluster_argument_spec().to_kwargs())
    secrets = {"api_key", "password"}
    shown = {key: value for key, value in module.params.items() if key not in secrets}
    module.exit_json(
        shown=shown,
        lengths={key: len(module.params[key] or "") for key in secrets},
        message=f"the token is {module.params['api_key']}",
    )


def test_every_option_of_kubernetes_core_is_there_by_name_type_and_alias() -> None:
    options = cluster_argument_spec().options
    assert sorted(options) == sorted([*TABLE, "proxy_headers"])
    for name, (kind, aliases, variables) in TABLE.items():
        assert options[name]["type"] == kind, name
        assert options[name].get("aliases", []) == aliases, name
        assert options[name]["fallback"][1] == variables, name
        assert list(environment_names(name)) == variables, name
    assert options["impersonate_groups"]["elements"] == "str"
    headers = options["proxy_headers"]["options"]
    assert {name: header["fallback"][1] for name, header in headers.items()} == {
        "proxy_basic_auth": ["K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH"],
        "basic_auth": ["K8S_AUTH_PROXY_HEADERS_BASIC_AUTH"],
        "user_agent": ["K8S_AUTH_PROXY_HEADERS_USER_AGENT"],
    }


def test_secrets_are_marked_so() -> None:
    options = cluster_argument_spec().options
    assert [name for name in options if options[name].get("no_log")] == ["api_key", "password"]
    headers = options["proxy_headers"]["options"]
    assert [name for name in headers if headers[name].get("no_log")] == ["proxy_basic_auth", "basic_auth"]


def test_environment_is_converted_and_masked(run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "K8S_AUTH_HOST": "https://api.example.com:6443",
        "K8S_AUTH_API_KEY": "token-from-the-environment",
        "K8S_AUTH_VERIFY_SSL": "False",
        "K8S_AUTH_SSL_CA_CERT": "/etc/ca.pem",
        "K8S_AUTH_CERT_FILE": "/etc/cert.pem",
        "K8S_AUTH_KEY_FILE": "/etc/key.pem",
        "K8S_AUTH_IMPERSONATE_GROUPS": "g1,g2",
        "K8S_AUTH_PERSIST_CONFIG": "yes",
        "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH": "proxyuser:proxy-secret",
    }.items():
        monkeypatch.setenv(name, value)
    outcome = run_module_main(show_params, {})
    shown = outcome.result["shown"]
    assert shown["host"] == "https://api.example.com:6443"
    assert shown["validate_certs"] is False
    assert (shown["ca_cert"], shown["client_cert"], shown["client_key"]) == (
        "/etc/ca.pem",
        "/etc/cert.pem",
        "/etc/key.pem",
    )
    assert shown["impersonate_groups"] == ["g1", "g2"]
    assert shown["persist_config"] is True
    assert outcome.result["lengths"]["api_key"] == len("token-from-the-environment")
    assert "token-from-the-environment" not in outcome.text
    assert "proxy-secret" not in outcome.text


def test_empty_variables_count_as_unset(run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    # automation controllers inject empty texts; the second name of an option is then still looked at
    for variables in (variables for _kind, _aliases, variables in TABLE.values()):
        for variable in variables:
            monkeypatch.setenv(variable, "")
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "True")
    outcome = run_module_main(show_params, {})
    assert not outcome.failed
    assert outcome.result["shown"].pop("validate_certs") is True
    assert outcome.result["shown"].pop("proxy_headers") == {
        "basic_auth": None,
        "proxy_basic_auth": None,
        "user_agent": None,
    }
    assert set(outcome.result["shown"].values()) == {None}


def test_a_task_option_comes_before_the_environment(
    run_module_main: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", "https://environment.example.com")
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "False")
    outcome = run_module_main(show_params, {"host": "https://task.example.com", "verify_ssl": True})
    assert outcome.result["shown"]["host"] == "https://task.example.com"
    assert outcome.result["shown"]["validate_certs"] is True


def test_origin_names_the_variable_that_holds_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "abc")
    assert option_origin("api_key", "abc") == "the environment variable K8S_AUTH_API_KEY"
    assert option_origin("api_key", "other") == "the option api_key"
    monkeypatch.setenv("K8S_AUTH_CERT_FILE", "/c")
    assert option_origin("client_cert", "/c") == "the environment variable K8S_AUTH_CERT_FILE"


def test_specifications_are_independent_of_each_other() -> None:
    before = json.dumps({name: sorted(option) for name, option in CLUSTER_OPTIONS.items()})
    cluster_argument_spec().options["host"]["required"] = True
    assert "required" not in cluster_argument_spec().options["host"]
    assert json.dumps({name: sorted(option) for name, option in CLUSTER_OPTIONS.items()}) == before

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.kubeconfig import kubeconfig_secrets
from ansible_collections.quayside.openshift_images.plugins.module_utils._core import masking
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.masking import (
    basic_credential,
    contents_of_paths,
    derived_forms,
    is_content,
    misspelt_secrets,
    redact,
    register_secrets,
    scrub,
    url_passwords,
)


class FakeModule:
    def __init__(self) -> None:
        self.no_log_values: set[str] = set()


def test_every_form_of_a_secret_is_known() -> None:
    secret = 'pä"ss/w?rd\n'
    encoded = base64.b64encode(secret.encode()).decode()
    forms = derived_forms(secret)
    assert {
        secret,
        secret.strip(),
        encoded,
        encoded.rstrip("="),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
    } <= forms
    assert "" not in forms


def test_forms_of_nothing_are_none() -> None:
    assert derived_forms("") == set()


def test_basic_credential_is_utf8() -> None:
    assert base64.b64decode(basic_credential("jürgen", "gehëim")).decode() == "jürgen:gehëim"


def test_secrets_of_a_kubeconfig_are_found_wherever_they_stand() -> None:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "https://api", "certificate-authority-data": "Q0E="}}],
        "users": [
            {"name": "a", "user": {"token": "tok-1", "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}},
            {"name": "b", "user": {"username": "bob", "password": "pass-2"}},
            {
                "name": "c",
                "user": {
                    "exec": {
                        "command": "login",
                        "args": ["get-token", "--client-secret=arg-3", "--profile=dev"],
                        "env": [
                            {"name": "AWS_SECRET_ACCESS_KEY", "value": "env-4"},
                            {"name": "AWS_REGION", "value": "eu-west-1"},
                        ],
                    }
                },
            },
            {
                "name": "d",
                "user": {
                    "auth-provider": {
                        "config": {"id-token": "id-5", "refresh-token": "refresh-6", "client-secret": "client-7"}
                    }
                },
            },
        ],
    }
    assert kubeconfig_secrets(content) == {
        "tok-1", "S0VZ", "pass-2", basic_credential("bob", "pass-2"), "arg-3", "env-4", "id-5", "refresh-6", "client-7",
    }  # fmt: skip


@pytest.mark.parametrize("content", [None, "text", 3, [], {"users": None}, {"users": [None]}])
def test_no_secrets_in_other_things(content: object) -> None:
    assert kubeconfig_secrets(content) == set()


def test_registering_adds_every_form_to_the_module() -> None:
    module = FakeModule()
    forms = register_secrets(module, ["s3cret", ""])
    assert forms == derived_forms("s3cret")
    assert module.no_log_values == forms
    assert register_secrets(module, []) == set()


def test_the_secrets_api_of_newer_cores_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(masking, "ansible_register", registered.extend)
    module = FakeModule()
    register_secrets(module, ["s3cret"])
    assert set(registered) == derived_forms("s3cret") == module.no_log_values


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-ghi failed", "abc.def-ghi"),
        ("token sha256~AbCdEf_gh-12 refused", "sha256~AbCdEf_gh-12"),
        ("jwt eyJhbGciOi.eyJzdWIiOi.c2ln used", "eyJhbGciOi.eyJzdWIiOi.c2ln"),
        ("dial http://bob:hunter2@proxy:3128", "hunter2"),
    ],
)
def test_scrub_takes_out_what_has_the_shape_of_a_credential(text: str, secret: str) -> None:
    assert secret not in scrub(text)
    assert scrub(text).split()[0] == text.split()[0]


def test_scrub_leaves_plain_text() -> None:
    assert scrub("exec: process returned 3. no such profile: dev") == "exec: process returned 3. no such profile: dev"


def test_redact_takes_the_longest_form_first() -> None:
    text = redact("a=abcabc b=abc", {"abc", "abcabc"})
    assert "abc" not in text
    assert text.count("********") == 2


def test_passwords_in_urls_are_found_wherever_they_stand() -> None:
    value = {
        "host": "https://eve:p%40ss@api.example.com",
        "more": [{"proxy": "see http://eve:p@ss@proxy.example.com:3128"}, 1, None],
        "image": "h/a@sha256:0",
    }
    assert url_passwords(value) == {"p%40ss", "p@ss", basic_credential("eve", "p@ss")}


@pytest.mark.parametrize(
    "value", [None, 1, "", "https://api.example.com", "https://eve@api.example.com", "eve:pass@api.example.com", {}, []]
)
def test_what_has_no_password_in_a_url(value: object) -> None:
    assert url_passwords(value) == set()


@pytest.mark.parametrize(
    ("value", "passwords"),
    [
        ({"eve:p4ss@h.example": {}}, {"p4ss"}),
        ({"https://eve:p4ss@h.example/v1/": {}}, {"p4ss"}),
        ([{"registry": "eve:p4ss@h.example:5000"}], {"p4ss"}),
        ({"h.example:5000/web@sha256:aa": {}, "registry": "h.example:5000"}, set()),
        ({"image": "h.example:5000/web@sha256:aa", "registry": None, 5: 6}, set()),
    ],
)
def test_passwords_in_keys_of_auth_files_and_registries_are_found(value: object, passwords: set[str]) -> None:
    assert url_passwords(value) == passwords


def test_what_was_meant_to_be_a_credential_is_found() -> None:
    options = {
        "api_key": {"aliases": ["token"]},
        "registries": {"options": {"registry": {}, "password": {"no_log": True}}},
        "known": {"no_log": True},
        "proxy_headers": {"options": {"basic_auth": {}}},
    }
    given = {
        "token": "known",
        "api_tokens": "one",
        "registries": [{"registry": "shown", "pasword": "two", "note": "shown"}, "shown"],
        "proxy_headers": {"basic_auths": ["three", {"x": "four"}]},
        "colour": "shown",
        "_ansible_keep_remote_files": "shown",
    }
    assert misspelt_secrets(options, given) == {"one", "two", "three", "four"}


@pytest.mark.parametrize(
    ("registries", "secrets"),
    [
        ({"registry": "shown", "password": "one"}, {"one"}),
        ([{"registry": "shown", "password": 4711}], {"4711"}),
        ('[{"registry": "shown", "password": "one", "auth": "two"}]', {"one", "two"}),
        ("{registry: shown, password: one}", {"one"}),
        (["registry=shown password=one"], {"one"}),
    ],
)
def test_credentials_in_options_of_another_form_are_found(registries: object, secrets: set[str]) -> None:
    options = {"registries": {"options": {"registry": {}, "password": {"no_log": True}, "auth": {"no_log": True}}}}
    assert misspelt_secrets(options, {"registries": registries}) == secrets


CONTENT = '{"auths": {"h.example": {"auth": "dTpw"}}}'


@pytest.mark.parametrize(
    "text",
    [
        CONTENT,
        f" {CONTENT}",
        basic_credential(CONTENT[:20], CONTENT[20:]),
        "-----BEGIN X-----",
        "a\nb",
        "a" * 2000,
        "a" * 300,
        "/" + "ab/" * 2000,
        "a\0b",
        "a\ud800b",
        "sha256~dummy-token-of-dev",
        basic_credential("kind: Config\nusers", "x"),
    ],
)
def test_content_is_told_from_a_path(text: str) -> None:
    assert is_content(text)


@pytest.mark.parametrize(
    "path",
    [
        "~/.docker/config.json",
        "/etc/pki/ca.crt",
        "auth.json",
        "",
        "abcdefghijklmnopqrstuvwxyz",
        "a" * 99,
        "/run/user/0/auth.json",
        "/" + "/".join(["folder"] * 100),
        "a path with blanks/Schlüssel\udcff.pem",
    ],
)
def test_a_path_is_no_content(path: str) -> None:
    assert not is_content(path)


def test_content_is_found_wherever_a_path_belongs() -> None:
    path = {"type": "path"}
    options = {
        "auth_file": path,
        "registries": {"options": {"ca_cert": path}},
        "one": {"options": {"inner": {"options": {"file": path}}}},
        "note": {},
    }
    given = {
        "auth_file": CONTENT,
        "registries": [{"ca_cert": f"{CONTENT}\n"}, {}],
        "one": {"inner": {"file": "/path"}},
        "note": CONTENT,
    }
    assert contents_of_paths(options, given) == {CONTENT, f"{CONTENT}\n"}
    assert contents_of_paths({"client_key": {**path, "aliases": ["key_file"]}}, {"key_file": CONTENT}) == {CONTENT}

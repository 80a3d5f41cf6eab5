# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._variables import (
    asked_for,
    known_names,
    options_of,
    renamed_variables,
    survey_problems,
    unknown_variables,
    value_problems,
)

IMAGE = "registry.example.com/web:v1"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("image_stream_desired", "image_streams_desired"),
        ("registry_acces_secrets", "registry_access_secrets"),
        ("regsitry_access_secrets", "registry_access_secrets"),
        ("cluster_pull_secrets_registries", "cluster_pull_secret_registries"),
        ("k8s_auth_kubeconf", "k8s_auth_kubeconfig"),
        ("k8s_auht_host", "k8s_auth_host"),
        ("image_streams_purge_tag", "image_streams_purge_tags"),
        ("registry_access.survey_namespaces", "registry_access_survey_namespaces"),
        ("rotate_credentials_pasword", "rotate_credentials_password"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(name: str, meant: str) -> None:
    assert unknown_variables([name]) == [
        f"{name} is no variable of the collection and has no effect: did you mean {meant}?"
    ]


def test_a_variable_of_ours_that_does_not_exist_is_named() -> None:
    assert unknown_variables(["adopt_colour"]) == ["adopt_colour is no variable of the collection and has no effect."]


def test_nothing_is_said_of_the_variables_of_others_of_ours_and_of_those_that_adopt_asks_for() -> None:
    others = [
        "ansible_user",
        "image",
        "streams",
        "my_image_streams",
        "app_version",
        "registry_access_password_localhost_5000",
        "hostvars",
        "groups",
    ]
    assert unknown_variables([*others, *known_names()]) == []


@pytest.mark.parametrize("role", ["registry_access", "image_streams", "cluster_pull_secret", "samples_registry"])
def test_every_variable_of_a_role_is_known(role: str) -> None:
    assert unknown_variables(options_of(role)) == []


def of_streams(*streams: t.Any) -> list[str]:
    return value_problems(options_of("image_streams"), {"image_streams_desired": list(streams)})


def test_the_place_of_what_is_wrong_is_said_as_a_person_finds_it() -> None:
    good = {"namespace": "shop", "name": "w", "tags": [{"name": "v1", "from": IMAGE}]}
    bad = {"namespace": "shop", "name": "x", "tags": [{"name": "v1", "image": IMAGE}]}
    assert of_streams(*[good] * 17, bad) == [
        'image_streams_desired[17] (shop/x), tag v1: "from" is missing; "image" is not known'
    ]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("shop/web", "image_streams_desired[0] is text: give a mapping"),
        ({"name": "x"}, 'image_streams_desired[0] (x): "namespace" is missing'),
        ({"namespace": "a", "name": "x", "tags": "v1"}, "image_streams_desired[0] (a/x), tags is text: give a list"),
        (
            {"namespace": "a", "name": "x", "tags": [{"name": 3.1, "from": IMAGE}]},
            (
                "image_streams_desired[0] (a/x), tag 3.1, name is a number 3.1, as YAML reads it without quotes: put "
                "it in quotes"
            ),
        ),
        (
            {"namespace": "a", "name": "x", "purge_tags": "perhaps"},
            "image_streams_desired[0] (a/x), purge_tags is perhaps: give true or false",
        ),
        (
            {"namespace": "a", "name": "x", "state": "Absent"},
            'image_streams_desired[0] (a/x), state is "Absent": did you mean absent?',
        ),
        (
            {"namespace": "a", "name": "x", "refresh": "now"},
            'image_streams_desired[0] (a/x), refresh is "now": give one of "missing", "drifted", "always"',
        ),
        (
            {"namespace": "a", "name": "x", "tag_patterns": ["v*", 1]},
            (
                "image_streams_desired[0] (a/x), tag_patterns[1] is a number 1, as YAML reads it without quotes: put "
                "it in quotes"
            ),
        ),
        (
            {"namespace": datetime.date(2026, 1, 1), "name": "x"},
            (
                "image_streams_desired[0] (x), namespace is a date 2026-01-01, as YAML reads it without quotes: put it "
                "in quotes"
            ),
        ),
    ],
)
def test_each_wrong_value_is_one_sentence(entry: t.Any, sentence: str) -> None:
    assert of_streams(entry) == [sentence]


def test_a_credential_is_never_repeated() -> None:
    registries = [
        {"registry": "r.example", "username": "u", "password": 123456},
        {"registry": "s.example", "auth": ["a-secret"]},
    ]
    problems = value_problems(
        options_of("registry_access"),
        {"registry_access_secrets": [{"name": "p", "namespaces": ["a"], "registries": registries}]},
    )
    begin = "registry_access_secrets[0] (p)"
    assert problems == [
        f"{begin}, registry r.example, password is a number, as YAML reads it without quotes: put it in quotes",
        f"{begin}, registry s.example, auth is a list: give a string",
    ]


def test_the_placeholder_of_awx_is_no_password() -> None:
    problems = value_problems(options_of("registry_access"), {"registry_access_credential_password": "$encrypted$"})
    assert problems == [
        (
            "registry_access_credential_password is $encrypted$, which AWX shows in the place of a password: type the "
            "password again"
        )
    ]


def test_no_foreign_text_commands_the_terminal() -> None:
    problems = of_streams({"namespace": "a", "name": "x\x1b[2J\nPLAY RECAP", "\x1b]0;t\x07": 1, "state": "\r\x9b"})
    assert all(text.isprintable() for text in problems)
    assert problems


def test_an_empty_answer_of_a_survey_is_the_default() -> None:
    assert value_problems(options_of("image_streams"), {"image_streams_refresh": "", "image_streams_survey": ""}) == []


def test_what_a_survey_gave_is_checked_too() -> None:
    assert survey_problems("image_streams", options_of("image_streams"), {"image_streams_survey": "shop/web"}) == [
        (
            'image_streams_survey, line 1: "shop/web" does not say which image goes where; write NAMESPACE/STREAM:TAG '
            "IMAGE [KEY=VALUE ...]"
        )
    ]
    [problem] = survey_problems(
        "registry_access", options_of("registry_access"), {"registry_access_survey_namespaces": "shop"}
    )
    assert problem.startswith(
        "registry_access_survey_namespaces names namespaces for a pull secret, but there is no credential"
    )


def test_names_of_old_are_refused_with_the_new_one() -> None:
    assert renamed_variables(["rotate_credentials_ca_cert"]) == [
        "rotate_credentials_ca_cert is called rotate_credentials_verify_ca_cert now: rename it"
    ]


def test_only_roles_whose_variables_hold_something_are_asked_for() -> None:
    roles = ["cluster_pull_secret", "registry_access", "image_streams", "samples_registry"]
    assert asked_for(roles, {"image_streams_desired": [], "registry_access_secrets": [{"name": "p"}]}) == [
        "registry_access"
    ]
    assert asked_for(roles, {"samples_registry_registry": ""}) == ["samples_registry"]
    assert asked_for(roles, {}) == []

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.filter.image_streams_from_survey import (
    FilterModule as StreamsFilter,
)
from ansible_collections.quayside.openshift_images.plugins.filter.pull_secrets_from_survey import (
    FilterModule as SecretsFilter,
)
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._survey import (
    image_streams,
    names,
    pull_secrets,
)

ANSWERS = {
    "survey_namespaces": "shop, billing\nshop",
    "survey_secret": "registry",
    "survey_service_accounts": "default builder",
    "credential_registry": "registry.example.com",
    "credential_username": "puller",
    "credential_password": "not to be repeated",
    "credential_auth_file": "",
}
KEYS = "import_mode=, reference_policy=, scheduled=, insecure=, prefer_architecture=, prefer_os="
LOGIN = {"registry": "registry.example.com", "username": "puller", "password": "not to be repeated"}


def test_each_line_is_a_tag_and_the_tags_of_a_stream_come_together() -> None:
    text = """
        # the shop
        shop/web:v1  registry.example.com:5000/team/web:v1  import_mode=PreserveOriginal scheduled=true
        billing/api:latest quay.io/team/api@sha256:%s

        shop/web:v2 registry.example.com:5000/team/web:v2 insecure=No prefer_architecture=arm64
    """ % ("0" * 64)

    survey = image_streams(text, "images")

    assert survey.problems == []
    assert survey.entries == [
        {
            "namespace": "shop",
            "name": "web",
            "tags": [
                {
                    "name": "v1",
                    "from": "registry.example.com:5000/team/web:v1",
                    "import_mode": "PreserveOriginal",
                    "scheduled": True,
                },
                {
                    "name": "v2",
                    "from": "registry.example.com:5000/team/web:v2",
                    "insecure": False,
                    "prefer_architecture": "arm64",
                },
            ],
        },
        {
            "namespace": "billing",
            "name": "api",
            "tags": [{"name": "latest", "from": f"quay.io/team/api@sha256:{'0' * 64}"}],
        },
    ]


@pytest.mark.parametrize("nothing", ["", "  \n\t\n", "# only a remark", None])
def test_no_text_is_no_stream(nothing: t.Any) -> None:
    assert image_streams(nothing, "images") == ([], [])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "shop/web:v1",
            '"shop/web:v1" does not say which image goes where; write NAMESPACE/STREAM:TAG IMAGE [KEY=VALUE ...]',
        ),
        (
            "web:v1 a.io/b:v1",
            '"web:v1 a.io/b:v1" does not say which image goes where; write NAMESPACE/STREAM:TAG IMAGE [KEY=VALUE ...]',
        ),
        (
            "shop/web a.io/b:v1",
            (
                '"shop/web a.io/b:v1" does not say which image goes where; write NAMESPACE/STREAM:TAG IMAGE [KEY=VALUE '
                "...]"
            ),
        ),
        (
            "Shop/web:v1 a.io/b:v1",
            'stream Shop/web: "Shop" is not a namespace name: at most 63 lower case letters, digits and - between them',
        ),
        (
            "shop/web:v1 https://a.io/b",
            (
                'stream shop/web, tag v1: "https://a.io/b" is not a pull spec: leave out "https://" and begin with the '
                "registry"
            ),
        ),
        (
            "shop/web:v1 a.io/b import_mode=All",
            (
                'stream shop/web, tag v1: import_mode "All" is unknown: valid ImportMode values are Legacy or '
                "PreserveOriginal"
            ),
        ),
        ("shop/web:v1 a.io/b scheduled=maybe", 'scheduled is true or false, not "maybe"'),
        ("shop/web:v1 a.io/b scheduled=true scheduled=true", "scheduled is given twice"),
        ("shop/web:v1 a.io/b always", f'"always" is not understood; after the image only {KEYS} may follow'),
    ],
)
def test_a_line_that_cannot_be_used_is_named(line: str, sentence: str) -> None:
    survey = image_streams(f"shop/good:v1 a.io/good:v1\n\n{line}\n", "images")

    assert survey.problems == [f"images, line 3: {sentence}"]
    assert [stream["name"] for stream in survey.entries] == ["good"]


def test_every_bad_line_is_named_and_a_tag_has_one_source() -> None:
    survey = image_streams("shop/web:v1 a.io/b:1\nshop/web:v1 a.io/b:2\nnonsense", "images")

    assert [problem.partition(":")[0] for problem in survey.problems] == ["images, line 2", "images, line 3"]
    assert "tag v1 is listed twice" in survey.problems[0]


@pytest.mark.parametrize(
    ("value", "found"),
    [("a, b\nc  a", ["a", "b", "c"]), (["a", " b ", ""], ["a", "b"]), ("", []), (None, []), (",\n ,", [])],
)
def test_names_are_split_at_commas_blanks_and_line_ends(value: t.Any, found: list[str]) -> None:
    assert names(value) == found


def test_a_secret_is_made_of_flat_answers_and_a_credential() -> None:
    assert pull_secrets(ANSWERS) == (
        [
            {
                "name": "registry",
                "namespaces": ["shop", "billing"],
                "registries": [LOGIN],
                "link": [{"service_accounts": ["default", "builder"]}],
            }
        ],
        [],
    )
    from_file = {
        **ANSWERS,
        "survey_service_accounts": "",
        **dict.fromkeys(("credential_registry", "credential_username", "credential_password"), ""),
    }
    assert pull_secrets({**from_file, "credential_auth_file": "/auth.json"}).entries == [
        {"name": "registry", "namespaces": ["shop", "billing"], "auth_file": "/auth.json"}
    ]
    assert set(pull_secrets({**ANSWERS, "credential_auth_file": "/auth.json"}).entries[0]) == {
        "name",
        "namespaces",
        "registries",
        "auth_file",
        "link",
    }


def test_without_namespaces_there_is_no_secret_whatever_the_credential() -> None:
    assert pull_secrets({**ANSWERS, "survey_namespaces": " "}) == ([], [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"survey_namespaces": "Shop"}, '"Shop" is not a namespace name'),
        ({"survey_secret": ""}, 'registry_access_survey_secret: "" cannot be the name of an object'),
        (
            {"survey_service_accounts": "build_er"},
            'registry_access_survey_service_accounts: "build_er" cannot be the name of an object',
        ),
        (
            {"credential_password": ""},
            "The registry credential is incomplete: registry_access_credential_password is empty.",
        ),
        (
            dict.fromkeys(("credential_registry", "credential_username", "credential_password"), ""),
            "there is no credential to put into it",
        ),
    ],
)
def test_what_is_wrong_is_said_without_the_credential(change: dict[str, str], sentence: str) -> None:
    (problem,) = pull_secrets({**ANSWERS, **change}).problems

    assert sentence in problem
    assert LOGIN["password"] not in problem


def test_the_filters_are_what_ansible_calls() -> None:
    (streams,) = StreamsFilter().filters().values()
    (secrets,) = SecretsFilter().filters().values()

    assert streams("nonsense", "images")["problems"][0].startswith("images, line 1: ")
    assert secrets(ANSWERS) == {"entries": pull_secrets(ANSWERS).entries, "problems": []}

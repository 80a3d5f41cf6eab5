# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml with variables that are wrong: each is named in a line, nothing is asked of a cluster, and no password is
shown."""

from __future__ import annotations

import typing as t

import pytest
from integration.playbooks import Playbooks

SITE = "quayside.openshift_images.site"
PASSWORD = "a-password-of-nobody"
REGISTRIES = [
    {"registry": "r.example", "username": "u", "password": PASSWORD},
    {"registry": "s.example", "username": "u", "password": "{{ mistyped }}"},
]
SECRET = {"name": "p", "namespaces": ["shop"], "registries": REGISTRIES}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"cluster_pull_secret_registries": REGISTRIES},
            "cluster_pull_secret_registries[1].password: 'mistyped' is undefined",
        ),
        (
            {"registry_access_secrets": [SECRET]},
            "registry_access_secrets[0].registries[1].password: 'mistyped' is undefined",
        ),
        ({"image_streams_desired": "{{ typo }}"}, "image_streams_desired: 'typo' is undefined"),
        ({"samples_registry_registry": "{{ typo }}"}, "samples_registry_registry: 'typo' is undefined"),
        (
            {
                "image_streams_desired": [
                    {"namespace": "shop", "name": "x", "tags": [{"name": "v1", "image": "r.example/web:v1"}]}
                ]
            },
            'image_streams_desired[0] (shop/x), tag v1: "from" is missing; "image" is not known',
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_one_line(variables: dict[str, t.Any], message: str, playbooks: Playbooks) -> None:
    run = playbooks.with_environment({"K8S_AUTH_HOST": "https://127.0.0.1:1", "K8S_AUTH_API_KEY": "none"}).run(
        SITE, variables=variables
    )

    assert run.exit_code == 2
    assert list(run.messages().values()) == [message]
    assert PASSWORD not in run.output
    assert "127.0.0.1" not in run.output


def test_a_misspelt_variable_is_warned_of_and_nothing_declared_is_said(playbooks: Playbooks) -> None:
    run = playbooks.with_environment({"K8S_AUTH_HOST": "https://127.0.0.1:1", "K8S_AUTH_API_KEY": "none"}).run(
        SITE, variables={"image_stream_desired": []}
    )

    assert run.exit_code == 0, run.output
    [complaint] = run.complaints()
    assert (
        "image_stream_desired is no variable of the collection and has no effect: did you mean image_streams_desired?"
        in complaint
    )
    assert "Nothing is declared for localhost" in run.output
    # the roles, and the failure at the end
    assert run.output.count("skipping:") <= 2

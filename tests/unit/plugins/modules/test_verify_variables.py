# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from unittest.mock import MagicMock

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.quayside.openshift_images.plugins.action.verify_variables import ActionModule

try:
    from ansible.template import trust_as_template
except ImportError:  # before ansible-core 2.19 every text of a user is a template

    def trust_as_template(value: str) -> str:  # type: ignore[misc]
        return value


def act(variables: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    task = MagicMock(args=options, async_val=0)
    templar = Templar(loader=DataLoader(), variables=variables)
    return ActionModule(task, MagicMock(), MagicMock(), MagicMock(), templar, MagicMock()).run(task_vars=variables)


def test_nothing_wrong() -> None:
    result = act(
        {"registry_access_secrets": [{"name": "p", "namespaces": ["shop"]}]}, roles=["registry_access", "image_streams"]
    )
    assert (result["changed"], result["warnings"], result["roles"], "failed" in result) == (
        False,
        [],
        ["registry_access"],
        False,
    )


def test_an_undefined_variable_inside_is_named_with_its_place_and_no_password_beside_it_is_shown() -> None:
    undefined = {"registry": "s.example", "password": trust_as_template("{{ mistyped }}")}
    registries = [{"registry": "r.example", "username": "u", "password": "a-password"}, undefined]
    secrets = [{"name": "p", "namespaces": ["shop"], "registries": registries}]
    for variable, role, value in (
        ("cluster_pull_secret_registries", "cluster_pull_secret", registries),
        ("registry_access_secrets", "registry_access", secrets),
    ):
        result = act({variable: value}, roles=[role])
        assert result["failed"]
        assert result["msg"].startswith(f"{variable}[")
        assert result["msg"].endswith("[1].password: 'mistyped' is undefined")
        assert "a-password" not in str(result)
        assert result["msg"].isprintable()


def test_a_whole_variable_that_is_undefined() -> None:
    result = act({"image_streams_desired": trust_as_template("{{ typo }}")}, roles=["image_streams"])
    assert result["msg"] == "image_streams_desired: 'typo' is undefined"


def test_each_problem_is_a_line_and_unknown_variables_are_warned_of() -> None:
    result = act(
        {"image_stream_desired": [], "image_streams_desired": [{"name": "x"}]},
        roles=["image_streams"],
        problems=["and another"],
    )
    assert result["msg"].splitlines() == ["and another", 'image_streams_desired[0] (x): "namespace" is missing']
    assert result["warnings"] == [
        "image_stream_desired is no variable of the collection and has no effect: did you mean image_streams_desired?"
    ]


def test_values_are_left_to_others_when_that_is_asked_for_but_undefined_ones_are_not() -> None:
    assert "failed" not in act({"image_streams_desired": [{"name": "x"}]}, roles=["image_streams"], values=False)
    assert act({"image_streams_desired": trust_as_template("{{ typo }}")}, roles=["image_streams"], values=False)[
        "failed"
    ]


def test_roles_are_chosen_by_the_tags_of_the_run() -> None:
    variables = {
        "registry_access_secrets": [{"name": "p", "namespaces": ["shop"]}],
        "image_streams_survey": "shop/web:v1 r.example/web:v1",
    }
    roles = ["registry_access", "image_streams"]
    assert act(variables, roles=roles, run_tags=["image_streams"])["roles"] == ["image_streams"]
    assert act(variables, roles=roles, skip_tags=["image_streams"])["roles"] == ["registry_access"]
    assert act(variables, roles=roles, run_tags=["all"])["roles"] == roles

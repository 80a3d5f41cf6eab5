# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.filter.adopted_variables import FilterModule
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._adopted_file import AdoptedFile, adopted_file

TEMPLATE = "{{ lookup('pipe', 'id > proof') }}"
IMAGE = "registry.example.com/team/web:v1"


def stream(
    namespace: str = "shop", name: str = "web", *tags: dict[str, t.Any], left_out: tuple[tuple[str, str], ...] = ()
) -> dict[str, t.Any]:
    variables = {
        "namespace": namespace,
        "name": name,
        "lookup_policy_local": False,
        "tags": list(tags) or [{"name": "v1", "from": IMAGE}],
    }
    reasons = [{"tag": tag, "reason": reason} for tag, reason in left_out]
    return {"namespace": namespace, "name": name, "as_variables": variables, "not_in_variables": reasons}


def secret(name: str = "pull", namespace: str = "shop", **entry: t.Any) -> dict[str, t.Any]:
    registry = {
        "registry": "registry.example.com",
        "username": "u",
        "password": "{{ registry_access_password_registry }}",
        **entry,
    }
    return {"name": name, "namespaces": [namespace], "registries": [registry]}


def access(*secrets: dict[str, t.Any], left_out: tuple[dict[str, t.Any], ...] = ()) -> dict[str, t.Any]:
    about = {"kind": "password", "registry": "registry.example.com", "username": "u", "secrets": ["shop/pull"]}
    placeholder = {"variable": "registry_access_password_registry", **about}
    return {
        "as_variables": list(secrets),
        "placeholders": [placeholder] if secrets else [],
        "not_in_variables": list(left_out),
    }


class Loader(yaml.SafeLoader):
    """Tells which values Ansible leaves alone."""


Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


def read(written: AdoptedFile) -> t.Any:
    return yaml.load(written.text, Loader=Loader)


def test_the_placeholders_are_templates_and_nothing_else_is() -> None:
    written = adopted_file(
        [stream()], access(secret(email=TEMPLATE, username="{{ registry_access_password_registry }}")), "here"
    )

    [entry] = read(written)["registry_access_secrets"]
    assert entry["registries"] == [
        {
            "registry": "registry.example.com",
            "username": ("unsafe", "{{ registry_access_password_registry }}"),
            "password": "{{ registry_access_password_registry }}",
            "email": ("unsafe", TEMPLATE),
        }
    ]
    assert (written.image_streams, written.pull_secrets, written.to_be_defined, written.left_out) == (
        1,
        1,
        ["registry_access_password_registry"],
        [],
    )


@pytest.mark.parametrize(
    "value",
    [TEMPLATE, "{{ registry_access_password_of_somebody }}", "secret", "{{ registry_access_password_registry }} "],
)
def test_a_credential_that_is_no_placeholder_of_the_list_is_not_written(value: str) -> None:
    written = adopted_file([], access(secret(password=value)), "here")

    assert read(written) == {"registry_access_secrets": [], "image_streams_desired": []}
    assert written.left_out == ['the secret shop/pull: "the password is no placeholder"']


@pytest.mark.parametrize(
    "entry",
    [
        secret(TEMPLATE),
        secret("a\nb"),
        secret(namespace="x\n- y"),
        {**secret(), "link": [{"service_accounts": ["\x1b[2J"], "for": ["pull"]}]},
    ],
    ids=repr,
)
def test_a_secret_with_an_impossible_name_is_left_out_in_one_line(entry: dict[str, t.Any]) -> None:
    written = adopted_file([], access(entry, secret("good")), "here")

    assert [one["name"] for one in read(written)["registry_access_secrets"]] == ["good"]
    assert len(written.left_out) == 1
    assert all(line.startswith("#") for line in written.text.splitlines()[1:] if "the secret" in line)


def test_an_odd_tag_is_left_out_and_named() -> None:
    odd = {"name": "odd", "from": IMAGE, "prefer_architecture": TEMPLATE}
    written = adopted_file(
        [stream("shop", "web", odd, {"name": "v1", "from": IMAGE}), stream("shop", TEMPLATE)], access(), "here"
    )

    [entry] = read(written)["image_streams_desired"]
    assert [tag["name"] for tag in entry["tags"]] == ["v1"]
    assert len(written.left_out) == 2
    assert written.left_out[0].startswith('the tag shop/web:"odd": ')


def test_what_ansible_has_masked_is_not_written_as_if_the_cluster_had_it() -> None:
    masked = {"name": "v1", "from": "registry.example.com/********/web:v1"}
    written = adopted_file([stream("shop", "web", masked)], access(secret(registry="********.example.com")), "here")

    assert read(written) == {
        "registry_access_secrets": [],
        "image_streams_desired": [{"namespace": "shop", "name": "web", "lookup_policy_local": False}],
    }
    assert [line.split(": ", 1)[1] for line in written.left_out] == [
        '"a part of it equals a credential of this run, so that Ansible masks it: adopt it with another credential"'
    ] * 2


def test_what_somebody_else_reconciles_is_in_the_file_and_named() -> None:
    owner = 'the Argo CD application "shop"'
    linked = {**secret(), "link": [{"service_accounts": ["default"], "for": ["pull"]}]}
    read_access = access(linked)
    read_access["secrets"] = [
        {"namespace": "shop", "name": "pull", "managed_by": "External Secrets"},
        {"namespace": "shop", "name": "left-out", "managed_by": "External Secrets"},
    ]
    read_access["links"] = [
        {"namespace": "shop", "service_account": "default", "managed_by": "the Flux Kustomization\n\x1b[2J"},
        {"namespace": "shop", "service_account": "other", "managed_by": owner},
    ]
    free = stream("shop", "free")

    written = adopted_file([{**stream(), "managed_by": owner}, {**free, "managed_by": None}], read_access, "here")

    assert written.managed_by == [
        'the image stream shop/web: "the Argo CD application \\"shop\\""',
        'the secret shop/pull: "External Secrets"',
        'the service account shop/default: "the Flux Kustomization\\n\\u001b[2J"',
    ]
    assert [f"#   {line}" for line in written.managed_by] == [
        line for line in written.text.splitlines() if line.startswith("#   the ")
    ]
    assert [one["name"] for one in read(written)["image_streams_desired"]] == ["web", "free"]


def test_no_name_or_reason_leaves_its_comment() -> None:
    end = "\n- x: {{ y }}\r\x85\u2028"
    reasons = ({"namespace": f"n{end}", "name": f"s{end}", "registry": f"r{end}", "reason": f"because{end}"},)
    found = access(secret(), left_out=reasons)
    found["placeholders"][0].update(registry=f"r{end}", username=f"u{end}", secrets=[f"shop/pull{end}"])
    written = adopted_file([stream(left_out=((f"t{end}", f"because{end}"),))], found, f"cluster{end}")

    assert set(read(written)) == {"registry_access_secrets", "image_streams_desired"}
    begin, _sep, _rest = written.text.partition("registry_access_secrets")
    assert all(line.startswith("#") for line in begin.splitlines()[1:] if line)
    assert begin.isascii()


def test_namespaces_are_skipped_by_glob() -> None:
    written = adopted_file([stream("openshift-x"), stream("shop")], access(), "here", skip=["openshift-*"])

    assert [one["namespace"] for one in read(written)["image_streams_desired"]] == ["shop"]


def test_the_filter_gives_it_all() -> None:
    result = FilterModule().filters()["adopted_variables"]([stream()], access(), cluster="here")

    assert set(result) == {"text", "image_streams", "pull_secrets", "to_be_defined", "left_out", "managed_by"}

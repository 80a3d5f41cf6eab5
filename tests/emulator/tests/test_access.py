# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callers and rights: tokens and their ends, certificates, impersonation, roles."""

from __future__ import annotations

import secrets
import typing as t
from pathlib import Path

import pytest
import requests
import yaml
from emulator.access import BUILT_IN_ROLES
from emulator.client import ApiClient, ControlClient
from emulator.server import Emulator

ClientFactory = t.Callable[..., ApiClient]
MANIFESTS = Path(__file__).parents[3] / "docs" / "rbac"


def bind(admin: ApiClient, user: str, rules: list[dict[str, t.Any]]) -> None:
    """Give a user rights in the namespace."""
    name = f"r-{secrets.token_hex(3)}"
    subjects = [{"kind": "User", "name": user}]
    assert admin.send("POST", admin.rbac("roles"), {"metadata": {"name": name}, "rules": rules}).ok
    binding = {"metadata": {"name": name}, "roleRef": {"kind": "Role", "name": name}, "subjects": subjects}
    assert admin.send("POST", admin.rbac("rolebindings"), binding).ok


def test_a_user_has_the_rights_of_bound_roles_only(
    admin: ApiClient, control: ControlClient, client: ClientFactory
) -> None:
    """Verb, group, resource, name and namespace count."""
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"]}
    bind(admin, "ada", [rule])
    ada = client(control.token("ada"), admin.namespace)
    admin.send("POST", admin.core("secrets"), {"metadata": {"name": "mine"}})
    assert ada.send("GET", ada.core("secrets", "mine")).status_code == 200
    assert ada.send("GET", ada.core("secrets", "other")).status_code == 403
    assert ada.send("GET", ada.core("secrets")).status_code == 403
    assert ada.send("DELETE", ada.core("secrets", "mine")).status_code == 403
    assert ada.send("GET", "/api/v1/namespaces/default/secrets/mine").status_code == 403


def test_cluster_scope_denials_say_so(control: ControlClient, client: ClientFactory) -> None:
    """The words of a 403 without a namespace, and of a path."""
    bob = client(control.token("bob"))
    answer = bob.send("GET", "/apis/image.openshift.io/v1/imagestreams").json()
    assert answer["message"] == (
        'imagestreams.image.openshift.io is forbidden: User "bob" cannot list resource "imagestreams" in API group '
        '"image.openshift.io" at the cluster scope'
    )
    answer = client(None).send("GET", "/apis").json()
    assert answer["message"] == 'forbidden: User "system:anonymous" cannot get path "/apis"'
    assert client(None).send("GET", "/version").status_code == 200


def test_groups_and_subresources(admin: ApiClient, control: ControlClient, client: ClientFactory) -> None:
    """A ClusterRole bound within a namespace to a group; layers are a right of their own."""
    binding = {
        "metadata": {"name": "viewers"},
        "roleRef": {"kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "Group", "name": "team"}],
    }
    assert admin.send("POST", admin.rbac("rolebindings"), binding).ok
    admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": "s"}})
    viewer = client(control.token("eve", "team"), admin.namespace)
    assert viewer.send("GET", viewer.image("imagestreams", "s")).status_code == 200
    refused = viewer.send("GET", viewer.image("imagestreams", "s/layers"))
    assert refused.status_code == 403
    assert 'cannot get resource "imagestreams/layers"' in refused.json()["message"]
    assert viewer.send("GET", viewer.core("secrets")).status_code == 403


def test_tokens_end(admin: ApiClient, control: ControlClient, client: ClientFactory) -> None:
    """By their time, and when they are expired by hand: 401, as for a token that never was one."""
    assert client(control.token("carl", "system:masters", ttl=0.0)).send("GET", "/api/v1/namespaces").status_code == 401
    user = client(control.token("dora", "system:masters"))
    assert user.send("GET", "/api/v1/namespaces").status_code == 200
    assert control.expire("dora") == 1
    answer = user.send("GET", "/api/v1/namespaces")
    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized")
    assert admin.send("GET", "/api/v1/namespaces").status_code == 200


def test_a_service_accounts_token_ends_with_it(admin: ApiClient, client: ClientFactory) -> None:
    """Tokens are bound to the account that they were asked for, not to its name."""
    admin.send("POST", admin.core("serviceaccounts"), {"metadata": {"name": "robot"}})
    answer = admin.send("POST", admin.core("serviceaccounts", "robot/token"), {"spec": {"expirationSeconds": 600}})
    assert answer.status_code == 201
    robot = client(answer.json()["status"]["token"])
    me = robot.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}).json()["status"]["userInfo"]
    assert me["username"] == f"system:serviceaccount:{admin.namespace}:robot"
    assert f"system:serviceaccounts:{admin.namespace}" in me["groups"]
    admin.send("DELETE", admin.core("serviceaccounts", "robot"))
    admin.send("POST", admin.core("serviceaccounts"), {"metadata": {"name": "robot"}})
    assert robot.send("GET", "/version").status_code == 401


def test_impersonation(admin: ApiClient, control: ControlClient, client: ClientFactory) -> None:
    """With one header a group; the right to impersonate is needed."""
    headers = {"Impersonate-User": "fred", "Impersonate-Group": "system:masters"}
    me = admin.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers=headers).json()
    assert me["status"]["userInfo"]["groups"] == ["system:masters", "system:authenticated"]
    refused = admin.send("GET", admin.core("secrets"), headers={"Impersonate-User": "fred"})
    assert (refused.status_code, '"fred"' in refused.json()["message"]) == (403, True)
    answer = client(control.token("gina")).send("GET", "/version", headers={"Impersonate-User": "fred"})
    assert answer.json()["message"] == (
        'users "fred" is forbidden: User "gina" cannot impersonate resource "users" in API group "" at the cluster '
        "scope"
    )
    account = f"system:serviceaccount:{admin.namespace}:robot"
    me = admin.send(
        "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers={"Impersonate-User": account}
    ).json()
    assert "system:serviceaccounts" in me["status"]["userInfo"]["groups"]
    assert admin.send("GET", "/version", headers={"Impersonate-Group": "x"}).status_code == 500


def test_client_certificates(emulator: Emulator) -> None:
    """The administrator's certificate is as good as the token."""
    state = emulator.state()
    answer = requests.get(
        f"{emulator.url}/api/v1/namespaces",
        verify=state["ca_file"],
        cert=(state["admin_certificate"], state["admin_key"]),
        timeout=30,
    )
    assert answer.status_code == 200


def test_may_i(admin: ApiClient, control: ControlClient, client: ClientFactory) -> None:
    """SelfSubjectAccessReview tells what requests would be answered."""
    bind(
        admin, "hans", [{"verbs": ["create"], "apiGroups": ["image.openshift.io"], "resources": ["imagestreamimports"]}]
    )
    hans = client(control.token("hans"))

    def allowed(verb: str, resource: str) -> bool:
        wish = {"verb": verb, "group": "image.openshift.io", "resource": resource, "namespace": admin.namespace}
        answer = hans.send(
            "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {"resourceAttributes": wish}}
        )
        return bool(answer.json()["status"]["allowed"])

    assert allowed("create", "imagestreamimports")
    assert not allowed("get", "imagestreams")


def test_the_right_comes_before_existence(control: ControlClient, client: ClientFactory, admin: ApiClient) -> None:
    """Who may not look is not told what there is."""
    nobody = client(control.token("ida"))
    for path in ("/apis/build.openshift.io/v1/namespaces/x/builds", "/api/v1/namespaces/x/nonsense"):
        assert nobody.send("GET", path).status_code == 403
        assert admin.send("GET", path).status_code == 404


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic YTpi"])
def test_wrong_credentials(emulator: Emulator, client: ClientFactory, authorization: str) -> None:
    """A credential that is not accepted is 401, never anonymous."""
    assert client(None).send("GET", "/version", headers={"Authorization": authorization}).status_code == 401


@pytest.mark.parametrize(
    ("manifest", "role", "lacks"),
    [
        ("pull_secret", "edit", set()),
        ("sa_secret_link", "edit", set()),
        ("image_stream_import", "edit", set()),
        ("image_stream_tag", "edit", set()),
        ("image_stream_info", "edit", set()),
        ("image_prune_risk_info", "edit", set()),
        ("image_prune_risk_info", "view", {"imagestreams/layers", "imagestreamimports"}),
        ("image_stream_info", "view", {"imagestreamimports"}),
    ],
)
def test_the_manifests_say_rightly_what_roles_have(manifest: str, role: str, lacks: set[str]) -> None:
    """Each right of a manifest is in the cluster's own role, but for those that it names."""
    document = yaml.safe_load((MANIFESTS / f"{manifest}.yml").read_text(encoding="utf-8"))
    rules = [rule for item in document.get("items", [document]) for rule in item["rules"]]
    wanted = {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }

    def has(group: str, resource: str, verb: str) -> bool:
        return any(
            group in rule["apiGroups"] and resource in rule["resources"] and {verb, "*"} & set(rule["verbs"])
            for rule in BUILT_IN_ROLES[role]
        )

    assert {resource for group, resource, verb in wanted if not has(group, resource, verb)} == lacks

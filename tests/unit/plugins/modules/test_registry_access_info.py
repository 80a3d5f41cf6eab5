# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiError, Forbidden
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.modules import (
    pull_secret,
    registry_access_info,
    sa_secret_link,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import (
    StoredCluster,
    raising,
    status_error,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    entry,
)

IMAGE = "h.example/team/web:v1"
MANAGED = "default-dockercfg-x7k2p"
REF = "openshift.io/internal-registry-pull-secret-ref"
INTERNAL = "image-registry.openshift-image-registry.svc:5000"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> StoredCluster:
    """Two namespaces with a pull secret for h.example, linked to their service account default, and what the cluster
    adds."""
    api = StoredCluster("shop", "test")
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: api)
    for namespace in ("shop", "test"):
        api.put_in("secrets", namespace, "registry", **auths({"h.example": entry()}))
        managed = {"annotations": {"openshift.io/internal-registry-auth-token.service-account": "default"}}
        api.put_in(
            "secrets",
            namespace,
            MANAGED,
            metadata=managed,
            **content_of({INTERNAL: entry("<token>")}, "kubernetes.io/dockercfg"),
        )
        lists = {"secrets": [{"name": MANAGED}], "imagePullSecrets": [{"name": MANAGED}, {"name": "registry"}]}
        api.put_in("serviceaccounts", namespace, "default", metadata={"annotations": {REF: MANAGED}}, **lists)
        api.put_in("serviceaccounts", namespace, "idle", secrets=[{"name": "idle-dockercfg-ab1cd"}])
    return api


@pytest.fixture
def run(api: StoredCluster, warned: list[str], run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Run the module; it never writes and never shows a credential."""

    def run_it(**options: t.Any) -> dict[str, t.Any]:
        outcome = run_module_main(registry_access_info.main, options, diff=True)
        seen = outcome.text + "".join(warned)
        assert [text for text in ("s3cret", b64("puller:s3cret"), b64("s3cret"), "0ther") if text in seen] == []
        assert api.writes == []
        assert not outcome.result.get("changed")
        return t.cast("dict[str, t.Any]", outcome.result)

    return run_it


def problems(result: dict[str, t.Any]) -> dict[str, list[str]]:
    return {
        secret["name"]: [problem["problem"] for problem in secret["problems"]]
        for secret in result["secrets"]
        if secret["problems"]
    }


def requests(api: StoredCluster) -> list[str]:
    return sorted(str(request) for request in api.sent)


def test_one_namespace(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    result = run(namespace="shop")
    assert requests(api) == ["GET shop/secrets", "GET shop/serviceaccounts"]
    assert result["secrets"] == [
        {
            "namespace": "shop",
            "name": "registry",
            "type": "kubernetes.io/dockerconfigjson",
            "excluded": False,
            "managed_by": None,
            "registries": [{"registry": "h.example", "username": "puller", "email": None, "expires_at": None}],
            "problems": [],
        }
    ]
    (link,) = result["links"]
    assert link == {
        "namespace": "shop",
        "service_account": "default",
        "pull": ["registry"],
        "mount": [],
        "ineffective": [],
        "managed": MANAGED,
        "managed_by": None,
    }
    assert result["as_variables"] == [
        {
            "name": "registry",
            "namespaces": ["shop"],
            "registries": [
                {"registry": "h.example", "username": "puller", "password": "{{ registry_access_password_h_example }}"}
            ],
            "link": [{"service_accounts": ["default"], "for": ["pull"]}],
        }
    ]
    variable = {
        "variable": "registry_access_password_h_example",
        "kind": "password",
        "registry": "h.example",
        "username": "puller",
    }
    assert result["placeholders"] == [{**variable, "secrets": ["shop/registry"]}]
    assert result["explanations"] == result["not_in_variables"] == result["failed_namespaces"] == []
    assert result["summary"] == {
        "namespaces": 1,
        "secrets": 1,
        "registries": 1,
        "linked_service_accounts": 1,
        "problems": 0,
        "failed_namespaces": 0,
    }


def test_all_namespaces_with_two_requests(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    for namespace in ("openshift-config", "kube-system"):
        api.put_in("secrets", namespace, "pull-secret", **auths({"h.example": entry()}))
    api.put_in("secrets", "shop", "tls", type="kubernetes.io/tls", data={"tls.key": "a2V5"})
    result = run(skip_namespaces=["openshift-*", "kube-*"])
    assert sorted(request.path for request in api.sent) == ["/api/v1/secrets", "/api/v1/serviceaccounts"]
    assert {request.query.get("limit") for request in api.sent} == {"500"}
    assert (
        "type!=Opaque"
        in next(request for request in api.sent if request.path.endswith("secrets")).query["fieldSelector"]
    )
    assert [secret["namespace"] for secret in result["secrets"]] == ["shop", "test"]
    (variables,) = result["as_variables"]
    assert variables["namespaces"] == ["shop", "test"]


def test_namespaces_by_label(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.labels = {"test": {"team": "a", "stage": "test"}, "shop": {"team": "a"}}
    result = run(namespace_label_selectors=["team=a", "stage=test"], links=False)
    assert [secret["namespace"] for secret in result["secrets"]] == ["test"]
    assert len(api.sent) == 2
    assert run(namespace_label_selectors=["team=b"])["secrets"] == []


def test_what_is_wrong_with_secrets(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "shop", "a-rival", **auths({"h.example": entry(password="0ther")}))
    api.put_in(
        "secrets", "shop", "podman", **content_of({"auths": {"h.example": entry()}}, "kubernetes.io/podmanconfigjson")
    )
    api.put_in(
        "secrets",
        "shop",
        "keys",
        **auths({"registry": entry(), "e.example": {}, "t.example": {"identitytoken": "s3cret"}}),
    )
    result = run(namespace="shop")
    assert problems(result) == {
        "keys": ["doubtful_key", "no_credential", "identity_token_only"],
        "podman": ["type_not_read"],
        "registry": ["hidden"],
    }
    (hidden,) = next(secret["problems"] for secret in result["secrets"] if secret["name"] == "registry")
    assert hidden["message"] == (
        'The secret "registry" in the namespace "shop" has an entry for "h.example" that no import uses: the secret '
        '"a-rival" has another '
        "credential for it and comes first, because secrets are tried in the order of their names."
    )


def test_malformed_secrets(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "shop", "broken", **auths({"h.example": {"auth": "s3cret"}}))
    api.put_in("secrets", "shop", "text", **content_of("{s3cret"))
    result = run(namespace="shop", explain_for=[IMAGE])
    assert problems(result) == {"broken": ["malformed"], "text": ["malformed"]}
    (explained,) = result["explanations"]
    assert (explained["result"], explained["secret"], explained["key"]) == ("broken", "broken", None)
    assert [one["name"] for one in result["not_in_variables"]] == ["broken", "text"]


def test_opaque_secrets_are_read_on_request_only(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "shop", "opaque", **content_of({"auths": {"h.example": entry()}}, "Opaque"))
    api.put_in("secrets", "shop", "app", type="Opaque", data={"key": b64("s3cret")})
    assert "opaque" not in [secret["name"] for secret in run(namespace="shop")["secrets"]]
    result = run(namespace="shop", include_opaque=True)
    assert problems(result) == {"opaque": ["type_not_read"]}
    assert [one["name"] for one in result["not_in_variables"]] == ["opaque"]


def test_links_that_have_no_effect(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "shop", "podman", **content_of({"auths": {}}, "kubernetes.io/podmanconfigjson"))
    pull = [{"name": name} for name in ("registry", "gone", "podman", "registry")]
    api.put_in("serviceaccounts", "shop", "builder", imagePullSecrets=pull, secrets=[{"name": "git"}])
    builder = run(namespace="shop")["links"][0]
    assert (builder["service_account"], builder["pull"], builder["mount"]) == (
        "builder",
        ["registry", "gone", "podman"],
        ["git"],
    )
    assert (builder["ineffective"], builder["managed"]) == (["gone", "podman"], None)


def test_where_a_registry_is(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "test", "more", **auths({"https://h.example/v1/": entry("robot"), "other.example": entry()}))
    api.put_in("secrets", "test", "path", **auths({"h.example/team": entry()}))
    api.put_in("secrets", "test", "text", **content_of("{"))
    result = run(registry="h.example", links=False)
    found = [
        (secret["namespace"], secret["name"], [item["registry"] for item in secret["registries"]])
        for secret in result["secrets"]
    ]
    shop, test = ("shop", "registry", ["h.example"]), ("test", "registry", ["h.example"])
    assert found == [shop, ("test", "more", ["https://h.example/v1/"]), test, ("test", "text", [])]
    result = run(registry="h.example", registry_username="robot", links=False)
    assert [secret["name"] for secret in result["secrets"]] == ["more", "text"]


def test_one_secret_needs_no_list(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.forbidden = {"list secrets"}
    result = run(namespaces=["shop", "test"], name="registry", links=False)
    assert [secret["namespace"] for secret in result["secrets"]] == ["shop", "test"]
    assert requests(api) == ["GET shop/secrets/registry", "GET test/secrets/registry"]
    assert run(namespace="shop", name="absent", links=False)["secrets"] == []
    api.forbidden = set()
    assert [secret["namespace"] for secret in run(name="registry")["secrets"]] == ["shop", "test"]
    assert [request.query["fieldSelector"] for request in api.sent if request.path == "/api/v1/secrets"] == [
        "metadata.name=registry"
    ]


def test_which_credential_an_image_uses(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "test", "registry", **auths({"h.example": {}}))
    result = run(
        namespaces=["shop", "test"], explain_for=[IMAGE, "other.example/web", f"{INTERNAL}/shop/web"], links=False
    )
    assert [
        tuple(one[part] for part in ("namespace", "image", "result", "secret", "key", "username", "wanted_key"))
        for one in result["explanations"]
    ] == [
        ("shop", IMAGE, "used", "registry", "h.example", "puller", None),
        ("shop", "other.example/web", "no_match", None, None, None, "other.example"),
        ("shop", f"{INTERNAL}/shop/web", "used", MANAGED, INTERNAL, "<token>", None),
        ("test", IMAGE, "anonymous", "registry", "h.example", None, None),
        ("test", "other.example/web", "no_match", None, None, None, "other.example"),
        ("test", f"{INTERNAL}/shop/web", "used", MANAGED, INTERNAL, "<token>", None),
    ]
    assert result["explanations"][0]["sentence"] == (
        f'For {IMAGE} the API server uses the key "h.example" of the secret "registry" (user "puller").'
    )


def test_mirrors_are_explained_before_the_registry_itself(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "shop", "mirror", **auths({"mirror.example:5000": entry("copier")}))
    tags = [
        {"source": "h.example", "mirrors": ["unused.example"]},
        {"source": "h.example/team", "mirrors": ["mirror.example:5000/copies", "second.example/x", "NO SPEC"]},
    ]
    api.put_in("imagetagmirrorsets", "", "tags", spec={"imageTagMirrors": tags})
    api.put_in("imagetagmirrorsets", "", "without", spec={})
    digests = {"source": "h.example/team", "mirrors": ["digests.example"]}
    api.put_in("imagedigestmirrorsets", "", "digests", spec={"imageDigestMirrors": [digests]})
    by_digest = "h.example/team/web@sha256:" + "a" * 64
    tagged, digested, other = run(
        namespace="shop", links=False, explain_for=["h.example/team/web:v1", by_digest, "h.example/teams/web:v1"]
    )["explanations"]
    assert [(one["image"], one["result"], one["secret"], one["wanted_key"]) for one in tagged["mirrors"]] == [
        ("mirror.example:5000/copies/web:v1", "used", "mirror", None),
        ("second.example/x/web:v1", "no_match", None, "second.example"),
    ]
    assert (tagged["result"], tagged["secret"]) == ("used", "registry")
    assert tagged["sentence"].startswith(
        "Imports look for h.example/team/web:v1 in its mirrors first. For mirror.example:5000/copies/web:v1 the API "
        "server uses the key "
        '"mirror.example:5000" of the secret "mirror" (user "copier"). No key in the registry secrets'
    )
    assert tagged["sentence"].endswith(
        'Then, at the registry that it names: For h.example/team/web:v1 the API server uses the key "h.example" of '
        'the secret "registry" (user "puller").'
    )
    assert [one["image"] for one in digested["mirrors"]] == ["digests.example/web@sha256:" + "a" * 64]
    assert [one["image"] for one in other["mirrors"]] == ["unused.example/teams/web:v1"]


def test_mirrors_that_may_not_be_listed_are_not_taken_for_none(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    assert run(namespace="shop", explain_for=[IMAGE])["explanations"][0]["mirrors"] == []
    api.forbidden = {"list imagetagmirrorsets"}
    (explained,) = run(namespace="shop", explain_for=[IMAGE])["explanations"]
    assert (explained["mirrors"], explained["result"]) == (None, "used")


def test_the_password_of_a_key_is_never_shown(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in(
        "secrets",
        "test",
        "odd",
        **auths({"https://someone:0ther@h.example": entry(), "https://someone:0ther@h.example/team": {}}),
    )
    result = run(namespaces=["shop", "test"], explain_for=[IMAGE])
    assert problems(result)["odd"].count("doubtful_key") == 2
    assert {one["registry"] for one in result["not_in_variables"]} >= {"https://********@h.example"}
    run(registry="h.example/team")


def test_who_may_not_read_secrets_is_told_so(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    api.forbidden = {"list secrets"}
    result = run(namespace="shop", explain_for=[IMAGE])
    assert "failed" not in result
    (explained,) = result["explanations"]
    assert (explained["result"], explained["wanted_key"]) == ("not_allowed", "h.example")
    assert explained["sentence"].startswith(
        f"Which credential the API server uses for {IMAGE} cannot be said here, because you may not list"
    )
    assert [one["namespace"] for one in result["failed_namespaces"]] == ["shop"]
    assert warned == [result["failed_namespaces"][0]["error"]]
    result = run(namespaces=["shop", "test"])
    assert result["failed"]
    assert result["msg"].startswith("Reading registry access failed for all 2: shop: ")


def test_all_namespaces_without_the_right_to(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.forbidden = {"list secrets in *"}
    assert run()["msg"] == "The API server refused it: secrets is forbidden."


def test_an_error_in_one_namespace_hides_no_other(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    broken = raising(status_error(ApiError, 500, "InternalError", "etcd is out"))
    api.before.append(lambda request: broken(request) if "test" in request.path else None)
    result = run(namespaces=["shop", "test"], explain_for=[IMAGE])
    assert (
        result["msg"]
        == "Reading registry access failed for 1 of 2, the others were done: test: The API server refused it: etcd is "
        "out."
    )
    assert [one["namespace"] for one in result["explanations"]] == ["shop"]
    assert [secret["namespace"] for secret in result["secrets"]] == ["shop"]


def test_a_namespace_that_does_not_exist(run: t.Callable[..., t.Any]) -> None:
    assert (
        run(namespace="absent")["msg"]
        == 'The namespace "absent" does not exist, so there is nothing to describe; create the namespace first'
    )


def test_the_names_of_credentials_are_not_masked_by_credentials(
    api: StoredCluster, run: t.Callable[..., t.Any]
) -> None:
    api.put_in("secrets", "shop", "registry", **auths({"h.example": entry("h", "example")}))
    assert run(namespace="shop")["secrets"][0]["registries"] == [
        {"registry": "h.example", "username": "h", "email": None, "expires_at": None}
    ]


def test_the_variables_change_nothing(
    api: StoredCluster, run: t.Callable[..., t.Any], run_module_main: t.Callable[..., t.Any]
) -> None:
    excluded = {"annotations": {"openshift.io/image.excludeSecret": "true"}}
    api.put_in(
        "secrets",
        "test",
        "old",
        metadata=excluded,
        **content_of({"i.example": entry("x", "0ther")}, "kubernetes.io/dockercfg"),
    )
    api.put_in(
        "serviceaccounts",
        "test",
        "builder",
        imagePullSecrets=[{"name": "old"}],
        secrets=[{"name": "old"}, {"name": "registry"}],
    )
    result = run()
    filled = {"registry_access_password_h_example": "s3cret", "registry_access_password_i_example": "0ther"}
    assert {placeholder["variable"] for placeholder in result["placeholders"]} == set(filled)
    for item in result["as_variables"]:
        links = item.pop("link")
        for registry in item["registries"]:
            registry["password"] = filled[registry["password"].strip("{} ")]
        outcome = run_module_main(pull_secret.main, item)
        assert (outcome.code, outcome.result["changed"]) == (0, False)
        for link in links:
            outcome = run_module_main(
                sa_secret_link.main, {"namespaces": item["namespaces"], "secrets": [item["name"]], **link}
            )
            assert (outcome.code, outcome.result["changed"]) == (0, False)
    assert api.writes == []


def test_other_keys_of_the_registry_are_named_beside(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    keys = {
        "h.example": entry(),
        "h.example/team": entry(),
        "*.example": entry("nobody"),
        "h.example:443": entry(),
        "other.example.com": entry(),
    }
    api.put_in("secrets", "shop", "keys", **auths(keys))
    of_shop = {"namespace": "shop", "name": "keys"}
    found = run(namespace="shop", registry="h.example")
    assert [registry["registry"] for secret in found["secrets"] for registry in secret["registries"]] == [
        "h.example",
        "h.example",
    ]
    assert found["related"] == [
        {**of_shop, "registry": "h.example/team", "username": "puller"},
        {**of_shop, "registry": "*.example", "username": "nobody"},
    ]
    assert [
        one["registry"] for one in run(namespace="shop", registry="h.example", registry_username="nobody")["related"]
    ] == ["*.example"]
    assert run(namespace="shop")["related"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency is 0: give a number from 1"),
        ({"namespaces": []}, "namespaces: the list is empty; give at least one namespace"),
        (
            {"registry_username": "u"},
            "registry_username: it chooses among the credentials of one registry; give registry with it",
        ),
        ({"registry": " "}, "registry: it is empty; write host[:port][/path] as images do, or leave it out"),
        (
            {"name": "registry", "explain_for": [IMAGE]},
            "explain_for: every secret of a namespace counts for it; leave out name",
        ),
        (
            {"namespace": "a", "namespace_label_selectors": ["b"]},
            "parameters are mutually exclusive: namespace|namespaces|namespace_label_selectors",
        ),
    ],
)
def test_options_that_cannot_be_meant(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], message: str
) -> None:
    assert run(**options)["msg"] == message
    assert api.sent == []


def test_what_is_no_image(run: t.Callable[..., t.Any]) -> None:
    assert run(explain_for=["not an image"])["msg"].startswith("explain_for: ")


def test_credentials_that_end(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    in_an_hour = int(time.time()) + 3600
    ended = b64(json.dumps({"expiration": 1_000_000_000}))
    ends = b64(json.dumps({"expiration": in_an_hour}))
    api.put_in(
        "secrets",
        "shop",
        "tokens",
        **auths({"a.example": entry("AWS", ended), "b.example": entry("AWS", ends), "c.example": entry()}),
    )
    api.put_in(
        "secrets",
        "shop",
        "owned",
        **auths({"i.example": entry()}),
        metadata={"labels": {"reconcile.external-secrets.io/managed": "true"}},
    )
    result = run(namespace="shop", explain_for=["a.example/web:v1", "b.example/web:v1"])
    owned, _registry, tokens = result["secrets"]
    assert (owned["managed_by"], tokens["managed_by"]) == ("External Secrets", None)
    assert [one["expires_at"] for one in tokens["registries"]] == [
        "2001-09-09T01:46:40Z",
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(in_an_hour)),
        None,
    ]
    assert [(one["problem"], one["registry"]) for one in tokens["problems"]] == [("credential_expires", "a.example")]
    assert tokens["problems"][0]["message"] == (
        'The secret "tokens" in the namespace "shop" has a credential for "a.example" that expired at '
        "2001-09-09T01:46:40Z."
    )
    first, second = result["explanations"]
    assert first["sentence"].endswith("That credential expired at 2001-09-09T01:46:40Z: give a fresh one.")
    assert "expired" not in second["sentence"]
    soon = run(namespace="shop", expires_within=2)["secrets"][2]
    assert [(one["problem"], one["registry"]) for one in soon["problems"]] == [
        ("credential_expires", "a.example"),
        ("credential_expires", "b.example"),
    ]
    assert " that expires at " in soon["problems"][1]["message"]


def test_the_owner_of_an_account_is_reported(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    owned = {"annotations": {"meta.helm.sh/release-name": "chart"}}
    api.put_in("serviceaccounts", "shop", "app", imagePullSecrets=[{"name": "registry"}], metadata=owned)
    links = {link["service_account"]: link["managed_by"] for link in run(namespace="shop")["links"]}
    assert links == {"app": 'the Helm release "chart"', "default": None}


@pytest.mark.parametrize(("topology", "hosted"), [("External", True), ("HighlyAvailable", False)])
def test_who_hosts_the_control_plane_is_told_with_the_global_pull_secret(
    api: StoredCluster, run: t.Callable[..., t.Any], topology: str, hosted: bool
) -> None:
    api.put_in("infrastructures", "", "cluster", status={"controlPlaneTopology": topology})
    api.put_in("secrets", "openshift-config", "pull-secret", **auths({"h.example": entry()}))
    assert run(namespaces=["shop", "openshift-config"], name="pull-secret")["hosted"] is hosted
    assert run(namespace="shop", name="pull-secret")["hosted"] is None
    assert run(namespace="openshift-config")["hosted"] is None


def test_a_topology_that_may_not_be_known_is_a_warning(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    api.put_in("secrets", "openshift-config", "pull-secret", **auths({"h.example": entry()}))
    refused = raising(status_error(Forbidden, 403, "Forbidden", "no"))
    api.before.append(lambda request: refused(request) if "infrastructures" in request.path else None)
    result = run(namespace="openshift-config", name="pull-secret")
    assert (result["hosted"], len(result["secrets"])) == (None, 1)
    assert [text for text in warned if "is taken for one that is not" in text] == warned[:1]

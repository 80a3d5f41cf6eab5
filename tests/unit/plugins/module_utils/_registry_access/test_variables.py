# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.registry_secrets import (
    registry_secrets,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import desired_secret
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.observed import ObservedSecret
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.plan import plan_secret
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.observed import NamespaceAccess
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.variables import (
    AccessVariables,
    access_variables,
)
from ansible_collections.quayside.openshift_images.plugins.modules.pull_secret import argument_spec
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    entry,
    named,
)
from hypothesis import given
from hypothesis import strategies as st

Object = dict[str, t.Any]


def variables(*secrets: Object, namespace: str = "shop", accounts: list[Object] | None = None) -> AccessVariables:
    return of_namespaces({namespace: list(secrets)}, accounts)


def of_namespaces(secrets: dict[str, list[Object]], accounts: list[Object] | None = None) -> AccessVariables:
    observed = [
        NamespaceAccess(namespace, registry_secrets(objects), accounts=accounts)
        for namespace, objects in secrets.items()
    ]
    return access_variables(observed, lambda secret: secret.document.auths if secret.document else {})


def names(found: AccessVariables) -> dict[str, list[str]]:
    return {placeholder.variable: placeholder.secrets for placeholder in found.placeholders}


def reasons(found: AccessVariables) -> list[tuple[str, str, str]]:
    return [(one.name, one.registry, one.reason) for one in found.left_out]


def linked(name: str, pull: tuple[str, ...] = (), mount: tuple[str, ...] = ()) -> Object:
    lists = {"imagePullSecrets": pull, "secrets": mount}
    return {
        "metadata": {"name": name},
        **{field: [{"name": secret} for secret in secrets] for field, secrets in lists.items()},
    }


def test_a_secret_with_its_links() -> None:
    accounts = [
        linked("default", ("pull",)),
        linked("builder", ("other", "pull"), ("pull",)),
        linked("app", ("pull",)),
        linked("idle", ("other",)),
    ]
    found = variables(named("pull", auths({"h.example:5000": entry(email="u@h.example")})), accounts=accounts)
    assert found.secrets == [
        {
            "name": "pull",
            "namespaces": ["shop"],
            "registries": [
                {
                    "registry": "h.example:5000",
                    "username": "puller",
                    "password": "{{ registry_access_password_h_example_5000 }}",
                    "email": "u@h.example",
                }
            ],
            "link": [
                {"service_accounts": ["app", "default"], "for": ["pull"]},
                {"service_accounts": ["builder"], "for": ["pull", "mount"]},
            ],
        }
    ]
    assert names(found) == {"registry_access_password_h_example_5000": ["shop/pull"]}
    assert found.left_out == []


def test_equal_secrets_of_several_namespaces_are_one_entry() -> None:
    same, other = auths({"h.example": entry()}), auths({"h.example": entry(password="0ther")})
    found = of_namespaces(
        {"a": [named("pull", same)], "b": [named("pull", other)], "c": [named("pull", same), named("more", same)]}
    )
    assert [(secret["name"], secret["namespaces"]) for secret in found.secrets] == [
        ("pull", ["a", "c"]),
        ("pull", ["b"]),
        ("more", ["c"]),
    ]
    assert names(found) == {
        "registry_access_password_h_example_puller_a_pull": ["a/pull", "c/more", "c/pull"],
        "registry_access_password_h_example_puller_b_pull": ["b/pull"],
    }


def test_a_name_is_as_short_as_it_is_clear() -> None:
    found = of_namespaces(
        {
            "a": [named("one", auths({"quay.io": entry("u"), "h.example/x": entry("v")}))],
            "b": [named("two", auths({"quay.io": entry("v")}))],
            "a-b": [named("c", auths({"https://i.example/v1/": entry("w", "1")}))],
            "a-c": [named("c", auths({"i.example": entry("w", "2")}))],
        }
    )
    assert list(names(found)) == [
        "registry_access_password_quay_io_u",
        "registry_access_password_h_example_x",
        "registry_access_password_quay_io_v",
        "registry_access_password_https_i_example_v1",
        "registry_access_password_i_example",
    ]
    alike = of_namespaces(
        {
            "a-b": [named("c", auths({"h.example": entry("w", "1")}))],
            "a": [named("b-c", auths({"h.example": entry("w", "2")}))],
        }
    )
    assert list(names(alike)) == [
        "registry_access_password_h_example_w_a_b_c_2",
        "registry_access_password_h_example_w_a_b_c_3",
    ]


def test_type_and_exclusion_are_kept() -> None:
    excluded = {"openshift.io/image.excludeSecret": "true"}
    found = variables(named("old", content_of({"h.example": entry()}, "kubernetes.io/dockercfg"), excluded))
    assert (found.secrets[0]["type"], found.secrets[0]["exclude_from_import"]) == ("kubernetes.io/dockercfg", True)


def test_what_is_no_password() -> None:
    bytes_in_it = {"auth": "cPz/OnNlY3JldA=="}
    found = variables(named("pull", auths({"t.example": {"identitytoken": "t"}, "b.example": bytes_in_it})))
    assert found.secrets[0]["registries"] == [
        {"registry": "t.example", "identity_token": "{{ registry_access_identity_token_t_example }}"},
        {"registry": "b.example", "auth": "{{ registry_access_auth_b_example }}"},
    ]
    assert [placeholder.kind for placeholder in found.placeholders] == ["identity_token", "auth"]


def test_what_the_role_could_not_write_as_it_is_is_left_out_and_named() -> None:
    found = variables(
        named("a-unreadable", auths({})),
        named("b-malformed", auths({"h.example": {"auth": "%"}, "i.example": entry()})),
        named("c-opaque", content_of({"auths": {"h.example": entry()}}, "Opaque")),
        named("d-text", content_of("{")),
        named(
            "e-partly",
            auths(
                {
                    "empty.example": {},
                    "both.example": {"auth": b64("u:p"), "identitytoken": "t"},
                    "token.example": {"username": "u", "identitytoken": "t"},
                    "colon.example": {"username": "a:b", "password": "p"},
                    "twice.example": entry(),
                    "https://twice.example": entry(),
                    "template.example": entry("{{ lookup('env', 'HOME') }}"),
                    " blank.example": entry(),
                    "escape.example": entry("a\x1b[2J\nb"),
                    "good.example": entry(),
                }
            ),
        ),
    )
    assert [registry["registry"] for secret in found.secrets for registry in secret["registries"]] == [
        "template.example",
        "good.example",
    ]
    twice = "it is written twice, in two ways that are one registry to the cluster"
    token = "it has an identity token beside a user name or password"
    assert reasons(found) == [
        ("a-unreadable", "", "it holds no registry"),
        ("b-malformed", "", "it has an entry that cannot be decoded, with which nothing can be merged"),
        ("c-opaque", "", "it is of the type Opaque, which pull_secret does not write"),
        ("d-text", "", 'its ".dockerconfigjson" cannot be read: it is not JSON (line 1, column 2)'),
        ("e-partly", "empty.example", "it has no user name and password"),
        ("e-partly", "both.example", token),
        ("e-partly", "token.example", token),
        ("e-partly", "colon.example", "its user name has a colon in it"),
        ("e-partly", "twice.example", twice),
        ("e-partly", "https://twice.example", twice),
        ("e-partly", " blank.example", "it is not the name of a registry"),
        ("e-partly", "escape.example", "it has characters that cannot be shown"),
    ]


def test_what_cannot_be_a_name_is_left_out_with_the_reason_and_keeps_nothing_else_out() -> None:
    accounts = [linked("default", ("good",)), linked("x\n- y", ("good",))]
    found = variables(
        named("a{{ 1 }}", auths({"h.example": entry()})),
        named("good", auths({"h.example": entry()})),
        accounts=accounts,
    )

    assert [(secret["name"], secret["link"]) for secret in found.secrets] == [
        ("good", [{"service_accounts": ["default"], "for": ["pull"]}])
    ]
    [(name, registry, reason)] = reasons(found)
    assert (name, registry) == ("a{{ 1 }}", "")
    assert "cannot be the name of an object" in reason


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
ENTRY = st.one_of(
    st.builds(lambda user, word: {"username": user, "password": word}, TEXT, TEXT),
    st.builds(
        lambda raw: {"auth": raw},
        st.one_of(TEXT, TEXT.map(lambda text: b64(f"{text}:{text}")), st.just("cPz/OnNlY3JldA==")),
    ),
    st.builds(lambda user, token, email: {"username": user, "identityToken": token, "email": email}, TEXT, TEXT, TEXT),
    st.just(None),
)
KEY = st.one_of(
    st.sampled_from(
        ["h.example", "https://h.example/v1/", "h.example/team", "docker.io", "https://index.docker.io/v1/"]
    ),
    TEXT,
)
SECRET = st.builds(
    lambda entries, kind: content_of(entries if kind.endswith("cfg") else {"auths": entries}, kind),
    st.dictionaries(KEY, ENTRY, max_size=4),
    st.sampled_from(["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg", "kubernetes.io/podmanconfigjson"]),
)


@given(SECRET)
def test_with_the_placeholders_filled_in_nothing_would_change(content: Object) -> None:
    secret = named("pull", content)
    found = variables(secret)
    credentials = {placeholder.variable: placeholder for placeholder in found.placeholders}
    values = {
        variable: credential_of(secret, placeholder.registry, placeholder.kind)
        for variable, placeholder in credentials.items()
    }
    for item in found.secrets:
        for registry in item["registries"]:
            kind = next(kind for kind in ("password", "auth", "identity_token") if kind in registry)
            registry[kind] = values.pop(registry[kind].strip("{} "))
        plan = plan_secret(desired_secret(params(item)), "shop", ObservedSecret(secret))
        assert (plan.action, plan.reasons) == ("none", ())
    assert values == {}
    assert "s3cret" not in repr(found)


def credential_of(secret: Object, registry: str, kind: str) -> str:
    (known,) = registry_secrets([secret])
    assert known.document is not None
    raw = {name.lower(): value for name, value in known.document.auths[registry].items()}
    if kind == "identity_token":
        return str(raw["identitytoken"])
    if kind == "auth":
        return str(raw["auth"])
    from_auth = raw.get("auth") and decoded(raw["auth"])
    return str(from_auth or raw["password"])


def decoded(auth: str) -> str:
    return base64.b64decode(auth + "=" * (-len(auth) % 4)).decode().partition(":")[2]


def params(item: Object) -> Object:
    """Return the options of pull_secret for an entry of the variables, as the role gives them."""
    options = argument_spec().to_kwargs()["argument_spec"]
    given_options = {key: value for key, value in item.items() if key != "link"}
    registries = [
        {**{name: option.get("default") for name, option in options["registries"]["options"].items()}, **registry}
        for registry in item["registries"]
    ]
    return {
        **{name: option.get("default") for name, option in options.items()},
        **json.loads(json.dumps(given_options)),
        "registries": registries,
    }

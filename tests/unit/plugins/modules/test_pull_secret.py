# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiUnreachable, Unauthorized
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret import verify
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.verify import (
    LoginResult,
    LoginsRefused,
)
from ansible_collections.quayside.openshift_images.plugins.modules import pull_secret
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import (
    StoredCluster,
    raising,
    status_error,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    document_of,
    entry,
    logins_of,
)

PASSWORD = 's3cr"t/pä$$'
OURS = {"registry": "h.example", "username": "puller", "password": PASSWORD}
NEVER = (
    PASSWORD,
    json.dumps(PASSWORD)[1:-1],
    b64(PASSWORD),
    b64(f"puller:{PASSWORD}"),
    "f0rmer",
    b64("puller:f0rmer"),
    b64("f0rmer"),
)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> StoredCluster:
    api = StoredCluster("shop", "test")
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: api)
    return api


@pytest.fixture
def run(warned: list[str], run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Run the module; whatever happens, no secret may be in what it prints."""

    def run_it(*, check_mode: bool = False, diff: bool = True, **options: t.Any) -> t.Any:
        given = {"name": "pull", **({"namespace": "shop"} if "namespaces" not in options else {}), **options}
        outcome = run_module_main(pull_secret.main, given, check_mode=check_mode, diff=diff)
        assert [secret for secret in NEVER if secret in outcome.text + "".join(warned)] == []
        return outcome

    return run_it


def the_secret(outcome: t.Any) -> dict[str, t.Any]:
    (secret,) = outcome.result["secrets"]
    return t.cast("dict[str, t.Any]", secret)


def test_check_do_check_do(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    would = run(registries=[OURS], check_mode=True)
    assert api.writes == []
    did = run(registries=[OURS])
    assert would.result["changed"] is did.result["changed"] is True
    assert would.result["secrets"] == did.result["secrets"]
    assert would.result["diff"] == did.result["diff"]
    assert logins_of(api.secret("shop", "pull")) == {"h.example": ("puller", PASSWORD)}
    version = api.secret("shop", "pull")["metadata"]["resourceVersion"]
    for check_mode in (True, False):
        again = run(registries=[OURS], check_mode=check_mode)
        assert (again.result["changed"], again.result["diff"]) == (False, [])
    assert api.secret("shop", "pull")["metadata"]["resourceVersion"] == version


def test_the_result_and_the_diff(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in(
        "secrets", "shop", "pull", **auths({"h.example": entry("puller", "f0rmer"), "i.example": entry("i", "f0rmer")})
    )
    outcome = run(registries=[OURS])
    assert not outcome.failed
    assert the_secret(outcome) == {
        "namespace": "shop",
        "name": "pull",
        "state": "present",
        "type": "kubernetes.io/dockerconfigjson",
        "registries": [
            {
                "registry": "h.example",
                "state": "present",
                "username": "puller",
                "email": None,
                "expires_at": None,
                "changed": True,
                "reasons": ["password_changed"],
            },
            {
                "registry": "i.example",
                "state": "present",
                "username": "i",
                "email": None,
                "expires_at": None,
                "changed": False,
                "reasons": [],
            },
        ],
        "changed": True,
        "reasons": ["registries_changed"],
        "managed_by": None,
        "shadowing_checked": True,
        "error": None,
    }
    assert "registries: h.example: password: (hidden, differs)" in outcome.diff["pull secret shop/pull"][1]
    assert outcome.result["summary"] == {
        "namespaces": 1,
        "failed": 0,
        "created": 0,
        "updated": 1,
        "recreated": 0,
        "deleted": 0,
        "unchanged": 0,
    }


def test_no_diff_unless_asked(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    assert "diff" not in run(registries=[OURS], diff=False).result


@pytest.mark.parametrize(
    ("option", "form"),
    [
        ("auth_file", "docker"),
        ("auth_file", "podman"),
        ("auth_file", "dockercfg"),
        ("auth_content", "mapping"),
        ("auth_content", "text"),
        ("auth_content", "data"),
    ],
)
def test_every_way_to_give_credentials(
    api: StoredCluster, run: t.Callable[..., t.Any], tmp_path: Path, option: str, form: str
) -> None:
    credential = {"auth": b64(f"puller:{PASSWORD}")}
    documents: dict[str, t.Any] = {
        "docker": {"auths": {"h.example": credential}, "HttpHeaders": {"User-Agent": "Docker-Client"}},
        "podman": {"auths": {"h.example": credential}},
        "dockercfg": {"h.example": {**credential, "email": "u@h.example"}},
    }
    document = documents.get(form, documents["podman"])
    value: t.Any = document
    if option == "auth_file":
        path = tmp_path / "auth.json"
        path.write_text(json.dumps(document))
        value = str(path)
    elif form == "text":
        value = json.dumps(document)
    elif form == "data":
        value = b64(json.dumps(document))
    run(**{option: value})
    assert logins_of(api.secret("shop", "pull")) == {"h.example": ("puller", PASSWORD)}
    assert not run(**{option: value}).result["changed"]
    assert not run(registries=[OURS]).result["changed"]
    assert not run(registries=[{"registry": "h.example", "auth": b64(f"puller:{PASSWORD}")}]).result["changed"]


def test_merge_replace_and_taking_out(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    foreign = {"auth": b64("x:f0rmer"), "x-note": {"a": [1]}}
    api.put_in(
        "secrets",
        "shop",
        "pull",
        **auths({"i.example": foreign, "j.example": entry("j", "f0rmer")}, HttpHeaders={"A": "b"}),
    )
    run(registries=[OURS, {"registry": "j.example", "state": "absent"}])
    document = document_of(api.secret("shop", "pull"))
    assert set(document["auths"]) == {"i.example", "h.example"}
    assert (document["auths"]["i.example"], document["HttpHeaders"]) == (foreign, {"A": "b"})
    run(registries=[OURS], update="replace")
    assert set(document_of(api.secret("shop", "pull"))) == {"auths"}
    assert set(logins_of(api.secret("shop", "pull"))) == {"h.example"}


@pytest.mark.parametrize(
    ("secret_type", "key"), [("kubernetes.io/dockercfg", ".dockercfg"), ("kubernetes.io/podmanconfigjson", "auth.json")]
)
def test_other_types(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str], secret_type: str, key: str
) -> None:
    run(registries=[OURS], type=secret_type)
    secret = api.secret("shop", "pull")
    assert (secret["type"], list(secret["data"])) == (secret_type, [key])
    assert logins_of(secret) == {"h.example": ("puller", PASSWORD)}
    assert any("nothing in the cluster reads that type" in warning for warning in warned) is (key == "auth.json")


def test_another_type_is_an_error_that_names_recreate(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in(
        "secrets",
        "shop",
        "pull",
        **content_of({"auths": {"i.example": entry("i", "f0rmer")}}, "kubernetes.io/podmanconfigjson"),
    )
    outcome = run(registries=[OURS])
    assert outcome.failed
    assert outcome.result["msg"] == (
        'The secret "pull" in the namespace "shop" is of the type kubernetes.io/podmanconfigjson, not '
        "kubernetes.io/dockerconfigjson, and the type of a secret cannot be changed; set recreate: true to delete and "
        "recreate it, set type: kubernetes.io/podmanconfigjson, or choose another name"
    )
    assert api.writes == []
    assert the_secret(run(registries=[OURS], recreate=True))["reasons"] == ["type_changed", "registries_changed"]
    assert set(logins_of(api.secret("shop", "pull"))) == {"h.example", "i.example"}


def test_state_absent(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    assert not run(state="absent").result["changed"]
    run(registries=[OURS])
    assert run(state="absent", check_mode=True).result["changed"]
    assert run(state="absent").diff["pull secret shop/pull"][1] == ["state: absent"]
    assert api.objects == {}


def test_metadata(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(
        registries=[OURS],
        exclude_from_import=True,
        labels={"team": "web"},
        annotations={"note": "x", "Example.com/Why": "any text, of course"},
    )
    metadata = api.secret("shop", "pull")["metadata"]
    assert metadata["annotations"] == {
        "note": "x",
        "Example.com/Why": "any text, of course",
        "openshift.io/image.excludeSecret": "true",
    }
    assert metadata["labels"] == {"team": "web"}
    assert "labels: team: web" in outcome.diff["pull secret shop/pull"][1]
    assert the_secret(run(exclude_from_import=False, labels={"team": None}))["reasons"] == [
        "labels_changed",
        "import_exclusion_changed",
    ]


def test_an_error_in_one_namespace_hides_no_other_result(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(namespaces=["nowhere", "shop", "test"], registries=[OURS])
    error = (
        'The namespace "nowhere" does not exist, so the secret "pull" cannot be created there; create the namespace '
        "first"
    )
    assert outcome.result["msg"] == f'The pull secret "pull" failed for 1 of 3, the others were done: nowhere: {error}.'
    assert outcome.result["changed"]
    assert [(secret["namespace"], secret["changed"], secret["error"]) for secret in outcome.result["secrets"]] == [
        ("nowhere", False, error),
        ("shop", True, None),
        ("test", True, None),
    ]
    assert outcome.result["failed_namespaces"] == ["nowhere"]
    assert set(outcome.diff) == {"pull secret shop/pull", "pull secret test/pull"}


@pytest.mark.parametrize(
    "error", [ApiUnreachable("The cluster is out of reach."), status_error(Unauthorized, 401, "Unauthorized", "no")]
)
def test_a_cluster_that_does_not_answer(api: StoredCluster, run: t.Callable[..., t.Any], error: t.Any) -> None:
    api.before.append(raising(error))
    assert run(registries=[OURS]).result["msg"] == str(error)
    assert len(run(namespaces=["shop", "test"], registries=[OURS]).result["failed_namespaces"]) == 2


def test_logins_are_tried_before_anything_is_written(
    api: StoredCluster, run: t.Callable[..., t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[list[str]] = []

    def refuse(registries: t.Any) -> t.NoReturn:
        tried.append([registry.registry for registry in registries])
        raise LoginsRefused(
            'The registry "h.example" refused it; nothing was written',
            [LoginResult("h.example", "puller", "refused", "refused it", 401)],
        )

    monkeypatch.setattr(verify, "try_logins", refuse)
    for check_mode in (True, False):
        outcome = run(
            registries=[OURS, {"registry": "i.example", "state": "absent"}], verify=True, check_mode=check_mode
        )
        assert outcome.result["msg"] == 'The registry "h.example" refused it; nothing was written'
        assert (outcome.result["registry"], outcome.result["status"]) == ("h.example", 401)
        assert outcome.result["verified"] == [
            {"registry": "h.example", "username": "puller", "result": "refused", "error": "refused it", "status": 401}
        ]
    assert tried == [["h.example"], ["h.example"]]
    assert api.sent == []
    assert not run(registries=[OURS]).failed


def test_an_accepted_login_is_reported(
    api: StoredCluster, run: t.Callable[..., t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "try_logins", lambda _registries: [LoginResult("h.example", "puller", "accepted")])
    assert run(registries=[OURS], verify=True).result["verified"][0]["result"] == "accepted"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            None,
            (
                "auth_file: {path} does not exist on the host where the module runs; give the path of a Docker "
                "config.json or a Podman auth.json there"
            ),
        ),
        (
            "nope",
            (
                "auth_file: {path} is not JSON (line 1, column 1); a Docker config.json or a Podman auth.json is "
                'expected, as "docker login" or "podman login --authfile" writes it'
            ),
        ),
        (
            {},
            (
                'auth_file: {path} has no "auths": it is not a Docker config.json or a Podman auth.json that "docker '
                'login" or "podman login --authfile" has '
                "written"
            ),
        ),
        (
            {"auths": {"h.example": {}}, "credsStore": "desktop"},
            (
                'auth_file: {path} holds no credential: they are kept by the credential helper "desktop" (credsStore), '
                "which a cluster cannot ask; log in once "
                'more into a file of its own ("podman login --authfile FILE REGISTRY") and give that file, or give '
                "username and password in registries"
            ),
        ),
        (
            {"auths": {"h.example": {"auth": "@f0rmer"}}},
            (
                'auth_file: {path}: the entry of "h.example" cannot be used: its auth is not base64 of user:password; '
                "it would break every image import of the "
                'namespace, so log in to that registry again, or leave it out with "only"'
            ),
        ),
        (
            {"auths": {"h.example": {"email": "u@h.example"}}},
            (
                'auth_file: {path}: the entry of "h.example" cannot be used: it has no user name and password; the '
                "cluster would ask that registry anonymously "
                'and no longer try the credentials of other secrets, so log in to it again, or leave it out with "only"'
            ),
        ),
    ],
)
def test_auth_files_that_are_refused(
    api: StoredCluster, run: t.Callable[..., t.Any], tmp_path: Path, content: t.Any, sentence: str
) -> None:
    path = tmp_path / "auth.json"
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    outcome = run(auth_file=str(path))
    assert outcome.result["msg"] == sentence.format(path=path)
    assert api.sent == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"registries": [OURS], "namespaces": ["shop"], "namespace": "shop"},
            "parameters are mutually exclusive: namespace|namespaces",
        ),
        (
            {"registries": [{"registry": "h.example", "username": "u"}]},
            "parameters are required together: username, password found in registries",
        ),
        (
            {"registries": [{**OURS, "auth": "dTpw"}]},
            "parameters are mutually exclusive: username|auth|identity_token found in registries",
        ),
        ({"auth_file": "/x", "auth_content": {}}, "parameters are mutually exclusive: auth_file|auth_content"),
        (
            {"registries": [{"registry": "h.example"}]},
            'registries: "h.example" has no credential; give username and password, auth, identity_token or',
        ),
        ({}, "there is nothing to put into the secret; give at least one of registries, auth_file and auth_content"),
        ({"name": "Pull", "registries": [OURS]}, 'name: "Pull" cannot be the name of an object'),
        (
            {"labels": {"a b": "c"}},
            (
                'labels: "a b" cannot be the key of one; use letters, digits, "-", "_" and ".", beginning and ending '
                "with a letter or"
            ),
        ),
        ({"labels": {"Example.com/team": "c"}}, 'labels: "Example.com/team" cannot be the key of one'),
        ({"labels": {"/team": "c"}}, 'labels: "/team" cannot be the key of one'),
        (
            {"labels": {"team": "a" * 64}},
            f'labels: "{"a" * 64}" cannot be the value of "team"; use letters, digits, "-", "_" and "."',
        ),
        ({"labels": {"team": "the web"}}, 'labels: "the web" cannot be the value of "team"'),
        ({"annotations": {"a/b/c": "any text"}}, 'annotations: "a/b/c" cannot be the key of one'),
    ],
)
def test_options_that_are_refused(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], words: str
) -> None:
    outcome = run(**options)
    assert outcome.failed
    assert words in outcome.result["msg"]
    assert api.sent == []


def test_a_namespace_is_required(api: StoredCluster, run_module_main: t.Callable[..., t.Any]) -> None:
    outcome = run_module_main(pull_secret.main, {"name": "pull", "registries": [OURS]})
    assert "one of the following is required: namespace, namespaces" in outcome.result["msg"]


def test_keys_that_match_less_than_they_seem_to_are_warned_about(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    outcome = run(registries=[{**OURS, "registry": "registry-1.docker.io"}, {**OURS, "registry": "h.example:443"}])
    assert not outcome.failed
    assert len(warned) == 2
    assert "matches no image of Docker Hub" in warned[0]
    assert 'never "h.example/..."' in warned[1]


def test_an_internal_error_shows_no_secret(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    def explode(request: t.Any) -> None:
        raise RuntimeError(f"unexpected: {PASSWORD} {request.body}")

    api.before.append(explode)
    assert run(registries=[OURS]).failed


def test_other_secrets_are_left_unread_on_request(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    api.put_in("secrets", "shop", "a-rival", **auths({"h.example": entry(password="f0rmer")}))
    outcome = run(registries=[OURS], check_others=False)
    assert [str(request) for request in api.sent] == [
        "GET shop/secrets/pull",
        "GET shop/secrets/pull.former",
        "POST shop/secrets",
    ]
    assert (the_secret(outcome)["shadowing_checked"], warned) == (False, [])
    run(registries=[OURS])
    assert ["a-rival" in warning for warning in warned] == [True]


def test_a_secret_that_has_to_be_there(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    for check_mode in (True, False):
        assert "does not exist" in run(registries=[OURS], create=False, check_mode=check_mode).result["msg"]
    assert api.writes == []
    api.put_in("secrets", "shop", "pull", **auths({"i.example": entry("i")}))
    assert run(registries=[OURS], create=False).result["summary"]["updated"] == 1


@pytest.mark.parametrize(
    "options",
    [
        {"registries": OURS},
        {"registries": json.dumps([OURS])},
        {"auth_file": json.dumps({"auths": {"h.example": {"auth": b64(f"puller:{PASSWORD}"), "password": PASSWORD}}})},
        {"auth_file": b64(json.dumps({"auths": {"h.example": {"auth": b64(f"puller:{PASSWORD}")}}}))},
        {
            "registries": [
                {**OURS, "ca_cert": f"-----BEGIN PRIVATE KEY-----\n{b64(PASSWORD)}\n-----END PRIVATE KEY-----"}
            ]
        },
        {"registries": [{**OURS, "registry": "https://puller:f0rmer@h.example"}]},
        {"registries": [{**OURS, "registry": "puller:f0rmer@h.example"}]},
        {"auth_content": {"auths": {"https://puller:f0rmer@h.example": {"auth": b64(f"puller:{PASSWORD}")}}}},
        {"auth_content": {"auths": {"puller:f0rmer@h.example": {"auth": b64(f"puller:{PASSWORD}")}}}},
    ],
)
def test_options_of_another_form_show_no_credential(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any]
) -> None:
    # run looks at everything that is printed, the options that were given included
    assert run(**options).failed
    assert api.sent == []


def test_user_information_in_a_key_of_the_cluster_is_never_shown(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"https://puller:f0rmer@h.example": entry("u", "p4ss")}))
    outcome = run(registries=[{**OURS, "registry": "i.example"}])
    assert {registry["registry"] for registry in the_secret(outcome)["registries"]} == {
        "https://********@h.example",
        "i.example",
    }
    assert not run(state="absent").failed


def test_a_credential_from_another_secret(
    api: StoredCluster, run: t.Callable[..., t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.namespaces.add("vault")
    api.put_in("secrets", "vault", "fresh", **auths({"h.example": entry("puller", "f0rmer")}))
    tried: list[str] = []
    monkeypatch.setattr(verify, "log_in", lambda _registry, login, *_more: tried.append(login.username) or "accepted")
    taken = {"registry": "h.example", "from_secret": {"namespace": "vault", "name": "fresh"}}
    options = {"namespaces": ["shop", "test"], "registries": [taken], "verify": True}
    assert run(check_mode=True, **options).result["changed"]
    assert run(**options).result["changed"]
    assert not run(**options).result["changed"]
    assert tried == ["puller"] * 3
    assert logins_of(api.secret("test", "pull")) == {"h.example": ("puller", "f0rmer")}
    api.put_in("secrets", "vault", "fresh", **auths({"h.example": entry("puller", PASSWORD)}))
    changed = run(**options).result
    assert [secret["reasons"] for secret in changed["secrets"]] == [["registries_changed"]] * 2
    assert logins_of(api.secret("shop", "pull")) == {"h.example": ("puller", PASSWORD)}
    del api.objects["secrets", "vault", "fresh"]
    assert run(**options).result["msg"] == (
        'from_secret: the secret "fresh" in the namespace "vault" does not exist; create it first, or check the names'
    )


def test_the_owner_and_the_end_of_credentials_are_returned(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    ended = b64(json.dumps({"expiration": 1_000_000_000}))
    api.put_in(
        "secrets",
        "shop",
        "pull",
        **auths({"h.example": entry("AWS", ended)}),
        metadata={"labels": {"olm.owner": "operator"}},
    )
    secret = the_secret(run(registries=[{"registry": "h.example", "username": "AWS", "password": ended}]))
    assert secret["managed_by"] == 'the Operator Lifecycle Manager for "operator"'
    assert [one["expires_at"] for one in secret["registries"]] == ["2001-09-09T01:46:40Z"]
    assert warned == [
        'The credential of "h.example" in the secret "pull" expired at 2001-09-09T01:46:40Z; give a fresh one.'
    ]


def test_the_global_secret_of_a_hosted_cluster(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    api.namespaces |= {"openshift-config", "kube-system"}
    api.put_in("infrastructures", "", "cluster", status={"controlPlaneTopology": "External"})
    target = {"namespace": "openshift-config", "name": "pull-secret", "create": False}

    refused = run(**target, registries=[OURS])
    assert refused.failed
    assert "does not exist in the namespace" in refused.result["msg"]

    outcome = run(**target, registries=[OURS], hosted="additional", import_namespaces=["shop"])
    assert not outcome.failed
    assert outcome.result["hosted"] is True
    shown = [(one["namespace"], one["name"], one["changed"]) for one in outcome.result["secrets"]]
    assert shown == [(where, "additional-pull-secret", True) for where in ("kube-system", "shop")]
    assert warned == []
    again = run(**target, registries=[OURS], hosted="additional")
    assert again.result["changed"] is False
    assert ["image imports do not see it" in warning for warning in warned] == [True]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hosted": "additional"}, "hosted: additional is about the cluster's global pull secret"),
        ({"import_namespaces": ["shop"]}, "import_namespaces: they get a copy of the additional pull secret only"),
    ],
)
def test_what_makes_no_sense_of_hosted_clusters(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], words: str
) -> None:
    outcome = run(registries=[OURS], **options)
    assert outcome.failed
    assert words in outcome.result["msg"]
    assert api.sent == []

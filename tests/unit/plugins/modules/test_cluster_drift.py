# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module on secrets and links; with image streams and real registries it is tested by the playbooks."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.modules import cluster_drift
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import StoredCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.documentation import (
    argument_spec_of,
    documented_spec,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, b64, entry

HOST = "https://api.example.com:6443"
SECRET = {
    "name": "registry",
    "namespaces": ["shop", "test"],
    "registries": [{"registry": "h.example", "username": "puller", "password": "s3cret"}],
    "link": [{"service_accounts": ["default"]}],
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> StoredCluster:
    api = StoredCluster("shop", "test")
    api.connection = SimpleNamespace(host=HOST)
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: api)
    for namespace in ("shop", "test"):
        api.put_in("serviceaccounts", namespace, "default", secrets=[], imagePullSecrets=[])
    return api


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def run_it(*, check_mode: bool = True, **options: t.Any) -> t.Any:
        outcome = run_module_main(
            cluster_drift.main, {"secrets": [SECRET], **options}, check_mode=check_mode, diff=True
        )
        assert "s3cret" not in outcome.text
        assert b64("puller:s3cret") not in outcome.text
        return outcome

    return run_it


def test_the_documentation_and_the_argument_spec_say_the_same() -> None:
    assert argument_spec_of(cluster_drift) == documented_spec(cluster_drift)


def test_what_differs_is_told_with_before_and_after_and_nothing_is_written(
    api: StoredCluster, run: t.Callable[..., t.Any]
) -> None:
    api.put_in("secrets", "shop", "registry", **auths({"h.example": entry(password="another")}))

    outcome = run()

    assert outcome.code == 0
    assert api.writes == []
    drift = outcome.result["drift"]
    assert drift["host"] == HOST
    shown = {(change["kind"], change["namespace"], change["name"]): change for change in drift["changes"]}
    assert {key: change["reasons"] for key, change in shown.items()} == {
        ("secret", "shop", "registry"): ["password_changed"],
        ("secret", "test", "registry"): ["registry_missing", "secret_missing"],
        ("link", "shop", "default"): ["link_missing"],
        ("link", "test", "default"): ["link_missing"],
    }
    assert shown["link", "shop", "default"]["before"] == {"imagePullSecrets": []}
    assert shown["link", "shop", "default"]["after"] == {"imagePullSecrets": ["registry"]}
    assert shown["secret", "shop", "registry"]["before"]["registries"] == {
        "h.example": {"username": "puller", "password": "(hidden)"}
    }
    assert drift["counts"] == {"secrets": 2, "links": 2, "streams": 0, "tags": 0}
    assert outcome.result["pending_credentials"] == [
        {"namespace": "shop", "registries": ["h.example"]},
        {"namespace": "test", "registries": ["h.example"]},
    ]


def test_outside_check_mode_it_is_brought_about_and_then_nothing_differs(
    api: StoredCluster, run: t.Callable[..., t.Any]
) -> None:
    would = run()
    did = run(check_mode=False)
    again = run(check_mode=False)

    assert [change["id"] for change in would.result["drift"]["changes"]] == [
        change["id"] for change in did.result["drift"]["changes"]
    ]
    assert did.result["changed"]
    assert (again.result["changed"], again.result["drift"]["changes"]) == (False, [])


def test_what_is_another_change_by_now_is_left_alone(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    for namespace in ("shop", "test"):
        api.put_in("secrets", namespace, "registry", **auths({"h.example": entry(password="another")}))
    shown = run().result["to_approve"]
    # Somebody removes the registry in one namespace, and links the secret by hand in the other.
    api.put_in("secrets", "shop", "registry", **auths({"other.example": entry()}))
    api.put_in(
        "serviceaccounts", "test", "default", secrets=[], imagePullSecrets=[{"name": "mine"}, {"name": "registry"}]
    )
    api.sent.clear()

    did = run(check_mode=False, approved=shown)

    drift = did.result["drift"]
    assert [(change["kind"], change["namespace"]) for change in drift["changes"]] == [
        ("secret", "test"),
        ("link", "shop"),
    ]
    assert drift["held_back"] == [
        {"kind": "secret", "namespace": "shop", "name": "registry", "tag": None, "reasons": ["registries_changed"]}
    ]
    assert not did.failed
    assert [request.path for request in api.writes] == [
        "/api/v1/namespaces/test/secrets/registry",
        "/api/v1/namespaces/shop/serviceaccounts/default",
    ]


def test_without_any_approval_nothing_is_asked_and_nothing_written(
    api: StoredCluster, run: t.Callable[..., t.Any]
) -> None:
    did = run(check_mode=False, approved=[])

    assert (did.result["changed"], did.result["drift"]["changes"], api.sent) == (False, [], [])


def test_a_namespace_that_is_missing_does_not_hide_the_others(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(secrets=[{**SECRET, "namespaces": ["shop", "gone"]}])

    assert outcome.failed
    drift = outcome.result["drift"]
    assert [(change["kind"], change["namespace"]) for change in drift["changes"]] == [
        ("secret", "shop"),
        ("link", "shop"),
    ]
    assert {(failure["kind"], failure["namespace"]) for failure in drift["failures"]} == {
        ("secret", "gone"),
        ("link", "gone"),
    }
    assert '"gone"' in drift["failures"][0]["message"]
    unknown = {(one["kind"], one["namespace"], one["reason"]) for one in drift["unknown"]}
    assert unknown == {("secret", "gone", "NamespaceMissing"), ("link", "gone", "NamespaceMissing")}
    assert outcome.result["summary"]["unknown"] == 2


def test_what_somebody_else_did_meanwhile_is_confirmed_and_nothing_else_is(
    api: StoredCluster, run: t.Callable[..., t.Any]
) -> None:
    shown = run().result["to_approve"]
    ids = {(one["kind"], one["namespace"]): one["id"] for one in shown}
    # Somebody links the secret in one namespace, and what was approved for another secret is not declared any more.
    api.put_in("serviceaccounts", "test", "default", secrets=[], imagePullSecrets=[{"name": "registry"}])
    forgotten = {**shown[0], "id": "f" * 16, "name": "forgotten"}

    did = run(check_mode=False, approved=[*shown, forgotten])

    assert did.result["drift"]["confirmed"] == [ids["link", "test"]]


def test_names_are_whole_in_the_file_of_results_whatever_the_password(
    api: StoredCluster, tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    """Ansible hides the password in every name that has it: what computes with such a result does nothing, and calls
    it done."""
    secret = {**SECRET, "namespaces": ["test"], "registries": [{**SECRET["registries"][0], "password": "test"}]}
    path = tmp_path / "results.json"

    outcome = run_module_main(cluster_drift.main, {"secrets": [secret], "result_file": str(path)}, check_mode=True)

    content = json.loads(path.read_text(encoding="utf-8"))
    assert {one["namespace"] for one in outcome.result["to_approve"]} == {"********"}
    assert {one["namespace"] for one in content["to_approve"]} == {"test"}
    assert content["pending_credentials"] == [{"namespace": "test", "registries": ["h.example"]}]
    assert path.stat().st_mode & 0o777 == 0o600
    did = run_module_main(cluster_drift.main, {"secrets": [secret], "approved": content["to_approve"]})
    assert len(did.result["drift"]["changes"]) == 2


def test_messages_in_the_file_of_results_are_redacted(
    api: StoredCluster, tmp_path: Path, run_module_main: t.Callable[..., t.Any]
) -> None:
    secret = {**SECRET, "namespaces": ["gone"], "registries": [{**SECRET["registries"][0], "password": "not found"}]}
    path = tmp_path / "results.json"

    run_module_main(cluster_drift.main, {"secrets": [secret], "result_file": str(path)}, check_mode=True)

    drift = json.loads(path.read_text(encoding="utf-8"))["drift"]
    assert [one for one in drift["failures"] if "not found" in one["message"]] == []
    assert {one["namespace"] for one in drift["failures"]} == {"gone"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"concurrency": 0}, "concurrency is 0: give a number from 1"),
        ({"wait_timeout": -1}, "wait_timeout is -1: give a number from 0"),
        (
            {"secrets": [{"name": "empty", "namespaces": ["shop"]}]},
            'secrets: "empty": there is nothing to put into the secret',
        ),
        ({"cluster_pull_secret": {"registries": []}}, "cluster_pull_secret: there is nothing to put into the secret"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], sentence: str
) -> None:
    outcome = run(**options)

    assert outcome.failed
    assert outcome.result["msg"].startswith(sentence)
    assert api.sent == []


ARGO = {"argocd.argoproj.io/tracking-id": "shop:/Secret:shop/registry"}
OWNER = 'the Argo CD application "shop"'


def ends_at(seconds: int) -> str:
    """Return a token of Amazon ECR in form, which ends then."""
    return b64(json.dumps({"payload": "x", "expiration": seconds}))


def test_what_somebody_else_reconciles_is_compared_and_no_correction_changes_it(
    api: StoredCluster, run: t.Callable[..., t.Any]
) -> None:
    api.put_in(
        "secrets", "shop", "registry", metadata={"annotations": ARGO}, **auths({"h.example": entry(password="another")})
    )
    api.put_in(
        "serviceaccounts",
        "shop",
        "default",
        metadata={"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}},
        secrets=[],
        imagePullSecrets=[],
    )

    shown = run()

    drift = shown.result["drift"]
    changes = {(change["kind"], change["namespace"]): change for change in drift["changes"]}
    assert not shown.failed
    assert (drift["failures"], drift["unknown"]) == ([], [])
    assert (changes["secret", "shop"]["managed_by"], changes["secret", "shop"]["reasons"]) == (
        OWNER,
        ["password_changed"],
    )
    assert changes["secret", "shop"]["refused"].startswith(
        f'The secret "registry" in the namespace "shop" is reconciled by {OWNER}'
    )
    assert changes["link", "shop"]["managed_by"] == 'the Flux Kustomization "/apps"'
    assert [changes["secret", "test"][key] for key in ("managed_by", "refused")] == [None, None]
    assert [one["managed_by"] for one in drift["secrets"]] == [OWNER, None]
    # What no run writes is no credential that an import can count on.
    assert shown.result["pending_credentials"] == [{"namespace": "test", "registries": ["h.example"]}]

    did = run(check_mode=False, approved=shown.result["to_approve"])

    assert did.failed
    assert {(one["kind"], one["namespace"]) for one in did.result["drift"]["failures"]} == {
        ("secret", "shop"),
        ("link", "shop"),
    }
    assert {request.path for request in api.writes} == {
        "/api/v1/namespaces/test/secrets",
        "/api/v1/namespaces/test/serviceaccounts/default",
    }

    taken = run(check_mode=False, take_over=True)

    assert (taken.failed, taken.result["drift"]["changes"][0]["refused"]) == (False, None)
    assert run().result["drift"]["changes"] == []


@pytest.mark.parametrize(
    ("everywhere", "own", "written"),
    [(False, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
def test_an_entry_says_itself_whether_it_takes_over(
    api: StoredCluster, run: t.Callable[..., t.Any], everywhere: bool, own: bool | None, written: bool
) -> None:
    api.put_in(
        "secrets", "shop", "registry", metadata={"annotations": ARGO}, **auths({"h.example": entry(password="another")})
    )
    secret = {**SECRET, "namespaces": ["shop"], **({} if own is None else {"take_over": own})}

    did = run(check_mode=False, secrets=[secret], take_over=everywhere)

    assert did.failed is not written
    assert ("/api/v1/namespaces/shop/secrets/registry" in [request.path for request in api.writes]) is written


@pytest.mark.parametrize(
    ("at", "within", "said"),
    [
        (1_000_000_000, 0, "expired at 2001-09-09T01:46:40Z"),
        (4_000_000_000, 0, ""),
        (4_000_000_000, 1_000_000, "expires at 2096-10-02T07:06:40Z"),
    ],
)
def test_what_ends_is_a_notice_and_no_change(
    api: StoredCluster, run: t.Callable[..., t.Any], at: int, within: int, said: str
) -> None:
    """It says nothing about what is on the cluster and declared: nothing differs."""
    token = ends_at(at)
    api.put_in(
        "secrets",
        "shop",
        "registry",
        **auths({"h.example": entry("AWS", token), "other.example": entry("AWS", ends_at(1_000_000_000))}),
    )
    registries = [{"registry": "h.example", "username": "AWS", "password": token}]

    shown = run(secrets=[{"name": "registry", "namespaces": ["shop"], "registries": registries}], expires_within=within)

    drift = shown.result["drift"]
    assert (shown.result["changed"], drift["changes"], drift["warnings"]) == (False, [], [])
    messages = [one["message"] for one in drift["notices"]]
    assert messages[-1] == (
        'The credential of "other.example" (user "AWS") expired at 2001-09-09T01:46:40Z: give a fresh one.'
    )
    assert messages[:-1] == ([f'The credential of "h.example" (user "AWS") {said}: give a fresh one.'] if said else [])
    assert drift["notices"][-1] == {
        "kind": "secret",
        "namespace": "shop",
        "name": "registry",
        "tag": None,
        "reason": "credential_expires",
        "message": messages[-1],
    }
    assert shown.result["summary"]["notices"] == len(messages)
    assert token not in shown.text


def test_what_a_correction_replaces_is_no_notice(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in("secrets", "shop", "registry", **auths({"h.example": entry("AWS", ends_at(1_000_000_000))}))

    drift = run().result["drift"]

    assert drift["notices"] == []
    assert "password_changed" in drift["changes"][0]["reasons"]


def test_what_an_owner_keeps_is_a_notice_of_what_it_keeps(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.put_in(
        "secrets",
        "shop",
        "registry",
        metadata={"annotations": ARGO},
        **auths({"h.example": entry("AWS", ends_at(1_000_000_000))}),
    )

    drift = run().result["drift"]

    assert [one["reason"] for one in drift["notices"]] == ["credential_expires"]


def test_the_global_secret_of_a_hosted_cluster(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    """It is compared if this cluster has it, and corrected if that was approved."""
    api.namespaces |= {"openshift-config", "kube-system"}
    api.put_in("infrastructures", "", "cluster", status={"controlPlaneTopology": "External"})
    options = {
        "secrets": [],
        "cluster_pull_secret": {
            "registries": SECRET["registries"],
            "verify": False,
            "import_namespaces": ["shop", "test"],
        },
    }

    def places(outcome: t.Any) -> list[str]:
        assert outcome.code == 0
        return [f"{one['namespace']}/{one['name']}" for one in outcome.result["drift"]["changes"]]

    would = run(**options)
    everywhere = [f"{namespace}/additional-pull-secret" for namespace in ("kube-system", "shop", "test")]
    assert places(would) == everywhere
    assert api.writes == []
    assert would.result["pending_credentials"][1] == {"namespace": "shop", "registries": ["h.example"]}

    of_imports = [one for one in would.result["to_approve"] if one["namespace"] == "test"]
    assert places(run(**options, approved=of_imports, check_mode=False)) == [everywhere[2]]
    assert places(run(**options)) == everywhere[:2]

    of_nodes = [one for one in would.result["to_approve"] if one["namespace"] == "kube-system"]
    done = run(**options, approved=of_nodes, check_mode=False)
    assert places(done) == [everywhere[0]]
    assert done.result["drift"]["held_back"] == []
    assert places(run(**options)) == [everywhere[1]]


def test_a_topology_that_may_not_be_read_is_told(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.namespaces.add("openshift-config")
    api.put_in("secrets", "openshift-config", "pull-secret", **auths({"h.example": entry(password="another")}))
    api.forbidden.add("get infrastructures")

    outcome = run(secrets=[], cluster_pull_secret={"registries": SECRET["registries"], "verify": False})

    assert [one["namespace"] for one in outcome.result["drift"]["changes"]] == ["openshift-config"]
    (warning,) = outcome.result["drift"]["warnings"]
    assert "is hosted is not known" in warning

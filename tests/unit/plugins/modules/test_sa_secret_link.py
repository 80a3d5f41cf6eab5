# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.modules import sa_secret_link
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import StoredCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, b64, entry

MANAGED = "default-dockercfg-x7k2p"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> StoredCluster:
    api = StoredCluster("shop", "test")
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: api)
    for namespace in ("shop", "test"):
        api.put_in("secrets", namespace, "registry", **auths({"h.example": entry()}))
        api.put_in(
            "serviceaccounts", namespace, "default", secrets=[{"name": MANAGED}], imagePullSecrets=[{"name": MANAGED}]
        )
    return api


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def run_it(*, check_mode: bool = False, **options: t.Any) -> t.Any:
        account = {} if "service_accounts" in options else {"service_account": "default"}
        given = {
            **account,
            "secrets": ["registry"],
            **({"namespace": "shop"} if "namespaces" not in options else {}),
            **options,
        }
        outcome = run_module_main(sa_secret_link.main, given, check_mode=check_mode, diff=True)
        assert "s3cret" not in outcome.text
        assert b64("puller:s3cret") not in outcome.text
        return outcome

    return run_it


def names(api: StoredCluster, field: str = "imagePullSecrets", namespace: str = "shop") -> list[str]:
    return [item["name"] for item in api.account(namespace, "default")[field]]


def test_check_do_check_do(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    would = run(check_mode=True)
    assert api.writes == []
    did = run()
    assert would.result["service_accounts"] == did.result["service_accounts"]
    assert would.diff == did.diff == {"service account shop/default": ([], ["imagePullSecrets: registry"])}
    assert (names(api), names(api, "secrets")) == ([MANAGED, "registry"], [MANAGED])
    version = api.account("shop", "default")["metadata"]["resourceVersion"]
    for check_mode in (True, False):
        assert not run(check_mode=check_mode).result["changed"]
    assert api.account("shop", "default")["metadata"]["resourceVersion"] == version


def test_both_lists_in_several_namespaces(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(namespaces=["shop", "test"], **{"for": ["pull", "mount"]})
    assert outcome.result["summary"] == {"service_accounts": 2, "changed": 2, "unchanged": 0, "failed": 0}
    for namespace in ("shop", "test"):
        assert names(api, "imagePullSecrets", namespace) == names(api, "secrets", namespace) == [MANAGED, "registry"]


def test_exact_and_absent(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    pull = [{"name": name} for name in ("old", MANAGED, "registry")]
    api.put_in("serviceaccounts", "shop", "default", secrets=[{"name": "old"}], imagePullSecrets=pull)
    outcome = run(state="exact")
    assert outcome.result["service_accounts"][0]["lists"][0]["removed"] == ["old"]
    assert (names(api), names(api, "secrets")) == ([MANAGED, "registry"], ["old"])
    assert not run(state="exact").result["changed"]
    run(state="absent")
    assert names(api) == [MANAGED]
    assert not run(state="absent").result["changed"]
    assert run(state="exact", secrets=[], **{"for": ["mount"]}).result["changed"]
    assert names(api, "secrets") == []


def test_a_missing_secret(api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]) -> None:
    outcome = run(secrets=["typo"])
    assert outcome.result["msg"] == (
        'The secret "typo" does not exist in the namespace "shop", so the service account "default" was not changed; '
        "create the secret first, or check its name"
    )
    would = run(secrets=["typo"], check_mode=True)
    assert would.result["changed"]
    assert warned == [
        (
            'The secret "typo" does not exist in the namespace "shop" yet; the run fails unless an earlier task '
            "creates what is missing."
        )
    ]


def test_a_secret_that_an_earlier_task_creates_is_no_surprise_in_check_mode(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    would = run(check_mode=True, secrets=["coming"], pending_secrets=["coming"])
    assert would.result["changed"]
    assert warned == []
    assert run(secrets=["coming"], pending_secrets=["coming"]).failed
    assert api.writes == []


def test_an_error_with_one_account_hides_no_other_result(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(service_accounts=["absent", "default"], wait_timeout=0)
    assert outcome.result["msg"] == (
        "Linking secrets to service accounts failed for 1 of 2, the others were done: shop/absent: The service account "
        '"absent" does not exist in the namespace "shop"; create it first, or check its name.'
    )
    assert outcome.result["failed_service_accounts"] == ["shop/absent"]
    assert outcome.result["changed"]
    assert names(api) == [MANAGED, "registry"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"secrets": []}, "secrets: the list is empty; give at least one name"),
        ({"for": ["push"]}, "value of for must be one or more of: pull, mount. Got no match for: push"),
        ({"wait_timeout": -1}, "wait_timeout is -1: give a number from 0"),
        ({"namespaces": []}, "namespaces: the list is empty; give at least one namespace"),
        ({"namespaces": ["shop"], "namespace": "shop"}, "parameters are mutually exclusive: namespace|namespaces"),
    ],
)
def test_options_that_are_refused(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], words: str
) -> None:
    outcome = run(**options)
    assert outcome.failed
    assert words in outcome.result["msg"]
    assert api.sent == []

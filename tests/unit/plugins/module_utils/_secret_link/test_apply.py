# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiOutcomeUnknown, Forbidden
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.apply import (
    LinkApplier,
    LinkOutcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.desired import (
    AccountName,
    DesiredLinks,
    Waiting,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.report import report_links
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import (
    Sent,
    StoredCluster,
    once,
    raising,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, b64, entry

APP = AccountName("shop", "app")
MANAGED = "app-dockercfg-x7k2p"


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.at_sleep: list[t.Callable[[], None]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for happen in self.at_sleep:
            happen()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api() -> StoredCluster:
    api = StoredCluster("shop", "test")
    for name in ("registry", "quay"):
        api.put_in("secrets", "shop", name, **auths({"h.example": entry()}))
    return api


def link(api: StoredCluster, name: str = "app", *names: str, namespace: str = "shop") -> dict[str, t.Any]:
    entries = [{"name": one} for one in (names or (MANAGED,))]
    return api.put_in("serviceaccounts", namespace, name, secrets=list(entries), imagePullSecrets=list(entries))


Applier = t.Callable[..., LinkApplier]


@pytest.fixture
def applier(api: StoredCluster, clock: Clock) -> Applier:
    def make(
        *secrets: str,
        check_mode: bool = False,
        wait: float = 30,
        mask: t.Callable[..., None] = lambda *_values: None,
        **given: t.Any,
    ) -> LinkApplier:
        desired = DesiredLinks(secrets or ("registry",), **given)
        return LinkApplier(
            api,
            desired,
            check_mode=check_mode,
            mask=mask,
            waiting=Waiting(wait, 1),
            sleep=clock.sleep,
            clock=lambda: clock.now,
        )

    return make


def sent(api: StoredCluster) -> list[str]:
    return [str(request) for request in api.sent]


def pull_list(api: StoredCluster, name: str = "app", namespace: str = "shop") -> list[str]:
    return [item["name"] for item in api.account(namespace, name)["imagePullSecrets"]]


def changed(outcome: LinkOutcome) -> bool:
    assert outcome.error is None, outcome.error
    assert outcome.plan is not None
    return outcome.plan.changed


def test_a_link_is_added_and_then_there(api: StoredCluster, applier: Applier) -> None:
    version = link(api)["metadata"]["resourceVersion"]
    assert changed(applier().converge(APP))
    assert sent(api) == ["GET shop/serviceaccounts/app", "GET shop/secrets/registry", "PUT shop/serviceaccounts/app"]
    assert api.writes[0].body["metadata"]["resourceVersion"] == version
    assert pull_list(api) == [MANAGED, "registry"]
    assert api.account("shop", "app")["secrets"] == [{"name": MANAGED}]
    api.sent.clear()
    assert not changed(applier().converge(APP))
    assert sent(api) == ["GET shop/serviceaccounts/app"]


def test_check_mode_writes_nothing(api: StoredCluster, applier: Applier) -> None:
    link(api)
    outcome = applier(check_mode=True).converge(APP)
    assert (changed(outcome), outcome.warnings, api.writes) == (True, (), [])


def test_another_writer_between_read_and_write_loses_nothing(api: StoredCluster, applier: Applier) -> None:
    link(api)
    api.before.append(once(lambda _sent: link(api, "app", MANAGED, "theirs"), "PUT"))
    assert changed(applier().converge(APP))
    assert pull_list(api) == [MANAGED, "theirs", "registry"]


def test_ten_writers_at_once_lose_nothing(api: StoredCluster) -> None:
    link(api)
    for number in range(10):
        api.put_in("secrets", "shop", f"s{number}", **auths({}))
    started = threading.Barrier(10)
    outcomes: list[LinkOutcome] = []

    def write(number: int) -> None:
        links = LinkApplier(
            api, DesiredLinks((f"s{number}",)), check_mode=False, mask=lambda *_values: None, waiting=Waiting(0, 1)
        )
        started.wait(timeout=10)
        outcomes.append(links.converge(APP))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.error for outcome in outcomes] == [None] * 10
    assert pull_list(api)[0] == MANAGED
    assert sorted(pull_list(api)[1:]) == [f"s{number}" for number in range(10)]


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_write_without_an_answer_is_looked_at(api: StoredCluster, applier: Applier, carried_out: bool) -> None:
    link(api)
    (api.after if carried_out else api.before).append(once(raising(ApiOutcomeUnknown("no answer")), "PUT"))
    assert changed(applier().converge(APP))
    assert pull_list(api) == [MANAGED, "registry"]
    assert len(api.writes) == (1 if carried_out else 2)


def test_an_account_is_waited_for(api: StoredCluster, applier: Applier, clock: Clock) -> None:
    clock.at_sleep.append(lambda: link(api) if clock.now >= 1003 else None)
    assert changed(applier().converge(APP))
    assert clock.now == 1003
    assert pull_list(api) == [MANAGED, "registry"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_account_that_never_appears(api: StoredCluster, applier: Applier, clock: Clock, check_mode: bool) -> None:
    outcome = applier(check_mode=check_mode).converge(APP)
    assert str(outcome.error) == (
        'The service account "app" does not exist in the namespace "shop" and did not appear within 30 seconds; create '
        "it first, or check its name"
    )
    assert clock.now == 1030
    assert str(applier(wait=0).converge(APP).error) == (
        'The service account "app" does not exist in the namespace "shop"; create it first, or check its name'
    )


def test_a_missing_namespace_is_not_waited_for(applier: Applier, clock: Clock) -> None:
    assert str(applier().converge(AccountName("nowhere", "app")).error) == (
        'The namespace "nowhere" does not exist, so its service account "app" cannot be linked to anything; create the '
        "namespace first"
    )
    assert clock.now == 1000


def test_nothing_is_waited_for_to_take_links_away(api: StoredCluster, applier: Applier, clock: Clock) -> None:
    assert not changed(applier(state="absent").converge(APP))
    assert (clock.now, sent(api)) == (1000, ["GET shop/serviceaccounts/app"])


def test_a_missing_secret_is_an_error_and_nothing_is_written(api: StoredCluster, applier: Applier) -> None:
    link(api)
    assert str(applier("registry", "typo").converge(APP).error) == (
        'The secret "typo" does not exist in the namespace "shop", so the service account "app" was not changed; '
        "create the secret first, or check its name"
    )
    assert str(applier("nope", "typo").converge(APP).error).startswith(
        'The secrets "nope", "typo" do not exist in the namespace "shop", so'
    )
    assert api.writes == []


def test_a_missing_secret_is_a_warning_in_check_mode(api: StoredCluster, applier: Applier) -> None:
    link(api)
    outcome = applier("typo", check_mode=True).converge(APP)
    assert changed(outcome)
    assert outcome.warnings == (
        (
            'The secret "typo" does not exist in the namespace "shop" yet; the run fails unless an earlier task '
            "creates what is missing."
        ),
    )


def test_a_missing_secret_that_is_linked_already_or_unlinked_does_not_matter(
    api: StoredCluster, applier: Applier
) -> None:
    link(api, "app", "gone", "other")
    assert changed(applier("gone", state="exact").converge(APP))
    assert changed(applier("gone", state="absent").converge(APP))
    assert all("/secrets/" not in one for one in sent(api))


def test_who_may_not_read_secrets_is_taken_at_their_word(api: StoredCluster, applier: Applier) -> None:
    link(api)
    api.forbidden.add("get secrets")
    assert changed(applier("typo").converge(APP))


def test_several_accounts_of_a_namespace_are_read_at_once(api: StoredCluster, applier: Applier) -> None:
    names = ["app", "builder", "default"]
    for name in names:
        link(api, name)
    link(api, "app", namespace="test")
    api.put_in("secrets", "test", "registry", **auths({}))
    accounts = [AccountName("shop", name) for name in names] + [AccountName("test", "app")]
    outcomes = applier(check_mode=True).converge_all(accounts)
    assert [changed(outcome) for outcome in outcomes] == [True] * 4
    assert [outcome.account for outcome in outcomes] == accounts
    reads = [one for one in sent(api) if "/secrets/" not in one]
    assert sorted(reads) == ["GET shop/serviceaccounts", "GET test/serviceaccounts/app"]


def test_who_may_not_list_accounts_reads_each(api: StoredCluster, applier: Applier) -> None:
    for name in ("app", "builder"):
        link(api, name)
    api.forbidden.add("list serviceaccounts")
    assert all(changed(outcome) for outcome in applier().converge_all([APP, AccountName("shop", "builder")]))
    assert pull_list(api, "builder") == [MANAGED, "registry"]


def test_a_list_that_is_out_of_date_is_read_again(api: StoredCluster, applier: Applier) -> None:
    for name in ("app", "builder"):
        link(api, name)

    def change(request: Sent) -> None:
        if request.path.endswith("serviceaccounts"):
            link(api, "app", MANAGED, "theirs")

    api.after.append(once(change, "GET"))
    assert all(changed(outcome) for outcome in applier().converge_all([APP, AccountName("shop", "builder")]))
    assert pull_list(api) == [MANAGED, "theirs", "registry"]


def test_what_was_read_is_masked(api: StoredCluster, applier: Applier) -> None:
    link(api)
    masked: list[str] = []
    applier(mask=lambda *values: masked.extend(values)).converge(APP)
    assert {"s3cret", b64("puller:s3cret")} <= set(masked)


def test_the_report_names_what_moved_and_what_failed(api: StoredCluster, applier: Applier) -> None:
    link(api, "app", "old", MANAGED)
    link(api, "builder", "registry")
    accounts = [APP, AccountName("shop", "builder"), AccountName("test", "app")]
    report = report_links(applier(purposes=("pull",), state="exact", wait=0).converge_all(accounts))
    error = 'The service account "app" does not exist in the namespace "test"; create it first, or check its name'
    assert report.changed
    assert (
        report.failure
        == f"Linking secrets to service accounts failed for 1 of 3, the others were done: test/app: {error}."
    )
    assert report.results == {
        "service_accounts": [
            {
                "namespace": "shop",
                "name": "app",
                "lists": [
                    {
                        "for": "pull",
                        "secrets": [MANAGED, "registry"],
                        "added": ["registry"],
                        "removed": ["old"],
                        "changed": True,
                        "reasons": ["link_missing", "not_listed"],
                    }
                ],
                "changed": True,
                "reasons": ["link_missing", "not_listed"],
                "managed_by": None,
                "error": None,
            },
            {
                "namespace": "shop",
                "name": "builder",
                "lists": [
                    {
                        "for": "pull",
                        "secrets": ["registry"],
                        "added": [],
                        "removed": [],
                        "changed": False,
                        "reasons": [],
                    }
                ],
                "changed": False,
                "reasons": [],
                "managed_by": None,
                "error": None,
            },
            {
                "namespace": "test",
                "name": "app",
                "lists": [],
                "changed": False,
                "reasons": [],
                "managed_by": None,
                "error": error,
            },
        ],
        "failed_service_accounts": ["test/app"],
        "summary": {"service_accounts": 3, "changed": 1, "unchanged": 1, "failed": 1},
    }
    assert report.before == {"shop/app": {"imagePullSecrets": ["old", MANAGED]}}
    assert report.after == {"shop/app": {"imagePullSecrets": [MANAGED, "registry"]}}


def test_the_only_accounts_error_is_the_message(api: StoredCluster, applier: Applier) -> None:
    api.forbidden.add("get serviceaccounts")
    outcomes = applier().converge_all([APP])
    assert isinstance(outcomes[0].error, Forbidden)
    report = report_links(outcomes)
    assert (report.failure, report.results["status"], report.results["reason"]) == (
        str(outcomes[0].error),
        403,
        "Forbidden",
    )


def test_a_link_for_pull_to_a_secret_that_nobody_pulls_with_is_told(api: StoredCluster, applier: Applier) -> None:
    link(api)
    api.put_in("secrets", "shop", "opaque", type="Opaque", data={})
    outcome = applier("opaque").converge(APP)
    assert changed(outcome)
    assert outcome.warnings == (
        (
            'The secret "opaque" is linked for pull to the service account "app" in the namespace "shop", but it is of '
            "the type Opaque, which pods and builds "
            "do not pull with; it has to be of the type kubernetes.io/dockerconfigjson."
        ),
    )
    assert applier("opaque", purposes=("mount",)).converge(APP).warnings == ()


@pytest.mark.parametrize(
    ("account", "since_4_16", "purposes", "told"),
    [
        ("builder", True, ("mount",), True),
        ("builder", False, ("mount",), False),
        ("builder", True, ("pull", "mount"), False),
        ("builder", True, ("pull",), False),
        ("app", True, ("mount",), False),
    ],
)
def test_a_link_of_builds_that_does_not_serve_them_is_told(
    api: StoredCluster, applier: Applier, account: str, since_4_16: bool, purposes: tuple[str, ...], told: bool
) -> None:
    annotations = {"openshift.io/internal-registry-pull-secret-ref": MANAGED} if since_4_16 else {}
    entries = [{"name": MANAGED}]
    api.put_in(
        "serviceaccounts",
        "shop",
        account,
        secrets=entries,
        imagePullSecrets=entries,
        metadata={"annotations": annotations},
    )
    outcome = applier(purposes=purposes).converge(AccountName("shop", account))
    assert changed(outcome)
    assert outcome.warnings == (
        (
            (
                'The secret "registry" is linked only for mount to the service account "builder" in the namespace '
                '"shop", but builds of this cluster take '
                "registry credentials from what is linked for pull; use for: [pull], or both."
            ),
        )
        if told
        else ()
    )


FLUX = {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_account_that_somebody_else_reconciles_is_not_written(
    api: StoredCluster, applier: Applier, check_mode: bool
) -> None:
    api.put_in("serviceaccounts", "shop", "app", metadata=FLUX, imagePullSecrets=[{"name": "quay"}])
    outcome = applier(check_mode=check_mode).converge(APP)
    assert str(outcome.error) == (
        'The service account "app" in the namespace "shop" is reconciled by the Flux Kustomization "flux-system/apps", '
        "which would undo the change, so "
        "nothing was written; change it in the source that it follows, or set take_over: true to write it all the same"
    )
    assert api.writes == []
    assert (
        report_links([outcome]).results["service_accounts"][0]["managed_by"]
        == 'the Flux Kustomization "flux-system/apps"'
    )
    assert not changed(applier("quay").converge(APP))
    assert changed(applier(take_over=True, check_mode=check_mode).converge(APP))


def test_an_account_of_a_chart_is_linked_with_a_warning(api: StoredCluster, applier: Applier) -> None:
    api.put_in("serviceaccounts", "shop", "app", metadata={"labels": {"app.kubernetes.io/instance": "shop"}})
    outcome = applier().converge(APP)
    assert changed(outcome)
    assert outcome.warnings == (
        (
            'The service account "app" in the namespace "shop" belongs to the application "shop", which may undo the '
            "change when it is upgraded or repaired."
        ),
    )
    assert applier().converge(APP).warnings == ()

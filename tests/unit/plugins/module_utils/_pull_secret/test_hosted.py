# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiError, InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.owners import OwnedByAnother
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.apply import (
    SecretApplier,
    SecretOutcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import (
    DesiredRegistry,
    DesiredSecret,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.hosted import (
    HOSTING_CLUSTER,
    Hosting,
    check_is_global,
    import_namespaces_from,
    place_global_secret,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.places import ADDITIONAL, GLOBAL
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import (
    StoredCluster,
    raising,
    status_error,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    content_of,
    entry,
    logins_of,
)

PATH = "/apis/config.openshift.io/v1/infrastructures/cluster"
KEPT = (
    tuple(GLOBAL),
    ("openshift", "pull-secret"),
    ("kube-system", "original-pull-secret"),
    ("kube-system", "global-pull-secret"),
)


def run_by(api: StoredCluster, topology: t.Any) -> None:
    api.put_in("infrastructures", "", "cluster", status={"controlPlaneTopology": topology})


@pytest.fixture
def api() -> StoredCluster:
    api = StoredCluster("openshift-config", "openshift", "kube-system", "shop")
    run_by(api, "External")
    return api


def asked(api: StoredCluster) -> int:
    return len([sent for sent in api.sent if sent.path == PATH])


def registry(key: str = "h.example", username: str = "puller", password: str = "s3cret") -> DesiredRegistry:
    return DesiredRegistry(key, Login(username, password))


def secret(*registries: DesiredRegistry, name: str = GLOBAL.name, **given: t.Any) -> DesiredSecret:
    return DesiredSecret(name, registries=registries or (registry(),), **given)


def converge(api: StoredCluster, desired: DesiredSecret, namespace: str, check_mode: bool = False) -> SecretOutcome:
    applier = SecretApplier(
        api, desired, check_mode=check_mode, mask=lambda *_values: None, sleep=lambda _seconds: None
    )
    return applier.converge(namespace)


@pytest.mark.parametrize(
    ("topology", "hosted"),
    [("External", True), ("HighlyAvailable", False), (None, False), ("no such object", False), ("not served", False)],
)
def test_the_topology_is_read_once(topology: str | None, hosted: bool) -> None:
    api = StoredCluster()
    if topology == "no such object":
        api.serve("infrastructures")
    elif topology != "not served":
        run_by(api, topology)
    hosting = Hosting(api)
    assert (hosting.answer, asked(api)) == (None, 0)
    assert {hosting.is_hosted() for _time in range(3)} == {hosted}
    assert (hosting.answer, hosting.warning, asked(api)) == (hosted, "", 1)


def test_who_may_not_know_it_is_told_so(api: StoredCluster) -> None:
    api.forbidden.add("get infrastructures")
    hosting = Hosting(api)
    assert not any(hosting.is_hosted() for _time in range(3))
    assert (hosting.answer, asked(api)) == (None, 1)
    assert "so it is taken for one that is not" in hosting.warning
    placed = place_global_secret(secret(), (GLOBAL.namespace,), ("shop",), hosting)
    assert placed == (secret(), (GLOBAL.namespace,), (hosting.warning,))


def test_any_other_failure_is_one_of_the_run(api: StoredCluster) -> None:
    api.before.append(raising(status_error(ApiError, 500, "InternalError", "broken")))
    with pytest.raises(ApiError):
        Hosting(api).is_hosted()


def test_the_global_secret_is_the_additional_one_of_a_hosted_cluster(api: StoredCluster) -> None:
    hosting = Hosting(api)
    placed = place_global_secret(secret(create=False), (GLOBAL.namespace,), ("shop",), hosting)
    assert placed.namespaces == ("kube-system", "shop")
    assert placed.warnings == ()
    assert placed.desired == secret(name=ADDITIONAL.name, create=True, delete_if_empty=True)

    (warning,) = place_global_secret(secret(registry("a"), registry("b")), (GLOBAL.namespace,), (), hosting).warnings
    assert 'import from "a", "b" needs a secret of its own' in warning
    gone = place_global_secret(secret(DesiredRegistry("a", None)), (GLOBAL.namespace,), (), hosting)
    assert (gone.namespaces, gone.warnings) == (("kube-system",), ())


@pytest.mark.parametrize(("namespace", "name"), KEPT)
def test_what_the_hosting_cluster_keeps_is_not_written(api: StoredCluster, namespace: str, name: str) -> None:
    for present in (True, False):
        api.put_in("secrets", namespace, name, **auths({"old.example": entry("x")}))
        outcome = converge(api, secret(name=name, present=present), namespace)
        assert isinstance(outcome.error, OwnedByAnother)
        assert "kept by the hosting cluster (controlPlaneTopology: External)" in str(outcome.error)
        assert outcome.owner == HOSTING_CLUSTER
        assert api.writes == []


def test_what_needs_no_change_needs_no_question(api: StoredCluster) -> None:
    api.put_in("secrets", *GLOBAL, **auths({"h.example": entry()}))
    outcome = converge(api, secret(), GLOBAL.namespace)
    assert (outcome.error, outcome.owner, asked(api)) == (None, None, 0)


def test_it_is_written_all_the_same_where_somebody_takes_it_over(api: StoredCluster) -> None:
    api.put_in("secrets", *GLOBAL, **auths({"old.example": entry("x")}))
    outcome = converge(api, secret(take_over=True), GLOBAL.namespace)
    assert (outcome.error, outcome.owner) == (None, HOSTING_CLUSTER)
    assert set(logins_of(api.secret(*GLOBAL))) == {"old.example", "h.example"}


@pytest.mark.parametrize("forbidden", [False, True])
def test_a_cluster_that_hosts_itself_is_written(api: StoredCluster, forbidden: bool) -> None:
    api.put_in("secrets", *GLOBAL, **auths({"old.example": entry("x")}))
    run_by(api, "SingleReplica")
    if forbidden:
        api.forbidden.add("get infrastructures")
    outcome = converge(api, secret(), GLOBAL.namespace)
    assert (outcome.error, outcome.owner) == (None, None)
    assert ["is hosted is not known" in warning for warning in outcome.warnings] == [True] * forbidden
    assert "h.example" in logins_of(api.secret(*GLOBAL))


def conflicts(api: StoredCluster, *registries: DesiredRegistry) -> list[str]:
    outcome = converge(api, secret(*registries, name=ADDITIONAL.name), ADDITIONAL.namespace)
    assert outcome.error is None
    assert not [warning for warning in outcome.warnings if "s3cret" in warning or "f0rmer" in warning]
    return list(outcome.warnings)


@pytest.mark.parametrize("place", [("kube-system", "original-pull-secret"), GLOBAL])
def test_entries_of_the_original_win(api: StoredCluster, place: tuple[str, str]) -> None:
    """Either copy says it; that of the nodes has no type."""
    content = {"auths": {"h.example": entry("puller", "f0rmer"), "same.example": entry(), "bad.example": {"auth": "%"}}}
    api.put_in("secrets", *place, **content_of(content, "Opaque"))

    assert conflicts(api, registry("h.example/team"), registry("other.example"), registry("same.example")) == []
    (one,) = conflicts(api, registry("h.example"))
    assert one.startswith('The original pull secret of this hosted cluster has another credential for "h.example", and')
    assert "such as h.example/TEAM" in one
    (bad,) = conflicts(api, registry("bad.example"))
    assert "the original wins" in bad
    (odd,) = conflicts(api, registry("https://h.example/v1/"))
    assert (
        'which is the registry "https://h.example/v1/" of kube-system/additional-pull-secret in another spelling' in odd
    )
    assert "chance decides" in odd


def test_an_original_that_may_not_be_read(api: StoredCluster) -> None:
    def refuse(sent: t.Any) -> None:
        if sent.path.endswith(("/original-pull-secret", "/pull-secret")):
            raise status_error(ApiError, 403, "Forbidden", "no")

    api.before.append(refuse)
    (warning,) = conflicts(api)
    assert warning.startswith("Whether the original pull secret has other credentials")
    assert "grant get on kube-system/original-pull-secret or openshift-config/pull-secret" in warning


def test_an_additional_secret_of_a_cluster_that_hosts_itself_has_no_original(api: StoredCluster) -> None:
    api.put_in("secrets", *GLOBAL, **auths({"h.example": entry("puller", "f0rmer")}))
    run_by(api, "HighlyAvailable")
    assert conflicts(api) == []


def test_the_last_registry_takes_the_secret_along(api: StoredCluster) -> None:
    api.put_in("secrets", *ADDITIONAL, **auths({"h.example": entry(), "i.example": entry()}))
    gone = [DesiredRegistry(key, None) for key in ("h.example", "i.example")]
    desired = secret(gone[0], name=ADDITIONAL.name, delete_if_empty=True)
    outcome = converge(api, desired, ADDITIONAL.namespace)
    assert outcome.plan is not None
    assert outcome.plan.action == "update"
    assert set(logins_of(api.secret(*ADDITIONAL))) == {"i.example"}

    for check_mode in (True, False):
        outcome = converge(api, desired._replace(registries=tuple(gone)), ADDITIONAL.namespace, check_mode=check_mode)
        assert outcome.plan is not None
        assert (outcome.plan.action, outcome.plan.reasons) == ("delete", ("not_wanted",))
        assert (("secrets", *ADDITIONAL) in api.objects) is check_mode
    again = converge(api, desired, ADDITIONAL.namespace)
    assert again.plan is not None
    assert again.plan.action == "none"
    assert ("secrets", *ADDITIONAL) not in api.objects


def test_namespaces_for_imports() -> None:
    assert import_namespaces_from(None) == ()
    assert import_namespaces_from(["shop", "kube-system", "billing", "shop"]) == ("shop", "billing")
    with pytest.raises(InputError, match="is not a namespace name"):
        import_namespaces_from(["Shop"])


@pytest.mark.parametrize(
    ("namespaces", "desired"),
    [
        (("shop",), secret()),
        (("openshift-config", "shop"), secret()),
        (("openshift-config",), secret(name="pull")),
        (("openshift-config",), secret(present=False)),
        (("openshift-config",), secret(replace=True)),
    ],
)
def test_what_is_not_the_global_secret(namespaces: tuple[str, ...], desired: DesiredSecret) -> None:
    check_is_global((GLOBAL.namespace,), secret())
    with pytest.raises(InputError, match="hosted: additional is about the cluster's global pull secret"):
        check_is_global(namespaces, desired)

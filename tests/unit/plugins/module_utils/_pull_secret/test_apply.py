# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import threading
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiOutcomeUnknown,
    ApiUnreachable,
    Forbidden,
    Invalid,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.owners import OwnedByAnother, Owner
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.apply import (
    SecretApplier,
    SecretOutcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import (
    DesiredRegistry,
    DesiredSecret,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.former_copy import (
    COPY_ANNOTATION,
    COPY_KEY,
    COPY_MARKS,
    COPY_TYPE,
    _mark,
    former_copy_name,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import (
    WRITES,
    Sent,
    StoredCluster,
    once,
    raising,
    status_error,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    entry,
    logins_of,
)

OURS = ("puller", "s3cret")
TYPE_LISTS = [
    "GET shop/secrets?type=kubernetes.io/dockerconfigjson",
    "GET shop/secrets?type=kubernetes.io/dockercfg",
]


@pytest.fixture
def api() -> StoredCluster:
    return StoredCluster("shop", "test")


@pytest.fixture
def masked() -> list[str]:
    return []


Apply = t.Callable[..., SecretOutcome]
COPY_LOOKED_FOR = "GET shop/secrets/pull.former"


def of_the_secret(act: t.Callable[[Sent], None], method: str, times: int = 1) -> t.Callable[[Sent], None]:
    """Return ``act`` for the first requests with ``method`` that are not about the copy of the secret."""
    wanted = once(act, method, times)

    def happen(sent: Sent) -> None:
        name = sent.body["metadata"]["name"] if sent.method == "POST" else sent.path
        if not name.endswith(".former"):
            wanted(sent)

    return happen


@pytest.fixture
def apply(api: StoredCluster, masked: list[str]) -> Apply:
    def converge(
        *registries: DesiredRegistry, namespace: str = "shop", check_mode: bool = False, **given: t.Any
    ) -> SecretOutcome:
        desired = DesiredSecret("pull", registries=registries or (registry(),), **given)
        applier = SecretApplier(
            api, desired, check_mode=check_mode, mask=lambda *values: masked.extend(values), sleep=lambda _seconds: None
        )
        return applier.converge(namespace)

    return converge


def registry(key: str = "h.example", username: str = "puller", password: str = "s3cret") -> DesiredRegistry:
    return DesiredRegistry(key, Login(username, password))


def requests(api: StoredCluster) -> list[str]:
    return [f"{sent}?{sent.query['fieldSelector']}" if sent.query else str(sent) for sent in api.sent]


def action(outcome: SecretOutcome) -> str:
    assert outcome.error is None, outcome.error
    assert outcome.plan is not None
    return outcome.plan.action


def test_a_missing_secret_is_read_then_created(api: StoredCluster, apply: Apply) -> None:
    assert action(apply()) == "create"
    assert requests(api) == ["GET shop/secrets/pull", COPY_LOOKED_FOR, "POST shop/secrets", *TYPE_LISTS]
    assert api.writes[0].body["metadata"] == {"name": "pull", "namespace": "shop"}
    assert logins_of(api.secret("shop", "pull")) == {"h.example": OURS}


def test_a_second_run_writes_nothing(api: StoredCluster, apply: Apply) -> None:
    apply()
    version = api.secret("shop", "pull")["metadata"]["resourceVersion"]
    api.sent.clear()
    assert action(apply()) == "none"
    assert requests(api) == ["GET shop/secrets/pull", COPY_LOOKED_FOR, *TYPE_LISTS]
    assert api.secret("shop", "pull")["metadata"]["resourceVersion"] == version


def test_an_update_carries_the_version_that_was_read(api: StoredCluster, apply: Apply) -> None:
    version = api.put_in("secrets", "shop", "pull", **auths({"other.example": entry("x")}))["metadata"][
        "resourceVersion"
    ]
    assert action(apply()) == "update"
    (write,) = api.writes
    assert (str(write), write.body["metadata"]["resourceVersion"]) == ("PUT shop/secrets/pull", version)
    assert logins_of(api.secret("shop", "pull")) == {"h.example": OURS, "other.example": ("x", "s3cret")}


def test_check_mode_reads_and_writes_nothing(api: StoredCluster, apply: Apply) -> None:
    assert action(apply(check_mode=True)) == "create"
    assert requests(api) == ["GET shop/secrets/pull", COPY_LOOKED_FOR, "GET shop", *TYPE_LISTS]
    api.put_in("secrets", "shop", "pull", **auths({"other.example": entry("x")}))
    assert action(apply(check_mode=True)) == "update"
    assert action(apply(check_mode=True, present=False)) == "delete"
    assert api.writes == []


def test_another_writer_between_read_and_write_loses_nothing(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))
    api.before.append(
        once(
            lambda _sent: api.put_in(
                "secrets", "shop", "pull", **auths({"a.example": entry("a"), "b.example": entry("b")})
            ),
            "PUT",
            1,
        )
    )
    assert action(apply()) == "update"
    assert [sent.method for sent in api.sent[:4]] == ["GET", "PUT", "GET", "PUT"]
    assert set(logins_of(api.secret("shop", "pull"))) == {"a.example", "b.example", "h.example"}


def test_a_secret_that_somebody_creates_meanwhile_is_merged_with(api: StoredCluster, apply: Apply) -> None:
    api.before.append(
        once(lambda _sent: api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")})), "POST")
    )
    assert action(apply()) == "update"
    assert [str(sent) for sent in api.writes] == ["POST shop/secrets", "PUT shop/secrets/pull"]
    assert set(logins_of(api.secret("shop", "pull"))) == {"a.example", "h.example"}


def test_a_secret_that_somebody_deletes_meanwhile_is_created(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))
    api.before.append(once(lambda _sent: api.objects.pop(("secrets", "shop", "pull")), "PUT"))
    assert action(apply()) == "create"
    assert [str(sent) for sent in api.writes] == ["PUT shop/secrets/pull", "POST shop/secrets"]


def test_ten_writers_at_once_lose_nothing(api: StoredCluster) -> None:
    started = threading.Barrier(10)

    def write(number: int) -> None:
        desired = DesiredSecret("pull", registries=(registry(f"r{number}.example"),))
        applier = SecretApplier(api, desired, check_mode=False, mask=lambda *_values: None)
        started.wait(timeout=10)
        outcomes.append(applier.converge("shop"))

    outcomes: list[SecretOutcome] = []
    threads = [threading.Thread(target=write, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.error for outcome in outcomes] == [None] * 10
    assert set(logins_of(api.secret("shop", "pull"))) == {f"r{number}.example" for number in range(10)}


def test_it_gives_up_when_somebody_always_comes_between(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))
    api.before.append(
        lambda sent: sent.method == "PUT" and api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))
    )
    outcome = apply()
    assert str(outcome.error).startswith(
        'The secret "pull" in the namespace "shop" was changed by somebody else each of the 20 times'
    )


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_write_without_an_answer_is_looked_at(api: StoredCluster, apply: Apply, carried_out: bool) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))
    (api.after if carried_out else api.before).append(once(raising(ApiOutcomeUnknown("no answer")), "PUT"))
    outcome = apply()
    assert action(outcome) == "update"
    assert len(api.writes) == (1 if carried_out else 2)
    assert logins_of(api.secret("shop", "pull"))["h.example"] == OURS


def test_a_missing_namespace(api: StoredCluster, apply: Apply) -> None:
    sentence = (
        'The namespace "nowhere" does not exist, so the secret "pull" cannot be created there; create the namespace '
        "first"
    )
    assert str(apply(namespace="nowhere").error) == sentence
    assert str(apply(namespace="nowhere", check_mode=True).error) == sentence
    assert action(apply(namespace="nowhere", present=False)) == "none"


def test_who_may_not_read_namespaces_is_taken_at_their_word(api: StoredCluster, apply: Apply) -> None:
    api.forbidden.add("get namespaces")
    assert action(apply(check_mode=True)) == "create"


def test_deleting_carries_preconditions(api: StoredCluster, apply: Apply) -> None:
    metadata = api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))["metadata"]
    assert action(apply(present=False)) == "delete"
    (write,) = api.writes
    assert str(write) == "DELETE shop/secrets/pull"
    assert write.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
    }
    assert api.objects == {}


def test_what_changed_meanwhile_is_read_again_before_it_is_deleted(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"a.example": entry("a")}))
    api.before.append(
        once(lambda _sent: api.put_in("secrets", "shop", "pull", **auths({"b.example": entry("b")})), "DELETE")
    )
    outcome = apply(present=False)
    assert action(outcome) == "delete"
    assert outcome.plan is not None
    assert [change.registry for change in outcome.plan.registries] == ["b.example"]


def test_another_type_is_deleted_and_created(api: StoredCluster, apply: Apply) -> None:
    api.put_in(
        "secrets", "shop", "pull", **content_of({"auths": {"a.example": entry("a")}}, "kubernetes.io/podmanconfigjson")
    )
    assert action(apply(recreate=True)) == "recreate"
    assert [str(sent) for sent in api.writes] == [
        "POST shop/secrets",
        "DELETE shop/secrets/pull",
        "POST shop/secrets",
        "DELETE shop/secrets/pull.former",
    ]
    assert set(api.objects) == {("secrets", "shop", "pull")}
    secret = api.secret("shop", "pull")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert logins_of(secret) == {"a.example": ("a", "s3cret"), "h.example": OURS}


def test_a_former_secret_is_put_back_when_the_new_one_is_refused(api: StoredCluster, apply: Apply) -> None:
    former = api.put_in(
        "secrets",
        "shop",
        "pull",
        **content_of({"auths": {"a.example": entry("a")}}, "Opaque"),
        metadata={"labels": {"l": "1"}},
    )
    api.before.append(of_the_secret(raising(status_error(Invalid, 422, "Invalid", "too big")), "POST"))
    outcome = apply(recreate=True)
    assert str(outcome.error) == (
        'The secret "pull" in the namespace "shop" was deleted and could not be created again (The API server refused '
        "it: too big); it was put back as it was, so nothing has changed"
    )
    back = api.secret("shop", "pull")
    assert (back["type"], back["data"], back["metadata"]["labels"]) == (former["type"], former["data"], {"l": "1"})
    assert set(api.objects) == {("secrets", "shop", "pull")}


def test_a_former_secret_that_cannot_be_put_back_is_told(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **content_of({"auths": {"a.example": entry("a")}}, "Opaque"))
    api.before.append(of_the_secret(raising(status_error(Forbidden, 403, "Forbidden", "no")), "POST", 2))
    assert str(apply(recreate=True).error) == (
        'The secret "pull" in the namespace "shop" was deleted and could not be created again (The API server refused '
        "it: no), and could not be put "
        'back as it was either (The API server refused it: no); it is kept as the secret "pull.former", with which the '
        "next run creates it"
    )
    assert action(apply(recreate=True)) == "create"
    assert set(api.objects) == {("secrets", "shop", "pull")}
    assert set(logins_of(api.secret("shop", "pull"))) == {"a.example", "h.example"}


def test_a_secret_that_somebody_creates_between_deleting_and_creating_is_merged_with(
    api: StoredCluster, apply: Apply
) -> None:
    api.put_in("secrets", "shop", "pull", **content_of({"auths": {"a.example": entry("a")}}, "Opaque"))
    api.before.append(
        of_the_secret(lambda _sent: api.put_in("secrets", "shop", "pull", **auths({"b.example": entry("b")})), "POST")
    )
    assert action(apply(recreate=True)) == "update"
    assert set(logins_of(api.secret("shop", "pull"))) == {"a.example", "b.example", "h.example"}


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_deletion_without_an_answer_is_looked_at(api: StoredCluster, apply: Apply, carried_out: bool) -> None:
    api.put_in(
        "secrets",
        "shop",
        "pull",
        **content_of({"auths": {"a.example": entry("a")}}, "Opaque"),
        metadata={"labels": {"l": "1"}},
    )
    (api.after if carried_out else api.before).append(once(raising(ApiOutcomeUnknown("no answer")), "DELETE"))
    assert action(apply(recreate=True)) == "recreate"
    secret = api.secret("shop", "pull")
    assert (set(logins_of(secret)), secret["metadata"]["labels"]) == ({"a.example", "h.example"}, {"l": "1"})


def test_a_creation_without_an_answer_after_deleting_is_not_done_twice(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **content_of({"auths": {"a.example": entry("a")}}, "Opaque"))
    api.after.append(of_the_secret(raising(ApiOutcomeUnknown("no answer")), "POST"))
    assert action(apply(recreate=True)) == "recreate"
    assert [sent.method for sent in api.writes] == ["POST", "DELETE", "POST", "DELETE"]


class Killed(BaseException):
    """The run ends here, without any word."""


OLD = content_of({"auths": {"a.example": entry("a")}}, "Opaque")


def kill(_sent: Sent) -> None:
    raise Killed


@pytest.mark.parametrize("step", range(5))
def test_a_run_that_is_killed_while_it_creates_the_secret_anew_loses_nothing(
    api: StoredCluster, apply: Apply, step: int
) -> None:
    api.put_in("secrets", "shop", "pull", **OLD, metadata={"labels": {"l": "1"}})
    writes = iter(range(4))

    def die(sent: Sent) -> None:
        if sent.method in WRITES and next(writes) == step:
            kill(sent)

    api.before.append(die)
    with contextlib.suppress(Killed):
        apply(recreate=True)
    api.before.remove(die)
    expected = ["recreate", "recreate", "create", "none", "none"][step]
    assert action(apply(recreate=True, check_mode=True)) == expected
    assert action(apply(recreate=True)) == expected
    secret = api.secret("shop", "pull")
    assert (secret["type"], set(logins_of(secret)), secret["metadata"]["labels"]) == (
        "kubernetes.io/dockerconfigjson",
        {"a.example", "h.example"},
        {"l": "1"},
    )
    assert set(api.objects) == {("secrets", "shop", "pull")}


def killed_before_the_creation(api: StoredCluster, apply: Apply) -> None:
    """Leave what a run leaves that was killed when it had kept the copy and deleted the secret."""
    api.put_in(
        "secrets",
        "shop",
        "pull",
        **OLD,
        metadata={"labels": {"l": "1"}, "annotations": {"a": "2", "objectset.rio.cattle.io/applied": "x"}},
    )
    api.before.append(of_the_secret(kill, "POST"))
    with pytest.raises(Killed):
        apply(recreate=True)
    api.before.clear()
    assert set(api.objects) == {("secrets", "shop", "pull.former")}


def test_what_comes_back_after_a_killed_run_is_a_change_and_is_told(api: StoredCluster, apply: Apply) -> None:
    killed_before_the_creation(api, apply)
    for check_mode in (True, False):
        outcome = apply(check_mode=check_mode)
        assert action(outcome) == "create"
        assert outcome.plan is not None
        assert {change.registry: change.reasons for change in outcome.plan.registries} == {
            "h.example": ("registry_missing",),
            "a.example": ("registry_missing",),
        }
        (warning,) = outcome.warnings
        assert warning == (
            'The secret "pull" in the namespace "shop" was not there, and is created with what an interrupted run had '
            "kept of it, the credentials for "
            '"a.example"; remove what has been revoked since.'
        )
    secret = api.secret("shop", "pull")
    assert set(api.objects) == {("secrets", "shop", "pull")}
    assert set(logins_of(secret)) == {"a.example", "h.example"}
    assert secret["metadata"]["labels"] == {"l": "1"}


def test_replace_takes_nothing_from_a_copy(api: StoredCluster, apply: Apply) -> None:
    killed_before_the_creation(api, apply)
    assert action(apply(replace=True)) == "create"
    assert set(logins_of(api.secret("shop", "pull"))) == {"h.example"}
    assert set(api.objects) == {("secrets", "shop", "pull")}


def test_a_secret_that_is_not_wanted_takes_its_copy_along(api: StoredCluster, apply: Apply) -> None:
    killed_before_the_creation(api, apply)
    assert action(apply(present=False)) == "none"
    assert api.objects == {}


def test_a_run_without_recreate_removes_a_copy_that_a_killed_run_has_left(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **OLD)
    api.before.append(lambda sent: kill(sent) if sent.method == "DELETE" and sent.path.endswith(".former") else None)
    with pytest.raises(Killed):
        apply(recreate=True)
    api.before.clear()
    assert ("secrets", "shop", "pull.former") in api.objects
    assert action(apply(check_mode=True)) == "none"
    assert ("secrets", "shop", "pull.former") in api.objects
    assert action(apply()) == "none"
    assert set(api.objects) == {("secrets", "shop", "pull")}


def test_a_copy_that_cannot_be_looked_for_after_the_work_does_not_fail_it(api: StoredCluster, apply: Apply) -> None:
    unreachable = raising(ApiUnreachable("refused"))
    api.put_in("secrets", "shop", "pull", **auths({}))
    api.before.append(lambda sent: unreachable(sent) if sent.path.endswith(".former") else None)
    assert action(apply()) == "update"


@pytest.mark.parametrize("forge", ["no mark", "another credential", "another content", "no copy type"])
@pytest.mark.parametrize("secret_type", ["Opaque", "kubernetes.io/service-account-token"])
def test_nothing_is_taken_from_a_planted_copy(api: StoredCluster, apply: Apply, forge: str, secret_type: str) -> None:
    planted = {
        "metadata": {"name": "pull", "annotations": {"kubernetes.io/service-account.name": "admin"}},
        **content_of({"auths": {"evil.example": entry("evil")}}, "Opaque"),
        "type": secret_type,
    }
    text = b64(json.dumps(planted))
    login = Login("puller", "guessed") if forge == "another credential" else Login(*OURS)
    marks = b64("" if forge == "no mark" else _mark("other" if forge == "another content" else text, login))
    api.put_in(
        "secrets",
        "shop",
        "pull.former",
        type="Opaque" if forge == "no copy type" else COPY_TYPE,
        data={COPY_KEY: text, COPY_MARKS: marks},
        metadata={"annotations": {COPY_ANNOTATION: "pull"}},
    )
    outcome = apply()
    assert action(outcome) == "create"
    secret = api.secret("shop", "pull")
    assert (secret["type"], set(logins_of(secret))) == ("kubernetes.io/dockerconfigjson", {"h.example"})
    assert "annotations" not in secret["metadata"]
    assert ("secrets", "shop", "pull.former") in api.objects
    assert [warning[:80] for warning in outcome.warnings] == (
        []
        if forge == "no copy type"
        else ['The secret "pull.former" in the namespace "shop" looks like the copy that a run ']
    )


def finalized(api: StoredCluster, content: dict[str, t.Any]) -> None:
    """Let a finalizer keep a secret after its deletion, as the API server does it."""
    api.put_in("secrets", "shop", "pull", **content, metadata={"finalizers": ["example.com/backup"]})

    def mark(sent: Sent) -> None:
        if sent.method == "DELETE" and sent.path.endswith("/pull"):
            kept = api.put_in("secrets", "shop", "pull", **content, metadata={"finalizers": ["example.com/backup"]})
            kept["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    api.after.append(mark)


def test_a_secret_that_a_finalizer_keeps_is_told_with_its_copy(api: StoredCluster, apply: Apply) -> None:
    finalized(api, OLD)
    assert str(apply(recreate=True).error) == (
        'The secret "pull" in the namespace "shop" is marked for deletion and waits for its finalizers '
        '"example.com/backup", so nothing was written into '
        'it; its former content is kept as the secret "pull.former"; see to the finalizers, and run the task again'
    )
    api.sent.clear()
    assert "is marked for deletion" in str(apply().error)
    assert "is marked for deletion" in str(apply(check_mode=True).error)
    assert api.writes == []
    del api.objects["secrets", "shop", "pull"]
    assert action(apply(recreate=True)) == "create"
    assert set(logins_of(api.secret("shop", "pull"))) == {"a.example", "h.example"}


def test_a_finalizer_that_is_done_soon_is_waited_for(api: StoredCluster, apply: Apply) -> None:
    finalized(api, OLD)
    looks = iter(range(3))

    def done(sent: Sent) -> None:
        if (
            sent.method == "GET"
            and sent.path.endswith("/pull")
            and "deletionTimestamp" in api.secret("shop", "pull")["metadata"]
            and next(looks) == 2
        ):
            del api.objects["secrets", "shop", "pull"]

    api.before.append(done)
    assert action(apply(recreate=True)) == "recreate"
    assert set(api.objects) == {("secrets", "shop", "pull")}


def test_a_secret_that_is_going_is_as_good_as_absent(api: StoredCluster, apply: Apply) -> None:
    finalized(api, auths({"a.example": entry("a")}))
    assert action(apply(present=False)) == "delete"
    api.sent.clear()
    outcome = apply(present=False)
    assert (action(outcome), api.writes) == ("none", [])
    assert outcome.warnings == (
        (
            'The secret "pull" in the namespace "shop" is marked for deletion and waits for its finalizers '
            '"example.com/backup"; it is gone once they are done.'
        ),
    )


def test_a_foreign_secret_in_the_place_of_the_copy_stays(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **OLD)
    foreign = api.put_in("secrets", "shop", "pull.former", type="Opaque", data={"key": "dmFsdWU="})
    assert str(apply(recreate=True).error) == (
        'The secret "pull" in the namespace "shop" was not deleted to be recreated, because its content would be kept '
        'meanwhile as "pull.former", '
        "which is another secret; rename that one"
    )
    assert api.secret("shop", "pull.former") is foreign
    assert api.secret("shop", "pull")["data"] == OLD["data"]


@pytest.mark.parametrize(
    "content",
    [
        "!",
        "bm8ganNvbg==",
        b64("[]"),
        b64('{"metadata": {"name": "another"}}'),
        b64("[" * 100_000),
        b64('{"metadata": {"name": "pull"}, "data": 5}'),
        b64('{"metadata": {"name": "pull"}, "data": {".dockerconfigjson": 5}}'),
        b64('{"metadata": {"name": "pull", "labels": ["x"]}, "data": {}}'),
        b64('{"metadata": {"name": "pull"}, "type": 5}'),
    ],
)
def test_a_copy_that_nobody_can_read_is_none(api: StoredCluster, apply: Apply, content: str) -> None:
    marks = b64(_mark(content, Login(*OURS)))
    api.put_in(
        "secrets",
        "shop",
        "pull.former",
        type=COPY_TYPE,
        data={COPY_KEY: content, COPY_MARKS: marks},
        metadata={"annotations": {COPY_ANNOTATION: "pull"}},
    )
    assert action(apply()) == "create"
    assert ("secrets", "shop", "pull.former") in api.objects


def own(api: StoredCluster) -> None:
    """Put a mark of an owner on the secret."""
    owned = {"labels": {"reconcile.external-secrets.io/managed": "true"}}
    api.put_in("secrets", "shop", "pull", **OLD, metadata=owned)


@pytest.mark.parametrize("refused", [False, True])
def test_no_copy_stays_of_a_secret_that_was_not_deleted(api: StoredCluster, apply: Apply, refused: bool) -> None:
    """An owner may come between, or the right to delete be missing."""
    api.put_in("secrets", "shop", "pull", **OLD)
    forbidden = raising(status_error(Forbidden, 403, "Forbidden", "no"))
    api.before.append(of_the_secret(forbidden if refused else lambda _sent: own(api), "DELETE"))
    outcome = apply(recreate=True)
    assert ("The API server refused it: no" if refused else "External Secrets") in str(outcome.error)
    assert set(api.objects) == {("secrets", "shop", "pull")}
    assert api.secret("shop", "pull")["data"] == OLD["data"]


def test_a_copy_that_is_needless_and_stays_is_told(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **OLD)
    forbidden = raising(status_error(Forbidden, 403, "Forbidden", "no"))
    api.before.append(lambda sent: forbidden(sent) if sent.method == "DELETE" else None)
    outcome = apply(recreate=True)
    assert outcome.error is not None
    assert ["holds the former content" in warning for warning in outcome.warnings] == [True]


def test_a_copy_that_stays_is_told(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **OLD)
    refused = raising(status_error(Forbidden, 403, "Forbidden", "no"))
    api.before.append(lambda sent: refused(sent) if sent.method == "DELETE" and sent.path.endswith(".former") else None)
    outcome = apply(recreate=True)
    assert action(outcome) == "recreate"
    (warning,) = outcome.warnings
    assert warning == (
        'The secret "pull.former" in the namespace "shop" holds the former content of "pull" and could not be deleted: '
        "The API server refused it: no; delete it."
    )


def test_the_copy_of_a_long_name_has_a_valid_one() -> None:
    assert former_copy_name("a" * 246) == "a" * 246 + ".former"
    assert len(former_copy_name("a" * 247)) == 71


def test_an_entry_that_another_secret_hides_is_warned_about(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "a-first", **auths({"https://h.example/": entry("old", "0ther")}))
    expected = (
        (
            'Imports of the namespace "shop" never use the entry for "h.example" of the secret "pull": the secret '
            '"a-first" has another credential for it '
            "and comes first, because secrets are tried in the order of their names."
        ),
    )
    for check_mode in (True, False, False):
        outcome = apply(check_mode=check_mode)
        assert (outcome.shadowing_checked, outcome.warnings) == (True, expected)


def test_a_broken_secret_beside_it_is_warned_about(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "broken", **auths({"x.example": {"auth": b64("s3cret")}}))
    assert apply().warnings == (
        (
            'Every image import of the namespace "shop" fails because of the secret "broken": its entry for '
            '"x.example" cannot be decoded: its auth is '
            "base64, but not of user:password: there is no colon in it; repair or delete it."
        ),
    )


@pytest.mark.parametrize("error", [None, ApiUnreachable("gone")])
def test_who_may_not_list_secrets_gets_no_such_warning(
    api: StoredCluster, apply: Apply, error: ApiUnreachable | None
) -> None:
    api.put_in("secrets", "shop", "a-first", **auths({"h.example": entry("old")}))
    if error is None:
        api.forbidden.add("list secrets")
    else:
        api.before.append(lambda sent: raising(error)(sent) if sent.query else None)
    outcome = apply()
    assert (action(outcome), outcome.shadowing_checked, outcome.warnings) == ("create", False, ())


def test_nothing_is_listed_where_no_entry_is_wanted(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"h.example": entry()}))
    apply(DesiredRegistry("h.example", None))
    assert all(not sent.query for sent in api.sent)


def test_everything_that_was_read_and_is_written_is_masked(api: StoredCluster, apply: Apply, masked: list[str]) -> None:
    known = api.put_in("secrets", "shop", "pull", **auths({"h.example": entry("u", "f0rmer")}))
    api.put_in("secrets", "shop", "other", **auths({"x.example": entry("u", "f0reign")}))
    apply()
    written = api.secret("shop", "pull")["data"][".dockerconfigjson"]
    assert {"f0rmer", b64("u:f0rmer"), "f0reign", b64("u:f0reign"), known["data"][".dockerconfigjson"], written} <= set(
        masked
    )


def test_an_error_is_part_of_the_outcome(api: StoredCluster, apply: Apply) -> None:
    api.forbidden.add("get secrets")
    outcome = apply()
    assert isinstance(outcome.error, Forbidden)
    assert outcome.plan is None


ARGO = {"annotations": {"argocd.argoproj.io/tracking-id": "shop:/Secret:shop/pull"}}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("present", [True, False])
def test_what_somebody_else_reconciles_is_not_written(
    api: StoredCluster, apply: Apply, check_mode: bool, present: bool
) -> None:
    before = api.put_in("secrets", "shop", "pull", **auths({"h.example": entry("u", "old")}), metadata=ARGO)
    outcome = apply(check_mode=check_mode, present=present)
    assert isinstance(outcome.error, OwnedByAnother)
    assert str(outcome.error).startswith(
        'The secret "pull" in the namespace "shop" is reconciled by the Argo CD application "shop", which would undo'
    )
    assert outcome.owner == Owner(
        'the Argo CD application "shop"', reconciles=True, how="in the source that it follows"
    )
    assert (api.writes, api.secret("shop", "pull")) == ([], before)


def test_what_is_as_declared_needs_no_owners_leave(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"h.example": entry(*OURS)}), metadata=ARGO)
    outcome = apply()
    assert (action(outcome), outcome.warnings, outcome.owner is None) == ("none", (), False)


def test_who_takes_over_writes(api: StoredCluster, apply: Apply) -> None:
    api.put_in("secrets", "shop", "pull", **auths({"h.example": entry("u", "old")}), metadata=ARGO)
    assert action(apply(take_over=True)) == "update"
    assert logins_of(api.secret("shop", "pull")) == {"h.example": OURS}


def test_two_who_reconcile_fight_no_round(api: StoredCluster, apply: Apply) -> None:
    declared = auths({"h.example": entry("u", "theirs")})
    api.put_in("secrets", "shop", "pull", **declared, metadata=ARGO)

    def put_back(sent: Sent) -> None:
        if sent.method in WRITES and sent.path.endswith("/pull"):
            api.put_in("secrets", "shop", "pull", **declared, metadata=ARGO)

    api.after.append(put_back)
    version = api.secret("shop", "pull")["metadata"]["resourceVersion"]
    for _run in range(3):
        assert isinstance(apply().error, OwnedByAnother)
    assert api.secret("shop", "pull")["metadata"]["resourceVersion"] == version


def test_an_owner_who_may_come_back_is_told_when_something_changes(api: StoredCluster, apply: Apply) -> None:
    helm = {"annotations": {"meta.helm.sh/release-name": "chart"}}
    api.put_in("secrets", "shop", "pull", **auths({"h.example": entry("u", "old")}), metadata=helm)
    outcome = apply()
    assert action(outcome) == "update"
    assert outcome.warnings == (
        (
            'The secret "pull" in the namespace "shop" belongs to the Helm release "chart", which may undo the change '
            "when it is upgraded or repaired."
        ),
    )
    assert apply().warnings == ()

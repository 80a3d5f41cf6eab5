# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import (
    AuthDocument,
    Login,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import (
    DesiredRegistry,
    DesiredSecret,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.observed import ObservedSecret
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.plan import (
    REGISTRY_REASONS,
    SECRET_REASONS,
    SecretPlan,
    SecretRefused,
    plan_secret,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    document_of,
    entry,
    logins_of,
)
from hypothesis import given
from hypothesis import strategies as st

EXCLUDE = "openshift.io/image.excludeSecret"


def wanted(*registries: DesiredRegistry, **given: t.Any) -> DesiredSecret:
    return DesiredSecret("pull", registries=registries, **given)


def registry(
    key: str = "h.example", username: str = "puller", password: str = "s3cret", email: str = ""
) -> DesiredRegistry:
    return DesiredRegistry(key, Login(username, password, email))


def gone(key: str = "h.example") -> DesiredRegistry:
    return DesiredRegistry(key, None)


def there(content: dict[str, t.Any], **metadata: t.Any) -> ObservedSecret:
    return ObservedSecret(
        {"metadata": {"name": "pull", "namespace": "shop", "uid": "1", "resourceVersion": "7", **metadata}, **content}
    )


def planned(desired: DesiredSecret, observed: ObservedSecret | None) -> SecretPlan:
    return plan_secret(desired, "shop", observed)


def result_of(plan: SecretPlan) -> dict[str, t.Any]:
    assert plan.body is not None
    return plan.body


def reasons_of(plan: SecretPlan) -> dict[str, tuple[str, ...]]:
    return {change.registry: change.reasons for change in plan.registries}


def refusal(desired: DesiredSecret, observed: ObservedSecret | None) -> str:
    with pytest.raises(SecretRefused) as caught:
        planned(desired, observed)
    return str(caught.value)


def test_a_missing_secret_is_created() -> None:
    plan = planned(wanted(registry(email="u@h.example"), labels={"a": "b"}, exclude_from_import=True), None)
    assert (plan.action, plan.reasons, reasons_of(plan)) == (
        "create",
        ("secret_missing",),
        {"h.example": ("registry_missing",)},
    )
    body = result_of(plan)
    assert document_of(body) == {
        "auths": {
            "h.example": {
                "username": "puller",
                "password": "s3cret",
                "auth": b64("puller:s3cret"),
                "email": "u@h.example",
            }
        }
    }
    del body["data"]
    assert body == {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull", "namespace": "shop", "labels": {"a": "b"}, "annotations": {EXCLUDE: "true"}},
    }


@pytest.mark.parametrize(
    "content",
    [
        auths({"h.example": {"username": "puller", "password": "s3cret"}}),
        auths({"h.example": {"auth": b64("puller:s3cret")}}),
        auths({"h.example": {"auth": b64("puller:s3cret").rstrip("=")}}),
        auths({"h.example": {"password": "old", "auth": b64("puller:s3cret"), "username": "other"}}),
        content_of(
            '\n{ "x": 1,\t"auths" : {"https://h.example/v1/" : {"auth":"'
            + b64("puller:s3cret")
            + '", "email": "u@h.example"} } }\n'
        ),
        auths({"z.example": {}, "h.example": entry()}),
    ],
)
def test_what_means_the_same_is_no_change(content: dict[str, t.Any]) -> None:
    plan = planned(wanted(registry()), there(content))
    assert (plan.action, plan.reasons, plan.body) == ("none", (), None)


@pytest.mark.parametrize(
    ("desired", "raw", "reasons"),
    [
        (registry(password="new"), entry(), ("password_changed",)),
        (registry(username="new"), entry(), ("username_changed",)),
        (registry(username="a", password="b"), entry(), ("username_changed", "password_changed")),
        (registry(email="u@h.example"), entry(email="v@h.example"), ("email_changed",)),
        (registry(email="u@h.example"), entry(), ("email_changed",)),
        (registry(), entry(identitytoken="t"), ("identity_token_changed",)),
        (DesiredRegistry("h.example", Login(identity_token="t")), {"identitytoken": "s"}, ("identity_token_changed",)),
        (registry(), {}, ("username_changed", "password_changed")),
        (registry(), {"auth": "@@@"}, ("entry_unusable",)),
        (registry(), 5, ("entry_unusable",)),
    ],
)
def test_why_a_registry_changes(desired: DesiredRegistry, raw: t.Any, reasons: tuple[str, ...]) -> None:
    plan = planned(wanted(desired), there(auths({"h.example": raw})))
    assert (plan.action, plan.reasons, reasons_of(plan)) == ("update", ("registries_changed",), {"h.example": reasons})


def test_a_merge_keeps_everything_else() -> None:
    foreign = {"auth": b64("x:y"), "x-unknown": {"deep": [1, None, "ü"]}, "email": ""}
    content = auths(
        {"foreign.example": foreign, "h.example": entry("u", "old", **{"x-note": "kept"})},
        HttpHeaders={"A": "b"},
        credsStore="x",
    )
    content["data"]["other"] = "b3RoZXI="
    observed = there(content, labels={"l": "1"}, annotations={"a": "1"}, ownerReferences=[{"uid": "9"}])
    body = result_of(planned(wanted(registry(username="u", password="new")), observed))
    document = document_of(body)
    assert document["auths"]["foreign.example"] == foreign
    assert document["auths"]["h.example"] == {
        "username": "u",
        "password": "new",
        "auth": b64("u:new"),
        "x-note": "kept",
    }
    assert list(document["auths"]) == ["foreign.example", "h.example"]
    assert (document["HttpHeaders"], document["credsStore"]) == ({"A": "b"}, "x")
    assert body["data"]["other"] == "b3RoZXI="
    assert body["metadata"] == observed.metadata
    assert (body["apiVersion"], body["kind"]) == ("v1", "Secret")


def test_replace_leaves_only_what_is_listed() -> None:
    observed = there(auths({"h.example": entry(), "other.example": entry()}, HttpHeaders={"A": "b"}))
    plan = planned(wanted(registry(), replace=True), observed)
    assert plan.reasons == ("registries_changed", "other_content_removed")
    assert reasons_of(plan) == {"h.example": (), "other.example": ("not_listed",)}
    assert document_of(result_of(plan)) == {"auths": {"h.example": entry()}}


def test_a_registry_is_taken_out_in_every_spelling() -> None:
    plan = planned(
        wanted(gone()),
        there(auths({"h.example": entry(), "https://h.example/v2/": {"auth": "@@@"}, "i.example": entry()})),
    )
    assert reasons_of(plan) == {"h.example": ("not_wanted",), "https://h.example/v2/": ("not_wanted",), "i.example": ()}
    assert document_of(result_of(plan))["auths"] == {"i.example": entry()}


def test_a_registry_that_is_not_there_is_not_taken_out() -> None:
    plan = planned(wanted(gone("x.example")), there(auths({"h.example": entry()})))
    assert (plan.action, reasons_of(plan)) == ("none", {"x.example": (), "h.example": ()})
    assert planned(wanted(gone()), None).action == "none"


def test_the_last_registry_can_be_taken_out() -> None:
    plan = planned(wanted(gone()), there(auths({"h.example": entry()})))
    assert document_of(result_of(plan)) == {"auths": {}}


def test_one_spelling_stays_because_the_cluster_takes_any() -> None:
    observed = there(
        auths({"https://h.example": entry("u", "old"), "h.example": entry("u", "new"), "i.example": entry()})
    )
    plan = planned(wanted(registry(username="u", password="new")), observed)
    assert reasons_of(plan) == {"h.example": (), "https://h.example": ("written_twice",), "i.example": ()}
    assert logins_of(result_of(plan)) == {"h.example": ("u", "new"), "i.example": ("puller", "s3cret")}


def test_a_new_credential_is_written_under_the_spelling_of_the_task() -> None:
    plan = planned(
        wanted(registry(password="new")), there(auths({"https://h.example/v1/": entry(), "i.example": entry()}))
    )
    assert list(document_of(result_of(plan))["auths"]) == ["h.example", "i.example"]


@pytest.mark.parametrize(
    ("given", "metadata", "reasons", "after"),
    [
        (
            {"labels": {"a": "2"}},
            {"labels": {"a": "1", "b": "1"}},
            ("labels_changed",),
            {"labels": {"a": "2", "b": "1"}},
        ),
        ({"labels": {"a": None}}, {"labels": {"a": "1", "b": "1"}}, ("labels_changed",), {"labels": {"b": "1"}}),
        ({"annotations": {"a": "1"}}, {}, ("annotations_changed",), {"annotations": {"a": "1"}}),
        (
            {"exclude_from_import": True},
            {"annotations": {"a": "1"}},
            ("import_exclusion_changed",),
            {"annotations": {"a": "1", EXCLUDE: "true"}},
        ),
        (
            {"exclude_from_import": False},
            {"annotations": {EXCLUDE: "true"}},
            ("import_exclusion_changed",),
            {"annotations": {}},
        ),
    ],
)
def test_metadata(
    given: dict[str, t.Any], metadata: dict[str, t.Any], reasons: tuple[str, ...], after: dict[str, t.Any]
) -> None:
    content = auths({"h.example": entry()})
    plan = planned(wanted(registry(), **given), there(content, **metadata))
    assert (plan.action, plan.reasons) == ("update", reasons)
    assert {name: result_of(plan)["metadata"].get(name) for name in after} == after
    assert result_of(plan)["data"] == content["data"]


@pytest.mark.parametrize(
    "given",
    [{}, {"exclude_from_import": None}, {"labels": {"a": "1"}}, {"labels": {"x": None}}, {"exclude_from_import": True}],
)
def test_metadata_that_is_there_is_no_change(given: dict[str, t.Any]) -> None:
    observed = there(auths({"h.example": entry()}), labels={"a": "1"}, annotations={EXCLUDE: "true"})
    assert not planned(wanted(registry(), **given), observed).changed


def test_the_last_applied_object_is_never_shown() -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": "s3cret"}'}
    plan = planned(wanted(registry(), labels={"a": "1"}), there(auths({"h.example": entry()}), annotations=applied))
    assert (plan.metadata_before, plan.metadata_after) == ({}, {"labels": {"a": "1"}})


def test_deletion_names_annotations_without_their_values() -> None:
    # Others keep whole objects in theirs, credentials included.
    foreign = {
        "kubectl.kubernetes.io/last-applied-configuration": "s3cret",
        "objectset.rio.cattle.io/applied": "s3cret",
    }
    plan = planned(wanted(present=False), there(auths({"h.example": entry()}), annotations=foreign, labels={"a": "b"}))
    assert plan.metadata_before == {"labels": {"a": "b"}, "annotations": sorted(foreign)}


def test_another_type_needs_a_decision() -> None:
    assert refusal(wanted(registry()), there(content_of({"h.example": entry()}, "kubernetes.io/dockercfg"))) == (
        'The secret "pull" in the namespace "shop" is of the type kubernetes.io/dockercfg, not '
        "kubernetes.io/dockerconfigjson, and the type of a secret cannot be changed; set recreate: true to delete and "
        "recreate it, set type: kubernetes.io/dockercfg, or choose another name"
    )
    assert refusal(wanted(registry()), there(content_of({"auths": {}}, "Opaque"))) == (
        'The secret "pull" in the namespace "shop" is of the type Opaque, not kubernetes.io/dockerconfigjson, and the '
        "type of a secret cannot be changed; set recreate: true to delete and recreate it, or choose another name"
    )


@pytest.mark.parametrize("former", ["kubernetes.io/dockercfg", "kubernetes.io/podmanconfigjson", "Opaque"])
def test_a_secret_of_another_type_is_created_anew_with_its_registries(former: str) -> None:
    entries = {"h.example": entry(), "i.example": entry("i")}
    content = content_of(entries if former == "kubernetes.io/dockercfg" else {"auths": entries}, former)
    content["data"]["other"] = "b3RoZXI="
    observed = there(
        content,
        labels={"l": "1"},
        annotations={"a": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        creationTimestamp="now",
        managedFields=[],
    )
    plan = planned(wanted(registry(), recreate=True), observed)
    assert (plan.action, plan.reasons, plan.former_type) == ("recreate", ("type_changed",), former)
    body = result_of(plan)
    assert logins_of(body) == {"h.example": ("puller", "s3cret"), "i.example": ("i", "s3cret")}
    assert set(body["data"]) == {".dockerconfigjson", "other"}
    assert body["metadata"] == {"name": "pull", "namespace": "shop", "labels": {"l": "1"}, "annotations": {"a": "1"}}


def test_a_secret_of_another_type_is_created_anew_without_its_registries_when_it_is_replaced() -> None:
    observed = there(content_of({"auths": {"i.example": entry()}}, "Opaque"))
    plan = planned(wanted(registry(), recreate=True, replace=True), observed)
    assert list(logins_of(result_of(plan))) == ["h.example"]
    assert reasons_of(plan) == {"h.example": ("registry_missing",), "i.example": ("not_listed",)}


def test_an_immutable_secret_needs_a_decision_when_its_content_changes() -> None:
    observed = there({**auths({"h.example": entry("u", "old")}), "immutable": True})
    assert refusal(wanted(registry()), observed) == (
        'The secret "pull" in the namespace "shop" is marked immutable, so the API server accepts no change of its '
        "content; set recreate: true to delete and recreate it, or choose another name"
    )
    plan = planned(wanted(registry(), recreate=True), observed)
    assert (plan.action, plan.reasons, result_of(plan)["immutable"]) == (
        "recreate",
        ("immutable", "registries_changed"),
        True,
    )


def test_an_immutable_secret_is_left_alone_or_labelled() -> None:
    observed = there({**auths({"h.example": entry()}), "immutable": True})
    assert planned(wanted(registry(), recreate=True), observed).action == "none"
    assert planned(wanted(registry(), recreate=True, labels={"a": "b"}), observed).action == "update"


def test_unreadable_content_is_overwritten_only_on_request() -> None:
    observed = there(content_of("nope"))
    assert refusal(wanted(registry()), observed) == (
        'The secret "pull" in the namespace "shop" cannot be merged into: its ".dockerconfigjson" cannot be read: it '
        "is not JSON (line 1, column 1); repair or delete it, or overwrite its whole content with update: replace"
    )
    plan = planned(wanted(registry(), replace=True), observed)
    assert (plan.action, plan.reasons) == ("update", ("content_unreadable", "registries_changed"))
    assert logins_of(result_of(plan)) == {"h.example": ("puller", "s3cret")}


def test_an_entry_that_breaks_imports_is_not_merged_with() -> None:
    observed = there(auths({"h.example": entry(), "broken.example": {"auth": b64("s3cret")}}))
    sentence = refusal(wanted(registry()), observed)
    assert sentence == (
        'The secret "pull" in the namespace "shop" cannot be merged into: its entry for "broken.example" cannot be '
        "decoded (its auth is base64, but not of user:password: there is no colon in it), which breaks every image "
        "import of the namespace; give that registry its credential in registries, remove it there with state: absent, "
        "or overwrite the whole content with update: replace"
    )
    assert planned(wanted(registry("broken.example")), observed).changed
    assert planned(wanted(gone("broken.example")), observed).changed
    assert planned(wanted(registry(), replace=True), observed).changed


@pytest.mark.parametrize("registries", [[registry()], [gone()]])
def test_a_secret_that_may_not_be_created(registries: list[DesiredRegistry]) -> None:
    assert refusal(wanted(*registries, create=False), None) == (
        'The secret "pull" does not exist in the namespace "shop", and the task may not create it (create: false); '
        "check the names, or restore the secret first"
    )
    assert planned(wanted(*registries, create=False), there(auths({"i.example": entry()}))).action in ("update", "none")
    carried = there(auths({"i.example": entry()}))
    assert plan_secret(wanted(registry(), create=False, recreate=True), "shop", None, carried).action == "create"


def test_nothing_to_create_a_secret_with() -> None:
    assert refusal(wanted(labels={"a": "b"}), None) == (
        'The secret "pull" does not exist in the namespace "shop", and the task names no registry to create it with; '
        "give registries, auth_file or auth_content"
    )


def test_absent() -> None:
    plan = planned(wanted(present=False), there(auths({"h.example": entry(), "i.example": {"auth": "@@@"}})))
    assert (plan.action, plan.reasons, plan.body) == ("delete", ("not_wanted",), None)
    assert reasons_of(plan) == {"h.example": ("not_wanted",), "i.example": ("not_wanted",)}
    assert planned(wanted(present=False), None).action == "none"
    assert planned(wanted(present=False), there(content_of("nope"))).action == "delete"


def test_a_secret_of_another_purpose_is_deleted_only_on_request() -> None:
    observed = there({"type": "kubernetes.io/tls", "data": {"tls.key": "eA=="}})
    assert refusal(wanted(present=False), observed) == (
        'The secret "pull" in the namespace "shop" is of the type kubernetes.io/tls and holds no registry credentials, '
        "so it is not deleted; set recreate: true to delete it all the same"
    )
    assert planned(wanted(present=False, recreate=True), observed).action == "delete"


def test_registries_of_a_deleted_secret_are_carried_over() -> None:
    carried = there(auths({"old.example": entry("old"), "h.example": entry("old"), "gone.example": entry()}))
    desired = wanted(registry(), gone("gone.example"))
    body = result_of(plan_secret(desired, "shop", None, carried))
    assert logins_of(body) == {"h.example": ("puller", "s3cret"), "old.example": ("old", "s3cret")}
    body = result_of(
        plan_secret(
            desired, "shop", there(auths({"new.example": entry("new"), "old.example": entry("newer")})), carried
        )
    )
    assert logins_of(body) == {
        "h.example": ("puller", "s3cret"),
        "old.example": ("newer", "s3cret"),
        "new.example": ("new", "s3cret"),
    }
    assert list(logins_of(result_of(plan_secret(wanted(registry(), replace=True), "shop", None, carried)))) == [
        "h.example"
    ]


KEY = st.sampled_from(
    ["h.example", "https://h.example", "https://h.example/v1/", "h.example/team", "i.example:5000", "docker.io"]
)
LOGIN = st.builds(Login, st.sampled_from(["u", "v"]), st.sampled_from(["p", "q"]), st.sampled_from(["", "u@h.example"]))
ENTRY = st.one_of(
    st.builds(
        lambda username, password: {"username": username, "password": password},
        st.sampled_from("uv"),
        st.sampled_from("pq"),
    ),
    st.builds(
        lambda username, password: {"auth": b64(f"{username}:{password}"), "x": [1]},
        st.sampled_from("uv"),
        st.sampled_from("pq"),
    ),
    st.just({}),
    st.just({"identitytoken": "t"}),
)
DESIRED = st.builds(
    lambda registries, replace, excluded, labels: DesiredSecret(
        "pull",
        registries=tuple(DesiredRegistry(key, login) for key, login in registries.items()),
        replace=replace,
        recreate=True,
        exclude_from_import=excluded,
        labels=labels,
    ),
    st.dictionaries(KEY, st.one_of(LOGIN, st.none()), min_size=1).filter(
        lambda found: len({key.removeprefix("https://").removesuffix("/v1/") for key in found}) == len(found)
    ),
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", None])),
)
OBSERVED = st.one_of(
    st.none(),
    st.builds(
        lambda entries, kind, labels: there(
            content_of(entries if kind.endswith("cfg") else {"auths": entries, "x": 1}, kind), labels=labels
        ),
        st.dictionaries(KEY, ENTRY),
        st.sampled_from(["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg", "Opaque"]),
        st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")),
    ),
)


@given(DESIRED, OBSERVED)
def test_the_plan_of_a_plans_result_is_empty(desired: DesiredSecret, observed: ObservedSecret | None) -> None:
    plan = planned(desired, observed)
    if not plan.changed:
        assert plan.body is None
        assert all(not change.reasons for change in plan.registries)
        return
    assert plan.reasons
    again = planned(desired, ObservedSecret(result_of(plan)))
    assert (again.action, again.reasons) == ("none", ())


@given(DESIRED, OBSERVED)
def test_a_plan_keeps_its_promises(desired: DesiredSecret, observed: ObservedSecret | None) -> None:
    plan = planned(desired, observed)
    assert set(plan.reasons) <= set(SECRET_REASONS)
    assert {reason for change in plan.registries for reason in change.reasons} <= set(REGISTRY_REASONS)
    after = ObservedSecret(result_of(plan)) if plan.changed else observed
    document = after.document if after is not None else AuthDocument()
    assert document is not None
    for registry_wanted in desired.registries:
        keys = document.keys_of(registry_wanted.registry)
        assert len(keys) == (0 if registry_wanted.login is None else 1)
    if not desired.replace and observed is not None and observed.document is not None:
        mine = {
            key for registry_wanted in desired.registries for key in observed.document.keys_of(registry_wanted.registry)
        }
        assert {
            key: raw for key, raw in document.auths.items() if key in observed.document.auths and key not in mine
        } == {key: raw for key, raw in observed.document.auths.items() if key not in mine}
    assert {change.registry for change in plan.registries if change.after is not None} == set(document.auths)


@given(DESIRED, OBSERVED)
def test_no_plan_shows_a_password_in_repr(desired: DesiredSecret, observed: ObservedSecret | None) -> None:
    plan = planned(desired, observed)
    assert base64.b64encode(b"u:p").decode() not in repr(plan)
    assert '"password"' not in repr(plan)
    json.dumps([dict(plan.metadata_before), dict(plan.metadata_after)])


FORMER = "the-former-password"
FORMER_DIGEST = "sha256:" + hashlib.sha256(FORMER.encode()).hexdigest()


@pytest.mark.parametrize("former", [FORMER, FORMER_DIGEST])
@pytest.mark.parametrize(
    ("held", "action"),
    [(FORMER, "update"), ("made-up-by-a-user", "none"), ("", "none"), ("p", "none")],
    ids=["former", "other", "unusable", "new already"],
)
def test_only_an_entry_with_the_former_password_is_replaced(former: str, held: str, action: str) -> None:
    auth = b64(f"u:{held}") if held else "%"
    plan = planned(
        wanted(registry(username="u", password="p"), former_password=former),
        there(auths({"h.example": {"auth": auth}})),
    )

    assert plan.action == action
    assert plan.reasons == (
        ("other_password",)
        if action == "none" and held != "p"
        else ("registries_changed",)
        if action == "update"
        else ()
    )
    assert FORMER not in repr(plan)

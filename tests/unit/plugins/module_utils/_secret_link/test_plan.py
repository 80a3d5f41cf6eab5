# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.desired import (
    LIST_FIELDS,
    AccountName,
    DesiredLinks,
    Waiting,
    account_names,
    desired_links,
    waiting_from,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.plan import (
    LinkPlan,
    is_managed,
    plan_links,
)
from hypothesis import given
from hypothesis import strategies as st

BOTH = ("pull", "mount")
MANAGED = "openshift.io/internal-registry-pull-secret-ref"


def account(pull: list[str] | None = None, mount: list[str] | None = None, **metadata: t.Any) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {"metadata": {"name": "app", "namespace": "shop", "resourceVersion": "7", **metadata}}
    if pull is not None:
        found["imagePullSecrets"] = [{"name": name} for name in pull]
    if mount is not None:
        found["secrets"] = [{"name": name} for name in mount]
    return found


def after(plan: LinkPlan, purpose: str = "pull") -> list[str]:
    return next(list(one.after) for one in plan.lists if one.purpose == purpose)


def test_what_is_missing_is_added_at_the_end() -> None:
    plan = plan_links(DesiredLinks(("b", "a")), account(["x", "a", "x"], ["m"]))
    (one,) = plan.lists
    assert (one.before, one.after, one.added, one.removed, one.reasons) == (
        ("x", "a", "x"),
        ("x", "a", "x", "b"),
        ("b",),
        (),
        ("link_missing",),
    )
    assert plan.body == {"apiVersion": "v1", "kind": "ServiceAccount", **account(["x", "a", "x", "b"], ["m"])}


@pytest.mark.parametrize("state", ["present", "exact"])
def test_links_that_are_there_are_no_change(state: str) -> None:
    plan = plan_links(DesiredLinks(("a", "b"), BOTH, state), account(["b", "a"], ["a", "b"]))
    assert (plan.changed, plan.body, plan.added) == (False, None, ())


@pytest.mark.parametrize("lists", [{}, {"pull": []}])
def test_a_list_that_is_not_there_is_made(lists: dict[str, list[str]]) -> None:
    plan = plan_links(DesiredLinks(("a",)), account(**lists))
    assert plan.body is not None
    assert plan.body["imagePullSecrets"] == [{"name": "a"}]
    assert "secrets" not in plan.body


def test_each_list_is_planned_for_itself() -> None:
    plan = plan_links(DesiredLinks(("a", "b"), BOTH), account(["a"], ["b"]))
    assert (after(plan, "pull"), after(plan, "mount"), plan.added) == (["a", "b"], ["b", "a"], ("b", "a"))


def test_absent_takes_out_every_entry_of_the_named_list_only() -> None:
    plan = plan_links(DesiredLinks(("a", "z"), ("pull",), "absent"), account(["a", "x", "a"], ["a"]))
    (one,) = plan.lists
    assert (one.after, one.removed, one.reasons) == (("x",), ("a",), ("not_wanted",))
    assert plan.body is not None
    assert plan.body["secrets"] == [{"name": "a"}]
    assert not plan_links(DesiredLinks(("a",), BOTH, "absent"), {}).changed


def test_exact_keeps_order_drops_others_and_repeats() -> None:
    plan = plan_links(DesiredLinks(("c", "a"), ("pull",), "exact"), account(["a", "x", "a"]))
    (one,) = plan.lists
    assert (one.after, one.removed, one.reasons) == (("a", "c"), ("x",), ("link_missing", "linked_twice", "not_listed"))


def test_exact_keeps_what_the_cluster_keeps_for_itself() -> None:
    names = [
        "app-dockercfg-x7k2p",
        "app-token-abcde",
        "own-by-annotation",
        "other-dockercfg-x7k2p",
        "app-dockercfg-toolong",
        "app-dockercfg",
    ]
    plan = plan_links(
        DesiredLinks((), BOTH, "exact"), account(names, names, annotations={MANAGED: "own-by-annotation"})
    )
    assert (
        after(plan, "pull") == after(plan, "mount") == ["app-dockercfg-x7k2p", "app-token-abcde", "own-by-annotation"]
    )


def test_long_names_are_shortened_by_the_server() -> None:
    name = "a" * 60
    assert is_managed(f"{'a' * 58}x7k2p", {"name": name})
    assert not is_managed(f"{'a' * 60}-dockercfg-x7k2p", {"name": name})


def test_entries_keep_what_else_they_hold() -> None:
    known = account(["x"])
    known["secrets"] = [{"name": "m", "kind": "Secret"}]
    known["automountServiceAccountToken"] = False
    plan = plan_links(DesiredLinks(("a",), ("mount",)), known)
    assert plan.body is not None
    assert plan.body["secrets"] == [{"name": "m", "kind": "Secret"}, {"name": "a"}]
    assert plan.body["automountServiceAccountToken"] is False
    assert known["secrets"] == [{"name": "m", "kind": "Secret"}]


NAMES = st.lists(st.sampled_from(["a", "b", "c", "app-dockercfg-x7k2p"]), max_size=5)
DESIRED = st.builds(
    DesiredLinks,
    st.lists(st.sampled_from(["a", "b", "d"]), min_size=1, unique=True).map(tuple),
    st.sampled_from([("pull",), ("mount",), BOTH]),
    st.sampled_from(["present", "absent", "exact"]),
)


@given(DESIRED, NAMES, NAMES)
def test_the_plan_of_a_plans_result_is_empty(desired: DesiredLinks, pull: list[str], mount: list[str]) -> None:
    known = account(pull, mount)
    plan = plan_links(desired, known)
    result = plan.body or known
    assert not plan_links(desired, result).changed
    for purpose, field in LIST_FIELDS.items():
        names = [entry["name"] for entry in result[field]]
        before = [entry["name"] for entry in known[field]]
        if purpose not in desired.purposes:
            assert names == before
        elif desired.state == "absent":
            assert names == [name for name in before if name not in desired.secrets]
        else:
            assert set(desired.secrets) <= set(names)
            assert before.count("app-dockercfg-x7k2p") == 0 or "app-dockercfg-x7k2p" in names
        if desired.state == "present" and purpose in desired.purposes:
            assert names[: len(before)] == before


def options(**given: t.Any) -> dict[str, t.Any]:
    return {
        "secrets": ["a"],
        "for": ["pull"],
        "state": "present",
        "service_accounts": ["app"],
        "wait_timeout": 30,
        "wait_sleep": 1,
        **given,
    }


def test_options() -> None:
    assert desired_links(options(secrets=["b", "a", "b"], **{"for": ["mount", "pull", "pull"]})) == DesiredLinks(
        ("b", "a"), BOTH, "present"
    )
    assert desired_links(options(secrets=[], state="exact")) == DesiredLinks((), ("pull",), "exact")
    assert waiting_from(options()) == Waiting(30, 1)
    assert [str(one) for one in account_names(("n", "m"), options(service_accounts=["b", "a", "b"]))] == [
        "n/b",
        "n/a",
        "m/b",
        "m/a",
    ]
    assert account_names(("n",), options())[0] == AccountName("n", "app")


def read(params: dict[str, t.Any]) -> None:
    desired_links(params)
    waiting_from(params)
    account_names(("n",), params)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"secrets": []}, "secrets: the list is empty; give at least one name"),
        ({"secrets": [], "state": "absent"}, "secrets: the list is empty; give at least one name"),
        ({"for": []}, "for: the list is empty; give pull, mount or both"),
        ({"wait_timeout": -1}, "wait_timeout is -1: give a number from 0"),
        ({"wait_sleep": 0}, "wait_sleep is 0: give a number from 1"),
        (
            {"secrets": ["A"]},
            (
                'secrets: "A" cannot be the name of an object; use lower case letters, digits, "-" and ".", beginning '
                "and ending with a letter or digit, 253 characters at most"
            ),
        ),
        ({"service_accounts": []}, "service_accounts: the list is empty; give at least one name"),
    ],
)
def test_options_that_are_refused(given: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read(options(**given))
    assert str(caught.value) == sentence

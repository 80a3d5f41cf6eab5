# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is on the cluster and whatever is declared: what was shown and approved is done, and nothing else."""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.result import (
    comparison_report,
    stream_part,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import ImportFailure
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.result import StreamResult
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from ansible_collections.quayside.openshift_images.tests.unit.fakes.model_cluster import ModelCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st

from .._import_engine.test_run_properties import _DECLARED, _PASTS, cluster_with, observed, of_their_own, wish

_COMPARED = _DECLARED.map(
    lambda declared: {**declared, "refresh": "drifted" if declared["refresh"] == "always" else declared["refresh"]}
)


def run(
    cluster: ModelCluster,
    declared: dict[str, t.Any],
    approved: t.Iterable[str] | None = None,
    *,
    check_mode: bool = False,
) -> StreamResult:
    desired = wish(declared)._replace(approved=None if approved is None else frozenset(approved))
    (result,) = converge_streams(cluster.client, [desired], check_mode=check_mode, concurrency=1, timeout=30)
    return result


def shown(cluster: ModelCluster, declared: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the changes that a report has."""
    report = stream_report([run(cluster, declared, check_mode=True)], lambda *_what: "", only_changed=False)
    return t.cast("list[dict[str, t.Any]]", comparison_report("", [stream_part(report)], []).results["to_approve"])


# A tag that has the image already and follows another one, which the same run imports.
_FOLLOWING = [
    {
        "what": "import",
        "tag": "a",
        "source": "one.example.com/team/web:v1",
        "mode": "Legacy",
        "scheduled": False,
        "insecure": True,
    },
    {"what": "patch", "tag": "a", "change": {"importPolicy": {"scheduled": True}}},
    {"what": "patch", "tag": "a", "change": {"from": {"kind": "ImageStreamTag", "name": "b"}}},
]
_BOTH = {
    "tags": [
        {"name": "b", "from": "one.example.com/team/web:v1"},
        {"name": "a", "from": "one.example.com/team/web:v1"},
    ],
    "refresh": "missing",
    "purge_tags": False,
    "lookup_policy_local": None,
}
# The same with other policies than declared, and imported in a later request than the tag that it follows.
_IN_ANOTHER_REQUEST: list[dict[str, t.Any]] = [
    {
        "what": "import",
        "tag": "a",
        "source": "one.example.com/team/web:v1",
        "mode": "Legacy",
        "scheduled": False,
        "insecure": False,
    },
    {
        "what": "import",
        "tag": "a",
        "source": "one.example.com/team/web:v1",
        "mode": "PreserveOriginal",
        "scheduled": False,
        "insecure": False,
    },
    {"what": "patch", "tag": "a", "change": {"from": {"kind": "ImageStreamTag", "name": "b"}}},
    {
        "what": "import",
        "tag": "b",
        "source": "one.example.com/team/web:v1",
        "mode": "Legacy",
        "scheduled": False,
        "insecure": False,
    },
]
_FOUR = {
    "tags": [
        {"name": "b", "from": "one.example.com/team/web:single"},
        {"name": "c", "from": "one.example.com/team/web:v1"},
        {"name": "d", "from": "one.example.com/team/web:v1"},
        {"name": "a", "from": "one.example.com/team/web:single", "import_mode": "Legacy"},
    ],
    "refresh": "missing",
    "purge_tags": False,
    "lookup_policy_local": None,
}


@examples
@given(past=_PASTS, declared=_COMPARED)
@example(past=_FOLLOWING, declared=_BOTH)
@example(past=_IN_ANOTHER_REQUEST, declared=_FOUR)
def test_all_that_was_shown_is_what_a_run_without_any_approval_does(
    past: list[dict[str, t.Any]], declared: dict[str, t.Any]
) -> None:
    plain, approved = cluster_with(past), cluster_with(past)
    changes = shown(approved, declared)

    following = {name for name, tag in observed(approved).tags.items() if tag.kind == "ImageStreamTag"}
    run(plain, declared)
    result = run(approved, declared, [change["id"] for change in changes])

    # What check mode cannot tell (docs/traps.md): such a tag is held back once the one that it follows has moved it
    # along.
    assume(not following & {name for name, outcome in result.outcomes.items() if isinstance(outcome, ImportFailure)})
    assert result.held_back == {}
    assert shown(approved, declared) == shown(plain, declared)


@examples
@given(past=_PASTS, declared=_COMPARED)
def test_without_an_approval_nothing_is_stored(past: list[dict[str, t.Any]], declared: dict[str, t.Any]) -> None:
    cluster = cluster_with(past)
    before = cluster.snapshot()
    changes = shown(cluster, declared)

    result = run(cluster, declared, [])

    assert cluster.snapshot() == before
    assert set(result.held_back) - {""} == {change["tag"] for change in changes if change["tag"]}


@examples
@given(past=_PASTS, since=_PASTS, declared=_COMPARED, random=st.randoms(use_true_random=False))
def test_what_is_not_approved_or_has_changed_since_stays_as_it_is(
    past: list[dict[str, t.Any]], since: list[dict[str, t.Any]], declared: dict[str, t.Any], random: t.Any
) -> None:
    changes = shown(cluster_with(past), declared)
    approved = {change["id"] for change in changes if random.random() < 0.5}
    cluster = cluster_with([*past, *since])
    before = observed(cluster)
    now = {change["tag"]: change["id"] for change in shown(cluster.copy(), declared)}

    run(cluster, declared, approved)

    after = observed(cluster)
    untouched = [name for name in before.tags if now.get(name) not in approved]
    assert untouched == [name for name in untouched if name in after.tags]
    assert of_their_own({name: after.tags[name] for name in untouched}) == of_their_own(
        {name: before.tags[name] for name in untouched}
    )

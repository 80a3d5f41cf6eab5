# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every reason with its channel; what is kept; what must be known first. Facts: server-behaviour.md 2 and the
contract cases."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest, legacy_choice
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import select_tags
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
    ImportItem,
    Lookup,
    Outcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    ObservedTag,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.plan import plan_stream
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.plan_types import (
    Knowledge,
    StreamPlan,
    TagPlan,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    NAMESPACE,
    PRIVATE,
    WEB_V1_AMD64,
    WEB_V1_ARM64,
    WEB_V1_LIST,
    WEB_V2,
    desired,
    observed,
    tag,
)

WEB = f"{PRIVATE}/team/web"
PREFER_ARCHITECTURE, PREFER_OS = "importer.image.openshift.io/prefer-arch", "importer.image.openshift.io/prefer-os"
FAILED = ImportFailure("InternalError", "the registry is down")

# A tag of a stream as it is after an import, and what the registry serves for it.
V2 = ObservedTag(
    "v2",
    source=f"{WEB}:v2",
    import_mode="Legacy",
    reference_policy="Source",
    generation=3,
    digest=WEB_V2,
    image=f"{WEB}@{WEB_V2}",
    image_generation=3,
)


def stream(*tags: ObservedTag, **fields: t.Any) -> ObservedStream:
    return ObservedStream(NAMESPACE, "web", True, "1", tags={one.name: one for one in tags}, **fields)


def image(digest: str, mode: str = "Legacy", repository: str = WEB) -> Image:
    return Image(digest, f"{repository}@{digest}", "", (), mode)


def web_list(*platforms: tuple[str, str], mode: str = "PreserveOriginal") -> Image:
    children = platforms or (("linux", "amd64"), ("linux", "arm64"))
    digests = {("linux", "amd64"): WEB_V1_AMD64, ("linux", "arm64"): WEB_V1_ARM64}
    manifests = tuple(Manifest(os, arch, "", digests.get((os, arch), f"sha256:{os}{arch}"), 1) for os, arch in children)
    return Image(WEB_V1_LIST, f"{WEB}@{WEB_V1_LIST}", "", manifests, mode)


def lookup(source: str = f"{WEB}:v2", mode: str | None = "Legacy", insecure: bool = False, **where: str) -> Lookup:
    return Lookup(NAMESPACE, source, mode, insecure, **where)


def plan(
    cluster: ObservedStream,
    looked_up: t.Mapping[Lookup, Outcome] | None = None,
    *,
    foresee: bool = False,
    attempted: t.Any = None,
    **options: t.Any,
) -> StreamPlan:
    """Plan the stream web; options as in a task."""
    knowledge = Knowledge(looked_up or {}, attempted or {}, foresee=foresee)
    return plan_stream(desired(**{"refresh": "missing", **options}), cluster, knowledge)


def plan_v2(
    cluster_tag: ObservedTag = V2, looked_up: t.Mapping[Lookup, Outcome] | None = None, **options: t.Any
) -> TagPlan:
    """Plan the tag v2 of the stream web alone; options as in a tag's entry."""
    refresh, attempted = options.pop("refresh", "missing"), options.pop("attempted", None)
    whole = plan(
        stream(cluster_tag),
        looked_up,
        attempted=attempted,
        refresh=refresh,
        tags=[tag("v2", options.pop("source", f"{WEB}:v2"), **options)],
    )
    assert whole.lookups == []
    (one,) = whole.tags
    return one


def importing(
    source: str = f"{WEB}:v2", mode: str | None = "Legacy", insecure: bool = False, **options: t.Any
) -> ImportItem:
    return ImportItem(source, "v2", mode, insecure, **{"reference_policy": "Source", **options})


class TestChannels:
    """Which reason goes through which channel."""

    def test_nothing_differs_nothing_is_done(self) -> None:
        one = plan_v2()
        assert (one.reasons, one.patch, one.item, one.remove, one.after) == ((), None, None, False, V2)

    def test_everything_declared_as_it_is_is_nothing(self) -> None:
        policies = {"import_mode": "Legacy", "reference_policy": "Source", "scheduled": False, "insecure": False}
        assert not plan(
            stream(V2), tags=[tag("v2", f"{WEB}:v2", **policies, prefer_architecture="", prefer_os="")]
        ).writes

    @pytest.mark.parametrize(
        ("cluster_tag", "options", "reason", "patch"),
        [
            (V2, {"reference_policy": "Local"}, "reference_policy_changed", {"referencePolicy": {"type": "Local"}}),
            (
                V2._replace(reference_policy="Local"),
                {"reference_policy": "Source"},
                "reference_policy_changed",
                {"referencePolicy": {"type": "Source"}},
            ),
            (V2, {"scheduled": True}, "scheduled_changed", {"importPolicy": {"scheduled": True, "insecure": False}}),
            (
                V2._replace(scheduled=True, insecure=True),
                {"scheduled": False},
                "scheduled_changed",
                {"importPolicy": {"scheduled": False, "insecure": True}},
            ),
            (V2, {"insecure": True}, "insecure_changed", {"importPolicy": {"scheduled": False, "insecure": True}}),
            (
                V2._replace(scheduled=True, insecure=True),
                {"insecure": False},
                "insecure_changed",
                {"importPolicy": {"scheduled": True, "insecure": False}},
            ),
            (
                V2._replace(import_mode="PreserveOriginal"),
                {"prefer_architecture": "arm64"},
                "preference_changed",
                {"annotations": {PREFER_ARCHITECTURE: "arm64", PREFER_OS: None}},
            ),
        ],
    )
    def test_what_brings_no_image_is_patched(
        self, cluster_tag: ObservedTag, options: dict[str, t.Any], reason: str, patch: dict[str, t.Any]
    ) -> None:
        one = plan_v2(cluster_tag, **options)
        assert (one.reasons, one.patch, one.item) == ((reason,), {"name": "v2", **patch}, None)

    def test_import_mode_is_imported_with_the_complete_policy_that_the_tag_has(self) -> None:
        has = V2._replace(scheduled=True, insecure=True, reference_policy="Local")
        one = plan_v2(has, import_mode="PreserveOriginal")
        assert (one.reasons, one.patch) == (("import_mode_changed",), None)
        assert one.item == importing(mode="PreserveOriginal", insecure=True, scheduled=True, reference_policy="Local")

    def test_a_failed_import_is_repeated(self) -> None:
        one = plan_v2(V2._replace(failure=FAILED, failure_generation=3))
        assert (one.reasons, one.patch, one.item) == (("last_import_failed",), None, importing())

    @pytest.mark.parametrize(
        "cluster_tag", [V2._replace(digest="", image="", image_generation=0), V2._replace(generation=4)]
    )
    def test_a_tag_without_its_image_is_imported(self, cluster_tag: ObservedTag) -> None:
        one = plan_v2(cluster_tag)
        assert (one.reasons, one.patch, one.item) == (("never_imported",), None, importing())

    def test_always_imports_although_nothing_differs(self) -> None:
        one = plan_v2(looked_up={lookup(): image(WEB_V2)}, refresh="always")
        assert (one.reasons, one.patch, one.item) == (("forced",), None, importing())

    def test_what_moved_upstream_is_imported(self) -> None:
        one = plan_v2(looked_up={lookup(): image(WEB_V1_AMD64)}, refresh="drifted")
        assert (one.reasons, one.patch, one.item) == (("upstream_moved",), None, importing())
        assert one.after is not None
        assert one.after.digest == WEB_V1_AMD64

    def test_what_did_not_move_upstream_is_left_alone(self) -> None:
        one = plan_v2(looked_up={lookup(): image(WEB_V2)}, refresh="drifted")
        assert (one.reasons, one.patch, one.item) == ((), None, None)

    def test_a_new_tag_is_imported_with_what_is_declared_only(self) -> None:
        (one,) = plan(stream(V2), tags=[tag("v1", f"{WEB}:v1")]).tags
        assert (one.reasons, one.patch, one.item) == (
            ("tag_missing",),
            None,
            ImportItem(f"{WEB}:v1", "v1", None, False),
        )

    def test_an_import_makes_a_new_stream(self) -> None:
        whole = plan(
            ObservedStream(NAMESPACE, "web"),
            tags=[tag("v1", f"{WEB}:v1", import_mode="PreserveOriginal", reference_policy="Local")],
        )
        (one,) = whole.tags
        assert not whole.create
        assert (one.reasons, one.patch) == (("stream_missing",), None)
        assert one.item == ImportItem(f"{WEB}:v1", "v1", "PreserveOriginal", False, reference_policy="Local")

    def test_a_preference_is_on_a_new_tag_before_its_import(self) -> None:
        whole = plan(
            ObservedStream(NAMESPACE, "web"),
            tags=[
                tag(
                    "v1",
                    f"{WEB}:v1",
                    import_mode="Legacy",
                    scheduled=True,
                    reference_policy="Local",
                    prefer_architecture="arm64",
                )
            ],
        )
        (one,) = whole.tags
        assert whole.create
        assert one.patch == {
            "name": "v1",
            "from": {"kind": "DockerImage", "name": f"{WEB}:v1"},
            "importPolicy": {"insecure": False, "scheduled": True, "importMode": "Legacy"},
            "referencePolicy": {"type": "Local"},
            "annotations": {PREFER_ARCHITECTURE: "arm64"},
        }
        assert one.item == ImportItem(f"{WEB}:v1", "v1", "Legacy", False, True, "Local")

    def test_a_changed_preference_is_patched_and_then_imported(self) -> None:
        one = plan_v2(prefer_architecture="arm64", prefer_os="linux")
        assert one.reasons == ("preference_changed",)
        assert one.patch == {"name": "v2", "annotations": {PREFER_ARCHITECTURE: "arm64", PREFER_OS: "linux"}}
        assert one.item == importing()

    def test_a_preference_that_was_dropped_is_removed_and_then_imported(self) -> None:
        one = plan_v2(V2._replace(prefer_architecture="arm64"), prefer_architecture="")
        assert one.patch == {"name": "v2", "annotations": {PREFER_ARCHITECTURE: None, PREFER_OS: None}}
        assert one.item == importing()

    def test_a_preference_does_not_import_a_digest_again(self) -> None:
        source = f"{WEB}@{WEB_V2}"
        one = plan_v2(V2._replace(source=source), source=source, prefer_architecture="arm64")
        assert (one.patch is not None, one.item) == (True, None)

    def test_reference_policy_of_an_existing_tag_is_patched_although_an_import_is_made(self) -> None:
        one = plan_v2(import_mode="PreserveOriginal", reference_policy="Local")
        assert one.patch == {"name": "v2", "referencePolicy": {"type": "Local"}}
        assert one.item == importing(mode="PreserveOriginal", reference_policy="Local")

    def test_scheduled_and_insecure_travel_with_an_import_where_one_is_made(self) -> None:
        one = plan_v2(import_mode="PreserveOriginal", scheduled=True, insecure=True)
        assert one.patch is None
        assert one.item == importing(mode="PreserveOriginal", insecure=True, scheduled=True)

    @pytest.mark.parametrize(
        ("has", "wanted", "writes"),
        [(False, True, True), (True, False, True), (True, True, False), (False, False, False)],
    )
    def test_the_lookup_policy_is_patched(self, has: bool, wanted: bool, writes: bool) -> None:
        whole = plan(stream(V2, lookup_policy_local=has), tags=[tag("v2", f"{WEB}:v2")], lookup_policy_local=wanted)
        assert whole.lookup_policy_local == (wanted if writes else None)
        assert whole.writes == writes
        assert (whole.patches, whole.items) == ([], [])
        assert whole.after.lookup_policy_local == wanted

    def test_a_lookup_policy_makes_the_stream_before_the_import(self) -> None:
        whole = plan(ObservedStream(NAMESPACE, "web"), tags=[tag("v1", f"{WEB}:v1")], lookup_policy_local=True)
        assert (whole.create, whole.lookup_policy_local, len(whole.items)) == (True, True, 1)

    @pytest.mark.parametrize("local", [True, False])
    def test_a_stream_without_tags_is_made_for_its_lookup_policy(self, local: bool) -> None:
        whole = plan(ObservedStream(NAMESPACE, "web"), lookup_policy_local=local)
        assert (whole.create, whole.writes, whole.after.exists) == (True, True, True)
        assert not plan(stream(lookup_policy_local=local), lookup_policy_local=local).writes


class TestKept:
    """Unset means keep, false means off."""

    @pytest.mark.parametrize(
        "has",
        [
            {"import_mode": "PreserveOriginal"},
            {"reference_policy": "Local"},
            {"scheduled": True},
            {"insecure": True},
            {"prefer_architecture": "arm64"},
            {"prefer_os": "linux"},
        ],
    )
    def test_what_is_not_declared_is_kept_by_an_import(self, has: dict[str, t.Any]) -> None:
        cluster_tag = V2._replace(failure=FAILED, failure_generation=3, **has)
        one = plan_v2(cluster_tag)
        assert one.reasons == ("last_import_failed",)
        assert one.patch is None
        assert one.item is not None
        kept = {name: value for name, value in has.items() if not name.startswith("prefer")}
        assert {name: getattr(one.item, name) for name in kept} == kept
        assert one.after is not None
        assert {name: getattr(one.after, name) for name in has} == has

    @pytest.mark.parametrize(
        ("option", "reason"), [("scheduled", "scheduled_changed"), ("insecure", "insecure_changed")]
    )
    def test_false_turns_off_also_in_an_import(self, option: str, reason: str) -> None:
        off: dict[str, t.Any] = {option: False}
        one = plan_v2(V2._replace(scheduled=True, insecure=True), import_mode="PreserveOriginal", **off)
        assert one.reasons == ("import_mode_changed", reason)
        assert one.item is not None
        assert getattr(one.item, option) is False
        assert getattr(one.item, {"scheduled": "insecure", "insecure": "scheduled"}[option]) is True

    def test_a_lookup_policy_that_is_not_declared_is_kept(self) -> None:
        assert not plan(stream(V2, lookup_policy_local=True), tags=[tag("v2", f"{WEB}:v2")]).writes

    def test_tags_that_are_not_declared_are_left_alone(self) -> None:
        other = V2._replace(name="other", failure=FAILED)
        whole = plan(stream(V2, other), tags=[tag("v2", f"{WEB}:v2", scheduled=True)])
        assert [one.name for one in whole.tags] == ["v2"]
        assert whole.after.tags["other"] == other


class TestSource:
    """A changed source: by import, and by a patch if the import would leave it (contract case source_change)."""

    def test_another_image_is_imported_and_the_import_writes_the_source(self) -> None:
        source = f"{WEB}:v1"
        one = plan_v2(looked_up={lookup(source): image(WEB_V1_AMD64)}, source=source)
        assert (one.reasons, one.patch, one.item) == (("source_changed",), None, importing(source))

    def test_the_same_image_is_patched_and_then_imported(self) -> None:
        source = f"{WEB}@{WEB_V2}"
        one = plan_v2(looked_up={lookup(source): image(WEB_V2)}, source=source)
        assert one.reasons == ("source_changed",)
        assert one.patch == {"name": "v2", "from": {"kind": "DockerImage", "name": source}}
        assert one.item == importing(source)

    def test_the_same_image_of_another_repository_is_imported_only_since_the_recorded_place_differs(self) -> None:
        elsewhere = f"{PRIVATE}/mirror/web"
        one = plan_v2(
            looked_up={lookup(f"{elsewhere}:v2"): image(WEB_V2, repository=elsewhere)}, source=f"{elsewhere}:v2"
        )
        assert (one.patch, one.item) == (None, importing(f"{elsewhere}:v2"))

    def test_a_tag_that_is_behind_needs_no_patch_since_the_import_rewrites_it(self) -> None:
        source = f"{WEB}@{WEB_V2}"
        one = plan_v2(V2._replace(generation=9), looked_up={lookup(source): image(WEB_V2)}, source=source)
        assert (one.patch, one.item) == (None, importing(source))

    def test_a_source_that_cannot_be_had_leaves_the_tag_its_good_image(self) -> None:
        source = f"{WEB}:gone"
        one = plan_v2(looked_up={lookup(source): FAILED}, source=source)
        assert (one.reasons, one.patch, one.item, one.outcome, one.after) == (
            ("source_changed",),
            None,
            None,
            FAILED,
            V2,
        )

    def test_a_source_that_cannot_be_had_is_tried_where_the_tag_has_no_image_to_lose(self) -> None:
        source = f"{WEB}:gone"
        one = plan_v2(
            V2._replace(digest="", image="", image_generation=0, failure=FAILED, failure_generation=3), source=source
        )
        assert (one.reasons, one.item) == (("source_changed", "last_import_failed"), importing(source))

    @pytest.mark.parametrize("namespace", ["", "other"])
    def test_a_tag_that_follows_another_tag_becomes_one_of_its_own(self, namespace: str) -> None:
        alias = V2._replace(kind="ImageStreamTag", source="v1", source_namespace=namespace)
        one = plan_v2(alias, looked_up={lookup(): image(WEB_V2)})
        expected: dict[str, t.Any] = {"kind": "DockerImage", "name": f"{WEB}:v2"}
        if namespace:
            expected["namespace"] = None
        assert one.patch == {"name": "v2", "from": expected}
        assert one.item == importing()
        assert one.after is not None
        assert (one.after.kind, one.after.source, one.after.source_namespace) == ("DockerImage", f"{WEB}:v2", "")

    def test_a_tag_that_follows_another_tag_with_another_image_is_imported(self) -> None:
        alias = V2._replace(kind="ImageStreamTag", source="v1")
        one = plan_v2(alias, looked_up={lookup(f"{WEB}:v1"): image(WEB_V1_AMD64)}, source=f"{WEB}:v1")
        assert (one.reasons, one.patch, one.item) == (("source_changed",), None, importing(f"{WEB}:v1"))

    def test_a_tag_that_follows_another_tag_is_not_imported_in_vain(self) -> None:
        alias = V2._replace(kind="ImageStreamTag", source="v1", digest="", image="", image_generation=0)
        source = f"{WEB}:gone"
        assert plan(stream(alias), tags=[tag("v2", source)]).lookups == [lookup(source)]
        one = plan_v2(alias, looked_up={lookup(source): FAILED}, source=source)
        assert (one.reasons, one.item, one.outcome, one.after) == (
            ("source_changed", "never_imported"),
            None,
            FAILED,
            alias,
        )

    def test_a_tag_that_moves_along_loses_its_failure(self) -> None:
        alias = V2._replace(
            name="alias", kind="ImageStreamTag", source="v2", digest="", image="", failure=FAILED, failure_generation=3
        )
        new = stream(V2._replace(digest="", image="", image_generation=0), alias)
        whole = plan(new, {lookup(): image(WEB_V2)}, foresee=True, tags=[tag("v2", f"{WEB}:v2")])
        moved = whole.after.tags["alias"]
        assert (moved.digest, moved.failure, moved.pending) == (WEB_V2, None, False)

    def test_a_tag_that_follows_a_tag_of_the_same_words_follows_another_tag_nevertheless(self) -> None:
        alias = V2._replace(kind="ImageStreamTag", source="mysql:8")
        one = plan_v2(alias, looked_up={lookup("mysql:8"): image(WEB_V1_AMD64, repository="mysql")}, source="mysql:8")
        assert (one.reasons, one.item) == (("source_changed",), importing("mysql:8"))

    def test_a_recorded_alias_is_taken_over(self) -> None:
        cluster = observed("tags_between_streams", 4)
        whole = plan(
            cluster._replace(name="web"),
            {Lookup(NAMESPACE, f"{WEB}:v1", "Legacy", False): image(WEB_V1_AMD64)},
            tags=[tag("alias", f"{WEB}:v1")],
        )
        assert whole.patches == [{"name": "alias", "from": {"kind": "DockerImage", "name": f"{WEB}:v1"}}]
        assert [item.to for item in whole.items] == ["alias"]


class TestLookups:
    """What must be known before the plan is final."""

    @pytest.mark.parametrize("refresh", ["missing", "always"])
    def test_nothing_is_asked_unless_drift_matters(self, refresh: str) -> None:
        good = [lookup()] if refresh == "always" else []
        assert plan(stream(V2), tags=[tag("v2", f"{WEB}:v2"), tag("v1", f"{WEB}:v1")], refresh=refresh).lookups == good

    def test_drifted_asks_with_the_policy_that_the_tag_has(self) -> None:
        has = V2._replace(import_mode="PreserveOriginal", insecure=True)
        assert plan(stream(has), tags=[tag("v2", f"{WEB}:v2")], refresh="drifted").lookups == [
            lookup(mode="PreserveOriginal", insecure=True)
        ]

    def test_drifted_asks_with_the_policy_that_the_tag_shall_have(self) -> None:
        assert plan(stream(V2), tags=[tag("v2", f"{WEB}:v2", insecure=True)], refresh="drifted").lookups == [
            lookup(insecure=True)
        ]

    def test_a_digest_does_not_drift(self) -> None:
        source = f"{WEB}@{WEB_V2}"
        assert plan(stream(V2._replace(source=source)), tags=[tag("v2", source)], refresh="drifted").lookups == []

    @pytest.mark.parametrize(
        "cluster_tag",
        [V2._replace(failure=FAILED, failure_generation=3), V2._replace(digest="", image="", image_generation=0)],
    )
    def test_what_is_imported_anyway_is_not_asked_for(self, cluster_tag: ObservedTag) -> None:
        assert (
            plan(stream(cluster_tag), tags=[tag("v2", f"{WEB}:v2"), tag("new", f"{WEB}:v1")], refresh="drifted").lookups
            == []
        )

    @pytest.mark.parametrize("refresh", ["missing", "drifted", "always"])
    def test_a_changed_source_is_asked_for_in_any_case(self, refresh: str) -> None:
        assert plan(stream(V2), tags=[tag("v2", f"{WEB}:v1")], refresh=refresh).lookups == [lookup(f"{WEB}:v1")]

    @pytest.mark.parametrize("refresh", ["missing", "drifted", "always"])
    def test_check_mode_asks_for_everything_that_would_be_imported(self, refresh: str) -> None:
        failed = V2._replace(failure=FAILED, failure_generation=3)
        tags = [tag("v2", f"{WEB}:v2"), tag("new", f"{WEB}:v1", import_mode="PreserveOriginal", insecure=True)]
        whole = plan(stream(failed), tags=tags, refresh=refresh, foresee=True)
        assert whole.lookups == [lookup(), lookup(f"{WEB}:v1", "PreserveOriginal", True)]

    def test_check_mode_with_missing_asks_for_nothing_where_nothing_is_imported(self) -> None:
        assert plan(stream(V2), tags=[tag("v2", f"{WEB}:v2", scheduled=True)], foresee=True).lookups == []

    def test_a_new_tag_without_a_mode_is_asked_for_with_the_default_of_the_cluster(self) -> None:
        assert plan(stream(), tags=[tag("v2", f"{WEB}:v2")], foresee=True).lookups == [lookup(mode=None)]

    def test_a_preference_of_the_tag_makes_the_answer_its_own(self) -> None:
        has = V2._replace(prefer_architecture="arm64")
        assert plan(stream(has), tags=[tag("v2", f"{WEB}:v2")], refresh="drifted").lookups == [
            lookup(stream="web", tag="v2")
        ]

    @pytest.mark.parametrize(
        ("cluster_tag", "source"),
        [
            (V2._replace(prefer_architecture="arm64", import_mode="PreserveOriginal"), f"{WEB}:v2"),
            (V2._replace(prefer_architecture="arm64", source=f"{WEB}:v9"), f"{WEB}@{WEB_V2}"),
        ],
    )
    def test_a_preference_does_not_matter_for_a_whole_list_or_a_digest(
        self, cluster_tag: ObservedTag, source: str
    ) -> None:
        (asked,) = plan(stream(cluster_tag), tags=[tag("v2", source)], refresh="drifted").lookups
        assert (asked.stream, asked.tag) == ("", "")

    def test_a_preference_that_is_not_on_the_tag_yet_is_foreseen_from_the_whole_list(self) -> None:
        options: dict[str, t.Any] = {"tags": [tag("v2", f"{WEB}:v2", prefer_architecture="arm64")], "foresee": True}
        assert plan(stream(V2), **options).lookups == [lookup(mode="PreserveOriginal")]
        (one,) = plan(stream(V2), {lookup(mode="PreserveOriginal"): web_list()}, **options).tags
        assert one.outcome == Image(WEB_V1_ARM64, f"{WEB}@{WEB_V1_ARM64}", "", (), "Legacy", "arm64")

    def test_a_preference_on_a_new_tag_without_a_mode_depends_on_the_default_of_the_cluster(self) -> None:
        options: dict[str, t.Any] = {"tags": [tag("v2", f"{WEB}:v2", prefer_architecture="arm64")], "foresee": True}
        assert plan(stream(), **options).lookups == [lookup(mode=None)]
        legacy = {lookup(mode=None): image(WEB_V1_AMD64)}
        assert plan(stream(), legacy, **options).lookups == [lookup(mode="PreserveOriginal")]
        (by_preference,) = plan(stream(), {**legacy, lookup(mode="PreserveOriginal"): web_list()}, **options).tags
        assert isinstance(by_preference.outcome, Image)
        assert by_preference.outcome.digest == WEB_V1_ARM64
        (whole_list,) = plan(stream(), {lookup(mode=None): web_list()}, **options).tags
        assert whole_list.outcome == web_list()

    def test_a_dropped_preference_is_foreseen_without_it(self) -> None:
        has = V2._replace(prefer_architecture="arm64")
        assert plan(stream(has), tags=[tag("v2", f"{WEB}:v2", prefer_architecture="")], foresee=True).lookups == [
            lookup()
        ]

    def test_a_single_image_is_taken_whatever_is_preferred(self) -> None:
        single = {lookup(mode="PreserveOriginal"): image(WEB_V2, "PreserveOriginal")}
        (one,) = plan(stream(V2), single, tags=[tag("v2", f"{WEB}:v2", prefer_architecture="arm64")], foresee=True).tags
        assert one.outcome == image(WEB_V2, "Legacy")

    def test_an_operating_system_alone_is_completed_by_the_control_plane(self) -> None:
        served = {
            lookup(mode="PreserveOriginal"): web_list(("linux", "amd64"), ("windows", "amd64"), ("windows", "arm64"))
        }
        wish = desired(tags=[tag("v2", f"{WEB}:v2", prefer_os="windows")], refresh="missing")
        (amd64,) = plan_stream(wish, stream(V2), Knowledge(served, foresee=True)).tags
        (arm64,) = plan_stream(
            wish, stream(V2), Knowledge(served, foresee=True, control_plane_architecture="arm64")
        ).tags
        assert isinstance(amd64.outcome, Image)
        assert isinstance(arm64.outcome, Image)
        assert (amd64.outcome.digest, arm64.outcome.digest) == ("sha256:windowsamd64", "sha256:windowsarm64")

    @pytest.mark.parametrize("mode", ["PreserveOriginal", None])
    def test_a_list_with_an_entry_without_platform_is_foreseen_to_fail_although_its_lookup_succeeds(
        self, mode: str | None
    ) -> None:
        """Contract case list_entry_without_platform; in the server's words."""
        served = {lookup(mode=mode): web_list(("linux", "amd64"), ("", ""))._replace(import_mode="PreserveOriginal")}
        options = {"import_mode": mode} if mode else {}
        (one,) = plan(stream(), served, tags=[tag("v2", f"{WEB}:v2", **options)], foresee=True).tags
        assert one.outcome == ImportFailure(
            "Invalid",
            f'Image.image.openshift.io "{WEB_V1_LIST}" is invalid: '
            "[dockerImageManifests[1].architecture: Required value, dockerImageManifests[1].os: Required value]",
        )
        assert one.after is None

    def test_legacy_takes_from_a_list_with_an_entry_without_platform(self) -> None:
        served = {lookup(mode="PreserveOriginal"): web_list(("", ""), ("linux", "arm64"))}
        (one,) = plan(stream(V2), served, tags=[tag("v2", f"{WEB}:v2", prefer_architecture="arm64")], foresee=True).tags
        assert isinstance(one.outcome, Image)
        assert one.outcome.digest == WEB_V1_ARM64

    def test_check_mode_foresees_that_policies_are_patched_after_an_import_that_fails(self) -> None:
        failed = V2._replace(failure=replace(FAILED, message="before"), failure_generation=3)
        (one,) = plan(
            stream(failed), {lookup(): FAILED}, tags=[tag("v2", f"{WEB}:v2", scheduled=True)], foresee=True
        ).tags
        assert one.after is not None
        assert (one.after.scheduled, one.after.failure, one.after.digest) == (True, FAILED, WEB_V2)

    def test_a_lookup_that_fails_for_an_unchanged_tag_writes_nothing_and_is_reported(self) -> None:
        one = plan_v2(looked_up={lookup(): FAILED}, refresh="drifted")
        assert (one.reasons, one.patch, one.item, one.outcome, one.after) == ((), None, None, FAILED, V2)


class TestAttempted:
    """Plans of the same run after its imports."""

    def test_a_failed_import_is_not_repeated_in_the_same_run(self) -> None:
        one = plan_v2(V2._replace(failure=FAILED, failure_generation=3), attempted={"v2": FAILED})
        assert (one.item, one.outcome) == (None, FAILED)

    def test_after_a_failed_import_the_policies_that_it_left_are_patched(self) -> None:
        """Contract case failed_refresh_keeps_last_image: a failed import leaves scheduled and insecure as they were."""
        has = V2._replace(failure=FAILED, failure_generation=3)
        one = plan_v2(has, attempted={"v2": FAILED}, scheduled=True, insecure=True)
        assert (one.item, one.patch) == (None, {"name": "v2", "importPolicy": {"scheduled": True, "insecure": True}})

    def test_a_generation_that_ran_ahead_is_brought_level_in_the_same_run(self) -> None:
        """Contract case generation_behind_settles."""
        ahead = V2._replace(import_mode="PreserveOriginal", generation=4)
        one = plan_v2(ahead, attempted={"v2": image(WEB_V2, "PreserveOriginal")}, import_mode="PreserveOriginal")
        assert (one.reasons, one.item) == (("never_imported",), importing(mode="PreserveOriginal"))

    @pytest.mark.parametrize("refresh", ["missing", "drifted", "always"])
    def test_what_was_imported_in_this_run_is_done(self, refresh: str) -> None:
        one = plan_v2(attempted={"v2": image(WEB_V2)}, refresh=refresh)
        assert (one.reasons, one.patch, one.item) == ((), None, None)

    def test_a_source_that_the_import_left_is_patched_and_imported_again(self) -> None:
        source = f"{WEB}@{WEB_V2}"
        one = plan_v2(attempted={"v2": image(WEB_V2)}, source=source)
        assert one.patch == {"name": "v2", "from": {"kind": "DockerImage", "name": source}}
        assert one.item == importing(source)


class TestRemoval:
    """purge_tags and state absent."""

    ALIAS = V2._replace(name="alias", kind="ImageStreamTag", source="v2")
    OLD = V2._replace(name="old")
    ODD = V2._replace(name="a/b")

    def test_purge_removes_external_tags_that_are_not_listed_and_keeps_those_that_follow_others(self) -> None:
        whole = plan(stream(V2, self.OLD, self.ALIAS, self.ODD), tags=[tag("v2", f"{WEB}:v2")], purge_tags=True)
        assert whole.removals == ["a/b", "old"]
        assert [(one.name, one.reasons) for one in whole.tags[1:]] == [
            ("a/b", ("not_listed",)),
            ("old", ("not_listed",)),
        ]
        assert sorted(whole.after.tags) == ["alias", "v2"]

    def test_purge_of_nothing_writes_nothing(self) -> None:
        assert not plan(stream(V2, self.ALIAS), tags=[tag("v2", f"{WEB}:v2")], purge_tags=True).writes

    def test_purge_of_everything(self) -> None:
        assert plan(stream(V2, self.OLD), tags=[], purge_tags=True).removals == ["old", "v2"]

    def test_absent_deletes_the_whole_stream_whatever_its_tags_are(self) -> None:
        whole = plan(stream(V2, self.ALIAS), state="absent", tags=[tag("new", f"{WEB}:v1")])
        assert (whole.delete, whole.writes, whole.items, whole.patches, whole.removals) == (True, True, [], [], [])
        assert [(one.name, one.reasons) for one in whole.tags] == [("alias", ("not_listed",)), ("v2", ("not_listed",))]
        assert (whole.after.exists, whole.after.tags) == (False, {})

    def test_absent_already_is_nothing(self) -> None:
        assert not plan(ObservedStream(NAMESPACE, "web"), state="absent").writes


@pytest.mark.parametrize(
    ("platforms", "wanted", "choice"),
    [
        ([("linux", "arm64"), ("linux", "amd64")], ("arm64", "linux"), 0),
        ([("linux", "amd64"), ("linux", "arm64"), ("linux", "arm64")], ("arm64", "linux"), 1),
        ([("linux", "arm64"), ("linux", "amd64")], ("s390x", "linux"), 1),
        ([("linux", "arm64"), ("linux", "s390x")], ("amd64", "linux"), 0),
        ([("windows", "amd64"), ("linux", "amd64")], ("arm64", "windows"), 1),
        ([("windows", "amd64"), ("linux", "amd64")], ("amd64", "windows"), 0),
        ([("", ""), ("linux", "amd64")], ("amd64", "linux"), 1),
        ([("", ""), ("linux", "s390x")], ("amd64", "linux"), 0),
    ],
)
def test_legacy_takes_the_wanted_platform_or_linux_amd64_or_the_first(
    platforms: list[tuple[str, str]], wanted: tuple[str, str], choice: int
) -> None:
    """Server-behaviour.md 2.10; contract cases prefer_architecture, legacy_without_amd64."""
    manifests = [Manifest(os, arch, "", f"sha256:{index}", 1) for index, (os, arch) in enumerate(platforms)]
    assert legacy_choice(manifests, *wanted) == manifests[choice]


def test_legacy_takes_nothing_from_an_empty_list() -> None:
    assert legacy_choice([], "amd64", "linux") is None


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        ((), ["v1", "v1.2", "latest"]),
        (("v*",), ["v1", "v1.2"]),
        (("v1", "l*"), ["v1", "latest"]),
        (("V*",), []),
        (("v1.?",), ["v1.2"]),
        (("!v1.*",), ["v1", "latest"]),
        (("!latest", "*"), ["v1", "v1.2"]),
        (("v*", "!*.*", "!x"), ["v1"]),
    ],
)
def test_globs_choose_among_the_tags_of_a_repository(patterns: tuple[str, ...], chosen: list[str]) -> None:
    assert select_tags(["v1", "v1.2", "latest"], patterns) == chosen


def test_the_same_failure_again_leaves_the_tag_as_it_is() -> None:
    """Neither condition nor generation is touched by it (server-behaviour.md 2.5), so that what is to come stays to
    come."""
    waiting = V2._replace(generation=5, failure=FAILED, failure_generation=4)
    whole = plan(stream(waiting), {lookup(): FAILED}, tags=[tag("v2", f"{WEB}:v2")], foresee=True)
    assert whole.after.tags["v2"] == waiting
    other = plan(
        stream(waiting), {lookup(): replace(FAILED, message="another")}, tags=[tag("v2", f"{WEB}:v2")], foresee=True
    )
    assert not other.after.tags["v2"].pending

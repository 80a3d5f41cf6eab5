# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.triggers import (
    TRIGGERED_KINDS,
    TRIGGERS_ANNOTATION,
    StreamTag,
    image_triggers,
)

KINDS = {kind.kind: kind for kind in TRIGGERED_KINDS}
WEB = {"kind": "ImageStreamTag", "name": "web:v1"}
V1 = StreamTag("shop", "web", "v1")


def triggers(kind: str, **item: t.Any) -> list[tuple[StreamTag, tuple[str, ...], bool]]:
    metadata = {"namespace": "shop", "name": "app", **item.pop("metadata", {})}
    found = image_triggers(KINDS[kind], {"metadata": metadata, **item})
    assert {(one.kind, one.namespace, one.name) for one in found} <= {(kind, "shop", "app")}
    return [(one.watches, one.fields, one.automatic) for one in found]


def annotated(*entries: t.Any, kind: str = "Deployment") -> list[tuple[StreamTag, tuple[str, ...], bool]]:
    return triggers(kind, metadata={"annotations": {TRIGGERS_ANNOTATION: json.dumps(list(entries))}})


def test_the_kinds_that_have_triggers() -> None:
    assert set(KINDS) == {"Deployment", "DaemonSet", "StatefulSet", "CronJob", "DeploymentConfig", "BuildConfig"}


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet", "CronJob"])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ('spec.template.spec.containers[?(@.name=="web")].image', "web"),
        ("spec.template.spec.initContainers[?(@.name == 'setup')].image", "setup"),
        ("spec.template.spec.containers[0].image", "spec.template.spec.containers[0].image"),
    ],
)
def test_the_annotation_names_containers(kind: str, path: str, field: str) -> None:
    assert annotated({"from": WEB, "fieldPath": path}, kind=kind) == [(V1, (field,), True)]


def test_a_paused_trigger_waits_and_a_namespace_is_taken_from_the_trigger() -> None:
    other = {"kind": "ImageStreamTag", "name": "base", "namespace": "lab"}
    found = annotated(
        {"from": WEB, "fieldPath": "a", "paused": True}, {"from": other, "fieldPath": "b", "paused": False}
    )
    assert found == [(V1, ("a",), False), (StreamTag("lab", "base", "latest"), ("b",), True)]


@pytest.mark.parametrize(
    "source", [{"kind": "ImageStreamImage", "name": "web@sha256:0"}, {"kind": "ImageStreamTag"}, {"name": "web:v1"}, {}]
)
def test_what_is_no_tag_of_a_stream_is_not_watched(source: dict[str, str]) -> None:
    assert annotated({"from": source, "fieldPath": "a"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "{}",
        "[1]",
        '[{"from": "web:v1"}]',
        '[{"from": {}, "paused": "true"}]',
        '[{"from": {}, "fieldPath": 1}]',
        '[{"from": {"kind": "ImageStreamTag", "name": "web:v1", "namespace": ["shop"]}}]',
        '[{"from": {"kind": "ImageStreamTag", "name": 5}}]',
        "[" * 100_000,
    ],
)
def test_an_annotation_that_the_controller_cannot_read_disables_all_of_it(text: str) -> None:
    readable = json.dumps([{"from": WEB, "fieldPath": "a"}])
    both = f"{readable[:-1]}, {text[1:]}" if text.startswith("[") else text
    assert triggers("Deployment", metadata={"annotations": {TRIGGERS_ANNOTATION: both}}) == []
    assert triggers("Deployment", metadata={"annotations": None}) == []


def test_deployment_configs() -> None:
    def change(**params: t.Any) -> dict[str, t.Any]:
        return {"type": "ImageChange", "imageChangeParams": {"from": WEB, "containerNames": ["web", "side"], **params}}

    spec = {"triggers": [{"type": "ConfigChange"}, change(automatic=True), change()]}
    assert triggers("DeploymentConfig", spec=spec) == [(V1, ("web", "side"), True), (V1, ("web", "side"), False)]
    assert triggers("DeploymentConfig", spec={"triggers": None}) == []


def test_build_configs_watch_what_they_name_or_else_what_they_are_made_from() -> None:
    base = {"kind": "ImageStreamTag", "name": "base:1", "namespace": "lab"}
    spec = {
        "strategy": {"type": "Source", "sourceStrategy": {"from": base}},
        "triggers": [
            {"type": "GitHub"},
            {"type": "ImageChange"},
            {"type": "imageChange", "imageChange": {}},
            {"type": "ImageChange", "imageChange": {"from": WEB, "paused": True}},
        ],
    }
    built = (StreamTag("lab", "base", "1"), (), True)
    assert triggers("BuildConfig", spec=spec) == [built, built, (V1, (), False)]
    assert (
        triggers("BuildConfig", spec={"triggers": [{"type": "ImageChange"}], "strategy": {"dockerStrategy": {}}}) == []
    )

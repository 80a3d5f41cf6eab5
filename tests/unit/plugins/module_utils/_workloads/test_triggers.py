# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiError,
    ApiNotServed,
    Forbidden,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.triggers import (
    TRIGGERS_ANNOTATION,
    ObservedTriggers,
    StreamTag,
    observe_triggers,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import Object
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import prune_cluster

WEB = StreamTag("shop", "web", "v1")


def watching(namespace: str, name: str) -> Object:
    source = {"kind": "ImageStreamTag", "name": "web:v1", "namespace": "shop"}
    text = json.dumps([{"from": source, "fieldPath": "a"}])
    return {"metadata": {"namespace": namespace, "name": name, "annotations": {TRIGGERS_ANNOTATION: text}}}


def names(observed: ObservedTriggers) -> list[str]:
    return [f"{trigger.namespace}/{trigger.name}" for trigger in observed.by_tag.get(WEB, [])]


def test_all_namespaces_are_one_list_a_kind() -> None:
    api = prune_cluster()
    api.add("deployments", watching("shop", "one"), watching("lab", "two"))
    api.add("cronjobs", watching("lab", "three"))
    observed = observe_triggers(api, None, ["shop"], 2)
    assert names(observed) == ["lab/two", "shop/one", "lab/three"]
    assert observed.namespaces == ("*",)
    assert sorted(observed.not_served) == ["buildconfigs", "deploymentconfigs"]
    assert observed.failures == []
    assert len(api.sent) == 6


def test_a_kind_that_may_not_be_listed_over_all_is_read_where_the_streams_are() -> None:
    api = prune_cluster()
    api.forbidden.add("deployments in *")
    api.add("deployments", watching("shop", "one"), watching("lab", "two"))
    api.add("statefulsets", watching("lab", "three"))
    observed = observe_triggers(api, None, ["shop"], 2)
    assert sorted(names(observed)) == ["lab/three", "shop/one"]
    assert observed.namespaces == ("shop",)
    assert observed.failures == []


def test_what_may_not_be_read_at_all_is_told_and_hides_nothing() -> None:
    api = prune_cluster()
    api.forbidden.add("deployments")
    api.errors["daemonsets in shop"] = ApiError("broken", status=500)
    api.add("statefulsets", watching("shop", "three"), watching("lab", "four"))
    observed = observe_triggers(api, ("shop", "billing"), ["unused"], 1)
    assert names(observed) == ["shop/three"]
    assert observed.namespaces == ("shop", "billing")
    assert {(one.namespace, one.resource, type(one.error)) for one in observed.failures} == {
        ("shop", "deployments", Forbidden),
        ("billing", "deployments", Forbidden),
        ("shop", "daemonsets", ApiError),
    }


def test_a_refused_token_is_the_end() -> None:
    api = prune_cluster()
    api.errors["deployments"] = Unauthorized("no", status=401)
    with pytest.raises(Unauthorized):
        observe_triggers(api, None, [], 1)


def test_a_cluster_without_the_kind_has_it_once() -> None:
    api = prune_cluster()
    api.errors["cronjobs"] = ApiNotServed("no", status=404)
    assert sorted(observe_triggers(api, ("a", "b"), [], 1).not_served) == [
        "buildconfigs",
        "cronjobs",
        "deploymentconfigs",
    ]

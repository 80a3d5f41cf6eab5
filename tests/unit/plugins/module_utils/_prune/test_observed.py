# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    Forbidden,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.observed import (
    Observed,
    observe,
    observe_children,
    observe_referenced_streams,
    read_platforms,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.kinds import WORKLOAD_KINDS
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import StoredCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import (
    NOT_SERVED,
    REGISTRY,
    add_list,
    child,
    containers,
    digest,
    prune_cluster,
    stream,
    tag,
    templated,
    workload,
)

PLURALS = {kind.plural for kind in WORKLOAD_KINDS} | {"imagestreams"}
WIDTH = 4


@pytest.fixture
def api() -> StoredCluster:
    """Two namespaces with a stream and a Deployment each, and a pod."""
    made = prune_cluster()
    for namespace in ("billing", "shop"):
        made.add("imagestreams", stream(namespace, "web", tag("v1", add_list(made, namespace))))
        made.add(
            "deployments", workload(namespace, "web", spec=templated(f"{REGISTRY}/{namespace}/web@{child(namespace)}"))
        )
    made.add("pods", workload("shop", "web-1", spec=containers(f"{REGISTRY}/shop/web:v1")))
    return made


def see(api: StoredCluster, *namespaces: str) -> Observed:
    return observe(api, namespaces or None, WORKLOAD_KINDS, WIDTH)


def plurals_asked(api: StoredCluster) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in api.paths)


# ---- one LIST for each kind


def test_the_whole_cluster_is_one_list_for_each_kind(api: StoredCluster) -> None:
    observed = see(api)
    assert plurals_asked(api) == sorted(PLURALS)
    assert not any("/namespaces/" in path for path in api.paths)
    assert observed.namespaces == ("billing", "shop")
    assert sorted(observed.streams) == [("billing", "web"), ("shop", "web")]
    assert (observed.workloads, len(observed.uses)) == (3, 3)
    assert observed.failures == []


def test_one_namespace_is_one_list_for_each_kind_of_it(api: StoredCluster) -> None:
    observed = see(api, "shop")
    assert plurals_asked(api) == sorted(PLURALS)
    assert all("/namespaces/shop/" in path for path in api.paths)
    assert sorted(observed.streams) == [("shop", "web")]
    assert {use.workload.namespace for use in observed.uses} == {"shop"}


def test_only_the_kinds_that_were_asked_for(api: StoredCluster) -> None:
    observe(api, ("shop",), [kind for kind in WORKLOAD_KINDS if kind.kind == "Pod"], WIDTH)
    assert plurals_asked(api) == ["imagestreams", "pods"]


def test_pages_and_finished_pods_are_left_to_the_server(api: StoredCluster) -> None:
    see(api, "shop")
    queries = {request.path: request.query for request in api.sent}
    assert queries["/api/v1/namespaces/shop/pods"] == {
        "limit": "500",
        "fieldSelector": "status.phase!=Succeeded,status.phase!=Failed",
    }
    assert queries["/apis/apps/v1/namespaces/shop/deployments"] == {"limit": "500"}


def test_kinds_that_are_not_served_are_no_failure(api: StoredCluster) -> None:
    observed = see(api, "billing", "shop")
    assert sorted(observed.not_served) == ["buildconfigs", "builds", "deploymentconfigs"]
    assert observed.failures == []


# ---- what cannot be read


def test_a_refused_kind_does_not_hide_the_rest(api: StoredCluster) -> None:
    api.forbidden.add("deployments in shop")
    observed = see(api, "billing", "shop")
    assert [(failure.namespace, failure.resource) for failure in observed.failures] == [("shop", "deployments")]
    assert {(use.workload.namespace, use.workload.kind) for use in observed.uses} == {
        ("billing", "Deployment"),
        ("shop", "Pod"),
    }


def test_a_refused_namespace_does_not_hide_the_others(api: StoredCluster) -> None:
    for plural in PLURALS - NOT_SERVED:
        api.forbidden.add(f"{plural} in billing")
    observed = see(api, "billing", "shop")
    assert {failure.namespace for failure in observed.failures} == {"billing"}
    assert {failure.resource for failure in observed.failures} == PLURALS - NOT_SERVED
    assert observed.anything
    assert sorted(observed.streams) == [("shop", "web")]


def test_a_kind_that_is_refused_over_all_namespaces(api: StoredCluster) -> None:
    api.forbidden.add("pods in *")
    observed = see(api)
    assert [(failure.namespace, failure.resource) for failure in observed.failures] == [("*", "pods")]
    assert observed.workloads == 2


def test_a_namespace_that_does_not_exist_is_a_failure(api: StoredCluster) -> None:
    observed = see(api, "shop", "shpo")
    (failure,) = observed.failures
    assert (failure.namespace, failure.resource) == ("shpo", "namespaces")
    assert 'namespaces "shpo" not found' in str(failure.error)


def test_an_empty_namespace_is_none(api: StoredCluster) -> None:
    api.namespaces.add("empty")
    assert see(api, "empty").failures == []
    assert api.paths.count("/api/v1/namespaces/empty") == 1


def test_one_who_may_not_read_namespaces_is_believed(api: StoredCluster) -> None:
    api.forbidden.add("namespaces")
    assert see(api, "unknown").failures == []


@pytest.mark.parametrize(
    "error", [ApiUnreachable("the cluster is not there"), Unauthorized("the token is wrong", status=401)]
)
def test_what_stands_for_every_request_ends_the_run(api: StoredCluster, error: CollectionError) -> None:
    api.errors["pods"] = error
    with pytest.raises(type(error)):
        see(api, "billing", "shop")


def test_a_cluster_without_the_image_api_ends_the_run(api: StoredCluster) -> None:
    api.errors["imagestreams"] = ApiNotServed("this is plain Kubernetes", status=404)
    for namespaces in ((), ("shop",)):
        with pytest.raises(ApiNotServed, match="plain Kubernetes"):
            see(api, *namespaces)


# ---- those who may not list over all namespaces


def test_without_rights_over_all_namespaces_it_is_the_projects(api: StoredCluster) -> None:
    api.put_in("projects", "", "shop")
    api.forbidden.add("imagestreams in *")
    observed = see(api)
    assert observed.namespaces == ("shop",)
    assert sorted(observed.streams) == [("shop", "web")]
    assert observed.failures == []


def test_without_projects_either_it_is_the_refusal(api: StoredCluster) -> None:
    api.forbidden.add("imagestreams in *")
    with pytest.raises(Forbidden, match="imagestreams"):
        see(api)


def test_without_any_project_nothing_is_read(api: StoredCluster) -> None:
    api.serve("projects")
    api.forbidden.add("imagestreams in *")
    assert see(api).namespaces == ()
    assert len(api.sent) == 2


# ---- streams of other namespaces


def test_streams_that_are_pulled_from_are_read_one_by_one(api: StoredCluster) -> None:
    spec = templated(
        f"{REGISTRY}/billing/web@{child('billing')}",
        f"{REGISTRY}/nowhere/web@{child('x')}",
        f"other.example.com/billing/api@{child('x')}",
    )
    api.add("deployments", workload("shop", "other", spec=spec))
    observed = see(api, "shop")
    sent = len(api.sent)
    observe_referenced_streams(api, observed, {REGISTRY}, WIDTH)
    assert sorted(observed.streams) == [("billing", "web"), ("shop", "web")]
    assert sorted(api.paths[sent:]) == [
        "/apis/image.openshift.io/v1/namespaces/billing/imagestreams/web",
        "/apis/image.openshift.io/v1/namespaces/nowhere/imagestreams/web",
    ]
    assert observed.failures == []


def test_a_stream_that_may_not_be_read_is_a_failure_of_its_namespace(api: StoredCluster) -> None:
    api.add("deployments", workload("shop", "other", spec=templated(f"{REGISTRY}/billing/web@{child('billing')}")))
    observed = see(api, "shop")
    api.forbidden.add("imagestreams in billing")
    observe_referenced_streams(api, observed, {REGISTRY}, WIDTH)
    assert [(failure.namespace, failure.resource) for failure in observed.failures] == [("billing", "imagestreams")]


def test_with_the_whole_cluster_no_stream_is_read_again(api: StoredCluster) -> None:
    api.add("deployments", workload("shop", "other", spec=templated(f"{REGISTRY}/nowhere/web@{child('x')}")))
    observed = see(api)
    sent = len(api.sent)
    observe_referenced_streams(api, observed, {REGISTRY}, WIDTH)
    assert len(api.sent) == sent


# ---- children and platforms


def test_children_are_read_of_streams_with_a_history(api: StoredCluster) -> None:
    api.add("imagestreams", stream("shop", "empty"), stream("shop", "single", tag("v1", digest("single"))))
    observed = see(api, "shop")
    sent = len(api.sent)
    observe_children(api, observed, WIDTH)
    assert {path.rpartition("/imagestreams/")[2] for path in api.paths[sent:]} == {"web/layers", "single/layers"}
    assert observed.streams["shop", "web"].children == {digest("shop"): (child("shop"), child("shop", "arm64"))}
    assert observed.streams["shop", "single"].children == {}
    assert observed.streams["shop", "empty"].children is None


def test_without_any_digest_no_stream_is_asked_for_children() -> None:
    api = prune_cluster()
    api.add("imagestreams", stream("shop", "web", tag("v1", add_list(api, "shop"))))
    api.add("deployments", workload("shop", "web", spec=templated(f"{REGISTRY}/shop/web:v1")))
    observed = see(api, "shop")
    sent = len(api.sent)
    observe_children(api, observed, WIDTH)
    assert len(api.sent) == sent


def test_a_stream_that_was_deleted_in_between_has_no_children(api: StoredCluster) -> None:
    observed = see(api, "billing", "shop")
    del api.objects["imagestreams", "billing", "web"]
    observe_children(api, observed, WIDTH)
    assert observed.streams["billing", "web"].children is None
    assert observed.streams["shop", "web"].children
    assert observed.failures == []


def test_layers_that_may_not_be_read_are_a_failure(api: StoredCluster) -> None:
    api.forbidden.add("imagestreams/layers in billing")
    observed = see(api, "billing", "shop")
    observe_children(api, observed, WIDTH)
    assert [(failure.namespace, failure.resource) for failure in observed.failures] == [
        ("billing", "imagestreams/layers")
    ]
    assert observed.streams["shop", "web"].children


def test_platforms_are_read_once_for_each_list(api: StoredCluster) -> None:
    lists = [
        (("shop", "web"), digest("shop")),
        (("shop", "copy"), digest("shop")),
        (("billing", "web"), digest("billing")),
    ]
    assert read_platforms(api, lists, WIDTH) == {
        child("billing"): "linux/amd64",
        child("billing", "arm64"): "linux/arm64",
        child("shop"): "linux/amd64",
        child("shop", "arm64"): "linux/arm64",
    }
    assert len(api.sent) == 2


def test_platforms_that_may_not_be_read_are_unknown(api: StoredCluster) -> None:
    api.forbidden.add("imagestreamimages in shop")
    lists = [(("shop", "web"), digest("shop")), (("billing", "web"), digest("billing"))]
    assert set(read_platforms(api, lists, WIDTH)) == {child("billing"), child("billing", "arm64")}

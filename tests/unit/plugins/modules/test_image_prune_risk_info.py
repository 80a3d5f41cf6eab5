# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import target_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.modules import image_prune_risk_info
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import StoredCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import (
    REGISTRY,
    add_list,
    child,
    digest,
    prune_cluster,
    stream,
    tag,
    templated,
    workload,
)

MANIFEST = Path(__file__).parents[4] / "docs" / "rbac" / "image_prune_risk_info.yml"
LISTS = ("five", "four", "three", "two", "one")
WEB = f"{REGISTRY}/shop/web"


@pytest.fixture
def widths() -> list[int]:
    """Return the sizes of the connection pools that the module asks for."""
    return []


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, widths: list[int]) -> StoredCluster:
    """Return a stream with five lists, an image that moved out of it, and Deployments in two namespaces."""
    api = prune_cluster()

    def client(_context: ModuleContext, pool_size: int = 0) -> StoredCluster:
        widths.append(pool_size)
        return api

    monkeypatch.setattr(ModuleContext, "client", client)
    api.add("imagestreams", stream("shop", "web", tag("v1", *(add_list(api, name) for name in LISTS))))
    api.add("deployments", workload("shop", "old", spec=templated(f"{WEB}@{child('one', 'arm64')}")))
    api.add("deployments", workload("shop", "new", spec=templated(f"{WEB}@{child('five')}")))
    api.add("deployments", workload("billing", "web", spec=templated(f"{WEB}@{child('two')}")))
    return api


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any], warned: list[str]) -> t.Callable[..., t.Any]:
    def run_it(*, check_mode: bool = False, **options: t.Any) -> t.Any:
        return run_module_main(image_prune_risk_info.main, options, check_mode=check_mode, diff=True)

    return run_it


def found(outcome: t.Any) -> list[tuple[str, str, str, str]]:
    assert outcome.code == 0, outcome.text
    return [
        (risk["namespace"], risk["workload"]["name"], risk["level"], risk["platform"])
        for risk in outcome.result["risks"]
    ]


def test_the_whole_cluster(api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]) -> None:
    outcome = run()
    assert found(outcome) == [
        ("billing", "web", "prunable", "linux/amd64"),
        ("shop", "old", "prunable", "linux/arm64"),
        ("shop", "new", "revisions", "linux/amd64"),
    ]
    assert outcome.result["changed"] is False
    assert outcome.diff == {}
    assert outcome.result["summary"]["namespaces"] == 2
    assert outcome.result["not_served"] == ["buildconfigs", "builds", "deploymentconfigs"]
    assert warned == []


def test_the_number_of_requests(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    run()
    # streams and eleven kinds, the children of one stream, the platforms of three lists
    assert len(api.sent) == 12 + 1 + 3


def test_the_rights_needed_are_those_of_the_manifest(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.namespaces.add("empty")
    run(namespaces=["billing", "empty"])
    targets = [target_of("GET", path) for path in api.paths]
    (role, _protecting) = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["items"]
    assert {(target.group, target.plural, target.verb) for target in targets} == {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_check_mode_reads_the_same(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    assert run(check_mode=True).result["risks"] == run().result["risks"]


def test_a_stream_of_another_namespace_is_found(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(namespace="billing")
    assert found(outcome) == [("billing", "web", "prunable", "linux/amd64")]
    assert outcome.result["protection"][0]["namespace"] == "shop"


def test_several_namespaces_and_only_what_is_at_risk(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(namespaces=["shop", "billing", "shop"], results="at_risk")
    assert [risk[1] for risk in found(outcome)] == ["web", "old"]
    assert outcome.result["summary"]["levels"]["revisions"] == 1
    assert sum(path.endswith("/namespaces/shop/pods") for path in api.paths) == 1


def test_only_some_kinds(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    api.add("daemonsets", workload("shop", "agent", spec=templated(f"{WEB}@{child('one')}")))
    assert [risk[1] for risk in found(run(kinds=["DaemonSet", "Pod"]))] == ["agent"]


def test_the_pruners_options(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    assert {risk[2] for risk in found(run(keep_tag_revisions=0))} == {"prunable"}
    assert {risk[2] for risk in found(run(keep_tag_revisions=5))} == {"revisions"}
    assert {risk[2] for risk in found(run(keep_tag_revisions=0, keep_younger_than_minutes=10_000_000))} == {"young"}


def test_further_names_of_the_registry(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    # the stream imports from a place of the same path, so that only the option can tell
    source = "mirror.example.com/shop/web:v1"
    api.add("imagestreams", stream("shop", "web", tag("v1", *map(digest, LISTS), source=source)))
    del api.objects["deployments", "shop", "new"]
    api.add("deployments", workload("shop", "old", spec=templated(f"mirror.example.com/shop/web@{child('one')}")))
    assert [risk[2] for risk in found(run(namespace="shop"))] == ["elsewhere"]
    assert [risk[2] for risk in found(run(namespace="shop", registry_hosts=["mirror.example.com"]))] == ["prunable"]


def test_hosts_that_streams_tell_are_the_clusters(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    public = "registry.apps.example.com"
    history = tag("v1", *map(digest, LISTS), source=f"{public}/shop/web:v1")
    api.add("imagestreams", stream("shop", "web", history, public=public))
    del api.objects["deployments", "shop", "new"]
    api.add("deployments", workload("shop", "old", spec=templated(f"{public}/shop/web@{child('one')}")))
    assert [risk[2] for risk in found(run(namespace="shop"))] == ["prunable"]


def test_concurrency_is_the_size_of_the_pool(
    api: StoredCluster, run: t.Callable[..., t.Any], widths: list[int]
) -> None:
    run(concurrency=3)
    assert widths == [3]


def test_a_namespace_that_cannot_be_read_is_a_warning(
    api: StoredCluster, run: t.Callable[..., t.Any], warned: list[str]
) -> None:
    api.forbidden.add("deployments in shop")
    outcome = run(namespaces=["billing", "shop"])
    assert found(outcome) == [("billing", "web", "prunable", "linux/amd64")]
    assert outcome.result["failed_namespaces"] == [
        {
            "namespace": "shop",
            "resources": ["deployments"],
            "error": "The API server refused it: deployments is forbidden.",
            "status": 403,
        }
    ]
    assert warned == [
        (
            "Not everything could be read, so there may be risks that are not reported: shop (deployments): The API "
            "server refused it: deployments is forbidden."
        )
    ]


def test_nothing_that_can_be_read_is_an_error(api: StoredCluster, run: t.Callable[..., t.Any]) -> None:
    for plural in ("imagestreams", "deployments"):
        api.forbidden.add(plural)
    outcome = run(namespace="shop", kinds=["Deployment"])
    assert outcome.failed
    assert (
        "shop (deployments, imagestreams): The API server refused it: imagestreams is forbidden."
        in outcome.result["msg"]
    )
    assert outcome.result["risks"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency is 0: give a number from 1"),
        ({"keep_tag_revisions": -1}, "keep_tag_revisions is -1: give a number from 0"),
        ({"keep_younger_than_minutes": -5}, "keep_younger_than_minutes is -5: give a number from 0"),
        ({"namespaces": []}, "namespaces: the list is empty; give at least one namespace"),
        ({"namespace": "Shop"}, '"Shop" is not a namespace name'),
        ({"namespace": "shop", "namespaces": ["shop"]}, "mutually exclusive"),
        ({"kinds": ["Route"]}, "value of kinds must be one or more of"),
    ],
)
def test_bad_input_ends_before_the_first_request(
    api: StoredCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], message: str
) -> None:
    outcome = run(**options)
    assert outcome.failed
    assert message in outcome.result["msg"]
    assert api.sent == []

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import target_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.paths import (
    api_path,
    core_path,
    image_path,
    segment,
)


@pytest.mark.parametrize(
    ("name", "encoded"),
    [("web", "web"), ("web:v1.0", "web:v1.0"), ("a/b", "a%2Fb"), ("a?b#c%", "a%3Fb%23c%25"), ("ä b", "%C3%A4%20b")],
)
def test_segment(name: str, encoded: str) -> None:
    assert segment(name) == encoded


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_segment_cannot_lead_elsewhere(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a path segment"):
        segment(name)


def test_paths() -> None:
    assert core_path("shop", "secrets") == "/api/v1/namespaces/shop/secrets"
    assert core_path("shop", "secrets", "pull") == "/api/v1/namespaces/shop/secrets/pull"
    assert image_path("shop", "imagestreams") == "/apis/image.openshift.io/v1/namespaces/shop/imagestreams"
    assert (
        image_path("shop", "imagestreamtags", "web:1")
        == "/apis/image.openshift.io/v1/namespaces/shop/imagestreamtags/web:1"
    )
    with pytest.raises(ValueError, match="cannot be a path segment"):
        core_path("shop", "secrets", "")


@pytest.mark.parametrize(
    ("arguments", "path", "described"),
    [
        (
            ("apps/v1", "shop", "deployments"),
            "/apis/apps/v1/namespaces/shop/deployments",
            'list deployments in namespace "shop"',
        ),
        (
            ("batch/v1", "shop", "cronjobs", "nightly"),
            "/apis/batch/v1/namespaces/shop/cronjobs/nightly",
            'read cron job "nightly" in namespace "shop"',
        ),
        (("v1", "shop", "pods"), "/api/v1/namespaces/shop/pods", 'list pods in namespace "shop"'),
        (("v1", None, "pods"), "/api/v1/pods", "list pods"),
        (
            ("apps.openshift.io/v1", None, "deploymentconfigs"),
            "/apis/apps.openshift.io/v1/deploymentconfigs",
            "list deployment configs",
        ),
        (("v1", None, "namespaces", "shop"), "/api/v1/namespaces/shop", 'read namespace "shop"'),
    ],
)
def test_paths_of_any_group(arguments: tuple[str, ...], path: str, described: str) -> None:
    assert api_path(*arguments) == path
    assert target_of("GET", path).described() == described


def test_a_name_of_any_group_cannot_lead_elsewhere() -> None:
    with pytest.raises(ValueError, match="cannot be a path segment"):
        api_path("v1", None, "namespaces", "..")


@pytest.mark.parametrize(
    ("method", "path", "described", "verb", "resource"),
    [
        ("GET", "/api/v1/namespaces/shop/secrets/pull", 'read secret "pull" in namespace "shop"', "get", "secrets"),
        ("GET", "/api/v1/namespaces/shop/secrets", 'list secrets in namespace "shop"', "list", "secrets"),
        ("GET", "/api/v1/secrets?limit=1", "list secrets", "list", "secrets"),
        ("GET", "/api/v1/namespaces/shop", 'read namespace "shop"', "get", "namespaces"),
        (
            "DELETE",
            "/api/v1/namespaces/shop/serviceaccounts/web",
            'delete service account "web" in namespace "shop"',
            "delete",
            "serviceaccounts",
        ),
        (
            "POST",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreamimports",
            'create an image stream import in namespace "shop"',
            "create",
            "imagestreamimports.image.openshift.io",
        ),
        (
            "PATCH",
            "/apis/image.openshift.io/v1/namespaces/shop/imagestreams/web",
            'change image stream "web" in namespace "shop"',
            "patch",
            "imagestreams.image.openshift.io",
        ),
        (
            "PUT",
            "/apis/samples.operator.openshift.io/v1/configs/cluster",
            'update configuration "cluster"',
            "update",
            "configs.samples.operator.openshift.io",
        ),
        (
            "GET",
            "/apis/apps/v1/namespaces/shop/deployments/web/scale",
            'read deployments/scale "web" in namespace "shop"',
            "get",
            "deployments/scale.apps",
        ),
    ],
)
def test_what_a_request_is_about(method: str, path: str, described: str, verb: str, resource: str) -> None:
    target = target_of(method, path)
    assert (target.described(), target.verb, target.resource) == (described, verb, resource)


def test_a_path_of_another_shape_is_described_by_itself() -> None:
    assert target_of("GET", "/version").described() == 'read "/version"'

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.facts import (
    NamespaceMissing,
    require_namespace,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import Forbidden
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.observed import (
    ObservedSecret,
    observe_registry_secrets,
    observe_secret,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import StoredCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import (
    auths,
    b64,
    content_of,
    entry,
)


@pytest.fixture
def api() -> StoredCluster:
    return StoredCluster("shop")


def test_a_secret_as_the_cluster_has_it(api: StoredCluster) -> None:
    masked: list[str] = []
    api.put_in(
        "secrets",
        "shop",
        "pull",
        **auths({"h.example": entry()}),
        immutable=True,
        metadata={"labels": {"a": "b"}, "annotations": {"c": "d"}},
    )
    observed = observe_secret(api, "shop", "pull", lambda *values: masked.extend(values))
    assert observed is not None
    assert observed.document is not None
    assert (observed.secret_type, observed.labels, observed.annotations, observed.is_immutable) == (
        "kubernetes.io/dockerconfigjson",
        {"a": "b"},
        {"c": "d"},
        True,
    )
    assert observed.document.auths == {"h.example": entry()}
    assert {"s3cret", b64("puller:s3cret")} <= set(masked)
    assert "data" not in repr(observed)


def test_a_secret_that_is_not_there(api: StoredCluster) -> None:
    assert observe_secret(api, "shop", "pull", lambda *_values: None) is None
    assert observe_secret(api, "nowhere", "pull", lambda *_values: None) is None


def test_who_may_not_read_it_gets_the_error(api: StoredCluster) -> None:
    api.forbidden.add("get secrets")
    with pytest.raises(Forbidden):
        observe_secret(api, "shop", "pull", lambda *_values: None)


def test_a_secret_of_another_purpose_has_no_document() -> None:
    observed = ObservedSecret({"metadata": {"name": "x"}})
    assert (observed.secret_type, observed.registry_secret, observed.document, observed.is_immutable) == (
        "Opaque",
        None,
        None,
        False,
    )


def test_the_registry_secrets_of_a_namespace(api: StoredCluster) -> None:
    api.put_in("secrets", "shop", "b", **auths({"h.example": entry()}))
    api.put_in("secrets", "shop", "a", **content_of({"h.example": entry("x", "0ld")}, "kubernetes.io/dockercfg"))
    api.put_in("secrets", "shop", "c", **content_of({"auths": {}}, "Opaque"))
    masked: list[str] = []
    found = observe_registry_secrets(api, "shop", lambda *values: masked.extend(values))
    assert found is not None
    assert [secret.name for secret in found] == ["a", "b"]
    assert {"s3cret", "0ld"} <= set(masked)
    api.forbidden.add("list secrets")
    assert observe_registry_secrets(api, "shop", lambda *_values: None) is None


def test_a_namespace_that_is_not_there(api: StoredCluster) -> None:
    require_namespace(api, "shop", "nothing works")
    with pytest.raises(NamespaceMissing) as caught:
        require_namespace(api, "nowhere", "nothing works")
    assert str(caught.value) == 'The namespace "nowhere" does not exist, so nothing works; create the namespace first'
    api.forbidden.add("get namespaces")
    require_namespace(api, "nowhere", "nothing works")

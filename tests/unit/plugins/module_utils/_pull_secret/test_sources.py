# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import (
    DesiredRegistry,
    DesiredSecret,
    SecretSource,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.sources import (
    SourceUnusable,
    take_from_secrets,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import StoredCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, content_of, entry

SOURCE = SecretSource("vault", "fresh")


@pytest.fixture
def api() -> StoredCluster:
    return StoredCluster("shop", "vault")


def take(
    api: StoredCluster, *registries: DesiredRegistry, mask: t.Callable[..., None] = lambda *_values: None
) -> DesiredSecret:
    return take_from_secrets(api, DesiredSecret("pull", registries=registries), mask)


def wanted(registry: str = "h.example", email: str = "") -> DesiredRegistry:
    return DesiredRegistry(registry, Login(email=email), source=SOURCE)


def test_each_secret_is_read_once_and_its_credentials_are_taken_by_meaning(api: StoredCluster) -> None:
    entries = {
        "https://h.example/v1/": entry("u", "p", email="old@h"),
        "i.example": {"username": "i", "password": "q"},
        "t.example": {"identitytoken": "t"},
    }
    api.put_in("secrets", "vault", "fresh", **content_of(entries, "kubernetes.io/dockercfg"))
    masked: list[str] = []
    own = DesiredRegistry("own.example", Login("o", "w"))
    desired = take(
        api,
        own,
        wanted(),
        wanted("i.example", "new@i"),
        wanted("t.example"),
        mask=lambda *values: masked.extend(values),
    )
    assert desired.registries == (
        own,
        DesiredRegistry("h.example", Login("u", "p", "old@h")),
        DesiredRegistry("i.example", Login("i", "q", "new@i")),
        DesiredRegistry("t.example", Login(identity_token="t")),
    )
    assert [str(sent) for sent in api.sent] == ["GET vault/secrets/fresh"]
    assert {"p", "q", "t"} <= set(masked)
    assert not desired.takes_from_secrets


def test_without_a_source_nothing_is_read(api: StoredCluster) -> None:
    take(api, DesiredRegistry("own.example", Login("o", "w")))
    assert api.sent == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist; create it first, or check the names"),
        (
            {"type": "kubernetes.io/tls", "data": {}},
            "is of the type kubernetes.io/tls and holds no registry credentials",
        ),
        (content_of("{"), 'cannot be used: its ".dockerconfigjson" cannot be read: it is not JSON (line 1, column 2)'),
        (
            auths({"other.example": entry(), "https://u:s3cret@x": {}}),
            'has no entry for "h.example"; it has "other.example", "https://********@x"',
        ),
        (auths({}), 'has no entry for "h.example"; it has none at all'),
    ],
)
def test_a_source_that_does_not_give_the_credential(
    api: StoredCluster, content: dict[str, t.Any] | None, words: str
) -> None:
    if content is not None:
        api.put_in("secrets", "vault", "fresh", **content)
    with pytest.raises(SourceUnusable) as caught:
        take(api, wanted())
    assert str(caught.value) == f'from_secret: the secret "fresh" in the namespace "vault" {words}'


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"auth": "%"}, "cannot be used: its auth is not base64 of user:password"),
        ({}, "has no credential"),
        (None, "has no credential"),
    ],
)
def test_an_entry_that_gives_no_credential(api: StoredCluster, raw: t.Any, words: str) -> None:
    api.put_in("secrets", "vault", "fresh", **auths({"h.example": raw}))
    with pytest.raises(SourceUnusable) as caught:
        take(api, wanted())
    assert (
        str(caught.value)
        == f'from_secret: the entry for "h.example" of the secret "fresh" in the namespace "vault" {words}'
    )


def test_who_may_not_read_the_source_is_told_so_with_the_words_of_the_server(api: StoredCluster) -> None:
    api.forbidden = {"get secrets"}
    with pytest.raises(SourceUnusable) as caught:
        take(api, wanted())
    assert caught.value.message.startswith('from_secret: the secret "fresh" in the namespace "vault" cannot be read: ')
    assert "forbidden" in caught.value.message
    assert caught.value.reason

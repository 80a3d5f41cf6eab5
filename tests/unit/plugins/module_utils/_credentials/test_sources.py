# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which login a registry is asked with."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import Forbidden, InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.sources import (
    CredentialUnusable,
    NamespaceCredentials,
    OptionCredentials,
    RegistrySettings,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    SECRETS,
    forbidden,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, b64, named

IMAGE = "h.example:5000/team/web:v1"


def options(*registries: dict[str, t.Any], **rest: t.Any) -> OptionCredentials:
    return OptionCredentials({"registries": list(registries), **rest})


def entry(registry: str, username: str = "puller", password: str = "s3cret", **rest: t.Any) -> dict[str, t.Any]:
    return {"registry": registry, "username": username, "password": password, **rest}


def secret(name: str, entries: dict[str, t.Any], **rest: t.Any) -> dict[str, t.Any]:
    return {**named(name, auths(entries)), **rest}


def auth(username: str, password: str) -> dict[str, str]:
    return {"auth": b64(f"{username}:{password}")}


class TestOptions:
    def test_the_longest_key_decides(self) -> None:
        found = options(entry("h.example:5000", "short"), entry("h.example:5000/team", "long")).find(IMAGE)

        assert found is not None
        assert found.login == Login("long", "s3cret")
        assert found.as_dict() == {"source": "the option registries", "key": "h.example:5000/team", "username": "long"}
        assert "s3cret" not in repr(found)

    @pytest.mark.parametrize("key", ["h.example", "h.example:443", "*.example", "h.example:5000/other", "example:5000"])
    def test_a_key_that_does_not_match(self, key: str) -> None:
        assert options(entry(key)).find(IMAGE) is None

    def test_registries_come_before_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "auth.json"
        file.write_text(
            json.dumps(
                {
                    "auths": {
                        "https://h.example:5000/v1/": auth("file", "f"),
                        "h.example:5000/team/web": auth("deep", "d"),
                    }
                }
            )
        )

        both = options(entry("h.example:5000"), auth_file=str(file))

        assert both.find("h.example:5000/x:v1").login.username == "puller"  # type: ignore[union-attr]
        found = both.find(IMAGE)
        assert found is not None
        assert found.as_dict() == {
            "source": "the option auth_file",
            "key": "h.example:5000/team/web",
            "username": "deep",
        }

    def test_every_kind_of_login(self) -> None:
        by_kind = options(
            {"registry": "a.example", "auth": b64("u:p")},
            {"registry": "b.example", "identity_token": "refresh"},
            {"registry": "c.example"},
            auth_content={"auths": {"d.example": {"identitytoken": "t"}, "e.example": {}}},
        )

        logins = {host: found.login if (found := by_kind.find(f"{host}.example/x")) else None for host in "abcdef"}
        assert logins == {
            "a": Login("u", "p"),
            "b": Login(identity_token="refresh"),
            "c": None,
            "d": Login(identity_token="t"),
            "e": Login(),
            "f": None,
        }
        assert {"p", "refresh", "t", b64("u:p")} <= set(by_kind.secrets())

    def test_an_entry_of_the_file_that_is_malformed_harms_its_own_images_only(self) -> None:
        some = options(auth_content={"auths": {"h.example:5000": {"auth": "%%"}, "good.example": auth("u", "p")}})

        with pytest.raises(CredentialUnusable) as caught:
            some.find(IMAGE)
        assert (
            str(caught.value)
            == 'The entry of "h.example:5000" in the option auth_content cannot be used: its auth is not base64 of '
            "user:password"
        )
        assert some.find("good.example/x").login == Login("u", "p")  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (
                entry("https://"),
                (
                    'registries: "https://" is not a registry that an image could name; write host[:port][/path] as '
                    "images do"
                ),
            ),
            (
                {"registry": "h.example", "auth": "%%"},
                (
                    'registries: "h.example" cannot be used: its auth is not base64 of user:password; '
                    "it would break every image import of the namespace"
                ),
            ),
            (
                entry("h.example", "u", ""),
                (
                    'registries: "h.example": the password is empty; '
                    "the cluster would ask that registry anonymously and try no other secret for it"
                ),
            ),
            (
                entry("h.example", "u:v"),
                (
                    'registries: "h.example": the user name "u:v" has a colon in it, '
                    "which a registry would take for the end of the name"
                ),
            ),
        ],
    )
    def test_what_cannot_be_meant(self, given: dict[str, t.Any], words: str) -> None:
        with pytest.raises(InputError) as caught:
            options(given)
        assert str(caught.value) == words

    def test_a_registry_that_is_listed_twice(self) -> None:
        with pytest.raises(InputError, match=r'registries: "h\.example" is listed twice'):
            options(entry("h.example"), entry("h.example"))

    def test_how_a_registry_is_reached(self) -> None:
        some = options(
            {"registry": "h.example:5000", "insecure": True}, {"registry": "h.example:5000/team", "ca_cert": "/ca"}
        )

        assert some.settings_for("h.example:5000/x") == RegistrySettings("h.example:5000", True, None)
        assert some.settings_for(IMAGE) == RegistrySettings("h.example:5000/team", None, "/ca")
        assert some.settings_for("other.example/x") is None


class TestNamespaces:
    @pytest.fixture
    def masked(self) -> list[str]:
        return []

    @pytest.fixture
    def cluster(self) -> ScriptedCluster:
        return ScriptedCluster()

    @pytest.fixture
    def credentials(self, cluster: ScriptedCluster, masked: list[str]) -> NamespaceCredentials:
        return NamespaceCredentials(cluster.client, lambda *values: masked.extend(values))

    def test_the_clusters_choice(
        self, cluster: ScriptedCluster, credentials: NamespaceCredentials, masked: list[str]
    ) -> None:
        excluded = secret("a", {"h.example:5000/team": auth("no", "no")})
        excluded["metadata"]["annotations"] = {"openshift.io/image.excludeSecret": "true"}
        unread = secret("b", {"h.example:5000/team": auth("no", "no")}, type="Opaque")
        secrets = [
            secret("z", {"h.example:5000": auth("z", "zz")}),
            secret("y", {"h.example:5000": auth("y", "yy")}),
            excluded,
            unread,
        ]
        cluster.on("GET", SECRETS, {"items": secrets})
        shop = credentials.of("shop")

        found = shop.find(IMAGE)

        assert found is not None
        assert (found.login, found.source, found.key) == (Login("y", "yy"), 'the secret "y"', "h.example:5000")
        assert shop.find("other.example/x") is None
        assert {"yy", "zz", b64("y:yy")} <= set(masked)
        assert len(cluster.sent) == 1

    def test_an_empty_entry_hides_others(self, cluster: ScriptedCluster, credentials: NamespaceCredentials) -> None:
        cluster.on(
            "GET",
            SECRETS,
            {"items": [secret("a", {"h.example:5000/team": {}}), secret("b", {"h.example:5000": auth("u", "p")})]},
        )

        assert credentials.of("shop").find(IMAGE).login.is_empty  # type: ignore[union-attr]

    def test_a_secret_that_breaks_every_import(
        self, cluster: ScriptedCluster, credentials: NamespaceCredentials
    ) -> None:
        cluster.on(
            "GET",
            SECRETS,
            {
                "items": [
                    secret("bad", {"x.example": {"auth": "%%"}}),
                    secret("good", {"h.example:5000": auth("u", "p")}),
                ]
            },
        )

        for _turn in range(2):
            with pytest.raises(CredentialUnusable) as caught:
                credentials.of("shop").find(IMAGE)
            assert str(caught.value).startswith(
                'Every import of the namespace "shop" fails because of the secret "bad": its entry for "x.example"'
            )
        assert len(cluster.sent) == 1

    def test_without_the_right_to_read_them(self, cluster: ScriptedCluster, credentials: NamespaceCredentials) -> None:
        cluster.on("GET", SECRETS, forbidden("GET", SECRETS))

        for _turn in range(2):
            with pytest.raises(Forbidden):
                credentials.of("shop").find(IMAGE)
        assert len(cluster.sent) == 1

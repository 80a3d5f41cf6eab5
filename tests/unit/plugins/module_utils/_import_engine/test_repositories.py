# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole repositories: whose tag list is taken, what it costs, and what happens if the registry cannot be read
from here."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiUnreachable,
    CollectionError,
    RegistryError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.sources import (
    NamespaceCredentials,
    OptionCredentials,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.repositories import (
    PATIENCE,
    RegistryTagReader,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.result import StreamResult
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.tag_reader import TagReader
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.repository import RegistryReader
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.session import Patience
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import Request, ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    Reply,
    ScriptedServer,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    SECRETS,
    STREAMS,
    TAGS,
    WEB_V2,
    forbidden,
    recorded,
    recorded_error,
    recorded_stream,
    refusal,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, b64, entry, named

WEB = f"{PRIVATE}/team/web"
NO_STREAM = ("lookup_without_import", 4)
MANY = [f"v1.{number}" for number in range(65)] + ["latest", "nightly"]


class Listed:
    """Lists what it is told to; an error is raised."""

    def __init__(self, answer: list[str] | CollectionError) -> None:
        self._answer = answer
        self.asked: list[tuple[str, str, bool]] = []

    def tags(self, namespace: str, source: PullSpec, *, insecure: bool) -> list[str]:
        self.asked.append((namespace, str(source), insecure))
        if isinstance(self._answer, CollectionError):
            raise self._answer
        return self._answer


def converge(
    cluster: ScriptedCluster, reader: TagReader | None, *, check_mode: bool = False, **options: t.Any
) -> StreamResult:
    desired = desired_streams(
        {"namespace": NAMESPACE, "name": "web", "repository": WEB, "import_mode": "PreserveOriginal", **options}
    )
    (result,) = converge_streams(
        cluster.client, desired, check_mode=check_mode, concurrency=1, timeout=60, tag_reader=reader
    )
    cluster.assert_all_asked()
    return result


def listing() -> dict[str, t.Any]:
    """Return the server's own answer, recorded."""
    answer: dict[str, t.Any] = recorded("repository_import", 1)
    answer["status"].pop("import")
    return answer


def looked_up(request: Request) -> dict[str, t.Any]:
    image = {"metadata": {"name": WEB_V2}, "dockerImageReference": f"{WEB}@{WEB_V2}"}
    answers = [{"status": {"status": "Success"}, "image": image} for _entry in request.images]
    return {"spec": request.body["spec"], "status": {"images": answers}}


def test_a_list_that_names_what_is_no_tag_is_not_believed() -> None:
    """Neither is anything imported, nor removed, and no line of ours is forged."""
    answer = listing()
    answer["status"]["repository"]["additionalTags"] = ["v2", "odd\x1b[2J\nPLAY RECAP"]
    cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
    cluster.on("POST", IMPORTS, answer)

    result = converge(cluster, None, purge_tags=True)

    assert (cluster.writes, result.after) == ([], result.before)
    assert str(result.error) == (
        f'the tags of {WEB} could not be listed: the list names "odd\\u001b[2J\\nPLAY RECAP", which is no tag'
    )


class TestTheRegistrysList:
    def test_only_what_is_chosen_is_looked_at(self) -> None:
        reader = Listed(MANY)
        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, looked_up)
        )
        result = converge(cluster, reader, check_mode=True, tag_patterns=["v1.6[0-2]"])

        assert reader.asked == [(NAMESPACE, WEB, False)]
        assert [image["from"]["name"] for request in cluster.lookups for image in request.images] == [
            f"{WEB}:v1.{number}" for number in (60, 61, 62)
        ]
        assert (sorted(result.after.tags), result.tags_from, result.tags_from_reason) == (
            ["v1.60", "v1.61", "v1.62"],
            "registry",
            "",
        )

    def test_all_tags_beyond_the_servers_limit(self) -> None:
        requests = -(-len(MANY) // 3)
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, *[looked_up] * requests)
        )
        result = converge(cluster, Listed(MANY), check_mode=True)

        assert sorted(result.after.tags) == sorted(MANY)
        assert {len(request.images) for request in cluster.lookups} == {3, len(MANY) % 3}

    def test_a_second_run_that_asks_for_what_is_missing_costs_no_lookup(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
        result = converge(cluster, Listed(["latest", "v1", "v2", "v3"]), refresh="missing")

        assert [request.method for request in cluster.sent] == ["GET"]
        assert result.before == result.after

    def test_insecure_is_told(self) -> None:
        reader = Listed(["v1"])
        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, looked_up)
        )
        converge(cluster, reader, check_mode=True, insecure=True)

        assert reader.asked == [(NAMESPACE, WEB, True)]

    def stream(self) -> dict[str, t.Any]:
        """Return the recorded stream with a tag that the repository no longer has, one of another repository, and one
        that follows a tag."""
        stream = copy.deepcopy(recorded_stream("repository_import", 2))
        first = stream["spec"]["tags"][0]
        stream["spec"]["tags"] += [
            {**first, "name": "gone", "from": {"kind": "DockerImage", "name": f"{WEB}:gone"}},
            {**first, "name": "renamed", "from": {"kind": "DockerImage", "name": f"{WEB}:v1"}},
            {**first, "name": "foreign", "from": {"kind": "DockerImage", "name": f"{PRIVATE}/team/api:v1"}},
            {**first, "name": "alias", "from": {"kind": "ImageStreamTag", "name": "latest"}},
        ]
        return stream

    def test_tags_that_are_gone_upstream_are_named_and_kept(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", self.stream())
        result = converge(cluster, Listed(["latest", "v1", "v2", "v3"]), refresh="missing")

        assert (result.gone_upstream, cluster.writes) == (("gone",), [])
        assert {"gone", "renamed", "foreign", "alias"} <= set(result.after.tags)

    def test_a_pattern_does_not_make_a_tag_look_gone(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", self.stream())
        result = converge(cluster, Listed(["latest", "v1", "v2", "v3"]), refresh="missing", tag_patterns=["v2"])

        assert result.gone_upstream == ("gone",)

    def test_purge_removes_them(self) -> None:
        less = self.stream()
        less["spec"]["tags"] = [
            one for one in less["spec"]["tags"] if one["name"] not in ("gone", "renamed", "foreign")
        ]
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", self.stream())
            .on("PATCH", f"{STREAMS}/web", less)
            .on("DELETE", f"{TAGS}/web:gone", {})
            .on("DELETE", f"{TAGS}/web:renamed", {})
            .on("DELETE", f"{TAGS}/web:foreign", {})
        )
        result = converge(cluster, Listed(["latest", "v1", "v2", "v3"]), refresh="missing", purge_tags=True)

        assert sorted(result.after.tags) == ["alias", "latest", "v1", "v2", "v3"]

    @pytest.mark.parametrize("purge", [True, False])
    def test_patterns_that_fit_nothing_fail_and_remove_nothing(self, purge: bool) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", self.stream())
        result = converge(
            cluster, Listed(["latest", "v1", "v2", "v3"]), tag_patterns=["relaese-*", "!v3"], purge_tags=purge
        )

        assert (
            str(result.error)
            == f"tag_patterns relaese-*, !v3: none of the 4 tags of {WEB} fits; it has latest, v1, v2, v3"
        )
        assert cluster.writes == []

    def test_one_pattern_of_several_that_fits_nothing_removes_nothing(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", self.stream())
        result = converge(
            cluster,
            Listed(["latest", "v1", "v2", "v3"]),
            tag_patterns=["v*", "lastest"],
            refresh="missing",
            purge_tags=True,
        )

        assert (result.error, cluster.writes) == (None, [])
        assert result.warnings == [
            (
                f'shop/web: the pattern "lastest" of tag_patterns fits none of the 4 tags of {WEB} (latest, v1, v2, '
                "v3), so that purge_tags removes nothing"
            )
        ]

    def test_a_purge_of_more_than_half_of_the_tags_has_to_be_allowed(self) -> None:
        stream = self.stream()
        first = stream["spec"]["tags"][0]
        stream["spec"]["tags"] += [
            {**first, "name": f"old{number}", "from": {"kind": "DockerImage", "name": f"{WEB}:old{number}"}}
            for number in range(9)
        ]
        names = {"latest", "v1", "v2", "v3", "alias"}
        less = copy.deepcopy(stream)
        less["spec"]["tags"] = [one for one in less["spec"]["tags"] if one["name"] in names]
        refused = ScriptedCluster().on("GET", f"{STREAMS}/web", stream)
        result = converge(refused, Listed(["latest", "v1", "v2", "v3"]), refresh="missing", purge_tags=True)
        assert str(result.error) == (
            "purge_tags would remove 12 of 17 tags, more than 8: foreign, gone, old0, old1, old2, old3, old4, old5 and "
            f"4 more. If that is right, set purge_limit to 12; if not, look at what {WEB} lists and at tag_patterns"
        )
        assert refused.writes == []
        allowed = ScriptedCluster().on("GET", f"{STREAMS}/web", stream).on("PATCH", f"{STREAMS}/web", less)
        for name in ("gone", "renamed", "foreign", *(f"old{number}" for number in range(9))):
            allowed.on("DELETE", f"{TAGS}/web:{name}", {})
        result = converge(
            allowed, Listed(["latest", "v1", "v2", "v3"]), refresh="missing", purge_tags=True, purge_limit=12
        )
        assert set(result.after.tags) == names
        closed = ScriptedCluster().on("GET", f"{STREAMS}/web", self.stream())
        assert "more than 0:" in str(
            converge(closed, Listed(["latest", "v1", "v2", "v3"]), purge_tags=True, purge_limit=0).error
        )


class TestTheServersList:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (RegistryError("no route to it", registry=PRIVATE), "no route to it"),
            (forbidden("GET", SECRETS), str(forbidden("GET", SECRETS))),
            ([], "the registry lists no tag"),
        ],
    )
    def test_is_as_good_where_the_registry_cannot_be_read(self, answer: t.Any, reason: str) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, listing())
        )
        result = converge(cluster, Listed(answer))

        assert (result.error, result.tags_from, result.tags_from_reason) == (None, "server", reason)
        assert sorted(result.after.tags) == ["latest", "v1", "v2", "v3"]

    def test_an_empty_list_of_the_registry_purges_nothing_by_itself(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, listing())
        )
        converge(cluster, Listed([]), purge_tags=True)

        assert cluster.writes == []

    def test_is_the_only_one_without_a_reader(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, listing())
        )
        result = converge(cluster, None)

        assert (result.tags_from, result.tags_from_reason) == ("server", "")

    def test_its_refusal_is_the_streams_error(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, recorded("repository_import", 4))
        )
        result = converge(
            cluster, Listed(RegistryError("no such repository", registry=PRIVATE, status=404)), purge_tags=True
        )

        assert "could not be listed: NotFound" in str(result.error)
        assert (result.tags_from, cluster.writes) == ("server", [])

    def test_an_api_server_that_is_gone_ends_the_run(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, ApiUnreachable("gone"))
        )
        with pytest.raises(ApiUnreachable):
            converge(cluster, Listed(RegistryError("no", registry=PRIVATE)))


class TestReadingTheRegistry:
    @pytest.fixture(autouse=True)
    def surroundings(self, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_path))

    @pytest.fixture
    def registry(self, serve: t.Callable[..., ScriptedServer], authority: Authority) -> ScriptedServer:
        return serve(authority.server_context())

    @pytest.fixture
    def read(self) -> t.Iterator[t.Callable[..., list[str]]]:
        with RegistryReader(patience=Patience(**PATIENCE)) as reader:
            readers: dict[int, RegistryTagReader] = {}

            def tags(cluster: ScriptedCluster, port: int, *, insecure: bool = False) -> list[str]:
                credentials = NamespaceCredentials(cluster.client, lambda *_values: None)
                one = readers.setdefault(id(cluster), RegistryTagReader(reader, credentials))
                return one.tags(NAMESPACE, PullSpec.parse(f"127.0.0.1:{port}/team/web"), insecure=insecure)

            yield tags

    def test_with_the_credential_that_an_import_would_use(
        self, registry: ScriptedServer, read: t.Callable[..., list[str]]
    ) -> None:
        registry.replies = [Reply(401, headers={"WWW-Authenticate": "Basic"}), Reply(body={"tags": ["v1"]})]
        cluster = ScriptedCluster().on(
            "GET", SECRETS, {"items": [named("a", auths({f"127.0.0.1:{registry.port}": entry()}))]}
        )

        assert read(cluster, registry.port) == ["v1"]
        assert registry.asked[1].values("Authorization") == [f"Basic {b64('puller:s3cret')}"]

    def test_with_the_credential_of_the_task_before_any_secret(
        self, registry: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        registry.replies = [Reply(401, headers={"WWW-Authenticate": "Basic"}), Reply(body={"tags": ["v1"]})] * 2
        host, cluster = f"127.0.0.1:{registry.port}", ScriptedCluster()
        login = {"registry": host, "username": "reader", "password": "of-the-task"}
        with RegistryReader(patience=Patience(**PATIENCE)) as reader:
            secrets = NamespaceCredentials(cluster.client, lambda *_values: None)
            by_entry = RegistryTagReader(
                reader, secrets, OptionCredentials({"registries": [{**login, "ca_cert": str(authority.ca_path)}]})
            )
            by_task = RegistryTagReader(
                reader, secrets, OptionCredentials({"registries": [login]}), str(authority.ca_path)
            )
            for one in (by_entry, by_task):
                assert one.tags(NAMESPACE, PullSpec.parse(f"{host}/team/web"), insecure=False) == ["v1"]
        assert {value for asked in registry.asked for value in asked.values("Authorization")} == {
            f"Basic {b64('reader:of-the-task')}"
        }
        assert cluster.sent == []

    def test_anonymously_where_secrets_may_not_be_read(
        self, registry: ScriptedServer, read: t.Callable[..., list[str]]
    ) -> None:
        registry.replies = [Reply(body={"tags": ["v1"]})]
        cluster = ScriptedCluster().on("GET", SECRETS, forbidden("GET", SECRETS))

        assert read(cluster, registry.port) == ["v1"]

    def test_not_at_all_where_a_secret_breaks_every_import(
        self, registry: ScriptedServer, read: t.Callable[..., list[str]]
    ) -> None:
        cluster = ScriptedCluster().on("GET", SECRETS, {"items": [named("bad", auths({"x.example": {"auth": "%%"}}))]})

        with pytest.raises(CollectionError, match="Every import of the namespace"):
            read(cluster, registry.port)
        assert registry.asked == []

    def test_a_registry_that_is_out_of_reach_is_tried_once(
        self, free_port: int, read: t.Callable[..., list[str]]
    ) -> None:
        cluster = ScriptedCluster().on("GET", SECRETS, {"items": []})
        errors = []
        for _turn in range(2):
            with pytest.raises(RegistryError) as caught:
                read(cluster, free_port)
            errors.append(caught.value)
        assert errors[0] is errors[1]

    def test_a_registry_that_refuses_is_asked_again(
        self, registry: ScriptedServer, read: t.Callable[..., list[str]]
    ) -> None:
        registry.replies = [Reply(403), Reply(body={"tags": ["v1"]})]
        cluster = ScriptedCluster().on("GET", SECRETS, {"items": []})
        with pytest.raises(RegistryError):
            read(cluster, registry.port)
        assert read(cluster, registry.port) == ["v1"]

    def test_insecure_is_honoured(
        self, serve: t.Callable[..., ScriptedServer], read: t.Callable[..., list[str]]
    ) -> None:
        server = serve()
        server.replies = [Reply(body={"tags": ["v1"]})]
        cluster = ScriptedCluster().on("GET", SECRETS, {"items": []})

        with pytest.raises(RegistryError, match="without TLS"):
            read(cluster, server.port)
        assert read(cluster, server.port, insecure=True) == ["v1"]

    def test_a_credential_is_not_sent_without_verified_tls(
        self, registry: ScriptedServer, read: t.Callable[..., list[str]]
    ) -> None:
        registry.replies = [Reply(401, headers={"WWW-Authenticate": "Basic"})]
        cluster = ScriptedCluster()

        with pytest.raises(RegistryError):
            read(cluster, registry.port, insecure=True)
        assert [asked.values("Authorization") for asked in registry.asked] == [[]]
        assert cluster.sent == []


def test_a_list_read_without_verified_tls_removes_nothing() -> None:
    reader = Listed(["v1"])
    cluster = (
        ScriptedCluster()
        .on("GET", f"{STREAMS}/web", recorded_stream("repository_import", 2))
        .on("POST", IMPORTS, listing())
    )
    result = converge(cluster, reader, insecure=True, purge_tags=True, check_mode=True)
    assert reader.asked == []
    assert not any("not_listed" in reasons for reasons in result.reasons.values())


def test_a_registry_that_cannot_be_read_is_not_waited_for_long() -> None:
    assert PATIENCE["tries"] == 1
    assert PATIENCE["connect"] < Patience().connect


def test_a_refused_list_of_secrets_is_no_failure_of_the_stream() -> None:
    cluster = (
        ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("repository_import", 2)).on("POST", IMPORTS, listing())
    )
    broken = refusal("GET", SECRETS, 500, {"kind": "Status", "reason": "InternalError", "message": "etcd is tired"})
    assert converge(cluster, Listed(broken)).error is None


def test_the_report_says_where_the_list_came_from() -> None:
    cluster = (
        ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("repository_import", 2)).on("POST", IMPORTS, listing())
    )
    result = converge(cluster, Listed(RegistryError("no route to it", registry=PRIVATE)))
    (stream,) = stream_report([result], lambda *_failure: "", only_changed=False).results["streams"]

    assert (stream["tags_from"], stream["tags_from_reason"]) == ("server", "no route to it")

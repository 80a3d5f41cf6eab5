# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one repository of a scripted registry: manifests, configurations, tags, and everything that can be wrong
with them."""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import RegistryError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry import repository
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.documents import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageConfig,
    digest_of,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.repository import RegistryRepository
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.session import (
    RegistryHttp,
    RegistryNetwork,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    Reply,
    ScriptedServer,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import b64

Serve = t.Callable[..., ScriptedServer]
Open = t.Callable[..., RegistryRepository]
LOGIN = Login("puller", "s3cret")
BASIC = Reply(
    401,
    {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]},
    {"WWW-Authenticate": 'Basic realm="x"'},
)
CONFIG = json.dumps(
    {"os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z", "config": {"Labels": {"name": "web"}}}
).encode()
CONFIG_ENTRY = {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": digest_of(CONFIG),
    "size": len(CONFIG),
}
IMAGE = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG_ENTRY, "layers": []}).encode()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def registry(serve: Serve, authority: Authority) -> ScriptedServer:
    """Return a registry over TLS."""
    return serve(authority.server_context())


@pytest.fixture
def open_repository(registry: ScriptedServer, authority: Authority) -> t.Iterator[Open]:
    with RegistryNetwork() as network:

        def make(login: Login | None = None, **given: t.Any) -> RegistryRepository:
            http = RegistryHttp(
                network, "the.registry", sleep=lambda _seconds: None, **{"ca_cert": str(authority.ca_path), **given}
            )
            return RegistryRepository(http, PullSpec.parse(f"127.0.0.1:{registry.port}/team/web"), login)

        yield make


def served(content: bytes, media_type: str = OCI_MANIFEST, **headers: str) -> Reply:
    return Reply(body=content, content_type=media_type, headers=headers)


def bearer(realm: str, scope: str = "") -> Reply:
    named = f',scope="{scope}"' if scope else ""
    return Reply(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="s"{named}'})


def refusal(act: t.Callable[..., t.Any], *args: t.Any) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        act(*args)
    assert "s3cret" not in str(caught.value)
    assert b64("puller:s3cret") not in str(caught.value)
    return caught.value


class TestManifests:
    def test_a_manifest_is_asked_for_in_every_form(self, registry: ScriptedServer, open_repository: Open) -> None:
        registry.replies = [served(IMAGE, **{"Docker-Content-Digest": digest_of(IMAGE)})]
        found = open_repository().manifest("v1")

        (asked,) = registry.asked
        assert asked.path == "/v2/team/web/manifests/v1"
        assert set(asked.values("Accept")[0].split(", ")) == {DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX}
        assert asked.values("Authorization") == []
        assert (found.digest, found.media_type, found.size) == (digest_of(IMAGE), OCI_MANIFEST, len(IMAGE))

    def test_a_tag_with_the_content_of_another_digest(self, registry: ScriptedServer, open_repository: Open) -> None:
        wrong = "sha256:" + "0" * 64
        registry.replies = [served(IMAGE, **{"Docker-Content-Digest": wrong})]
        assert str(refusal(open_repository().manifest, "v1")) == (
            f'The registry "the.registry" serves "v1" of team/web as {wrong}, but with the content of '
            f"{digest_of(IMAGE)}; it, or a proxy before it, is broken"
        )

    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_a_digest_with_other_content(self, registry: ScriptedServer, open_repository: Open, algorithm: str) -> None:
        registry.replies = [served(IMAGE)]
        right = digest_of(IMAGE, algorithm)
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")

        assert open_repository().manifest(right).digest == right
        assert str(refusal(open_repository().manifest, wrong)) == (
            f'The registry "the.registry" serves "{wrong}" of team/web with other content, whose digest is {right}; '
            "it, or a proxy before it, is broken"
        )

    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            (served(b"\xff"), 'serves something else than an image as "v1" of team/web: it is not UTF-8 text'),
            (
                served(b'{"x":' + b"[" * 100_000),
                'serves something else than an image as "v1" of team/web: its JSON is nested too deeply',
            ),
            (served(b"<html>", "text/html"), 'serves something else than an image as "v1" of team/web: it is not JSON'),
            (
                served(b"{}", "application/vnd.docker.distribution.manifest.v1+prettyjws"),
                (
                    'serves something else than an image as "v1" of team/web: it is of Docker\'s schema 1, which '
                    "clusters no longer import; push the image again with a current tool"
                ),
            ),
            (served(b" " * (4 * 1024 * 1024 + 1)), 'serves more than 4 MiB as "v1" of team/web; that much is not read'),
        ],
    )
    def test_what_is_no_manifest(
        self, registry: ScriptedServer, open_repository: Open, reply: Reply, words: str
    ) -> None:
        registry.replies = [reply]
        assert str(refusal(open_repository().manifest, "v1")) == f'The registry "the.registry" {words}'


class TestConfigurations:
    def test_a_configuration_from_another_host(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open
    ) -> None:
        store = serve(authority.server_context())
        store.replies = [served(CONFIG, "application/octet-stream")]
        registry.replies = [BASIC, served(IMAGE), Reply(307, headers={"Location": f"{store.url}/blob?signature=x"})]
        repository = open_repository(LOGIN)

        found = repository.config(repository.manifest("v1"))

        assert found == ImageConfig("linux", "amd64", "", "2026-01-01T00:00:00Z", {"name": "web"})
        assert registry.asked[2].path == f"/v2/team/web/blobs/{digest_of(CONFIG)}"
        assert registry.asked[2].values("Authorization") == [f"Basic {b64('puller:s3cret')}"]
        assert store.asked[0].values("Authorization") == []

    def test_a_store_that_asks_for_a_credential_gets_none(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open
    ) -> None:
        store = serve(authority.server_context())
        store.replies = [BASIC]
        registry.replies = [BASIC, served(IMAGE), Reply(307, headers={"Location": f"{store.url}/blob"})]
        repository = open_repository(LOGIN)
        manifest = repository.manifest("v1")

        error = refusal(repository.config, manifest)

        assert str(error) == (
            f'The registry "the.registry" redirects to "{store.url}" for the configuration {digest_of(CONFIG)} of '
            "team/web, which answered "
            'HTTP 401: "authentication required"'
        )
        assert [asked.values("Authorization") for asked in store.asked] == [[]]

    @pytest.mark.parametrize(
        ("content", "words"),
        [(b"{}", "with other content, whose digest is"), (b"", "with other content, whose digest is")],
    )
    def test_a_configuration_with_other_content(
        self, registry: ScriptedServer, open_repository: Open, content: bytes, words: str
    ) -> None:
        registry.replies = [served(IMAGE), served(content)]
        repository = open_repository()
        assert words in str(refusal(repository.config, repository.manifest("v1")))

    def test_what_is_no_container_image_has_none(self, registry: ScriptedServer, open_repository: Open) -> None:
        entry = {**CONFIG_ENTRY, "mediaType": "application/vnd.cncf.helm.config.v1+json"}
        registry.replies = [served(json.dumps({"schemaVersion": 2, "config": entry, "layers": []}).encode())]
        repository = open_repository()

        assert repository.config(repository.manifest("v1")) == ImageConfig()
        assert len(registry.asked) == 1

    def test_a_configuration_that_is_none(self, registry: ScriptedServer, open_repository: Open) -> None:
        content = b"[]"
        entry = {**CONFIG_ENTRY, "digest": digest_of(content)}
        registry.replies = [
            served(json.dumps({"schemaVersion": 2, "config": entry, "layers": []}).encode()),
            served(content),
        ]
        repository = open_repository()
        assert "serves something else than a configuration as" in str(
            refusal(repository.config, repository.manifest("v1"))
        )


class TestCredentials:
    def test_basic_is_shown_from_the_first_challenge_on(self, registry: ScriptedServer, open_repository: Open) -> None:
        registry.replies = [BASIC, served(IMAGE)]
        repository = open_repository(LOGIN)
        repository.manifest("v1")
        repository.manifest("v1")

        assert [asked.values("Authorization") for asked in registry.asked] == [
            [],
            *[[f"Basic {b64('puller:s3cret')}"]] * 2,
        ]

    @pytest.mark.parametrize(
        ("named", "asked_for"),
        [
            ("", "repository:team/web:pull"),
            ("repository:other/name:pull", "repository:other/name:pull"),
            ("repository:team/web:pull,push", "repository:team/web:pull"),
            ("registry:catalog:*", "repository:team/web:pull"),
        ],
    )
    def test_a_token_opens_one_repository_for_reading(
        self,
        registry: ScriptedServer,
        serve: Serve,
        authority: Authority,
        open_repository: Open,
        named: str,
        asked_for: str,
    ) -> None:
        tokens = serve(authority.server_context())
        tokens.replies = [Reply(body={"token": "t0ken"})]
        registry.replies = [bearer(f"{tokens.url}/token", named), served(IMAGE)]
        open_repository(LOGIN).manifest("v1")

        (asked,) = tokens.asked
        assert asked.values("Authorization") == [f"Basic {b64('puller:s3cret')}"]
        assert parse_qs(urlsplit(asked.path).query)["scope"] == [asked_for]
        assert registry.asked[1].values("Authorization") == ["Bearer t0ken"]

    @pytest.mark.parametrize("login", [None, Login(), Login("puller")])
    def test_an_anonymous_token(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open, login: Login | None
    ) -> None:
        tokens = serve(authority.server_context())
        tokens.replies = [Reply(body={"access_token": "t0ken"})]
        registry.replies = [bearer(f"{tokens.url}/token"), served(IMAGE)]
        open_repository(login).manifest("v1")

        (asked,) = tokens.asked
        assert asked.values("Authorization") == []
        assert "account" not in parse_qs(urlsplit(asked.path).query)

    def test_a_token_that_has_expired_is_fetched_again(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open
    ) -> None:
        tokens = serve(authority.server_context())
        tokens.replies = [Reply(body={"token": "first"}), Reply(body={"token": "second"})]
        challenge = bearer(f"{tokens.url}/token")
        registry.replies = [challenge, served(IMAGE), challenge, served(IMAGE)]
        repository = open_repository(LOGIN)
        repository.manifest("v1")
        repository.manifest("v1")

        assert [asked.values("Authorization") for asked in registry.asked] == [
            [],
            ["Bearer first"],
            ["Bearer first"],
            ["Bearer second"],
        ]

    def test_many_threads_fetch_one_token(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open
    ) -> None:
        tokens = serve(authority.server_context())
        tokens.replies = [Reply(body={"token": "t0ken"})]
        registry.replies = [*[bearer(f"{tokens.url}/token")] * 1, served(IMAGE)]
        repository = open_repository(LOGIN)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(repository.manifest, ["v1"] * 12))

        assert {manifest.digest for manifest in found} == {digest_of(IMAGE)}
        assert len(tokens.asked) == 1

    def test_no_token_is_fetched_without_tls(
        self, registry: ScriptedServer, serve: Serve, open_repository: Open
    ) -> None:
        tokens = serve()
        registry.replies = [bearer(f"{tokens.url}/token")]
        assert str(refusal(open_repository().manifest, "v1")).endswith(
            "which is not reached over HTTPS; no token is fetched there"
        )
        assert str(refusal(open_repository(LOGIN).manifest, "v1")).endswith(
            "which is not reached over HTTPS; no password is sent there"
        )
        assert tokens.asked == []

    @pytest.mark.parametrize("token", ["two\r\nlines", "caf\u00e9", ""])
    def test_a_token_that_is_none(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open, token: str
    ) -> None:
        tokens = serve(authority.server_context())
        tokens.replies = [Reply(body={"token": token})]
        registry.replies = [bearer(f"{tokens.url}/token")]
        assert "has a token server that answered without a token" in str(refusal(open_repository(LOGIN).manifest, "v1"))

    @pytest.mark.parametrize("realm", ["https://[", "https://h:port/token", "https://"])
    def test_a_token_server_that_is_nowhere(self, registry: ScriptedServer, open_repository: Open, realm: str) -> None:
        registry.replies = [bearer(realm)]
        assert "which is no address" in str(refusal(open_repository(LOGIN).manifest, "v1"))


class TestRefusals:
    @pytest.mark.parametrize(
        ("login", "replies", "words"),
        [
            (None, [BASIC], "asks for a user name and a password; give its credential"),
            (
                LOGIN,
                [BASIC],
                (
                    'does not give "v1" of team/web to the user "puller" (HTTP 401: "authentication required"); '
                    "correct the credential, or the name of the repository"
                ),
            ),
            (
                LOGIN,
                [Reply(403, {"errors": [{"code": "DENIED", "message": "not for you"}]})],
                (
                    'does not give "v1" of team/web to the user "puller" (HTTP 403: "not for you"); ask its owner for '
                    "the right to pull there"
                ),
            ),
            (
                None,
                [Reply(403)],
                (
                    'does not give "v1" of team/web without a credential (HTTP 403); ask its owner for the right to '
                    "pull there"
                ),
            ),
            (
                None,
                [Reply(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})],
                'does not have "v1" of team/web (HTTP 404: "manifest unknown"); check the name',
            ),
            (
                None,
                [Reply(404, {"errors": [{"code": "NAME_UNKNOWN", "message": "no such name"}]})],
                'has no repository team/web (HTTP 404: "no such name"); check the name',
            ),
            (
                None,
                [Reply(404, b"not found", content_type="text/plain")],
                (
                    'answered HTTP 404: "not found" at the request for "v1" of team/web; it does not look like a '
                    "registry, check host and port"
                ),
            ),
            (
                None,
                [Reply(429, {"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}, {"Retry-After": "60"})],
                (
                    'limits the rate of requests and did not give "v1" of team/web (HTTP 429: "slow down"); retry '
                    "after the 60 seconds that it names, or with a credential"
                ),
            ),
            (
                None,
                [Reply(429)],
                (
                    'limits the rate of requests and did not give "v1" of team/web (HTTP 429); retry later, or '
                    "with a credential"
                ),
            ),
            (
                None,
                [Reply(500)],
                'answered HTTP 500 at the request for "v1" of team/web; it fails itself, retry later',
            ),
        ],
    )
    def test_each_refusal_is_a_sentence(
        self, registry: ScriptedServer, open_repository: Open, login: Login | None, replies: list[Reply], words: str
    ) -> None:
        registry.replies = replies
        error = refusal(open_repository(login).manifest, "v1")
        assert str(error) == f'The registry "the.registry" {words}'
        assert error.status == replies[0].status

    def test_a_private_repository_without_a_credential(
        self, registry: ScriptedServer, serve: Serve, authority: Authority, open_repository: Open
    ) -> None:
        tokens = serve(authority.server_context())
        tokens.replies = [Reply(body={"token": "t0ken"})]
        registry.replies = [bearer(f"{tokens.url}/token")]
        assert str(refusal(open_repository().tags)) == (
            'The registry "the.registry" gives nobody the tags of team/web without a credential (HTTP 401); give one, '
            "and check the name of the repository"
        )


class TestTags:
    def test_all_pages_are_read(self, registry: ScriptedServer, open_repository: Open) -> None:
        registry.replies = [
            Reply(body={"tags": ["a", "b"]}, headers={"Link": '</v2/team/web/tags/list?last=b&n=2>; rel="next"'}),
            Reply(body={"tags": ["b", "c"]}, headers={"Link": "<tags/list?last=c&n=2>; rel=next"}),
            Reply(body={"tags": ["d"]}, headers={"Link": '</x>; rel="prev"'}),
        ]
        assert open_repository().tags() == ["a", "b", "c", "d"]
        assert [asked.path for asked in registry.asked] == [
            f"/v2/team/web/tags/list?{query}" for query in ("n=1000", "last=b&n=2", "last=c&n=2")
        ]

    def test_the_next_page_is_never_asked_of_another_host(
        self, registry: ScriptedServer, serve: Serve, open_repository: Open
    ) -> None:
        other = serve()
        registry.replies = [
            BASIC,
            Reply(body={"tags": ["a"]}, headers={"Link": f'<{other.url}/v2/team/web/tags/list?last=a>; rel="next"'}),
            Reply(body={"tags": ["b"]}),
        ]
        assert open_repository(LOGIN).tags() == ["a", "b"]
        assert other.asked == []

    def test_pages_in_a_circle(self, registry: ScriptedServer, open_repository: Open) -> None:
        registry.replies = [Reply(body={"tags": ["a"]}, headers={"Link": '</v2/team/web/tags/list?n=1>; rel="next"'})]
        assert (
            str(refusal(open_repository().tags))
            == 'The registry "the.registry" names a page of the tags of team/web as the one after itself'
        )
        assert len(registry.asked) == 2

    def test_pages_without_end(
        self, registry: ScriptedServer, open_repository: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(repository, "MAX_PAGES", 3)
        registry.replies = [
            Reply(body={"tags": [f"t{page}"]}, headers={"Link": f'</v2/team/web/tags/list?last=t{page}>; rel="next"'})
            for page in range(5)
        ]
        assert "in more than 3 pages" in str(refusal(open_repository().tags))

    def test_tags_without_end(
        self, registry: ScriptedServer, open_repository: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(repository, "MAX_TAGS", 1)
        registry.replies = [
            Reply(body={"tags": ["a", "b"]}, headers={"Link": '</v2/team/web/tags/list?last=b>; rel="next"'})
        ]
        assert "or more than 1 of them" in str(refusal(open_repository().tags))

    def test_a_registry_that_divides_into_pages_by_its_own_mind(
        self, registry: ScriptedServer, open_repository: Open
    ) -> None:
        refused = Reply(400, {"errors": [{"code": "PAGINATION_NUMBER_INVALID", "message": "too many"}]})
        registry.replies = [refused, Reply(body={"tags": ["a"]})]
        assert open_repository().tags() == ["a"]
        assert [asked.path for asked in registry.asked] == ["/v2/team/web/tags/list?n=1000", "/v2/team/web/tags/list"]
        registry.replies = [refused]
        assert refusal(open_repository().tags).status == 400

    @pytest.mark.parametrize(
        "link",
        [
            '</v2/team/web/tags/list?last=a,b&n=2>; rel="next"',
            "</v2/team/web/tags/list?last=a,b&n=2>;rel=next",
            '</other>; rel="prev", </v2/team/web/tags/list?last=a,b&n=2>; rel="next"',
            '</v2/team/web/tags/list?last=a,b&n=2>; title="one; two, <three>"; rel="last next"',
            '</v2/team/web/tags/list?last=a,b&n=2> ; REL = "NEXT" ; x',
            ",, </v2/team/web/tags/list?last=a,b&n=2>; rel=next; rel=prev,",
            '< /v2/team/web/tags/list?last=a,b&n=2 >; title="a \\" b"; rel="next"',
        ],
    )
    def test_every_form_of_a_link_is_followed(self, registry: ScriptedServer, open_repository: Open, link: str) -> None:
        registry.replies = [Reply(body={"tags": ["a"]}, headers={"Link": link}), Reply(body={"tags": ["b"]})]
        assert open_repository().tags() == ["a", "b"]
        assert registry.asked[1].path == "/v2/team/web/tags/list?last=a,b&n=2"

    @pytest.mark.parametrize("link", ['</x>; rel="prev"', "", '</x>; rel="next-archive"', "</x>"])
    def test_the_last_page(self, registry: ScriptedServer, open_repository: Open, link: str) -> None:
        registry.replies = [Reply(body={"tags": ["a"]}, headers={"Link": link} if link else {})]
        assert open_repository().tags() == ["a"]

    @pytest.mark.parametrize(
        ("link", "reason"),
        [
            ("<https://[>; rel=next", "its link to the next page is no address"),
            ("nonsense", "its links cannot be read"),
            ("</v2/x?last=a; rel=next", "its links cannot be read"),
            ('</v2/x?last=a>; rel="next', "its links cannot be read"),
            ("</v2/x?last=a> rel=next", "its links cannot be read"),
            ("</v2/x?last=a>; rel=", "its links cannot be read"),
            ("<>; rel=next", "its link to the next page is about another document"),
            ('</v2/x?last=a>; rel=next; anchor="#y"', "its link to the next page is about another document"),
            ("</v2/x?last=a>; rel=next, </v2/x?last=b>; rel=next", "it has several links to next pages"),
            ("<more>; rel=next", "its link to the next page does not say which one that is"),
            ("<" + "x" * 20_000, "its links are longer than 16384 characters"),
        ],
    )
    def test_a_list_that_may_go_on_is_not_taken_as_the_whole(
        self, registry: ScriptedServer, open_repository: Open, link: str, reason: str
    ) -> None:
        registry.replies = [Reply(body={"tags": ["a"]}, headers={"Link": link})]
        assert str(refusal(open_repository().tags)) == (
            f'The registry "the.registry" serves a page of the tags of team/web that may not be the last one: {reason}'
        )

    def test_a_repository_without_tags(self, registry: ScriptedServer, open_repository: Open) -> None:
        registry.replies = [Reply(body={"name": "team/web", "tags": None})]
        assert open_repository().tags() == []

    def test_what_is_no_list(self, registry: ScriptedServer, open_repository: Open) -> None:
        registry.replies = [Reply(body={"tags": ["../../x"]})]
        assert str(refusal(open_repository().tags)) == (
            'The registry "the.registry" serves something else than a list as the tags of team/web: it names '
            '"../../x", which is no tag'
        )


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ("web", "https://registry-1.docker.io/v2/library/web/manifests/v1"),
        ("docker.io/team/web", "https://registry-1.docker.io/v2/team/web/manifests/v1"),
        ("h.example/team/web", "https://h.example/v2/team/web/manifests/v1"),
    ],
)
def test_where_a_repository_is(spec: str, url: str) -> None:
    asked: list[str] = []

    class Nowhere:
        name = "x"

        def get(self, where: str, **_given: t.Any) -> t.NoReturn:
            asked.append(where)
            raise RegistryError("", registry="x")

    with pytest.raises(RegistryError):
        RegistryRepository(t.cast(RegistryHttp, Nowhere()), PullSpec.parse(spec), None).manifest("v1")
    assert asked == [url]

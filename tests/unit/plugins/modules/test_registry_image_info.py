# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module from options to its answer, against a registry and a token server that answer from scripts."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import trustme
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.documents import (
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
)
from ansible_collections.quayside.openshift_images.plugins.modules import registry_image_info
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    Reply,
    ScriptedServer,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.documentation import (
    argument_spec_of,
    documented_spec,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    SECRETS,
    forbidden,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import auths, b64, entry, named

PASSWORD = "s3cret-of-the-test"
NEVER = (PASSWORD, b64(PASSWORD), b64(f"puller:{PASSWORD}"), b64(f"puller:{PASSWORD}").rstrip("="), "t0ken-of-the-test")
BASIC = Reply(401, headers={"WWW-Authenticate": "Basic"})
CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Labels": {"name": "web"}}}).encode()
IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest_of(CONFIG),
            "size": len(CONFIG),
        },
        "layers": [{"mediaType": "layer", "digest": digest_of(b"layer"), "size": 5}],
    }
).encode()
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": OCI_MANIFEST,
                "digest": digest_of(IMAGE),
                "size": len(IMAGE),
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture in ("s390x", "arm64")
        ],
    }
).encode()
SINGLE = Reply(body=IMAGE, content_type=OCI_MANIFEST)
LIST = Reply(body=INDEX, content_type=OCI_INDEX)
BLOB = Reply(body=CONFIG, content_type="application/octet-stream")

Run = t.Callable[..., t.Any]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return Authority(ca, tmp_path / "ca.pem", ca.cert_pem.bytes().decode(), tmp_path, tmp_path)


@pytest.fixture
def serve(authority: Authority) -> t.Iterator[t.Callable[..., ScriptedServer]]:
    servers: list[ScriptedServer] = []

    def start(*replies: Reply, tls: bool = True) -> ScriptedServer:
        server = ScriptedServer(authority.server_context() if tls else None)
        server.replies = list(replies) or [Reply()]
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def run(authority: Authority, run_module_main: Run) -> Run:
    """Run the module; whatever happens, no secret may be in what it prints."""

    def run_it(**options: t.Any) -> t.Any:
        outcome = run_module_main(registry_image_info.main, {"registry_ca_cert": str(authority.ca_path), **options})
        assert [secret for secret in NEVER if secret in outcome.text] == []
        assert not outcome.result.get("changed")
        return outcome

    return run_it


def host(server: ScriptedServer) -> str:
    return f"127.0.0.1:{server.port}"


def login(server: ScriptedServer, **rest: t.Any) -> dict[str, t.Any]:
    return {"registry": host(server), "username": "puller", "password": PASSWORD, **rest}


def test_the_documentation_and_the_argument_spec_say_the_same() -> None:
    assert argument_spec_of(registry_image_info) == documented_spec(registry_image_info)


def test_what_is_returned_is_documented(serve: t.Callable[..., ScriptedServer], run: Run) -> None:
    server = serve(LIST, SINGLE, BLOB, Reply(body={"tags": ["v1"]}))
    outcome = run(images=[f"{host(server)}/team/web:v1"], tags=True, repositories=[f"{host(server)}/team/web"])
    documented = yaml.safe_load(registry_image_info.RETURN)

    assert outcome.code == 0
    (image,), (repository,) = outcome.result["images"], outcome.result["repositories"]
    assert set(image) == set(documented["images"]["contains"])
    assert set(repository) == set(documented["repositories"]["contains"])
    assert set(image["manifests"][0]) == set(documented["images"]["contains"]["manifests"]["contains"])
    assert set(image["legacy_choice"]) == set(documented["images"]["contains"]["legacy_choice"]["contains"])
    assert repository["tags"] == image["tags"] == ["v1"]


def test_an_image_behind_basic_authentication(serve: t.Callable[..., ScriptedServer], run: Run) -> None:
    server = serve(BASIC, SINGLE, BLOB)
    outcome = run(image=f"{host(server)}/team/web:v1", registries=[login(server)])

    (image,) = outcome.result["images"]
    assert (image["digest"], image["labels"], image["platforms"], image["layers_size"]) == (
        digest_of(IMAGE),
        {"name": "web"},
        ["linux/amd64"],
        5,
    )
    assert image["credential"] == {"source": "the option registries", "key": host(server), "username": "puller"}
    assert server.asked[1].values("Authorization") == [f"Basic {b64(f'puller:{PASSWORD}')}"]


def test_an_image_behind_tokens_with_an_auth_file(
    serve: t.Callable[..., ScriptedServer], run: Run, tmp_path: Path
) -> None:
    tokens = serve(Reply(body={"token": "t0ken-of-the-test"}))
    server = serve(Reply(401, headers={"WWW-Authenticate": f'Bearer realm="{tokens.url}/token"'}), SINGLE, BLOB)
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"auths": {host(server): entry(password=PASSWORD)}}))
    outcome = run(images=[f"{host(server)}/team/web:v1"], auth_file=str(file))

    assert outcome.result["images"][0]["credential"]["source"] == "the option auth_file"
    assert tokens.asked[0].values("Authorization") == [f"Basic {b64(f'puller:{PASSWORD}')}"]


def test_one_image_that_fails_hides_no_other(serve: t.Callable[..., ScriptedServer], run: Run) -> None:
    good, bad = serve(SINGLE, BLOB), serve(BASIC, Reply(401, {"details": f"incorrect password {PASSWORD}"}))
    images = [f"{host(good)}/team/web:v1", f"{host(bad)}/team/web:v1"]
    outcome = run(images=images, registries=[login(bad)], concurrency=1)

    assert outcome.failed
    assert outcome.result["msg"].startswith(f"1 of 2 images could not be read:\n- {images[1]}: The registry ")
    first, second = outcome.result["images"]
    assert (first["digest"], first["error"]) == (digest_of(IMAGE), None)
    assert 'to the user "puller" (HTTP 401' in second["error"]


def test_how_each_registry_is_reached(serve: t.Callable[..., ScriptedServer], run: Run) -> None:
    plain, other = serve(SINGLE, BLOB, tls=False), serve(SINGLE, BLOB)
    images = [f"{host(plain)}/team/web:v1", f"{host(other)}/team/web:v1"]
    outcome = run(images=images, registries=[{"registry": host(plain), "insecure": True}])
    assert [image["error"] for image in outcome.result["images"]] == [None, None]

    plain.replies, other.replies = [SINGLE, BLOB], [SINGLE, BLOB]
    outcome = run(
        images=images, insecure=True, registry_ca_cert=None, registries=[{"registry": host(other), "insecure": False}]
    )
    insecure, verified = outcome.result["images"]
    assert insecure["error"] is None
    assert "that is not trusted" in verified["error"]


def test_a_ca_for_one_registry(serve: t.Callable[..., ScriptedServer], run: Run, authority: Authority) -> None:
    server = serve(SINGLE, BLOB)
    registries = [{"registry": host(server), "ca_cert": str(authority.ca_path)}]

    assert run(images=[f"{host(server)}/team/web:v1"], registry_ca_cert=None, registries=registries).code == 0
    outcome = run(images=[f"{host(server)}/team/web:v1"], registry_ca_cert="/nonexistent/ca.pem")
    assert "ca_cert: /nonexistent/ca.pem cannot be read where the module runs" in outcome.result["msg"]


@pytest.mark.parametrize(
    ("options", "digest", "rule"),
    [
        ({}, "s390x", "first_entry"),
        ({"control_plane_architecture": "arm64"}, "arm64", "control_plane_architecture"),
        ({"prefer_architecture": "arm64"}, "arm64", "tag_annotation"),
    ],
)
def test_what_legacy_would_take(
    serve: t.Callable[..., ScriptedServer], run: Run, options: dict[str, str], digest: str, rule: str
) -> None:
    server = serve(LIST, SINGLE, BLOB)
    outcome = run(images=[f"{host(server)}/team/web:v1"], **options)

    choice = outcome.result["images"][0]["legacy_choice"]
    assert (choice["architecture"], choice["rule"]) == (digest, rule)


class TestNamespace:
    @pytest.fixture
    def cluster(self, monkeypatch: pytest.MonkeyPatch) -> ScriptedCluster:
        scripted = ScriptedCluster().on("GET", "/version", {"platform": "linux/arm64"})
        monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: scripted.client)
        return scripted

    def test_its_secrets_and_the_clusters_architecture(
        self, cluster: ScriptedCluster, serve: t.Callable[..., ScriptedServer], run: Run
    ) -> None:
        server = serve(BASIC, LIST, SINGLE, BLOB)
        cluster.on("GET", SECRETS, {"items": [named("registry", auths({host(server): entry(password=PASSWORD)}))]})
        outcome = run(images=[f"{host(server)}/team/web:v1"], namespace="shop")

        (image,) = outcome.result["images"]
        assert image["credential"] == {"source": 'the secret "registry"', "key": host(server), "username": "puller"}
        assert (image["legacy_choice"]["architecture"], image["legacy_choice"]["rule"]) == (
            "arm64",
            "control_plane_architecture",
        )

    def test_the_options_come_first(
        self, cluster: ScriptedCluster, serve: t.Callable[..., ScriptedServer], run: Run
    ) -> None:
        server = serve(BASIC, SINGLE, BLOB)
        outcome = run(images=[f"{host(server)}/team/web:v1"], namespace="shop", registries=[login(server)])

        assert outcome.result["images"][0]["credential"]["source"] == "the option registries"

    def test_without_the_right_to_read_secrets(
        self, cluster: ScriptedCluster, serve: t.Callable[..., ScriptedServer], run: Run
    ) -> None:
        cluster.on("GET", SECRETS, forbidden("GET", SECRETS))
        outcome = run(images=[f"{host(serve(SINGLE))}/team/web:v1"], namespace="shop")

        assert outcome.failed
        assert "secrets" in outcome.result["images"][0]["error"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of the following is required: images, repositories"),
        ({"images": ["https://h/x"]}, 'leave out "https://"'),
        (
            {"repositories": ["h.example/x:v1"]},
            'repositories: "h.example/x:v1" carries a tag or digest: give the repository alone, or list it in images',
        ),
        ({"images": ["h.example/x"], "concurrency": 0}, "concurrency is 0: give a number from 1"),
        ({"images": ["h.example/x"], "timeout": 0}, "timeout is 0: give a number from 1"),
        ({"images": ["h.example/x"], "namespace": "No"}, '"No" is not a namespace name'),
        ({"images": ["h.example/x"], "auth_file": "/nonexistent"}, "auth_file: /nonexistent does not exist"),
        ({"images": ["h.example/x"], "auth_content": PASSWORD}, "auth_content: the text is not JSON"),
        ({"images": ["h.example/x"], "registries": [{"registry": "h", "username": "puller"}]}, "password"),
        (
            {"images": ["h.example/x"], "registries": [{"registry": "h", "auth": PASSWORD}]},
            '"h" cannot be used: its auth is not base64',
        ),
    ],
)
def test_bad_input_ends_before_the_first_request(run: Run, options: dict[str, t.Any], words: str) -> None:
    outcome = run(**options)

    assert outcome.failed
    assert words in outcome.result["msg"]

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manifest is put into a real registry, whose notification a real ansible-rulebook hears: the image stream has a
new item."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from push import guide
from push.reverse_proxy import ReverseProxy
from push.scene import Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(Path(tmp_path_factory.mktemp("push")), pushed_namespaces=["shop"]) as scene:
        yield scene


def prepared(scene: Scene, name: str, *tags: str) -> None:
    """Create a stream whose tags track those of the repository team/``name``."""
    for tag in tags:
        scene.push(f"team/{name}", tag, f"{name} {tag} old")
    scene.declare(name, {tag: f"team/{name}:{tag}" for tag in tags})
    # What these pushes were about is over.
    time.sleep(7)


def test_a_push_moves_the_tag(scene: Scene) -> None:
    prepared(scene, "web", "v1", "v2")
    other = scene.history("web", "v2")

    digest = scene.push("team/web", "v1", "web v1 new", ("linux/amd64", "linux/arm64"))

    scene.wait("web", "v1", digest)
    assert len(scene.history("web", "v1")) == 2
    assert scene.history("web", "v2") == other


def test_what_follows_within_seconds_is_not_lost(scene: Scene) -> None:
    """Several tags of several repositories at once, and one tag again and again."""
    prepared(scene, "burst", "a", "b", "c")
    prepared(scene, "other", "a", "b")
    last = {}
    for number in range(3):
        for name, tags in (("burst", "abc"), ("other", "ab")):
            for tag in tags:
                last[name, tag] = scene.push(f"team/{name}", tag, f"{name} {tag} {number}")
    for (name, tag), digest in last.items():
        scene.wait(name, tag, digest)


def post(scene: Scene, port: int, body: t.Any, **headers: str) -> int:
    data = json.dumps(body).encode()
    if "signed" in headers:
        headers = {
            "x-hub-signature-256": "sha256=" + hmac.new(headers["signed"].encode(), data, hashlib.sha256).hexdigest()
        }
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            f"http://127.0.0.1:{port}/quay",
            data=data,
            headers={"Content-Type": "application/json", **headers},
            timeout=30,
        ).status_code


def test_each_source_asks_for_its_proof(scene: Scene) -> None:
    prepared(scene, "quay", "v1")
    host = scene.registry.host
    body = {"repository": "team/quay", "docker_url": f"{host}/team/quay", "updated_tags": ["v1"]}
    assert post(scene, scene.token_port, body) == 401
    assert post(scene, scene.token_port, body, Authorization=f"Bearer {scene.secret}") == 401
    assert post(scene, scene.hmac_port, body, signed="wrong") == 401
    assert post(scene, scene.hmac_port, body, Authorization=f"Bearer {scene.token}") == 400
    # Nothing that is understood, and nothing that is JSON: the rulebook goes on.
    for other in ([], {}, None, 7, "{", {"events": [{}]}, {"updated_tags": [1], "docker_url": []}):
        assert post(scene, scene.hmac_port, other, signed=scene.secret) == 200
    # The registry's own notification for this push names it localhost; the signed one comes after it and costs a look.
    digest = scene.push("team/quay", "v1", "quay v1 new")
    assert post(scene, scene.hmac_port, body, signed=scene.secret) == 200
    scene.wait("quay", "v1", digest)


def test_a_secret_path_stands_for_the_proof_of_a_sender_that_has_none(scene: Scene, tmp_path: Path) -> None:
    """The reverse proxy of the guide: the path alone is let in, and the token is not seen by who knows the path."""
    # Under a name that the registry's own notifications do not give it.
    registry = scene.registry.host.replace("localhost", "127.0.0.1")
    assert registry != scene.registry.host
    scene.push("team/path", "v1", "path v1 old")
    scene.declare("path", {"v1": "team/path:v1"}, registry=registry)
    body = {"repository": "team/path", "docker_url": f"{registry}/team/path", "updated_tags": ["v1"]}
    path = "9d1c53f0a7"
    values = {
        "127.0.0.1:5000": f"127.0.0.1:{scene.token_port}",
        "127.0.0.1:5001": f"127.0.0.1:{scene.hmac_port}",
        "a-long-random-text": scene.token,
        "a-long-random-path": path,
    }
    with (
        ReverseProxy(tmp_path / "nginx", scene.certificates.trusted, values) as proxy,
        requests.Session() as session,
    ):
        session.trust_env = False
        session.verify = str(scene.certificates.ca_file)
        url = f"https://localhost:{proxy.port}"

        def status(method: str, path: str, **headers: str) -> int:
            return session.request(method, f"{url}/{path}", json=body, headers=headers, timeout=30).status_code

        assert status("POST", "registry") == 401
        assert status("POST", "signed") == 400
        assert status("POST", "") == status("POST", f"{path}/more") == status("POST", "9d1c53f0a8") == 404
        assert status("GET", path) == 404
        before = scene.history("path", "v1")
        digest = scene.push("team/path", "v1", "path v1 new")
        time.sleep(7)
        assert scene.history("path", "v1") == before
        assert status("POST", path) == 200
        scene.wait("path", "v1", digest)
        assert status("POST", "registry", Authorization=f"Bearer {scene.token}") == 200
        scene.rulebook.stop()
        try:
            assert status("POST", path) == 502
        finally:
            scene.rulebook.start()
        assert path not in proxy.log()


def test_the_playbook_alone_tells_what_a_push_would_do(scene: Scene) -> None:
    """The last example of the guide, in check mode with another registry and repository."""
    prepared(scene, "alone", "v1")
    (push,) = guide.block("pushes.yml")["pushed_pushes"]
    variables = {
        "pushed_pushes": [
            guide.replaced(push, {"registry": scene.registry.host, "repository": "team/alone", "tag": "v1"})
        ]
    }
    before = scene.history("alone", "v1")
    scene.play("pushed", "--check", "--diff", variables=variables)
    assert scene.history("alone", "v1") == before


def test_the_other_variables_of_the_guide_are_those_of_the_playbook() -> None:
    names = guide.block('inventory.yml, below "all" or a cluster')["vars"]
    playbook = (guide.GUIDE.parents[1] / "playbooks" / "pushed.yml").read_text(encoding="utf-8")
    assert [name for name in names if f"{{{{ {name} | default(omit" not in playbook] == []


def test_no_secret_is_logged(scene: Scene) -> None:
    log = scene.rulebook.log()
    assert "Import the tags that track what was pushed" in log
    for secret in (scene.token, scene.secret, scene.access.token):
        assert secret not in log

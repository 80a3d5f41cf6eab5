# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manifest is put into a real registry, whose notification a real ansible-rulebook hears: the image stream has a
new item."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from push import guide
from push.rulebook import BIN
from push.scene import Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(Path(tmp_path_factory.mktemp("push")), pushed_namespaces=["shop"]) as scene:
        yield scene


def prepared(scene: Scene, name: str, *tags: str) -> None:
    """A stream whose tags track those of the repository team/``name``."""
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
    command = [
        f"{os.environ[BIN]}/ansible-playbook",
        "quayside.openshift_images.pushed",
        "--check",
        "--diff",
        "--inventory",
        "inventory.yml",
    ]
    environment = {
        "PATH": f"{os.environ[BIN]}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(scene.rulebook.directory / "home"),
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
    }
    done = subprocess.run(
        [*command, "--extra-vars", json.dumps(variables)],
        cwd=scene.rulebook.directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
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

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry that lies: little memory, little time, one sentence. Modules run as processes of their own, to be
measured."""

from __future__ import annotations

import functools
import gzip
import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry import run
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.documents import (
    OCI_INDEX,
    OCI_MANIFEST,
    digest_of,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.session import Patience
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import Asked, Reply, ScriptedServer

from security.runs import RunHere, run_apart

GIB = 1024**3
DIGEST = "sha256:" + "ab" * 32
# MiB: a module of this collection has about 50 when it has done nothing yet.
PEAK = 120
_DEEP = b"[" * 1_000_000
_SMALL = json.dumps({"schemaVersion": 2, "manifests": []}).encode()


def _self_listing() -> bytes:
    child = {"mediaType": OCI_INDEX, "digest": DIGEST, "size": 9, "platform": {"os": "linux", "architecture": "amd64"}}
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).encode()


def _many() -> bytes:
    """As many entries as fit into what is read of a manifest."""
    child = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 9}
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child] * 20_000}).encode()


def _zipped(times: int = 1) -> bytes:
    body = gzip.compress(bytes(64 * 1024**2), 1)
    for _again in range(times - 1):
        body = gzip.compress(body, 1)
    return body


def _manifest(body: bytes, **headers: str) -> Reply:
    return Reply(
        body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}, content_type=OCI_INDEX
    )


# What is served as a manifest, by the name of the repository, and the sentence without "The registry ... ".
LIES: dict[str, tuple[Callable[[ScriptedServer, Asked], Reply], str]] = {
    "gigabyte": (
        lambda liar, asked: Reply(body=liar.endless(), headers={"Content-Length": str(GIB)}, content_type=OCI_INDEX),
        'serves more than 4 MiB as "v1" of gigabyte; that much is not read',
    ),
    "endless": (
        lambda liar, asked: Reply(body=liar.endless(), content_type=OCI_INDEX),
        'serves more than 4 MiB as "v1" of endless; that much is not read',
    ),
    "endless-error": (
        lambda liar, asked: Reply(500, liar.endless(b"no "), content_type="text/plain"),
        # the quoted words end after 200 characters
        (f'answered HTTP 500: "{"no " * 66}no" at the request for "v1" of endless-error; it fails itself, retry later'),
    ),
    "redirects": (
        lambda liar, asked: Reply(307, b"", {"Location": asked.path + "x"}),
        "redirects more than 5 times",
    ),
    "endless-redirect": (
        lambda liar, asked: Reply(307, liar.endless(), {"Location": "/v2/endless-redirect/again"}),
        "redirects more than 5 times",
    ),
    "digest": (
        lambda liar, asked: _manifest(_SMALL, Docker_Content_Digest=DIGEST),
        (
            f'serves "v1" of digest as {DIGEST}, but with the content of {digest_of(_SMALL)}; it, or a proxy before '
            "it, is broken"
        ),
    ),
    "itself": (
        lambda liar, asked: _manifest(_self_listing(), Docker_Content_Digest=DIGEST),
        (
            f'serves "v1" of itself as {DIGEST}, but with the content of {digest_of(_self_listing())}; it, or a proxy '
            "before it, is broken"
        ),
    ),
    "deep": (
        lambda liar, asked: _manifest(_DEEP),
        'serves something else than an image as "v1" of deep: its JSON is nested too deeply',
    ),
    "bytes": (
        lambda liar, asked: _manifest(b"\xff\xfe{}"),
        'serves something else than an image as "v1" of bytes: it is not UTF-8 text',
    ),
    "number": (
        lambda liar, asked: _manifest(b'{"a": ' + b"9" * 1_000_000 + b"}"),
        'serves something else than an image as "v1" of number: it is not JSON',
    ),
    "page": (
        lambda liar, asked: Reply(body=b"<html>", content_type="text/html"),
        'serves something else than an image as "v1" of page: it is not JSON',
    ),
    "zipped": (
        lambda liar, asked: _manifest(_zipped(), Content_Encoding="gzip"),
        'serves more than 4 MiB as "v1" of zipped; that much is not read',
    ),
    "zipped-twice": (
        lambda liar, asked: _manifest(_zipped(2), Content_Encoding="gzip, gzip"),
        'serves something else than an image as "v1" of zipped-twice: it is not UTF-8 text',
    ),
    "header": (
        lambda liar, asked: _manifest(_SMALL, Link="x" * 70_000),
        (
            "could not be reached at {url} (got more than 65536 bytes when reading header line); check host, port and "
            "network"
        ),
    ),
    "headers": (
        lambda liar, asked: Reply(
            body=_SMALL, headers={f"X-{number}": "x" for number in range(200)}, content_type=OCI_INDEX
        ),
        "could not be reached at {url} (got more than 100 headers); check host, port and network",
    ),
    "token": (
        lambda liar, asked: Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="{liar.url}/token/endless"'}),
        "has a token server that answered without a token",
    ),
    "deep-token": (
        lambda liar, asked: Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="{liar.url}/token/deep"'}),
        "has a token server that answered without a token",
    ),
    "never-enough": (
        lambda liar, asked: Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="{liar.url}/token/good"'}),
        (
            'gives nobody "v1" of never-enough without a credential (HTTP 401); give one, and check the name of the '
            "repository"
        ),
    ),
}


def _script(liar: ScriptedServer, asked: Asked) -> Reply:
    kind, _slash, name = asked.path.partition("?")[0][1:].partition("/")
    if kind == "token":
        return {"endless": Reply(body=liar.endless()), "deep": Reply(body=_DEEP), "good": Reply(body={"token": "t"})}[
            name
        ]
    return LIES[name.partition("/")[0]][0](liar, asked)


@pytest.fixture
def registry(lie: Callable[..., ScriptedServer]) -> ScriptedServer:
    liar = lie(lambda asked: Reply(404))
    liar.script = functools.partial(_script, liar)
    return liar


def test_manifests(registry: ScriptedServer, tmp_path: Path) -> None:
    images = [f"{registry.host}/{name}:v1" for name in LIES]

    run = run_apart("registry_image_info", {"images": images, "insecure": True, "timeout": 10}, tmp_path)

    told = {entry["image"].split("/")[1][:-3]: entry["error"] for entry in run.result["images"]}
    begin = f'The registry "{registry.host}" '
    assert told == {name: begin + sentence.format(url=registry.url) for name, (_answer, sentence) in LIES.items()}
    assert run.peak < PEAK
    assert len(registry.asked) < 60


def test_a_manifest_of_thousands_of_entries(registry: ScriptedServer, tmp_path: Path) -> None:
    registry.script = lambda asked: _manifest(_many())

    run = run_apart("registry_image_info", {"images": [f"{registry.host}/many:v1"], "insecure": True}, tmp_path)

    assert run.result["images"][0]["digest"] == digest_of(_many())
    assert run.peak < PEAK


def test_what_is_asked_for_by_digest_is_what_comes(registry: ScriptedServer, tmp_path: Path) -> None:
    registry.script = lambda asked: _manifest(_self_listing(), Docker_Content_Digest=DIGEST)

    run = run_apart("registry_image_info", {"images": [f"{registry.host}/web@{DIGEST}"], "insecure": True}, tmp_path)

    assert f'serves "{DIGEST}" of web with other content, whose digest is {digest_of(_self_listing())}' in run.message


def test_an_answer_that_drips(registry: ScriptedServer, run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "Patience", functools.partial(Patience, body=0.3))
    registry.script = lambda asked: Reply(body=registry.endless(b"{", pause=0.01), content_type=OCI_INDEX)

    ended = run_here("registry_image_info", {"images": [f"{registry.host}/drip:v1"], "insecure": True, "timeout": 1})

    assert "(its answer began and did not end in time)" in ended.message
    # whoever drips will drip again
    assert len(registry.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda liar: Reply(body=liar.endless()), "answered 403"),
        (lambda liar: Reply(401, liar.endless(), {"WWW-Authenticate": "Basic " * 10_000}), "refused the user"),
        (
            lambda liar: Reply(401, b"", {"WWW-Authenticate": 'Bearer realm="' + "x" * 50_000 + '"'}),
            "which is not reached over HTTPS",
        ),
        (
            lambda liar: Reply(401, b"", {"WWW-Authenticate": 'Bearer realm="http://[",service="' + '\\"' * 20_000}),
            "which is no address",
        ),
        (lambda liar: Reply(302, b"", {"Location": "/v2/"}), "answered HTTP 302 at /v2/"),
    ],
)
def test_a_login(
    registry: ScriptedServer,
    lie: Callable[..., ScriptedServer],
    tmp_path: Path,
    answer: Callable[[ScriptedServer], Reply],
    words: str,
) -> None:
    registry.script = lambda asked: answer(registry)
    cluster = lie(lambda asked: Reply(403, {"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}))
    entry: dict[str, t.Any] = {
        "registry": registry.host,
        "username": "robot",
        "password": "unwatched",
        "insecure": True,
    }

    run = run_apart(
        "pull_secret",
        {"namespace": "shop", "name": "pull", "registries": [entry], "verify": True, "host": cluster.url},
        tmp_path,
    )

    assert words in run.message
    assert len(run.message) < 1000
    assert run.peak < PEAK

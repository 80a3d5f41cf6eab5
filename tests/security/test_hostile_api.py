# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server that is none, or lies: little memory, little time, one sentence."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import Reply, ScriptedServer

from security.runs import run_apart

# MiB: an answer is read up to 128 of them, since a list of thousands of image streams has to fit.
PEAK = 230
_READ = 'Cannot list image streams in namespace "shop": '
_PROXY = "check what stands between this machine and the API server, such as a proxy."
_ADDRESS = "check the option host"


def _zipped(size: int) -> bytes:
    return gzip.compress(b'{"items": ["' + b"x" * size, 1)


LIES: dict[str, tuple[Callable[[ScriptedServer], Reply], str]] = {
    "page": (
        lambda liar: Reply(body=b"<html><title>Log in</title>", content_type="text/html"),
        'is a web page ("Log in"), so this is not an API server',
    ),
    "endless page": (
        lambda liar: Reply(body=liar.endless(b"<p>" * 9999), content_type="text/html"),
        "is a web page (HTML), so this is not an API server",
    ),
    "endless error": (
        lambda liar: Reply(400, liar.endless(b"<p>" * 9999), content_type="text/html"),
        "answered 400: a web page (HTML); this is not an API server",
    ),
    "endless JSON": (lambda liar: Reply(body=liar.endless(b"[" * 65536)), f"is longer than 134217728 bytes; {_PROXY}"),
    "zipped JSON": (
        lambda liar: Reply(body=_zipped(200 * 1024**2), headers={"Content-Encoding": "gzip"}),
        f"is longer than 134217728 bytes; {_PROXY}",
    ),
    "zipped twice": (
        lambda liar: Reply(body=gzip.compress(_zipped(200 * 1024**2)), headers={"Content-Encoding": "gzip, gzip"}),
        f"is not UTF-8 text; {_PROXY}",
    ),
    "deep JSON": (lambda liar: Reply(body=b'{"items": ' + b"[" * 1_000_000), f"is not valid JSON; {_PROXY}"),
    "bytes": (lambda liar: Reply(body=b'{"items": "\xff"}'), f"is not UTF-8 text; {_PROXY}"),
    "a list": (lambda liar: Reply(body=[]), f"is not a JSON object; {_PROXY}"),
    "header": (
        lambda liar: Reply(body=b"{}", headers={"Warning": "x" * 70_000}),
        "got more than 65536 bytes when reading header line",
    ),
    "redirect": (
        lambda liar: Reply(302, liar.endless(), {"Location": "https://login.example.com/?next=x"}),
        "this is not an API server (it redirects to https://login.example.com/)",
    ),
    "Status of everything": (
        lambda liar: Reply(
            422,
            {
                "kind": "Status",
                "message": "x" * 1_000_000,
                "details": {"causes": [{"field": "f" * 9999, "message": "m"}] * 99},
            },
        ),
        "answered 422",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_answers(lie: Callable[..., ScriptedServer], tmp_path: Path, name: str) -> None:
    answer, words = LIES[name]
    liar = lie(lambda asked: answer(liar))

    run = run_apart("image_stream_info", {"namespace": "shop", "host": liar.url, "api_key": "unwatched"}, tmp_path)

    assert words in run.message
    assert _READ in run.message
    assert len(run.message) < 12_000
    assert run.peak < PEAK
    assert len(json.dumps(run.result)) < 60_000
    # nor is the same asked for again and again
    assert len(liar.asked) <= 4

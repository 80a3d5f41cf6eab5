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

from security.liars import Answer, Liar
from security.runs import run_apart

# MiB: an answer is read up to 128 of them, since a list of thousands of image streams has to fit.
PEAK = 230
_READ = 'Cannot list image streams in namespace "shop": '
_PROXY = "check what stands between this machine and the API server, such as a proxy."
_ADDRESS = "check the option host"


def _zipped(size: int) -> bytes:
    return gzip.compress(b'{"items": ["' + b"x" * size, 1)


LIES: dict[str, tuple[Callable[[Liar], Answer], str]] = {
    "page": (
        lambda liar: Answer(200, b"<html><title>Log in</title>", "text/html"),
        'is a web page ("Log in"), so this is not an API server',
    ),
    "endless page": (
        lambda liar: Answer(200, liar.endless(b"<p>" * 9999), "text/html"),
        "is a web page (HTML), so this is not an API server",
    ),
    "endless error": (
        lambda liar: Answer(400, liar.endless(b"<p>" * 9999), "text/html"),
        "answered 400: a web page (HTML); this is not an API server",
    ),
    "endless JSON": (lambda liar: Answer(200, liar.endless(b"[" * 65536)), f"is longer than 134217728 bytes; {_PROXY}"),
    "zipped JSON": (
        lambda liar: Answer(200, _zipped(200 * 1024**2), headers={"Content-Encoding": "gzip"}),
        f"is longer than 134217728 bytes; {_PROXY}",
    ),
    "zipped twice": (
        lambda liar: Answer(200, gzip.compress(_zipped(200 * 1024**2)), headers={"Content-Encoding": "gzip, gzip"}),
        f"is not UTF-8 text; {_PROXY}",
    ),
    "deep JSON": (lambda liar: Answer(200, b'{"items": ' + b"[" * 1_000_000), f"is not valid JSON; {_PROXY}"),
    "bytes": (lambda liar: Answer(200, b'{"items": "\xff"}'), f"is not UTF-8 text; {_PROXY}"),
    "a list": (lambda liar: Answer.of([]), f"is not a JSON object; {_PROXY}"),
    "header": (
        lambda liar: Answer(200, b"{}", headers={"Warning": "x" * 70_000}),
        "got more than 65536 bytes when reading header line",
    ),
    "redirect": (
        lambda liar: Answer(302, liar.endless(), headers={"Location": "https://login.example.com/?next=x"}),
        "this is not an API server (it redirects to https://login.example.com/)",
    ),
    "Status of everything": (
        lambda liar: Answer.of(
            {
                "kind": "Status",
                "message": "x" * 1_000_000,
                "details": {"causes": [{"field": "f" * 9999, "message": "m"}] * 99},
            },
            422,
        ),
        "answered 422",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_answers(lie: Callable[..., Liar], tmp_path: Path, name: str) -> None:
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

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault switch of the embedded registry, over its control endpoint."""

from __future__ import annotations

import time
import typing as t

import pytest
import requests
from registries.access import BasicAccess
from registries.content import RegistryContent, digest_of
from registries.embedded import EmbeddedRegistry
from registries.fleet import start_embedded

MANIFEST = "/v2/team/plain/manifests/v2"


@pytest.fixture
def registry(recorded: dict[str, RegistryContent]) -> t.Iterator[EmbeddedRegistry]:
    running = start_embedded(recorded["plain"])
    yield running
    running.stop()


@pytest.fixture
def base(registry: EmbeddedRegistry) -> str:
    return f"http://{registry.host}"


def switch(base: str, *faults: dict[str, t.Any]) -> None:
    """Set the faults, in place of those before."""
    answer = requests.put(f"{base}/_control/faults", json=list(faults), timeout=5)
    assert answer.json() == {"faults": len(faults)}


def test_status_with_retry_after_strikes_as_often_as_told(base: str) -> None:
    switch(base, {"path": "manifests", "status": 429, "retry_after": "1", "times": 2})
    answers = [requests.get(base + MANIFEST, timeout=5) for _turn in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert requests.get(f"{base}/_control/faults", timeout=5).json()[0]["times"] == 0


def test_reset_cuts_the_connection(base: str) -> None:
    switch(base, {"path": "manifests", "reset": True})
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(base + MANIFEST, timeout=5)
    assert requests.get(base + "/v2/", timeout=5).status_code == 200


def test_an_answer_that_ends_in_its_middle(base: str) -> None:
    switch(base, {"path": "manifests", "cut": True, "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(base + MANIFEST, timeout=5)
    assert requests.get(base + MANIFEST, timeout=5).status_code == 200


def test_delay_waits_and_then_serves(base: str) -> None:
    switch(base, {"method": "GET", "delay": 0.3})
    started = time.monotonic()
    assert requests.get(base + MANIFEST, timeout=5).status_code == 200
    assert time.monotonic() - started >= 0.3


def test_redirect_points_elsewhere(base: str) -> None:
    switch(base, {"path": "blobs", "redirect": "http://localhost:1/gone"})
    answer = requests.get(f"{base}/v2/team/plain/blobs/sha256:0", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://localhost:1/gone")


def test_huge_body_is_as_long_as_told(base: str) -> None:
    switch(base, {"path": "manifests", "huge_body": 3_000_001})
    assert len(requests.get(base + MANIFEST, timeout=5).content) == 3_000_001


def test_wrong_digest_serves_bytes_that_miss_both_digests(base: str, recorded: dict[str, RegistryContent]) -> None:
    switch(base, {"path": "manifests", "wrong_digest": True})
    answer = requests.get(base + MANIFEST, timeout=5)
    asked = recorded["plain"].repositories["team/plain"].tags["v2"]
    assert answer.status_code == 200
    assert digest_of(answer.content) not in (asked, answer.headers["Docker-Content-Digest"])
    assert answer.headers["Docker-Content-Digest"] != asked


def test_an_unknown_switch_is_refused(base: str) -> None:
    answer = requests.put(f"{base}/_control/faults", json=[{"explode": True}], timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"error": "a fault has no explode"})


def test_requests_are_logged_with_their_answers(base: str) -> None:
    requests.delete(f"{base}/_control/requests", timeout=5)
    requests.head(base + MANIFEST, timeout=5)
    requests.get(base + "/v2/team/nope/tags/list", auth=("u", "p"), timeout=5)
    assert requests.get(f"{base}/_control/requests", timeout=5).json() == [
        {"method": "HEAD", "path": MANIFEST, "authenticated": False, "status": 200},
        {"method": "GET", "path": "/v2/team/nope/tags/list", "authenticated": True, "status": 404},
    ]


def test_tag_lists_come_in_pages(base: str) -> None:
    first = requests.get(f"{base}/v2/team/plain/tags/list?n=1", timeout=5)
    assert first.json()["tags"] == ["v1"]
    second = requests.get(base + first.links["next"]["url"], timeout=5)
    assert second.json()["tags"] == ["v2"]
    assert "next" not in second.links


def test_basic_access_guards_reads_and_writes() -> None:
    registry = start_embedded(RegistryContent(), access=BasicAccess("u", "p"))
    try:
        url = f"http://{registry.host}/v2/a/blobs/uploads/"
        assert requests.post(url, timeout=5).status_code == 401
        assert requests.post(url, auth=("u", "p"), timeout=5).status_code == 202
    finally:
        registry.stop()

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references: parts, defaults, refusals; the order of a repository's tags."""

from __future__ import annotations

import pytest
from emulator.pullspec import BadReference, PullSpec
from emulator.tag_order import by_priority

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mysql", ("", "", "mysql", "", "")),
        ("library/mysql:8", ("", "library", "mysql", "8", "")),
        ("localhost/a", ("localhost", "", "a", "", "")),
        ("host:5000/a/b/c:v1", ("host:5000", "a", "b/c", "v1", "")),
        (f"quay.io/a/b@{DIGEST}", ("quay.io", "a", "b", "", DIGEST)),
        (f"quay.io/a/b:v1@{DIGEST}", ("quay.io", "a", "b", "v1", DIGEST)),
    ],
)
def test_parts(text: str, parts: tuple[str, ...]) -> None:
    """What belongs to the registry is told apart by a dot, a port, or localhost."""
    spec = PullSpec.parse(text)
    assert (spec.registry, spec.namespace, spec.name, spec.tag, spec.digest) == parts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("::bad::", "invalid reference format"),
        ("", "invalid reference format"),
        ("Host/Name", "repository name must be lowercase"),
        ("a@sha256:abc", "invalid reference format"),
        (f"a@md5:{'a' * 64}", "unsupported digest algorithm"),
        (f"a@sha256:{'a' * 40}", "invalid checksum digest length"),
        (f"a@sha256:{'A' * 64}", "invalid checksum digest format"),
        ("a" * 256, "repository name must not be more than 255 characters"),
    ],
)
def test_refusals(text: str, words: str) -> None:
    """The server's words."""
    with pytest.raises(BadReference) as caught:
        PullSpec.parse(text)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    "text",
    ["index.docker.io/" * 3 + "index.docker.io:-x", "a" * 5000 + "!", "a-" * 3000, "a." * 3000 + "!", "a/" * 3000],
)
def test_a_refusal_takes_no_time(text: str) -> None:
    with pytest.raises(BadReference):
        PullSpec.parse(text)


def test_defaults() -> None:
    """Docker's defaults apply to Docker Hub only, apart from the tag."""
    assert str(PullSpec.parse("mysql").with_defaults()) == "docker.io/library/mysql:latest"
    assert str(PullSpec.parse("quay.io/mysql").with_defaults()) == "quay.io/mysql:latest"
    assert PullSpec.parse("mysql").with_defaults().host == "registry-1.docker.io"
    assert PullSpec.parse("mysql:8").normalized() == "docker.io/library/mysql:8"


def test_tag_order() -> None:
    """latest, minor versions from new to old, full versions, the rest by name (server-behaviour.md 2.4)."""
    tags = [
        "zeta",
        "1.0.0",
        "v2.1",
        "latest",
        "2.1",
        "alpha",
        "1.10",
        "1.9.3",
        "1.9.3-rc1",
        "5.1-rc1",
        "v1",
        "10.0.0",
        "",
    ]
    assert by_priority(tags) == [
        "latest",
        "5.1-rc1",
        "2.1",
        "v2.1",
        "1.10",
        "10.0.0",
        "1.9.3",
        "1.9.3-rc1",
        "1.0.0",
        "alpha",
        "v1",
        "zeta",
    ]

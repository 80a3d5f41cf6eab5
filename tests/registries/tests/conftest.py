# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registries under test: each engine started once, filled with recorded content."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from registries.content import RegistryContent, load_contents
from registries.fleet import RegistryFleet

RECORDED = Path(__file__).parents[2] / "contract" / "registry.json"


@pytest.fixture(scope="session")
def recorded() -> dict[str, RegistryContent]:
    """Return the contract's registry content."""
    return load_contents(RECORDED)


@pytest.fixture(scope="session", params=["docker-registry", "embedded"])
def fleet(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    recorded: dict[str, RegistryContent],
) -> t.Iterator[RegistryFleet]:
    """All registries, once with each engine."""
    directory = tmp_path_factory.mktemp(request.param)
    with RegistryFleet(directory, recorded, request.param) as running:
        yield running

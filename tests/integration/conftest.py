# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster, the registries and the runner that every integration test gets."""

from __future__ import annotations

import os
import secrets
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.running import Lab

from integration import preflight, surroundings
from integration.cluster import Cluster
from integration.playbooks import AT_THE_END, Playbooks
from integration.stage import NewNamespace, NewStage, Stage
from integration.surroundings import Surroundings

# Processes that test side by side are given the variables by the one that starts them.
_RUN = "QUAYSIDE_TEST_RUN"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How the cluster is that is started if none is given."""
    parser.addoption(
        "--no-controllers",
        action="store_true",
        help="a cluster that does nothing by itself: no imports, no secrets of service accounts",
    )


def pytest_configure(config: pytest.Config) -> None:
    """If no cluster and registries are given, start some for the whole run, before any process that runs tests. A
    cluster that was given is looked at, and occupied."""
    is_first = _RUN not in os.environ
    os.environ.setdefault(_RUN, secrets.token_hex(3))
    config.add_cleanup(AT_THE_END.close)
    if not is_first or config.getoption("collectonly"):
        return
    if surroundings.are_given():
        _take(config, Path(os.environ["KUBECONFIG"]))
        return
    directory = tempfile.TemporaryDirectory(prefix="quayside-test-")
    config.add_cleanup(directory.cleanup)
    lab = Lab(Path(directory.name), controllers=not config.getoption("no_controllers"), namespaces=("default",))
    lab.start()
    config.add_cleanup(lab.stop)
    os.environ.update({name: lab.environment[name] for name in surroundings.VARIABLES})


def _take(config: pytest.Config, kubeconfig: Path) -> None:
    cluster = Cluster(kubeconfig)
    config.add_cleanup(cluster.close)
    problems = preflight.missing(cluster)
    if problems:
        raise pytest.UsageError(
            "\n".join(["These tests cannot run on this cluster (docs/testing-on-a-cluster.md):", *problems])
        )
    try:
        preflight.occupy(cluster, os.environ[_RUN])
    except preflight.Occupied as refusal:
        raise pytest.UsageError(str(refusal)) from None
    config.add_cleanup(lambda: preflight.release(cluster))


@pytest.fixture(scope="session")
def given() -> Surroundings:
    """Return the cluster's kubeconfig and the registries. Processes side by side push to repositories of their own:
    docker-registry loses a blob that two of them upload at the same time."""
    return Surroundings.read(os.environ, os.environ[_RUN] + os.environ.get("PYTEST_XDIST_WORKER", ""))


@pytest.fixture(scope="session")
def cluster(given: Surroundings) -> Iterator[Cluster]:
    """Yield the cluster as its administrator sees it."""
    cluster = Cluster(given.kubeconfig)
    yield cluster
    cluster.close()


@pytest.fixture
def playbooks(given: Surroundings, tmp_path: Path) -> Playbooks:
    """Run playbooks with the administrator's kubeconfig."""
    return Playbooks(tmp_path, {"KUBECONFIG": str(given.kubeconfig)})


@pytest.fixture
def new_namespace(cluster: Cluster, given: Surroundings) -> Iterator[NewNamespace]:
    """Create namespaces of this test's own, which go away with it."""
    created: list[str] = []

    def create() -> str:
        name = f"quayside-test-{given.run}-{secrets.token_hex(3)}"
        created.append(name)
        cluster.create_namespace(name)
        cluster.settled([name])
        return name

    yield create
    for name in created:
        cluster.delete_namespace(name)


@pytest.fixture
def namespace(new_namespace: NewNamespace) -> str:
    """One namespace of this test's own."""
    return new_namespace()


@pytest.fixture
def new_stage(request: pytest.FixtureRequest, cluster: Cluster, playbooks: Playbooks) -> NewStage:
    """Make a stage for a playbook beside the test, or for one that is named in full."""

    def make(playbook: str, *namespaces: str, **rest: t.Any) -> Stage:
        path = request.path.parent / playbook
        return Stage(cluster, playbooks, path if path.is_file() else playbook, namespaces, **rest)

    return make

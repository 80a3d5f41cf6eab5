# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates: every check that the project has to pass, each one command.

Run by the Python of ``.venv``: ``python -m tools.gates test``; ``--arguments`` is for a gate run alone.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools import BUILD, ROOT, Refused
from tools.awx_collection import FOLDER as AWX_FOLDER
from tools.awx_collection import ensure_awx_collection
from tools.debian import ensure_installed, ensure_program
from tools.environment import path_of
from tools.runner import Gate, run_all
from tools.tree import refresh

PYTHON = sys.executable
COLLECTION = "ansible_collections.quayside.openshift_images"
# The oldest Python that modules run with: a target of the sanity tests.
OLDEST_TARGET = "3.9"
# Settings of the person at the screen that would change what Ansible, the modules or the tools do.
PERSONAL = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "TEST_REGISTRY_", "PYTHON", "MYPY", "PYTEST_", "RUFF_", "COLUMNS")
# What names a cluster and its registries for "make test-cluster".
CLUSTER = (
    "KUBECONFIG",
    *(f"TEST_REGISTRY_{part}" for part in ("PRIVATE", "PLAIN", "SELFSIGNED", "USER", "PASSWORD", "CA")),
)

# Versions of ansible-core that are tested in part: what a release of it has changed for collections before.
BETWEEN = ("core-2.17", "core-2.18", "core-2.19", "core-2.20")
# The one to come: tested as those between, and may fail.
NEXT = "next"
SANITY_IN_PART = ("import", "validate-modules", "ansible-doc")
# What meets ansible-core; the rest of the unit tests meets Python only.
UNIT_IN_PART = ("tests/unit/plugins/modules", "tests/unit/collection")
MAIN_JOB = "tests/integration/targets/site/test_main_job.py"
# What ansible-core does with text of others differs from release to release. In full at both ends of what is
# supported, and before a release where the templating of today began.
HOSTILE = (
    "tests/integration/targets/adopt/test_hostile.py",
    "tests/integration/emulator/test_hostile_servers.py",
)
HOSTILE_ENDS = ("oldest", "newest")
HOSTILE_BETWEEN = ("core-2.18", "core-2.19")

GROUPS = {
    "lint": ("ruff", "format", "mypy", "mypy-tools", "yamllint", "reuse", "changelog", "ansible-lint"),
    "docs-lint": ("antsibull-docs", "docs"),
    "build": ("artifact", "galaxy-importer", "execution-environment"),
    "test": (
        *(
            "push",
            "push-demo",
            "sanity",
            "integration",
            "unit",
            "apparatus",
            "contract",
            "traps",
            "browser",
            "reliability",
            "security",
            "demo",
        ),
        *("build", "docs-lint", "lint"),
    ),
    "soak": (
        *("soak-reliability", "soak-security", "soak-fleet"),
        *(f"hostile-{core}" for core in HOSTILE_BETWEEN),
    ),
    # The ends first: they take the longest.
    "test-matrix": tuple(
        f"{kind}-{core}"
        for core in ("oldest", "newest", *BETWEEN, NEXT)
        for kind in ("environment", "sanity", "unit", "main-job", *(("hostile",) if core in HOSTILE_ENDS else ()))
    ),
    "everything": ("test-matrix", "test"),
}
# Chooses the long form of a test that has two.
SOAK = {"QUAYSIDE_SOAK": "1"}
# Takes as long as all the rest of the tests together: run by hand before a release.
BEFORE_A_RELEASE = {
    "environment-oldest-target",
    "integration-oldest",
    "soak-reliability",
    "soak-security",
    "soak-fleet",
    *(f"hostile-{core}" for core in HOSTILE_BETWEEN),
    "fuzz",
    "bench",
    "bench-fleet",
}
NEED_AWX = {"integration", "integration-oldest", "test-cluster"}
NEED_BROWSER = {"browser", "bench"}
NEED_RULEBOOK = {"push", "push-demo", "bench"}
NEED_REGISTRY = {
    "push",
    "push-demo",
    "integration",
    "integration-oldest",
    "contract",
    "traps",
    "fuzz",
    "demo",
    "apparatus",
    "bench",
}
NEED_REGISTRY |= {"bench-fleet", "soak-fleet"}
NEED_PROMTOOL = {"integration", "integration-oldest", "test-cluster"}


def all_gates(work: Path) -> list[Gate]:
    """Return every gate. ``work`` is the copy of the collection, because most tools go by the path."""
    variables = environment(Path(PYTHON).parent, work)
    tree = work.parents[2]
    cluster = {name: os.environ[name] for name in CLUSTER if name in os.environ}
    apparatus = [f"tests/{name}/tests" for name in ("emulator", "registries", "lab", "demo")]

    def gate(name: str, *command: str, folder: Path = work, after: tuple[str, ...] = ()) -> Gate:
        return Gate(name, command, folder, variables, after)

    def pytest(name: str, *arguments: str, **more: str) -> Gate:
        return Gate(name, (PYTHON, "-m", "pytest", *arguments), work, variables | imports(work) | more)

    examples = os.environ.get("FUZZ_EXAMPLES", "20000")
    pictures = (
        {"QUAYSIDE_SCREENSHOTS": str(Path(os.environ["SCREENSHOTS"]).resolve())}
        if os.environ.get("SCREENSHOTS")
        else {}
    )
    return [
        gate("sanity", PYTHON, "-m", "tools.sanity", folder=ROOT),
        # Most of its time is waiting. Real parts only: ansible-rulebook in an environment of its own, a registry, the
        # emulator.
        Gate("environment-eda", (PYTHON, "-m", "tools.environment", "eda"), ROOT, variables),
        Gate("push-demo", (PYTHON, "-m", "push"), work, variables | imports(work) | rulebook(), ("environment-eda",)),
        Gate(
            "push",
            (PYTHON, "-m", "pytest", "tests/push"),
            work,
            variables | imports(work) | rulebook(),
            ("environment-eda",),
        ),
        pytest("integration", "-n", "2", "tests/integration"),
        Gate(
            "test-cluster",
            (PYTHON, "-m", "pytest", "--ignore=tests/integration/emulator", "tests/integration"),
            work,
            variables | imports(work) | cluster,
        ),
        pytest("contract", "-n", "2", "tests/contract"),
        pytest("traps", "-n", "2", "tests/traps"),
        pytest("browser", "tests/browser", **pictures),
        # Most of its time is waiting.
        pytest("reliability", "-n", "4", "tests/reliability"),
        pytest("soak-reliability", "-n", "2", "-m", "rounds", "tests/reliability", **SOAK),
        pytest("security", "-n", "2", "tests/security"),
        pytest("soak-security", "-n", "2", "tests/security", **SOAK),
        pytest("soak-fleet", "tests/integration/emulator/test_fleet.py", QUAYSIDE_TEST_CLUSTERS="100"),
        Gate("bench-fleet", (PYTHON, "-m", "fleet"), work, variables | imports(work)),
        pytest(
            "fuzz",
            "-n",
            "2",
            "--dist",
            "worksteal",
            "-m",
            "hypothesis",
            "tests/unit",
            "tests/security",
            "tests/traps",
            FUZZ_EXAMPLES=examples,
        ),
        Gate("demo", (PYTHON, "-m", "demo"), work, variables | imports(work)),
        Gate(
            "bench",
            (PYTHON, "-m", "bench", "--results", str(BUILD / "bench.json")),
            work,
            variables | imports(work) | rulebook(),
            ("environment-eda",),
        ),
        pytest("apparatus", "-n", "2", "tools/tests", *apparatus),
        pytest("unit", "-n", "2", "tests/unit"),
        gate("ruff", "ruff", "check", "."),
        gate("format", "ruff", "format", "--check", "."),
        gate(
            "mypy",
            "mypy",
            "--config-file",
            str(work / "pyproject.toml"),
            "-p",
            f"{COLLECTION}.plugins",
            "-p",
            f"{COLLECTION}.extensions",
            folder=tree,
        ),
        gate("mypy-tools", "mypy", "tools", folder=ROOT),
        gate("yamllint", "yamllint", "--strict", "."),
        # In the checkout: in the copy the other gates make files, of which reuse asks only once whether git ignores
        # them.
        gate("reuse", "reuse", "lint", "--lines", folder=ROOT),
        gate("changelog", "antsibull-changelog", "lint"),
        gate("ansible-lint", "ansible-lint", "--profile", "production", "--offline", "--strict"),
        gate(
            "antsibull-docs",
            "antsibull-docs",
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs=all",
            ".",
        ),
        gate("docs", PYTHON, "-m", "tools.docsite", folder=ROOT),
        gate("artifact", PYTHON, "-m", "tools.artifact", str(work), folder=ROOT),
        gate("galaxy-importer", PYTHON, "-m", "tools.importer", folder=ROOT, after=("artifact",)),
        gate("execution-environment", PYTHON, "-m", "tools.execution_environment", folder=ROOT, after=("artifact",)),
        *matrix_gates(work),
    ]


def matrix_gates(work: Path) -> list[Gate]:
    """Return the gates of every ansible-core that is supported; each has an environment of its own."""
    own = environment(Path(PYTHON).parent, work)
    cores = ("oldest", *BETWEEN, "newest", NEXT)
    gates = [
        Gate(f"environment-{name}", (PYTHON, "-m", "tools.environment", name), ROOT, own, required=name != NEXT)
        for name in (*cores, "oldest-target")
    ]
    for core in cores:
        whole = core in ("oldest", "newest")
        bin_folder, prepared = path_of(core) / "bin", (f"environment-{core}",)
        python, variables = str(bin_folder / "python"), environment(bin_folder, work)
        sanity = (OLDEST_TARGET,) if whole else tuple(f"--test={name}" for name in SANITY_IN_PART)
        for name, command, folder, more in (
            ("sanity", (python, "-m", "tools.sanity", *sanity), ROOT, {}),
            (
                "unit",
                (python, "-m", "pytest", "-n", "2", *(("tests/unit",) if whole else UNIT_IN_PART)),
                work,
                imports(work),
            ),
            ("main-job", (python, "-m", "pytest", MAIN_JOB), work, imports(work)),
            ("hostile", (python, "-m", "pytest", *HOSTILE), work, imports(work)),
        ):
            if name != "hostile" or core in (*HOSTILE_ENDS, *HOSTILE_BETWEEN):
                gates.append(Gate(f"{name}-{core}", command, folder, variables | more, prepared, required=core != NEXT))
    # The oldest ansible-core, its modules run by the oldest Python with the oldest libraries.
    bin_folder, target = path_of("oldest") / "bin", path_of("oldest-target") / "bin" / "python"
    variables = environment(bin_folder, work) | imports(work) | {"QUAYSIDE_TEST_MODULE_PYTHON": str(target)}
    playbooks = (str(bin_folder / "python"), "-m", "pytest", "-n", "2", "tests/integration")
    after = ("environment-oldest", "environment-oldest-target")
    return [*gates, Gate("integration-oldest", playbooks, work, variables, after)]


def environment(bin_folder: Path, work: Path) -> dict[str, str]:
    """Return the variables for a gate: the person's own without what would change a result."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PERSONAL)}
    return kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(work.parents[2]),
        "ANSIBLE_HOME": str(BUILD / "ansible-home"),
        "ANSIBLE_NOCOLOR": "1",
        "MYPY_CACHE_DIR": str(BUILD / "cache" / "mypy"),
        "NO_COLOR": "1",
        "PATH": f"{bin_folder}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "RUFF_CACHE_DIR": str(BUILD / "cache" / "ruff"),
    }


def imports(work: Path) -> dict[str, str]:
    """Return the variables that let tests import the collection by its full name and the packages under tests/, and
    find awx.awx."""
    return {
        "PYTHONPATH": f"{work.parents[2]}{os.pathsep}{work / 'tests'}",
        "QUAYSIDE_TEST_AWX_COLLECTIONS": str(AWX_FOLDER),
    }


def rulebook() -> dict[str, str]:
    """Return the variable that tells tests where ansible-rulebook is."""
    return {"QUAYSIDE_TEST_EDA_BIN": str(path_of("eda") / "bin")}


def select(names: Iterable[str], gates: list[Gate]) -> list[Gate]:
    """Return the gates of the names and groups, and those that they wait for, in the order of the groups."""
    known = {gate.name: gate for gate in gates}
    chosen: dict[str, Gate] = {}

    def choose(name: str) -> None:
        if name in GROUPS:
            for member in GROUPS[name]:
                choose(member)
        elif name in known:
            for before in known[name].after:
                choose(before)
            chosen[name] = known[name]
        else:
            raise Refused(f"There is no gate {name}: name one of {', '.join([*GROUPS, *known])}.")

    for name in names:
        choose(name)
    return list(chosen.values())


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.gates", description="Run gates of the project.")
    parser.add_argument("names", nargs="+", help="gates or groups of gates")
    parser.add_argument("--arguments", default="", help="words to add to the command of a gate that is run alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many gates run at once")
    options = parser.parse_args(words)
    missing = [name for name in CLUSTER if not os.environ.get(name)]
    if "test-cluster" in options.names and missing:
        raise Refused(f"test-cluster needs these variables too, see CONTRIBUTING.md: {' '.join(missing)}")
    gates = select(options.names, all_gates(refresh("work")))
    if NEED_REGISTRY & {gate.name for gate in gates}:
        ensure_program("docker-registry", "docker-registry", Path(PYTHON).parent)
    if NEED_RULEBOOK & {gate.name for gate in gates}:
        ensure_installed("java", "default-jre-headless")
    if "push" in {gate.name for gate in gates}:
        ensure_program("nginx", "nginx", Path(PYTHON).parent)
    if NEED_PROMTOOL & {gate.name for gate in gates}:
        ensure_program("promtool", "prometheus", Path(PYTHON).parent)
    if NEED_BROWSER & {gate.name for gate in gates}:
        ensure_installed("chromium", "chromium")
    if NEED_AWX & {gate.name for gate in gates}:
        ensure_awx_collection()
    if len(options.names) == 1 and gates[-1].name == options.names[0]:
        *before, gate = gates
        if before and not run_all(before, BUILD / "logs", options.jobs):
            return 1
        command = [*gate.command, *shlex.split(options.arguments)]
        return subprocess.run(command, check=False, cwd=gate.folder, env=gate.environment).returncode
    return 0 if run_all(gates, BUILD / "logs", options.jobs) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refused as refusal:
        sys.exit(str(refusal))

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m demo``: the main job from the first run to the corrected drift, on a lab that it starts itself."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import requests
import yaml
from lab import background
from registries.client import RegistryRefused
from registries.fleet import ENGINES

from .claims import ClaimBrokenError
from .cluster import Cluster
from .job import NAMESPACES, Job
from .playbook import Playbook
from .scenes import REPORT, Stage, correction, drift, first_run, report, second_run, typo, upstream_moved
from .table import final_table

_ROOT = Path(__file__).parents[2]
_KEPT_DIRECTORY = _ROOT / ".cache" / "demo"
_PLAYBOOK = "quayside.openshift_images.site"
# where the page stays when the demo is over
_PAGE = _ROOT / ".cache" / "demo-drift.html"
_SHOWN_VARIABLES = 12
_SCENES: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("First run: pull secrets, links and images from nothing", first_run),
    ("Second run: nothing to do", second_run),
    ("Upstream moved: a tag is another image now", upstream_moved),
    ("Drift: four changes by hand, seen by check mode", drift),
    ("Report: the same four as a page", report),
    ("Correction: the same four, undone", correction),
    ("A typo: what a failed tag says", typo),
)


def main(arguments: list[str] | None = None) -> int:
    """Play all scenes; 0, or 1 with the sentence of the claim that did not hold."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave cluster and registries running, print how to use them"
    )
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what the registries are")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    directory = _KEPT_DIRECTORY if options.keep else Path(tempfile.mkdtemp(prefix="quayside-demo-"))
    try:
        code = _demo(directory, options.engine, keep=options.keep)
        print(f"The demo took {time.monotonic() - started:.0f} s.")
        return code
    finally:
        if not options.keep:
            shutil.rmtree(directory)


def _demo(directory: Path, engine: str, *, keep: bool) -> int:
    lab_arguments = ["--engine", engine]
    for namespace in NAMESPACES:
        lab_arguments += ["--namespace", namespace]
    if not keep:
        lab_arguments += ["--owner", str(os.getpid())]
    try:
        lab = background.start(directory, lab_arguments)
    except background.LabError as error:
        print(f"The demo cannot start: {error}", file=sys.stderr)
        return 1
    _tell(f"An emulated cluster listens on {lab['api']}. {_registries(lab['engine'])}.")
    cluster = Cluster.from_environment(lab["environment"], NAMESPACES)
    kept = False
    try:
        stage = _stage(directory, lab["environment"], cluster)
        _show_variables(stage)
        for number, (title, scene) in enumerate(_SCENES, start=1):
            started = time.monotonic()
            print(f"\n{number}. {title}")
            scene(stage)
            _tell(f"({time.monotonic() - started:.0f} s)")
        print(f"\n{final_table(cluster)}\n")
        kept = keep
    except (
        ClaimBrokenError,
        RegistryRefused,
        requests.RequestException,
        TimeoutError,
        subprocess.TimeoutExpired,
    ) as error:
        print(f"\nThe demo ends here: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was interrupted; cluster and registries are being stopped.", file=sys.stderr)
        return 130
    finally:
        cluster.close()
        if not kept:
            background.stop(directory)
    print(_how_to_use(directory, stage.playbook) if keep else "Everything held; cluster and registries are stopped.")
    print(f"The drift report: {_PAGE}")
    return 0


def _stage(directory: Path, environment: Mapping[str, str], cluster: Cluster) -> Stage:
    job = Job.from_environment(environment)
    job.push_images()
    collections = directory / "collections"
    link = collections / "ansible_collections" / "quayside" / "openshift_images"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(_ROOT, target_is_directory=True)
    playbook = Playbook(
        _PLAYBOOK,
        job.variables(),
        {**environment, "ANSIBLE_COLLECTIONS_PATH": str(collections)},
        directory,
    )
    playbook.write_variables()
    _PAGE.parent.mkdir(exist_ok=True)
    return Stage(cluster, job, playbook, _tell, _PAGE)


def _show_variables(stage: Stage) -> None:
    """Show the beginning of what is declared: the streams, which hold no password."""
    declared = yaml.safe_dump(
        {"image_streams_desired": stage.playbook.variables["image_streams_desired"]}, sort_keys=False
    ).splitlines()
    _tell(f"Image streams declared in {stage.playbook.variables_file.name}, beside pull secrets and links:")
    for line in declared[:_SHOWN_VARIABLES]:
        _tell(f"  {line}")
    _tell(f"  ... and {len(declared) - _SHOWN_VARIABLES} more lines")


def _tell(line: str) -> None:
    print(f"   {line}", flush=True)


def _registries(engine: str) -> str:
    what = "Debian's docker-registry" if engine == "docker-registry" else "A small registry of the tests"
    return f"{what} runs three times: with TLS and a password, with plain HTTP, and with self-signed TLS"


def _how_to_use(directory: Path, playbook: Playbook) -> str:
    python, tests = sys.executable, _ROOT / "tests"
    return "\n".join(
        (
            "Everything held, and keeps running for four hours at most. In a shell:",
            f"   . {directory / 'lab.env'}",
            f"   export ANSIBLE_COLLECTIONS_PATH={playbook.environment['ANSIBLE_COLLECTIONS_PATH']}",
            "then",
            f"   {' '.join(playbook.arguments())} --check --diff",
            "   kubectl get imagestreams --all-namespaces",
            f"   oc get imagestreams --namespace {NAMESPACES[0]}",
            "move a tag yourself with",
            f"   PYTHONPATH={tests} {python} -m registries push --registry $TEST_REGISTRY_PRIVATE \\",
            "     --user $TEST_REGISTRY_USER --password-env TEST_REGISTRY_PASSWORD --ca $TEST_REGISTRY_CA \\",
            "     --repository team/web --tag stable --platform linux/amd64 --salt mine",
            "see what differs as a page, drift.html in the folder that you are in, with",
            f"   {' '.join(playbook.arguments(REPORT))}",
            "and end it with",
            f"   PYTHONPATH={tests} {python} -m lab down --state-dir {directory}",
        )
    )


if __name__ == "__main__":
    sys.exit(main())

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of each module, in instructions: beside a bare module, and beside kubernetes.core.k8s_info reading one
object."""

from __future__ import annotations

import statistics
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

from .figures import Figure
from .playbook import module_files
from .processes import instructions
from .scene import Scene

# Has the collections that we compare with.
_WHEEL = "ansible~=12.0"
_OTHERS = ("ansible_collections/kubernetes/core/", "ansible_collections/community/okd/")
_OURS = "quayside.openshift_images."
# what a start may cost, in parts of the others'
WANTED_OF_BARE = 1.45
WANTED_OF_THEIRS = 0.85
_SAMPLES = "/apis/samples.operator.openshift.io/v1/configs"


def run(scene: Scene) -> list[Figure]:
    """Return the figures."""
    source = scene.push("team/start", 1, 1)[0]
    scene.import_tags("start", {"v0": source})
    scene.control.change(samples_operator=True)
    scene.api.send(
        "POST", _SAMPLES, {"kind": "Config", "metadata": {"name": "cluster"}, "spec": {"managementState": "Removed"}}
    )
    collections = other_collections(scene.directory / "others")
    figures = []
    for way, access in (("host and token", scene.by_token), ("a static kubeconfig", scene.by_kubeconfig)):
        tasks = _tasks(scene, source, access)
        files = module_files(scene.directory / way.replace(" ", "-"), tasks, collections)
        counted = {name: instructions([sys.executable, str(file)]) / 1e6 for name, file in files.items()}
        figures += _figures(way, counted.pop("bare_request"), counted.pop("k8s_info"), counted)
    return figures


def _figures(way: str, bare: float, theirs: float, counted: t.Mapping[str, float]) -> list[Figure]:
    """Return the slowest start and the one in the middle, beside both others."""
    worst, median = max(counted, key=counted.__getitem__), statistics.median(counted.values())
    ours = f"{len(counted)} modules, worst {counted[worst]:.0f} million instructions ({worst}), median {median:.0f}"
    figures = []
    others = (
        ("a bare module with requests", bare, WANTED_OF_BARE),
        ("kubernetes.core.k8s_info reading one object", theirs, WANTED_OF_THEIRS),
    )
    for other, millions, wanted in others:
        details = {"instructions": dict(counted), "other": millions, "access": way, "median": median / millions}
        theirs_said = f"{other}, {millions:.0f} (ratio of the median {median / millions:.2f})"
        figures.append(
            Figure(
                "start", f"start of a module, {way}", ours, theirs_said, "≤", wanted, counted[worst] / millions, details
            )
        )
    return figures


def other_collections(directory: Path) -> Path:
    """kubernetes.core and community.okd out of the package ansible of PyPI; returns a path for collections."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        str(directory),
        _WHEEL,
    ]
    subprocess.run(command, check=True)
    (wheel,) = directory.glob("ansible-*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(directory, [name for name in content.namelist() if name.startswith(_OTHERS)])
    wheel.unlink()
    return directory


def _tasks(scene: Scene, source: str, access: t.Mapping[str, str]) -> dict[str, tuple[str, dict[str, t.Any]]]:
    """Return the cheapest run of each module that reads something."""
    one = {**access, "namespace": scene.api.namespace}
    ours: dict[str, dict[str, t.Any]] = {
        "image_stream_import": {**one, "name": "start", "refresh": "missing", "tags": [{"name": "v0", "from": source}]},
        "image_stream_info": {**one, "name": "start"},
        "image_stream_refresh": {
            **access,
            "namespaces": [scene.api.namespace],
            "pushes": [{"registry": "none.example.com", "repository": "start"}],
        },
        "image_stream_tag": {**one, "name": "start:v0", "from": source},
        "pull_secret": {**one, "name": "none", "state": "absent", "check_others": False},
        "sa_secret_link": {**one, "service_accounts": ["default"], "secrets": ["none"], "state": "absent"},
        "registry_access_info": {**one, "links": False},
        "image_prune_risk_info": {**one, "kinds": ["Pod"]},
        "cluster_drift": {
            **access,
            "upstream": False,
            "streams": [{"namespace": scene.api.namespace, "name": "start", "tags": [{"name": "v0", "from": source}]}],
        },
        "multiarch_migration_info": {**one, "names": ["start"]},
        "samples_operator": {**access, "wait": False},
    }
    if "host" in access:
        # It reads a registry, so that how the cluster is reached makes no difference.
        ours["registry_image_info"] = {"images": [source], "insecure": True}
    path = scene.api.image("imagestreams", "start")
    tasks: dict[str, tuple[str, dict[str, t.Any]]] = {name: (_OURS + name, options) for name, options in ours.items()}
    tasks["bare_request"] = ("bare_request", {**access, "path": path})
    tasks["k8s_info"] = (
        "kubernetes.core.k8s_info",
        {**one, "api_version": "image.openshift.io/v1", "kind": "ImageStream", "name": "start"},
    )
    return tasks

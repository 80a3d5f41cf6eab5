# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module's ``main`` in this process: options in, its results out; several at once, each in a thread of its own.

Everything between the options and the answer is the real thing. Only how a process begins and ends is not: options come
from memory instead of from standard input, and the answer is kept instead of printed.
"""

from __future__ import annotations

import copy
import functools
import importlib
import threading
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import client as cluster_client
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import optimistic
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine import stream_imports, writer
from ansible_collections.quayside.openshift_images.plugins.module_utils._module import runner as module_runner
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry import session as registry_session

MODULES = "ansible_collections.quayside.openshift_images.plugins.modules"
WRITERS = ("image_stream_import", "image_stream_tag", "pull_secret", "sa_secret_link", "samples_operator")
# Waits pass this much faster than they are long.
PACE = 1 / 20
# Seconds in the place of a minute and of 15 seconds: how long an answer may take to begin.
ANSWER_TIME = 0.5

_Patience = registry_session.Patience
Results = dict[str, t.Any]
_given = threading.local()


class _Ended(SystemExit):
    """The module has said its last word."""

    def __init__(self, results: Results) -> None:
        super().__init__(0)
        self.results = results


class _Module(module_runner._Module):
    """An AnsibleModule that takes its options from the thread and hands its answer to it."""

    def _load_params(self) -> None:
        self.params = copy.deepcopy(_given.options)

    def log(self, msg: t.Any, log_args: t.Any = None) -> None:
        """Nothing goes to the system log."""

    def warn(self, warning: str, **_more: t.Any) -> None:
        _given.warnings.append(warning)

    def exit_json(self, **results: t.Any) -> t.NoReturn:
        raise _Ended(results)

    def fail_json(self, msg: str, **results: t.Any) -> t.NoReturn:
        self.hide_option_secrets()
        raise _Ended({"changed": False, **results, "msg": msg, "failed": True})


@dataclass
class Run:
    """How a module ended. ``waits`` are the seconds that its client wanted to wait before each next try."""

    results: Results
    warnings: list[str]
    waits: list[float] = field(default_factory=list)

    @property
    def failure(self) -> str:
        """The message of a failed run, "" of one that succeeded."""
        return self.results["msg"] if self.results.get("failed") else ""

    @property
    def changed(self) -> bool:
        """Whether it says that it changed something."""
        return bool(self.results["changed"])


_WAITS = {
    (optimistic, "_FIRST_WAIT"): optimistic._FIRST_WAIT,
    (optimistic, "_LONGEST_WAIT"): optimistic._LONGEST_WAIT,
    (optimistic, "_FIRST_WAIT_UNANSWERED"): optimistic._FIRST_WAIT_UNANSWERED,
    (writer, "_RECOVERY"): writer._RECOVERY,
}


def set_pace(pace: float = PACE) -> None:
    """Let waiting in this process take ``pace`` of its time, until the next call."""
    module_runner._Module = _Module  # type: ignore[misc]
    module_runner.ClusterClient = functools.partial(_client_with_pace, pace)  # type: ignore[misc,assignment]
    cluster_client.DEFAULT_TIMEOUT = stream_imports._ANSWER_GRACE = ANSWER_TIME if pace < 1 else 60.0
    for (place, name), seconds in _WAITS.items():
        setattr(place, name, seconds * pace)
    registry_session.Patience = functools.partial(
        _Patience, connect=1.0, answer=ANSWER_TIME, body=1.0, pause=0.5 * pace
    )  # type: ignore[misc,assignment]


def _client_with_pace(pace: float, *arguments: t.Any, **keywords: t.Any) -> cluster_client.ClusterClient:
    waits: list[float] = _given.waits

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds * pace)

    return cluster_client.ClusterClient(*arguments, **keywords, sleep=sleep)


def run(module: str, options: t.Mapping[str, t.Any], *, check_mode: bool = False) -> Run:
    """Run ``module`` (its short name) once."""
    _given.options = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": True}
    _given.warnings, _given.waits = [], []
    try:
        importlib.import_module(f"{MODULES}.{module}").main()
    except _Ended as ended:
        return _finished(ended.results)
    raise AssertionError(f"{module} ended without a word")


def _finished(results: dict[str, t.Any]) -> Run:
    assert "Internal error of the module" not in repr(results)
    return Run(results, _given.warnings, _given.waits)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in this process with every outlet watched, and servers that end with the test."""

from __future__ import annotations

import logging
import os
import sys
import syslog
import tempfile
import time
import typing as t
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import Script, ScriptedServer

from security.runs import Ended, RunHere, arguments, result_in
from security.specs import MODULES, load

_SURROUNDINGS = (
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)
_COLLECTION = "ansible_collections.quayside.openshift_images.plugins."


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster, proxy or home of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("K8S_AUTH_") or name.upper() in _SURROUNDINGS:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")


@pytest.fixture
def lie() -> Iterator[Callable[..., ScriptedServer]]:
    """``lie(script)`` starts a server that answers with it."""
    liars: list[ScriptedServer] = []

    def start(script: Script, **rest: t.Any) -> ScriptedServer:
        liars.append(ScriptedServer(script=script, **rest))
        return liars[-1]

    yield start
    for liar in liars:
        liar.close()


def _do_not_wait(_seconds: float) -> None:
    """Instead of time.sleep."""


def _waiting() -> Iterator[dict[str, t.Any]]:
    """Yield the defaults of everything in the collection that is told how to wait."""
    for module in MODULES:
        load(module)
    for name, module in list(sys.modules.items()):
        if name.startswith(_COLLECTION):
            for part in vars(module).values():
                function = part.__init__ if isinstance(part, type) else part
                defaults = getattr(function, "__kwdefaults__", None) or {}
                if "sleep" in defaults and getattr(function, "__module__", "") == name:
                    yield defaults


@pytest.fixture
def run_here(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> RunHere:
    """``run_here(module, options, environment)``: nothing waits, and what is printed, logged or left behind is kept."""
    logged: list[str] = []
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(syslog, "syslog", lambda *parts: logged.append(" ".join(map(str, parts))))
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(time, "sleep", _do_not_wait)
    for defaults in _waiting():
        monkeypatch.setitem(defaults, "sleep", _do_not_wait)
    caplog.set_level(logging.DEBUG)

    def run(
        module: str,
        options: Mapping[str, t.Any],
        environment: Mapping[str, str] | None = None,
        *,
        check_mode: bool = False,
    ) -> Ended:
        # a module's process begins without any
        for kept in ("_global_warnings", "_global_deprecations"):
            getattr(warnings, kept).clear()
        logged.clear()
        caplog.clear()
        with monkeypatch.context() as patch:
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            with patch_module_args(arguments(options, check_mode=check_mode)), pytest.raises(SystemExit):
                load(module).main()
        printed = capsys.readouterr()
        places = {
            "output": printed.out,
            "standard error": printed.err,
            "system log": "\n".join(logged),
            "logging": caplog.text,
            **{str(path): path.read_text(errors="replace") for path in scratch.rglob("*") if path.is_file()},
        }
        return Ended(result_in(printed.out), places)

    return run


@pytest.fixture
def thorough() -> bool:
    """Whether every combination is tried: in the long form."""
    return bool(os.environ.get("QUAYSIDE_SOAK"))

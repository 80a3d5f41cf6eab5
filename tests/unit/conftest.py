# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every unit test of a module needs: options in, the module's one JSON answer out."""

from __future__ import annotations

import json
import os
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from ansible.module_utils.common import warnings
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.masking import SECRETS_MET
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils import fuzzing

try:
    from ansible.module_utils import _internal
except ImportError:
    # ansible-core before 2.19 has no such part
    _internal = None

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:
    # ansible-core before 2.19 has no such function
    from ansible.module_utils import basic
    from ansible.module_utils.common.text.converters import to_bytes

    @contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> t.Iterator[None]:
        with patch.object(basic, "_ANSIBLE_ARGS", to_bytes(json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}))):
            yield


def pytest_report_header() -> str:
    """How many examples each property is tried with."""
    return f"examples of each property: {fuzzing.examples.max_examples}"


@dataclass
class ModuleOutcome:
    """How a module ended. ``text`` is everything it printed, for looking for secrets that must not be there."""

    code: int
    result: dict[str, t.Any]
    text: str

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def diff(self) -> dict[str, tuple[list[str], list[str]]]:
        """The lines of both sides of each object of the diff, by its header."""
        entries = self.result["diff"]
        assert all(entry["before_header"] == entry["after_header"] for entry in entries)
        return {entry["after_header"]: (entry["before"].splitlines(), entry["after"].splitlines()) for entry in entries}

    @property
    def warnings(self) -> list[str]:
        """The texts of the warnings; ansible-core 2.19 and later wrap them."""
        found = self.result.get("warnings", [])
        return [warning["event"]["msg"] if isinstance(warning, dict) else warning for warning in found]


RunModule = t.Callable[..., ModuleOutcome]


@pytest.fixture(autouse=True)
def no_secrets_met() -> None:
    """Begin without any, as a process does."""
    SECRETS_MET.clear()


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No access to a cluster by accident: no variables, no home, no pod."""
    for name in list(os.environ):
        if name.startswith("K8S_AUTH_") or name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")


@pytest.fixture
def run_module_main(
    clean_environment: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> RunModule:
    """``run_module_main(main, {option: value}, check_mode=False, diff=False)`` runs a module's ``main``."""

    if hasattr(_internal, "is_controller"):
        # a test of what runs where Ansible runs makes this process such a place, which has no warnings of modules
        monkeypatch.setattr(_internal, "is_controller", False)

    def run(
        main: t.Callable[[], None], options: dict[str, t.Any], *, check_mode: bool = False, diff: bool = False
    ) -> ModuleOutcome:
        for kept in ("_global_warnings", "_global_deprecations"):
            # a module's process begins without any
            getattr(warnings, kept).clear()
        args = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
        with patch_module_args(args), pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        lines = [line for line in printed.out.splitlines() if line.startswith("{")]
        assert len(lines) == 1, printed.out + printed.err
        result = json.loads(lines[0])
        # From ansible-core 2.22 on a module tells Ansible what to mask in everything else; nobody sees that list.
        shown = json.dumps(result) if result.pop("_ansible_new_secrets", None) else lines[0]
        return ModuleOutcome(
            code=int(ended.value.code or 0), result=result, text=printed.out.replace(lines[0], shown) + printed.err
        )

    return run

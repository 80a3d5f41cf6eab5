# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX starts them: by ansible-runner, with a credential in the environment, answers of a survey, and a slice
of the inventory.

What AWX does is read from its source (awx/main/tasks/jobs.py and models/credential): the folder with its mode, the
variables that its credential type for bearer tokens injects, answers marked as unsafe in a file for -e, an inventory
that is a program, hosts of a slice taken in turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import yaml
from registries.certificates import write_private

from .cluster import Access
from .playbooks import collections_path, impersonal

ROOT = Path(__file__).resolve().parents[2]
_LONGEST_JOB = 300
_INVENTORY = "#!/usr/bin/env python3\nprint({document!r})\n"


@dataclass
class Job:
    """What AWX keeps of a job."""

    status: str
    output: str
    events: list[dict[str, t.Any]]
    folder: Path

    @property
    def artifacts(self) -> dict[str, t.Any]:
        """What set_stats left, which the next node of a workflow gets as variables."""
        return t.cast("dict[str, t.Any]", self._stats().get("artifact_data", {}))

    def changed(self) -> dict[str, int]:
        """How many tasks reported a change, by host."""
        return dict(self._stats()["changed"])

    def messages(self) -> list[str]:
        """Return the messages of the tasks that failed."""
        failed = ("runner_on_failed", "runner_item_on_failed")
        return [str(event["event_data"]["res"].get("msg")) for event in self.events if event["event"] in failed]

    def differences(self) -> list[t.Any]:
        """Return the diffs that AWX shows if "Show changes" is ticked."""
        results = [event["event_data"].get("res") or {} for event in self.events]
        return [result["diff"] for result in results if result.get("diff")]

    @property
    def shown(self) -> str:
        """Return the lines of all events, which is what AWX shows. The file that ansible-runner writes beside them,
        ``output``, lacks one of several lines that come at once."""
        events = [json.loads(path.read_text()) for path in self.folder.joinpath("job_events").glob("*.json")]
        return "\n".join(event["stdout"] for event in sorted(events, key=lambda event: event["counter"]))

    def kept_texts(self) -> Iterator[tuple[str, str]]:
        """Everything that a person can see of the job: its output, its events, what was cached."""
        for path in self.folder.rglob("*"):
            # AWX masks the environment in the command before it keeps it, and that is not Ansible's to do.
            if path.is_file() and path.name != "command":
                yield path.name, path.read_text(encoding="utf-8", errors="replace")

    def _stats(self) -> dict[str, t.Any]:
        return t.cast(
            "dict[str, t.Any]",
            next(event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"),
        )


def bearer_token(access: Access | None, *, verify: bool = True) -> dict[str, str]:
    """Return what the credential type "OpenShift or Kubernetes API Bearer Token" injects; without access: left empty by
    who made it."""
    if access is None:
        return {"K8S_AUTH_HOST": "", "K8S_AUTH_API_KEY": "", "K8S_AUTH_VERIFY_SSL": "", "K8S_AUTH_SSL_CA_CERT": ""}
    found = {"K8S_AUTH_HOST": access.host, "K8S_AUTH_API_KEY": access.token, "K8S_AUTH_VERIFY_SSL": str(verify)}
    return {**found, "K8S_AUTH_SSL_CA_CERT": access.ca_file} if verify else found


def injected_by(credential_type: str, fields: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the variables that a credential type of the collection injects, with its files below the directory; its
    required fields are given."""
    content = yaml.safe_load(
        ROOT.joinpath("playbooks", "files", "awx", "credential_types", f"{credential_type}.yml").read_text(
            encoding="utf-8"
        )
    )
    assert set(content["inputs"]["required"]) == set(fields) == {field["id"] for field in content["inputs"]["fields"]}
    templates = jinja2.Environment(undefined=jinja2.StrictUndefined)
    names = {}
    for key, text in content["injectors"].get("file", {}).items():
        path = directory / key.removeprefix("template.")
        write_private(path, templates.from_string(text).render(fields).encode())
        names[path.name] = str(path)
    return {
        name: templates.from_string(text).render({**fields, "tower": {"filename": names}})
        for name, text in content["injectors"]["extra_vars"].items()
    }


@dataclass(frozen=True)
class Jobs:
    """Starts jobs below ``directory``; the project is the repository of the collection."""

    directory: Path
    hosts: Mapping[str, Mapping[str, t.Any]]
    credentials: Mapping[str, str] = field(default_factory=dict)

    def launch(
        self,
        playbook: str,
        *options: str,
        answers: Mapping[str, t.Any] | None = None,
        injected: Mapping[str, t.Any] | None = None,
        template: Mapping[str, t.Any] | None = None,
        slice_of: tuple[int, int] = (1, 1),
        forks: int = 5,
    ) -> Job:
        """Run a playbook of the project. ``answers`` are those of a survey, and the artifacts of the node before in
        a workflow; ``injected`` are the variables of a credential type of one's own, ``template`` those of the job
        template, which may hold templates."""
        folder = self.directory / f"awx_{len(list(self.directory.glob('awx_*')))}"
        for name in ("env", "inventory"):
            folder.joinpath(name).mkdir(parents=True, mode=0o700)
        folder.joinpath("project").symlink_to(ROOT)
        number, count = slice_of
        self._write_inventory(folder / "inventory" / "hosts", sorted(self.hosts)[number - 1 :: count])
        words = [
            *options,
            "--forks",
            str(forks),
            *_extra_variables(folder, [template or {}, _unsafe(answers or {}), _unsafe(injected or {})]),
        ]
        environment = {
            **self.credentials,
            "ANSIBLE_COLLECTIONS_PATH": str(collections_path(self.directory)),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "AWX_PRIVATE_DATA_DIR": str(folder),
            "JOB_ID": "1",
        }
        settings = {"idle_timeout": 120, "job_timeout": _LONGEST_JOB}
        for name, text in {
            "envvars": yaml.safe_dump(environment),
            "settings": yaml.safe_dump(settings),
            "cmdline": " ".join(words),
        }.items():
            write_private(folder / "env" / name, text.encode())
        program = Path(sys.executable).with_name("ansible-runner")
        command = [
            str(program),
            "run",
            str(folder),
            "--playbook",
            playbook,
            "--inventory",
            str(folder / "inventory" / "hosts"),
            "--ident",
            "job",
            "--quiet",
        ]
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(
            command,
            env={**impersonal(), "PATH": path},
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=_LONGEST_JOB + 30,
        )
        kept = folder / "artifacts" / "job"
        files = kept.joinpath("job_events").glob("*.json")
        events = [event for event in (json.loads(path.read_text()) for path in files) if "event_data" in event]
        return Job(
            kept.joinpath("status").read_text(),
            kept.joinpath("stdout").read_text(),
            sorted(events, key=lambda event: event["counter"]),
            kept,
        )

    def _write_inventory(self, path: Path, names: Sequence[str]) -> None:
        document = {
            "all": {"hosts": list(names)},
            "_meta": {"hostvars": {name: dict(self.hosts[name]) for name in names}},
        }
        path.write_text(_INVENTORY.format(document=json.dumps(document)))
        path.chmod(0o700)


class _Unsafe(str):
    """Text that no template may be found in."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def _unsafe(value: t.Any) -> t.Any:
    if isinstance(value, Mapping):
        return {key: _unsafe(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_unsafe(entry) for entry in value]
    return _Unsafe(value) if isinstance(value, str) else value


def _extra_variables(folder: Path, sources: Sequence[Mapping[str, t.Any]]) -> Iterator[str]:
    for number, variables in enumerate(sources):
        path = folder / "env" / f"extra_{number}"
        write_private(path, yaml.dump(dict(variables), Dumper=_Dumper).encode())
        yield from ("-e", f"@{path}")

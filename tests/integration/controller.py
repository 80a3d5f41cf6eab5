# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of AWX's API that its collection asks while it sets objects up: kept, searched, related. It starts no
job.

What it answers was read from awx.awx (plugins/module_utils/controller_api.py) and from AWX's serializers: lists with
``count`` and ``results``, ``url`` and ``related`` of each object, associations by id, surveys and approval nodes at
addresses of their own, and a refusal of a job template whose playbook the project does not have, or of injectors
that name a field which is no input.
"""

from __future__ import annotations

import json
import re
import threading
import typing as t
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Entry = dict[str, t.Any]
TOKEN = "a-token-of-the-controller"
_PREFIX = "/api/v2/"
# The kinds of objects that a node of a workflow or a schedule can start.
_STARTABLE = {"job_templates": "job_template", "workflow_job_templates": "workflow_job_template", "projects": "project"}


class Refusal(Exception):
    """An answer of 400 with what is wrong in each field."""


class Controller:
    """Objects by kind; runs between entering and leaving."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.objects: defaultdict[str, list[Entry]] = defaultdict(list)
        self.surveys: dict[int, Entry] = {}
        self.related: defaultdict[tuple[str, int, str], list[int]] = defaultdict(list)
        self._numbers = iter(range(1, 10_000))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"controller": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, name="controller", daemon=True)

    def __enter__(self) -> Controller:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def environment(self) -> dict[str, str]:
        """How awx.awx reaches it."""
        return {"CONTROLLER_HOST": f"http://127.0.0.1:{self._server.server_port}", "CONTROLLER_OAUTH_TOKEN": TOKEN}

    def named(self, kind: str, name: str) -> Entry:
        """Return the object of that name."""
        (found,) = [entry for entry in self.objects[kind] if entry.get("name", entry.get("identifier")) == name]
        return found

    def create(self, kind: str, content: Entry) -> Entry:
        """Keep a new object."""
        if kind == "job_templates" and not self.project.joinpath(content["playbook"]).is_file():
            raise Refusal({"playbook": ["Playbook not found for project."]})
        if kind == "credential_types":
            _check_injectors(content)
        number = next(self._numbers)
        url = f"{_PREFIX}{kind}/{number}/"
        related = {"survey_spec": f"{url}survey_spec/"} if kind.endswith("job_templates") else {}
        entry = {
            "id": number,
            "url": url,
            "type": kind.removesuffix("s"),
            "related": related,
            "summary_fields": {},
            "scm_revision": "1",
            **content,
        }
        self.objects[kind].append(entry)
        return entry

    def approval(self, node: int, content: Entry) -> Entry:
        """Make a node one that waits for a person."""
        entry = self.create(
            "workflow_approval_templates", {key: content[key] for key in ("name", "description", "timeout")}
        )
        self.find("workflow_job_template_nodes", node)["related"]["unified_job_template"] = entry["url"]
        return entry

    def find(self, kind: str, number: int) -> Entry:
        """Return the object with that id."""
        return next(entry for entry in self.objects[kind] if entry["id"] == number)

    def search(self, kind: str, wanted: dict[str, str]) -> list[Entry]:
        """Return the objects whose fields have those values."""
        kinds = {kind: ""} if kind != "unified_job_templates" else _STARTABLE
        found = [entry for name in kinds for entry in self.objects[name]]
        return [entry for entry in found if all(str(entry.get(key)) == value for key, value in wanted.items())]

    def next_nodes(self, identifier: str, relation: str) -> list[str]:
        """Return the identifiers of the nodes that follow a node of a workflow."""
        node = self.named("workflow_job_template_nodes", identifier)
        following = self.related["workflow_job_template_nodes", node["id"], relation]
        return [self.find("workflow_job_template_nodes", number)["identifier"] for number in following]


def _check_injectors(content: Entry) -> None:
    fields = {field["id"] for field in content["inputs"]["fields"]}
    files = {f"tower.filename.{name.removeprefix('template.')}" for name in content["injectors"].get("file", {})}
    named = set(re.findall(r"{{\s*([\w.]+)\s*}}", json.dumps(content["injectors"])))
    if not named or named - fields - files:
        raise Refusal({"injectors": [f"Undefined variables: {sorted(named - fields - files)}"]})


class _Handler(BaseHTTPRequestHandler):
    controller: Controller

    def do_GET(self) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        match self._place():
            case [kind]:
                self._list(self.controller.search(kind, query))
            case [kind, number]:
                self._answer(200, self.controller.find(kind, int(number)))
            case [_kind, number, "survey_spec"]:
                self._answer(200, self.controller.surveys.get(int(number), {}))
            case [kind, number, relation]:
                self._list([{"id": entry} for entry in self.controller.related[kind, int(number), relation]])

    def do_POST(self) -> None:
        content = self._content()
        try:
            match self._place():
                case [kind]:
                    self._answer(201, self.controller.create(kind, content))
                case [_kind, number, "survey_spec"]:
                    self.controller.surveys[int(number)] = content
                    self._answer(200, {})
                case [_kind, number, "create_approval_template"]:
                    self._answer(201, self.controller.approval(int(number), content))
                case [kind, number, relation]:
                    self.controller.related[kind, int(number), relation].append(content["id"])
                    self._answer(204, None)
        except Refusal as refusal:
            self._answer(400, refusal.args[0])

    def do_PATCH(self) -> None:
        kind, number = self._place()
        entry = self.controller.find(kind, int(number))
        # What an object does not have is passed over, as AWX does.
        entry.update({key: value for key, value in self._content().items() if key in entry})
        self._answer(200, entry)

    def log_message(self, *_arguments: t.Any) -> None:
        """Nobody reads it."""

    def _place(self) -> list[str]:
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        return urlsplit(self.path).path.removeprefix(_PREFIX).strip("/").split("/")

    def _content(self) -> Entry:
        return t.cast("Entry", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _list(self, entries: list[Entry]) -> None:
        self._answer(200, {"count": len(entries), "next": None, "results": entries})

    def _answer(self, code: int, content: t.Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint ``/_emulator/``: faults, switches, tokens and the request log, behind a token of its own."""

from __future__ import annotations

import hmac
import inspect
import json
import typing as t

from aiohttp import web

from .access import AUTHENTICATED, User
from .cluster import Cluster
from .faults import Fault
from .owners import Owner
from .store import Object

PREFIX = "/_emulator/"


class Control:
    """Answers below ``/_emulator/``.

    - ``GET requests[?since=N]``, ``DELETE requests``
    - ``GET faults``, ``POST faults`` (fields of ``faults.Fault``), ``DELETE faults[/id]``
    - ``GET settings``, ``PATCH settings`` (see ``settings``)
    - ``POST imports``, ``POST imports/scheduled`` {namespace}: the import controller acts now, and the answer comes
      when it is done
    - ``POST owners`` (``owners.Owner.read``), ``GET owners``, ``DELETE owners[/id]``
    - ``POST tokens`` {user, groups, ttl}, ``DELETE tokens[/user]`` (tokens of that user, or all, expire at once)
    """

    def __init__(self, cluster: Cluster, token: str) -> None:
        self._cluster = cluster
        self._token = token

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {self._token}".encode()):
            return web.json_response({"error": "the control token is missing or wrong"}, status=401)
        what, _slash, which = request.path.removeprefix(PREFIX).partition("/")
        action = getattr(self, f"_{request.method.lower()}_{what}", None)
        if action is None:
            return web.json_response({"error": f"there is no {request.method} {what}"}, status=404)
        body = await request.read()
        try:
            answer = action(which, json.loads(body) if body else {}, request.query)
            if inspect.isawaitable(answer):
                answer = await answer
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(answer)

    def _get_requests(self, _which: str, _body: Object, query: t.Mapping[str, str]) -> t.Any:
        return {"requests": self._cluster.log.since(int(query.get("since", 0)))}

    def _delete_requests(self, _which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        self._cluster.log.clear()
        return {}

    def _get_faults(self, _which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        return {"faults": self._cluster.faults.documents()}

    def _post_faults(self, _which: str, body: Object, _query: t.Mapping[str, str]) -> t.Any:
        return self._cluster.faults.add(Fault.read(body)).document()

    def _delete_faults(self, which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        self._cluster.faults.clear(int(which) if which else None)
        return {}

    def _get_owners(self, _which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        return {"owners": self._cluster.owners.documents()}

    async def _post_owners(self, _which: str, body: Object, _query: t.Mapping[str, str]) -> t.Any:
        return (await self._cluster.owners.start_with(Owner.read(body))).shown()

    def _delete_owners(self, which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        self._cluster.owners.remove(int(which) if which else None)
        return {}

    def _get_settings(self, _which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        return self.settings()

    def _patch_settings(self, _which: str, body: Object, _query: t.Mapping[str, str]) -> t.Any:
        self.change(body)
        return self.settings()

    async def _post_imports(self, which: str, body: Object, _query: t.Mapping[str, str]) -> t.Any:
        controller = self._cluster.import_controller
        actions = {"": controller.act, "scheduled": controller.act_on_schedule}
        if which not in actions:
            raise ValueError(f"there are no imports that are {which}")
        return {"imports": await actions[which](body.get("namespace", ""))}

    def _post_tokens(self, _which: str, body: Object, _query: t.Mapping[str, str]) -> t.Any:
        groups = tuple(body.get("groups") or ())
        user = User(str(body["user"]), groups if AUTHENTICATED in groups else (*groups, AUTHENTICATED))
        return {"token": self._cluster.access.issue(user, body.get("ttl"))}

    def _delete_tokens(self, which: str, _body: Object, _query: t.Mapping[str, str]) -> t.Any:
        return {"expired": self._cluster.access.expire(which or None)}

    def settings(self) -> Object:
        """Return the switches and their positions."""
        cluster = self._cluster
        return {
            "openshift": cluster.discovery.openshift,
            "deployment_configs": cluster.discovery.deployment_configs,
            "import_controller": cluster.import_controller.running,
            "import_controller_after": cluster.import_controller.after,
            "scheduled_imports_every": cluster.import_controller.interval,
            "service_account_controller": cluster.controllers.dockercfg,
            "service_accounts_after": cluster.controllers.accounts_after,
            "samples_operator": cluster.samples_operator.running,
            "control_plane_topology": cluster.topology,
            "default_import_mode": cluster.reader.default_mode,
            "bulk_limit": cluster.importer.settings.bulk_limit,
        }

    def change(self, wishes: Object) -> None:
        """Turn switches; ValueError for one that does not exist.

        ``control_plane_topology``: External on a hosted control plane. ``openshift`` false: a plain Kubernetes;
        ``deployment_configs``: with these and builds; ``service_accounts_after``, ``import_controller_after``:
        seconds or null; ``scheduled_imports_every``: seconds.
        """
        unknown = set(wishes) - set(self.settings())
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        wanted = {**self.settings(), **wishes}
        cluster = self._cluster
        cluster.discovery.openshift = bool(wanted["openshift"])
        cluster.discovery.deployment_configs = bool(wanted["deployment_configs"])
        cluster.topology = str(wanted["control_plane_topology"])
        cluster.reader.default_mode = str(wanted["default_import_mode"])
        cluster.importer.settings.bulk_limit = int(wanted["bulk_limit"])
        cluster.controllers.dockercfg = bool(wanted["service_account_controller"])
        cluster.controllers.accounts_after = _seconds(wanted["service_accounts_after"])
        cluster.controllers.revisit()
        cluster.import_controller.switch(
            running=bool(wanted["import_controller"]),
            after=_seconds(wanted["import_controller_after"]),
            interval=float(wanted["scheduled_imports_every"]),
        )
        cluster.samples_operator.switch(bool(wanted["samples_operator"]))


def _seconds(value: t.Any) -> float | None:
    return None if value is None else float(value)

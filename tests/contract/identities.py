# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As whom each step of a case was sent.

Everything is sent by the administrator, except in cases whose name begins with ``access_``. There, in this order:

1. a note with "wrong token", or an expected 401: a token that nobody issued; "no token" or "anonymous": no token;
2. a note that begins with "the same": as the step before;
3. an expected 403 names the user in its message;
4. a note that names a service account of the case, or is about one "without rights" (``none``);
5. otherwise the service account that the case's messages name, if they name exactly one.

Steps that create a secret are the recorder's preparation: the administrator's. What a service account may do is
read off the case as well: exactly what it was not forbidden (contract README: the Role of access_import_only allows
``create imagestreamimports`` only).
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

ADMINISTRATOR = "administrator"
ANONYMOUS = "anonymous"
WRONG_TOKEN = "wrong token"
_ACCOUNT = re.compile(r"system:serviceaccount:\{ns\}:([a-z0-9-]+)")
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_RESOURCE = re.compile(
    r"^/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)/namespaces/[^/]+/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)


@dataclass(frozen=True)
class Right:
    """One verb on one resource."""

    verb: str
    group: str
    resource: str

    def rule(self) -> dict[str, list[str]]:
        """As a rule of a Role."""
        return {"verbs": [self.verb], "apiGroups": [self.group], "resources": [self.resource]}


def senders(case: dict[str, t.Any]) -> list[str]:
    """Who sends each step: one of the constants above, or the name of a service account."""
    steps = case["steps"]
    if not case["name"].startswith("access_"):
        return [ADMINISTRATOR] * len(steps)
    accounts = accounts_of(case)
    found: list[str] = []
    for step in steps:
        found.append(_sender(step, accounts, found[-1] if found else ADMINISTRATOR))
    return found


def accounts_of(case: dict[str, t.Any]) -> list[str]:
    """Return the service accounts that a case's messages name."""
    return sorted(set(_ACCOUNT.findall(json.dumps([step["response"] for step in case["steps"]]))))


def _sender(step: dict[str, t.Any], accounts: list[str], before: str) -> str:
    if "secret" in step:
        return ADMINISTRATOR
    note = step.get("note", "").lower()
    if "wrong token" in note or step["response"]["code"] == 401:
        return WRONG_TOKEN
    named = _ACCOUNT.findall(json.dumps(step["response"]))
    if "no token" in note or "anonymous" in note or "system:anonymous" in json.dumps(step["response"]):
        return ANONYMOUS
    if note.startswith("the same"):
        return before
    if step["response"]["code"] == 403 and named:
        return str(named[0])
    mentioned = [account for account in accounts if re.search(rf"\b{account}\b", note)]
    if mentioned:
        return mentioned[0]
    if "without rights" in note:
        return "none"
    return accounts[0] if len(accounts) == 1 else ADMINISTRATOR


def rights(case: dict[str, t.Any], account: str) -> list[Right]:
    """Return what a service account was not forbidden in a case."""
    found: list[Right] = []
    for step, sender in zip(case["steps"], senders(case), strict=True):
        if sender != account or step["response"]["code"] == 403 or "request" not in step:
            continue
        target = _RESOURCE.match(step["request"]["path"])
        if target is None:
            continue
        verb = _VERBS[step["request"]["method"]]
        if verb == "get" and not target["name"]:
            verb = "list"
        resource = target["plural"] + (f"/{target['sub']}" if target["sub"] else "")
        found.append(Right(verb, target["group"] or "", resource))
    return list(dict.fromkeys(found))

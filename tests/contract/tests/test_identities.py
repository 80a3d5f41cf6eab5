# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As whom the steps of a case are sent."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from contract.identities import ADMINISTRATOR, ANONYMOUS, WRONG_TOKEN, Right, rights, senders

CASES = Path(__file__).parents[1] / "cases"


def recorded(name: str) -> dict[str, t.Any]:
    """One of our cases."""
    return t.cast("dict[str, t.Any]", json.loads((CASES / f"{name}.json").read_text(encoding="utf-8")))


def step(method: str, path: str, code: int, user: str = "", note: str = "") -> dict[str, t.Any]:
    """Return a step whose answer names a user, or none."""
    body = {"message": f'User "{user}" cannot'} if user else {}
    return {"note": note, "request": {"method": method, "path": path}, "response": {"code": code, "body": body}}


def test_recorded_cases() -> None:
    """The two that we have, and one that is not about access."""
    assert senders(recorded("access_denied")) == [WRONG_TOKEN, ANONYMOUS, "none", "none", "none"]
    assert senders(recorded("access_import_only")) == [ADMINISTRATOR] + ["importer"] * 4
    assert rights(recorded("access_denied"), "none") == []
    assert rights(recorded("access_import_only"), "importer") == [
        Right("create", "image.openshift.io", "imagestreamimports")
    ]
    assert set(senders(recorded("mode_flip"))) == {ADMINISTRATOR}


def test_other_cases_about_access() -> None:
    """Accounts are told apart by what messages and notes name; rights are what was not forbidden."""
    account = "system:serviceaccount:{ns}:"
    image, core = "/apis/image.openshift.io/v1/namespaces/{ns}", "/api/v1/namespaces/{ns}"
    case = {
        "name": "access_two_accounts",
        "steps": [
            step("GET", f"{image}/imagestreams", 200, note="as reader"),
            step("PATCH", f"{core}/secrets/a", 403, f"{account}reader"),
            step("GET", f"{image}/imagestreams/web/layers", 200, note="the same"),
            step("PUT", f"{core}/serviceaccounts/a", 200, note="linker may write"),
            step("GET", f"{core}/secrets", 403, f"{account}linker"),
            step("GET", f"{core}/secrets", 401),
            step("GET", f"{core}/secrets", 200),
        ],
    }
    assert senders(case) == ["reader", "reader", "reader", "linker", "linker", WRONG_TOKEN, ADMINISTRATOR]
    assert rights(case, "reader") == [
        Right("list", "image.openshift.io", "imagestreams"),
        Right("get", "image.openshift.io", "imagestreams/layers"),
    ]
    assert rights(case, "linker") == [Right("update", "", "serviceaccounts")]
    assert Right("get", "", "pods").rule() == {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}

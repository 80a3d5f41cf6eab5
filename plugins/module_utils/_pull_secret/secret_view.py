# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person may see of a change of a pull secret, and its name.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.changes import Change
from .._credentials.auth_document import Login
from .plan import RegistryChange, SecretPlan


def secret_change(namespace: str, name: str, plan: SecretPlan) -> Change:
    """Return the change that ``plan`` makes."""
    before, after = difference(plan)
    return Change("secret", namespace, name, before, after)


def difference(plan: SecretPlan) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the secret before and after. A new password is told from a kept one by a word, never by its value."""
    absent: dict[str, t.Any] = {"state": "absent"}
    old: dict[str, t.Any] = {change.registry: _shown(change, change.before, "set") for change in plan.registries if change.before is not None}
    old.update({change.registry: "unusable" for change in plan.registries if "entry_unusable" in change.reasons})
    new = {change.registry: _shown(change, change.after, "changes") for change in plan.registries if change.after is not None}
    unreadable = "content_unreadable" in plan.reasons
    before: dict[str, t.Any] = {"state": "present", "type": plan.former_type, "registries": "unreadable" if unreadable else old, **plan.metadata_before}
    after: dict[str, t.Any] = {"state": "present", "type": plan.secret_type, "registries": new, **plan.metadata_after}
    if plan.action == "recreate":
        after["deleted_and_created"] = True
    return (absent if plan.action == "create" else before), (absent if plan.action == "delete" else after)


def _shown(change: RegistryChange, login: Login | None, word: str) -> dict[str, t.Any]:
    if login is None:
        return {}
    shown: dict[str, t.Any] = {}
    if login.username:
        shown["username"] = login.shown_username
    if login.email:
        shown["email"] = login.email
    if login.password:
        shown["password"] = word if "password_changed" in change.reasons else "set"
    if login.identity_token:
        shown["identity_token"] = word if "identity_token_changed" in change.reasons else "set"
    return shown

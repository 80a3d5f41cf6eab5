# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which secrets a rotation of one registry's credential writes, and what it says of them.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The names come from a task that took no credential of a registry. Of the results of those that did, only what is no
text is computed with: Ansible masks what equals a password.
"""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import excerpt
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.secret_types import DATA_KEYS

Entry = t.Mapping[str, t.Any]
_SHOWN = 400
# How the playbook calls what the message of an owned secret names.
_OPTION, _VARIABLE = "set take_over: true", "set rotate_credentials_take_over: true"


class Rotation(t.NamedTuple):
    """``items`` are the tasks to do, one for all secrets of one name and type; ``untouched`` cannot be written."""

    items: list[dict[str, t.Any]]
    untouched: list[str]
    related: list[str]
    unread: list[str]


class Outcome(t.NamedTuple):
    """What the report says, and the lines about what has the former credential still."""

    lines: list[str]
    left: list[str]


def rotation(found: t.Sequence[Entry], users: t.Sequence[str]) -> Rotation:
    """Return what to write, from the results of ``registry_access_info``.

    ``users`` are those whose credentials are replaced, none for any.
    """
    items: dict[tuple[str, str], dict[str, t.Any]] = {}
    untouched = []
    secrets = {(secret["namespace"], secret["name"]): secret for one in found for secret in one.get("secrets") or ()}
    for secret in secrets.values():
        registries = [one for one in secret["registries"] if not users or one.get("username") in users]
        if registries and secret["type"] in DATA_KEYS:
            item = items.setdefault(
                (secret["name"], secret["type"]), {"name": secret["name"], "type": secret["type"], "namespaces": []}
            )
            item["namespaces"].append(secret["namespace"])
        elif registries or not secret["registries"]:
            reason = (
                " ".join(_text(problem["message"]) for problem in secret["problems"])
                or f"secrets of the type {_text(secret['type'])} cannot be written"
            )
            untouched.append(f"{_where(secret)}: {reason}")
    related = [
        f"{_where(one)}: {_text(one['registry'])}{' of ' + _text(one['username']) if one.get('username') else ''}"
        for result in found
        for one in result.get("related") or ()
        if not users or one.get("username") in users
    ]
    unread = [
        f"{_text(one['namespace'])}: {_text(one['error'])}"
        for result in found
        for one in result.get("failed_namespaces") or ()
    ]
    # A secret may have been looked at twice.
    return Rotation(list(items.values()), untouched, list(dict.fromkeys(related)), list(dict.fromkeys(unread)))


def outcome(
    plan: Entry, results: t.Sequence[Entry], registry: str, cluster: str, compared: bool, check_mode: bool
) -> Outcome:
    """Return the report on what ``pull_secret`` did for each of the items, in their order."""
    changed, kept, other, failed, lost = [], 0, [], [], []
    for item, result in zip(plan["items"], results):
        secrets = result.get("secrets")
        if not isinstance(secrets, (list, tuple)):
            lost.append(f"{_text(item['name'])}: {_text(result.get('msg') or 'the task ended without a result')}")
            continue
        for namespace, secret in zip(item["namespaces"], secrets):
            name = f"{_text(namespace)}/{_text(item['name'])}"
            if secret.get("error"):
                failed.append(f"{name}: {_text(secret['error']).replace(_OPTION, _VARIABLE)}")
            elif secret.get("changed"):
                changed.append(name)
            elif secret.get("reasons"):
                other.append(name)
            else:
                kept += 1
    held = sum(len(item["namespaces"]) for item in plan["items"])
    lines = [
        f"{_text(cluster)}: {_text(registry)} is in {held} of the secrets that were looked at",
        f"{'Would be replaced' if check_mode else 'Replaced'}: {len(changed)}, was as wanted: {kept}",
        *(f"  {name}" for name in changed),
    ]
    if other:
        lines += [
            "Left alone, because the password in it is another one than the former:",
            *(f"  {name}" for name in other),
        ]
    if not compared:
        lines += [
            "The former password was not given, so every entry for the registry got the new one, whoever wrote it."
        ]
    if plan["related"]:
        lines += [
            "Not replaced, because the key is another one of this registry:",
            *(f"  {line}" for line in plan["related"]),
        ]
    left = [f"- {line}" for line in (*failed, *lost, *plan["untouched"], *plan["unread"])]
    return Outcome(lines, left)


def _where(secret: Entry) -> str:
    return f"{_text(secret['namespace'])}/{_text(secret['name'])}"


def _text(value: t.Any) -> str:
    return excerpt(str(value), _SHOWN)

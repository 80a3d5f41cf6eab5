# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which entries of a service account's lists have to change: a pure function of declared and observed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

This is the only place that decides whether something changes. Entries keep their order, and what nobody asked to change
stays as it is: the cluster keeps a secret of its own in both lists, and adds it again wherever it is missing
(server-behaviour.md 4.6).
"""

from __future__ import annotations

import copy
import re
import typing as t
from typing import NamedTuple

from .._core.changes import Change
from .desired import LIST_FIELDS, DesiredLinks

MANAGED_ANNOTATION = "openshift.io/internal-registry-pull-secret-ref"
# The server makes such names from a beginning of at most 58 characters and five characters of its own.
_LONGEST_BEGINNING = 58


class ListPlan(NamedTuple):
    """One list of a service account: the names in it before and after, with the reason for each name that moves."""

    purpose: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class LinkPlan(NamedTuple):
    """What to do with one service account. ``body`` is the object to send, None if nothing is sent."""

    lists: tuple[ListPlan, ...]
    body: dict[str, t.Any] | None = None

    @property
    def changed(self) -> bool:
        return self.body is not None

    @property
    def added(self) -> tuple[str, ...]:
        """Return the secrets that get a link they did not have."""
        return tuple(dict.fromkeys(name for one in self.lists for name in one.added))


def plan_links(desired: DesiredLinks, account: t.Mapping[str, t.Any]) -> LinkPlan:
    """Return what to do with ``account``, a ServiceAccount object as the API returned it."""
    metadata = account.get("metadata") or {}
    body = copy.deepcopy(dict(account))
    body.setdefault("apiVersion", "v1")
    body.setdefault("kind", "ServiceAccount")
    lists = []
    changed = False
    for purpose in desired.purposes:
        entries: list[dict[str, t.Any]] = body.get(LIST_FIELDS[purpose]) or []
        kept, reasons = _kept(desired, entries, metadata)
        present = {entry.get("name") for entry in kept}
        added = [] if desired.state == "absent" else [name for name in desired.secrets if name not in present]
        after = kept + [{"name": name} for name in added]
        if added:
            reasons.append("link_missing")
        names, names_after = _names(entries), _names(after)
        removed = tuple(dict.fromkeys(name for name in names if name not in names_after))
        lists.append(ListPlan(purpose, names, names_after, tuple(added), removed, tuple(sorted(reasons))))
        if reasons:
            changed = True
            body[LIST_FIELDS[purpose]] = after
    return LinkPlan(tuple(lists), body if changed else None)


def has_managed_secret(account: t.Mapping[str, t.Any]) -> bool:
    """Return whether the cluster names its own secret of the service account in an annotation.

    It does so since 4.16.
    """
    return MANAGED_ANNOTATION in ((account.get("metadata") or {}).get("annotations") or {})


def is_managed(name: str, metadata: t.Mapping[str, t.Any]) -> bool:
    """Say whether the cluster itself keeps the secret ``name`` for the service account with this metadata.

    It is named in an annotation; in older releases by its form, ``<service account>-dockercfg-xxxxx`` and
    ``-token-xxxxx``.
    """
    if (metadata.get("annotations") or {}).get(MANAGED_ANNOTATION) == name:
        return True
    account = metadata.get("name", "")
    beginnings = [f"{account}-{kind}-"[:_LONGEST_BEGINNING] for kind in ("dockercfg", "token")]
    return any(
        name.startswith(beginning) and re.fullmatch(r"[a-z0-9]{5}", name[len(beginning) :]) for beginning in beginnings
    )


def _kept(
    desired: DesiredLinks, entries: list[dict[str, t.Any]], metadata: t.Mapping[str, t.Any]
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Return the entries that stay, with the reasons for those that do not."""
    if desired.state == "present":
        return list(entries), []
    reasons: set[str] = set()
    kept: list[dict[str, t.Any]] = []
    for entry in entries:
        name = entry.get("name", "")
        if desired.state == "absent":
            if name in desired.secrets:
                reasons.add("not_wanted")
                continue
        elif name not in desired.secrets and not is_managed(name, metadata):
            reasons.add("not_listed")
            continue
        elif name in _names(kept):
            reasons.add("linked_twice")
            continue
        kept.append(entry)
    return kept, sorted(reasons)


def _names(entries: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[str, ...]:
    return tuple(entry.get("name", "") for entry in entries)


def link_change(namespace: str, account: str, plan: LinkPlan) -> Change:
    """Return the change that ``plan`` makes, by the names that come and go.

    Other entries of the lists are not a part of it.
    """
    lists = [one for one in plan.lists if one.reasons]
    before = [
        [one.purpose, *one.removed, *(reason for reason in one.reasons if reason == "linked_twice")] for one in lists
    ]
    return Change("link", namespace, account, before, [[one.purpose, *one.added] for one in lists])

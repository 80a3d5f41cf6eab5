# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the loops of a role did, in a line, and why the role fails, from the results of their items.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Ansible masks in a result what equals a credential of its task, numbers too. So nothing here that a later task
computes with comes from such a result: names come from the declaration, by the position of the item.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import OutwardWall
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import listed

Result = t.Mapping[str, t.Any]
_MASK = "*" * 8
_WALL = OutwardWall(())


class Summary(t.NamedTuple):
    """``counts`` is what is shown of one item, ``words`` of all; ``failure`` is "" unless the role must fail."""

    counts: str
    words: str
    failure: str = ""
    pending_credentials: t.Sequence[t.Mapping[str, t.Any]] = ()


def image_streams(results: t.Sequence[Result], check_mode: bool) -> Summary:
    """Summarize the batches of the role image_streams. The four numbers add up to the tags."""
    summaries = [result["summary"] for result in results if isinstance(result.get("summary"), dict)]
    keys = ("tags", "changed", "unchanged", "failed", "streams")
    tags, changed, unchanged, failed, streams = (sum(_number(one.get(key)) for one in summaries) for key in keys)
    both = min(max(changed + unchanged + failed - tags, 0), changed, failed)
    # A tag that was written and not imported has changed and failed: it is counted once, as failed.
    parts = [
        f"{changed - both:,} {'would be ' if check_mode else ''}changed",
        f"{unchanged:,} unchanged",
        f"{failed:,} failed",
    ]
    counts = ", ".join([f"{_of(changed - both, 'tag')} changed", *parts[1:]]) if summaries else "could not be done"
    reasons: Counter[str] = Counter()
    for one in summaries:
        reasons.update({str(name): _number(count) for name, count in (one.get("reasons") or {}).items()})
    refusals = dict.fromkeys(
        str(result["msg"]).partition(":\n")[2] or str(result["msg"]) for result in results if result.get("msg")
    )
    head = (
        f"{failed:,} of {_of(tags, 'tag')} could not be imported:" if failed else "Not every stream could be managed:"
    )
    place = f" in {_of(streams, 'stream')}" if streams else ""
    words = f"{_of(tags, 'tag')}{place}: {', '.join(parts)}{_why(reasons)}" if summaries else counts
    return Summary(counts, words, "\n".join([head, *refusals]) if refusals else "")


def registry_access(
    written: t.Sequence[Result], linked: t.Sequence[Result], declared: t.Sequence[Result], check_mode: bool
) -> Summary:
    """Summarize the pull secrets and links of the role registry_access.

    ``declared`` are its entries, one for each of ``written``.
    """
    secrets = [one for result in written for one in _list(result, "secrets")]
    links = [one for result in linked for one in _list(result, "service_accounts")]
    reasons: Counter[str] = Counter()
    for secret in secrets:
        reasons.update(reason for registry in _list(secret, "registries") for reason in registry.get("reasons") or ())
        reasons.update(reason for reason in secret.get("reasons") or () if reason != "registries_changed")
    for link in links:
        reasons.update(link.get("reasons") or ())
    parts = [
        f"{_of(len(found), what)}: {sum(bool(one.get('changed')) for one in found):,} "
        f"{'would be ' if check_mode else ''}changed"
        for what, found in (("pull secret", secrets), ("link", links))
    ]
    words = f"{', '.join(parts)}{_why(reasons)}"
    refusals = dict.fromkeys(
        [*_refusals(written, declared), *(str(result["msg"]) for result in linked if result.get("msg"))]
    )
    failure = "\n".join(["Not every pull secret and link could be written:", *(f"- {one}" for one in refusals)])
    return Summary(", ".join(parts), words, failure if refusals else "", _pending(written, declared))


def _refusals(written: t.Sequence[Result], declared: t.Sequence[Result]) -> t.Iterator[str]:
    """Yield why secrets could not be written. A task that got to no namespace does not say which secrets it is about,
    and for many it may say the same."""
    names: dict[str, dict[str, None]] = {}
    for entry, result in zip(declared, written):
        if result.get("msg"):
            found = names.setdefault(str(result["msg"]), {})
            if entry.get("name") and "secrets" not in result:
                found[f'"{_WALL.text(str(entry["name"]))}"'] = None
    for message, of in names.items():
        yield f"{listed(list(of))}: {message}" if of else message


def _pending(written: t.Sequence[Result], declared: t.Sequence[Result]) -> list[dict[str, t.Any]]:
    """Return the registries by namespace whose credentials the run wrote, or would write in check mode.

    The names are those of the declaration. Only a file's registries are not in it: they are taken from the result,
    without those that Ansible has masked.
    """
    found: dict[str, dict[str, None]] = {}
    for entry, result in zip(declared, written):
        if not result.get("changed") or entry.get("state") == "absent":
            continue
        names = [str(one["registry"]) for one in entry.get("registries") or () if one.get("state") != "absent"]
        if entry.get("auth_file") or entry.get("auth_content"):
            shown = [registry for secret in _list(result, "secrets") for registry in _list(secret, "registries")]
            names += [
                str(one["registry"])
                for one in shown
                if one.get("state") == "present" and _MASK not in str(one["registry"])
            ]
        for namespace in _changed(entry, result):
            found.setdefault(str(namespace), {}).update(dict.fromkeys(names))
    return [{"namespace": namespace, "registries": list(names)} for namespace, names in found.items() if names]


def _changed(entry: Result, result: Result) -> list[str]:
    """Return the namespaces in which the secret changes: in the others it is as declared, or could not be written."""
    namespaces = list(dict.fromkeys(map(str, entry.get("namespaces") or ())))
    secrets = _list(result, "secrets")
    if len(secrets) != len(namespaces):
        return namespaces
    return [namespace for namespace, secret in zip(namespaces, secrets) if secret.get("changed", True)]


def _list(result: Result, key: str) -> list[Result]:
    value = result.get(key)
    return [one for one in value if isinstance(one, t.Mapping)] if isinstance(value, (list, tuple)) else []


def _number(value: t.Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _of(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _why(reasons: t.Mapping[str, int]) -> str:
    """Return the reasons in words; they are few and our own."""
    words = ", ".join(f"{_WALL.text(name).replace('_', ' ')} ({count:,})" for name, count in sorted(reasons.items()))
    return f" - why: {words}" if words else ""

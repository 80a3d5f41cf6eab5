# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on image streams: return values, diff and failure message from the states before and after.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A tag or stream counts as changed if its state before and after differ, and the same comparison is the diff. In check
mode the state after is the one that the plan foresees, else the one of the server's last answer.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from .._core.diff import Difference, View
from .._core.references import PullSpec
from .._core.report import Report
from .images import EXTERNAL, Image, ImportFailure, shown_manifests
from .observed import ObservedStream, ObservedTag
from .plan_types import NOT_LISTED
from .refusals import refused_images
from .result import StreamResult
from .view import differ, failed_tag_text, stream_lines, stream_view, view

# The state of what could not be asked for.
UNKNOWN = "unknown"

RemedyFor = t.Callable[[str, t.Any, ImportFailure], str]


# What the option results means; unset, a failed task returns what changed or failed, so that its message is not lost
# beside the rest.
ONLY_CHANGED: dict[str | None, bool | None] = {"all": False, "changed": True, None: None}

_REMOVED_UPSTREAM = (
    "The registry had it when the tag was imported and has it no more: it was removed or renamed there. The tag keeps "
    "its image."
)

_IN_CHECK_MODE = (
    "In check mode: if an earlier task of this play writes that credential, give it as pending_credentials, or use the "
    "role registry_access, which does."
)


def stream_report(
    results: t.Sequence[StreamResult],
    remedy_for: RemedyFor,
    *,
    only_changed: bool | None,
    check_mode: bool = False,
    hint: bool = False,
) -> Report:
    """Build the report; ``remedy_for(namespace, pull spec, failure)`` tells what to do about a failure.

    ``only_changed`` leaves streams and tags out that neither changed nor failed, None does so if anything failed;
    counts are of all. ``check_mode``: failures are those of lookups. ``hint``: no credential is counted on that is
    still to be written.
    """
    streams, failed_tags, failures, warnings = [], [], [], []
    differences: list[Difference] = []
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for result in results:
        stream, failed = _stream_result(result, remedy_for)
        where = f"{result.desired.namespace}/{result.desired.name}"
        counts["streams"] += 1
        counts["streams_changed"] += stream["changed"]
        counts["tags"] += len(stream["tags"])
        counts["changed"] += sum(tag["changed"] for tag in stream["tags"])
        counts["unchanged"] += sum(not tag["changed"] and not tag["error"] for tag in stream["tags"])
        counts["unknown"] += sum(tag["state"] == UNKNOWN for tag in stream["tags"])
        counts["failed"] += len(failed)
        reasons.update(reason for tag in stream["tags"] if tag["changed"] for reason in tag["reasons"])
        failed_tags += failed
        failures += _failure_lines(where, stream["error"], failed)
        warnings += [*result.warnings, *_advice(where, result)]
        if result.gone_upstream and not result.desired.purge_tags:
            names = ", ".join(result.gone_upstream)
            warnings.append(
                f"{where}: the repository no longer has {names}; purge_tags would remove what is not there any more"
            )
        differences += _differences(result, where)
        streams.append(stream)
    if only_changed or (only_changed is None and failures):
        streams = _only_changed(streams)
    counted = ("streams", "streams_changed", "tags", "changed", "failed", "unknown", "unchanged")
    summary: dict[str, t.Any] = {name: counts[name] for name in counted}
    summary["reasons"] = dict(sorted(reasons.items()))
    refused = any(
        refused_images(PullSpec.parse(tag["from"]), ImportFailure(tag["reason"], tag["message"])) for tag in failed_tags
    )
    hints = [_IN_CHECK_MODE] if hint and refused else []
    return Report(
        changed=counts["streams_changed"] > 0,
        results={"streams": streams, "failed_tags": failed_tags, "summary": summary},
        differences=differences,
        failure=_failure(failures, counts, hints, check_mode) if failures else None,
        warnings=warnings,
    )


def _only_changed(streams: t.Iterable[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the streams and tags that changed or failed."""
    left = [{**stream, "tags": [tag for tag in stream["tags"] if tag["changed"] or tag["error"]]} for stream in streams]
    return [stream for stream in left if stream["changed"] or stream["tags"] or stream["error"]]


def _advice(where: str, result: StreamResult) -> t.Iterator[str]:
    """Yield what a person should know of tags that are as declared, and do not do what they are declared for."""
    for tag in result.desired.tags:
        outcome = result.outcomes.get(tag.name)
        if tag.scheduled and tag.source.digest:
            yield (
                f"{where}:{tag.name} is scheduled, but {tag.source} is a digest, which always names the same image: "
                "the cluster never imports it again"
            )
        architecture = outcome.architecture if isinstance(outcome, Image) else ""
        if tag.prefer_architecture and architecture and architecture != tag.prefer_architecture:
            yield (
                f"{where}:{tag.name} prefers {tag.prefer_architecture}, which {tag.source} does not offer: its image "
                f"is for {architecture}"
            )


def _stream_result(result: StreamResult, remedy_for: RemedyFor) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
    desired, old, new = result.desired, result.before, result.after
    tags, failed = [], []
    declared = {tag.name: tag for tag in desired.tags}
    names = list(declared) + sorted(
        name for name, reasons in result.reasons.items() if NOT_LISTED in reasons and name not in declared
    )
    for name in names:
        outcome = result.outcomes.get(name)
        tag = _tag_result(name, result, old.tags.get(name), new.tags.get(name), outcome)
        if name in declared and (isinstance(outcome, ImportFailure) or (result.error and name not in result.done)):
            failure = outcome if isinstance(outcome, ImportFailure) else ImportFailure("", str(result.error))
            tag["from"] = str(declared[name].source)
            known = isinstance(outcome, ImportFailure)
            remedy = ""
            if known and failure.reason == "NotFound" and _had(old.tags.get(name), tag["from"]):
                remedy = _REMOVED_UPSTREAM
            elif known:
                remedy = remedy_for(desired.namespace, declared[name].source, failure)
            tag["error"] = f"{failure.text} - {remedy}" if remedy else failure.text
            if not tag["reasons"] and (known or result.unasked):
                tag["state"] = UNKNOWN
            failed.append(
                {
                    "namespace": desired.namespace,
                    "name": desired.name,
                    "tag": name,
                    "from": tag["from"],
                    "reason": failure.reason,
                    "message": failure.message,
                    "remedy": remedy,
                }
            )
        tags.append(tag)
    stream = {
        "namespace": desired.namespace,
        "name": desired.name,
        "state": UNKNOWN if result.unread else "present" if new.exists else "absent",
        "managed_by": result.before.owner.name if result.before.owner is not None else None,
        "lookup_policy_local": new.lookup_policy_local,
        "changed": stream_view(old) != stream_view(new) or any(tag["changed"] for tag in tags),
        "tags": tags,
        "gone_upstream": list(result.gone_upstream),
        "error": _stream_error(result, remedy_for),
    }
    if result.tags_from:
        stream.update(tags_from=result.tags_from, tags_from_reason=result.tags_from_reason or None)
    return stream, failed


def _had(tag: ObservedTag | None, source: str) -> bool:
    """Return whether a tag has an image of that source: then the source is no typo."""
    return tag is not None and bool(tag.digest) and (tag.kind, tag.source) == (EXTERNAL, source)


def _stream_error(result: StreamResult, remedy_for: RemedyFor) -> str | None:
    if result.error is None:
        return None
    repository = result.desired.repository
    remedy = (
        remedy_for(result.desired.namespace, repository.source, result.cause) if repository and result.cause else ""
    )
    return f"{result.error} - {remedy}" if remedy else str(result.error)


def _tag_result(
    name: str, result: StreamResult, old: ObservedTag | None, new: ObservedTag | None, outcome: t.Any
) -> dict[str, t.Any]:
    shown = new or old or ObservedTag(name)
    image = outcome if isinstance(outcome, Image) and new is not None and outcome.digest == new.digest else None
    return {
        "name": name,
        "state": "present" if new else "absent",
        "from": shown.source,
        "import_mode": shown.import_mode or None,
        "reference_policy": shown.reference_policy or None,
        "scheduled": shown.scheduled,
        "insecure": shown.insecure,
        "digest": (new.digest or None) if new else None,
        "previous_digest": (old.digest or None) if old else None,
        "media_type": (image.media_type or None) if image else None,
        "architecture": (image.architecture or None) if image else None,
        "manifests": shown_manifests(image) if image else [],
        "changed": differ(old, new),
        "reasons": list(result.reasons.get(name, ())),
        "error": None,
    }


def _differences(result: StreamResult, where: str) -> list[Difference]:
    """Return the difference of a changed stream, with those of its tags that this run changed.

    The list is empty for an unchanged stream.
    """
    if result.before is result.after:
        return []
    touched = {tag.name for tag in result.desired.tags} | set(result.reasons)
    names = sorted(name for name in touched if differ(result.before.tags.get(name), result.after.tags.get(name)))
    if not names and stream_view(result.before) == stream_view(result.after):
        return []
    return [
        Difference(
            "image stream", where, _with_tags(result.before, names), _with_tags(result.after, names), stream_lines
        )
    ]


def _with_tags(stream: ObservedStream, names: t.Sequence[str]) -> View:
    shown = stream_view(stream)
    return (
        None
        if shown is None
        else {**shown, "tags": {name: view(stream.tags[name]) for name in names if name in stream.tags}}
    )


def _failure_lines(where: str, error: str | None, failed: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return a line for each tag with a failure of its own.

    What stopped the stream has one line, with the tags that it cost.
    """
    lines = [failed_tag_text(where, tag) for tag in failed if tag["message"] != error]
    if error:
        cost = ", ".join(tag["tag"] for tag in failed if tag["message"] == error)
        lines.append(f"{where}: {error}" + (f" (not imported: {cost})" if cost else ""))
    return lines


def _failure(lines: t.Sequence[str], counts: t.Mapping[str, int], hints: t.Sequence[str], check_mode: bool) -> str:
    head = "Not every stream could be managed"
    tags = f"{counts['tags']} tag{'' if counts['tags'] == 1 else 's'}"
    if counts["failed"] and check_mode:
        head = f"{counts['failed']} of {tags} could not be looked up"
    elif counts["failed"]:
        head = f"{counts['failed']} of {tags} could not be imported"
    return "\n".join([f"{head}:", *(f"- {line}" for line in lines), *hints])

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road of the samples: write the operator's configuration, wait for the operator, try failed imports again, report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from typing import NamedTuple

from .._cluster.client import MERGE_PATCH, ClusterClient
from .._cluster.optimistic import WriteTracker, retry_until_settled
from .._core.diff import Difference
from .._core.errors import CollectionError, InputError
from .._core.references import PullSpec
from .._core.report import Report
from .._import_engine.observed import ImportFailure, ObservedStream, ObservedTag
from .config import (
    CONFIG_NAME,
    CONFIG_PATH,
    MANAGED,
    UNMANAGED,
    DesiredSamples,
    ObservedSamples,
    SamplesPlan,
    SamplesSpec,
    plan_samples,
)
from .wait import (
    SamplesState,
    outstanding,
    read_config,
    read_state,
    wait_for_samples,
)

if t.TYPE_CHECKING:
    from .._import_engine.desired import DesiredStream, PendingCredential
    from .._import_engine.report import RemedyFor


class SamplesRun(NamedTuple):
    """How a run goes about it. Times are in seconds; ``timeout`` is the server's limit for one import request."""

    check_mode: bool
    wait: bool = True
    wait_timeout: float = 600
    wait_sleep: float = 5
    retry_failed: bool = True
    ignore_failed_tags: bool = False
    concurrency: int = 8
    timeout: int = 120
    pending: t.Sequence[PendingCredential] = ()


class SpecChange(NamedTuple):
    """The specification before and after the run, or as check mode foresees it."""

    before: SamplesSpec
    after: SamplesSpec

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that differ."""
        return self.before.differences(self.after)


@dataclass
class _Imports:
    """Tags whose import failed: what trying again brought, and what is still not there."""

    retried: Report = field(default_factory=lambda: Report(False, {"streams": [], "failed_tags": []}))
    retried_count: int = 0
    failed: list[dict[str, t.Any]] = field(default_factory=list)


def converge_samples(client: ClusterClient, desired: DesiredSamples, run: SamplesRun, remedy_for: RemedyFor) -> Report:
    """Make the configuration as declared and see to its effect, or tell what that would do. Raises ``CollectionError``."""
    change = write_configuration(client, desired, check_mode=run.check_mode)
    state = SamplesState(ObservedSamples("", change.after, SamplesSpec()))
    try:
        state, left = _effect(client, change, run)
        imports = _see_to_failed_imports(client, state, run, remedy_for, retry=run.retry_failed and not left)
    except CollectionError as error:
        if run.check_mode or not change.names:
            raise
        written = _report(change, state, [], _Imports(), run)
        failure = f"{CONFIG_NAME} was written as declared, but what the operator makes of it could not be seen to: {error}"
        written.results.update(error.results())
        written.failure = failure
        return written
    return _report(change, state, left, imports, run)


def _effect(client: ClusterClient, change: SpecChange, run: SamplesRun) -> tuple[SamplesState, list[str]]:
    """Return what the operator has made of the configuration, waiting for it where that is wanted, and what it has still to do."""
    if not run.wait or (run.check_mode and change.names):
        # What the operator will make of a configuration that is not written yet is not known.
        return SamplesState(read_config(client)), []
    if run.check_mode:
        state = read_state(client)
        return state, outstanding(state)
    return wait_for_samples(client, timeout=run.wait_timeout, pause=run.wait_sleep)


def write_configuration(client: ClusterClient, desired: DesiredSamples, *, check_mode: bool) -> SpecChange:
    """Write what differs, and only that, against the version that was read; others' fields and changes stay."""
    writes: WriteTracker[SamplesPlan] = WriteTracker()
    first: list[SamplesSpec] = []

    def attempt() -> SpecChange:
        observed = read_config(client)
        plan = plan_samples(desired, observed)
        if plan.patch and not check_mode:
            if not first:
                first.append(observed.spec)
            body = {"metadata": {"resourceVersion": observed.resource_version}, "spec": dict(plan.patch)}
            writes.send(lambda: client.request("PATCH", CONFIG_PATH, body=body, content_type=MERGE_PATCH, repeatable=False), plan)
        # A write that no answer came to, and was carried out after all, counts as done.
        return SpecChange(first[0] if writes.last and first else observed.spec, plan.after)

    return retry_until_settled(attempt, CONFIG_NAME, writes)


def _see_to_failed_imports(client: ClusterClient, state: SamplesState, run: SamplesRun, remedy_for: RemedyFor, *, retry: bool) -> _Imports:
    imports = _Imports()
    if state.config.spec.management_state != MANAGED:
        return imports
    failed = [(stream, tag) for stream, tag in state.external_tags() if tag.failure and not tag.pending]
    again = _again(failed) if retry else []
    tried = {(stream.name, tag.name) for stream in again for tag in stream.tags}
    if again:
        from .._import_engine.report import stream_report
        from .._import_engine.run import converge_streams

        results = converge_streams(
            client, again, check_mode=run.check_mode, concurrency=run.concurrency, timeout=run.timeout, pending=run.pending
        )
        imports.retried = stream_report(results, remedy_for, only_changed=False)
        imports.retried_count = len(tried)
    imports.failed = [_failed_tag(stream, tag, remedy_for) for stream, tag in failed if (stream.name, tag.name) not in tried]
    imports.failed += imports.retried.results["failed_tags"]
    imports.failed.sort(key=lambda entry: (entry["name"], entry["tag"]))
    return imports


def _again(failed: t.Sequence[tuple[ObservedStream, ObservedTag]]) -> list[DesiredStream]:
    """Declare the failed tags as they are, so that the import engine has nothing to do but to import them."""
    from .._import_engine.adoption import adopt
    from .._import_engine.desired import desired_streams

    names: dict[str, set[str]] = {}
    streams = {stream.name: stream for stream, _tag in failed}
    for stream, tag in failed:
        names.setdefault(stream.name, set()).add(tag.name)
    declared = []
    for name, stream in streams.items():
        tags = [tag for tag in adopt(stream).variables.get("tags", ()) if tag["name"] in names[name]]
        if tags:
            declared.append({"namespace": stream.namespace, "name": name, "tags": tags})
    return desired_streams({"streams": declared, "refresh": "missing"}) if declared else []


def _failed_tag(stream: ObservedStream, tag: ObservedTag, remedy_for: RemedyFor) -> dict[str, t.Any]:
    failure = tag.failure or ImportFailure("", "")
    try:
        remedy = remedy_for(stream.namespace, PullSpec.parse(tag.source), failure)
    except InputError as error:
        remedy = error.message
    return {
        "namespace": stream.namespace,
        "name": stream.name,
        "tag": tag.name,
        "from": tag.source,
        "reason": failure.reason,
        "message": failure.message,
        "remedy": remedy,
    }


def _report(change: SpecChange, state: SamplesState, left: list[str], imports: _Imports, run: SamplesRun) -> Report:
    tags = list(state.external_tags())
    pending = sum(tag.pending for _stream, tag in tags)
    failed_streams = sorted({entry["name"] for entry in imports.failed})
    results = {
        "config": change.after.view(),
        "conditions": [
            {"type": entry.type, "status": entry.status, "reason": entry.reason, "message": entry.message}
            for entry in state.config.conditions.values()
        ],
        "version": state.config.version or None,
        "imagestreams": [stream.name for stream in state.streams],
        "streams": imports.retried.results["streams"],
        "failed_tags": imports.failed,
        "failed_imagestreams": failed_streams,
        "outstanding": left,
        "summary": {
            "imagestreams": len(state.streams),
            "tags": len(tags),
            "imported": len(tags) - pending - len(imports.failed),
            "pending": pending,
            "failed": len(imports.failed),
            "retried": imports.retried_count,
        },
    }
    differences = list(imports.retried.differences)
    if change.names:
        differences.append(Difference("configuration", CONFIG_NAME, change.before.view(), change.after.view()))
    problems, warnings = [], list(imports.retried.warnings)
    if left and not run.check_mode:
        problems.append(_timeout_text(left, run.wait_timeout))
    if imports.failed:
        # In check mode nobody waits, and what is still under way may bring them.
        (warnings if run.ignore_failed_tags or (run.check_mode and left) else problems).append(_failed_text(imports.failed, failed_streams, len(tags)))
    if change.after.management_state == UNMANAGED and set(change.names) - {"management_state"}:
        warnings.append("The samples are Unmanaged: the operator acts by the new configuration only once they are Managed again.")
    changed = bool(change.names) or imports.retried.changed
    return Report(changed, results, differences, "\n".join(problems) or None, warnings)


def _timeout_text(left: t.Sequence[str], seconds: float) -> str:
    lines = "\n".join(f"- {entry}" for entry in left)
    return f"The Cluster Samples Operator was not done after {seconds:g} seconds; wait_timeout gives it longer:\n{lines}"


def _failed_text(failed: t.Sequence[t.Mapping[str, t.Any]], streams: t.Sequence[str], count: int) -> str:
    lines = []
    for entry in failed:
        said = f"{entry['reason']}: {entry['message']}" if entry["reason"] else entry["message"]
        lines.append(f"- {entry['name']}:{entry['tag']} from {entry['from']}: {said}" + (f" - {entry['remedy']}" if entry["remedy"] else ""))
    head = f"{len(failed)} of {count} tags of the samples could not be imported; bring them into the registry, or name in skipped_imagestreams"
    return f"{head} what is not needed ({', '.join(streams)}):\n" + "\n".join(lines)

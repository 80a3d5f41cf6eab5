# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn what registries send to a webhook into pushes: an event filter of ansible-rulebook.

ansible-rulebook runs this file by its path, in its own process, where collections cannot be imported. So the file
stands alone, with the grammar of pull specs written once more (a test holds it to the collection's own).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

DOCUMENTATION = r"""
---
author:
  - quayside contributors (@quayside)
short_description: Turn the notifications of registries into pushes.
description:
  - An event filter that reads the notifications of container registries, and replaces the event with C(pushes), a list
    with one entry for each tag that now names an image. Each entry has the keys C(registry), C(repository), C(tag),
    C(digest) and C(at).
  - It understands the notifications of CNCF Distribution (docker-registry, GitLab's registry), Quay, Harbor (default
    format and CloudEvents), Docker Hub, GitHub packages, Azure Container Registry (webhooks and Event Grid), Google
    Artifact Registry (Pub/Sub), Amazon ECR (EventBridge, also through SNS or SQS), JFrog Artifactory, Gitea and
    Forgejo, Sonatype Nexus Repository and Zot.
  - Pulls, deletions, mounts, blobs, pushes by digest, scans, tests, charts, signatures and everything that is not
    understood give an empty list. No event makes it fail.
  - C(registry) is the host of a pull spec in lower case, and C(null) if the notification does not name it (Nexus, Zot).
    C(digest) is C(null) if the notification has none (Quay, Docker Hub, Gitea, Nexus). C(at) is a time in UTC as of RFC
    3339, or C(null).
  - Nothing else of the event is kept, because notifications can carry credentials. Names that no pull spec can contain
    give no push. At most 1,000 pushes are taken from one event.
  - Place C(eda.builtin.event_splitter) with C(splitter_key=pushes) after it, so that each push becomes an event of its
    own.
options:
  registry:
    description:
      - The registry, as in pull specs, for notifications that do not name one.
    type: str
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    host: 127.0.0.1
    port: 5000
    token: "{{ registry_push_token }}"
  filters:
    - quayside.openshift_images.registry_push:
    - eda.builtin.event_splitter:
        splitter_key: pushes

- eda.builtin.webhook:
    host: 127.0.0.1
    port: 5002
    token: "{{ nexus_token }}"
  filters:
    - quayside.openshift_images.registry_push:
        registry: nexus.example.com:8443
    - eda.builtin.event_splitter:
        splitter_key: pushes
"""

Push = dict[str, Optional[str]]

# More than one notification holds, and little enough to be handled at once.
_MOST_PUSHES = 1000
# JSON inside of a string: a manifest has at most 4 MiB.
_LONGEST_TEXT = 4 * 1024 * 1024

_DOMAIN = re.compile(
    r"(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))*|\[[a-f0-9:]+\])(?::[0-9]+)?"
)
_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
# Tags of cosign and of the referrers of an image: they name a signature, an attestation or a list of such.
_ATTACHED_TAG = re.compile(r"sha(?:256|384|512)-[0-9a-f]{64,128}(?:\.[A-Za-z0-9_-]+)*")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))"
)

_IMAGE_TYPES = (
    "application/vnd.docker.distribution.manifest.",
    "application/vnd.oci.image.",
    "application/vnd.docker.container.image.",
)
_SINGLE_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
_IMAGE_CONFIGS = ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json")


def main(event: dict[str, Any], registry: str | None = None) -> dict[str, list[Push]]:
    """Return the pushes of ``event``, and nothing else of it."""
    if registry is not None and not _is_domain(registry):
        raise ValueError(
            f"registry_push: {registry!r} is not a registry as pull specs name it: a host, and :port if it has one"
        )
    pushes: list[Push] = []
    for push in _pushes(_body(event), _headers(event)):
        if push["registry"] is None:
            push["registry"] = registry
        if push not in pushes:
            pushes.append(push)
        if len(pushes) == _MOST_PUSHES:
            break
    return {"pushes": pushes}


def _body(event: Any) -> Any:
    """Return what the registry sent: webhooks put it under payload, queues under body."""
    for key in ("payload", "body"):
        if isinstance(event, dict) and key in event:
            return _parsed(event[key])
    return event


def _headers(event: Any) -> dict[str, str]:
    """Return the request's headers by names in lower case with underscores."""
    headers = _get(event, "meta", "headers")
    if not isinstance(headers, dict):
        return {}
    texts = ((name, value) for name, value in headers.items() if isinstance(name, str) and isinstance(value, str))
    return {name.lower().replace("-", "_"): value for name, value in texts}


def _pushes(body: Any, headers: dict[str, str]) -> Iterator[Push]:
    """Yield each push of a body, which can be a list (Event Grid) or wrapped (SNS, CloudEvents)."""
    for item in body if isinstance(body, list) else [body]:
        if not isinstance(item, dict):
            continue
        if _get(item, "Type") == "Notification" and isinstance(_get(item, "Message"), str):
            item = _parsed(item["Message"])
            if not isinstance(item, dict):
                continue
        for read in _READERS:
            yield from read(item, headers)


def _distribution(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    """CNCF Distribution and GitLab send envelopes of events, Azure one event alone or as the data of an Event Grid
    event."""
    events = body.get("events")
    grid = _get(body, "eventType") or _get(body, "type")
    if grid == "Microsoft.ContainerRegistry.ImagePushed":
        events = [body.get("data")]
    for event in events if isinstance(events, list) else [body]:
        target = _get(event, "target")
        if _get(event, "action") != "push" or not isinstance(target, dict):
            continue
        media_type, references = target.get("mediaType"), target.get("references")
        if not _may_be_image(media_type) or _is_artifact(media_type, references):
            continue
        host = _get(event, "request", "host") or _host_of(target.get("url"))
        yield from _push(
            host, target.get("repository"), target.get("tag"), target.get("digest"), _get(event, "timestamp")
        )


def _is_artifact(media_type: Any, references: Any) -> bool:
    """Tell whether a manifest of one image has another configuration than images have: a chart, for example."""
    if media_type not in _SINGLE_MANIFESTS or not isinstance(references, list) or not references:
        return False
    return not any(_get(reference, "mediaType") in _IMAGE_CONFIGS for reference in references)


def _quay(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    tags = body.get("updated_tags")
    registry, repository = _split(body.get("docker_url"))
    for tag in tags if isinstance(tags, (list, dict)) else ():
        yield from _push(registry, repository, tag, None, None)


def _harbor(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    if body.get("type") == "PUSH_ARTIFACT":
        data, at = body.get("event_data"), body.get("occur_at")
    elif body.get("type") == "harbor.artifact.pushed":
        data, at = body.get("data"), body.get("time")
    elif headers.get("ce_type") == "harbor.artifact.pushed":
        data, at = body, headers.get("ce_time")
    else:
        return
    resources = _get(data, "resources")
    for resource in resources if isinstance(resources, list) else ():
        registry, _rest = _split(_get(resource, "resource_url"))
        name = _get(data, "repository", "repo_full_name")
        yield from _push(registry, name, _get(resource, "tag"), _get(resource, "digest"), at)


def _docker_hub(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    pushed, name = body.get("push_data"), _get(body, "repository", "repo_name")
    if isinstance(pushed, dict) and _may_be_image(pushed.get("media_type")):
        yield from _push("docker.io", name, pushed.get("tag"), None, pushed.get("pushed_at"))


def _github(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    package = body.get("package") or body.get("registry_package")
    version = _get(package, "package_version")
    ecosystem = _get(package, "package_type")
    if (
        body.get("action") not in ("published", "updated")
        or not isinstance(ecosystem, str)
        or ecosystem.lower() != "container"
    ):
        return
    container = _get(version, "container_metadata")
    manifest = _get(container, "manifest")
    if not all(_may_be_image(kind) for kind in (_get(manifest, "media_type"), _get(manifest, "config", "media_type"))):
        return
    owner, name = _get(package, "namespace") or _get(package, "owner", "login"), _get(package, "name")
    if not isinstance(owner, str) or not isinstance(name, str):
        return
    # GitHub Enterprise Server has a registry of its own, which only this text names.
    url = _get(version, "package_url")
    registry = _split(url)[0] if url else "ghcr.io"
    times = (
        _get(place, key) for place, key in ((package, "updated_at"), (version, "updated_at"), (version, "created_at"))
    )
    at = next((time for time in times if _rfc3339(time)), None)
    digest = _get(container, "tag", "digest") or _get(manifest, "digest") or None
    yield from _push(registry, f"{owner}/{name}".lower(), _get(container, "tag", "name"), digest, at)


def _gitea(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    package = body.get("package")
    if body.get("action") != "created" or _get(package, "type") != "container":
        return
    owner, name = _get(package, "owner", "login"), _get(package, "name")
    if isinstance(owner, str) and isinstance(name, str):
        registry = _host_of(_get(package, "html_url"))
        yield from _push(
            registry, f"{owner}/{name}".lower(), _get(package, "version"), None, _get(package, "created_at")
        )


def _google(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    """Pub/Sub wraps the notification in base64, or sends it as it is when the subscription unwraps payloads."""
    at: Any = headers.get("x_goog_pubsub_publish_time")
    data: Any = body
    message = body.get("message")
    if isinstance(message, dict):
        at = message.get("publishTime") or message.get("publish_time")
        data = _parsed(_from_base64(message.get("data")))
    name, digest = _get(data, "tag"), _get(data, "digest")
    if _get(data, "action") != "INSERT" or not isinstance(name, str):
        return
    registry, rest = _split(name)
    repository, _colon, tag = (rest or "").rpartition(":")
    if digest is not None:
        if not isinstance(digest, str) or not digest.startswith(f"{registry}/{repository}@"):
            return
        digest = digest.rpartition("@")[2]
    yield from _push(registry, repository, tag, digest, at)


def _amazon(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    """Yield a push.

    A replica that arrived; a tag that the pull-through cache brought: each time the tag names an image now.
    """
    detail, action = _get(body, "detail"), _get(body, "detail", "action-type")
    kind = _get(body, "detail-type")
    wanted = (
        (kind == "ECR Image Action" and action == "PUSH")
        or (kind == "ECR Replication Action" and action == "REPLICATE")
        or kind == "ECR Pull Through Cache Action"
    )
    done = _get(detail, "sync-status" if kind == "ECR Pull Through Cache Action" else "result") == "SUCCESS"
    if body.get("source") != "aws.ecr" or not wanted or not done:
        return
    if not all(_may_be_image(_get(detail, key)) for key in ("manifest-media-type", "artifact-media-type")):
        return
    account, region = body.get("account"), body.get("region")
    if not isinstance(account, str) or not isinstance(region, str) or not re.fullmatch(r"[0-9]{12}", account):
        return
    registry = f"{account}.dkr.ecr.{region}.{_amazon_domain(region)}"
    yield from _push(
        registry,
        _get(detail, "repository-name"),
        _get(detail, "image-tag"),
        _get(detail, "image-digest"),
        body.get("time"),
    )


def _amazon_domain(region: str) -> str:
    """Return the domain of the partition that a region belongs to."""
    partitions = (
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
    )
    return next((domain for prefix, domain in partitions if region.startswith(prefix)), "amazonaws.com")


def _jfrog(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    data = body.get("data")
    if (
        body.get("domain") != "docker"
        or body.get("event_type") not in ("pushed", "promoted")
        or not isinstance(data, dict)
    ):
        return
    key, name, digest = data.get("repo_key"), data.get("image_name"), data.get("sha256") or None
    if isinstance(key, str) and isinstance(name, str):
        if isinstance(digest, str) and not digest.startswith("sha256:"):
            digest = f"sha256:{digest}"
        yield from _push(_host_of(body.get("jpd_origin")), f"{key}/{name}", data.get("tag"), digest, None)


def _nexus(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    component = body.get("component")
    if body.get("action") in ("CREATED", "UPDATED") and _get(component, "format") == "docker":
        yield from _push(None, _get(component, "name"), _get(component, "version"), None, body.get("timestamp"))


def _zot(body: dict[str, Any], headers: dict[str, str]) -> Iterator[Push]:
    """Zot sends CloudEvents, in HTTP's binary mode (type and time are headers) or structured."""
    data: Any = body
    at: Any = headers.get("ce_time")
    if body.get("type") == "zotregistry.image.updated":
        data, at = body.get("data"), body.get("time")
    elif headers.get("ce_type") != "zotregistry.image.updated":
        return
    config = _get(_parsed(_get(data, "manifest")), "config", "mediaType")
    if _may_be_image(_get(data, "mediaType")) and _may_be_image(config):
        yield from _push(None, _get(data, "name"), _get(data, "reference"), _get(data, "digest"), at)


_READERS: tuple[Callable[[dict[str, Any], dict[str, str]], Iterator[Push]], ...] = (
    _distribution, _quay, _harbor, _docker_hub, _github, _gitea, _google, _amazon, _jfrog, _nexus, _zot,
)  # fmt: skip


def _push(registry: Any, repository: Any, tag: Any, digest: Any, at: Any) -> Iterator[Push]:
    """Yield the push, unless one of its names could not stand in a pull spec: it is foreign text."""
    if registry is not None and not _is_domain(registry):
        return
    if not isinstance(repository, str) or len(repository) > 255 or not _PATH.fullmatch(repository):
        return
    if not isinstance(tag, str) or not _TAG.fullmatch(tag) or _ATTACHED_TAG.fullmatch(tag):
        return
    if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        return
    yield {
        "registry": registry.lower() if isinstance(registry, str) else None,
        "repository": repository,
        "tag": tag,
        "digest": digest,
        "at": _rfc3339(at),
    }


def _is_domain(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= 255 and bool(_DOMAIN.fullmatch(text.lower()))


def _may_be_image(media_type: Any) -> bool:
    """Tell whether what has this media type, if it is told, can be an image."""
    return not isinstance(media_type, str) or not media_type or media_type.startswith(_IMAGE_TYPES)


def _get(value: Any, *path: str) -> Any:
    """Return what stands at the path of keys, or None. An earlier filter may have made dashes of keys underscores."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value[key] if key in value else value.get(key.replace("-", "_"))
    return value


def _split(text: Any) -> tuple[Any, Any]:
    """Return host and path of a name without a scheme."""
    if not isinstance(text, str):
        return "", None
    host, _slash, path = text.partition("/")
    return host, path


def _host_of(url: Any) -> str | None:
    """Return host and port of a URL; what is no URL has none."""
    match = re.match(r"https?://([^/?#]+)", url) if isinstance(url, str) else None
    return match[1] if match else None


def _parsed(text: Any) -> Any:
    """Return what the JSON of a string says, and None for what is no JSON; anything but a string is what it is."""
    if not isinstance(text, (str, bytes)):
        return text
    try:
        return json.loads(text) if len(text) <= _LONGEST_TEXT else None
    except (ValueError, RecursionError):
        return None


def _from_base64(text: Any) -> Any:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        return None


def _rfc3339(time: Any) -> str | None:
    """Return a time, as text with any offset or in seconds, in UTC.

    Return None for what is none, or before 1970 (Go's zero).
    """
    fraction = ""
    try:
        if isinstance(time, (int, float)) and not isinstance(time, bool):
            moment = datetime.fromtimestamp(int(time), timezone.utc)
        else:
            match = _TIME.fullmatch(time) if isinstance(time, str) else None
            if not match:
                return None
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
            fraction = match[7] or ""
            if match[8]:
                moment -= timedelta(hours=int(match[9]), minutes=int(match[10])) * (1 if match[8] == "+" else -1)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z" if moment.year >= 1970 and time else None

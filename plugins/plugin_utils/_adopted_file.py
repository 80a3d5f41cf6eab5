# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables file that the playbook adopt writes: what modules read from a cluster, checked once more and written
as text.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The modules leave out what their options would refuse. It is checked here again, because Ansible masks what equals a
credential in their results: a name in which four letters were replaced must not be written as if the cluster had it.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t
from typing import NamedTuple

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.names import check_object_name
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import check_namespace
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._unsafe_yaml import (
    OwnTemplate,
    in_a_comment,
    quoted,
    unsafe_yaml,
)

Entry = t.Mapping[str, t.Any]
_CREDENTIALS = {"password": "password", "identity_token": "identity token", "auth": "base64 of user:password"}
_VARIABLE = re.compile(r"registry_access_[a-z0-9_]+")
_PLACEHOLDER = re.compile(rf"\{{\{{ ({_VARIABLE.pattern}) \}}\}}")
# What Ansible writes over a credential in the results of a module.
_MASKS = ("********", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")
_MASKED = "a part of it equals a credential of this run, so that Ansible masks it: adopt it with another credential"


class AdoptedFile(NamedTuple):
    """The text of the file, and what it holds."""

    text: str
    image_streams: int
    pull_secrets: int
    to_be_defined: list[str]
    left_out: list[str]
    managed_by: list[str]


def adopted_file(streams: t.Iterable[Entry], access: Entry, cluster: str, skip: t.Sequence[str] = ()) -> AdoptedFile:
    """Return the file for what ``image_stream_info`` (its streams) and ``registry_access_info`` (its result) read.

    ``skip`` are globs of namespaces whose streams are left out; the secrets were read without them.
    """
    left_out: list[str] = []
    owners: list[tuple[str, t.Any]] = []
    declared = []
    for stream in streams:
        if any(fnmatch.fnmatchcase(str(stream["namespace"]), pattern) for pattern in skip):
            continue
        entry, refusals = _stream(stream)
        left_out += refusals
        declared += [entry] if entry else []
        if entry:
            owners.append((f"the image stream {_name(stream['namespace'], stream['name'])}", stream.get("managed_by")))
    known = {str(one["variable"]) for one in access["placeholders"]}
    secrets = []
    for secret in access["as_variables"]:
        entry, refusal = _secret(secret, known)
        left_out += [refusal] if refusal else []
        secrets += [entry] if entry else []
    left_out = [_of_secret(one) for one in access["not_in_variables"]] + left_out
    placeholders = [one for one in access["placeholders"] if _VARIABLE.fullmatch(str(one["variable"]))]
    lines = [
        "---",
        (
            f"# Image streams, pull secrets and their links of {quoted(cluster)}, as variables for "
            "quayside.openshift_images.site."
        ),
    ]
    if placeholders:
        lines += ["#", "# Still to be defined, best in a file of their own that ansible-vault encrypts:"]
        lines += [f"#   {_placeholder(one)}" for one in placeholders]
    if left_out:
        lines += ["#", "# Not in this file, and left as it is by site.yml:"]
        lines += [f"#   {one}" for one in left_out]
    managed = [f"{about}: {quoted(str(owner))}" for about, owner in [*owners, *_owners(secrets, access)] if owner]
    if managed:
        lines += ["#", "# Reconciled by somebody else, so that site.yml refuses to change it without take_over:"]
        lines += [f"#   {one}" for one in managed]
    variables = [{"registry_access_secrets": secrets}, {"image_streams_desired": declared}]
    text = "\n".join([*lines, "", *(unsafe_yaml(part) for part in variables)])
    pull_secrets = sum(len(secret["namespaces"]) for secret in secrets)
    to_be_defined = [str(one["variable"]) for one in placeholders]
    return AdoptedFile(text, len(declared), pull_secrets, to_be_defined, left_out, managed)


def _owners(secrets: t.Iterable[Entry], access: Entry) -> t.Iterator[tuple[str, t.Any]]:
    """Yield who reconciles the secrets that are in the file, and the service accounts that they are linked to."""
    adopted: set[tuple[t.Any, t.Any]] = set()
    linked: set[tuple[t.Any, t.Any]] = set()
    for entry in secrets:
        for namespace in entry["namespaces"]:
            adopted.add((namespace, entry["name"]))
            linked.update(
                (namespace, account) for link in entry.get("link") or () for account in link["service_accounts"]
            )
    for one in access.get("secrets") or ():
        if (one["namespace"], one["name"]) in adopted:
            yield f"the secret {_name(one['namespace'], one['name'])}", one.get("managed_by")
    for one in access.get("links") or ():
        if (one["namespace"], one["service_account"]) in linked:
            yield f"the service account {_name(one['namespace'], one['service_account'])}", one.get("managed_by")


def _placeholder(one: Entry) -> str:
    secrets = ", ".join(in_a_comment(str(name)) for name in one["secrets"])
    return (
        f"{one['variable']}: the {_CREDENTIALS[one['kind']]} of {quoted(str(one['username']))} at "
        f"{quoted(str(one['registry']))}, in {secrets}"
    )


def _of_secret(one: Entry) -> str:
    registry = f", {quoted(str(one['registry']))}" if one.get("registry") else ""
    return f"the secret {_name(one['namespace'], one['name'])}{registry}: {quoted(str(one['reason']))}"


def _name(*parts: t.Any) -> str:
    return "/".join(in_a_comment(str(part)) for part in parts)


def _stream(stream: Entry) -> tuple[Entry | None, list[str]]:
    """Return the entry for a stream, None if it cannot be declared, and a line for each thing that is left out."""
    name = _name(stream["namespace"], stream["name"])
    lines = []
    for one in stream["not_in_variables"]:
        about = f"the image stream {name}" if one["tag"] is None else f"the tag {name}:{quoted(str(one['tag']))}"
        lines.append(f"{about}: {quoted(str(one['reason']))}")
    entry = stream["as_variables"]
    if not entry:
        return None, lines
    kept = {key: value for key, value in entry.items() if key != "tags"}
    tags = []
    reason = _refusal(kept)
    for tag in entry.get("tags") or () if not reason else ():
        odd = _refusal({**kept, "tags": [tag]})
        if odd:
            lines.append(f"the tag {name}:{quoted(str(tag['name']))}: {quoted(odd)}")
        else:
            tags.append(tag)
    if reason:
        return None, [*lines, f"the image stream {name}: {quoted(reason)}"]
    return {**kept, **({"tags": tags} if tags else {})}, lines


def _refusal(entry: Entry) -> str:
    if _is_masked(entry):
        return _MASKED
    try:
        desired_streams({"streams": [entry]})
    except InputError as error:
        return error.message
    return ""


def _is_masked(value: t.Any) -> bool:
    if isinstance(value, t.Mapping):
        return any(_is_masked(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return any(_is_masked(inner) for inner in value)
    return isinstance(value, str) and any(mask in value for mask in _MASKS)


def _secret(secret: Entry, known: set[str]) -> tuple[dict[str, t.Any] | None, str]:
    """Return the entry with its placeholders as templates.

    If it cannot be declared it is None, and the line says why.
    """
    reason = _MASKED if _is_masked(secret) else ""
    try:
        check_object_name("name", str(secret["name"]))
        for namespace in secret["namespaces"]:
            check_namespace(str(namespace))
        for link in secret.get("link") or ():
            for account in link["service_accounts"]:
                check_object_name("service_accounts", str(account))
        registries = [_registry(registry, known) for registry in secret["registries"]]
    except (InputError, ValueError) as error:
        reason = reason or str(error)
    if reason:
        return None, f"the secret {_name(', '.join(map(str, secret['namespaces'])), secret['name'])}: {quoted(reason)}"
    return {**secret, "registries": registries}, ""


def _registry(registry: Entry, known: set[str]) -> dict[str, t.Any]:
    """Return the entry with its credential as a template.

    Nothing else of the entry is a template, and the template names only a variable that is listed.
    """
    entry = dict(registry)
    for option in _CREDENTIALS:
        if option in entry:
            match = _PLACEHOLDER.fullmatch(str(entry[option]))
            if not match or match.group(1) not in known:
                raise ValueError(f"the {option} is no placeholder")
            entry[option] = OwnTemplate(match.group())
    return entry

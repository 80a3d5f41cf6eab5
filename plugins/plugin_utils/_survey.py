# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person types into a survey: flat text becomes the structures that the roles take, or sentences about what
is wrong.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

AWX asks for text, numbers and choices, never for lists of mappings. Everything here is decided before any request:
each line is checked by the same code that the modules check their options with.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.names import check_object_name
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import check_namespace
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams

_TRUE, _FALSE = ("true", "yes"), ("false", "no")
_FLAGS = ("scheduled", "insecure")
_WORDS = ("import_mode", "reference_policy", *_FLAGS, "prefer_architecture", "prefer_os")
_FORM = "NAMESPACE/STREAM:TAG IMAGE [KEY=VALUE ...]"

Entry = dict[str, t.Any]
_NO_CREDENTIAL = (
    "registry_access_survey_namespaces names namespaces for a pull secret, but there is no credential to put into it: "
    "attach a registry credential to the job template (or set registry_access_credential_registry, _username and "
    "_password), or leave the namespaces empty."
)


class Survey(NamedTuple):
    """The structures, and one message for each thing that is wrong.

    With any of these, the structures are not to be used.
    """

    entries: list[Entry]
    problems: list[str]


def image_streams(text: str, variable: str) -> Survey:
    """Read image streams, one tag a line; ``variable`` names the text in the sentences."""
    streams: dict[tuple[str, str], Entry] = {}
    problems = []
    for number, line in _lines(text):
        try:
            namespace, stream, tag = _tag_of_line(line)
            known = streams.get((namespace, stream), {"namespace": namespace, "name": stream, "tags": []})
            joined = {**known, "tags": [*known["tags"], tag]}
            desired_streams({"streams": [joined]})
        except InputError as error:
            problems.append(f"{variable}, line {number}: {error.message}")
        else:
            streams[namespace, stream] = joined
    return Survey(list(streams.values()), problems)


def pull_secrets(answers: t.Mapping[str, t.Any]) -> Survey:
    """Read a pull secret from the role's flat variables without their prefix.

    They are ``survey_namespaces``, ``survey_secret`` and ``survey_service_accounts``, and ``credential_registry``,
    ``credential_username``, ``credential_password`` and ``credential_auth_file``.
    """
    namespaces = names(answers.get("survey_namespaces"))
    if not namespaces:
        return Survey([], [])
    problems = []
    accounts = names(answers.get("survey_service_accounts"))
    name = str(answers.get("survey_secret") or "").strip()
    checks: list[tuple[t.Callable[..., None], tuple[str, ...]]] = [
        *((check_namespace, (namespace,)) for namespace in namespaces),
        (check_object_name, ("registry_access_survey_secret", name)),
        *((check_object_name, ("registry_access_survey_service_accounts", account)) for account in accounts),
    ]
    for check, arguments in checks:
        try:
            check(*arguments)
        except InputError as error:
            problems.append(error.message)
    credential, lacking = _credential(answers)
    problems += lacking
    link = {"link": [{"service_accounts": accounts}]} if accounts else {}
    return Survey([{"name": name, "namespaces": namespaces, **credential, **link}], problems)


def names(value: t.Any) -> list[str]:
    """Split names at commas, blanks and line ends, each once; a list stays one."""
    parts = value if isinstance(value, (list, tuple)) else str(value or "").replace(",", " ").split()
    return list(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def _credential(answers: t.Mapping[str, t.Any]) -> tuple[Entry, list[str]]:
    registry = {key: str(answers.get(f"credential_{key}") or "") for key in ("registry", "username", "password")}
    found: Entry = {}
    missing = [key for key, value in registry.items() if not value]
    if not missing:
        found["registries"] = [registry]
    elif len(missing) < len(registry):
        return {}, [f"The registry credential is incomplete: registry_access_credential_{missing[0]} is empty."]
    if answers.get("credential_auth_file"):
        found["auth_file"] = str(answers["credential_auth_file"])
    if not found:
        return {}, [_NO_CREDENTIAL]
    return found, []


def _lines(text: str) -> t.Iterator[tuple[int, str]]:
    for number, line in enumerate(str(text or "").splitlines(), 1):
        if line.strip() and not line.strip().startswith("#"):
            yield number, line.strip()


def _tag_of_line(line: str) -> tuple[str, str, Entry]:
    target, *rest = line.split()
    namespace, slash, name = target.partition("/")
    stream, colon, tag = name.partition(":")
    if not rest or not (namespace and slash and stream and colon and tag):
        raise InputError(f'"{line}" does not say which image goes where; write {_FORM}')
    entry: Entry = {"name": tag, "from": rest[0]}
    for word in rest[1:]:
        key, equals, value = word.partition("=")
        if not equals or key not in _WORDS:
            raise InputError(
                f'"{word}" is not understood; after the image only {", ".join(f"{name}=" for name in _WORDS)} may '
                "follow"
            )
        if key in entry:
            raise InputError(f"{key} is given twice")
        entry[key] = _flag(key, value) if key in _FLAGS else value
    return namespace, stream, entry


def _flag(key: str, value: str) -> bool:
    if value.lower() not in _TRUE + _FALSE:
        raise InputError(f'{key} is true or false, not "{value}"')
    return value.lower() in _TRUE

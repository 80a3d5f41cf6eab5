# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of roles and playbooks: which names have no effect, and which values no role takes, each in one
sentence.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Ansible passes over a variable that nobody reads, and its own check of a role's variables says neither in which of
300 entries a word is wrong, nor in few words. No sentence repeats a credential.
"""

from __future__ import annotations

import difflib
import functools
import re
import typing as t
from collections import Counter
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import excerpt
from ansible_collections.quayside.openshift_images.plugins.plugin_utils._survey import image_streams, pull_secrets

Options = t.Mapping[str, t.Mapping[str, t.Any]]

_COLLECTION = Path(__file__).resolve().parents[2]
# What the names of our variables begin with. "image_stream" and not "image_streams_": the letter is easily forgotten.
_PREFIXES = (
    "image_stream",
    "registry_access",
    "cluster_pull_secret",
    "samples_registry",
    "drift_report",
    "drift_correct",
    "adopt_",
    "migrate_to_multiarch",
    "rotate_credential",
    "prune_risk",
    "pushed_",
    "awx_setup_",
    "openshift_images_",
    "k8s_auth_",
)
# Variables that adopt asks for: their names come from registries.
_OF_ADOPT = re.compile(r"registry_access_(password|auth|identity_token)_\w+")
_SHORTEST = 8
_SHOWN = 60
# What AWX shows in the place of a password, and gives to a job when a survey's answers were copied.
_ENCRYPTED = "$encrypted$"
# Names that were given up, and what they are called now.
RENAMED = {
    "rotate_credentials_ca_cert": "rotate_credentials_verify_ca_cert",
    "rotate_credentials_insecure": "rotate_credentials_verify_insecure",
}
# Which variables ask for the work of a role: those that must hold something, and those that only have to be given.
ASKED_FOR_BY: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cluster_pull_secret": (("cluster_pull_secret_registries", "cluster_pull_secret_auth_file"), ()),
    "registry_access": (("registry_access_secrets", "registry_access_survey_namespaces"), ()),
    "image_streams": (("image_streams_desired", "image_streams_survey"), ()),
    "samples_registry": (
        ("samples_registry_credentials",),
        (
            "samples_registry_registry",
            "samples_registry_management_state",
            "samples_registry_skipped_imagestreams",
            "samples_registry_skipped_templates",
        ),
    ),
}


def options_of(role: str) -> Options:
    """Return the options of a role, as its argument specification describes them."""
    text = (_COLLECTION / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    return t.cast(Options, yaml.safe_load(text)["argument_specs"]["main"]["options"])


def documented_by(playbook: str) -> list[str]:
    """Return the variables that the head of a playbook describes."""
    return re.findall(
        r"^#   (\w+)  ", (_COLLECTION / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8"), re.MULTILINE
    )


@functools.lru_cache(maxsize=1)
def known_names() -> frozenset[str]:
    """Return every word of the collection's roles and playbooks: a variable that is none of them has no effect."""
    files = [
        *_COLLECTION.glob("roles/*/*/*.yml"),
        *_COLLECTION.glob("playbooks/*.yml"),
        *_COLLECTION.glob("playbooks/vars/*.yml"),
    ]
    return frozenset(
        word for file in files for word in re.findall(r"[a-z][a-z0-9_]{5,}", file.read_text(encoding="utf-8"))
    )


def unknown_variables(given: t.Iterable[str], known: t.Collection[str] | None = None) -> list[str]:
    """Return a message for each variable that looks like one of ours and is none."""
    known = known_names() if known is None else known
    ours = {name for name in known if name.startswith(_PREFIXES) and len(name) >= _SHORTEST}
    near = {part: name for name in ours for part in (name, *_shortened(name))}
    sentences = []
    for name in sorted(given):
        if (
            name in known
            or name in RENAMED
            or _OF_ADOPT.fullmatch(name)
            or len(name) < _SHORTEST
            or name.startswith("ansible_")
        ):
            continue
        close = next((near[part] for part in (name, *_shortened(name)) if part in near), None)
        if close is None and name.startswith(_PREFIXES):
            close = next(iter(difflib.get_close_matches(name, ours, 1, 0.8)), "")
        if close is not None:
            advice = f": did you mean {close}?" if close else "."
            sentences.append(f"{excerpt(name, _SHOWN)} is no variable of the collection and has no effect{advice}")
    return sentences


def _shortened(name: str) -> t.Iterator[str]:
    """Return the name without one of its letters, each in turn.

    Two names that differ in a letter, or in the order of two, share one.
    """
    return (name[:position] + name[position + 1 :] for position in range(len(name)))


def renamed_variables(given: t.Iterable[str]) -> list[str]:
    """Return a message for each variable by a name of old."""
    return [f"{name} is called {RENAMED[name]} now: rename it" for name in sorted(given) if name in RENAMED]


def value_problems(options: Options, values: t.Mapping[str, t.Any]) -> list[str]:
    """Return a message for each value that the options do not take, with the place where it stands."""
    problems: list[str] = []
    for name, value in values.items():
        if name in options and value is not None:
            problems += _problems(name, value, options[name])
    return problems


def _problems(where: str, value: t.Any, option: t.Mapping[str, t.Any]) -> list[str]:
    if isinstance(value, str) and value == _ENCRYPTED:
        return [f"{where} is {_ENCRYPTED}, which AWX shows in the place of a password: type the password again"]
    inner = option.get("options")
    if inner and option["type"] == "list":
        if not isinstance(value, (list, tuple)):
            return [f"{where} is {_kind(value)}: give a list"]
        return [
            text
            for position, entry in enumerate(value)
            for text in _of_entry(_place(where, position, entry), entry, inner)
        ]
    return _of_value(where, value, option)


def _place(where: str, position: int, entry: t.Any) -> str:
    """Return the place of an entry as a person finds it: its position, and its name if it has one."""
    names = [entry.get(key) for key in ("namespace", "name", "registry")] if isinstance(entry, t.Mapping) else []
    name = "/".join(excerpt(str(part), _SHOWN) for part in names if isinstance(part, (str, int, float)) and str(part))
    outer, _sep, last = where.rpartition(", ")
    if not outer:
        return f"{where}[{position}]" + (f" ({name})" if name else "")
    singular = {"registries": "registry", "tags": "tag"}.get(last)
    return f"{outer}, {singular} {name}" if singular and name else f"{outer}, {last}[{position}]"


def _of_entry(where: str, entry: t.Any, options: Options) -> list[str]:
    if not isinstance(entry, t.Mapping):
        return [f"{where} is {_kind(entry)}: give a mapping"]
    wrong = [
        f'"{name}" is missing' for name, option in options.items() if option.get("required") and entry.get(name) is None
    ]
    wrong += [f'"{excerpt(str(name), _SHOWN)}" is not known' for name in entry if name not in options]
    problems = [f"{where}: {'; '.join(wrong)}"] if wrong else []
    for name, option in options.items():
        if entry.get(name) is not None:
            problems += _problems(f"{where}, {name}", entry[name], option)
    return problems


def _of_value(where: str, value: t.Any, option: t.Mapping[str, t.Any]) -> list[str]:
    kind = option.get("type", "str")
    secret = bool(option.get("no_log"))
    shown = "" if secret else f" {excerpt(str(value), _SHOWN)}"
    if kind in ("str", "path") and not isinstance(value, str):
        if isinstance(value, (list, dict)):
            return [f"{where} is {_kind(value)}: give a string"]
        return [f"{where} is {_kind(value)}{shown}, as YAML reads it without quotes: put it in quotes"]
    if kind == "list" and option.get("elements") == "str" and isinstance(value, (list, tuple)):
        return [
            f"{where}[{position}] is {_kind(item)}{'' if secret else f' {excerpt(str(item), _SHOWN)}'}, as YAML reads "
            "it without quotes: put it in quotes"
            for position, item in enumerate(value)
            if not isinstance(item, str)
        ]
    choices = option.get("choices")
    if choices and isinstance(value, str) and kind == "str" and value not in choices:
        words = ", ".join(f'"{choice}"' for choice in choices if choice)
        close = difflib.get_close_matches(value.lower(), [str(choice) for choice in choices], 1)
        advice = f"did you mean {close[0]}?" if close and close[0] else f"give one of {words}"
        return [f'{where} is "{excerpt(value, _SHOWN)}": {advice}']
    rest = {key: option[key] for key in ("type", "elements", "choices") if key in option}
    if kind in ("raw", "dict") and not (kind == "dict" and isinstance(value, str)):
        return [] if kind == "raw" or isinstance(value, t.Mapping) else [f"{where} is {_kind(value)}: give a mapping"]
    if ArgumentSpecValidator({"value": {**rest, "no_log": secret}}).validate({"value": value}).error_messages:
        wanted = {
            "bool": "true or false",
            "int": "a whole number",
            "float": "a number",
            "list": "a list",
            "dict": "a mapping",
        }.get(kind, kind)
        of = f" of {', '.join(map(str, choices))}" if choices else ""
        return [f"{where} is{shown or ' something else'}: give {wanted}{of}"]
    return []


def _kind(value: t.Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, t.Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else "a date" if hasattr(value, "isoformat") else "empty"


def survey_problems(role: str, options: Options, values: t.Mapping[str, t.Any]) -> list[str]:
    """Return a message for each thing that is wrong with the flat variables of a role, as a survey gives them, and
    for streams twice."""
    answers = {
        name: values.get(name, option.get("default"))
        for name, option in options.items()
        if "_survey" in name or "_credential_" in name
    }
    if role == "image_streams":
        survey = image_streams(answers["image_streams_survey"] or "", "image_streams_survey")
        names = Counter(
            f"{entry.get('namespace')}/{entry.get('name')}"
            for entry in [*(values.get("image_streams_desired") or ()), *survey.entries]
        )
        twice = [excerpt(name, _SHOWN) for name, count in sorted(names.items()) if count > 1]
        return [
            *survey.problems,
            *([f"Streams are listed twice, join their entries: {' '.join(twice)}"] if twice else []),
        ]
    if role == "registry_access":
        return pull_secrets({name[len(role) + 1 :]: value for name, value in answers.items()}).problems
    return []


def asked_for(roles: t.Iterable[str], values: t.Mapping[str, t.Any]) -> list[str]:
    """Return those of the roles whose variables ask for work, in their order."""
    return [
        role
        for role in roles
        if any(values.get(name) for name in ASKED_FOR_BY[role][0])
        or any(name in values for name in ASKED_FOR_BY[role][1])
    ]

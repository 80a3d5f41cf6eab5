# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for objects of every kind: their metadata when they are created and when they are replaced."""

from __future__ import annotations

import re
import secrets
import typing as t

from .resources import ResourceType
from .statuses import FieldError, GroupName, bad_request, conflict, invalid_value, required_value
from .store import Object

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN_LIMIT, _LABEL_LIMIT = 253, 63
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start"
    " and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end"
    " with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_WORD = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_WORD_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_ANNOTATIONS_LIMIT = 256 * 1024
_SERVER_FIELDS = ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "selfLink")
REFERENCE_FIELDS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
NameCheck = t.Callable[[str], str]


def subdomain_problem(name: str) -> str:
    """Return what is wrong with a name of most kinds; empty if nothing is."""
    if len(name) > _SUBDOMAIN_LIMIT:
        return f"must be no more than {_SUBDOMAIN_LIMIT} bytes"
    return "" if _SUBDOMAIN.fullmatch(name) else _SUBDOMAIN_TEXT


def label_problem(name: str) -> str:
    """Return what is wrong with a namespace's name."""
    if len(name) > _LABEL_LIMIT:
        return f"must be no more than {_LABEL_LIMIT} bytes"
    return "" if _LABEL.fullmatch(name) else _LABEL_TEXT


def segment_problem(name: str) -> str:
    """Return what is wrong with a name that only has to be one part of a path."""
    if name in (".", ".."):
        return f"may not be '{name}'"
    for character in "/%":
        if character in name:
            return f"may not contain '{character}'"
    return ""


def clean_metadata(metadata: Object | None) -> Object:
    """Metadata as the server reads it: without nulls, empty maps and what it does not keep."""
    return {key: value for key, value in (metadata or {}).items() if value not in (None, "", {}, [])}


def fill_for_creation(metadata: Object, namespace: str, resource: ResourceType) -> None:
    """Take the namespace from the path, forget what only the server sets, make up a name if a prefix is given."""
    given = metadata.get("namespace", "")
    if given and given != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    for field in _SERVER_FIELDS:
        metadata.pop(field, None)
    if resource.namespaced:
        metadata["namespace"] = namespace
    if not metadata.get("name") and metadata.get("generateName"):
        alphabet = "bcdfghjklmnpqrstvwxz2456789"
        metadata["name"] = metadata["generateName"] + "".join(secrets.choice(alphabet) for _letter in range(5))


def name_errors(metadata: Object, check: NameCheck) -> list[FieldError]:
    """Return what validation says of a new object's metadata."""
    name = metadata.get("name", "")
    if not name:
        return [required_value("metadata.name", "name or generateName is required"), *map_errors(metadata)]
    problem = check(name)
    return [*([invalid_value("metadata.name", name, problem)] if problem else []), *map_errors(metadata)]


def map_errors(metadata: Object) -> list[FieldError]:
    """Return what validation says of labels and annotations: keys are qualified names, values of labels are words."""
    errors: list[FieldError] = []
    for key, value in (metadata.get("labels") or {}).items():
        errors += [invalid_value("metadata.labels", key, problem) for problem in _key_problems(key)]
        errors += [invalid_value("metadata.labels", value, problem) for problem in _value_problems(value)]
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        errors += [invalid_value("metadata.annotations", key, problem) for problem in _key_problems(key.lower())]
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _ANNOTATIONS_LIMIT:
        errors.append(
            FieldError(
                "FieldValueTooLong",
                "metadata.annotations",
                f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes",
            )
        )
    return errors


def _key_problems(key: str) -> t.Iterator[str]:
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        yield f"a qualified name {_WORD_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash and (problem := subdomain_problem(prefix)):
        yield f"prefix part {problem}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > _LABEL_LIMIT:
        yield f"name part must be no more than {_LABEL_LIMIT} bytes"
    if not _WORD.fullmatch(name):
        yield f"name part {_WORD_TEXT}"


def _value_problems(value: str) -> t.Iterator[str]:
    if len(value) > _LABEL_LIMIT:
        yield f"must be no more than {_LABEL_LIMIT} bytes"
    if value and not _WORD.fullmatch(value):
        yield _VALUE_TEXT


def require_names_of_path(metadata: t.Any, name: str, namespace: str) -> None:
    """400 for a PUT whose body has no name, or another name or namespace than its path (apiserver, handlers/rest.go,
    checkName)."""
    given = metadata if isinstance(metadata, dict) else {}
    if not given.get("name"):
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if given["name"] != name:
        raise bad_request(f"the name of the object ({given['name']}) does not match the name on the URL ({name})")
    if namespace and given.get("namespace") not in (None, "", namespace):
        raise bad_request(
            f"the namespace of the object ({given['namespace']}) does not match the namespace on the request "
            f"({namespace})"
        )


def fill_for_update(metadata: Object, old: Object, resource: GroupName, path_name: str) -> None:
    """Check a replacement's metadata against the path and the stored object, and complete it from the latter."""
    name = metadata.setdefault("name", path_name)
    if name != path_name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({path_name})")
    namespace = metadata.get("namespace") or old.get("namespace")
    if namespace != old.get("namespace"):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if namespace:
        metadata["namespace"] = namespace
    uid = metadata.setdefault("uid", old["uid"])
    if uid != old["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['uid']}"
        raise conflict(resource, path_name, why)
    metadata["creationTimestamp"] = old["creationTimestamp"]
    for field in ("deletionTimestamp", "selfLink", "generateName"):
        if field in old:
            metadata[field] = old[field]
    # What is sent counts, so that a client may change it; an empty entry takes it away. Entries of writers are not
    # added here.
    if metadata.get("managedFields") == [{}]:
        del metadata["managedFields"]
    elif "managedFields" in old:
        metadata.setdefault("managedFields", old["managedFields"])

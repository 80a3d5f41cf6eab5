# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The static parts of kubeconfig files: several files merged, contexts, clusters and users, read into typed values.

The rules are those of kubectl: the first file that defines a name or the current context wins, a relative path is
relative to the file that holds it, inline data win over files.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import typing as t
from typing import NamedTuple
from urllib.parse import quote

from ansible.module_utils.basic import missing_required_lib

from .._core.errors import ConfigurationError, MissingLibraryError
from .._core.masking import basic_credential, is_content, url_passwords
from .._http.tls import Pem
from .connection import TOKEN_TEXT, Impersonation, Mask

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

Content = dict[str, t.Any]

SECRET_KUBECONFIG_KEYS = frozenset(
    {"token", "password", "client-key-data", "id-token", "refresh-token", "access-token", "client-secret"}
)

_SECRET_NAME = r"(?i)(token|secret|passw|credential|access_key)"
_SECRET_ARGUMENT = r"(?i)(?:token|secret|password)=(.+)\Z"


class KubeconfigCluster(NamedTuple):
    """The cluster of a context: where it is and whom to trust."""

    server: str
    origin: str = "the kubeconfig"
    ca: Pem | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None


class KubeconfigUser(NamedTuple):
    """The user of a context.

    ``path`` is the file that defines it (None for content); ``exec_plugin`` and ``auth_provider`` are as written, for
    the kubernetes library.
    """

    origin: str
    name: str = ""
    path: str | None = None
    token: str | None = None
    token_file: str | None = None
    username: str | None = None
    password: str | None = None
    client_cert: Pem | None = None
    client_key: Pem | None = None
    impersonation: Impersonation = Impersonation()
    exec_plugin: Content | None = None
    auth_provider: Content | None = None

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return f"KubeconfigUser({self.origin!r})"


class KubeconfigContext(NamedTuple):
    """One context, resolved.

    ``base`` is where the user's exec plugin is started; ``raw_cluster`` is the cluster entry as written, which a plugin
    may ask for.
    """

    name: str
    cluster: KubeconfigCluster
    user: KubeconfigUser
    base: str
    raw_cluster: Content

    def __repr__(self) -> str:
        return f"KubeconfigContext({self.name!r})"


class _Entry(NamedTuple):
    """A named entry of ``clusters``, ``users`` or ``contexts`` with the place it came from."""

    name: str
    content: Content
    origin: str
    base: str
    path: str | None = None


class _Merged:
    """Several files as one: the first definition of a name stays."""

    def __init__(self, described: str) -> None:
        self.described = described
        self.current_context: str | None = None
        self.entries: dict[str, dict[str, _Entry]] = {"clusters": {}, "users": {}, "contexts": {}}

    def add(self, content: t.Any, origin: str, base: str, path: str | None = None) -> None:
        if not isinstance(content, dict):
            raise ConfigurationError(
                f"{_start(origin)} is not a kubeconfig: its content is not a mapping with clusters, users and contexts."
            )
        for kind, known in self.entries.items():
            items = content.get(kind) or []
            if not isinstance(items, list):
                raise ConfigurationError(f"{_start(origin)} is not a valid kubeconfig: '{kind}' is not a list.")
            for item in items:
                if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                    raise ConfigurationError(
                        f"{_start(origin)} is not a valid kubeconfig: an entry of '{kind}' has no name."
                    )
                inner = item.get(kind[:-1]) or {}
                if not isinstance(inner, dict):
                    raise ConfigurationError(
                        f"{_start(origin)} is not a valid kubeconfig: '{kind[:-1]}' of '{item['name']}' is not a "
                        "mapping."
                    )
                known.setdefault(item["name"], _Entry(item["name"], inner, origin, base, path))
        current = content.get("current-context")
        if self.current_context is None and isinstance(current, str) and current:
            self.current_context = current

    def find(self, kind: str, name: str, wanted_by: str) -> _Entry:
        entry = self.entries[kind].get(name)
        if entry is None:
            known = ", ".join(sorted(self.entries[kind])) or "none"
            raise ConfigurationError(
                f"{_start(self.described)} has no {kind[:-1]} '{name}', which {wanted_by} names (it has: {known})."
            )
        return entry


def load_kubeconfig(source: t.Any, context: str | None, mask: Mask) -> KubeconfigContext:
    """Read a kubeconfig and resolve one context of it.

    ``source``: a path, paths separated by ``:``, a list of paths, the content as a mapping, or the content as text of
    several lines. ``context``: the context to use, None for the current one. Every secret that is met goes to ``mask``
    first. Raises ConfigurationError with one message, MissingLibraryError without PyYAML.
    """
    merged = _read(source, mask)
    name = context or merged.current_context
    if name is None:
        known = ", ".join(sorted(merged.entries["contexts"])) or "none"
        raise ConfigurationError(
            f"{_start(merged.described)} names no current context; set the option context to one of its contexts (it "
            f"has: {known})."
        )
    wanted_by = "the option context" if context else "current-context"
    chosen = merged.find("contexts", name, wanted_by)
    by_context = f"its context '{name}'"
    cluster_name = _text(chosen, "cluster")
    if cluster_name is None:
        raise ConfigurationError(f"The context '{name}' of {chosen.origin} names no cluster.")
    cluster_entry = merged.find("clusters", cluster_name, by_context)
    user_name = _text(chosen, "user")
    user_entry = (
        merged.find("users", user_name, by_context) if user_name else _Entry("", {}, chosen.origin, chosen.base)
    )
    return KubeconfigContext(
        name=name,
        cluster=_cluster(cluster_entry),
        user=_user(user_entry),
        base=user_entry.base,
        raw_cluster=cluster_entry.content,
    )


def kubeconfig_paths_of_environment() -> list[str]:
    """Return the files of ``$KUBECONFIG`` that exist, [] if it is unset.

    Raises ConfigurationError if it names no file.
    """
    value = os.environ.get("KUBECONFIG", "")
    if is_kubeconfig_text(value) or is_content(value):
        raise ConfigurationError(
            "The environment variable KUBECONFIG holds the content of a kubeconfig, and takes the path of one."
        )
    named = [os.path.expanduser(path) for path in value.split(os.pathsep) if path]
    found = [path for path in named if os.path.exists(path)]
    if named and not found:
        raise ConfigurationError(
            f"The environment variable KUBECONFIG names no file that exists ({', '.join(named)}); correct it, or unset "
            "it."
        )
    return found


def default_kubeconfig_paths() -> list[str]:
    """Return ``~/.kube/config`` if it exists."""
    path = os.path.expanduser("~/.kube/config")
    return [path] if os.path.exists(path) else []


def is_kubeconfig_text(source: t.Any) -> bool:
    """Return whether the option holds the content itself as text, YAML or JSON.

    No path has several lines or begins with a brace.
    """
    return isinstance(source, str) and ("\n" in source.strip() or source.lstrip().startswith("{"))


def _read(source: t.Any, mask: Mask) -> _Merged:
    if isinstance(source, dict):
        mask(kubeconfig_secrets(source))
        merged = _Merged("the kubeconfig content of the option kubeconfig")
        merged.add(source, merged.described, os.getcwd())
        return merged
    if is_kubeconfig_text(source):
        merged = _Merged("the kubeconfig content of the option kubeconfig")
        mask([source])
        content = _parse(source, merged.described)
        mask(kubeconfig_secrets(content))
        merged.add(content, merged.described, os.getcwd())
        return merged
    paths = _paths(source)
    merged = _Merged(
        f"the kubeconfig {paths[0]}" if len(paths) == 1 else f"the merged kubeconfig of {', '.join(paths)}"
    )
    # kubectl skips what is missing in a list, but one file that was named must be there
    present = [path for path in paths if os.path.exists(path)] if len(paths) > 1 else paths
    if not present:
        raise ConfigurationError(f"None of the kubeconfig files exists: {', '.join(paths)}.")
    for path in present:
        origin = f"the kubeconfig {path}"
        try:
            with open(path, encoding="utf-8") as handle:
                text = handle.read()
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"The kubeconfig {path} cannot be read: {why_unreadable(exc)}.") from None
        # an empty file is an empty kubeconfig, as for kubectl
        content = _parse(text, origin) or {}
        mask(kubeconfig_secrets(content))
        merged.add(content, origin, os.path.dirname(os.path.abspath(path)), path)
    return merged


def _paths(source: t.Any) -> list[str]:
    if isinstance(source, str):
        named = source.strip().split(os.pathsep)
    elif isinstance(source, (list, tuple)) and all(isinstance(item, str) for item in source):
        named = [path for item in source for path in item.split(os.pathsep)]
    else:
        raise ConfigurationError(
            "The option kubeconfig takes a path, a list of paths, or the content of a kubeconfig as a mapping."
        )
    if any(is_content(text) for text in ([source] if isinstance(source, str) else source)):
        raise ConfigurationError(
            "The option kubeconfig holds content that is neither YAML nor JSON, such as base64; give a path, or the "
            "content as it is in the file."
        )
    paths = [os.path.expanduser(path) for path in named if path]
    if not paths:
        raise ConfigurationError("The option kubeconfig names no file.")
    return paths


def _parse(text: str, origin: str) -> t.Any:
    if not HAS_YAML:
        raise MissingLibraryError(missing_required_lib("PyYAML", reason="to read a kubeconfig"))
    try:
        # libyaml's loader, if there is one: it is much faster for a file with certificates
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as exc:
        # the parser's own message quotes the text, which holds secrets
        mark = getattr(exc, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise ConfigurationError(f"{_start(origin)} is not valid YAML{place}.") from None


def _cluster(entry: _Entry) -> KubeconfigCluster:
    server = _text(entry, "server")
    if not server:
        raise ConfigurationError(f"The cluster '{entry.name}' of {entry.origin} has no server.")
    return KubeconfigCluster(
        server=server,
        origin=f"the cluster '{entry.name}' of {entry.origin}",
        ca=_pem(entry, "certificate-authority", "cluster"),
        verify=not _flag(entry, "insecure-skip-tls-verify"),
        server_name=_text(entry, "tls-server-name"),
        proxy=_text(entry, "proxy-url"),
    )


def _user(entry: _Entry) -> KubeconfigUser:
    exec_plugin, auth_provider = entry.content.get("exec"), entry.content.get("auth-provider")
    for key, plugin in (("exec", exec_plugin), ("auth-provider", auth_provider)):
        if plugin is not None and not isinstance(plugin, dict):
            raise ConfigurationError(f"'{key}' of the user '{entry.name}' of {entry.origin} is not a mapping.")
    return KubeconfigUser(
        origin=f"the user '{entry.name}' of {entry.origin}",
        name=entry.name,
        path=entry.path,
        token=_text(entry, "token"),
        token_file=_absolute(entry, "tokenFile"),
        username=_text(entry, "username"),
        password=_text(entry, "password"),
        client_cert=_pem(entry, "client-certificate", "user"),
        client_key=_pem(entry, "client-key", "user"),
        impersonation=_impersonation(entry),
        exec_plugin=exec_plugin or None,
        auth_provider=auth_provider or None,
    )


def _impersonation(entry: _Entry) -> Impersonation:
    groups = entry.content.get("as-groups") or []
    extra = entry.content.get("as-user-extra") or {}
    if not isinstance(groups, list) or not isinstance(extra, dict):
        raise ConfigurationError(
            f"as-groups of the user '{entry.name}' of {entry.origin} must be a list, and as-user-extra a mapping."
        )
    pairs: list[tuple[str, str]] = []
    for key, values in extra.items():
        # a header's name can hold only some characters; the API server decodes the rest
        header_part = quote(str(key), safe="!#$&'*+-.^_`|~")
        pairs.extend((header_part, str(value)) for value in (values if isinstance(values, list) else [values]))
    return Impersonation(
        user=_text(entry, "as"),
        groups=tuple(str(group) for group in groups),
        uid=_text(entry, "as-uid"),
        extra=tuple(pairs),
    )


def _pem(entry: _Entry, key: str, kind: str) -> Pem | None:
    origin = f"{key} of the {kind} '{entry.name}' of {entry.origin}"
    data = _text(entry, f"{key}-data")
    if data:
        try:
            text = base64.b64decode("".join(data.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise ConfigurationError(
                f"{key}-data of the {kind} '{entry.name}' of {entry.origin} is not the base64 of PEM content."
            ) from None
        return Pem(origin=origin, text=text)
    path = _absolute(entry, key)
    return Pem(origin=origin, path=path) if path else None


def _absolute(entry: _Entry, key: str) -> str | None:
    """Return the path at ``key``, seen from the kubeconfig's folder.

    Raises ConfigurationError for content, and does not repeat it.
    """
    path = _text(entry, key)
    if path is not None and is_content(path):
        advice = "token takes content" if key == "tokenFile" else f"{key}-data takes content, in base64"
        raise ConfigurationError(
            f"'{key}' of '{entry.name}' of {entry.origin} holds the content of a file, and takes the path of one; "
            f"{advice}."
        )
    return os.path.normpath(os.path.join(entry.base, path)) if path else None


def _text(entry: _Entry, key: str) -> str | None:
    value = entry.content.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ConfigurationError(f"'{key}' of '{entry.name}' of {entry.origin} is not a string; write it in quotes.")
    return value


def _flag(entry: _Entry, key: str) -> bool:
    value = entry.content.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ConfigurationError(f"'{key}' of '{entry.name}' of {entry.origin} is neither true nor false.")
    return value


def _start(origin: str) -> str:
    """Return the words at the start of a sentence."""
    return origin[0].upper() + origin[1:]


def why_unreadable(exc: Exception) -> str:
    """Return why a file could not be read as text; completes "cannot be read: "."""
    return exc.strerror if isinstance(exc, OSError) and exc.strerror else "it is not UTF-8 text"


def kubeconfig_secrets(content: t.Any) -> set[str]:
    """Return every secret value inside the content of a kubeconfig (a dictionary), wherever it stands.

    Of an exec plugin's environment and arguments those whose name says so; masking all would hide half the output.
    """
    found: set[str] = set()
    if isinstance(content, t.Mapping):
        for key, value in content.items():
            if key in SECRET_KUBECONFIG_KEYS and isinstance(value, (str, int)) and not isinstance(value, bool):
                found.add(str(value))
            elif key == "exec" and isinstance(value, t.Mapping):
                found |= _exec_secrets(value)
            elif isinstance(value, str):
                found |= url_passwords(value)
            else:
                found |= kubeconfig_secrets(value)
        username, password = content.get("username"), content.get("password")
        if isinstance(username, str) and isinstance(password, str):
            found.add(basic_credential(username, password))
    elif isinstance(content, (list, tuple)):
        for item in content:
            found |= kubeconfig_secrets(item)
    return {value for value in found if value}


def _exec_secrets(plugin: t.Mapping[str, t.Any]) -> set[str]:
    found: set[str] = set()
    for variable in plugin.get("env") or ():
        if (
            isinstance(variable, t.Mapping)
            and isinstance(variable.get("value"), str)
            and re.search(_SECRET_NAME, str(variable.get("name")))
        ):
            found.add(variable["value"])
    for argument in plugin.get("args") or ():
        match = re.search(_SECRET_ARGUMENT, argument) if isinstance(argument, str) else None
        if match:
            found.add(match.group(1))
    return found


def read_bearer_token(path: str, origin: str) -> str:
    """Return the bearer token of a file, without the line end.

    Raises ConfigurationError if it cannot be read or is empty.
    """
    try:
        with open(path, encoding="utf-8") as handle:
            token = handle.read().strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"The token file {path} of {origin} cannot be read: {why_unreadable(exc)}.") from None
    if not token:
        raise ConfigurationError(f"The token file {path} of {origin} is empty.")
    return token


def renewal(source: t.Callable[[], str], origin: str, mask: Mask) -> t.Callable[[], str]:
    """Return what gives a new bearer token of ``source``, which went to ``mask``.

    It raises ConfigurationError for what cannot be sent.
    """

    def renewed() -> str:
        token = source()
        mask([token])
        if not re.match(TOKEN_TEXT, token):
            raise ConfigurationError(
                f"The bearer token of {origin} holds a character that no token has, such as a space or a line end."
            )
        return token

    return renewed

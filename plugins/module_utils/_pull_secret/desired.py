# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task wants in a pull secret: options, checked and typed, without any access to the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .._core.errors import InputError
from .._core.names import check_key, check_label_value, check_object_name, check_path
from .._core.references import check_namespace
from .._credentials.auth_document import (
    AuthDocument,
    Login,
    decode_entry,
    is_own_token,
    matches_any,
    parse_auth_content,
    read_auth_file,
    take_from_auth_file,
)
from .._credentials.expiry import EXPIRED, expiry_of
from .._credentials.keyring import filed_text, key_remark
from .._credentials.option_login import login_from_options, refuse_user_info
from .._credentials.registry_secrets import EXCLUDE_ANNOTATION
from .._credentials.secret_types import DOCKER_CONFIG_JSON, PODMAN_CONFIG_JSON


class SecretSource(NamedTuple):
    """A secret of the cluster that a credential is taken from."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f'the secret "{self.name}" in the namespace "{self.namespace}"'


class DesiredRegistry(NamedTuple):
    """One registry of the secret. ``login`` is None if the secret is to have no entry for it.

    With a ``source`` it is still to be taken from there, but for an e-mail address.

    ``insecure`` and ``ca_cert`` (a path) are for trying the login only; the secret does not hold them.
    """

    registry: str
    login: Login | None
    insecure: bool = False
    ca_cert: str | None = None
    source: SecretSource | None = None


class DesiredSecret(NamedTuple):
    """A pull secret as the task wants it, in each namespace the same.

    Without ``create`` it has to be there. ``exclude_from_import`` is None to keep what is on the cluster; a label or
    annotation whose value is None is to be removed. With ``take_over`` it is written though somebody else reconciles
    it. ``left_out`` are keys of the auth file that are none of registries. With ``former_password`` an entry is only
    replaced if it has that password. With ``delete_if_empty`` the secret goes with its last registry.
    """

    name: str
    present: bool = True
    secret_type: str = DOCKER_CONFIG_JSON
    replace: bool = False
    create: bool = True
    recreate: bool = False
    registries: tuple[DesiredRegistry, ...] = ()
    exclude_from_import: bool | None = None
    labels: t.Mapping[str, str | None] = MappingProxyType({})
    annotations: t.Mapping[str, str | None] = MappingProxyType({})
    take_over: bool = False
    left_out: tuple[str, ...] = ()
    former_password: str | None = None
    delete_if_empty: bool = False

    @property
    def takes_from_secrets(self) -> bool:
        """Return whether a credential is still to be taken from a secret of the cluster."""
        return any(registry.source is not None for registry in self.registries)

    @property
    def present_registries(self) -> list[DesiredRegistry]:
        return [registry for registry in self.registries if registry.login is not None]

    def secrets(self) -> list[str]:
        """Return every string that must never be shown."""
        former = [self.former_password] if self.former_password else []
        return former + [
            text for registry in self.registries if registry.login is not None for text in registry.login.secrets()
        ]

    def remarks(self) -> list[str]:
        """Return the warnings that need no look at the cluster: what the secret holds and nothing could use."""
        if not self.present:
            return []
        found = []
        if self.secret_type == PODMAN_CONFIG_JSON:
            found.append(
                f'The secret "{self.name}" is of the type {PODMAN_CONFIG_JSON}: nothing in the cluster reads that '
                f"type, neither image imports nor pods nor builds; the same content works as type {DOCKER_CONFIG_JSON}."
            )
        for registry in self.present_registries:
            remark = key_remark(registry.registry)
            if remark:
                found.append(f'The registry "{registry.registry}" in the secret "{self.name}" {remark}.')
            if registry.source is not None:
                continue
            if registry.login is not None and registry.login.identity_token and registry.login.is_empty:
                found.append(
                    f'The entry for "{registry.registry}" in the secret "{self.name}" has an identity token only: '
                    "image imports and the kubelet do not understand it, ask that registry anonymously and try no "
                    "other secret for it; give username and password."
                )
            for what, odd in _odd_ends(registry.login):
                found.append(
                    f'The {what} of "{registry.registry}" in the secret "{self.name}" {odd}; correct it if that is a '
                    "slip."
                )
        if self.left_out:
            names = ", ".join(f'"{key}"' for key in self.left_out)
            found.append(
                f'Left out of the secret "{self.name}": {names}, where Docker keeps tokens of its own that no cluster '
                "reads."
            )
        return found

    def expired(self) -> list[str]:
        """Return a warning for each credential that has ended, as far as credentials say that themselves."""
        found = []
        for registry in self.present_registries if self.present else ():
            login = registry.login or Login()
            expiry = expiry_of(login.password, login.identity_token)
            if expiry.state() == EXPIRED:
                found.append(
                    f'The credential of "{registry.registry}" in the secret "{self.name}" expired at {expiry.text}; '
                    "give a fresh one."
                )
        return found


def _odd_ends(login: Login | None) -> t.Iterator[tuple[str, str]]:
    """Yield what is odd about the ends of user name and password, which are kept as they were given."""
    for what, text in (("user name", login.username), ("password", login.password)) if login is not None else ():
        if text.endswith(("\n", "\r")):
            yield what, "ends with a line end, as the content of a file does"
        elif text != text.strip():
            yield what, "begins or ends with a blank"


def desired_secret(params: t.Mapping[str, t.Any]) -> DesiredSecret:
    """Return what the options of ``pull_secret`` ask for.

    Raise ``InputError`` with the whole message if they cannot be.

    Reads the auth file on the host where the module runs; nothing else is touched.
    """
    check_object_name("name", params["name"])
    if params["state"] == "absent":
        return DesiredSecret(
            params["name"],
            present=False,
            secret_type=params["type"],
            recreate=params["recreate"],
            take_over=bool(params.get("take_over")),
        )
    from_file, left_out = _from_auth_document(params)
    registries = _merge_sources(from_file, _from_registries(params))
    metadata_given = params["labels"] or params["annotations"] or params["exclude_from_import"] is not None
    if params["update"] == "replace" and not any(registry.login for registry in registries):
        raise InputError(
            "update: replace would leave the secret without any registry; give registries, auth_file or auth_content, "
            "or delete it with state: absent"
        )
    if not registries and not metadata_given:
        raise InputError(
            "there is nothing to put into the secret; give at least one of registries, auth_file and auth_content"
        )
    annotations = _texts("annotations", params["annotations"])
    if params["exclude_from_import"] is not None and EXCLUDE_ANNOTATION in annotations:
        raise InputError(f"annotations: {EXCLUDE_ANNOTATION} is what exclude_from_import sets; give one of the two")
    return DesiredSecret(
        name=params["name"],
        secret_type=params["type"],
        replace=params["update"] == "replace",
        create=params["create"],
        recreate=params["recreate"],
        registries=registries,
        exclude_from_import=params["exclude_from_import"],
        labels=_texts("labels", params["labels"]),
        annotations=annotations,
        take_over=bool(params.get("take_over")),
        left_out=left_out,
        former_password=params.get("former_password"),
    )


def _from_auth_document(params: t.Mapping[str, t.Any]) -> tuple[list[DesiredRegistry], tuple[str, ...]]:
    """Return the registries of the auth file, and the keys that are none."""
    document: AuthDocument | None = None
    source = ""
    if params["auth_file"] is not None:
        source = f"auth_file: {params['auth_file']}"
        document = read_auth_file(params["auth_file"])
    elif params["auth_content"] is not None:
        source = "auth_content"
        document = parse_auth_content(params["auth_content"])
    if document is None:
        if params["only"]:
            raise InputError("only: it chooses registries from an auth file; give auth_file or auth_content with it")
        return [], ()
    ca_cert = _ca_cert("verify_ca_cert", params["verify_ca_cert"])
    insecure = params["verify_insecure"] or []
    found: dict[str, DesiredRegistry] = {}
    for key, entry in take_from_auth_file(document, params["only"] or [], source).items():
        filed = filed_text(key)
        registry = DesiredRegistry(key, decode_entry(entry), insecure=matches_any(key, insecure), ca_cert=ca_cert)
        if filed in found and found[filed].login != registry.login:
            raise InputError(
                f'{source} has different credentials for "{found[filed].registry}" and "{key}", which are one registry '
                "to the cluster; "
                'keep one of the two, or choose with "only"'
            )
        found.setdefault(filed, registry)
    return list(found.values()), tuple(sorted(filter(is_own_token, document.auths)))


def _from_registries(params: t.Mapping[str, t.Any]) -> list[DesiredRegistry]:
    found: dict[str, DesiredRegistry] = {}
    for position, item in enumerate(params["registries"] or []):
        key = (item["registry"] or "").strip()
        if not key:
            raise InputError(
                f"registries: item {position + 1} has an empty registry; write host[:port][/path] as images do"
            )
        refuse_user_info(key)
        filed = filed_text(key)
        if filed in found:
            other = found[filed].registry
            again = (
                f'"{key}" is there twice' if other == key else f'"{other}" and "{key}" are one registry to the cluster'
            )
            raise InputError(f"registries: {again}; keep one of the two")
        source = _source(key, item) if item["state"] != "absent" else None
        login = (
            None
            if item["state"] == "absent"
            else Login(email=item["email"] or "")
            if source is not None
            else _login(key, item)
        )
        ca_cert = _ca_cert(f'registries: "{key}": ca_cert', item["ca_cert"]) or _ca_cert(
            "verify_ca_cert", params["verify_ca_cert"]
        )
        insecure = bool(item["insecure"]) or matches_any(key, params["verify_insecure"] or [])
        found[filed] = DesiredRegistry(key, login, insecure=insecure, ca_cert=ca_cert, source=source)
    return list(found.values())


def _merge_sources(
    from_file: list[DesiredRegistry], from_options: list[DesiredRegistry]
) -> tuple[DesiredRegistry, ...]:
    """Return both; what ``registries`` says of a registry counts, whatever the auth file says."""
    named = {filed_text(registry.registry) for registry in from_options}
    return tuple([registry for registry in from_file if filed_text(registry.registry) not in named] + from_options)


def _source(key: str, item: t.Mapping[str, t.Any]) -> SecretSource | None:
    given = item.get("from_secret")
    if given is None:
        return None
    if any(item[name] is not None for name in ("username", "password", "auth", "identity_token")):
        raise InputError(f'registries: "{key}" has from_secret beside a credential of its own; give one of the two')
    check_namespace(given["namespace"])
    check_object_name(f'registries: "{key}": from_secret', given["name"])
    return SecretSource(given["namespace"], given["name"])


def _login(key: str, item: t.Mapping[str, t.Any]) -> Login:
    login = login_from_options(key, item)
    if login is None:
        raise InputError(
            f'registries: "{key}" has no credential; give username and password, auth, identity_token or from_secret, '
            "or state: absent"
        )
    return login


def _ca_cert(option: str, path: str | None) -> str | None:
    if path is None:
        return None
    check_path(option, path)
    if not os.path.isfile(path):
        raise InputError(f"{option}: {path} is not a file on the host where the module runs")
    return path


def _texts(option: str, values: t.Mapping[str, t.Any] | None) -> dict[str, str | None]:
    for name, value in (values or {}).items():
        # The server takes capital letters in the domain of an annotation.
        check_key(option, str(name).lower() if option == "annotations" else str(name))
        if value is not None and not isinstance(value, str):
            raise InputError(f'{option}: the value of "{name}" is not a string; put it in quotes')
        if option == "labels" and value:
            check_label_value(name, value)
    return dict(values or {})

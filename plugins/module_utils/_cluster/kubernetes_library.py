# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ``kubernetes`` library does for us: exec plugins, auth providers, the configuration inside a pod.

It is imported only when one of these is in use. A credential that it failed to get is an error here, never an
anonymous request (its own loader only logs a failing exec plugin).

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import binascii
import copy
import inspect
import json
import os
import tempfile
import time
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import missing_required_lib

from .._core.errors import ConfigurationError, MissingLibraryError
from .._core.masking import is_content, scrub
from .._core.outward import excerpt
from .._http.tls import Pem, library_ca_file
from .connection import Connection, Mask
from .kubeconfig import KubeconfigContext, kubeconfig_secrets, renewal

try:
    import yaml
    from kubernetes import __version__ as version
    from kubernetes.client import Configuration
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.exec_provider import ExecProvider
    from kubernetes.config.kube_config import ConfigNode, load_kube_config_from_dict

    HAS_KUBERNETES = True
except ImportError:
    HAS_KUBERNETES = False

STDERR_LIMIT = 600
PROVIDER_TOKENS = ("id-token", "refresh-token", "access-token", "expiry")


@dataclass(frozen=True)
class PluginCredential:
    """What a plugin handed out: a bearer token, or a client certificate with its key."""

    token: str | None = field(default=None, repr=False)
    client_cert: Pem | None = None
    client_key: Pem | None = None


def exec_credential(context: KubeconfigContext) -> PluginCredential:
    """Run the exec plugin of the context's user. Raises ConfigurationError with the plugin's name and what it said."""
    plugin = context.user.exec_plugin or {}
    command = plugin.get("command")
    named = f"The exec plugin '{command}' of {context.user.origin}"
    _require("to run the exec plugin of a kubeconfig")
    # copies, because the library writes into the cluster's mapping
    described = [ConfigNode("exec", copy.deepcopy(plugin)), context.base]
    if "cluster" in inspect.signature(ExecProvider).parameters:
        # versions before 30 do not tell plugins about the cluster
        described.append(ConfigNode("cluster", copy.deepcopy(context.raw_cluster)))
    try:
        status = ExecProvider(*described).run()
    except OSError as exc:
        hint = f"; {plugin['installHint']}" if isinstance(plugin.get("installHint"), str) else ""
        raise ConfigurationError(f"{named} could not be started: {exc.strerror or exc}{_one_line(hint)}.") from None
    except ConfigException as exc:
        raise ConfigurationError(f"{named} gave no credential: {_one_line(str(exc))}.") from None
    except (KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            f"{named} is not described as the library expects: command, args and env (name and value)."
        ) from None
    token, cert, key = (_status_text(status, name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if token:
        return PluginCredential(token=token)
    if cert and key:
        origin = f"the exec plugin '{command}' of {context.user.origin}"
        return PluginCredential(
            client_cert=Pem(f"the certificate of {origin}", text=cert), client_key=Pem(f"the key of {origin}", text=key)
        )
    raise ConfigurationError(
        f"{named} gave no credential: its answer has neither a token nor a client certificate with its key."
    )


def provider_credential(context: KubeconfigContext, persist: bool, mask: Mask) -> PluginCredential:
    """Return the token of the user's auth provider, refreshed by the library if it has expired.

    ``persist``: write refreshed tokens back into the kubeconfig file they came from. Raises ConfigurationError.
    """
    provider = copy.deepcopy(context.user.auth_provider or {})
    name = provider.get("name")
    named = f"The auth provider '{name}' of {context.user.origin}"
    _require("to use the auth provider of a kubeconfig")
    settings = provider.setdefault("config", {})
    if name == "oidc" and "idp-certificate-authority-data" not in settings:
        # without one the library would send the refresh token over unverified TLS; before 32 it takes it as data only
        authority = settings.pop("idp-certificate-authority", None) or library_ca_file()
        if is_content(str(authority)):
            raise ConfigurationError(
                f"{named} has content in idp-certificate-authority, which takes a path; idp-certificate-authority-data "
                "takes content."
            )
        authority = os.path.join(context.base, authority)
        settings["idp-certificate-authority-data"] = _file_as_base64(authority, named)
    configuration = Configuration()
    try:
        # only the provider's part: no key material, so that the library writes no temporary files of it
        load_kube_config_from_dict(
            {
                "current-context": "it",
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "clusters": [{"name": "it", "cluster": {"server": context.cluster.server}}],
                "users": [{"name": "it", "user": {"auth-provider": provider}}],
            },
            context="it",
            client_configuration=configuration,
            persist_config=False,
        )
    except Exception as exc:
        # the library lets errors of several HTTP and OAuth libraries through
        raise ConfigurationError(f"{named} gave no credential: {type(exc).__name__}: {_one_line(str(exc))}.") from None
    token = _bearer(configuration)
    if not token:
        advice = "use an exec plugin or the option api_key"
        raise ConfigurationError(
            f"{named} gave no credential: the kubernetes library {version} got no token from it; {advice}."
        )
    if _expired(token):
        raise ConfigurationError(
            f"{named} gave no valid credential: its token has expired and could not be refreshed; log in again."
        )
    mask(kubeconfig_secrets(settings))
    refreshed = {key: settings[key] for key in PROVIDER_TOKENS if key in settings}
    if persist and refreshed != {
        key: value
        for key, value in (context.user.auth_provider or {}).get("config", {}).items()
        if key in PROVIDER_TOKENS
    }:
        _persist(context, refreshed)
    return PluginCredential(token=token)


def plugin_connection(connection: Connection, context: KubeconfigContext, persist: bool, mask: Mask) -> Connection:
    """Return the connection with what the auth provider or the exec plugin of the context's user hands out.

    See provider_credential and exec_credential.
    """
    user = context.user
    if user.auth_provider is not None:
        credential = provider_credential(context, persist, mask)
        return connection._replace(
            token=credential.token, credential_origin=f"the auth provider of {user.origin}", by_plugin=True
        )
    credential = exec_credential(context)
    origin = f"the exec plugin of {user.origin}"
    if credential.token is None:
        return connection._replace(
            client_cert=credential.client_cert,
            client_key=credential.client_key,
            credential_origin=origin,
            by_plugin=True,
        )

    def renewed() -> str:
        token = exec_credential(context).token
        if token is None:
            raise ConfigurationError(f"{origin[0].upper()}{origin[1:]} gave no token when it was asked for a new one.")
        return token

    return connection._replace(
        token=credential.token, renew_token=renewal(renewed, origin, mask), credential_origin=origin, by_plugin=True
    )


def _require(purpose: str) -> None:
    if not HAS_KUBERNETES:
        raise MissingLibraryError(missing_required_lib("kubernetes", reason=purpose))


def _bearer(configuration: t.Any) -> str | None:
    """Return the token in a library configuration: the key of ``api_key`` changed in version 36."""
    value = configuration.api_key.get("BearerToken") or configuration.api_key.get("authorization")
    if not isinstance(value, str):
        return None
    scheme, separator, token = value.partition(" ")
    return (token if separator and scheme.lower() == "bearer" else value).strip() or None


def _status_text(status: t.Any, name: str) -> str | None:
    value = status.get(name) if isinstance(status, dict) else None
    return value if isinstance(value, str) and value else None


def _expired(token: str) -> bool:
    """Return whether the token is a JSON Web Token whose time is over; any other token is the API server's to judge."""
    parts = token.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return False
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return isinstance(expiry, (int, float)) and expiry <= time.time()


def _file_as_base64(path: str, named: str) -> str:
    try:
        with open(path, "rb") as handle:
            return base64.b64encode(handle.read()).decode("ascii")
    except OSError as exc:
        raise ConfigurationError(f"{named} names a CA file that cannot be read ({path}): {exc.strerror}.") from None


def _persist(context: KubeconfigContext, refreshed: dict[str, t.Any]) -> None:
    """Write the refreshed tokens into the kubeconfig file that defines the user.

    The new file takes the place of the old one in one step.
    """
    path = context.user.path
    if path is None:
        return
    with open(path, encoding="utf-8") as handle:
        content = yaml.safe_load(handle)
    for item in content["users"]:
        if item["name"] == context.user.name:
            item["user"]["auth-provider"]["config"].update(refreshed)
            break
    real = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(real), prefix=".kubeconfig-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            yaml.safe_dump(content, handle, default_flow_style=False)
        os.replace(temporary, real)
    except OSError as exc:
        os.unlink(temporary)
        raise ConfigurationError(
            f"The refreshed token cannot be written to {path} (option persist_config): {exc.strerror}."
        ) from None


def _one_line(text: str) -> str:
    """Return foreign text as part of a sentence: one line, bounded, without what looks like a credential."""
    return scrub(excerpt(" ".join(text.split()), 4 * STDERR_LIMIT))[:STDERR_LIMIT].rstrip(".")

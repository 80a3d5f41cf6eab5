# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the files of a task to a connection: a kubeconfig, or what a pod finds. Imported only where the options alone do not say all.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.errors import ConfigurationError
from .connection import Connection
from .kubeconfig import (
    Mask,
    default_kubeconfig_paths,
    load_kubeconfig,
)

Params = t.Mapping[str, t.Any]


def connection_from_files(params: Params, mask: Mask) -> Connection:
    """The connection that a named kubeconfig or context, the service account of the pod, or the default kubeconfig describe,
    in this order; last the host alone. Raises what connection_from_params raises."""
    if params.get("kubeconfig") or params.get("context"):
        return _from_kubeconfig(params, params.get("kubeconfig") or _default_paths_for_context(params["context"]), mask)
    from .kubernetes_library import in_cluster_available, in_cluster_connection

    if in_cluster_available():
        return in_cluster_connection(mask)
    paths = default_kubeconfig_paths()
    if paths:
        return _from_kubeconfig(params, paths, mask)
    if params.get("host"):
        return Connection(host=params["host"])
    raise ConfigurationError(
        "No cluster is named: set the options host and api_key, or kubeconfig (or K8S_AUTH_HOST and K8S_AUTH_API_KEY in the environment);"
        " there is no kubeconfig at the default place either, and this is not a pod with a service account."
    )


def _default_paths_for_context(context: str) -> list[str]:
    paths = default_kubeconfig_paths()
    if not paths:
        raise ConfigurationError(f"The context '{context}' is named, but there is no kubeconfig: set the option kubeconfig or $KUBECONFIG.")
    return paths


def _from_kubeconfig(params: Params, source: t.Any, mask: Mask) -> Connection:
    context = load_kubeconfig(source, params.get("context"), mask)
    cluster, user = context.cluster, context.user
    connection = Connection(
        host=cluster.server,
        client_cert=user.client_cert,
        client_key=user.client_key,
        ca=cluster.ca,
        verify=cluster.verify,
        server_name=cluster.server_name,
        proxy=cluster.proxy,
        impersonation=user.impersonation,
        credential_origin=user.origin if user.client_cert else "",
    )
    if params.get("api_key") or (params.get("username") and params.get("password")):
        # the task's own credential replaces the user's, so no plugin has to run for it
        return connection
    if user.auth_provider is not None or (user.exec_plugin is not None and not (user.token or user.token_file)):
        from .kubernetes_library import plugin_connection

        return plugin_connection(connection, context, bool(params.get("persist_config")), mask)
    if user.token_file:
        from .bearer_tokens import read_bearer_token, renewal

        path = user.token_file
        token = user.token or read_bearer_token(path, user.origin)
        again = renewal(lambda: read_bearer_token(path, user.origin), user.origin, mask)
        return connection._replace(token=token, renew_token=again, credential_origin=user.origin)
    if user.token:
        return connection._replace(token=user.token, credential_origin=user.origin)
    if user.username and user.password:
        return connection._replace(username=user.username, password=user.password, credential_origin=user.origin)
    return connection

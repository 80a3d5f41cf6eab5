# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doc fragment: the options of cluster access, which are those of kubernetes.core.

Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, or several paths separated by V(:) or given as a list, or the content of a kubeconfig
        as a dictionary.
      - Of several files the first that defines a name or the current context decides.
      - A context whose user has an exec plugin or an auth provider needs the Python library C(kubernetes).
      - Without this option and without a credential in other options, the service account of the pod that the module
        runs in is used, or else the files of E(KUBECONFIG), or else C(~/.kube/config).
      - Can also be set by the environment variable E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - The context of the kubeconfig to use, instead of its current one.
      - Can also be set by the environment variable E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - The URL of the API server, for example V(https://api.cluster.example.com:6443).
      - Together with O(api_key), with O(username) and O(password), or with O(client_cert), no kubeconfig is read.
      - Can also be set by the environment variable E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - The bearer token to authenticate with, for example the output of C(oc whoami --show-token).
      - Can also be set by the environment variable E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - The user name for HTTP basic authentication. OpenShift's API server takes no passwords; this is for proxies in
        front of it that do.
      - Can also be set by the environment variable E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - The password for HTTP basic authentication.
      - Can also be set by the environment variable E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether to verify the certificate of the API server. Without this option it is verified unless the kubeconfig
        says otherwise.
      - Can also be set by the environment variable E(K8S_AUTH_VALIDATE_CERTS) or E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description:
      - Path of the CA certificates (PEM) to verify the API server with, in place of those of the machine where the
        module runs.
      - Can also be set by the environment variable E(K8S_AUTH_CA_CERT) or E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - Path of a client certificate (PEM) to authenticate with. The file may hold the key too.
      - Can also be set by the environment variable E(K8S_AUTH_CLIENT_CERT) or E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the key (PEM, without a password) of the client certificate.
      - Can also be set by the environment variable E(K8S_AUTH_CLIENT_KEY) or E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description:
      - The URL of an HTTP proxy to reach the API server through. The environment variables of other programs, such as
        E(HTTPS_PROXY), are not used.
      - Can also be set by the environment variable E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Names, domains, addresses and networks, separated by commas, that are reached without the proxy.
      - Can also be set by the environment variable E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User name and password for the proxy, separated by a colon.
          - Can also be set by the environment variable E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User name and password, separated by a colon, for an C(Authorization) header to the proxy.
          - Can also be set by the environment variable E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - The C(User-Agent) header for the proxy.
          - Can also be set by the environment variable E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - Whether to write tokens that an auth provider has refreshed back into the kubeconfig file they came from.
      - Can also be set by the environment variable E(K8S_AUTH_PERSIST_CONFIG).
    type: bool
  impersonate_user:
    description:
      - The user to impersonate.
      - Can also be set by the environment variable E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - The groups to impersonate, together with O(impersonate_user).
      - Can also be set by the environment variable E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - python >= 3.9
  - requests
  - kubernetes (only for exec plugins and auth providers of a kubeconfig, and for the service account of a pod)
  - PyYAML (only to read a kubeconfig file)
notes:
  - An environment variable that is set to an empty string counts as unset. A task's option comes before its environment
    variable.
  - The options and variables are those of the collection C(kubernetes.core), so that what is set for
    C(group/kubernetes.core.k8s) in C(module_defaults) works here too.
"""

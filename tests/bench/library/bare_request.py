# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least that a module for a cluster needs: Ansible's base, requests, one GET; yaml if there is a kubeconfig."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bare_request
short_description: Reads one path of an API server
description:
  - What the start of other modules is compared with. The answer is downloaded and, with O(decode), returned.
options:
  host: {type: str, description: The API server.}
  api_key: {type: str, description: The token.}
  ca_cert: {type: path, description: The CA.}
  kubeconfig: {type: path, description: A kubeconfig instead of these.}
  path: {type: str, required: true, description: The path.}
  decode: {type: bool, default: true, description: Whether to return the object.}
author: Contributors to the quayside.openshift_images project
"""
EXAMPLES = "- bare_request: {path: /version}"
RETURN = "{}"

import requests  # noqa: E402
from ansible.module_utils.basic import AnsibleModule  # noqa: E402


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str"},
            "api_key": {"type": "str", "no_log": True},
            "ca_cert": {"type": "path"},
            "kubeconfig": {"type": "path"},
            "path": {"type": "str", "required": True},
            "decode": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    host, token, ca_cert = params["host"], params["api_key"], params["ca_cert"]
    if params["kubeconfig"]:
        import yaml

        with open(params["kubeconfig"], encoding="utf-8") as file:
            content = yaml.safe_load(file)
        cluster = content["clusters"][0]["cluster"]
        host, ca_cert = cluster["server"], cluster["certificate-authority"]
        token = content["users"][0]["user"]["token"]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            host + params["path"], headers={"Authorization": f"Bearer {token}"}, verify=ca_cert, timeout=60
        )
        answer.raise_for_status()
    module.exit_json(
        changed=False, **({"object": answer.json()} if params["decode"] else {"bytes": len(answer.content)})
    )


if __name__ == "__main__":
    main()

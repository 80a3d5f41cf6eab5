# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the options of image_stream_import, downloads the LIST of the namespace, and exits."""

from __future__ import annotations

DOCUMENTATION = r"""
module: download_streams
short_description: Downloads the list of a namespace's image streams
description:
  - What a run of image_stream_import that finds nothing to do is compared with. Both take the same streams, which
    Ansible
    checks, masks and returns.
options:
  host: {type: str, description: The API server.}
  api_key: {type: str, description: The token.}
  ca_cert: {type: path, description: The CA.}
  namespace: {type: str, description: The namespace.}
  insecure: {type: bool, description: Not used.}
  refresh: {type: str, description: Not used.}
  streams: {type: list, elements: dict, description: Not used.}
author: Contributors to the quayside.openshift_images project
"""
EXAMPLES = "- download_streams: {namespace: shop}"
RETURN = "{}"

import requests  # noqa: E402
from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.options import stream_options  # noqa: E402


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str"},
            "api_key": {"type": "str", "no_log": True},
            "ca_cert": {"type": "path"},
            "namespace": {"type": "str"},
            "insecure": {"type": "bool"},
            "refresh": {"type": "str"},
            "streams": {"type": "list", "elements": "dict", "options": stream_options()},
        }
    )
    params = module.params
    path = f"/apis/image.openshift.io/v1/namespaces/{params['namespace']}/imagestreams"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            params["host"] + path,
            headers={"Authorization": f"Bearer {params['api_key']}"},
            verify=params["ca_cert"],
            timeout=60,
        )
        answer.raise_for_status()
    module.exit_json(changed=False, bytes=len(answer.content))


if __name__ == "__main__":
    main()

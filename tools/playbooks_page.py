# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/playbooks.md: every playbook with its variables, from the heads of the playbooks and the roles'
argument specs.

A head is the comment before the first play: paragraphs, and lines of the form ``#   variable  meaning``.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml

from tools import ROOT, say

PAGE = Path("docs", "playbooks.md")
# In the order in which a newcomer needs them.
ORDER = (
    "site",
    "drift",
    "drift_merge",
    "adopt",
    "rotate_credentials",
    "migrate_to_multiarch",
    "prune_risks",
    "pushed",
    "awx_setup",
)
ROLES = {
    "site": ("cluster_pull_secret", "registry_access", "image_streams", "samples_registry"),
    "drift": ("drift_report",),
}
VARIABLE = re.compile(r"   ([a-z][a-z0-9_]*)(?:  +(\S.*))?$")
MARKUP = re.compile(r"\b[A-Z]\(((?:[^()\\]|\\.)+)\)")
INTRODUCTION = """\
<!--
Copyright: Contributors to the quayside.openshift_images project
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later

Written by "make playbooks-page" from the heads of the playbooks and the argument specs of the roles: change those.
-->

# Playbooks

Run a playbook by its full name, with its variables in the inventory or in a file:

    ansible-playbook quayside.openshift_images.site -i inventory -e @cluster.yml --check --diff

A default stands in parentheses behind the meaning of a variable. Check mode and diff mode work with every playbook that writes to a
cluster.

## Which clusters, and how to log in

Every playbook but `drift_merge` and `awx_setup` runs on each host of the inventory, and each host is a cluster; without an inventory it runs on
the cluster of the environment or of the current kubeconfig. [Many clusters](fleet.md) has an example.

| variable | meaning |
| --- | --- |
| `openshift_images_hosts` | hosts and groups of the inventory to run on (all) |
| `k8s_auth_host` | URL of the API server |
| `k8s_auth_api_key` | token |
| `k8s_auth_kubeconfig`, `k8s_auth_context` | path of a kubeconfig, and the context in it |
| `k8s_auth_username`, `k8s_auth_password` | for an API server that takes basic authentication |
| `k8s_auth_client_cert`, `k8s_auth_client_key` | paths of a client certificate and its key |
| `k8s_auth_ca_cert`, `k8s_auth_validate_certs` | path of the CA of the API server's certificate; whether it is verified (true) |
| `k8s_auth_proxy`, `k8s_auth_no_proxy`, `k8s_auth_proxy_headers` | proxy, hosts that are reached without it, headers for it |
| `k8s_auth_impersonate_user`, `k8s_auth_impersonate_groups` | act as somebody else |
| `k8s_auth_persist_config` | write refreshed credentials back to the kubeconfig |

Variables that are not set come from the environment variables of the same name in upper case.
"""


def head(playbook: Path) -> list[str]:
    """Return the lines of the comment that says what a playbook is for, without the sign of a comment."""
    text = playbook.read_text(encoding="utf-8")
    found = re.search(r"^# SPDX.*\n\n((?:#.*\n)+)- ", text, re.MULTILINE)
    if not found:
        raise ValueError(
            f"{playbook.name} does not say what it is for: write a comment between the licence and the first play."
        )
    return [line[1:].removeprefix(" ") if not line.startswith("#  ") else line[1:] for line in found[1].splitlines()]


def section(name: str, lines: list[str]) -> str:
    """Return what the page says of a playbook: its paragraphs, a table of its variables where they stand, commands
    as code."""
    parts = [f"## {name}", ""]
    table: list[list[str]] = []

    def end_table() -> None:
        if table:
            rows = [f"| `{variable}` | {meaning.strip()} |" for variable, meaning in table]
            parts.extend(["| variable | meaning |", "| --- | --- |", *rows])
            table.clear()

    for line in lines:
        variable = VARIABLE.match(line)
        if variable:
            table.append([variable[1], variable[2] or ""])
        elif table and line.startswith("     "):
            table[-1][1] += f" {line.strip()}"
        else:
            end_table()
            code = line.startswith("   ")
            if code and parts[-1] and not parts[-1].startswith("    "):
                parts.append("")
            if not code and line and parts[-1].startswith("    "):
                parts.append("")
            parts.append(f"    {line.strip()}" if code else line)
    end_table()
    return "\n".join(parts).rstrip() + "\n"


def role_section(role: str, options: dict[str, dict[str, t.Any]]) -> str:
    """Return the variables of a role, as its argument specs describe them."""
    rows = [f"| `{name}` | {first_sentence(option)}{default(option)} |" for name, option in options.items()]
    return "\n".join([f"Variables of the role `{role}`:", "", "| variable | meaning |", "| --- | --- |", *rows, ""])


def first_sentence(option: dict[str, t.Any]) -> str:
    """Return the first paragraph of a description in Markdown, without the full stop at its end."""
    described = option["description"]
    first = described if isinstance(described, str) else described[0]
    return MARKUP.sub(lambda found: marked(found[1]), first).removesuffix(".").replace("|", "\\|")


def marked(text: str) -> str:
    """Return what stands in Ansible's markup in Markdown: an option of another plugin with the plugin's name."""
    plugin, _sign, option = text.partition("#")
    kind, _colon, name = option.partition(":")
    return f"`{name}` (`{plugin.rpartition('.')[2]}`)" if name else f"`{plugin if kind else text}`"


def default(option: dict[str, t.Any]) -> str:
    """Return the default in parentheses, as the heads of the playbooks write it."""
    value = option.get("default")
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return f" ({str(value).lower()})"
    return f" ({', '.join(map(str, value)) if isinstance(value, list) else value})"


def page(root: Path = ROOT) -> str:
    """Return the whole page."""
    playbooks = {path.stem: path for path in root.glob("playbooks/*.yml")}
    parts = [INTRODUCTION]
    for name in [*(name for name in ORDER if name in playbooks), *sorted(set(playbooks) - set(ORDER))]:
        parts.append(section(name, head(playbooks[name])))
        for role in ROLES.get(name, ()):
            specified = yaml.safe_load(
                (root / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
            )
            parts.append(role_section(role, specified["argument_specs"]["main"]["options"]))
    return "\n".join(parts)


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
    say(f"{PAGE} is written.")

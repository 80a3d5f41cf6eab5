# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters as the hosts of an inventory."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from pathlib import Path

import yaml

# A cluster whose API server nobody answers for.
UNREACHABLE = {"k8s_auth_host": "https://127.0.0.1:9", "k8s_auth_api_key": "nobody-asks-for-it"}


def write_inventory(path: Path, **hosts: Mapping[str, t.Any]) -> Path:
    """Write an inventory of hosts with their variables; return its path."""
    content = {"all": {"hosts": {name: dict(variables) for name, variables in hosts.items()}}}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path

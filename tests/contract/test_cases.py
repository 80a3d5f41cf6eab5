# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every recorded case, replayed."""

from __future__ import annotations

import typing as t

from contract.replay import Laboratory, Replay


def test_case(laboratory: Laboratory, case: dict[str, t.Any]) -> None:
    """The emulator answers as the real server did."""
    with Replay(laboratory, case) as replay:
        found = replay.run()
    assert not found, "\n".join([case["shows"], *found])

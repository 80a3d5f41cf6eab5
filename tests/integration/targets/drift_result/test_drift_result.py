# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a cluster, kept in check mode too, and read by the report."""

from __future__ import annotations

from pathlib import Path

from integration.playbooks import Playbooks


def test_what_is_kept_is_what_the_report_reads(playbooks: Playbooks, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()

    run = playbooks.run(Path(__file__).with_name("keep.yml"), "--check", variables={"kept_folder": str(folder)})

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    assert [(cluster["name"], cluster["verdict"]) for cluster in run.of("Report")["clusters"]] == [
        ("harbour", "failed"),
        ("lagoon", "failed"),
    ]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}

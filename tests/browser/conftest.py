# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A browser with the report in it. It is Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import json
import os
import shutil
import typing as t
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.files import write_report
from fleet.results import parts
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "roles" / "drift_report" / "templates" / "drift.html.j2"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page that the module writes; the document is beside it."""
    return write_page(tmp_path_factory.mktemp("report"), parts(), clusters=["lost"])


def write_page(folder: Path, contents: Iterable[dict[str, t.Any]], **options: t.Any) -> Path:
    """Write the report on some clusters as the module does."""
    for number, part in enumerate(contents):
        (folder / f"part-{number}.json").write_text(json.dumps(part), encoding="utf-8")
    params = {
        "files": [str(folder)],
        "clusters": [],
        "json_file": str(folder / "drift.json"),
        "html_file": str(folder / "drift.html"),
        "junit_file": None,
        "metrics_file": None,
        "template": str(TEMPLATE),
        "title": "Drift of the <harbours>",
        "most_tags": 5000,
        "fail_on": [],
    }
    write_report({**params, **options}, check_mode=False)
    return folder / "drift.html"


@contextmanager
def browser_of_this_machine() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: apt-get install chromium"
    # As root, which containers run tests as, Chromium starts without its sandbox only. It opens files of these tests.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with browser_of_this_machine() as browser:
        yield browser


OpenPage = t.Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, report: Path) -> Iterator[OpenPage]:
    """Open the report; whatever the test does there, nothing may be fetched, go wrong, or be said by a dialog."""
    contexts, found = [], []

    def open_it(viewport: dict[str, int] | None = None, path: Path | None = None, **settings: t.Any) -> Page:
        context = browser.new_context(viewport=viewport or DESK, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda request: (
                found.append(f"request for {request.url}") if not request.url.startswith(("file:", "data:")) else None
            ),
        )
        page.on("console", lambda message: found.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: found.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (found.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto((path or report).as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert found == []

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as people have it before them: on a desk and on a phone, by day and by night, on paper, without a mouse."""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path

import jsonschema
import pytest
from axe_playwright_python.sync_playwright import Axe

from browser.conftest import DESK, PHONE, ROOT, OpenPage
from browser.reports import HOSTILE

# A folder for pictures, to be looked at: make browser SCREENSHOTS=...
PICTURES = os.environ.get("QUAYSIDE_SCREENSHOTS", "")
WAYS = [("desk", DESK, "light"), ("desk", DESK, "dark"), ("phone", PHONE, "light"), ("phone", PHONE, "dark")]


@pytest.mark.parametrize(("place", "viewport", "scheme"), WAYS, ids=[f"{place}-{scheme}" for place, _viewport, scheme in WAYS])
def test_nothing_is_out_of_sight_and_nothing_keeps_anybody_out(open_page: OpenPage, place: str, viewport: dict[str, int], scheme: str) -> None:
    page = open_page(viewport, color_scheme=scheme)
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ("rgb(13, 17, 23)" if scheme == "dark" else "rgb(246, 247, 249)")
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"drift-{place}-{scheme}.png"), full_page=True)


@pytest.mark.parametrize("width", [390, 820, 1080, 1280])
def test_no_table_but_the_matrix_is_wider_than_its_screen(open_page: OpenPage, width: int) -> None:
    page = open_page({"width": width, "height": 900})
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    wide = page.evaluate("[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)")

    assert [text for text in wide if "Declared mode" not in text] == []


def test_the_document_beside_it_is_what_its_schema_describes(report: Path) -> None:
    schema = json.loads((ROOT / "docs" / "drift.schema.json").read_text(encoding="utf-8"))
    document = json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))

    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    assert [cluster["name"] for cluster in document["clusters"]] == sorted([HOSTILE, "calm", "deserted", "harbour", "lost", "mended"])


def test_what_means_harm_stays_text(open_page: OpenPage) -> None:
    page = open_page()

    assert page.title() == "Drift of the <harbours>"
    assert page.evaluate("[document.images.length, document.scripts.length, document.querySelectorAll('iframe, object, embed, form').length]") == [0, 1, 0]
    shown = page.locator("body").inner_text()
    assert shown.count(HOSTILE) >= 4
    assert "49" not in shown.split()


def test_no_other_script_runs_and_nothing_is_fetched(browser: t.Any, report: Path) -> None:
    """The page's own policy forbids it, whatever gets into the page."""
    page = browser.new_page()
    page.goto(report.as_uri())
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = "document.title = 'owned'";
            document.body.append(script);
            document.body.insertAdjacentHTML('beforeend', '<img src="https://example.com/a.png"><p style="color: red">a</p>');
        }"""
    )
    page.wait_for_timeout(100)

    assert page.title() == "Drift of the <harbours>"
    assert [sum(word in text for text in complaints) > 0 for word in ("inline script", "example.com", "inline style")] == [True, True, True]
    page.close()


def test_tags_are_found_and_put_in_order_without_a_mouse(open_page: OpenPage) -> None:
    page = open_page()
    article = page.get_by_role("article", name="harbour")
    article.locator("summary", has_text="Image streams and tags").focus()
    page.keyboard.press("Enter")
    table = article.get_by_role("table").filter(has=page.get_by_role("columnheader", name="Policies"))
    rows = table.locator("tbody tr:visible")
    everything = rows.count()

    page.keyboard.press("Tab")
    page.keyboard.type("shop/web v1")
    assert [row.split("\n")[0].split("\t")[0] for row in rows.all_inner_texts()] == ["shop/web:v1", "shop/web:v10", "shop/web:v11"]
    assert article.locator("output", has_text="tags").inner_text() == f"3 of {everything} tags"
    page.keyboard.press("Tab")
    page.keyboard.type("differs")
    assert rows.count() == 1
    page.keyboard.press("Home")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    assert rows.count() == everything

    table.get_by_role("button", name="Tag").focus()
    page.keyboard.press("Enter")
    assert table.get_by_role("columnheader", name="Tag").get_attribute("aria-sort") == "ascending"
    names = [text.split("\t")[0].strip() for text in rows.all_inner_texts()]
    assert names.index("shop/web:v2") < names.index("shop/web:v10")
    page.keyboard.press("Enter")
    assert table.get_by_role("columnheader", name="Tag").get_attribute("aria-sort") == "descending"
    assert [text.split("\t")[0].strip() for text in rows.all_inner_texts()] == list(reversed(names))


def test_what_the_table_of_clusters_leaves_out_is_not_on_the_page(open_page: OpenPage) -> None:
    page = open_page()
    clusters = page.locator("#clusters")

    clusters.get_by_label("Verdict").select_option("failed")
    assert sorted(page.locator("article:visible h2").all_inner_texts()) == ["deserted failed", "lost failed"]
    clusters.get_by_label("Find").fill("lost")
    assert page.locator("article:visible").count() == 1
    clusters.get_by_label("Find").fill("")
    clusters.get_by_label("Verdict").select_option("")

    assert page.locator("article:visible").count() == 6


def test_large_numbers_are_put_in_order_as_numbers(open_page: OpenPage) -> None:
    page = open_page()
    numbers = ["999", "1,234", "56", "1,000,000", "0", "7"]
    cells = page.locator("#clusters td[data-label=Changes]")
    cells.evaluate_all("(cells, numbers) => cells.forEach((cell, place) => { cell.textContent = numbers[place]; })", numbers)

    page.locator("#clusters").get_by_role("button", name="Changes").click()

    assert cells.all_inner_texts() == ["0", "7", "56", "999", "1,234", "1,000,000"]


def test_controls_are_named_after_their_cluster(open_page: OpenPage) -> None:
    page = open_page()

    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tags = page.get_by_role("group", name=re.compile("^harbour .+ Image streams and tags$"))
    assert tags.get_by_label("Find tags").count() == 1
    assert page.get_by_role("group", name=re.compile("^mended .+ What differed$")).get_by_role("button").count() == 1
    assert page.get_by_role("group", name="Clusters", exact=True).get_by_label("Find clusters").count() == 1


def test_one_button_opens_all_changes_and_closes_them(open_page: OpenPage) -> None:
    page = open_page()
    article = page.get_by_role("article", name="harbour")
    changes = article.locator(".change").count()
    article.locator(".change summary").first.click()
    assert article.locator(".change[open]").count() == changes - 1

    article.get_by_role("button", name="Open all").focus()
    page.keyboard.press("Enter")
    assert article.locator(".change[open]").count() == changes > 1
    article.get_by_role("button", name="Close all").click()

    assert article.locator(".change[open]").count() == 0
    assert article.get_by_role("button", name="Open all").count() == 1


def test_what_is_new_or_goes_away_has_one_side(open_page: OpenPage) -> None:
    page = open_page()
    changes = page.get_by_role("article", name="harbour").locator(".change")

    sides = {where: changes.filter(has_text=f"shop/odd:{where}").get_by_role("columnheader").all_inner_texts()[1:] for where in ("harm", "old")}

    assert sides == {"harm": ["After, new"], "old": ["Before, goes away"]}


def test_an_import_that_would_fail_is_not_shown_as_something_gained(open_page: OpenPage) -> None:
    page = open_page()
    gained = page.get_by_role("article", name="harbour").locator(".difference ins").all_inner_texts()

    assert page.get_by_role("article", name="harbour").locator(".difference .refused").all_inner_texts() == ["NotFound: no such tag"]
    assert "NotFound: no such tag" not in gained


def test_a_phone_has_its_own_means_of_order(open_page: OpenPage) -> None:
    page = open_page(PHONE)
    clusters = page.locator("#clusters")

    clusters.get_by_label("Verdict").select_option("drift")
    assert clusters.locator("tbody tr:visible").count() == 1
    clusters.get_by_label("Verdict").select_option("")
    clusters.get_by_label("Order").select_option("Cluster ↓")

    assert clusters.locator("tbody th").all_inner_texts()[:2] == ["mended", "lost"]
    page.get_by_role("link", name="harbour").click()
    assert page.get_by_role("heading", name="harbour", level=2).evaluate("one => one.getBoundingClientRect().top < innerHeight")


def test_each_cluster_says_what_there_is_to_be_said(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    text = {name: page.get_by_role("article", name=name).inner_text() for name in ("harbour", "calm", "deserted", "mended", "lost")}

    for words in ("password_changed", "link_missing", "upstream_moved", "lookup_policy_changed", "tag_missing"):
        assert words.replace("_", " ") in text["harbour"]
    assert "Unauthorized:" in text["harbour"]
    assert 'What to do: The key "registry.example.com:5000" would match.' in text["harbour"]
    assert "not known before" in text["harbour"]
    assert "Deployment/web" in text["harbour"]
    assert "refused the connection" in text["deserted"]
    assert "There is no result of this cluster" in text["lost"]
    assert "as declared" in text["calm"]
    mended = page.get_by_role("article", name="mended").locator(".change .badge").all_inner_texts()
    assert [word.strip() for word in mended] == ["corrected", "corrected", "failed", "changed meanwhile"]
    assert "of a single image only the architecture is known" in text["harbour"]
    assert "of a single image" not in text["calm"]
    cells = page.get_by_role("article", name="harbour").locator(".matrix td.cell .hidden").all_inner_texts()
    assert set(cells) == {"taken", "offered, not taken", "taken, not offered any more", "offered, not known whether taken"}


def test_paper_shows_everything_and_no_buttons(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".tools:visible, .skip:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    if PICTURES:
        Path(PICTURES, "drift-print.pdf").write_bytes(paper)


def test_without_scripts_the_page_has_everything(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)

    assert page.locator("#clusters tbody tr").count() == page.locator("article").count() == 6
    assert page.get_by_role("article", name="harbour").locator("table.stacked").first.locator("tbody tr").count() == 15

# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as people have it before them: on a desk and on a phone, by day and by night, on paper, without a
mouse."""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path

import jsonschema
import pytest
from axe_playwright_python.sync_playwright import Axe
from fleet.large import large_parts
from fleet.pictured import pictured_parts
from fleet.results import HOSTILE, NEW, OLD, change, compared, part, stream, tag, view

from browser.conftest import DESK, PHONE, ROOT, OpenPage, write_page

# A folder for pictures, to be looked at: make browser SCREENSHOTS=...
PICTURES = os.environ.get("QUAYSIDE_SCREENSHOTS", "")
WAYS = [("desk", DESK, "light"), ("desk", DESK, "dark"), ("phone", PHONE, "light"), ("phone", PHONE, "dark")]


OPEN_ALL = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
# Of a hundred clusters with fifty tags each, none alike.
LARGEST = 2_000_000


@pytest.mark.parametrize(
    ("place", "viewport", "scheme"), WAYS, ids=[f"{place}-{scheme}" for place, _viewport, scheme in WAYS]
)
def test_nothing_is_out_of_sight_and_nothing_keeps_anybody_out(
    open_page: OpenPage, place: str, viewport: dict[str, int], scheme: str
) -> None:
    page = open_page(viewport, color_scheme=scheme)
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"drift-{place}-{scheme}.png"), full_page=True)
    page.evaluate(OPEN_ALL)

    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(13, 17, 23)" if scheme == "dark" else "rgb(246, 247, 249)"
    )


def test_the_picture_of_the_readme_is_the_report_of_today(open_page: OpenPage, tmp_path: Path) -> None:
    """docs/images/drift-report.png is this page: make browser SCREENSHOTS=... makes it again."""
    page = open_page({"width": 1100, "height": 1300}, path=write_page(tmp_path, pictured_parts(), title="Drift report"))

    assert page.locator(".object .what").all_inner_texts() == ["billing/ledger:stable", "payments/web:v2"]
    assert page.locator("#causes .cards > li").count() == 1
    if PICTURES:
        page.locator(".next code").evaluate(
            "one => { one.textContent = one.textContent.replace(/file=.*/, 'file=/srv/reports/drift.json'); }"
        )
        page.screenshot(path=Path(PICTURES, "drift-report.png"))


@pytest.mark.parametrize("width", [390, 820, 1080, 1280])
def test_no_table_but_the_matrix_is_wider_than_its_screen(open_page: OpenPage, width: int) -> None:
    page = open_page({"width": width, "height": 900})
    page.evaluate(OPEN_ALL)

    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => "
        "one.textContent)"
    )

    assert [text for text in wide if "Declared mode" not in text] == []


def test_the_document_beside_it_is_what_its_schema_describes(report: Path) -> None:
    schema = json.loads((ROOT / "docs" / "drift.schema.json").read_text(encoding="utf-8"))
    document = json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))

    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    names = [HOSTILE, "calm", "deserted", "harbour", "lost", "mended", "north", "south"]
    assert [cluster["name"] for cluster in document["clusters"]] == sorted(names)


def test_what_means_harm_stays_text(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)

    assert page.title() == "Drift of the <harbours>"
    assert page.evaluate(
        "[document.images.length, document.scripts.length, document.querySelectorAll('iframe, object, embed, "
        "form').length]"
    ) == [0, 1, 0]
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
            document.body.insertAdjacentHTML(
                'beforeend', '<img src="https://example.com/a.png"><p style="color: red">a</p>');
        }"""
    )
    page.wait_for_timeout(100)

    assert page.title() == "Drift of the <harbours>"
    assert [
        sum(word in text for text in complaints) > 0 for word in ("inline script", "example.com", "inline style")
    ] == [True, True, True]
    page.close()


def test_an_object_that_differs_on_several_clusters_is_there_once(open_page: OpenPage) -> None:
    page = open_page()
    ledger = page.locator(".object").filter(has_text="billing/ledger:stable")

    assert ledger.count() == 1
    assert "2 of 8 clusters" in ledger.locator("summary").first.inner_text()
    assert sorted(ledger.locator(".variant .meta a").all_inner_texts()) == ["north", "south"]


def test_failures_of_one_cause_are_one_entry(open_page: OpenPage) -> None:
    page = open_page()
    cause = page.locator("#causes .cards > li").filter(has_text="stranger")

    assert cause.count() == 1
    assert (
        cause.locator("p").first.inner_text()
        == "Forbidden: the user stranger may not get secrets, serviceaccounts in shop"
    )
    cause.locator("summary").click()
    assert cause.locator("ul li").count() == 6


def test_the_head_says_what_was_asked_and_what_to_do_next(open_page: OpenPage, report: Path) -> None:
    page = open_page()
    head = page.locator("#top").inner_text()

    for words in (
        "/srv/fleet/clusters.yml",
        "yes, what the registries serve now",
        "quayside.openshift_images 1.0.0",
        "Nothing is declared for 1 cluster",
    ):
        assert words in head
    command = page.locator(".next pre").inner_text()
    assert command == (
        "ansible-playbook -i /srv/fleet/clusters.yml quayside.openshift_images.drift -e drift_correct=true"
        f" -e drift_report_approved_file={report.with_suffix('.json')}"
    )


def test_a_digest_is_short_and_the_whole_is_copied(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    digest = page.locator(".object").filter(has_text="billing/ledger:stable").locator("td .d").last

    assert (digest.inner_text(), digest.get_attribute("title")) == (NEW[7:19], NEW)
    digest.click()
    page.wait_for_function("document.getElementById('said').textContent !== ''")
    assert page.evaluate("navigator.clipboard.readText()") == NEW
    page.locator(".next .copy").click()
    page.wait_for_function("document.querySelector('.next .copy').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".next pre").inner_text()


def test_both_sides_of_a_change_look_the_same(open_page: OpenPage) -> None:
    page = open_page()
    sides = page.locator(".object").filter(has_text="billing/ledger:stable").locator("tbody td")

    styles = [
        side.evaluate(
            "one => ['color', 'backgroundColor', 'fontWeight', 'textDecorationLine'].map((name) => "
            "getComputedStyle(one)[name])"
        )
        for side in sides.all()
    ]
    assert len(styles) == 2
    assert styles[0] == styles[1]
    assert styles[0][3] == "none"


def test_before_and_after_are_named_by_what_they_are(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)

    def heads(where: str) -> set[tuple[str, ...]]:
        tables = (
            page.locator(".object")
            .filter(has=page.locator(".what", has_text=re.compile(f"^{where}$")))
            .locator("table")
        )
        return {tuple(table.locator("thead th").all_inner_texts()[1:]) for table in tables.all()}

    assert heads("shop/default") == {("On the cluster", "Declared"), ("Was", "Is now")}
    assert heads("shop/odd:harm") == {("Declared, new",)}
    assert heads("shop/odd:old") == {("On the cluster, goes away",)}


def test_an_image_that_needs_a_credential_first_says_so(open_page: OpenPage, tmp_path: Path) -> None:
    web = change(1, "tag", "shop", "web", None, view(image=""), "tag_missing", tag_name="v1")
    pending = {
        "kind": "tag",
        "namespace": "shop",
        "name": "web",
        "tag": "v1",
        "reason": "credential_pending",
        "message": "not yet",
    }
    found = compared(
        streams=[stream("shop", "web", tag("v1", changed=True, digest=None))], changes=[web], unknown=[pending]
    )

    page = open_page(path=write_page(tmp_path, [part("harbour", [found])]))

    assert "unknown until the credential is written" in page.locator("#objects").inner_text()


def test_an_import_that_would_fail_is_not_shown_as_something_gained(open_page: OpenPage) -> None:
    page = open_page()

    assert page.locator(".difference .refused").all_inner_texts() == ["NotFound: no such tag"]


def test_a_reason_filters_objects_causes_and_clusters_without_a_mouse(open_page: OpenPage) -> None:
    page = open_page()
    chip = page.get_by_role("button", name=re.compile("^upstream moved"))
    chip.focus()
    page.keyboard.press("Enter")

    assert chip.get_attribute("aria-pressed") == "true"
    assert sorted(page.locator(".object:visible .what").all_inner_texts()) == [
        "billing/invoices:stable",
        "billing/ledger:stable",
        "shop/web:v1",
    ]
    assert sorted(page.locator("article:visible h3").all_inner_texts()) == ["harbour", "mended", "north", "south"]
    assert page.locator("#clusters tbody tr:visible").count() == 4
    assert "what differs: 3 of 8" in page.locator("[data-filters] output").inner_text()
    page.get_by_role("button", name="Show everything").click()
    assert page.locator(".object:visible").count() == 8
    page.get_by_role("button", name=re.compile("^Forbidden")).click()
    assert page.locator("#causes li.failure:visible").count() == 1
    assert page.locator("#objects .empty").is_visible()


def test_what_is_sought_is_found_everywhere(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)

    page.get_by_label("Find", exact=True).fill("ledger")

    assert page.locator(".object:visible .what").all_inner_texts() == ["billing/ledger:stable"]
    assert sorted(page.locator("article:visible h3").all_inner_texts()) == ["north", "south"]
    rows = page.locator("#tags tbody tr:visible th").all_inner_texts()
    assert set(rows) == {"billing/ledger:stable"}
    page.get_by_label("Find", exact=True).fill("shop/web v1")
    assert set(page.locator("#tags tbody tr:visible th").all_inner_texts()) == {
        "shop/web:v1",
        "shop/web:v10",
        "shop/web:v11",
    }


def test_tags_are_chosen_by_state_and_put_in_order_without_a_mouse(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)
    section = page.locator("#tags")
    rows = section.locator("tbody tr:visible")
    everything = rows.count()

    section.get_by_label("State").focus()
    page.keyboard.type("unknown")
    assert [row.split("\t")[0] for row in rows.all_inner_texts()] == ["shop/odd:private", "shop/web:v9"]
    assert section.locator(".tools output").inner_text() == f"2 of {everything} tags"
    page.keyboard.press("Home")
    assert rows.count() == everything

    section.get_by_role("button", name="Tag").focus()
    page.keyboard.press("Enter")
    assert section.get_by_role("columnheader", name="Tag").get_attribute("aria-sort") == "ascending"
    names = [text.split("\t")[0].strip() for text in rows.all_inner_texts()]
    assert names.index("shop/web:v2") < names.index("shop/web:v10")
    page.keyboard.press("Enter")
    assert section.get_by_role("columnheader", name="Tag").get_attribute("aria-sort") == "descending"
    assert rows.first.locator("th").inner_text() == "shop/web:v11"


def test_the_worst_cluster_is_first_and_names_are_one_click_away(open_page: OpenPage) -> None:
    page = open_page()
    names = page.locator("#clusters tbody tr:visible th > :first-child")

    assert names.all_inner_texts()[:4] == ["deserted", "lost", "harbour", "south"]
    assert page.locator("article h3").all_inner_texts()[:4] == ["deserted", "lost", "harbour", "south"]
    page.locator("#clusters").get_by_role("button", name="Cluster").click()
    assert page.locator("article h3").all_inner_texts()[1:3] == ["deserted", "harbour"]


def test_what_the_table_of_clusters_leaves_out_is_not_on_the_page(open_page: OpenPage) -> None:
    page = open_page()
    clusters = page.locator("#clusters")

    clusters.get_by_label("Verdict").select_option("failed")
    assert sorted(page.locator("article:visible h3").all_inner_texts()) == ["deserted", "lost"]
    page.get_by_label("Find", exact=True).fill("lost")
    assert page.locator("article:visible").count() == 1
    page.get_by_label("Find", exact=True).fill("")
    clusters.get_by_label("Verdict").select_option("")

    assert page.locator("article:visible").count() == 7


def test_large_numbers_are_put_in_order_as_numbers(open_page: OpenPage) -> None:
    page = open_page()
    numbers = ["999", "1,234", "56", "1,000,000", "0", "7", "8", "9"]
    cells = page.locator("#clusters td[data-label=Changes]")
    cells.evaluate_all(
        "(cells, numbers) => cells.forEach((cell, place) => { cell.textContent = numbers[place]; })", numbers
    )

    page.locator("#clusters").get_by_role("button", name="Changes").click()

    assert cells.all_inner_texts() == ["0", "7", "8", "9", "56", "999", "1,234", "1,000,000"]


def test_the_sections_stay_in_reach_and_a_link_opens_what_it_leads_to(open_page: OpenPage) -> None:
    page = open_page()
    page.mouse.wheel(0, 3000)
    page.wait_for_function("scrollY > 1000")

    assert page.locator("nav.bar").evaluate("one => one.getBoundingClientRect().top") == 0
    page.locator("#clusters tbody").get_by_role("link", name="harbour").click()
    article = page.get_by_role("article", name="harbour")
    # The page opens it when the browser tells of the new fragment, which is after the click.
    article.locator("details").first.and_(page.locator("[open]")).wait_for()
    assert article.evaluate("one => one.getBoundingClientRect().top < innerHeight")


def test_one_button_opens_everything_that_differs_and_closes_it(open_page: OpenPage) -> None:
    page = open_page()
    section = page.locator("#objects")
    everything = section.locator(".object").count()
    section.locator(".object summary").first.click()
    assert section.locator(".object[open]").count() == everything - 1

    section.get_by_role("button", name="Open all").focus()
    page.keyboard.press("Enter")
    assert section.locator(".object[open]").count() == everything > 1
    section.get_by_role("button", name="Close all").click()

    assert section.locator(".object[open]").count() == 0


def test_a_phone_has_its_own_means_of_order(open_page: OpenPage) -> None:
    page = open_page(PHONE)
    clusters = page.locator("#clusters")

    clusters.get_by_label("Verdict").select_option("drift")
    assert clusters.locator("tbody tr:visible").count() == 3
    clusters.get_by_label("Verdict").select_option("")
    clusters.get_by_label("Order").select_option("Cluster ↓")

    assert clusters.locator("tbody th > :first-child").all_inner_texts()[:2] == ["south", "north"]


def test_each_cluster_says_what_there_is_to_be_said(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)
    text = {
        name: page.get_by_role("article", name=name).inner_text() for name in ("harbour", "deserted", "mended", "lost")
    }

    for words in ("password_changed", "link_missing", "upstream_moved", "lookup_policy_changed", "tag_missing"):
        assert words.replace("_", " ") in text["harbour"]
    assert "Unauthorized:" in text["harbour"]
    assert "Deployment/web" in text["harbour"]
    assert "but for 2 of unknown state" in text["harbour"]
    assert f"{OLD[7:19]} → {NEW[7:19]}" in text["harbour"]
    assert "refused the connection" in text["deserted"]
    assert "There is no result of this cluster" in text["lost"]
    mended = (
        page.get_by_role("article", name="mended").get_by_label("What differed").locator(".badge").all_inner_texts()
    )
    assert [word.strip() for word in mended] == ["corrected", "corrected", "failed", "changed meanwhile"]
    assert 'What to do: The key "registry.example.com:5000" would match.' in page.locator("#causes").inner_text()
    assert "The token expires on 2030-01-01." in page.locator("#notices").inner_text()
    assert "managed by: Argo CD" in page.locator("#others").inner_text()


def test_a_single_image_stands_under_its_platform_with_a_sign_of_its_own(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)
    matrix = page.locator("#platforms")

    assert matrix.locator("thead th").all_inner_texts() == [
        "Tag",
        "linux/amd64",
        "linux/arm64",
        "linux/s390x",
        "Declared mode",
        "Clusters",
    ]
    single = matrix.locator("tbody tr").filter(has_text="shop/odd:single").locator("td.cell")
    assert [cell.strip() for cell in single.first.all_inner_texts()] == ["■\nsingle image, taken"]
    cells = matrix.locator("td.cell .hidden").all_inner_texts()
    assert set(cells) == {
        "taken",
        "offered, not taken",
        "taken, not offered any more",
        "offered, not known whether taken",
        "single image, taken",
    }


def test_a_page_for_one_cluster_counts_no_clusters(open_page: OpenPage, tmp_path: Path) -> None:
    found = compared(
        streams=[stream("shop", "web", tag("v1", changed=True, digest=NEW), tag("v2"))],
        changes=[change(1, "tag", "shop", "web", view(), view(image=NEW), "upstream_moved", tag_name="v1")],
    )

    page = open_page(path=write_page(tmp_path, [part("harbour", [found])]))

    assert "of 1 cluster" not in page.locator("#objects").inner_text()
    assert page.locator("#tags thead th").all_inner_texts()[-1].startswith("Policies")
    assert page.locator(".gauge").inner_text().split() == ["50%", "as", "declared"]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_what_owners_keep_is_named_and_no_command_promises_to_correct_it(
    open_page: OpenPage, tmp_path: Path, viewport: dict[str, int]
) -> None:
    owner = 'the Argo CD application "<b>shop</b>"'
    moved = change(1, "tag", "shop", "web", view(), view(image=NEW), "upstream_moved", tag_name="v1")
    kept = {**moved, "managed_by": owner, "refused": f"It is reconciled by {owner}; change it in the source"}
    helm = {**moved, "id": f"{2:016x}", "name": "api", "managed_by": 'the Helm release "chart"', "refused": None}
    streams = [stream("shop", name, tag("v1", changed=True, digest=NEW)) for name in ("web", "api")]
    parts = [
        part("harbour", [compared(streams=streams, changes=[kept, helm])]),
        part("island", [compared(streams=streams[:1], changes=[kept])]),
    ]

    page = open_page(viewport, path=write_page(tmp_path, parts))
    page.evaluate(OPEN_ALL)

    # A command for both, and one for the only cluster of which it would correct something.
    commands = page.locator(".command code").all_inner_texts()
    assert [("--limit harbour" in one, "--limit island" in one) for one in commands] == [(False, False), (True, False)]
    lines = [" ".join(text.split()) for text in page.locator(".next .kept li").all_inner_texts()]
    assert lines == [f"stream shop/web: {owner} on harbour, island"]
    assert "1 object that differs is reconciled by somebody else" in page.locator(".next").inner_text()
    objects = page.locator("#objects").inner_text()
    assert f"It is reconciled by {owner}; change it in the source" in objects
    assert 'managed by: the Helm release "chart"' in objects
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


def test_a_page_without_anything_to_do_says_so(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(path=write_page(tmp_path, [part("calm", [compared(streams=[stream("shop", "web", tag("v1"))])])]))

    assert page.locator(".next p").inner_text() == "Nothing. Everything that was compared is as declared."
    assert page.locator("#objects, #causes").count() == 0


def test_paper_shows_what_matters_and_no_buttons(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    assert page.locator("details:not([open])").count() == 0
    assert (
        page.locator(".tools:visible, .skip:visible, .bar:visible, .filters:visible, thead button:visible").count() == 0
    )
    assert page.locator("#tags thead th").first.inner_text() == "Tag"
    assert page.locator("#tags tbody tr:visible .ok").count() == 0
    assert page.locator("#tags tbody tr:visible").count() == 7
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    if PICTURES:
        Path(PICTURES, "drift-print.pdf").write_bytes(paper)


def test_nothing_on_paper_or_screen_covers_its_neighbour(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)
    covering = """() => [...document.querySelectorAll('td, tbody th')].filter((cell) => cell.offsetParent).filter(
        (cell) => [...cell.children].some((one) => {
            const end = one.getBoundingClientRect().right;
            const visible = one.offsetParent && getComputedStyle(one).position !== 'absolute';
            return visible && end > cell.getBoundingClientRect().right + 1;
        })).map((cell) => cell.textContent)"""

    assert page.evaluate(covering) == []
    page.set_viewport_size({"width": 794 - 91, "height": 1000})  # A4 without its margins
    page.emulate_media(media="print")
    assert page.evaluate(covering) == []


def test_words_of_a_difference_stay_whole_on_a_phone(open_page: OpenPage) -> None:
    page = open_page(PHONE)
    page.evaluate(OPEN_ALL)

    rows = page.evaluate(
        """() => [...document.querySelectorAll('.difference tbody th')].map((one) => {
            const range = document.createRange();
            range.selectNodeContents(one);
            return [one.textContent.split(' ').length, new Set([...range.getClientRects()].map((box) => box.top)).size];
        })"""
    )
    assert rows
    assert [lines for words, lines in rows if lines > words] == []


def test_many_clusters_are_a_list_that_stays_in_its_line(open_page: OpenPage, tmp_path: Path) -> None:
    moved = change(1, "tag", "shop", "web", view(), view(image=NEW), "upstream_moved", tag_name="v1")
    found = compared(streams=[stream("shop", "web", tag("v1", changed=True, digest=NEW))], changes=[moved])
    calm = compared(streams=[stream("shop", "web", tag("v1"))])
    names = ["calm", "east", "north", "south", "west"]

    page = open_page(path=write_page(tmp_path, [part(name, [calm if name == "calm" else found]) for name in names]))

    line = page.locator(".variant .meta")
    assert line.locator("summary").inner_text() == "4 of 5"
    assert line.evaluate("one => one.getBoundingClientRect().height < 30")


def test_a_correction_that_failed_is_told_once_for_its_cluster(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(OPEN_ALL)

    assert page.get_by_role("article", name="mended").inner_text().count("the server said no") == 1


def test_names_break_after_their_parts_only(open_page: OpenPage) -> None:
    page = open_page()

    html = page.locator(".object").filter(has_text="billing/ledger:stable").locator(".what").inner_html()

    assert html == "billing/<wbr>ledger:<wbr>stable"


def test_without_scripts_the_page_has_everything(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)

    assert page.locator("#clusters tbody tr").count() == 8
    assert page.locator("article").count() == 7
    assert page.locator("#tags tbody tr").count() == 22
    assert page.locator(".filters:visible, .tools:visible").count() == 0


@pytest.mark.parametrize("alike", [True, False], ids=["alike", "all different"])
def test_a_large_fleet_is_one_page_that_can_be_used(open_page: OpenPage, tmp_path: Path, alike: bool) -> None:
    """How long a filter takes is measured in tests/bench."""
    path = write_page(tmp_path, large_parts(alike=alike))

    assert path.stat().st_size < LARGEST
    page = open_page(path=path)
    page.locator("#tags summary").first.click()
    shown = page.locator("#tags > details > .scroll > table > tbody > tr:visible")
    assert shown.count() <= 200
    page.locator("#find").fill("team-3/service-3")
    assert page.locator(".object:visible").count() == 0
    everything = 5 if alike else 500
    assert page.locator("#tags .tools output").inner_text().startswith(f"{everything} of ")
    page.locator("#find").fill("cluster-055")
    assert page.locator("#clusters tbody tr:visible").count() == 1

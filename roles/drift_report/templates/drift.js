// Copyright: Contributors to the quayside.openshift_images project
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";

// Without this script the page has everything but the means to filter, to sort and to copy.
(() => {
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  let labels = 0;

  function labelled(text, control, className) {
    const part = document.createElement("div");
    const label = document.createElement("label");
    control.id = `control-${(labels += 1)}`;
    label.htmlFor = control.id;
    label.textContent = text;
    part.append(label, control);
    if (className) part.className = className;
    return part;
  }

  function choice(options) {
    const select = document.createElement("select");
    for (const [value, text] of options) select.add(new Option(text, value));
    return select;
  }

  function button(text, className) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.textContent = text;
    return made;
  }

  function toolbar(titles, parts, className = "tools") {
    const tools = document.createElement("div");
    tools.className = className;
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-labelledby", titles);
    tools.append(...parts);
    return tools;
  }

  // One button opens or closes everything of a list.
  function openable(parts, titles, place) {
    if (parts.length < 2) return;
    const made = button("", "toggle");
    const allOpen = () => parts.every((one) => one.open);
    const name = () => { made.textContent = allOpen() ? "Close all" : "Open all"; };
    made.addEventListener("click", () => {
      const open = !allOpen();
      for (const one of parts) one.open = open;
      name();
    });
    for (const one of parts) one.addEventListener("toggle", name);
    name();
    place(toolbar(titles, [made], "tools right"));
  }

  // What can be filtered: a place on the page, the text that is searched, the reasons that it has, and what else goes with it.
  const items = [];
  function item(element, kind) {
    const about = element.dataset.about ? document.getElementById(element.dataset.about) : null;
    const made = { element, kind, about, text: null, reasons: new Set((element.dataset.f || "").split(" ")), chosen: true, fits: true, place: items.length, row: element.tagName === "TR" };
    items.push(made);
    return made;
  }
  const textOf = (one) => (one.text ??= `${one.element.textContent} ${one.about ? one.about.textContent : ""}`.toLowerCase());

  const filters = document.querySelector("[data-filters]");
  const find = document.getElementById("find");
  const clear = filters.querySelector(".clear");
  const counts = filters.querySelector("output");
  const chips = all(".chip", filters);
  const tables = [];
  // So many rows are drawn at first: of thousands nobody reads all.
  const FIRST = 200;

  function show(element, visible) {
    if (element.hidden === visible) element.hidden = !visible;
  }

  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const reasons = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.id);
    const active = words.length > 0 || reasons.length > 0;
    const shown = new Map();
    for (const one of items) {
      one.fits = one.chosen && (reasons.length === 0 || reasons.some((reason) => one.reasons.has(reason))) && words.every((word) => textOf(one).includes(word));
      const [some, total] = shown.get(one.kind) || [0, 0];
      shown.set(one.kind, [some + (one.fits ? 1 : 0), total + 1]);
      if (!one.row) show(one.element, one.fits);
    }
    for (const table of tables) table(shown);
    for (const section of all("main > section")) {
      const empty = section.querySelector(".empty");
      if (empty) show(empty, (shown.get(section.id) || [1])[0] === 0);
    }
    show(clear, active);
    const told = { objects: "what differs", causes: "causes", clusters: "clusters" };
    counts.textContent = active ? Object.entries(told).filter(([kind]) => shown.has(kind)).map(([kind, name]) => `${name}: ${shown.get(kind).join(" of ")}`).join(", ") : "";
  }

  function prepare(table) {
    const section = table.closest("section");
    const headings = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const names = headings.map((heading) => heading.textContent);
    const chosen = names.indexOf(table.dataset.choose);
    const text = (row, column) => row.cells[column].textContent.trim();
    const stateOf = (row) => (row.cells[chosen].querySelector(".badge") || row.cells[chosen]).textContent.trim();
    let mine = rows.map((row) => item(row, section.id));

    const states = [...new Set(rows.map(stateOf))].sort(compare);
    const state = choice([["", "all"], ...states.map((name) => [name, name])]);
    const order = choice([["", "worst first"], ...names.flatMap((name, column) => [[`${column} ascending`, `${name} ↑`], [`${column} descending`, `${name} ↓`]])]);
    const count = document.createElement("output");
    count.setAttribute("aria-live", "polite");
    const more = button("Show all", "toggle");
    let most = FIRST;
    function draw(shown) {
      let left = most;
      for (const one of mine) {
        const visible = one.fits && left > 0;
        left -= visible ? 1 : 0;
        show(one.element, visible);
        if (one.about) show(one.about, visible);
      }
      const [some, total] = shown.get(section.id);
      const first = some > most ? `, the first ${most.toLocaleString("en")} are shown` : "";
      count.textContent = `${some.toLocaleString("en")} of ${total.toLocaleString("en")} ${table.dataset.what}${first}`;
      show(more, some > most);
    }
    tables.push(draw);
    function showAll() {
      most = Infinity;
      filter();
    }
    more.addEventListener("click", showAll);
    window.addEventListener("beforeprint", showAll);

    // Numbers have commas in them, and where there is none there are words.
    const amount = (row, column) => Number(text(row, column).replaceAll(",", ""));

    function sort(column, direction) {
      const sorted = [...mine];
      const isNumber = direction && "numbers" in headings[column].dataset;
      const difference = (one, other) => (isNumber ? amount(one, column) - amount(other, column) || 0 : compare(text(one, column), text(other, column)));
      if (direction) sorted.sort((one, other) => difference(one.element, other.element) * (direction === "ascending" ? 1 : -1));
      else sorted.sort((one, other) => one.place - other.place);
      mine = sorted;
      table.tBodies[0].append(...sorted.map((one) => one.element));
      // The sections of the clusters follow their rows.
      section.append(...sorted.map((one) => one.about).filter(Boolean));
      headings.forEach((heading, index) => heading.setAttribute("aria-sort", direction && index === column ? direction : "none"));
      order.value = direction ? `${column} ${direction}` : "";
      filter();
    }

    headings.forEach((heading, column) => {
      const plain = document.createElement("span");
      plain.className = "plain";
      plain.textContent = heading.textContent;
      const made = button(heading.textContent, "sort");
      heading.replaceChildren(made, plain);
      heading.setAttribute("aria-sort", "none");
      made.addEventListener("click", () => sort(column, heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"));
    });
    state.addEventListener("change", () => {
      for (const one of mine) one.chosen = state.value === "" || stateOf(one.element) === state.value;
      filter();
    });
    order.addEventListener("change", () => {
      const [column, direction] = order.value.split(" ");
      sort(Number(column), direction);
    });
    table.parentElement.before(toolbar(section.getAttribute("aria-labelledby"), [labelled(table.dataset.choose, state), labelled("Order", order, "narrow"), count, more]));
    // A table whose rows are shown as blocks on a narrow screen stays a table to a screen reader.
    const narrow = window.matchMedia("(max-width: 68rem)");
    function name() {
      if (!narrow.matches || table.hasAttribute("role")) return;
      table.setAttribute("role", "table");
      for (const part of [table.tHead, table.tBodies[0]]) part.setAttribute("role", "rowgroup");
      for (const row of table.rows) {
        row.setAttribute("role", "row");
        for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.scope === "row" ? "rowheader" : "columnheader");
      }
    }
    narrow.addEventListener("change", name);
    name();
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // An older browser, or one that does not trust files.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    document.getElementById("said").textContent = `Copied ${text}`;
  }

  document.addEventListener("click", (event) => {
    const digest = event.target.closest(".d");
    const made = event.target.closest(".copy");
    if (digest) copy(digest.title);
    if (made) {
      copy(made.previousElementSibling.textContent);
      made.textContent = "Copied";
      setTimeout(() => { made.textContent = "Copy"; }, 2000);
    }
  });

  // Whatever a link leads to is open.
  function openTarget() {
    const target = document.getElementById(location.hash.slice(1));
    const details = target && (target.tagName === "DETAILS" ? target : target.querySelector(":scope > details"));
    if (details) {
      details.open = true;
      target.scrollIntoView();
    }
  }

  all(".object").forEach((one) => item(one, "objects"));
  all("#causes > ul > li").forEach((one) => item(one, "causes"));
  all("table[data-choose]").forEach(prepare);
  const objects = document.getElementById("objects");
  if (objects) openable(all(".object"), "objects-title", (tools) => objects.querySelector("h2").after(tools));
  openable(all(".cluster"), "clusters-title", (tools) => document.querySelector("#clusters > .empty").after(tools));
  find.addEventListener("input", filter);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  clear.addEventListener("click", () => {
    find.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
    filter();
    find.focus();
  });
  filters.hidden = false;
  filter();
  window.addEventListener("hashchange", openTarget);
  openTarget();

  // Paper has no buttons: everything is open on it.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    for (const one of all("details:not([open])")) {
      opened.push(one);
      one.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
    opened = [];
  });
})();

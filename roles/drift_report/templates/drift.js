// Copyright: Contributors to the quayside.openshift_images project
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";

// Without this script the page has everything but the means to filter and to sort.
(() => {
  const compare = new Intl.Collator("en", { numeric: true }).compare;
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

  // A page has many of them: to a screen reader each is named after its cluster and what it is for.
  function toolbar(place, titles, parts) {
    const tools = document.createElement("div");
    const part = place.closest("article, #clusters");
    tools.className = "tools";
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-labelledby", [...new Set([part.getAttribute("aria-labelledby"), titles])].join(" "));
    tools.append(...parts);
    return tools;
  }

  // Many changes are closed, so that they can be surveyed; one button opens them all.
  function prepareChanges(section) {
    const changes = [...section.querySelectorAll("details.change")];
    if (changes.length < 2) return;
    const button = document.createElement("button");
    button.type = "button";
    const allOpen = () => changes.every((one) => one.open);
    const name = () => { button.textContent = allOpen() ? "Close all" : "Open all"; };
    button.addEventListener("click", () => {
      const open = !allOpen();
      for (const one of changes) one.open = open;
      name();
    });
    for (const one of changes) one.addEventListener("toggle", name);
    name();
    const title = section.querySelector("h3");
    title.after(toolbar(section, title.id, [button]));
  }

  function prepare(table) {
    const headings = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const names = headings.map((heading) => heading.textContent);
    const chosen = names.indexOf(table.dataset.choose);
    const text = (row, column) => row.cells[column].textContent.trim();

    const search = document.createElement("input");
    search.type = "search";
    const states = [...new Set(rows.map((row) => text(row, chosen)))].sort(compare);
    const state = choice([["", "all"], ...states.map((name) => [name, name])]);
    const order = choice([["", "as they are"], ...names.flatMap((name, column) => [[`${column} ascending`, `${name} ↑`], [`${column} descending`, `${name} ↓`]])]);
    const count = document.createElement("output");
    count.setAttribute("aria-live", "polite");

    function filter() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const content = row.textContent.toLowerCase();
        const about = document.getElementById(row.dataset.about || "");
        row.hidden = !words.every((word) => content.includes(word)) || (state.value !== "" && text(row, chosen) !== state.value);
        if (about) about.hidden = row.hidden;
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${table.dataset.what}`;
    }

    // Numbers have commas in them, and where there is none there are words.
    const amount = (row, column) => Number(text(row, column).replaceAll(",", ""));

    function sort(column, direction) {
      const sorted = [...rows];
      const isNumber = "numbers" in headings[column].dataset;
      const difference = (one, other) => (isNumber ? amount(one, column) - amount(other, column) || 0 : compare(text(one, column), text(other, column)));
      if (direction) sorted.sort((one, other) => difference(one, other) * (direction === "ascending" ? 1 : -1));
      table.tBodies[0].append(...sorted);
      headings.forEach((heading, index) => heading.setAttribute("aria-sort", direction && index === column ? direction : "none"));
      order.value = direction ? `${column} ${direction}` : "";
    }

    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(column, heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"));
    });
    search.addEventListener("input", filter);
    state.addEventListener("change", filter);
    order.addEventListener("change", () => {
      const [column, direction] = order.value.split(" ");
      sort(Number(column), direction);
    });
    const controls = [labelled(`Find ${table.dataset.what}`, search), labelled(table.dataset.choose, state), labelled("Order", order, "narrow"), count];
    table.parentElement.before(toolbar(table, table.parentElement.getAttribute("aria-labelledby"), controls));
    // A table whose rows are shown as blocks on a narrow screen stays a table to a screen reader.
    table.setAttribute("role", "table");
    for (const part of [table.tHead, table.tBodies[0]]) part.setAttribute("role", "rowgroup");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.scope === "row" ? "rowheader" : "columnheader");
    }
    filter();
  }

  document.querySelectorAll("table[data-choose]").forEach(prepare);
  document.querySelectorAll("section[data-openable]").forEach(prepareChanges);

  // Paper has no buttons: everything is open on it.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) {
      opened.push(one);
      one.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
    opened = [];
  });
})();

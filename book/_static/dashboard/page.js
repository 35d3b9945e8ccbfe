/* The dashboard's page: a diagnosis after every keystroke, text and files read in, tabs, start. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el, minus } = Cape.results;
  const { app } = Cape;
  const S = Cape.state;
  const F = Cape.form;
  const { MOST_ROWS } = F;
  const QUIET = ["missing", "missing_size", "missing_place", "too_few_none"];
  let hearing = 0;

  /* After every change: a diagnosis, or nothing and why. An old result never stays. */
  function update({ link = true } = {}) {
    const started = performance.now();
    const { result = null, problems = [] } = S.diagnose(app.state);
    app.current = result;
    F.show(problems);
    const place = app.section.querySelector(`#dash-panel-${app.state.tab} .dash-result`);
    if (result) {
      place.replaceChildren(...Cape.results.show(result));
      place.append(Cape.exports.buttons(place));
    } else place.replaceChildren(nothing(problems));
    if (link) root.history.replaceState(null, "", S.toLink());
    hear(result ? result.answers.headline : place.textContent);
    page.lastUpdate = performance.now() - started;
  }

  function nothing(problems) {
    const begun = problems.some((p) => !QUIET.includes(p.code));
    const general = problems.filter((p) => p.row === null && p.column === null).map((p) => p.message);
    const places = new Set(
      problems.filter((p) => p.row !== null || p.column !== null).map((p) => `${p.row} ${p.column}`),
    ).size;
    const text = begun || general.length ? "No diagnosis with these values." : "No diagnosis yet.";
    const count = places ? ` ${places} ${places === 1 ? "thing" : "things"} to correct or fill in above.` : "";
    return el("p", { class: "dash-none" }, text, count, general.length ? ` ${general.join(" ")}` : "");
  }

  /* A screen reader hears the headline once typing pauses, not at every key. */
  function hear(text) {
    root.clearTimeout(hearing);
    hearing = root.setTimeout(() => (app.section.querySelector(".dash-heard").textContent = minus(text)), 700);
  }

  /* The form of the open tab; the other tabs are emptied, so that nothing old waits in them. */
  function build() {
    for (const tab of S.TABS) {
      const chosen = tab === app.state.tab;
      const head = app.section.querySelector(`#dash-tab-${tab}`);
      head.setAttribute("aria-selected", String(chosen));
      head.tabIndex = chosen ? 0 : -1;
      const panel = app.section.querySelector(`#dash-panel-${tab}`);
      panel.hidden = !chosen;
      if (!chosen) panel.querySelectorAll(".dash-form, .dash-result").forEach((part) => part.replaceChildren());
    }
    const form = app.section.querySelector(`#dash-panel-${app.state.tab} .dash-form`);
    const said = el(
      "div",
      { class: "dash-messages" },
      app.message.map((text) => el("p", { class: "dash-problem" }, text)),
    );
    F.clear();
    form.replaceChildren(...Cape.tabs[app.state.tab](), said);
  }

  function rebuild() {
    build();
    update();
  }

  /* ---- text and files ---- */

  function order() {
    if (app.state.tab === "release") return ["model", ...S.RELEASE.slice(0, 2)];
    if (app.state.tab === "today") return ["model", ...S.TODAY];
    const { x, y } = app.state.pair;
    return ["model", Cape.axes.typed(app.state[app.state.tab].axis ?? "params"), ...(app.state.tab === "pair" ? [x, y] : S.PAIR)];
  }

  /* A table as text; `name` is that of its file. False where it has no rows. */
  function take(text, name) {
    const { columns, rows, problems, axis } = Cape.read.readTable(text, order(), app.state[app.state.tab].axis);
    app.message.push(...problems.map((p) => (name ? `${name}: ${p.message}` : p.message)));
    if (rows.length) accept(rows, columns, axis);
    return rows.length > 0;
  }

  function readText(text) {
    app.message = [];
    take(text);
    rebuild();
  }

  /* Rows from text or files become those of the open tab. */
  function accept(rows, columns, axis) {
    if (app.state.tab === "model") app.state.tab = "family";
    const part = app.state[app.state.tab];
    if (part.axis !== undefined) part.axis = axis;
    if (app.state.tab === "pair") {
      const axes = ["step", "tokens_b", "pretrain_tokens_b", "flops", "flops_1e21", "d_model", part.axis];
      const other = ["model", "params_b", "family", "date", ...axes];
      const own = columns.filter((name) => name && !other.includes(name) && !/_(stderr|shots|protocol|noise)$/.test(name));
      if (own.length >= 2 && !(own.includes(part.x) && own.includes(part.y))) [part.x, part.y] = own;
    }
    for (const name of order().slice(1)) {
      const facts = { label: Cape.read.label(name), found: columns.filter(Boolean).join(", ").slice(0, 200) };
      if (!columns.includes(name) && !rows.some((row) => row[name])) app.message.push(Cape.read.problem("no_column", "", null, facts).message);
    }
    const families = [...new Set(rows.map((row) => row.family).filter(Boolean))];
    const first = families.find((name) => rows.filter((row) => row.family === name).length > 1);
    if (part.axis !== undefined && families.length > 1 && first) {
      rows = rows.filter((row) => row.family === first);
      app.message.push(`${families.length} families: ${first} is shown. Paste the rows of another alone to see it.`);
    }
    if (rows.length > MOST_ROWS) app.message.push(`${rows.length} rows: the first ${MOST_ROWS} are shown.`);
    const text = (v) => (v === null || v === undefined ? "" : String(v).slice(0, S.LONGEST_TEXT));
    part.rows = rows
      .slice(0, MOST_ROWS)
      .map((row) => Object.fromEntries(Object.entries(row).map(([name, v]) => [name, text(v)])));
  }

  async function readFiles(files) {
    app.message = [];
    if (app.state.tab === "model") app.state.tab = "family";
    try {
      const documents = [];
      for (const file of files) {
        const text = await Cape.harness.textOf(file);
        const { name } = file;
        const tool = Cape.harness.toolOf(name, text);
        const say = (code) => app.message.push(Cape.read.problem(code, "", null, { name, tool }).message);
        if (tool) say("file_tool");
        else if (/^samples_.*\.jsonl$/.test(name)) say("file_samples");
        else if (/\.json$/i.test(file.name) || /^\s*\{/.test(text.slice(0, 200)))
          documents.push(Cape.harness.readDocument(file.name, text));
        else if (!take(text, file.name)) app.state[app.state.tab].rows = [{}];
      }
      if (documents.length) acceptResults(documents);
    } catch (error) {
      if (!(error instanceof Cape.harness.Refusal)) throw error;
      app.message.push(error.message);
      app.state[app.state.tab].rows = [{}];
    }
    rebuild();
  }

  function acceptResults(documents) {
    const { rows, notes, asks } = Cape.harness.assemble(documents);
    app.message.push(...notes, ...asks);
    const axis = Cape.axes.recognised(Cape.axes.fill(rows), app.state[app.state.tab].axis ?? "params");
    accept(rows, [...new Set(rows.flatMap(Object.keys))], axis);
  }

  /* ---- start ---- */

  function go(next) {
    app.state = next;
    app.message = [];
    build();
    update({ link: false });
    return app.current;
  }

  function switchTab(tab, focus) {
    app.message = [];
    app.state.tab = tab;
    rebuild();
    if (focus) app.section.querySelector(`#dash-tab-${tab}`).focus();
  }

  /* Examples, tabs and an empty panel for each tab. */
  function furnish(section) {
    const { examples, views } = app.kit;
    const chosen = (key) => {
      go(S.example(key));
      root.history.replaceState(null, "", S.toLink());
    };
    const example = ({ key, label }) =>
      el("button", { type: "button", class: "dash-button", dataset: { example: key }, onclick: () => chosen(key) }, label);
    const move = (event, i) => {
      const last = S.TABS.length - 1;
      const to = { ArrowRight: i < last ? i + 1 : 0, ArrowLeft: i ? i - 1 : last, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      switchTab(S.TABS[to], true);
    };
    const tab = (name, i) => {
      const names = { role: "tab", id: `dash-tab-${name}`, "aria-controls": `dash-panel-${name}` };
      const acts = { onclick: () => switchTab(name), onkeydown: (event) => move(event, i) };
      return el("button", { type: "button", ...names, ...acts }, views[name].tab);
    };
    const panel = (name) => {
      const names = { role: "tabpanel", id: `dash-panel-${name}`, "aria-labelledby": `dash-tab-${name}` };
      const parts = ["dash-form", "dash-result"].map((part) => el("div", { class: part }));
      return el("div", { class: "dash-panel", ...names }, el("p", {}, views[name].about), parts);
    };
    section.append(
      el("div", { class: "dash-examples dash-buttons" }, el("span", {}, "Try one:"), examples.map(example)),
      el("div", { role: "tablist", class: "dash-tabs", "aria-label": "What do you have?" }, S.TABS.map(tab)),
      ...S.TABS.map(panel),
      el("p", { class: "dash-heard", role: "status", "aria-live": "polite" }),
    );
  }

  function listen(section) {
    const over = (event, on) => {
      event.preventDefault();
      section.classList.toggle("dash-over", on);
    };
    section.addEventListener("dragover", (event) => over(event, true));
    section.addEventListener("dragleave", (event) => over(event, false));
    section.addEventListener("drop", (event) => {
      over(event, false);
      if (event.dataTransfer.files.length) readFiles([...event.dataTransfer.files]);
    });
    root.addEventListener("hashchange", () => {
      const next = S.fromLink(root.location.hash);
      if (next) go(next);
    });
  }

  function start() {
    const section = (app.section = document.querySelector(".cape-dash"));
    if (!section) return;
    const kit = (Cape.kit = app.kit = JSON.parse(document.querySelector("#cape-kit").textContent));
    Cape.numbers.use(kit);
    furnish(section);
    listen(section);
    const linked = S.fromLink(root.location.hash);
    go(linked || S.example(kit.examples[0].key));
    if (!linked && root.location.hash.startsWith("#d=")) {
      app.message = ["The link could not be read: an example is shown in its place."];
      build();
    }
    section.dataset.ready = "true";
  }

  const page = { go, update, rebuild, readText, readFiles, lastUpdate: 0, ...S, result: () => app.current };
  Cape.page = page;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(window);

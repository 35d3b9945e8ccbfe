/* The dashboard's page: the form of each tab, a diagnosis after every keystroke, text and files read in, tabs, start. What
 * stands in a form is in forms.json, what stays the same in the markup. */
"use strict";
{
  const { app, state: S } = Cape;
  const { el, button, folded, minus } = Cape.results;
  const QUIET = ["missing", "missing_size", "missing_place", "too_few_none"];
  const label = (name) => Cape.read.label(name);
  const short = (name) => app.kit.short[name] ?? label(name);
  const open = () => app.state[app.state.tab];
  const form = () => app.kit.forms[app.state.tab];
  const panel = (selector, tab = app.state.tab) => app.section.querySelector(`#dash-panel-${tab} ${selector}`);
  let hearing = 0;
  let unique = 0;

  /* ---- fields: each is named by the path of what it holds in the open tab ("rows.2.hellaswag") ---- */

  /* The record that a path leads into, and its key there. */
  function place(path) {
    const [, i, key] = /^row(?:s\.(\d+))?\.(.*)$/s.exec(path) ?? [];
    if (key === undefined) return [open(), path];
    return [i ? open().rows[i] : open().row, key];
  }

  const typed = (path) => {
    const [record, key] = place(path);
    return record[key] ?? "";
  };

  /* A text field, and the place of its problem. */
  function text(path, more) {
    const id = `dash-${++unique}`;
    const usual = { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "60" };
    const input = el("input", { id, name: path, ...usual, ...more, "aria-describedby": `${id}-problem` });
    input.value = isName(path) ? label(typed(path)) : typed(path);
    return [input, el("p", { class: "dash-problem", id: `${id}-problem` })];
  }

  /* A text field below its label, or a choice of one of several options: a value, and its words where they differ. */
  function field(path, words, hint, options = form().options?.[path]) {
    if (!options) {
      const [input, problem] = text(path);
      const about = hint && el("span", { class: "dash-small" }, hint);
      return el("div", { class: "dash-field" }, el("label", { for: input.id }, words), input, about, problem);
    }
    const id = `dash-${++unique}`;
    const chosen = typed(path) || options[0][0];
    const items = options.map(([value, shown = value]) => el("option", { value, selected: value === chosen }, shown));
    const select = el("select", { id, name: path }, items);
    return el("div", { class: "dash-field dash-choice" }, el("label", { for: id }, words), select);
  }

  const group = (fields) => el("div", { class: "dash-fields" }, fields);
  const buttons = (...nodes) => el("div", { class: "dash-buttons" }, nodes);
  const isName = (path) => app.state.tab === "pair" && ["x", "y"].includes(path);

  /* What is typed or chosen goes into the state. */
  function typedInto({ name, value }) {
    if (isName(name)) return rename(name, value);
    const [record, key] = place(name);
    record[key] = value;
    if (name !== "axis") return update();
    Cape.axes.fill(open().rows);
    return rebuild();
  }

  /* Show problems beside their fields, each with its mend; those of a row that has no field for them below it. */
  function show(problems) {
    const part = open();
    const pathOf = ({ row, column }) => (row === null ? column : `${part.row ? "row" : `rows.${row}`}.${column}`);
    const inputs = [...panel(".dash-form").querySelectorAll("input[name]")];
    for (const input of inputs) {
      const own = problems.filter((p) => pathOf(p) === input.name);
      input.toggleAttribute("aria-invalid", false);
      if (own.length) input.setAttribute("aria-invalid", "true");
      const use = (mend) => () => {
        input.value = mend;
        input.focus();
        typedInto(input);
      };
      const offer = (mend) => button(`Use ${mend}`, use(mend), `Use ${mend} in place of what is there`);
      const explained = ({ message, mend }) => [el("span", {}, message, " "), ...(mend === null ? [] : [offer(mend)])];
      document.getElementById(`${input.id}-problem`).replaceChildren(...own.flatMap(explained));
    }
    for (const message of panel(".dash-form").querySelectorAll("tr[data-row]")) {
      const own = problems.filter((p) => p.row === Number(message.dataset.row));
      const rest = own.filter((p) => !inputs.some((input) => input.name === pathOf(p)));
      message.hidden = !own.length;
      message.querySelector("p:last-child").replaceChildren(...rest.map((p) => el("span", {}, p.message, " ")));
    }
    panel("#dash-mends")?.replaceChildren(...mendAll(part, problems));
  }

  function mendAll(part, problems) {
    const mends = problems.filter((p) => p.mend !== null && p.row !== null);
    const all = button(`Correct all ${mends.length}`, () => {
      for (const p of mends) part.rows[p.row][p.column] = p.mend;
      rebuild();
    });
    const same = button("Compare them all the same", () => {
      part.mixed = "yes";
      rebuild();
    });
    return [...(mends.length > 1 ? [all] : []), ...(problems.some((p) => p.code === "mixed") ? [same] : [])];
  }

  /* An editable table of the rows of the open tab: every cell a field with a name, every row followed by its messages; below
   * it what mends all of them. */
  function grid(names) {
    const { rows } = open();
    const body = rows.flatMap((_, i) => {
      const cells = names.map((name) => text(`rows.${i}.${name}`, { "aria-label": `${short(name)}, row ${i + 1}` }));
      const remove = () => {
        rows.splice(i, 1);
        if (!rows.length) rows.push({});
        rebuild();
      };
      const inputs = cells.map(([input], k) => el("td", { dataset: { label: short(names[k]) } }, input));
      const away = el("td", {}, button("\u00d7", remove, `Remove row ${i + 1}`));
      const problems = [...cells.map(([, problem]) => problem), el("p", { class: "dash-problem" })];
      const message = el("td", { colspan: names.length + 1 }, problems);
      return [el("tr", { class: "dash-row" }, inputs, away), el("tr", { hidden: true, dataset: { row: i } }, message)];
    });
    const head = el("tr", {}, names.map((name) => el("th", { scope: "col" }, short(name))), el("td"));
    const wide = names.length > 4 ? "dash-table dash-wide" : "dash-table";
    const whole = el("table", { class: wide }, el("thead", {}, head), el("tbody", {}, body));
    return [el("div", { class: "dash-scroll" }, whole), el("div", { class: "dash-buttons", id: "dash-mends" })];
  }

  /* ---- the form of each tab, built anew when its shape changes; typing only changes the state ---- */

  function fieldsOf(part) {
    const { fields = [], more } = form();
    const known = (path) => path.endsWith("_items") && app.kit.items[part[path[0]]];
    const hinted = ([path, words, hint]) => field(path, words, known(path) ? `known: ${known(path)}` : hint);
    const own = fields.length ? [group(fields.map(hinted))] : [];
    if (part.rows) return [...own, ...(part.axis ? [along(part)] : []), ...table(part)];
    return [
      ...own,
      folded("More: name, metric, shots, other benchmarks", group(more.map(hinted))),
      buttons(button("I have a second size: compare the two", secondSize)),
    ];
  }

  function secondSize() {
    const { metric, ...row } = app.state.model.row;
    app.state.family.rows = [row, { model: "" }];
    app.state.tab = "family";
    rebuild();
    panel("tbody tr:nth-child(3) input").focus();
  }

  const isCounted = (part) => Cape.axes.stepped(part) && (part.axis === "step" || part.batch);

  /* The columns of a row's place; tokens that a table states stand beside its steps. */
  function places(part) {
    if (!isCounted(part)) return [Cape.axes.typed(part.axis)];
    const flops = part.axis === "flops";
    const products = flops ? ["tokens_b", "flops_1e21"] : ["tokens_b"];
    return ["step", ...(flops ? ["params_b"] : []), ...products.filter((name) => part.rows.some((row) => row[name]))];
  }

  /* What the rows go along: size, a known axis or a column of their own; along steps also the tokens of one. */
  function along(part) {
    const known = Object.keys(app.kit.axes);
    const own = [...known, ...Cape.axes.own(part.rows, S.needed(app.state.tab, part))];
    if (part.axis !== "params" && !own.includes(part.axis)) own.push(part.axis);
    const options = [["params", "size"], ...own.map((name) => [name, Cape.axes.named(name).noun])];
    const axis = field("axis", "Rows go along", null, options);
    if (!Cape.axes.stepped(part)) return group([axis]);
    const use = part.axis === "flops" ? "compute is 6 N D, D = step x these" : "along tokens, step x these";
    return group([axis, field("batch", "Tokens a step", `if given: ${use}`)]);
  }

  function rename(name, words) {
    const part = app.state.pair;
    const next = Cape.read.columnName(words) || name;
    if ([part.x, part.y, "model", "params_b", part.axis].includes(next)) return;
    for (const row of part.rows) {
      row[next] = row[part[name]];
      delete row[part[name]];
    }
    part[name] = next;
    const focused = document.activeElement.id;
    rebuild();
    const input = panel(`input[name=${name}]`);
    if (focused) {
      input.value = words;
      input.focus();
    }
  }

  /* The rows of a tab: their table, the buttons, paste and files, the forecast where there is one. */
  function table(part) {
    const { also = [], columns } = form();
    const extra = part.axis && also.some((name) => part.rows.some((row) => row[name]));
    const more = button("Add ARC, WinoGrande, MMLU", () => {
      part.rows.forEach((row) => also.forEach((name) => (row[name] ??= " ")));
      rebuild();
    });
    const add = button("Add a row", () => {
      if (part.rows.length >= S.MOST_ROWS) return;
      part.rows.push({});
      rebuild();
      panel("tbody tr:nth-last-child(2) input").focus();
    });
    const paired = () => [...places(part), ...S.needed(app.state.tab, part)];
    const names = columns ?? [...paired(), ...(extra ? also.filter((name) => name !== part.axis) : [])];
    const adding = part.axis && also.length && !extra ? [add, more] : [add];
    const intake = document.querySelector("#dash-intake").content.cloneNode(true);
    return [...grid(["model", ...names]), buttons(...adding), intake, ...(part.axis ? [forecast(part)] : [])];
  }

  function forecast(part) {
    const hint = part.axis === "date" ? "half as far again if empty" : "twice the last if empty";
    const axis = part.axis === "step" && part.batch ? "tokens" : part.axis; // the tokens of a step make its place
    const unit = axis === "params" ? "billions" : (app.kit.short[Cape.axes.typed(axis)] ?? axis);
    const details = folded(
      `Forecast to another ${part.axis === "params" ? "size" : "place"}`,
      field("at", `Forecast to (${unit})`, hint),
    );
    details.open = Boolean(part.at);
    return details;
  }

  /* ---- the diagnosis ---- */

  /* After every change: a diagnosis, or nothing and why. An old result never stays. */
  function update({ link = true } = {}) {
    const started = performance.now();
    const { result = null, problems = [] } = S.diagnose(app.state);
    app.current = result;
    show(problems);
    const place = panel(".dash-result");
    place.replaceChildren(...(result ? Cape.results.show(result) : [nothing(problems)]));
    if (result) place.append(Cape.results.buttons(place));
    if (link) window.history.replaceState(null, "", S.toLink());
    hear(result ? result.answers.headline : place.textContent);
    page.lastUpdate = performance.now() - started;
  }

  function nothing(problems) {
    const ofTable = (p) => p.row === null && p.column === null;
    const general = problems.filter(ofTable).map((p) => p.message);
    const count = new Set(problems.filter((p) => !ofTable(p)).map((p) => `${p.row} ${p.column}`)).size;
    const begun = general.length || problems.some((p) => !QUIET.includes(p.code));
    const sentences = [begun ? "No diagnosis with these values." : "No diagnosis yet."];
    if (count) sentences.push(`${count} ${count === 1 ? "thing" : "things"} to correct or fill in above.`);
    return el("p", { class: "dash-none" }, [...sentences, ...general].join(" "));
  }

  /* A screen reader hears the headline once typing pauses, not at every key. */
  function hear(words) {
    window.clearTimeout(hearing);
    hearing = window.setTimeout(() => (app.section.querySelector(".dash-heard").textContent = minus(words)), 700);
  }

  /* The form of the open tab; the other tabs are emptied, so that nothing old waits in them. */
  function build() {
    for (const tab of S.tabs()) {
      const chosen = tab === app.state.tab;
      const head = app.section.querySelector(`#dash-tab-${tab}`);
      head.setAttribute("aria-selected", String(chosen));
      head.tabIndex = chosen ? 0 : -1;
      app.section.querySelector(`#dash-panel-${tab}`).hidden = !chosen;
      if (!chosen) for (const part of [".dash-form", ".dash-result"]) panel(part, tab).replaceChildren();
    }
    const lines = app.message.map((line) => el("p", { class: "dash-problem" }, line));
    panel(".dash-form").replaceChildren(...fieldsOf(open()), el("div", { class: "dash-messages" }, lines));
  }

  function rebuild() {
    build();
    update();
  }

  /* ---- text and files ---- */

  /* The columns of rows without names. */
  function order() {
    const [part, { sized = true }] = [open(), form()];
    const needed = S.needed(app.state.tab, part);
    return ["model", ...(sized ? [Cape.axes.typed(part.axis ?? "params")] : []), ...needed];
  }

  /* A table as text; `name` is that of its file. False where it has no rows. */
  function take(content, name) {
    const { columns, rows, problems, axis } = Cape.read.readTable(content, order(), open().axis);
    app.message.push(...problems.map((p) => (name ? `${name}: ${p.message}` : p.message)));
    if (rows.length) accept(rows, columns, axis);
    return rows.length > 0;
  }

  function readText(content) {
    app.message = [];
    take(content);
    rebuild();
  }

  /* Rows from text or files become those of the open tab. */
  function accept(rows, columns, axis) {
    if (app.state.tab === "model") app.state.tab = "family";
    const part = open();
    if (part.axis !== undefined) part.axis = axis;
    if (app.state.tab === "pair") {
      const axes = ["step", "tokens_b", "pretrain_tokens_b", "flops", "flops_1e21", "d_model", part.axis];
      const other = ["model", "params_b", "family", "date", ...axes];
      const own = columns.filter((name) => name && !other.includes(name) && !/_(stderr|shots|protocol|noise)$/.test(name));
      if (own.length >= 2 && !(own.includes(part.x) && own.includes(part.y))) [part.x, part.y] = own;
    }
    const seen = columns.filter(Boolean).join(", ").slice(0, 200);
    for (const name of order().slice(1)) {
      if (columns.includes(name) || rows.some((row) => row[name])) continue;
      app.message.push(Cape.read.problem("no_column", "", null, { label: label(name), found: seen }).message);
    }
    const families = Map.groupBy(rows.filter((row) => row.family), (row) => row.family);
    const [first, some] = [...families].find(([, own]) => own.length > 1) ?? [];
    if (part.axis !== undefined && families.size > 1 && first) {
      rows = some;
      app.message.push(`${families.size} families: ${first} is shown. Paste the rows of another alone to see it.`);
    }
    if (rows.length > S.MOST_ROWS) app.message.push(`${rows.length} rows: the first ${S.MOST_ROWS} are shown.`);
    const cut = ([name, v]) => [name, String(v ?? "").slice(0, S.LONGEST_TEXT)];
    part.rows = rows.slice(0, S.MOST_ROWS).map((row) => Object.fromEntries(Object.entries(row).map(cut)));
  }

  async function readFiles(files) {
    const { textOf, toolOf, readDocument, assemble, Refusal } = Cape.harness;
    app.message = [];
    if (app.state.tab === "model") app.state.tab = "family";
    try {
      const documents = [];
      for (const file of files) {
        const { name } = file;
        const content = await textOf(file);
        const tool = toolOf(name, content);
        const code = tool ? "file_tool" : /^samples_.*\.jsonl$/.test(name) ? "file_samples" : null;
        if (code) app.message.push(Cape.read.problem(code, "", null, { name, tool }).message);
        else if (/\.json$/i.test(name) || /^\s*\{/.test(content.slice(0, 200))) documents.push(readDocument(name, content));
        else if (!take(content, name)) open().rows = [{}];
      }
      if (documents.length) {
        const { rows, notes, asks } = assemble(documents);
        app.message.push(...notes, ...asks);
        const axis = Cape.axes.recognised(Cape.axes.fill(rows), open().axis ?? "params");
        accept(rows, [...new Set(rows.flatMap(Object.keys))], axis);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      app.message.push(error.message);
      open().rows = [{}];
    }
    rebuild();
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

  function listen(section) {
    section.addEventListener("input", ({ target }) => target.name && typedInto(target));
    section.addEventListener("click", ({ target }) => {
      const { example, tab } = target.dataset;
      if (tab) switchTab(tab);
      if (target.id === "dash-read") readText(panel("textarea").value);
      if (!example) return;
      go(S.example(example));
      window.history.replaceState(null, "", S.toLink());
    });
    section.addEventListener("keydown", (event) => {
      const tabs = S.tabs();
      const [i, last] = [tabs.indexOf(event.target.dataset.tab), tabs.length - 1];
      const to = { ArrowRight: i < last ? i + 1 : 0, ArrowLeft: i ? i - 1 : last, Home: 0, End: last }[event.key];
      if (i < 0 || to === undefined) return;
      event.preventDefault();
      switchTab(tabs[to], true);
    });
    section.addEventListener("change", ({ target }) => {
      if (target.id !== "dash-file") return;
      readFiles([...target.files]);
      target.value = "";
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
      section.addEventListener(name, (event) => {
        event.preventDefault();
        section.classList.toggle("dash-over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) readFiles([...event.dataTransfer.files]);
      });
    }
    window.addEventListener("hashchange", () => {
      const next = S.fromLink(window.location.hash);
      if (next) go(next);
    });
  }

  function start() {
    const section = (app.section = document.querySelector(".cape-dash"));
    if (!section) return;
    Cape.kit = app.kit = JSON.parse(document.querySelector("#cape-kit").textContent);
    section.append(document.querySelector("#dash-whole").content);
    listen(section);
    const linked = S.fromLink(window.location.hash);
    go(linked || S.example(app.kit.examples[0].key));
    if (!linked && window.location.hash.startsWith("#d=")) {
      app.message = ["The link could not be read: an example is shown in its place."];
      build();
    }
    section.dataset.ready = "true";
  }

  const page = { go, update, readText, readFiles, lastUpdate: 0, ...S, result: () => app.current };
  Cape.page = page;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}

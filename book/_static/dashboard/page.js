/* The dashboard's page: the form of each tab, a diagnosis after every keystroke, text and files read in, tabs, start. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { app, state: S } = Cape;
  const { el, button, folded, minus } = Cape.results;
  const { PAIR, EXTRA, RELEASE, TODAY, MOST_ROWS } = S;
  const QUIET = ["missing", "missing_size", "missing_place", "too_few_none"];
  const label = (name) => Cape.read.label(name);
  const open = () => app.state[app.state.tab];
  const panel = (selector, tab = app.state.tab) => app.section.querySelector(`#dash-panel-${tab} ${selector}`);
  let hearing = 0;
  let unique = 0;
  /* The text fields of the open tab {holder, name, row, input, place}, and the messages of its table. */
  let fields = [];
  let messages = [];

  /* ---- fields that write what is typed into the state, with what is wrong beside them ---- */

  const group = (...nodes) => el("div", { class: "dash-fields" }, nodes);

  /* A text field of holder[name], and the place of its problem. `row` is that of its problems, null for the table's. */
  function text(holder, name, { row = null, label: said, value = holder[name], write } = {}) {
    const id = `dash-${++unique}`;
    const attributes = { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "60", "aria-label": said };
    const input = el("input", { id, ...attributes, "aria-describedby": `${id}-problem` });
    input.value = value ?? "";
    const usual = (typed) => {
      holder[name] = typed;
      update();
    };
    input.addEventListener("input", () => (write ?? usual)(input.value));
    const place = el("p", { class: "dash-problem", id: `${id}-problem` });
    fields.push({ holder, name, row, input, place });
    return { input, place };
  }

  /* A text field below its label. */
  function field(holder, name, said, { hint, ...more } = {}) {
    const { input, place } = text(holder, name, more);
    const about = hint ? el("span", { class: "dash-small" }, hint) : null;
    return el("div", { class: "dash-field" }, el("label", { for: input.id }, said), input, about, place);
  }

  /* One of several options, [value, text] each, for holder[name]. */
  function choice(holder, name, said, options, changed = update) {
    const id = `dash-${++unique}`;
    const chosen = holder[name] || options[0][0];
    const items = options.map(([value, shown]) => el("option", { value, selected: value === chosen }, shown));
    const onchange = (event) => {
      holder[name] = event.target.value;
      changed();
    };
    const select = el("select", { id, onchange }, items);
    return el("div", { class: "dash-field dash-choice" }, el("label", { for: id }, said), select);
  }

  /* Show problems beside their fields, each with its mend, and below their rows; a field without one is clean again. */
  function show(problems) {
    for (const { holder, name, row, input, place } of fields) {
      const own = problems.filter((p) => p.row === row && p.column === name);
      input.toggleAttribute("aria-invalid", false);
      if (own.length) input.setAttribute("aria-invalid", "true");
      const use = (mend) => () => {
        holder[name] = input.value = mend;
        input.focus();
        update();
      };
      const offer = (mend) => button(`Use ${mend}`, use(mend), `Use ${mend} in place of what is there`);
      const explained = ({ message, mend }) => [el("span", {}, message, " "), ...(mend === null ? [] : [offer(mend)])];
      place.replaceChildren(...own.flatMap(explained));
    }
    for (const refresh of messages) refresh(problems);
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

  /* An editable table of the rows of `part`: every cell a field with a name, every row followed by its messages; below
   * it what mends all of them. columns: [name, label]. */
  function grid(part, columns) {
    const names = columns.map(([name]) => name);
    const body = part.rows.flatMap((row, i) => {
      const cells = columns.map(([name, said]) => text(row, name, { row: i, label: `${said}, row ${i + 1}` }));
      const remove = () => {
        part.rows.splice(i, 1);
        if (!part.rows.length) part.rows.push({});
        rebuild();
      };
      const away = el("td", {}, button("\u00d7", remove, `Remove row ${i + 1}`));
      const rest = el("p", { class: "dash-problem" });
      const places = cells.map((cell) => cell.place);
      const message = el("tr", { hidden: true }, el("td", { colspan: columns.length + 1 }, places, rest));
      messages.push((problems) => {
        const own = problems.filter((p) => p.row === i);
        message.hidden = !own.length;
        rest.replaceChildren(...own.filter((p) => !names.includes(p.column)).map((p) => el("span", {}, p.message, " ")));
      });
      const inputs = cells.map((cell, k) => el("td", { dataset: { label: columns[k][1] } }, cell.input));
      return [el("tr", { class: "dash-row" }, inputs, away), message];
    });
    const mends = el("div", { class: "dash-buttons" });
    messages.push((problems) => mends.replaceChildren(...mendAll(part, problems)));
    const head = el("tr", {}, columns.map(([, said]) => el("th", { scope: "col" }, said)), el("td"));
    const wide = columns.length > 4 ? "dash-table dash-wide" : "dash-table";
    const whole = el("table", { class: wide }, el("thead", {}, head), el("tbody", {}, body));
    return [el("div", { class: "dash-scroll" }, whole), mends];
  }

  /* Text to paste and files to open, for the tabs that take rows. */
  function intake() {
    const id = `dash-${++unique}`;
    const placeholder = "model,params_b,hellaswag,truthfulqa";
    const area = el("textarea", { id, rows: "5", spellcheck: "false", placeholder });
    const file = el("input", { type: "file", id: `${id}-file`, multiple: true, accept: ".csv,.tsv,.txt,.json" });
    file.addEventListener("change", () => {
      readFiles([...file.files]);
      file.value = "";
    });
    const files = "Files (they are read here and go nowhere; you can also drop them anywhere on the form)";
    const parts = folded(
      "Paste a table, or open CSV or lm-evaluation-harness files",
      el("label", { for: id }, "Rows, the first line names the columns (comma, semicolon or tab)"),
      area,
      el("div", { class: "dash-buttons" }, button("Read the text", () => readText(area.value))),
      el("label", { for: file.id }, files),
      file,
    );
    parts.className = "dash-intake";
    return parts;
  }

  /* ---- the form of each tab, built anew when its shape changes; typing only changes the state ---- */

  const SHORT = {
    model: "Name",
    params_b: "Size (billions)",
    swe_bench_verified: "SWE-bench",
    gpqa_diamond: "GPQA",
    date: "Date",
    tokens_b: "Tokens (billions)",
    flops_1e21: "FLOPs (1e21)",
    step: "Step",
    d_model: "d_model",
    omniscience_accuracy: "Known (accuracy)",
    omniscience_non_hallucination: "Admitted (non-hallu\u00adcination)",
  };

  const FORMS = {
    model({ row }) {
      const one = (name, said, hint) => field(row, name, said, { row: 0, hint });
      const score = (name) => one(name, label(name), "percent");
      const metric = choice(row, "metric", "TruthfulQA metric", [["mc2", "MC2"], ["mc1", "MC1"]]);
      const shots = PAIR.map((name) => one(`${name}_shots`, `${label(name)} shots`));
      const more = group(one("model", "Name"), metric, ...shots, ...EXTRA.map(score));
      return [
        group(one("params_b", "Size", "billions of parameters"), ...PAIR.map(score)),
        folded("More: name, metric, shots, other benchmarks", more),
        el("div", { class: "dash-buttons" }, button("I have a second size: compare the two", secondSize)),
      ];
    },
    family(part) {
      const extra = EXTRA.some((name) => part.rows.some((row) => row[name]));
      const add = button("Add ARC, WinoGrande, MMLU", () => {
        part.rows.forEach((row) => EXTRA.forEach((name) => (row[name] ??= " ")));
        rebuild();
      });
      const columns = [...places(part), ...PAIR, ...(extra ? EXTRA.filter((name) => name !== part.axis) : [])];
      return table(part, columns, [along(part)], extra ? [] : [add]);
    },
    pair(part) {
      const about = [["x", "First benchmark"], ["y", "Second benchmark"]].flatMap(([name, said]) => {
        const known = app.kit.items[part[name]];
        const hint = known ? `known: ${known}` : "for the noise";
        const write = (typed) => rename(name, typed);
        return [
          field(part, name, said, { value: label(part[name]), write }),
          field(part, `${name}_items`, "Questions in it", { hint }),
        ];
      });
      return table(part, [...places(part), part.x, part.y], [group(...about), along(part)]);
    },
    release(part) {
      const { releases, lines } = app.kit.frontier;
      const labs = [...new Set(releases.map((row) => row.lab))].sort();
      const named = Object.entries(lines).map(([name, line]) => [name, `${name}: ${line.about}`]);
      const line = choice(part, "line", "Line that h is read from", named);
      const lab = choice(part, "lab", "Lab", [["", "not said"], ...labs.map((name) => [name, name])]);
      return table(part, [...RELEASE, "date"], [group(line, lab)]);
    },
    today(part) {
      const modes = [["reasoning", "thinks"], ["none", "does not think"], ["any", "not said"]];
      const families = [["", "not named"], ...S.generations().map((name) => [name, name])];
      const about = group(choice(part, "mode", "Mode", modes), choice(part, "generation", "Family", families));
      return table(part, [...TODAY, "params_b"], [about]);
    },
  };

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
    const own = [...known, ...Cape.axes.own(part.rows, S.pairOf(app.state.tab, part))];
    if (part.axis !== "params" && !own.includes(part.axis)) own.push(part.axis);
    const options = [["params", "size"], ...own.map((name) => [name, Cape.axes.named(name).noun])];
    const axis = choice(part, "axis", "Rows go along", options, () => {
      Cape.axes.fill(part.rows);
      rebuild();
    });
    if (!Cape.axes.stepped(part)) return group(axis);
    const use = part.axis === "flops" ? "compute is 6 N D, D = step x these" : "along tokens, step x these";
    return group(axis, field(part, "batch", "Tokens a step", { hint: `if given: ${use}` }));
  }

  function rename(name, typed) {
    const part = app.state.pair;
    const next = Cape.read.columnName(typed) || name;
    if ([part.x, part.y, "model", "params_b", part.axis].includes(next)) return;
    for (const row of part.rows) {
      row[next] = row[part[name]];
      delete row[part[name]];
    }
    part[name] = next;
    const focused = document.activeElement.id;
    rebuild();
    const input = app.section.querySelectorAll("#dash-panel-pair .dash-fields input")[name === "x" ? 0 : 2];
    if (focused) {
      input.value = typed;
      input.focus();
    }
  }

  /* The form of a tab with rows: fields above, the table, the buttons, paste and files, the forecast where there is one. */
  function table(part, names, above, buttons = []) {
    const columns = ["model", ...names].map((name) => [name, SHORT[name] ?? label(name)]);
    const add = button("Add a row", () => {
      if (part.rows.length >= MOST_ROWS) return;
      part.rows.push({});
      rebuild();
      panel("tbody tr:nth-last-child(2) input").focus();
    });
    const rows = [...above, ...grid(part, columns), el("div", { class: "dash-buttons" }, add, ...buttons), intake()];
    return part.at === undefined ? rows : [...rows, forecast(part)];
  }

  function forecast(part) {
    const hint = part.axis === "date" ? "half as far again if empty" : "twice the last if empty";
    const axis = part.axis === "step" && part.batch ? "tokens" : part.axis; // the tokens of a step make its place
    const unit = axis === "params" ? "billions" : (SHORT[Cape.axes.typed(axis)] ?? axis);
    const details = folded(
      `Forecast to another ${part.axis === "params" ? "size" : "place"}`,
      field(part, "at", `Forecast to (${unit})`, { hint }),
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
    if (link) root.history.replaceState(null, "", S.toLink());
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
  function hear(said) {
    root.clearTimeout(hearing);
    hearing = root.setTimeout(() => (app.section.querySelector(".dash-heard").textContent = minus(said)), 700);
  }

  /* The form of the open tab; the other tabs are emptied, so that nothing old waits in them. */
  function build() {
    for (const tab of S.TABS) {
      const chosen = tab === app.state.tab;
      const head = app.section.querySelector(`#dash-tab-${tab}`);
      head.setAttribute("aria-selected", String(chosen));
      head.tabIndex = chosen ? 0 : -1;
      app.section.querySelector(`#dash-panel-${tab}`).hidden = !chosen;
      if (!chosen) for (const part of [".dash-form", ".dash-result"]) panel(part, tab).replaceChildren();
    }
    const said = app.message.map((line) => el("p", { class: "dash-problem" }, line));
    [fields, messages] = [[], []];
    panel(".dash-form").replaceChildren(...FORMS[app.state.tab](open()), el("div", { class: "dash-messages" }, said));
  }

  function rebuild() {
    build();
    update();
  }

  /* ---- text and files ---- */

  function order() {
    const { tab } = app.state;
    if (tab === "release") return ["model", ...RELEASE.slice(0, 2)];
    if (tab === "today") return ["model", ...TODAY];
    return ["model", Cape.axes.typed(open().axis ?? "params"), ...S.pairOf(tab, open())];
  }

  /* A table as text; `name` is that of its file. False where it has no rows. */
  function take(given, name) {
    const { columns, rows, problems, axis } = Cape.read.readTable(given, order(), open().axis);
    app.message.push(...problems.map((p) => (name ? `${name}: ${p.message}` : p.message)));
    if (rows.length) accept(rows, columns, axis);
    return rows.length > 0;
  }

  function readText(given) {
    app.message = [];
    take(given);
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
    const families = Cape.numbers.grouped(rows.filter((row) => row.family), (row) => row.family);
    const [first, some] = [...families].find(([, own]) => own.length > 1) ?? [];
    if (part.axis !== undefined && families.size > 1 && first) {
      rows = some;
      app.message.push(`${families.size} families: ${first} is shown. Paste the rows of another alone to see it.`);
    }
    if (rows.length > MOST_ROWS) app.message.push(`${rows.length} rows: the first ${MOST_ROWS} are shown.`);
    const short = ([name, v]) => [name, String(v ?? "").slice(0, S.LONGEST_TEXT)];
    part.rows = rows.slice(0, MOST_ROWS).map((row) => Object.fromEntries(Object.entries(row).map(short)));
  }

  async function readFiles(files) {
    const { textOf, toolOf, readDocument, Refusal } = Cape.harness;
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
      if (documents.length) acceptResults(documents);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      app.message.push(error.message);
      open().rows = [{}];
    }
    rebuild();
  }

  function acceptResults(documents) {
    const { rows, notes, asks } = Cape.harness.assemble(documents);
    app.message.push(...notes, ...asks);
    const axis = Cape.axes.recognised(Cape.axes.fill(rows), open().axis ?? "params");
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
    const example = ({ key, label: said }) => {
      const one = button(said, () => {
        go(S.example(key));
        root.history.replaceState(null, "", S.toLink());
      });
      one.dataset.example = key;
      return one;
    };
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
    const room = (name) => {
      const names = { role: "tabpanel", id: `dash-panel-${name}`, "aria-labelledby": `dash-tab-${name}` };
      const parts = ["dash-form", "dash-result"].map((part) => el("div", { class: part }));
      return el("div", { class: "dash-panel", ...names }, el("p", {}, views[name].about), parts);
    };
    section.append(
      el("div", { class: "dash-examples dash-buttons" }, el("span", {}, "Try one:"), examples.map(example)),
      el("div", { role: "tablist", class: "dash-tabs", "aria-label": "What do you have?" }, S.TABS.map(tab)),
      ...S.TABS.map(room),
      el("p", { class: "dash-heard", role: "status", "aria-live": "polite" }),
    );
  }

  function listen(section) {
    for (const name of ["dragover", "dragleave", "drop"]) {
      section.addEventListener(name, (event) => {
        event.preventDefault();
        section.classList.toggle("dash-over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) readFiles([...event.dataTransfer.files]);
      });
    }
    root.addEventListener("hashchange", () => {
      const next = S.fromLink(root.location.hash);
      if (next) go(next);
    });
  }

  function start() {
    const section = (app.section = document.querySelector(".cape-dash"));
    if (!section) return;
    Cape.kit = app.kit = JSON.parse(document.querySelector("#cape-kit").textContent);
    furnish(section);
    listen(section);
    const linked = S.fromLink(root.location.hash);
    go(linked || S.example(app.kit.examples[0].key));
    if (!linked && root.location.hash.startsWith("#d=")) {
      app.message = ["The link could not be read: an example is shown in its place."];
      build();
    }
    section.dataset.ready = "true";
  }

  const page = { go, update, readText, readFiles, lastUpdate: 0, ...S, result: () => app.current };
  Cape.page = page;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(window);

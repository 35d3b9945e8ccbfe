/* The dashboard's page: state, permalink, reading files, and the diagnosis after every keystroke. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el, minus } = Cape.results;
  const F = Cape.form;
  const TABS = ["model", "family", "release", "pair"];
  const PAIR = ["hellaswag", "truthfulqa"];
  const RELEASE = ["swe_bench_verified", "gpqa_diamond", "hle", "ifeval"];
  const LONGEST_TEXT = 60;
  const LONGEST_LINK = 12000;
  let kit = null;
  let section = null;
  let state = null;
  let current = null;
  let shown = {};
  let message = [];
  let hearing = 0;

  const fresh = () => ({
    tab: "model",
    model: { row: {} },
    family: { rows: [{}, {}, {}], at: "", mixed: "" },
    release: { rows: [{}], line: "frozen", lab: "" },
    pair: { x: "my_benchmark", y: "truthfulqa", x_items: "", y_items: "", at: "", rows: [{}, {}, {}], mixed: "" },
  });

  /* ---- state in the address ---- */

  function toLink() {
    const part = { tab: state.tab, ...state[state.tab] };
    return `#d=${encodeURIComponent(JSON.stringify(part, (_, v) => (v === "" || v === null ? undefined : v)))}`;
  }

  /* Only short texts under plain names come out of an address: it may have been written by anybody. */
  function fromLink(hash) {
    if (!hash.startsWith("#d=") || hash.length > LONGEST_LINK) return null;
    try {
      const given = JSON.parse(decodeURIComponent(hash.slice(3)));
      if (!TABS.includes(given.tab)) return null;
      const next = fresh();
      next.tab = given.tab;
      take(next[given.tab], given);
      return next;
    } catch {
      return null;
    }
  }

  function take(part, given) {
    const text = (v) => (["string", "number"].includes(typeof v) ? String(v).slice(0, LONGEST_TEXT) : "");
    const record = (row) => Object.fromEntries(Object.entries(row && typeof row === "object" ? row : {})
      .filter(([name]) => /^[a-z0-9_]{1,60}$/.test(name)).map(([name, v]) => [name, text(v)]));
    for (const name of Object.keys(part)) {
      if (!Object.hasOwn(given, name)) continue;
      if (name === "rows") part.rows = Array.isArray(given.rows) ? given.rows.slice(0, F.MOST_ROWS).map(record) : part.rows;
      else if (name === "row") part.row = record(given.row);
      else part[name] = text(given[name]);
    }
    if (part.rows && !part.rows.length) part.rows = [{}];
    if (part.line !== undefined && !Object.hasOwn(kit.frontier.lines, part.line)) part.line = "frozen";
    for (const name of ["x", "y"]) if (part[name] !== undefined) part[name] = Cape.read.columnName(part[name]) || name;
  }

  /* ---- diagnosis ---- */

  /* What the state says: {result} or {problems}. */
  function diagnose(s) {
    const check = Cape.read.checkTable;
    if (s.tab === "model") {
      const { row } = s.model;
      const { rows, problems } = check([row], { need: PAIR, also: F.EXTRA });
      if (problems.length) return { problems };
      return { result: Cape.diagnoseModel({ ...rows[0], metric: row.metric || "mc2" }, kit) };
    }
    if (s.tab === "release") {
      const { rows, problems } = check(s.release.rows, { need: RELEASE.slice(0, 2), also: RELEASE.slice(2), sized: false });
      if (problems.length) return { problems };
      return { result: Cape.diagnoseRelease(rows, { line: s.release.line, lab: s.release.lab || null }, kit) };
    }
    const part = s[s.tab];
    const [x, y] = s.tab === "family" ? PAIR : [part.x, part.y];
    const also = s.tab === "family" ? F.EXTRA : [];
    const { rows, problems } = check(part.rows, { need: [x, y], also, least: 2, allowMixed: Boolean(part.mixed) });
    const [at, bad] = Cape.read.checkSize(part.at || "");
    if (bad) problems.push({ row: null, column: "at", ...bad });
    const items = {};
    for (const name of ["x", "y"]) {
      const given = (part[`${name}_items`] || "").trim();
      if (given && !/^[1-9]\d{0,7}$/.test(given)) problems.push({ row: null, column: `${name}_items`, ...Cape.read.problem("text", given) });
      else if (given) items[part[name]] = Number(given);
    }
    if (problems.length) return { problems };
    return { result: Cape.diagnoseFamily(rows, { x, y, at, items }, kit) };
  }

  /* After every change: a diagnosis, or nothing and why. An old result never stays. */
  function update({ link = true } = {}) {
    const started = performance.now();
    const panel = section.querySelector(`#dash-panel-${state.tab}`);
    const { result = null, problems = [] } = diagnose(state);
    current = result;
    shown.show?.(problems);
    const place = panel.querySelector(".dash-result");
    if (result) place.replaceChildren(...Cape.results[result.kind](result, kit), exports());
    else place.replaceChildren(nothing(problems));
    if (link) root.history.replaceState(null, "", toLink());
    hear(result ? result.answers.headline : nothing(problems).textContent);
    page.lastUpdate = performance.now() - started;
  }

  function nothing(problems) {
    const started = problems.some((p) => !["missing", "missing_size", "too_few_none"].includes(p.code));
    const general = problems.filter((p) => p.row === null && p.column === null).map((p) => p.message);
    const places = new Set(problems.filter((p) => p.row !== null || p.column !== null).map((p) => `${p.row} ${p.column}`)).size;
    const text = started || general.length ? "No diagnosis with these values." : "No diagnosis yet.";
    const count = places ? ` ${places} ${places === 1 ? "thing" : "things"} to mend or fill in above.` : "";
    return el("p", { class: "dash-none" }, text, count, general.length ? ` ${general.join(" ")}` : "");
  }

  /* A screen reader hears the headline once typing pauses, not at every key. */
  function hear(text) {
    root.clearTimeout(hearing);
    hearing = root.setTimeout(() => (section.querySelector(".dash-heard").textContent = minus(text)), 700);
  }

  /* ---- the form of each tab ---- */

  const label = (name) => kit.labels[name] ?? name.replaceAll("_", " ");

  function build() {
    for (const tab of TABS) {
      const chosen = tab === state.tab;
      const head = section.querySelector(`#dash-tab-${tab}`);
      head.setAttribute("aria-selected", String(chosen));
      head.tabIndex = chosen ? 0 : -1;
      const panel = section.querySelector(`#dash-panel-${tab}`);
      panel.hidden = !chosen;
      if (!chosen) panel.querySelectorAll(".dash-form, .dash-result").forEach((part) => part.replaceChildren());
    }
    const form = section.querySelector(`#dash-panel-${state.tab} .dash-form`);
    const notes = el("div", { class: "dash-messages" }, message.map((text) => el("p", { class: "dash-problem" }, text)));
    form.replaceChildren(...FORMS[state.tab](), notes);
  }

  function rebuild() {
    build();
    update();
  }

  const FORMS = {
    model() {
      const columns = [
        { name: "params_b", label: "Size", hint: "billions of parameters" },
        { name: "hellaswag", label: "HellaSwag", hint: "percent" },
        { name: "truthfulqa", label: "TruthfulQA", hint: "percent" },
      ];
      const more = [
        { name: "model", label: "Name" },
        { name: "metric", label: "TruthfulQA metric", options: [["mc2", "MC2"], ["mc1", "MC1"]] },
        { name: "hellaswag_shots", label: "HellaSwag shots" }, { name: "truthfulqa_shots", label: "TruthfulQA shots" },
        ...F.EXTRA.map((name) => ({ name, label: label(name), hint: "percent" })),
      ];
      const first = F.record(columns, state.model.row, update);
      const second = F.record(more, state.model.row, update);
      shown = { show: (problems) => [first, second].forEach((part) => part.show(problems)) };
      return [first.node, el("details", {}, el("summary", {}, "More: name, metric, shots, other benchmarks"), second.node),
        el("div", { class: "dash-buttons" }, F.button("I have a second size: compare the two", secondSize))];
    },
    family() {
      const extra = F.EXTRA.some((name) => state.family.rows.some((row) => row[name]));
      return table(state.family, ["params_b", ...PAIR, ...(extra ? F.EXTRA : [])], [], extra ? [] :
        [F.button("Add ARC, WinoGrande, MMLU", () => {
          state.family.rows.forEach((row) => F.EXTRA.forEach((name) => (row[name] ??= " ")));
          rebuild();
        })]);
    },
    pair() {
      const part = state.pair;
      const names = [["x", "First benchmark"], ["y", "Second benchmark"]].flatMap(([name, text]) => [
        F.field({ label: text, value: label(part[name]), oninput: (v) => rename(name, v) }),
        F.field({ label: `Questions in it${kit.items[part[name]] ? ` (known: ${kit.items[part[name]]})` : ""}`, value: part[`${name}_items`], hint: "for the noise", oninput: (v) => { part[`${name}_items`] = v; update(); } }),
      ]);
      return table(part, ["params_b", part.x, part.y], [el("div", { class: "dash-fields" }, names.map((item) => item.node))], []);
    },
    release() {
      const part = state.release;
      const labs = [...new Set(kit.frontier.releases.map((row) => row.lab))].sort();
      const lines = Object.entries(kit.frontier.lines).map(([name, line]) => [name, `${name}: ${line.about}`]);
      return table(part, [...RELEASE, "date"], [el("div", { class: "dash-fields" },
        F.choice({ label: "Line that h is read from", value: part.line, options: lines, onchange: (v) => { part.line = v; update(); } }),
        F.choice({ label: "Lab", value: part.lab, options: [["", "not said"], ...labs.map((lab) => [lab, lab])], onchange: (v) => { part.lab = v; update(); } }))], []);
    },
  };

  /* The form of a tab with rows: fields above, the table, the buttons, paste and files. */
  function table(part, names, above, buttons) {
    const short = { params_b: "Size (billions)", swe_bench_verified: "SWE-bench", gpqa_diamond: "GPQA", date: "Date" };
    const columns = [{ name: "model", label: "Name" }, ...names.map((name) => ({ name, label: short[name] ?? label(name) }))];
    const body = F.grid(columns, part.rows, update, () => {
      if (!part.rows.length) part.rows.push({});
      rebuild();
    });
    const mends = el("div", { class: "dash-buttons" });
    const at = part.at === undefined ? null : F.field({ label: "Forecast to (billions)", value: part.at, hint: "twice the largest if empty", oninput: (v) => { part.at = v; update(); } });
    shown = {
      show(problems) {
        body.show(problems);
        mends.replaceChildren(...mendAll(part, problems));
      },
    };
    const add = F.button("Add a row", () => {
      if (part.rows.length >= F.MOST_ROWS) return;
      part.rows.push({});
      rebuild();
      section.querySelector(`#dash-panel-${state.tab} tbody tr:nth-last-child(2) input`).focus();
    });
    return [...above, body.node, mends, el("div", { class: "dash-buttons" }, add, ...buttons),
      F.intake({ onfiles: readFiles, ontext: readText }), ...(at ? [el("details", { open: Boolean(part.at) }, el("summary", {}, "Forecast to another size"), at.node)] : [])];
  }

  function mendAll(part, problems) {
    const mends = problems.filter((p) => p.mend !== null && p.row !== null);
    const found = mends.length < 2 ? [] : [F.button(`Mend all ${mends.length}`, () => {
      for (const p of mends) part.rows[p.row][p.column] = p.mend;
      rebuild();
    })];
    if (problems.some((p) => p.code === "mixed")) {
      found.push(F.button("Compare them all the same", () => {
        part.mixed = "yes";
        rebuild();
      }));
    }
    return found;
  }

  function rename(name, text) {
    const part = state.pair;
    const next = Cape.read.columnName(text) || name;
    if (next === part.x || next === part.y || ["model", "params_b"].includes(next)) return;
    part.rows.forEach((row) => {
      row[next] = row[part[name]];
      delete row[part[name]];
    });
    part[name] = next;
    update();
  }

  function secondSize() {
    const { metric, ...row } = state.model.row;
    state.family.rows = [row, { model: "" }];
    state.tab = "family";
    rebuild();
    section.querySelector("#dash-panel-family tbody tr:nth-child(3) input").focus();
  }

  /* ---- text and files ---- */

  function readText(text) {
    const part = state[state.tab];
    const order = state.tab === "release" ? ["model", ...RELEASE.slice(0, 2)] : state.tab === "pair" ? ["model", "params_b", part.x, part.y] : ["model", "params_b", ...PAIR];
    const { columns, rows, problems } = Cape.read.readTable(text, order);
    message = problems.map((p) => p.message);
    if (rows.length) accept(rows, columns);
    rebuild();
  }

  function accept(rows, columns) {
    if (state.tab === "model") state.tab = "family";
    if (state.tab === "pair") {
      const own = columns.filter((name) => name && !["model", "params_b", "family", "date"].includes(name) && !/_(stderr|shots|protocol)$/.test(name));
      if (own.length >= 2 && !(own.includes(state.pair.x) && own.includes(state.pair.y))) [state.pair.x, state.pair.y] = own;
    }
    const part = state[state.tab];
    const needed = state.tab === "family" ? ["params_b", ...PAIR] : state.tab === "pair" ? ["params_b", part.x, part.y] : RELEASE.slice(0, 2);
    for (const name of needed) {
      if (!columns.includes(name)) message.push(Cape.read.problem("no_column", "", null, { label: label(name), found: columns.filter(Boolean).join(", ").slice(0, 200) }).message);
    }
    if (rows.length > F.MOST_ROWS) message.push(`${rows.length} rows: the first ${F.MOST_ROWS} are shown.`);
    part.rows = rows.slice(0, F.MOST_ROWS).map((row) => Object.fromEntries(Object.entries(row).map(([name, v]) => [name, v === null || v === undefined ? "" : String(v).slice(0, LONGEST_TEXT)])));
  }

  async function readFiles(files) {
    message = [];
    if (state.tab === "model") state.tab = "family";
    try {
      const documents = [];
      for (const file of files) {
        const text = await Cape.harness.textOf(file);
        if (/^samples_.*\.jsonl$/.test(file.name)) message.push(Cape.read.problem("file_samples", "", null, { name: file.name }).message);
        else if (/\.json$/i.test(file.name) || /^\s*\{/.test(text.slice(0, 200))) documents.push(Cape.harness.readDocument(file.name, text));
        else {
          const { columns, rows, problems } = Cape.read.readTable(text, ["model", "params_b", ...PAIR]);
          message.push(...problems.map((p) => `${file.name}: ${p.message}`));
          if (rows.length) accept(rows, columns);
        }
      }
      if (documents.length) {
        const { rows, notes } = Cape.harness.assemble(documents);
        message.push(...notes, ...rows.filter((row) => row.params_b === null).map((row) => Cape.read.problem("file_size", "", null, { model: row.model }).message));
        accept(rows, [...new Set(rows.flatMap(Object.keys))]);
      }
    } catch (error) {
      if (!(error instanceof Cape.harness.Refusal)) throw error;
      message.push(error.message);
      const part = state[state.tab];
      if (part.rows) part.rows = [{}];
    }
    rebuild();
  }

  /* ---- taking it away ---- */

  function save(name, type, content) {
    const link = el("a", { href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })), download: name });
    link.click();
    root.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const quoted = (v) => {
    const text = v === null || v === undefined ? "" : String(v);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  function csv(rows) {
    const columns = [...new Set(rows.flatMap(Object.keys))];
    return [columns, ...rows.map((row) => columns.map((name) => row[name]))].map((line) => line.map(quoted).join(",")).join("\n") + "\n";
  }

  function asPng(svg) {
    const text = Cape.draw.standalone(svg);
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = el("canvas");
      [canvas.width, canvas.height] = [2 * Cape.draw.WIDTH, (2 * Cape.draw.WIDTH * image.height) / image.width];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save("chart.png", "image/png", blob));
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  }

  function exports() {
    const svg = () => section.querySelector(`#dash-panel-${state.tab} svg.dash-chart`);
    const done = el("span", { class: "dash-small", role: "status" });
    const copy = async () => {
      root.history.replaceState(null, "", toLink());
      try {
        await root.navigator.clipboard.writeText(root.location.href);
        done.textContent = "The link is copied.";
      } catch {
        done.textContent = "The link is in the address bar: copy it from there.";
      }
    };
    return el("div", { class: "dash-buttons" },
      F.button("Table (CSV)", () => save("diagnosis.csv", "text/csv", csv(Cape.results.rows(current)))),
      F.button("Diagnosis (JSON)", () => save("diagnosis.json", "application/json", JSON.stringify({ version: kit.version, input: state[state.tab], diagnosis: current }, null, 1))),
      svg() || current ? F.button("Chart (SVG)", () => svg() && save("chart.svg", "image/svg+xml", Cape.draw.standalone(svg()))) : null,
      F.button("Chart (PNG)", () => svg() && asPng(svg())),
      F.button("Print", () => root.print()), F.button("Copy link", copy), done);
  }

  /* ---- start ---- */

  function go(next) {
    state = next;
    message = [];
    build();
    update({ link: false });
    return current;
  }

  /* The state of an example, as texts. */
  function example(key) {
    const found = kit.examples.find((item) => item.key === key);
    const next = fresh();
    next.tab = found.tab;
    take(next[found.tab], found.state);
    return next;
  }

  function switchTab(tab, focus) {
    message = [];
    state.tab = tab;
    rebuild();
    if (focus) section.querySelector(`#dash-tab-${tab}`).focus();
  }

  function listen() {
    const heads = [...section.querySelectorAll("[role=tab]")];
    heads.forEach((head, i) => {
      head.addEventListener("click", () => switchTab(TABS[i]));
      head.addEventListener("keydown", (event) => {
        const to = { ArrowRight: (i + 1) % 4, ArrowLeft: (i + 3) % 4, Home: 0, End: 3 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        switchTab(TABS[to], true);
      });
    });
    for (const item of section.querySelectorAll("[data-example]")) {
      item.addEventListener("click", () => {
        go(example(item.dataset.example));
        root.history.replaceState(null, "", toLink());
      });
    }
    section.addEventListener("dragover", (event) => {
      event.preventDefault();
      section.classList.add("dash-over");
    });
    section.addEventListener("dragleave", () => section.classList.remove("dash-over"));
    section.addEventListener("drop", (event) => {
      event.preventDefault();
      section.classList.remove("dash-over");
      if (event.dataTransfer.files.length) readFiles([...event.dataTransfer.files]);
    });
    root.addEventListener("hashchange", () => {
      const next = fromLink(root.location.hash);
      if (next) go(next);
    });
  }

  function start() {
    section = document.querySelector(".cape-dash");
    if (!section) return;
    kit = Cape.kit = JSON.parse(document.querySelector("#cape-kit").textContent);
    Cape.numbers.use(kit);
    Cape.wording.use(kit);
    listen();
    const linked = fromLink(root.location.hash);
    go(linked || example(kit.examples[0].key));
    if (!linked && root.location.hash.startsWith("#d=")) {
      message = ["The link could not be read: an example is shown in its place."];
      build();
    }
    section.dataset.ready = "true";
  }

  const page = { go, example, fresh, diagnose, state: () => state, result: () => current, lastUpdate: 0, fromLink, readFiles };
  Cape.page = page;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(window);

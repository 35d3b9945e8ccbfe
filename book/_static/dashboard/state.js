/* What the page holds: one state of typed texts, its address, and the diagnosis that follows from it. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const F = Cape.form;
  const TABS = ["model", "family", "release", "today", "pair"];
  const PAIR = ["hellaswag", "truthfulqa"];
  const RELEASE = ["swe_bench_verified", "gpqa_diamond", "hle", "ifeval"];
  const TODAY = ["gpqa_diamond", "omniscience_accuracy", "omniscience_non_hallucination"];
  /* "any" and not "": an address leaves empty texts out, and without one the mode is "reasoning". */
  const MODES = ["reasoning", "none", "any"];
  const LONGEST_TEXT = 60;
  const LONGEST_LINK = 100000;

  /* The one thing that changes: what is typed (state), what follows (current), what is said about files (message). */
  const app = { kit: null, section: null, state: null, current: null, message: [] };

  const fresh = () => ({
    tab: "model",
    model: { row: {} },
    family: { rows: [{}, {}, {}], at: "", mixed: "", axis: "params", batch: "" },
    release: { rows: [{}], line: "frozen", lab: "" },
    today: { rows: [{}], mode: "reasoning", generation: "" },
    pair: { x: "my_benchmark", y: "truthfulqa", x_items: "", y_items: "", at: "", rows: [{}, {}, {}], mixed: "", axis: "params", batch: "" },
  });

  /* The address of the open tab: its texts, escaped. */
  function toLink() {
    const part = { tab: app.state.tab, ...app.state[app.state.tab] };
    // An empty field goes without saying, unless a fresh page would fill it.
    const usual = fresh()[app.state.tab];
    const said = (name, v) => (v === null || (v === "" && !usual[name]) ? undefined : v);
    return `#d=${encodeURIComponent(JSON.stringify(part, said))}`;
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
    const record = (row) =>
      Object.fromEntries(
        Object.entries(row && typeof row === "object" ? row : {})
          .filter(([name]) => /^[a-z0-9_]{1,60}$/.test(name))
          .map(([name, v]) => [name, text(v)]),
      );
    for (const name of Object.keys(part)) {
      if (!Object.hasOwn(given, name)) continue;
      if (name === "rows")
        part.rows = Array.isArray(given.rows) ? given.rows.slice(0, F.MOST_ROWS).map(record) : part.rows;
      else if (name === "row") part.row = record(given.row);
      else part[name] = text(given[name]);
    }
    if (part.rows && !part.rows.length) part.rows = [{}];
    if (part.line !== undefined && !Object.hasOwn(app.kit.frontier.lines, part.line)) part.line = "frozen";
    if (part.mode !== undefined && !MODES.includes(part.mode)) part.mode = "any";
    if (part.generation && !generations().includes(part.generation)) part.generation = "";
    for (const name of ["x", "y"]) if (part[name] !== undefined) part[name] = Cape.read.columnName(part[name]) || name;
    // One benchmark beside itself says nothing.
    if (part.x !== undefined && part.x === part.y) ({ x: part.x, y: part.y } = fresh().pair);
    const pair = part.x === undefined ? PAIR : [part.x, part.y];
    const known = part.axis === undefined || Object.hasOwn(app.kit.axes, part.axis);
    if (!known && !Cape.axes.isOwn(part.axis, pair)) part.axis = "params";
  }

  /* The generations of today's variants that have two of them or more, by name. */
  function generations() {
    const { columns, rows } = app.kit.today;
    const counts = new Map();
    for (const row of rows) {
      const name = row[columns.indexOf("generation")];
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].filter(([, n]) => n > 1).map(([name]) => name).sort();
  }

  /* The state of an example, as texts. */
  function example(key) {
    const found = app.kit.examples.find((item) => item.key === key);
    const next = fresh();
    next.tab = found.tab;
    take(next[found.tab], found.state);
    return next;
  }

  /* What a state says: {result} or {problems}. */
  function diagnose(state) {
    if (state.tab === "model") return diagnoseModel(state.model.row);
    if (state.tab === "release") return diagnoseRelease(state.release);
    if (state.tab === "today") return diagnoseToday(state.today);
    return diagnoseRows(state.tab, state[state.tab]);
  }

  function diagnoseModel(row) {
    const { rows, problems } = Cape.read.checkTable([row], { need: PAIR, also: F.EXTRA });
    if (problems.length) return { problems };
    return { result: Cape.diagnoseModel({ ...rows[0], metric: row.metric || "mc2" }, app.kit) };
  }

  function diagnoseRelease(part) {
    const asked = { need: RELEASE.slice(0, 2), also: RELEASE.slice(2), sized: false };
    const { rows, problems } = Cape.read.checkTable(part.rows, asked);
    if (problems.length) return { problems };
    return { result: Cape.diagnoseRelease(rows, { line: part.line, lab: part.lab || null }, app.kit) };
  }

  function diagnoseToday(part) {
    const { rows, problems } = Cape.read.checkTable(part.rows, { need: TODAY, also: ["params_b"], sized: false, least: 1 });
    if (problems.length) return { problems };
    const options = { mode: part.mode === "any" ? null : part.mode, generation: part.generation || null };
    return { result: Cape.diagnoseToday(rows, options, app.kit) };
  }

  function diagnoseRows(tab, part) {
    const [x, y] = tab === "family" ? PAIR : [part.x, part.y];
    const also = tab === "family" ? F.EXTRA : [];
    const [batch, odd] = Cape.axes.stepped(part) ? Cape.axes.checkBatch(part.batch || "") : [null, null];
    const made = Cape.axes.named(part.axis === "flops" ? "flops" : "tokens");
    const typed = part.axis === "params" ? null : Cape.axes.named(batch === null ? part.axis : "step");
    const asked = { need: [x, y], also, least: 2, allowMixed: Boolean(part.mixed), axis: typed, batch, target: made.column };
    const { rows, problems } = Cape.read.checkTable(part.rows, asked);
    const axis = batch !== null ? made : typed && Cape.axes.settled(typed, rows);
    if (odd) problems.push({ row: null, column: "batch", ...odd });
    const [at, bad] = axis ? Cape.axes.check(part.at || "", axis) : Cape.read.checkSize(part.at || "");
    if (bad) problems.push({ row: null, column: "at", ...bad });
    const items = {};
    for (const name of ["x", "y"]) {
      const given = (part[`${name}_items`] || "").trim();
      const whole = /^[1-9]\d{0,7}$/.test(given);
      if (given && !whole) problems.push({ row: null, column: `${name}_items`, ...Cape.read.problem("items", given) });
      else if (given) items[part[name]] = Number(given);
    }
    if (problems.length) return { problems };
    const result = Cape.diagnoseFamily(rows, { x, y, at, items, axis: axis?.name }, app.kit);
    const product = batch !== null && rows.some((row) => row.tokens_b === (row.step * batch) / 1e9);
    const derived = product ? [`tokens_b: step x ${Cape.axes.even(batch).toLocaleString("en-US")} tokens`] : [];
    const sixfold = batch !== null && rows.some((row) => row.flops_1e21 === 6e-3 * row.params_b * row.tokens_b);
    if (sixfold) derived.push("flops_1e21: 6 N D, of params_b and tokens_b");
    result.notes.unshift(...derived);
    return { result };
  }

  Cape.app = app;
  Cape.state = { TABS, PAIR, RELEASE, TODAY, LONGEST_TEXT, fresh, generations, toLink, fromLink, example, diagnose };
})(window);

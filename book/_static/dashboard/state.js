/* What the page holds: one state of typed texts, its address, and the diagnosis that follows from it. */
"use strict";
{
  const MOST_ROWS = 40;
  const LONGEST_TEXT = 60;
  const LONGEST_LINK = 100000;

  /* The one thing that changes: what is typed (state), what follows (current), what is said about files (message). */
  const app = { kit: null, section: null, state: null, current: null, message: [] };

  const tabs = () => Object.keys(Cape.kit.forms);
  const freshTab = (tab) => structuredClone(Cape.kit.forms[tab].fresh);
  const fresh = () => ({ tab: "model", ...Object.fromEntries(tabs().map((tab) => [tab, freshTab(tab)])) });

  /* The address of the open tab: its texts, escaped. */
  function toLink() {
    const part = { tab: app.state.tab, ...app.state[app.state.tab] };
    // An empty field goes without saying, unless a fresh page would fill it.
    const usual = freshTab(app.state.tab);
    const filled = (name, v) => (v === null || (v === "" && !usual[name]) ? undefined : v);
    return `#d=${encodeURIComponent(JSON.stringify(part, filled))}`;
  }

  /* Only short texts under plain names come out of an address: it may have been written by anybody. */
  function fromLink(hash) {
    if (!hash.startsWith("#d=") || hash.length > LONGEST_LINK) return null;
    try {
      const linked = JSON.parse(decodeURIComponent(hash.slice(3)));
      return tabs().includes(linked.tab) ? stateOf(linked.tab, linked) : null;
    } catch {
      return null;
    }
  }

  /* A state whose tab holds some values, as texts, and the usual in place of what cannot be. */
  function stateOf(tab, values) {
    const next = { ...fresh(), tab };
    const part = next[tab];
    const text = (v) => (["string", "number"].includes(typeof v) ? String(v).slice(0, LONGEST_TEXT) : "");
    const record = (row) => {
      const cells = Object.entries(row && typeof row === "object" ? row : {});
      return Object.fromEntries(cells.filter(([name]) => /^[a-z0-9_]{1,60}$/.test(name)).map(([name, v]) => [name, text(v)]));
    };
    for (const name of Object.keys(part).filter((key) => Object.hasOwn(values, key))) {
      if (name === "row") part.row = record(values.row);
      else if (name !== "rows") part[name] = text(values[name]);
      else if (Array.isArray(values.rows)) part.rows = values.rows.slice(0, MOST_ROWS).map(record);
    }
    if (part.rows && !part.rows.length) part.rows = [{}];
    for (const [name, options] of Object.entries(Cape.kit.forms[tab].options ?? {})) {
      if (name in part && !options.some(([value]) => value === part[name])) part[name] = freshTab(tab)[name];
    }
    if (tab === "pair") {
      for (const name of ["x", "y"]) part[name] = Cape.read.columnName(part[name]) || name;
      // One benchmark beside itself says nothing.
      if (part.x === part.y) ({ x: part.x, y: part.y } = freshTab(tab));
    }
    const known = ["params", undefined, ...Object.keys(app.kit.axes)].includes(part.axis);
    if (!known && !Cape.axes.isOwn(part.axis, needed(tab, part))) part.axis = "params";
    return next;
  }

  /* The benchmarks that every row of a tab has. */
  const needed = (tab, part) => Cape.kit.forms[tab].need ?? [part.x, part.y];

  /* The state of an example, as texts. */
  function example(key) {
    const { tab, state } = app.kit.examples.find((item) => item.key === key);
    return stateOf(tab, state);
  }

  /* What a state says: {result} or {problems}. */
  function diagnose({ tab, [tab]: part }) {
    if (part.axis) return diagnoseRows(tab, part);
    const { rows, problems } = Cape.read.checkTable(part.rows ?? [part.row], Cape.kit.forms[tab]);
    if (problems.length) return { problems };
    if (tab === "model") return { result: Cape.diagnoseModel({ ...rows[0], metric: part.row.metric || "mc2" }) };
    if (tab === "release") return { result: Cape.diagnoseRelease(rows, { line: part.line, lab: part.lab || null }) };
    const options = { mode: part.mode === "any" ? null : part.mode, generation: part.generation || null };
    return { result: Cape.diagnoseToday(rows, options) };
  }

  function diagnoseRows(tab, part) {
    const { axes, read } = Cape;
    const [x, y] = needed(tab, part);
    const [batch, odd] = axes.stepped(part) ? axes.checkBatch(part.batch || "") : [null, null];
    const product = axes.named(part.axis === "flops" ? "flops" : "tokens");
    const typed = part.axis === "params" ? null : axes.named(batch === null ? part.axis : "step");
    const { rows, problems } = read.checkTable(part.rows, {
      need: [x, y],
      also: Cape.kit.forms[tab].also,
      least: 2,
      allowMixed: Boolean(part.mixed),
      axis: typed,
      batch,
      target: product.column,
    });
    const axis = batch !== null ? product : typed && axes.settled(typed, rows);
    const wrong = (column, problem) => problem && problems.push({ row: null, column, ...problem });
    wrong("batch", odd);
    const [at, bad] = axis ? axes.check(part.at || "", axis) : read.checkSize(part.at || "");
    wrong("at", bad);
    const items = {};
    for (const name of ["x", "y"]) {
      const questions = (part[`${name}_items`] || "").trim();
      if (/^[1-9]\d{0,7}$/.test(questions)) items[part[name]] = Number(questions);
      else if (questions) wrong(`${name}_items`, read.problem("items", questions));
    }
    if (problems.length) return { problems };
    const result = Cape.diagnoseFamily(rows, { x, y, at, items, axis: axis?.name });
    const tokens = batch !== null && rows.some((row) => row.tokens_b === (row.step * batch) / 1e9);
    const compute = batch !== null && rows.some((row) => row.flops_1e21 === 6e-3 * row.params_b * row.tokens_b);
    if (compute) result.notes.unshift("flops_1e21: 6 N D, of params_b and tokens_b");
    if (tokens) result.notes.unshift(`tokens_b: step x ${axes.even(batch).toLocaleString("en-US")} tokens`);
    return { result };
  }

  Cape.app = app;
  Cape.state = { MOST_ROWS, LONGEST_TEXT, tabs, fresh, needed, toLink, fromLink, example, diagnose };
}

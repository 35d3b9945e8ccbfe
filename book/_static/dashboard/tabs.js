/* The form of each tab, built anew when its shape changes; typing only changes the state. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el } = Cape.results;
  const { app } = Cape;
  const F = Cape.form;
  const { update, rebuild } = F;
  const { PAIR, RELEASE, TODAY } = Cape.state;
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
  const label = (name) => Cape.read.label(name);

  function model() {
    const { row } = app.state.model;
    const field = (name, text, hint) => F.field(row, name, text, { row: 0, hint });
    const score = (name) => field(name, label(name), "percent");
    const metric = F.choice(row, "metric", "TruthfulQA metric", [
      ["mc2", "MC2"],
      ["mc1", "MC1"],
    ]);
    const shots = PAIR.map((name) => field(`${name}_shots`, `${label(name)} shots`));
    const more = F.group(field("model", "Name"), metric, ...shots, ...F.EXTRA.map(score));
    const second = F.button("I have a second size: compare the two", secondSize);
    return [
      F.group(field("params_b", "Size", "billions of parameters"), ...PAIR.map(score)),
      el("details", {}, el("summary", {}, "More: name, metric, shots, other benchmarks"), more),
      el("div", { class: "dash-buttons" }, second),
    ];
  }

  function secondSize() {
    const { metric, ...row } = app.state.model.row;
    app.state.family.rows = [row, { model: "" }];
    app.state.tab = "family";
    rebuild();
    app.section.querySelector("#dash-panel-family tbody tr:nth-child(3) input").focus();
  }

  function family() {
    const part = app.state.family;
    const extra = F.EXTRA.some((name) => part.rows.some((row) => row[name]));
    const add = F.button("Add ARC, WinoGrande, MMLU", () => {
      part.rows.forEach((row) => F.EXTRA.forEach((name) => (row[name] ??= " ")));
      rebuild();
    });
    const columns = [...places(part), ...PAIR, ...(extra ? F.EXTRA.filter((name) => name !== part.axis) : [])];
    return table(part, columns, [along(part, PAIR)], extra ? [] : [add]);
  }

  function pair() {
    const part = app.state.pair;
    const fields = [
      ["x", "First benchmark"],
      ["y", "Second benchmark"],
    ].flatMap(([name, text]) => {
      const known = app.kit.items[part[name]];
      const hint = known ? `known: ${known}` : "for the noise";
      const write = (typed) => rename(name, typed);
      return [
        F.field(part, name, text, { value: label(part[name]), write }),
        F.field(part, `${name}_items`, "Questions in it", { hint }),
      ];
    });
    return table(part, [...places(part), part.x, part.y], [F.group(...fields), along(part, [part.x, part.y])]);
  }

  /* The columns of a row's place; tokens that a table states stand beside its steps. */
  const places = (part) => {
    const counted = Cape.axes.stepped(part) && (part.axis === "step" || part.batch);
    if (!counted) return [Cape.axes.typed(part.axis)];
    const made = part.axis === "flops" ? ["tokens_b", "flops_1e21"] : ["tokens_b"];
    const stated = made.filter((name) => part.rows.some((row) => row[name]));
    return ["step", ...(part.axis === "flops" ? ["params_b"] : []), ...stated];
  };

  /* What the rows go along: size, a known axis or a column of their own; along steps also the tokens of one. */
  function along(part, pair) {
    const known = ["params", ...Object.keys(app.kit.axes)];
    const own = Cape.axes.own(part.rows, pair);
    if (!known.includes(part.axis) && !own.includes(part.axis)) own.push(part.axis);
    const options = [...known.slice(1), ...own].map((name) => [name, Cape.axes.named(name).noun]);
    const choice = F.choice(part, "axis", "Rows go along", [["params", "size"], ...options], () => {
      Cape.axes.fill(part.rows);
      rebuild();
    });
    const use = part.axis === "flops" ? "compute is 6 N D, D = step x these" : "along tokens, step x these";
    const batch = () => F.field(part, "batch", "Tokens a step", { hint: `if given: ${use}` });
    return F.group(choice, ...(Cape.axes.stepped(part) ? [batch()] : []));
  }

  function rename(name, text) {
    const part = app.state.pair;
    const next = Cape.read.columnName(text) || name;
    if (next === part.x || next === part.y || ["model", "params_b", part.axis].includes(next)) return;
    for (const row of part.rows) {
      row[next] = row[part[name]];
      delete row[part[name]];
    }
    part[name] = next;
    const focused = document.activeElement.id;
    rebuild();
    const field = app.section.querySelectorAll("#dash-panel-pair .dash-fields input")[name === "x" ? 0 : 2];
    if (focused) {
      field.value = text;
      field.focus();
    }
  }

  function release() {
    const part = app.state.release;
    const labs = [...new Set(app.kit.frontier.releases.map((row) => row.lab))].sort();
    const lines = Object.entries(app.kit.frontier.lines).map(([name, line]) => [name, `${name}: ${line.about}`]);
    const line = F.choice(part, "line", "Line that h is read from", lines);
    const lab = F.choice(part, "lab", "Lab", [["", "not said"], ...labs.map((name) => [name, name])]);
    return table(part, [...RELEASE, "date"], [F.group(line, lab)]);
  }

  function today() {
    const part = app.state.today;
    const mode = F.choice(part, "mode", "Mode", [
      ["reasoning", "thinks"],
      ["none", "does not think"],
      ["any", "not said"],
    ]);
    const families = Cape.state.generations().map((name) => [name, name]);
    const family = F.choice(part, "generation", "Family", [["", "not named"], ...families]);
    return table(part, [...TODAY, "params_b"], [F.group(mode, family)]);
  }

  /* The form of a tab with rows: fields above, the table, the buttons, paste and files, the forecast where there is one. */
  function table(part, names, above, buttons = []) {
    const columns = ["model", ...names].map((name) => [name, SHORT[name] ?? label(name)]);
    const add = F.button("Add a row", () => {
      if (part.rows.length >= F.MOST_ROWS) return;
      part.rows.push({});
      rebuild();
      app.section.querySelector(`#dash-panel-${app.state.tab} tbody tr:nth-last-child(2) input`).focus();
    });
    const rows = [...above, ...F.grid(part, columns), el("div", { class: "dash-buttons" }, add, ...buttons), F.intake()];
    return part.at === undefined ? rows : [...rows, forecast(part)];
  }

  function forecast(part) {
    const hint = part.axis === "date" ? "half as far again if empty" : "twice the last if empty";
    let unit = part.axis === "params" ? "billions" : (SHORT[Cape.axes.typed(part.axis)] ?? part.axis);
    if (Cape.axes.stepped(part) && part.batch) unit = SHORT[part.axis === "flops" ? "flops_1e21" : "tokens_b"];
    const place = part.axis === "params" ? "size" : "place";
    const summary = el("summary", {}, `Forecast to another ${place}`);
    return el("details", { open: Boolean(part.at) }, summary, F.field(part, "at", `Forecast to (${unit})`, { hint }));
  }

  Cape.tabs = { model, family, pair, release, today };
})(window);

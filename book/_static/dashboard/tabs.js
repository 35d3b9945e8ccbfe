/* The form of each tab, built anew when its shape changes; typing only changes the state. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el } = Cape.results;
  const { app } = Cape;
  const F = Cape.form;
  const { PAIR, RELEASE, TODAY } = Cape.state;
  const SHORT = { params_b: "Size (billions)", swe_bench_verified: "SWE-bench", gpqa_diamond: "GPQA", date: "Date", tokens_b: "Tokens (billions)", flops_1e21: "FLOPs (1e21)",
    step: "Step", d_model: "d_model",
    omniscience_accuracy: "Accuracy", omniscience_non_hallucination: "Non-hallucination" };
  const label = (name) => app.kit.labels[name] ?? name.replaceAll("_", " ");
  const update = () => Cape.page.update();
  const rebuild = () => Cape.page.rebuild();

  function model() {
    const percent = (name) => ({ name, label: label(name), hint: "percent" });
    const columns = [{ name: "params_b", label: "Size", hint: "billions of parameters" }, ...PAIR.map(percent)];
    const more = [
      { name: "model", label: "Name" },
      {
        name: "metric",
        label: "TruthfulQA metric",
        options: [
          ["mc2", "MC2"],
          ["mc1", "MC1"],
        ],
      },
      { name: "hellaswag_shots", label: "HellaSwag shots" },
      { name: "truthfulqa_shots", label: "TruthfulQA shots" },
      ...F.EXTRA.map(percent),
    ];
    const { row } = app.state.model;
    const parts = [F.record(columns, row, update), F.record(more, row, update)];
    app.shown = { show: (problems) => parts.forEach((part) => part.show(problems)) };
    const details = el("details", {}, el("summary", {}, "More: name, metric, shots, other benchmarks"), parts[1].node);
    const second = F.button("I have a second size: compare the two", secondSize);
    return [parts[0].node, details, el("div", { class: "dash-buttons" }, second)];
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
    const way = along(part, PAIR);
    return table(part, columns, { above: [way.node], buttons: extra ? [] : [add], fields: way.fields });
  }

  function pair() {
    const part = app.state.pair;
    const fields = [
      ["x", "First benchmark"],
      ["y", "Second benchmark"],
    ].flatMap(([name, text]) => {
      const known = app.kit.items[part[name]];
      const items = `${name}_items`;
      return [
        { name, ...F.field({ label: text, value: label(part[name]), oninput: (v) => rename(name, v) }) },
        {
          name: items,
          ...F.field({
            label: "Questions in it",
            hint: known ? `known: ${known}` : "for the noise",
            value: part[items],
            oninput: (v) => {
              part[items] = v;
              update();
            },
          }),
        },
      ];
    });
    const above = [
      el(
        "div",
        { class: "dash-fields" },
        fields.map((item) => item.node),
      ),
    ];
    const way = along(part, [part.x, part.y]);
    const columns = [...places(part), part.x, part.y];
    return table(part, columns, { above: [...above, way.node], fields: [...fields, ...way.fields] });
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
    const options = [["params", "size"], ...[...known.slice(1), ...own].map((name) => [name, Cape.axes.named(name).noun])];
    const onchange = (name) => {
      part.axis = name;
      Cape.axes.fill(part.rows);
      rebuild();
    };
    const oninput = (text) => {
      part.batch = text;
      update();
    };
    const hint = part.axis === "flops" ? "if given: compute is 6 N D, D = step x these" : "if given: along tokens, step x these";
    const about = { label: "Tokens a step", hint, value: part.batch, oninput };
    const fields = Cape.axes.stepped(part) ? [{ name: "batch", ...F.field(about) }] : [];
    const choice = F.choice({ label: "Rows go along", value: part.axis, options, onchange });
    return { node: el("div", { class: "dash-fields" }, choice, ...fields.map((field) => field.node)), fields };
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
    const choose = (name) => (value) => {
      part[name] = value;
      update();
    };
    const above = [
      el(
        "div",
        { class: "dash-fields" },
        F.choice({ label: "Line that h is read from", value: part.line, options: lines, onchange: choose("line") }),
        F.choice({
          label: "Lab",
          value: part.lab,
          options: [["", "not said"], ...labs.map((lab) => [lab, lab])],
          onchange: choose("lab"),
        }),
      ),
    ];
    return table(part, [...RELEASE, "date"], { above });
  }

  function today() {
    const part = app.state.today;
    const pick = (name, label, options) =>
      F.choice({
        label,
        value: part[name],
        options,
        onchange: (value) => {
          part[name] = value;
          update();
        },
      });
    const modes = [
      ["reasoning", "thinks"],
      ["none", "does not think"],
      ["any", "not said"],
    ];
    const families = [["", "not named"], ...Cape.state.generations().map((name) => [name, name])];
    const above = [
      el("div", { class: "dash-fields" }, pick("mode", "Mode", modes), pick("generation", "Family", families)),
    ];
    return table(part, [...TODAY, "params_b"], { above });
  }

  /* The form of a tab with rows: fields above, the table, the buttons, paste and files. */
  function table(part, names, { above = [], buttons = [], fields = [] }) {
    const columns = ["model", ...names].map((name) => ({
      name,
      label: name === "model" ? "Name" : (SHORT[name] ?? label(name)),
    }));
    const body = F.grid(columns, part.rows, update, () => {
      if (!part.rows.length) part.rows.push({});
      rebuild();
    });
    const at =
      part.at === undefined
        ? null
        : {
            name: "at",
            ...F.field({
              label: `Forecast to (${unit(part)})`,
              value: part.at,
              hint: part.axis === "date" ? "half as far again if empty" : "twice the last if empty",
              oninput: (v) => {
                part.at = v;
                update();
              },
            }),
          };
    const single = at ? [...fields, at] : fields;
    const mends = el("div", { class: "dash-buttons" });
    app.shown = {
      show(problems) {
        body.show(problems);
        for (const { name, input, problem } of single) {
          F.tell(
            problem,
            input,
            problems.filter((p) => p.row === null && p.column === name),
            (item) => {
              part[name] = item.mend;
              rebuild();
            },
          );
        }
        mends.replaceChildren(...mendAll(part, problems));
      },
    };
    const add = F.button("Add a row", () => {
      if (part.rows.length >= F.MOST_ROWS) return;
      part.rows.push({});
      rebuild();
      app.section.querySelector(`#dash-panel-${app.state.tab} tbody tr:nth-last-child(2) input`).focus();
    });
    const further = at
      ? [el("details", { open: Boolean(part.at) }, el("summary", {}, `Forecast to another ${part.axis === "params" ? "size" : "place"}`), at.node)]
      : [];
    const intake = F.intake({ onfiles: Cape.page.readFiles, ontext: Cape.page.readText });
    return [...above, body.node, mends, el("div", { class: "dash-buttons" }, add, ...buttons), intake, ...further];
  }

  const unit = (part) => {
    if (Cape.axes.stepped(part) && part.batch) return SHORT[part.axis === "flops" ? "flops_1e21" : "tokens_b"];
    return part.axis === "params" ? "billions" : (SHORT[Cape.axes.typed(part.axis)] ?? part.axis);
  };

  function mendAll(part, problems) {
    const mends = problems.filter((p) => p.mend !== null && p.row !== null);
    const found =
      mends.length < 2
        ? []
        : [
            F.button(`Mend all ${mends.length}`, () => {
              for (const p of mends) part.rows[p.row][p.column] = p.mend;
              rebuild();
            }),
          ];
    if (problems.some((p) => p.code === "mixed")) {
      found.push(
        F.button("Compare them all the same", () => {
          part.mixed = "yes";
          rebuild();
        }),
      );
    }
    return found;
  }

  Cape.tabs = { model, family, pair, release, today, label };
})(window);

/* The form: tabs, fields, editable tables, messages beside what is wrong, each with its mend. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el } = Cape.results;
  const EXTRA = ["arc_challenge", "winogrande", "mmlu"];
  const MOST_ROWS = 40;
  let unique = 0;

  /* A labelled text field with a place for its problem. */
  function field({ label, value, hint, oninput, list, inputmode = "text" }) {
    const id = `dash-${++unique}`;
    const input = el("input", {
      id,
      type: "text",
      inputmode,
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "60",
      list,
      "aria-describedby": `${id}-problem`,
    });
    input.value = value ?? "";
    input.addEventListener("input", () => oninput(input.value));
    const problem = el("p", { class: "dash-problem", id: `${id}-problem` });
    const parts = [
      el("label", { for: id }, label),
      input,
      hint ? el("span", { class: "dash-small" }, hint) : null,
      problem,
    ];
    return { node: el("div", { class: "dash-field" }, parts), input, problem };
  }

  function choice({ label, value, options, onchange }) {
    const id = `dash-${++unique}`;
    const select = el(
      "select",
      { id },
      options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
    );
    select.addEventListener("change", () => onchange(select.value));
    return el("div", { class: "dash-field dash-choice" }, el("label", { for: id }, label), select);
  }

  const button = (text, onclick, name) =>
    el("button", { type: "button", class: "dash-button", onclick, "aria-label": name }, text);

  /* Show a problem beside its field; without one the field is clean again. */
  function tell(problem, input, given, mend) {
    problem.replaceChildren();
    input?.toggleAttribute("aria-invalid", false);
    if (!given.length) return;
    input?.setAttribute("aria-invalid", "true");
    for (const item of given) {
      problem.append(el("span", {}, item.message, " "));
      if (item.mend !== null) {
        problem.append(button(`Use ${item.mend}`, () => mend(item), `Use ${item.mend} in place of what is there`));
      }
    }
  }

  /* Fields of one record (a model, a release): columns are {name, label, hint}. */
  function record(columns, row, changed) {
    const fields = Object.fromEntries(
      columns.map(({ name, label, hint, options }) => {
        if (options)
          return [
            name,
            {
              node: choice({
                label,
                options,
                value: row[name] || options[0][0],
                onchange: (v) => {
                  row[name] = v;
                  changed();
                },
              }),
            },
          ];
        return [
          name,
          field({
            label,
            hint,
            value: row[name],
            oninput: (v) => {
              row[name] = v;
              changed();
            },
          }),
        ];
      }),
    );
    const node = el(
      "div",
      { class: "dash-fields" },
      Object.values(fields).map((item) => item.node),
    );
    const show = (problems) => {
      for (const [name, { problem, input }] of Object.entries(fields)) {
        if (!problem) continue;
        tell(
          problem,
          input,
          problems.filter((p) => p.column === name),
          (item) => {
            row[name] = item.mend;
            input.value = item.mend;
            input.focus();
            changed();
          },
        );
      }
    };
    return { node, show };
  }

  /* An editable table: every cell a field with a name, every row followed by its messages. */
  function grid(columns, rows, changed, rebuilt) {
    const body = el("tbody");
    const shown = [];
    const remove = (i) => {
      rows.splice(i, 1);
      rebuilt();
    };
    rows.forEach((row, i) => {
      const inputs = {};
      const cells = columns.map(({ name, label }) => {
        const id = `dash-${++unique}`;
        const input = el("input", {
          id,
          type: "text",
          autocomplete: "off",
          spellcheck: "false",
          maxlength: "60",
          "aria-label": `${label}, row ${i + 1}`,
          "aria-describedby": `${id}-problem`,
        });
        input.value = row[name] ?? "";
        input.addEventListener("input", () => {
          row[name] = input.value;
          changed();
        });
        inputs[name] = input;
        return el("td", { dataset: { label } }, input);
      });
      const away = el(
        "td",
        {},
        button("\u00d7", () => remove(i), `Remove row ${i + 1}`),
      );
      const places = Object.fromEntries(
        columns.map(({ name }) => [
          name,
          el("p", { class: "dash-problem", id: inputs[name].getAttribute("aria-describedby") }),
        ]),
      );
      const rest = el("p", { class: "dash-problem" });
      const message = el("tr", {}, el("td", { colspan: columns.length + 1 }, ...Object.values(places), rest));
      message.hidden = true;
      body.append(el("tr", { class: "dash-row" }, ...cells, away), message);
      shown.push({ row, inputs, places, rest, message });
    });
    const head = el(
      "tr",
      {},
      columns.map(({ label }) => el("th", { scope: "col" }, label)),
      el("td", {}),
    );
    const node = el(
      "div",
      { class: "dash-scroll" },
      el("table", { class: columns.length > 4 ? "dash-table dash-wide" : "dash-table" }, el("thead", {}, head), body),
    );
    const show = (problems) => {
      shown.forEach(({ row, inputs, places, rest, message }, i) => {
        const mine = problems.filter((p) => p.row === i);
        message.hidden = !mine.length;
        for (const name of Object.keys(inputs)) {
          tell(
            places[name],
            inputs[name],
            mine.filter((p) => p.column === name),
            (item) => {
              row[name] = item.mend;
              inputs[name].value = item.mend;
              inputs[name].focus();
              changed();
            },
          );
        }
        tell(
          rest,
          null,
          mine.filter((p) => !(p.column in inputs)),
          () => {},
        );
      });
    };
    return { node, show };
  }

  /* Text to paste and files to open, for the tabs that take rows. */
  function intake({ onfiles, ontext }) {
    const id = `dash-${++unique}`;
    const area = el("textarea", {
      id,
      rows: "5",
      spellcheck: "false",
      placeholder: "model,params_b,hellaswag,truthfulqa",
    });
    const file = el("input", { type: "file", id: `${id}-file`, multiple: true, accept: ".csv,.tsv,.txt,.json" });
    file.addEventListener("change", () => {
      onfiles([...file.files]);
      file.value = "";
    });
    return el(
      "details",
      { class: "dash-intake" },
      el("summary", {}, "Paste a table, or open CSV or lm-evaluation-harness files"),
      el("label", { for: id }, "Rows, the first line names the columns (comma, semicolon or tab)"),
      area,
      el(
        "div",
        { class: "dash-buttons" },
        button("Read the text", () => ontext(area.value)),
      ),
      el(
        "label",
        { for: `${id}-file` },
        "Files (they are read here and go nowhere; you can also drop them anywhere on the form)",
      ),
      file,
    );
  }

  Cape.form = { field, choice, button, tell, record, grid, intake, EXTRA, MOST_ROWS };
})(window);

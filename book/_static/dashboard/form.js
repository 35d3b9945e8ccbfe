/* The form: fields that write what is typed into the state, an editable table, messages beside what is wrong, with mends. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el } = Cape.results;
  const EXTRA = ["arc_challenge", "winogrande", "mmlu"];
  const MOST_ROWS = 40;
  const update = () => Cape.page.update();
  const rebuild = () => Cape.page.rebuild();
  let unique = 0;
  /* The text fields of the open tab {holder, name, row, input, place}, and the message rows of its table. */
  let fields = [];
  let messages = [];

  function clear() {
    [fields, messages] = [[], []];
  }

  const button = (text, onclick, name) =>
    el("button", { type: "button", class: "dash-button", onclick, "aria-label": name }, text);
  const group = (...nodes) => el("div", { class: "dash-fields" }, nodes);

  /* A text field of holder[name], and the place of its problem. `row` is that of its problems, null for the table's. */
  function text(holder, name, { row = null, label, value = holder[name], write } = {}) {
    const id = `dash-${++unique}`;
    const attributes = { type: "text", autocomplete: "off", spellcheck: "false", maxlength: "60", "aria-label": label };
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
  function field(holder, name, label, { hint, ...more } = {}) {
    const { input, place } = text(holder, name, more);
    const about = hint ? el("span", { class: "dash-small" }, hint) : null;
    return el("div", { class: "dash-field" }, el("label", { for: input.id }, label), input, about, place);
  }

  /* One of several options, [value, text] each, for holder[name]. */
  function choice(holder, name, label, options, changed = update) {
    const id = `dash-${++unique}`;
    const chosen = holder[name] || options[0][0];
    const items = options.map(([value, shown]) => el("option", { value, selected: value === chosen }, shown));
    const select = el("select", { id }, items);
    select.addEventListener("change", () => {
      holder[name] = select.value;
      changed();
    });
    return el("div", { class: "dash-field dash-choice" }, el("label", { for: id }, label), select);
  }

  /* Show problems beside their fields, each with its mend; a field without one is clean again. */
  function show(problems) {
    for (const { holder, name, row, input, place } of fields) {
      const own = problems.filter((p) => p.row === row && p.column === name);
      input.toggleAttribute("aria-invalid", false);
      if (own.length) input.setAttribute("aria-invalid", "true");
      place.replaceChildren(...own.flatMap((problem) => explained(problem, holder, input)));
    }
    for (const { i, names, message, rest, mends, part } of messages) {
      if (mends) mends.replaceChildren(...mendAll(part, problems));
      else {
        const own = problems.filter((p) => p.row === i);
        message.hidden = !own.length;
        rest.replaceChildren(...own.filter((p) => !names.includes(p.column)).map((p) => el("span", {}, p.message, " ")));
      }
    }
  }

  function explained({ column, message, mend }, holder, input) {
    const use = () => {
      holder[column] = input.value = mend;
      input.focus();
      update();
    };
    const offer = mend === null ? [] : [button(`Use ${mend}`, use, `Use ${mend} in place of what is there`)];
    return [el("span", {}, message, " "), ...offer];
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
      const cells = columns.map(([name, label]) => ({ label, ...text(row, name, { row: i, label: `${label}, row ${i + 1}` }) }));
      const remove = () => {
        part.rows.splice(i, 1);
        if (!part.rows.length) part.rows.push({});
        rebuild();
      };
      const away = el("td", {}, button("\u00d7", remove, `Remove row ${i + 1}`));
      const rest = el("p", { class: "dash-problem" });
      const places = cells.map((cell) => cell.place);
      const message = el("tr", { hidden: true }, el("td", { colspan: columns.length + 1 }, places, rest));
      messages.push({ i, names, message, rest });
      const inputs = cells.map(({ label, input }) => el("td", { dataset: { label } }, input));
      return [el("tr", { class: "dash-row" }, inputs, away), message];
    });
    const mends = el("div", { class: "dash-buttons" });
    messages.push({ mends, part });
    const head = el("tr", {}, columns.map(([, label]) => el("th", { scope: "col" }, label)), el("td", {}));
    const wide = columns.length > 4 ? "dash-table dash-wide" : "dash-table";
    const table = el("table", { class: wide }, el("thead", {}, head), el("tbody", {}, body));
    return [el("div", { class: "dash-scroll" }, table), mends];
  }

  /* Text to paste and files to open, for the tabs that take rows. */
  function intake() {
    const id = `dash-${++unique}`;
    const placeholder = "model,params_b,hellaswag,truthfulqa";
    const area = el("textarea", { id, rows: "5", spellcheck: "false", placeholder });
    const file = el("input", { type: "file", id: `${id}-file`, multiple: true, accept: ".csv,.tsv,.txt,.json" });
    file.addEventListener("change", () => {
      Cape.page.readFiles([...file.files]);
      file.value = "";
    });
    const files = "Files (they are read here and go nowhere; you can also drop them anywhere on the form)";
    return el(
      "details",
      { class: "dash-intake" },
      el("summary", {}, "Paste a table, or open CSV or lm-evaluation-harness files"),
      el("label", { for: id }, "Rows, the first line names the columns (comma, semicolon or tab)"),
      area,
      el("div", { class: "dash-buttons" }, button("Read the text", () => Cape.page.readText(area.value))),
      el("label", { for: `${id}-file` }, files),
      file,
    );
  }

  Cape.form = { clear, button, group, field, choice, show, grid, intake, update, rebuild, EXTRA, MOST_ROWS };
})(window);

/* A diagnosis on the page: headline, five answers, charts, tables, advice. Text only ever enters as text. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  /* As much advice as is read; the rest is folded. */
  const MOST_ADVICE = 3;

  /* An element with properties and children; a string child is text, never markup. */
  function el(name, properties = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (key === "dataset") Object.assign(element.dataset, value);
      else element.setAttribute(key === "class" ? "class" : key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  /* A number as a reader sees it, with its full value and its place in the diagnosis; `none` is said of no number. */
  function num(result, path, form, none) {
    const value = path.split(".").reduce((part, key) => (Array.isArray(part) ? part.at(key) : part?.[key]), result) ?? null;
    const ends = value && typeof value === "object" ? JSON.stringify({ low: value.low, high: value.high }) : null;
    const text = value === null && none ? none : form === "N" ? place(result, value) : minus(W.shown(value, form));
    return el("span", { dataset: { key: path, value: ends ?? (value === null ? "" : String(value)) } }, text);
  }

  /* A value of what the family goes along: a size, or a place on another axis. */
  function place(result, value) {
    if (result.kind !== "path") return W.size(value);
    const axis = { ...Cape.axes.ofRows(result.axis, result.points), scale: result.scale };
    return Cape.axes.number(axis, typeof value === "string" ? Cape.axes.days(value) : value);
  }

  const minus = (text) => text.replace(/(^|[^\w)\]%./&#-])-(?=\.?\d)/g, "$1\u2212");

  /* A table; a head that begins with # is that of numbers. */
  function table(caption, heads, rows) {
    const kind = (i) => (heads[i][0] === "#" ? "n" : null);
    const head = heads.map((title, i) => el("th", { scope: "col", class: kind(i) }, title.replace("#", "")));
    const name = (i) => ({ label: heads[i].replace("#", "") });
    const cell = (content, i) => el(i ? "td" : "th", { scope: i ? null : "row", class: kind(i), dataset: name(i) }, content);
    return el(
      "div",
      { class: "dash-scroll dash-stack", tabindex: "0", role: "region", "aria-label": caption },
      el(
        "table",
        {},
        el("caption", {}, caption),
        el("thead", {}, el("tr", {}, head)),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell)))),
      ),
    );
  }

  /* Only addresses of the web become links. */
  function source(url, text) {
    return /^https?:\/\//.test(url || "") ? el("a", { href: url, rel: "noopener" }, text) : text;
  }

  function answers(result) {
    return [
      el("p", { class: "dash-headline" }, minus(result.answers.headline)),
      el(
        "dl",
        { class: "dash-answers" },
        Object.entries(Cape.kit.questions).flatMap(([key, question]) => [
          el("dt", {}, question),
          el("dd", { class: "dash-answer", dataset: { answer: key } }, minus(result.answers[key])),
        ]),
      ),
      ...result.notes.map((note) => el("p", { class: "dash-note" }, note)),
    ];
  }

  function advice(result) {
    if (!result.advice.length)
      return [el("h2", {}, "Advice"), el("p", {}, "None: no rule with evidence fits these scores.")];
    const [first, rest] = [result.advice.slice(0, MOST_ADVICE), result.advice.slice(MOST_ADVICE)];
    const more = rest.length ? [el("details", {}, el("summary", {}, `${rest.length} more`), rules(rest))] : [];
    return [el("h2", {}, "Advice, with its evidence"), rules(first), ...more];
  }

  function rules(some) {
    return el(
        "ul",
        { class: "dash-advice" },
        some.map((rule) =>
          el(
            "li",
            {},
            el("p", {}, el("strong", {}, rule.advice)),
            el(
              "p",
              {},
              "Evidence: ",
              el("span", { class: "dash-strength", dataset: { strength: rule.strength } }, rule.strength),
              ` ${rule.evidence} `,
              el("a", { href: rule.link }, `Read on: ${rule.topic}`),
            ),
          ),
        ),
    );
  }

  /* ---- a diagnosis in parts, as cape_lib/dashboard/views.json has them ---- */

  const NUMBER = /^(\.?)([a-z0-9_.-]+)\|([^|]*)\|?(.*)$/;
  const LINK = /^\[(.+)\]\((.+)\)$/;

  /* The whole of a diagnosis: its answers, then each part of its view whose condition holds. */
  function show(result) {
    const views = Cape.kit.views;
    const view = { ...views[views[result.kind].like], ...views[result.kind] };
    const write = (text, row) => W.text(result.kind, text, { ...result.facts, ...row }, view);
    const cell = (text, row, at) => {
      const number = NUMBER.exec(text);
      if (number) return num(result, number[1] ? `${at}.${number[2]}` : number[2], number[3], write(number[4], row));
      const link = LINK.exec(text);
      return link ? source(write(link[2], row), write(link[1], row)) : write(text, row);
    };
    const line = (cells, row, at) => cells.map((text) => cell(text, row, at));
    const part = (item) => {
      if (item.draw === "advice") return advice(result);
      if (item.draw) return Cape.charts[item.draw](result, Cape.kit);
      if (item.text) return el("p", {}, write(item.text).split(/\[\[|\]\]/).map((text, i) => (i % 2 ? cell(text) : text)));
      if (item.formula) return formula(item.formula.map((text) => write(text)).join("\n"));
      const fixed = (item.rows ?? []).filter(([first]) => first[0] !== "?" || W.holds(first.slice(1), result.facts));
      const rows = fixed.map((cells) => line(cells.filter((text) => text[0] !== "?")));
      for (const path of item.each ?? []) {
        const [of] = path.split(".*");
        const value = W.lookup(result, of);
        const entries = of === path ? [[of, value, of]] : Object.entries(value).map(([key, row]) => [key, row, `${of}.${key}`]);
        rows.push(...entries.map(([key, row, at]) => line(item.cells, { row, key: key.replace("_", " ") }, at)));
      }
      return table(write(item.table), item.heads.map((text) => write(text)), rows);
    };
    return [...answers(result), ...view.parts.filter((item) => W.holds(item.if ?? "", result.facts)).flatMap(part)];
  }

  function formula(text) {
    return el(
      "details",
      {},
      el("summary", {}, "The formula with your numbers in it"),
      el("pre", { class: "dash-formula" }, text),
    );
  }

  const MAIN = {
    model: ({ trend, ...result }) =>
      Object.entries(trend).map(([score, row]) => ({ model: result.name, params_b: result.params_b, score, value: result[score], ...row })),
    release: ({ rows, line }) => rows.map((row) => ({ ...row, line: line.name })),
    today: ({ rows, nearest }) => [...rows, ...nearest],
  };

  /* The rows that "Table (CSV)" saves: the main numbers of each kind. */
  function rows(result) {
    const main = MAIN[result.kind] ?? (({ steps, whole }) => [...steps, whole]);
    return main(result).map(({ interval, ...row }) => (interval ? { ...row, ...interval } : row));
  }

  Cape.results = { el, num, minus, table, show, rows };
})(window);

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

  /* A number as a reader sees it, with its full value and its place in the diagnosis. */
  function num(result, path, form) {
    const value = path
      .split(".")
      .reduce((part, key) => (part === null || part === undefined ? part : part[key]), result);
    if (value && typeof value === "object") {
      const ends = { low: value.low, high: value.high };
      return el("span", { dataset: { key: path, value: JSON.stringify(ends) } }, minus(W.shown(value, form)));
    }
    return el(
      "span",
      { dataset: { key: path, value: value === null || value === undefined ? "" : String(value) } },
      minus(W.shown(value, form)),
    );
  }

  const minus = (text) => text.replace(/(^|[^\w)\]%./&#-])-(?=\.?\d)/g, "$1\u2212");

  /* A table: columns are [title, isNumber]; rows are lists of cells. */
  function table(caption, columns, rows) {
    const kind = (i) => (columns[i][1] ? "n" : null);
    return el(
      "div",
      { class: "dash-scroll", tabindex: "0", role: "region", "aria-label": caption },
      el(
        "table",
        {},
        el("caption", {}, caption),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            columns.map(([title], i) => el("th", { scope: "col", class: kind(i) }, title)),
          ),
        ),
        el(
          "tbody",
          {},
          rows.map((row) =>
            el(
              "tr",
              {},
              row.map((cell, i) =>
                i === 0 ? el("th", { scope: "row", class: kind(i) }, cell) : el("td", { class: kind(i) }, cell),
              ),
            ),
          ),
        ),
      ),
    );
  }

  /* Only addresses of the web become links. */
  function source(url, text) {
    return /^https?:\/\//.test(url || "") ? el("a", { href: url, rel: "noopener" }, text) : text;
  }

  function chart(svg, caption) {
    return el("figure", {}, svg, el("figcaption", {}, caption));
  }

  function answers(result) {
    return [
      el("p", { class: "dash-headline" }, minus(result.answers.headline)),
      el(
        "dl",
        { class: "dash-answers" },
        Object.entries(Cape.kit.questions).flatMap(([key, question]) => [
          el("dt", {}, question),
          el("dd", { dataset: { answer: key } }, minus(result.answers[key])),
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

  function formula(text) {
    return el(
      "details",
      {},
      el("summary", {}, "The formula with your numbers in it"),
      el("pre", { class: "dash-formula" }, text),
    );
  }

  const f = (v, d = 2) => W.shown(v, String(d));

  /* The rows that "Table (CSV)" saves: the main numbers of each kind. */
  function rows(result) {
    const flat = (interval) => ({ low: interval.low, high: interval.high, interval: interval.shape });
    if (result.kind === "model") {
      return Object.entries(result.trend).map(([score, t]) => ({
        model: result.name,
        params_b: result.params_b,
        score,
        value: result[score],
        expected: t.expected,
        residual: t.residual,
        ...flat(t.interval),
      }));
    }
    if (result.kind === "release") {
      return result.rows.map((r) => ({
        model: r.model,
        date: r.date,
        line: result.line.name,
        swe_bench_verified: r.x,
        gpqa_diamond: r.y,
        h: r.h,
        ...flat(r.interval),
        phase: r.phase,
      }));
    }
    if (result.kind === "today") return [...result.rows, ...result.nearest];
    return [...result.steps, result.whole].map(({ interval, ...s }) => ({ ...s, ...flat(interval) }));
  }

  Cape.results = { el, num, minus, f, table, source, chart, answers, advice, formula, rows };
})(window);

/* A diagnosis on the page (headline, five answers, charts, tables, advice) and out of it: table, JSON, chart, print, link.
 * Text only ever enters as text. */
"use strict";
{
  const W = Cape.wording;
  /* As much advice as is read; the rest is folded. */
  const MOST_ADVICE = 3;

  /* An element with properties and children, "svg:..." one of a drawing; a string child is text, never markup. */
  function el(name, properties = {}, ...children) {
    const [drawn] = name.match(/^svg:/) ?? [];
    const element = drawn
      ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(drawn.length))
      : document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (key === "dataset") Object.assign(element.dataset, value);
      else if (typeof value === "number") element.setAttribute(key, Math.round(value * 100) / 100);
      else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
    return element;
  }

  const button = (text, onclick, name) =>
    el("button", { type: "button", class: "dash-button", onclick, "aria-label": name }, text);
  const folded = (summary, ...children) => el("details", {}, el("summary", {}, summary), ...children);

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
    const names = heads.map((title) => title.replace("#", ""));
    const head = names.map((title, i) => el("th", { scope: "col", class: kind(i) }, title));
    const cell = (content, i) =>
      el(i ? "td" : "th", { scope: i ? null : "row", class: kind(i), dataset: { label: names[i] } }, content);
    const body = rows.map((row) => el("tr", {}, row.map(cell)));
    return el(
      "div",
      { class: "dash-scroll dash-stack", tabindex: "0", role: "region", "aria-label": caption },
      el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)),
    );
  }

  /* ---- a diagnosis in parts, as cape_lib/dashboard/views.json has them ---- */

  const NUMBER = /^(\.?)([a-z0-9_.-]+)\|([^|]*)\|?(.*)$/;
  const LINK = /^\[(.+)\]\((.+)\)$/;

  function viewOf({ kind }) {
    const { views } = Cape.kit;
    return { ...views[views[kind].like], ...views[kind] };
  }

  /* A text of the view of a result, filled. */
  const textOf = (result, text, row) => W.text(result.kind, text, { ...result.facts, ...row }, viewOf(result));

  /* The whole of a diagnosis: its answers, then each part of its view whose condition holds. */
  function show(result) {
    const write = (text, row) => textOf(result, text, row);
    const cell = (text, row, at) => {
      const [, inRow, path, form, none] = NUMBER.exec(text) ?? [];
      if (path) return num(result, inRow ? `${at}.${path}` : path, form, write(none, row));
      const [name, address] = (LINK.exec(text) ?? [text, text, ""]).slice(1).map((part) => write(part, row));
      // Only addresses of the web become links.
      return /^https?:\/\//.test(address) ? el("a", { href: address, rel: "noopener" }, name) : name;
    };
    const line = (cells, row, at) => cells.map((text) => cell(text, row, at));
    const part = (item) => {
      if (item.draw) return (OWN[item.draw] ?? Cape.charts.draw.bind(null, item))(result);
      if (item.text) return el("p", {}, write(item.text).split(/\[\[|\]\]/).map((text, i) => (i % 2 ? cell(text) : text)));
      if (item.formula) {
        const text = item.formula.map((template) => write(template)).join("\n");
        return folded("The formula with your numbers in it", el("pre", { class: "dash-formula" }, text));
      }
      const fixed = (item.rows ?? []).filter(([first]) => first[0] !== "?" || W.holds(first.slice(1), result.facts));
      const rows = fixed.map((cells) => line(cells.filter((text) => text[0] !== "?")));
      for (const path of item.each ?? []) {
        const [of] = path.split(".*");
        const value = W.lookup(result, of);
        const entries = of === path ? [[of, value]] : Object.entries(value);
        const at = (key) => (of === path ? of : `${of}.${key}`);
        rows.push(...entries.map(([key, row]) => line(item.cells, { row, key: key.replace("_", " ") }, at(key))));
      }
      return table(write(item.table), item.heads.map((text) => write(text)), rows);
    };
    const parts = viewOf(result).parts.filter((item) => W.holds(item.if ?? "", result.facts));
    return [...answers(result), ...parts.flatMap(part)];
  }

  function answers({ answers: sentences, notes }) {
    const pairs = Object.entries(Cape.kit.questions).map(([key, question]) => [
      el("dt", {}, question),
      el("dd", { class: "dash-answer", dataset: { answer: key } }, minus(sentences[key])),
    ]);
    return [
      el("p", { class: "dash-headline" }, minus(sentences.headline)),
      el("dl", { class: "dash-answers" }, pairs),
      ...notes.map((note) => el("p", { class: "dash-note" }, note)),
    ];
  }

  function advice({ advice: rules }) {
    if (!rules.length) return [el("h2", {}, "Advice"), el("p", {}, "None: no rule with evidence fits these scores.")];
    const item = ({ advice: text, strength, evidence, link, topic }) => {
      const grade = el("span", { class: "dash-strength", dataset: { strength } }, strength);
      const more = el("a", { href: link }, `Read on: ${topic}`);
      return el("li", {}, el("p", {}, el("strong", {}, text)), el("p", {}, "Evidence: ", grade, ` ${evidence} `, more));
    };
    const [first, rest] = [rules.slice(0, MOST_ADVICE), rules.slice(MOST_ADVICE)].map((some) =>
      el("ul", { class: "dash-advice" }, some.map(item)),
    );
    const others = rules.length - MOST_ADVICE;
    return [el("h2", {}, "Advice, with its evidence"), first, ...(others > 0 ? [folded(`${others} more`, rest)] : [])];
  }

  function eigen(result) {
    const { benchmarks, eigenvalues, vectors } = result.dimension;
    const panel = Cape.kit.dimension;
    const row = (shown, name, i) => [
      `${name} ${i + 1}`,
      shown(`eigenvalues.${i}`, "1"),
      ...benchmarks.map((_, k) => shown(`vectors.${i}.${k}`, "+2")),
    ];
    const own = eigenvalues.map((_, i) => row((path, form) => num(result, `dimension.${path}`, form), "yours", i));
    const order = benchmarks.map((name) => panel.benchmarks.indexOf(name));
    const fit = { ...panel, vectors: panel.vectors.map((vector) => order.map((k) => vector[k])) };
    const plain = (path, form) => minus(W.shown(W.lookup(fit, path), form));
    const theirs = (order.includes(-1) ? [] : [0, 1]).map((i) => row(plain, "panel", i));
    const heads = ["direction", "#eigenvalue", ...benchmarks.map((name) => `#${Cape.read.label(name)}`)];
    const rows = [...own.filter((_, i) => vectors[i] !== null), ...theirs];
    const summary = "Eigenvalues and eigenvectors of your scores, beside the panel's";
    return folded(summary, table("Eigenvalues (points squared) and loadings", heads, rows));
  }

  const OWN = { advice, eigen };

  /* ---- taking it away ---- */

  function save(name, type, content) {
    const blob = content instanceof Blob ? content : new Blob([content], { type });
    const link = el("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const MAIN = {
    model: ({ trend, name: model, params_b, ...result }) =>
      Object.entries(trend).map(([score, row]) => ({ model, params_b, score, value: result[score], ...row })),
    release: ({ rows, line }) => rows.map((row) => ({ ...row, line: line.name })),
    today: ({ rows, nearest }) => [...rows, ...nearest],
  };

  /* The main numbers of a diagnosis as the text of a table. */
  function csv(result) {
    const main = MAIN[result.kind] ?? (({ steps, whole }) => [...steps, whole]);
    const rows = main(result).map(({ interval, ...row }) => ({ ...row, ...interval }));
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const quoted = (v) => {
      const text = String(v ?? "");
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
    return `${lines.map((line) => line.map(quoted).join(",")).join("\n")}\n`;
  }

  function savePng(chart) {
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = el("canvas");
      const { width, height } = chart.viewBox.baseVal;
      [canvas.width, canvas.height] = [2 * width, 2 * height];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save("chart.png", "image/png", blob));
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(Cape.charts.standalone(chart))}`;
  }

  /* The buttons below a diagnosis; `place` is where its charts are. */
  function buttons(place) {
    const { kit, state, current } = Cape.app;
    const done = el("span", { class: "dash-small", role: "status" });
    const chart = place.querySelector("svg.dash-chart");
    const json = () => JSON.stringify({ version: kit.version, input: state[state.tab], diagnosis: current }, null, 1);
    const copy = async () => {
      window.history.replaceState(null, "", Cape.state.toLink());
      try {
        await window.navigator.clipboard.writeText(window.location.href);
        done.textContent = "The link is copied.";
      } catch {
        done.textContent = "The link is in the address bar: copy it from there.";
      }
    };
    const drawings = [
      button("Chart (SVG)", () => save("chart.svg", "image/svg+xml", Cape.charts.standalone(chart))),
      button("Chart (PNG)", () => savePng(chart)),
    ];
    return el(
      "div",
      { class: "dash-buttons" },
      button("Table (CSV)", () => save("diagnosis.csv", "text/csv", csv(current))),
      button("Diagnosis (JSON)", () => save("diagnosis.json", "application/json", json())),
      chart ? drawings : null,
      button("Print", () => window.print()),
      button("Copy link", copy),
      done,
    );
  }

  Cape.results = { el, button, folded, num, minus, table, textOf, show, buttons };
}

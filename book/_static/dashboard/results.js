/* A diagnosis on the page: headline, five answers, charts, tables, advice. Text only ever enters as text. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const QUESTIONS = {
    phase: "Which phase?", sure: "How sure?", compared: "Compared with whom?", move: "What would move it?",
    measure: "What to measure next?",
  };

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
    const value = path.split(".").reduce((part, key) => (part === null || part === undefined ? part : part[key]), result);
    if (value && typeof value === "object") {
      const ends = { low: value.low, high: value.high };
      return el("span", { dataset: { key: path, value: JSON.stringify(ends) } }, minus(W.shown(value, form)));
    }
    return el("span", { dataset: { key: path, value: value === null || value === undefined ? "" : String(value) } },
      minus(W.shown(value, form)));
  }

  const minus = (text) => text.replace(/(^|[[ ])-(?=\d)/g, "$1\u2212");

  /* A table: columns are [title, isNumber]; rows are lists of cells. */
  function table(caption, columns, rows) {
    const kind = (i) => (columns[i][1] ? "n" : null);
    return el("div", { class: "dash-scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", {}, el("caption", {}, caption),
        el("thead", {}, el("tr", {}, columns.map(([title], i) => el("th", { scope: "col", class: kind(i) }, title)))),
        el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell, i) =>
          i === 0 ? el("th", { scope: "row", class: kind(i) }, cell) : el("td", { class: kind(i) }, cell)))))));
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
      el("dl", { class: "dash-answers" }, Object.entries(QUESTIONS).flatMap(([key, question]) =>
        [el("dt", {}, question), el("dd", { dataset: { answer: key } }, minus(result.answers[key]))])),
      ...result.notes.map((note) => el("p", { class: "dash-note" }, note)),
    ];
  }

  function advice(result) {
    if (!result.advice.length) return [el("h3", {}, "Advice"), el("p", {}, "None: no rule with evidence fits these scores.")];
    return [
      el("h3", {}, "Advice, with its evidence"),
      el("ul", { class: "dash-advice" }, result.advice.map((rule) => el("li", {},
        el("p", {}, el("strong", {}, rule.advice)),
        el("p", {}, "Evidence: ", el("span", { class: "dash-strength", dataset: { strength: rule.strength } }, rule.strength),
          ` ${rule.evidence} `, el("a", { href: rule.link }, `Read on: ${rule.topic}`))))),
    ];
  }

  function formula(text) {
    return el("details", {}, el("summary", {}, "The formula with your numbers in it"), el("pre", { class: "dash-formula" }, text));
  }

  const f = (v, d = 2) => W.shown(v, String(d));

  function model(result, kit) {
    const names = { x: "HellaSwag", y: "TruthfulQA" };
    const own = [{ x: result.hellaswag, y: result.truthfulqa, label: result.name.slice(0, 30), sd: result.noise / 1.96 }];
    const points = Cape.baseRows(kit).map((r) => ({ model: r.model, x: r.hellaswag, y: r.truthfulqa }));
    const near = result.nearest.map((r) => ({ model: r.model, x: r.hellaswag, y: r.truthfulqa }));
    const t = result.trend.truthfulqa;
    const parts = answers(result);
    if (result.comparable) {
      parts.push(
        chart(Cape.draw.plane({
          own, known: points, nearest: near, curveRatio: kit.ratio, names, title: result.answers.headline,
          description: "Known models in grey, the nearest five ringed, the papers' curve dashed, your model filled.",
        }), `${points.length} known models (grey; nearest ringed), one harness; the papers' curve dashed; your model with question noise. Source: ${kit.base.panel} panel.`),
        table("Beside web-trained models of this size", [["score"], ["yours", 1], ["expected", 1], ["residual", 1], ["95 % interval", 1]],
          ["hellaswag", "truthfulqa"].map((name) => [kit.labels[name], num(result, name, "1"),
            num(result, `trend.${name}.expected`, "1"), num(result, `trend.${name}.residual`, "+1"), num(result, `trend.${name}.interval`, "i1")])),
        table("Nearest known models", [["model"], ["size", 1], ["HellaSwag", 1], ["TruthfulQA", 1], ["distance", 1]],
          result.nearest.map((r, i) => [source(r.source.url, r.model), num(result, `nearest.${i}.params_b`, "B"),
            num(result, `nearest.${i}.hellaswag`, "1"), num(result, `nearest.${i}.truthfulqa`, "1"), num(result, `nearest.${i}.distance`, "2")])),
        table("The papers' curve, read both ways", [["reading"], ["says"], ["right", 1], ["of known steps", 1]], [
          ["as stated", result.curve.stated, num(result, "curve.record.stated"), num(result, "curve.record.n")],
          ["reversed", result.curve.reversed, num(result, "curve.record.reversed"), num(result, "curve.record.n")],
          ["always 'against each other'", "against each other", num(result, "curve.record.always"), num(result, "curve.record.n")]]),
        formula(
          `expected TruthfulQA at ${W.size(result.params_b)} = ${f(t.expected)}  (parabola in log10 size, ${t.n} web-trained models)\n` +
          `residual = ${f(result.truthfulqa)} - ${f(t.expected)} = ${f(t.residual)}  +- ${f(t.half)}\n` +
          `curve: 100 sqrt(${result.curve.ratio} x ${f(result.hellaswag)} / 100) = ${f(result.curve.critical)}`));
    }
    return [...parts, ...advice(result)];
  }

  function family(result, kit) {
    const [x, y] = [result.labels[result.x], result.labels[result.y]];
    const own = result.sizes.map((s, i) => ({ ...s, label: s.model.slice(0, 24), sd: s.y_sd, phase: i ? result.steps[i - 1].phase : null }));
    const base = result.kind === "family" ? Cape.baseRows(kit) : [];
    const known = base.map((r) => ({ model: r.model, x: r.hellaswag, y: r.truthfulqa }));
    const rows = result.steps.map((s) => ({
      value: s.gamma, ...s.interval, phase: s.phase, label: `${W.size(s.low_b)}\u2192${W.size(s.high_b)}`,
      title: `${s.smaller} to ${s.larger}: ${f(s.gamma)}`,
    }));
    const bands = [{ low: -1e9, high: -0.1, phase: "tax" }, { low: -0.1, high: 0.1, phase: "transition" }, { low: 0.1, high: 1e9, phase: "bonus" }];
    const last = result.steps[result.steps.length - 1];
    return [
      ...answers(result),
      chart(Cape.draw.plane({
        own, known, names: { x, y }, title: `${result.n} sizes in the plane of ${x} and ${y}`,
        description: "Each size a point with question noise; the path between sizes is coloured by the phase of the step.",
      }), `Your ${result.n} sizes, smallest to largest; the path is vermilion for tax, grey for transition, green for bonus.${known.length ? ` Grey points: ${known.length} known models.` : ""}`),
      chart(Cape.draw.intervals({
        rows, bands, name: `gamma: points of ${y} for a point of ${x}`, title: "Coupling of each step with its interval",
        description: "One point a step with its 95 percent interval; below minus 0.1 a tax, above 0.1 a bonus.",
      }), "Coupling of each step, 95 % Fieller intervals from score noise; cut off at the edge where they run on."),
      table("Every step", [["step"], ["gamma", 1], ["95 % interval", 1], ["P(tax)", 1], ["P(transition)", 1], ["P(bonus)", 1], ["phase"]],
        [...result.steps.map((s, i) => [s, `steps.${i}`]), [result.whole, "whole"]].map(([s, at]) => [
          `${s.smaller} to ${s.larger}${at === "whole" ? " (whole ladder)" : ""}`, num(result, `${at}.gamma`, "+2"),
          num(result, `${at}.interval`, "i2"), num(result, `${at}.p_tax`, "%"), num(result, `${at}.p_transition`, "%"),
          num(result, `${at}.p_bonus`, "%"), s.phase])),
      table("Over all sizes", [["number"], ["value", 1], ["95 % interval", 1]], [
        [`r of ${x} and ${y}`, num(result, "r.estimate", "+3"), num(result, "r.interval", "i3")],
        [`d_eff of ${result.dimension.benchmarks.length} benchmarks (yours)`,
          result.dimension.estimate === null ? `needs ${result.dimension.least} sizes` : num(result, "dimension.estimate", "2"), `at most ${result.dimension.most}`],
        [`d_eff of the ${kit.dimension.panel} panel, ${kit.dimension.n} models`, W.shown(kit.dimension.estimate, "2"), minus(W.shown(kit.dimension.interval, "i2"))]]),
      eigen(result, kit),
      table("Where would it turn? N_c by four estimators", [["estimator"], ["size", 1], ["95 %: from", 1], ["to", 1], ["noise draws with a turn inside", 1], ["verdict"]],
        Object.keys(result.boundary).map((name) => [name.replace("_", " "), size(result, `boundary.${name}.estimate`, "none inside"),
          size(result, `boundary.${name}.low`, "below"), size(result, `boundary.${name}.high`, "beyond"),
          num(result, `boundary.${name}.share`, "%"), result.boundary[name].verdict])),
      table(`Forecast to ${W.size(result.forecast.at_b)}`, [["method"], [x, 1], [y, 1], ["error when the largest size is held out", 1]],
        Object.keys(result.forecast.methods).map((name) => [METHODS[name], num(result, `forecast.methods.${name}.x`, "1"),
          num(result, `forecast.methods.${name}.y`, "1"), num(result, `forecast.methods.${name}.held_out`, "+1")])),
      el("p", {}, `What would settle the sign of the last step: `, settle(result), "."),
      formula(
        `gamma = (change of ${y}) / (change of ${x}) = ${f(last.dy)} / ${f(last.dx)} = ${f(last.gamma)}\n` +
        `noise of one score = 100 sqrt(p (1 - p) / questions), or the harness's own standard error\n` +
        `P(gamma below zero) = ${f(last.p_negative, 3)}; tax below -0.1, bonus above 0.1`),
      ...advice(result),
    ];
  }

  const METHODS = { persistence: "persistence (nothing changes)", polynomial: "polynomial in log size", ode: "linear system of both scores" };

  function size(result, path, none) {
    const cell = num(result, path, "B");
    if (cell.dataset.value === "") cell.textContent = none;
    return cell;
  }

  function settle(result) {
    const { questions, settled } = result.power;
    if (settled) return "nothing more, score noise does not turn it";
    return questions === null ? "no number of questions tried here" : el("span", {}, num(result, "power.questions"), " times as many questions");
  }

  function eigen(result, kit) {
    const { benchmarks, eigenvalues, vectors } = result.dimension;
    const rows = eigenvalues.flatMap((_, i) => (vectors[i] === null ? [] : [[
      `yours ${i + 1}`, num(result, `dimension.eigenvalues.${i}`, "1"), ...benchmarks.map((__, k) => num(result, `dimension.vectors.${i}.${k}`, "+2"))]]));
    const panel = kit.dimension;
    const same = benchmarks.every((name) => panel.benchmarks.includes(name));
    const theirs = same ? panel.eigenvalues.slice(0, 2).map((value, i) => [`panel ${i + 1}`, W.shown(value, "1"),
      ...benchmarks.map((name) => minus(W.shown(panel.vectors[i][panel.benchmarks.indexOf(name)], "+2")))]) : [];
    return el("details", {}, el("summary", {}, "Eigenvalues and eigenvectors of your scores, beside the panel's"),
      table("Eigenvalues (points squared) and loadings", [["direction"], ["eigenvalue", 1], ...benchmarks.map((name) => [kit.labels[name] || name, 1])],
        [...rows, ...theirs]));
  }

  function release(result, kit) {
    const names = { x: "SWE-bench Verified", y: "GPQA Diamond" };
    const own = new Set(result.rows.map((r) => r.model));
    const known = kit.frontier.releases.filter((r) => !own.has(r.model)).map((r) => ({ model: r.model, lab: r.lab, x: r.swe_bench_verified, y: r.gpqa_diamond }));
    const last = result.rows.length - 1;
    const row = result.rows[last];
    const trail = result.trajectory.map((r) => ({ value: r.h, ...r.interval, known: r.known, label: r.model.length > 11 ? `${r.model.slice(0, 10)}\u2026` : r.model, title: `${r.model}: ${f(r.h, 1)}` }));
    const parts = [
      ...answers(result),
      chart(Cape.draw.frontier({
        own: result.rows, known, line: result.line, half: Cape.halfWidth, names, sameLab: (p) => p.lab === result.lab,
        title: result.answers.headline, description: "Known releases in grey, the named line with its 95 percent prediction band, your release filled.",
      }), `${known.length} known releases (grey${result.lab ? `; ${result.lab} ringed` : ""}), the ${result.line.name} line of ${result.line.date} with its 95 % prediction band.`),
      table("h: points of GPQA Diamond beyond the line", [["release"], ["h", 1], ["95 % interval", 1], ["question noise", 1], ["phase"], ["emphasis"]],
        result.rows.map((r, i) => [r.model, num(result, `rows.${i}.h`, "+1"), num(result, `rows.${i}.interval`, "i1"), num(result, `rows.${i}.noise_sd`, "1"), r.phase, r.emphasis])),
      table("Boundaries of the papers", [["curve"], ["at", 1], ["score", 1], ["side"]], [
        ["GPQA from SWE-bench", num(result, `rows.${last}.gpqa_critical`, "1"), num(result, `rows.${last}.y`, "1"), row.y >= row.gpqa_critical ? "above" : "below"],
        ["IFEval from GPQA", num(result, `rows.${last}.ifeval_critical`, "1"), num(result, `rows.${last}.ifeval`, "1"),
          row.ifeval_above === null ? "no IFEval score" : row.ifeval_above ? "above" : "below"]]),
    ];
    if (trail.length > 1) {
      parts.push(
        chart(Cape.draw.intervals({ rows: trail, name: "h (points)", title: "The lab's releases in order", limit: 20, description: "h of each release with its prediction interval." }),
          "h in order of release; known ones ringed, yours filled."),
        table("The lab's trajectory", [["release"], ["date"], ["h", 1], ["change", 1], ["noise of the change", 1], ["kind"]],
          result.trajectory.map((r, i) => [r.model, r.date || "", num(result, `trajectory.${i}.h`, "+1"), num(result, `trajectory.${i}.change`, "+1"), num(result, `trajectory.${i}.change_noise`, "1"), r.kind])));
    }
    parts.push(
      table("Saturation: which benchmark separates the best five next", [["old over new"], ["spread old", 1], ["spread new", 1], ["sigma", 1], ["rotate?"]],
        result.saturation.map((s, i) => [`${kit.labels[s.old]} over ${kit.labels[s.new]}`, num(result, `saturation.${i}.spread_old`, "1"), num(result, `saturation.${i}.spread_new`, "1"),
          num(result, `saturation.${i}.sigma`, "2"), s.rotate === null ? `too few (${s.n})` : s.rotate ? "rotate" : "keep"])),
      table("Nearest known releases", [["release"], ["lab"], ["date"], ["SWE-bench", 1], ["GPQA", 1]],
        result.nearest.map((r, i) => [source(r.url, r.model), r.lab, r.date, num(result, `nearest.${i}.x`, "1"), num(result, `nearest.${i}.y`, "1")])),
      formula(`expected = ${f(result.line.slope, 3)} x ${f(row.x, 1)} + ${f(result.line.intercept, 1)} = ${f(row.expected)}\nh = ${f(row.y, 1)} - ${f(row.expected)} = ${f(row.h)}  +- ${f(row.half)} (95 % of further releases)`),
      ...advice(result));
    return parts;
  }

  /* The rows that "Table (CSV)" saves: the main numbers of each kind. */
  function rows(result) {
    const flat = (interval) => ({ low: interval.low, high: interval.high, interval: interval.shape });
    if (result.kind === "model") {
      return Object.entries(result.trend).map(([score, t]) => ({ model: result.name, params_b: result.params_b, score, value: result[score], expected: t.expected, residual: t.residual, ...flat(t.interval) }));
    }
    if (result.kind === "release") {
      return result.rows.map((r) => ({ model: r.model, date: r.date, line: result.line.name, swe_bench_verified: r.x, gpqa_diamond: r.y, h: r.h, ...flat(r.interval), phase: r.phase }));
    }
    return [...result.steps, result.whole].map(({ interval, ...s }) => ({ ...s, ...flat(interval) }));
  }

  Cape.results = { el, num, minus, rows, model, family, pair: family, release };
})(window);

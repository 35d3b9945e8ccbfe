/* The charts of each kind of diagnosis, as SVG made by hand, with their captions: a plane of two scores, and estimates with
 * intervals. Colours come from the style sheet, so that they follow the page's theme. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const { el, num, minus, table, textOf } = Cape.results;
  const WIDTH = 640;
  const MARGIN = { top: 28, right: 16, bottom: 44, left: 50 };
  const RIGHT = WIDTH - MARGIN.right;
  const svg = (name, ...more) => el(`svg:${name}`, ...more);
  const round = (v) => Math.round(v * 100) / 100;
  const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);
  let charts = 0;

  /* ---- axes, points, names ---- */

  /* Even, round ticks over a range. */
  function ticks(low, high, most) {
    const raw = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw);
    const first = Math.ceil(low / step - 1e-9);
    const count = Math.floor(high / step + 1e-9) - first + 1;
    return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }

  /* Low and high of some values with a margin, kept within 0 to 100 for scores. */
  function range(values, { least = 1, low = -Infinity, high = Infinity } = {}) {
    const known = values.filter(Number.isFinite);
    const [a, b] = [Math.min(...known), Math.max(...known)];
    const margin = Math.max((b - a) * 0.08, least);
    return { low: Math.max(a - margin, low), high: Math.min(b + margin, high) };
  }

  /* An empty chart with axes: x and y map values to places, `mark` puts a mark between them, `write` a text over them. */
  function frame({ title, description, x, y, height = 380 }) {
    const bottom = height - MARGIN.bottom;
    const scale = ({ low, high }, from, to) => (v) => from + ((v - low) / (high - low || 1)) * (to - from);
    const [sx, sy] = [scale(x, MARGIN.left, RIGHT), scale(y, bottom, MARGIN.top)];
    const below = (x.ticks ?? ticks(x.low, x.high, 8)).flatMap((v) => [
      svg("line", { x1: sx(v), x2: sx(v), y1: bottom, y2: bottom + 4, class: "tick" }),
      ...(x.format ? x.format(v) : [String(v)]).map((text, i) =>
        svg("text", { x: sx(v), y: bottom + 18 + 16 * i, "text-anchor": "middle" }, text),
      ),
    ]);
    const beside = ticks(y.low, y.high, 5).flatMap((v) => [
      svg("line", { x1: MARGIN.left, x2: RIGHT, y1: sy(v), y2: sy(v), class: "grid" }),
      svg("text", { x: MARGIN.left - 6, y: sy(v) + 4, "text-anchor": "end" }, minus(String(v))),
    ]);
    const names = [
      svg("text", { x: RIGHT, y: height - 8, "text-anchor": "end", class: "name" }, x.name),
      svg("text", { x: 4, y: 17, class: "name" }, y.name),
    ];
    const id = `clip-${++charts}`;
    const window_ = { x: MARGIN.left, y: MARGIN.top, width: RIGHT - MARGIN.left, height: bottom - MARGIN.top };
    const [layer, labels] = [svg("g", { "clip-path": `url(#${id})` }), svg("g")];
    const whole = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", class: "dash-chart" },
      svg("title", {}, title),
      svg("desc", {}, description),
      svg("clipPath", { id }, svg("rect", window_)),
      svg("g", { class: "dash-axes" }, below, beside, names),
      layer,
      labels,
    );
    const mark = (name, attributes, ...more) => layer.append(svg(name, attributes, ...more));
    const write = (attributes, text) => labels.append(svg("text", attributes, text));
    return { svg: whole, x: sx, y: sy, named: [], mark, write };
  }

  const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");

  const point = (chart, x, y, attributes, title) =>
    chart.mark("circle", { cx: chart.x(x), cy: chart.y(y), ...attributes }, title ? svg("title", {}, title) : null);

  /* A name beside a point; one that would lie on another name is left out (the point still says it). */
  function label(chart, x, y, text) {
    const wide = 8.5 * text.length;
    const [cx, cy] = [chart.x(x), chart.y(y)];
    const left = cx + 8 + wide > RIGHT;
    const [from, top] = [cx + (left ? -8 - wide : 8), cy - 20];
    if (chart.named.some(([a, b, w]) => from < a + w && a < from + wide && top < b + 17 && b < top + 17)) return;
    chart.named.push([from, top, wide]);
    const place = { x: cx + (left ? -8 : 8), y: cy - 7, "text-anchor": left ? "end" : "start" };
    for (const name of ["halo", "label"]) chart.write({ ...place, class: name }, text);
  }

  /* ---- the two kinds of charts ---- */

  /* The plane of two scores: known models in grey, some of them ringed, a curve or a line with its band, and one's own
   * models, each with an interval (low to high) where it has one, `joined` in their order. */
  function plane({ own, known, nearest = [], curve, line, band, joined, names, title, description }) {
    const over = (axis) => ({ ...range([...own, ...known].map((p) => p[axis]), { low: 0, high: 100 }), name: names[axis] });
    const [x, y] = [over("x"), over("y")];
    const chart = frame({ title, description, x, y });
    const along = (f, from = x.low, to = x.high) =>
      Array.from({ length: 61 }, (_, i) => from + ((to - from) * i) / 60).map((v) => [chart.x(v), chart.y(f(v))]);
    const draw = (points, name) => chart.mark("path", { d: path(points), fill: "none", class: name });
    const dot = (p, r, name) => point(chart, p.x, p.y, { r, class: name }, `${p.label ?? p.model}: ${p.x} / ${p.y}`);
    if (band) {
      const [down, up] = [0, 1].map((end) => along((v) => band(v)[end]));
      chart.mark("path", { d: `${path([...up, ...down.reverse()])}Z`, class: "prediction" });
    }
    if (line) draw(along(line), "line");
    for (const p of known) dot(p, 2.6, "known");
    if (curve) draw(along(curve, 0, 100), "curve");
    for (const p of nearest) dot(p, 4, "near");
    for (const [i, p] of joined ? own.slice(1).entries() : []) {
      draw([own[i], p].map((q) => [chart.x(q.x), chart.y(q.y)]), `step ${p.phase ?? ""}`);
    }
    for (const p of own) {
      const place = { x1: chart.x(p.x), x2: chart.x(p.x), y1: chart.y(p.low), y2: chart.y(p.high), class: "interval" };
      if (p.low !== undefined) chart.mark("line", place);
      dot(p, 5, "own");
    }
    for (const p of [own[0], own.at(-1), ...own.slice(1, -1)]) label(chart, p.x, p.y, p.label);
    return chart.svg;
  }

  /* A name in two lines of about one length, where it has several words; a line that is too long is cut. */
  function twoLines(text) {
    const words = text.split(" ");
    const cuts = words.map((_, i) => [words.slice(0, i).join(" "), words.slice(i).join(" ")]);
    const longest = (lines) => Math.max(...lines.map((line) => line.length));
    const best = cuts.reduce((a, b) => (longest(b) < longest(a) ? b : a));
    return best.filter(Boolean).map((line) => short(line, 16));
  }

  /* Estimates with intervals in a row: gamma a step, or h a release; bands and a zero line. */
  function intervals({ rows, name, title, description, bands = [], limit = 3 }) {
    const inside = rows.flatMap((r) => [r.value, r.low, r.high]).filter(Number.isFinite);
    const reach = range(inside.length ? inside : [0], { least: 0.3 });
    const most = Math.max(limit, ...rows.filter((r) => Number.isFinite(r.value)).map((r) => 1.3 * Math.abs(r.value)));
    const y = { low: Math.max(Math.min(reach.low, -0.3), -most), high: Math.min(Math.max(reach.high, 0.3), most), name };
    // So many names fit side by side on a phone; the others are in the table below and in each point's own title.
    const labels = rows.map((row) => twoLines(row.label));
    const wide = Math.max(...labels.flat().map((text) => text.length));
    const every = Math.ceil(rows.length / Math.max(1, Math.floor((WIDTH - MARGIN.left) / (10.5 * (wide + 1)))));
    const named = rows.map((_, i) => i + 1).filter((at) => (rows.length - at) % every === 0);
    const x = { low: 0.5, high: rows.length + (bands.length ? 0.9 : 0.5), ticks: named, name: "" };
    x.format = (v) => labels[v - 1];
    const chart = frame({ title, description, y, height: 300, x });
    const across = { x: chart.x(0.5), width: RIGHT - chart.x(0.5) };
    const within = (v) => Math.min(Math.max(v, y.low), y.high);
    for (const { phase, ...band } of bands) {
      const [low, high] = [within(band.low), within(band.high)].map(chart.y);
      if (low <= high) continue;
      chart.mark("rect", { ...across, y: high, height: low - high, class: `band ${phase}` });
      const middle = chart.y((within(band.low) + within(band.high)) / 2) + 4;
      chart.write({ x: RIGHT - 4, y: middle, "text-anchor": "end", class: "band-name" }, phase);
    }
    chart.mark("line", { x1: chart.x(0.5), x2: RIGHT, y1: chart.y(0), y2: chart.y(0), class: "zero" });
    rows.forEach((r, i) => {
      const at = chart.x(i + 1);
      const stretches = { any: [[y.low, y.high]], gap: [[y.low, r.high], [r.low, y.high]], bounded: [[r.low, r.high]] };
      for (const [low, high] of stretches[r.shape] ?? []) {
        const ends = { y1: chart.y(Math.max(low, y.low)), y2: chart.y(Math.min(high, y.high)) };
        chart.mark("line", { x1: at, x2: at, class: `interval ${r.phase || ""}`, ...ends });
      }
      const kind = r.known ? "near" : `own ${r.phase || ""}`;
      if (Number.isFinite(r.value)) point(chart, i + 1, r.value, { r: 5, class: kind }, r.title);
    });
    return chart.svg;
  }

  const STYLES = `fill stroke stroke-width stroke-dasharray opacity fill-opacity font-family font-size font-weight
    paint-order`.split(/\s+/);

  /* A copy of a chart with its colours written in: text of an SVG file. */
  function standalone(chart) {
    const copy = chart.cloneNode(true);
    const [from, to] = [chart, copy].map((s) => [s, ...s.querySelectorAll("*")]);
    from.forEach((element, i) => {
      const style = root.getComputedStyle(element);
      for (const name of STYLES) to[i].setAttribute(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", copy.namespaceURI);
    copy.setAttribute("width", WIDTH);
    const paper = root.getComputedStyle(chart.closest(".cape-dash")).getPropertyValue("--dash-paper").trim() || "#ffffff";
    copy.prepend(svg("rect", { width: "100%", height: "100%", fill: paper }));
    return new XMLSerializer().serializeToString(copy);
  }

  /* ---- the charts of each diagnosis ---- */

  const figure = (chart, caption) => el("figure", {}, chart, el("figcaption", {}, caption));
  const base = (row) => ({ model: row.model, x: row.hellaswag, y: row.truthfulqa });
  const noise = (y, sd) => (sd ? { low: y - 1.96 * sd, high: y + 1.96 * sd } : {});

  function place(result) {
    const { base: panel, ratio } = Cape.kit;
    const known = Cape.knownModels().map(base);
    const chart = plane({
      own: [{ ...base(result), label: short(result.name, 30), ...noise(result.truthfulqa, result.noise / 1.96) }],
      known,
      nearest: result.nearest.map(base),
      curve: (x) => Cape.isocline(ratio, Math.max(x, 0)),
      names: { x: "HellaSwag", y: "TruthfulQA" },
      title: result.answers.headline,
      description: "Known models in grey, the nearest five ringed, the papers' curve dashed, your model filled.",
    });
    const drawn = "(grey; nearest ringed), one harness; the papers' curve dashed; your model with question noise";
    return figure(chart, `${known.length} known models ${drawn}. Source: ${panel.panel} panel.`);
  }

  function ladder(result) {
    const { x, y } = result.facts;
    const many = textOf(result, "{@many}");
    const names = result.points?.map((_, i) => (i ? result.steps[i - 1].last : result.whole.first));
    const own = (result.points ?? result.sizes).map((p, i) => ({
      ...p,
      ...noise(p.y, p.y_sd),
      label: short(names?.[i] ?? p.model, 24),
      phase: i ? result.steps[i - 1].phase : null,
    }));
    const known = result.kind === "family" ? Cape.knownModels().map(base) : [];
    const chart = plane({
      own,
      known,
      joined: true,
      names: { x, y },
      title: `${result.n} ${many} in the plane of ${x} and ${y}`,
      description: `Each of the ${many} a point with question noise; the path between them is coloured by the phase of the step.`,
    });
    const grey = known.length ? ` Grey points: ${known.length} known models.` : "";
    const colours = "the path is vermilion for tax, grey for transition, green for bonus";
    return figure(chart, `Your ${result.n} ${many}, in order; ${colours}.${grey}`);
  }

  function steps(result) {
    const { x, y } = result.facts;
    const ends = (step) => ("from" in step ? [step.from, step.to] : [step.low_b, step.high_b].map(W.size));
    const chart = intervals({
      rows: result.steps.map((step) => ({
        value: step.gamma,
        ...step.interval,
        phase: step.phase,
        label: ends(step).join("\u2192"),
        title: `${textOf(result, "{@ends}", { row: step })}: ${W.shown(step.gamma, "2")}`,
      })),
      bands: [
        { low: -1e9, high: -0.1, phase: "tax" },
        { low: -0.1, high: 0.1, phase: "transition" },
        { low: 0.1, high: 1e9, phase: "bonus" },
      ],
      name: `gamma: points of ${y} for a point of ${x}`,
      title: "Coupling of each step with its interval",
      description: "One point a step with its 95 percent interval; below minus 0.1 a tax, above 0.1 a bonus.",
    });
    const drawn = "95 % Fieller intervals from score noise; cut off at the edge where they run on";
    return figure(chart, `Coupling of each step, ${drawn}.`);
  }

  function eigen(result) {
    const { benchmarks, eigenvalues, vectors } = result.dimension;
    const panel = Cape.kit.dimension;
    const own = eigenvalues.map((_, i) => [
      `yours ${i + 1}`,
      num(result, `dimension.eigenvalues.${i}`, "1"),
      ...benchmarks.map((__, k) => num(result, `dimension.vectors.${i}.${k}`, "+2")),
    ]);
    const theirs = panel.eigenvalues.slice(0, 2).map((value, i) => [
      `panel ${i + 1}`,
      W.shown(value, "1"),
      ...benchmarks.map((name) => minus(W.shown(panel.vectors[i][panel.benchmarks.indexOf(name)], "+2"))),
    ]);
    const same = benchmarks.every((name) => panel.benchmarks.includes(name));
    const heads = ["direction", "#eigenvalue", ...benchmarks.map((name) => `#${Cape.read.label(name)}`)];
    const rows = [...own.filter((_, i) => vectors[i] !== null), ...(same ? theirs : [])];
    const summary = el("summary", {}, "Eigenvalues and eigenvectors of your scores, beside the panel's");
    return el("details", {}, summary, table("Eigenvalues (points squared) and loadings", heads, rows));
  }

  /* The known rows that are not given, as points, and those that fit a test. */
  function others(result, rows, point, ringed) {
    const given = new Set(result.rows.map((row) => row.model));
    const some = rows.filter((row) => !given.has(row.model));
    return { known: some.map(point), nearest: some.filter(ringed).map(point) };
  }

  function release(result) {
    const { line, lab } = result;
    const point = (row) => ({ model: row.model, x: row.swe_bench_verified, y: row.gpqa_diamond });
    const beside = others(result, Cape.kit.frontier.releases, point, (row) => row.lab === lab);
    const chart = plane({
      own: result.rows.map((row) => ({ ...row, label: short(row.model, 26), low: row.expected, high: row.y })),
      ...beside,
      line: (x) => line.slope * x + line.intercept,
      band: (x) => Cape.ordinary(line, x),
      names: { x: "SWE-bench Verified", y: "GPQA Diamond" },
      title: result.answers.headline,
      description: "Known releases in grey, the named line with the range of 95 percent of releases, your release filled.",
    });
    const grey = `${beside.known.length} known releases (grey${lab ? `; ${lab} ringed` : ""})`;
    return figure(chart, `${grey}, the ${line.name} line of ${line.date} with the range of 95 % of releases.`);
  }

  /* A first word that all names share is that of the lab, and left out at the axis. */
  function trail(result) {
    const { trajectory } = result;
    const [first] = trajectory[0].model.split(" ");
    const shared = trajectory.every((row) => row.model.startsWith(`${first} `));
    const chart = intervals({
      rows: trajectory.map((row) => ({
        value: row.h,
        ...row.interval,
        known: row.known,
        label: shared ? row.model.slice(first.length + 1) : row.model,
        title: `${row.model}: ${W.shown(row.h, "1")}`,
      })),
      name: "h (points)",
      title: "The lab's releases in order",
      limit: 20,
      description: "h of each release with its prediction interval.",
    });
    return figure(chart, `h in order of release${shared ? `, all ${first}` : ""}; known ones ringed, yours filled.`);
  }

  function variants(result) {
    const point = (row) => ({ model: row.model, x: row.gpqa_diamond, y: row.omniscience_non_hallucination });
    const rows = Cape.knownVariants().filter((row) => result.mode === null || row.mode === result.mode);
    const { known } = others(result, rows, point, () => false);
    const ringed = result.ladder ? `those of ${result.generation} ringed` : "nearest ringed";
    const chart = plane({
      own: result.rows.map((row) => ({ ...point(row), label: short(row.model, 30) })),
      known,
      nearest: (result.ladder ?? result.nearest).map(point),
      joined: true,
      names: { x: "GPQA Diamond", y: "share admitted (q)" },
      title: result.answers.headline,
      description: `Known variants in grey, ${ringed}, your model filled.`,
    });
    const source = `Source: Artificial Analysis, to ${Cape.kit.today.facts.data_end}.`;
    return figure(chart, `${known.length} known variants (grey; ${ringed}); your model filled. ${source}`);
  }

  Cape.charts = { WIDTH, standalone, draw: { place, ladder, steps, eigen, release, trail, variants } };
})(window);

/* The charts of each kind of diagnosis, as SVG: a plane of two scores, and estimates with intervals. A chart is points and
 * paths between two axes; its title and caption are in the view of the diagnosis (views.json). Colours come from the style
 * sheet, so that they follow the page's theme. */
"use strict";
{
  const W = Cape.wording;
  const { el, minus, textOf } = Cape.results;
  const MARGIN = { top: 28, right: 16, bottom: 44, left: 50 };
  /* Drawn narrower on a phone, so that points and words are not made small; a chart keeps the width it was drawn with. */
  const widthNow = () => (window.matchMedia("(max-width: 40rem)").matches ? 400 : 640);
  const svg = (name, ...more) => el(`svg:${name}`, ...more);
  const round = (v) => Math.round(v * 100) / 100;
  const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);
  let charts = 0;

  /* ---- axes, marks, names ---- */

  /* Even, round ticks over a range. */
  function ticks({ low, high }, most) {
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

  /* A chart of marks, each with a class and a `path` of points or a point {x, y, r, title}; `labels` are names of points,
   * `notes` words at the right end. x and y have low, high and name, x also `lines`: the words below 1, 2, 3 ... */
  function chart({ title, description, x, y, marks, labels = [], notes = [], height = 380 }) {
    const width = widthNow();
    const right = width - MARGIN.right;
    const bottom = height - MARGIN.bottom;
    const scale = ({ low, high }, from, to) => (v) => from + ((v - low) / (high - low || 1)) * (to - from);
    const [sx, sy] = [scale(x, MARGIN.left, right), scale(y, bottom, MARGIN.top)];
    const text = (anchor, left, top, words, name) =>
      svg("text", { x: left, y: top, "text-anchor": anchor, class: name }, words);
    const below = (x.lines ? [...x.lines.keys()] : ticks(x, width / 80)).flatMap((v) => [
      svg("line", { x1: sx(v), x2: sx(v), y1: bottom, y2: bottom + 4, class: "tick" }),
      ...(x.lines?.get(v) ?? [String(v)]).map((line, i) => text("middle", sx(v), bottom + 18 + 16 * i, line)),
    ]);
    const beside = ticks(y, 5).flatMap((v) => [
      svg("line", { x1: MARGIN.left, x2: right, y1: sy(v), y2: sy(v), class: "grid" }),
      text("end", MARGIN.left - 6, sy(v) + 4, minus(String(v))),
    ]);
    const names = [text("end", right, height - 8, x.name, "name"), text("start", 4, 17, y.name, "name")];
    const along = (path) => path.map(([a, b], i) => `${i ? "L" : "M"}${round(sx(a))} ${round(sy(b))}`).join("");
    const drawn = marks.map((mark) =>
      mark.path
        ? svg("path", { d: along(mark.path), fill: "none", class: mark.class })
        : svg("circle", { cx: sx(mark.x), cy: sy(mark.y), r: mark.r, class: mark.class }, svg("title", {}, mark.title)),
    );
    const id = `clip-${++charts}`;
    const window_ = { x: MARGIN.left, y: MARGIN.top, width: right - MARGIN.left, height: bottom - MARGIN.top };
    return svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", class: "dash-chart" },
      svg("title", {}, title),
      svg("desc", {}, description),
      svg("clipPath", { id }, svg("rect", window_)),
      svg("g", { class: "dash-axes" }, below, beside, names),
      svg("g", { "clip-path": `url(#${id})` }, drawn),
      svg("g", {}, notes.map(([v, words]) => text("end", right - 4, sy(v) + 4, words, "band-name")), named(labels)),
    );

    /* Names beside points; one that would lie on another name is left out (the point still says it). */
    function named(points) {
      const taken = [];
      return points.flatMap((point) => {
        const wide = 8.5 * point.label.length;
        const [cx, cy] = [sx(point.x), sy(point.y)];
        const left = cx + 8 + wide > right;
        const [from, top] = [cx + (left ? -8 - wide : 8), cy - 20];
        if (taken.some(([a, b, w]) => from < a + w && a < from + wide && top < b + 17 && b < top + 17)) return [];
        taken.push([from, top, wide]);
        return ["halo", "label"].map((name) => text(left ? "end" : "start", cx + (left ? -8 : 8), cy - 7, point.label, name));
      });
    }
  }

  /* ---- the two kinds of charts ---- */

  /* The plane of two scores: known models in grey, some of them ringed, a curve or a line with its band, and one's own
   * models, each with an interval (low to high) where it has one, `joined` in their order. */
  function plane({ own, known, nearest = [], curve, line, band, joined, x, y, ...words }) {
    const over = (axis) => range([...own, ...known].map((p) => p[axis]), { low: 0, high: 100 });
    const across = over("x");
    const along = (f, { low, high } = across) =>
      Array.from({ length: 61 }, (_, i) => low + ((high - low) * i) / 60).map((v) => [v, f(v)]);
    const dots = (points, r, name) =>
      points.map((p) => ({ x: p.x, y: p.y, r, class: name, title: `${p.label ?? p.model}: ${p.x} / ${p.y}` }));
    const [down, up] = band ? [0, 1].map((end) => along((v) => band(v)[end])) : [];
    const steps = (joined ? own.slice(1) : []).map((p, i) => ({
      class: `step ${p.phase ?? ""}`,
      path: [own[i], p].map((q) => [q.x, q.y]),
    }));
    const spread = own.filter((p) => p.low !== undefined);
    const marks = [
      ...(band ? [{ class: "prediction", path: [...up, ...down.reverse()] }] : []),
      ...(line ? [{ class: "line", path: along(line) }] : []),
      ...dots(known, 2.6, "known"),
      ...(curve ? [{ class: "curve", path: along(curve, { low: 0, high: 100 }) }] : []),
      ...dots(nearest, 4, "near"),
      ...steps,
      ...spread.map((p) => ({ class: "interval", path: [p.low, p.high].map((end) => [p.x, end]) })),
      ...dots(own, 5, "own"),
    ];
    const labels = [own[0], own.at(-1), ...own.slice(1, -1)];
    return chart({ ...words, x: { ...across, name: x }, y: { ...over("y"), name: y }, marks, labels });
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
  function intervals({ rows, bands = [], limit = 3, x, y, ...words }) {
    const inside = rows.flatMap((r) => [r.value, r.low, r.high]).filter(Number.isFinite);
    const reach = range(inside.length ? inside : [0], { least: 0.3 });
    const most = Math.max(limit, ...rows.filter((r) => Number.isFinite(r.value)).map((r) => 1.3 * Math.abs(r.value)));
    const [low, high] = [Math.max(Math.min(reach.low, -0.3), -most), Math.min(Math.max(reach.high, 0.3), most)];
    const within = (v) => Math.min(Math.max(v, low), high);
    const end = rows.length + (bands.length ? 0.9 : 0.5);
    // So many names fit side by side on a phone; the others are in the table below and in each point's own title.
    const names = rows.map((row, i) => [i + 1, twoLines(row.label)]);
    const wide = Math.max(...names.flatMap(([, lines]) => lines.map((line) => line.length)));
    const every = Math.ceil(rows.length / Math.max(1, Math.floor((widthNow() - MARGIN.left) / (9 * (wide + 1)))));
    const lines = new Map(names.filter(([at]) => (rows.length - at) % every === 0));
    const cut = bands.map((band) => ({ ...band, low: within(band.low), high: within(band.high) }));
    const shades = cut.filter((band) => band.low < band.high);
    const box = (b) => [[0.5, b.low], [end, b.low], [end, b.high], [0.5, b.high]];
    const stretches = (r) => ({ any: [[low, high]], gap: [[low, r.high], [r.low, high]], bounded: [[r.low, r.high]] })[r.shape];
    const estimates = rows.flatMap((r, i) => {
      const ranges = (stretches(r) ?? []).map((ends) => ends.map((v) => [i + 1, within(v)]));
      const point = { x: i + 1, y: r.value, r: 5, class: r.known ? "near" : `own ${r.phase || ""}`, title: r.title };
      return [
        ...ranges.map((path) => ({ class: `interval ${r.phase || ""}`, path })),
        ...(Number.isFinite(r.value) ? [point] : []),
      ];
    });
    return chart({
      ...words,
      height: 300,
      x: { low: 0.5, high: end, lines, name: x },
      y: { low, high, name: y },
      marks: [
        ...shades.map((b) => ({ class: `band ${b.phase}`, path: box(b) })),
        { class: "zero", path: [[0.5, 0], [end, 0]] },
        ...estimates,
      ],
      notes: shades.map((b) => [(b.low + b.high) / 2, b.phase]),
    });
  }

  const STYLES = `fill stroke stroke-width stroke-dasharray opacity fill-opacity font-family font-size font-weight
    paint-order`.split(/\s+/);

  /* A copy of a chart with its colours written in: text of an SVG file. */
  function standalone(drawing) {
    const copy = drawing.cloneNode(true);
    const [from, to] = [drawing, copy].map((s) => [s, ...s.querySelectorAll("*")]);
    from.forEach((element, i) => {
      const style = window.getComputedStyle(element);
      for (const name of STYLES) to[i].setAttribute(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", copy.namespaceURI);
    copy.setAttribute("width", drawing.viewBox.baseVal.width);
    const paper = window.getComputedStyle(drawing.closest(".cape-dash")).getPropertyValue("--dash-paper").trim() || "#ffffff";
    copy.prepend(svg("rect", { width: "100%", height: "100%", fill: paper }));
    return new XMLSerializer().serializeToString(copy);
  }

  /* ---- what each chart shows of a diagnosis ---- */

  const points = (rows, x, y) => rows.map((row) => ({ model: row.model, x: row[x], y: row[y] }));
  const named = (rows, most) => rows.map((row) => ({ ...row, label: short(row.label ?? row.model, most) }));
  const noise = (y, sd) => (sd ? { low: y - 1.96 * sd, high: y + 1.96 * sd } : {});
  const baseModels = (rows) => points(rows, "hellaswag", "truthfulqa");

  /* Known rows other than one's own. */
  function others(rows, own) {
    const names = new Set(own.map((row) => row.model));
    return rows.filter((row) => !names.has(row.model));
  }

  const CHARTS = {
    place(result) {
      const { name: model, truthfulqa } = result;
      const own = { ...baseModels([result])[0], model, ...noise(truthfulqa, result.noise / 1.96) };
      return {
        own: named([own], 30),
        known: baseModels(Cape.knownModels()),
        nearest: baseModels(result.nearest),
        curve: (x) => Cape.isocline(Cape.kit.ratio, Math.max(x, 0)),
        facts: { panel: Cape.kit.base.panel },
      };
    },

    ladder({ kind, points: path, sizes, steps, whole }) {
      const place = (i) => path && (i ? steps[i - 1].last : whole.first);
      const own = (path ?? sizes).map((p, i) => ({
        ...p,
        ...noise(p.y, p.y_sd),
        label: place(i) ?? p.model,
        phase: i ? steps[i - 1].phase : null,
      }));
      return { own: named(own, 24), known: kind === "family" ? baseModels(Cape.knownModels()) : [], joined: true };
    },

    steps(result) {
      const ends = (step) => ("from" in step ? [step.from, step.to] : [step.low_b, step.high_b].map(W.size));
      return {
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
      };
    },

    release({ line, lab, rows }) {
      const [x, y] = ["swe_bench_verified", "gpqa_diamond"];
      const known = others(Cape.kit.frontier.releases, rows);
      return {
        own: named(rows, 26).map((row) => ({ ...row, low: row.expected, high: row.y })),
        known: points(known, x, y),
        nearest: points(known.filter((row) => row.lab === lab), x, y),
        line: (v) => line.slope * v + line.intercept,
        band: (v) => Cape.ordinary(line, v),
      };
    },

    /* A first word that all names share is that of the lab, and left out at the axis. */
    trail({ trajectory }) {
      const [first] = trajectory[0].model.split(" ");
      const shared = trajectory.every((row) => row.model.startsWith(`${first} `)) && first;
      const rows = trajectory.map((row) => ({
        value: row.h,
        ...row.interval,
        known: row.known,
        label: shared ? row.model.slice(first.length + 1) : row.model,
        title: `${row.model}: ${W.shown(row.h, "1")}`,
      }));
      return { rows, limit: 20, facts: { shared } };
    },

    variants({ mode, rows, ladder, nearest }) {
      const [x, y] = ["gpqa_diamond", "omniscience_non_hallucination"];
      const known = others(Cape.knownVariants(), rows).filter((row) => mode === null || row.mode === mode);
      return {
        own: named(points(rows, x, y), 30),
        known: points(known, x, y),
        nearest: points(ladder ?? nearest, x, y),
        joined: true,
      };
    },
  };

  /* A chart with its caption, by the part of a view that asks for it: {draw, title, about, x, y, caption}. */
  function draw(part, result) {
    const { facts = {}, ...shown } = CHARTS[part.draw](result);
    const known = shown.known?.length ?? 0;
    const write = (text) => textOf(result, text, { ...result, ...result.facts, ...facts, known_here: known });
    const words = { title: write(part.title), description: write(part.about), x: write(part.x), y: write(part.y) };
    const drawing = (shown.rows ? intervals : plane)({ ...shown, ...words });
    return el("figure", {}, drawing, el("figcaption", {}, write(part.caption)));
  }

  Cape.charts = { standalone, draw };
}

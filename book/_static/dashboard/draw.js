/* Small charts as SVG, made by hand: a plane of two scores, and estimates with intervals. Colours come from the style
 * sheet, so that they follow the page's theme; `standalone` writes them into a copy for export. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const NS = "http://www.w3.org/2000/svg";
  const WIDTH = 640;
  const HEIGHT = 380;
  const MARGIN = { top: 28, right: 16, bottom: 44, left: 50 };

  function node(name, attributes = {}, text) {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined)
        element.setAttribute(key, typeof value === "number" ? round(value) : value);
    }
    if (text !== undefined) element.textContent = text;
    return element;
  }

  const round = (v) => Math.round(v * 100) / 100;

  /* Even, round ticks over a range. */
  function ticks(low, high, most) {
    const raw = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw);
    const found = [];
    for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step)
      found.push(Number(v.toPrecision(12)));
    return found;
  }

  /* An empty chart with axes: {svg, x, y, layer}; x and y map values to places. */
  function frame({ title, description, x, y, height = HEIGHT }) {
    const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", class: "dash-chart" });
    svg.append(node("title", {}, title), node("desc", {}, description));
    const right = WIDTH - MARGIN.right;
    const bottom = height - MARGIN.bottom;
    const scale = (range, from, to) => {
      const f = range.log ? Math.log10 : (v) => v;
      const [a, b] = [f(range.low), f(range.high)];
      return (v) => from + ((f(v) - a) / (b - a || 1)) * (to - from);
    };
    const [sx, sy] = [scale(x, MARGIN.left, right), scale(y, bottom, MARGIN.top)];
    const axes = node("g", { class: "dash-axes" });
    for (const v of x.ticks || ticks(x.low, x.high, 8)) {
      axes.append(node("line", { x1: sx(v), x2: sx(v), y1: bottom, y2: bottom + 4, class: "tick" }));
      const lines = x.format ? x.format(v) : [String(v)];
      lines.forEach((text, i) =>
        axes.append(node("text", { x: sx(v), y: bottom + 18 + 16 * i, "text-anchor": "middle" }, text)),
      );
    }
    for (const v of ticks(y.low, y.high, 5)) {
      axes.append(node("line", { x1: MARGIN.left, x2: right, y1: sy(v), y2: sy(v), class: "grid" }));
      axes.append(
        node("text", { x: MARGIN.left - 6, y: sy(v) + 4, "text-anchor": "end" }, String(v).replace("-", "\u2212")),
      );
    }
    axes.append(node("text", { x: right, y: height - 8, "text-anchor": "end", class: "name" }, x.name));
    axes.append(node("text", { x: 4, y: 17, class: "name" }, y.name));
    const clip = `clip-${(frame.count = (frame.count || 0) + 1)}`;
    const window_ = node("clipPath", { id: clip });
    window_.append(
      node("rect", { x: MARGIN.left, y: MARGIN.top, width: right - MARGIN.left, height: bottom - MARGIN.top }),
    );
    const layer = node("g", { "clip-path": `url(#${clip})` });
    const labels = node("g", {});
    svg.append(window_, axes, layer, labels);
    return { svg, x: sx, y: sy, layer, labels, right, bottom };
  }

  const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${round(x)} ${round(y)}`).join("");

  /* Low and high of some values with a margin, kept within 0 to 100 for scores. */
  function range(values, { pad = 0.08, low = -Infinity, high = Infinity, least = 1 } = {}) {
    const known = values.filter((v) => Number.isFinite(v));
    const [a, b] = [Math.min(...known), Math.max(...known)];
    const margin = Math.max((b - a) * pad, least);
    return { low: Math.max(a - margin, low), high: Math.min(b + margin, high) };
  }

  function point(chart, x, y, attributes, title) {
    const mark = node("circle", { cx: chart.x(x), cy: chart.y(y), r: 4, ...attributes });
    if (title) mark.append(node("title", {}, title));
    chart.layer.append(mark);
  }

  /* A name beside a point; one that would lie on another name is left out (the point still says it). */
  function label(chart, x, y, text) {
    const wide = 8.5 * text.length;
    const left = chart.x(x) + 8 + wide > chart.right;
    const place = [chart.x(x) + (left ? -8 - wide : 8), chart.y(y) - 20, wide, 17];
    chart.named ??= [];
    if (
      chart.named.some(
        ([a, b, w, h]) => place[0] < a + w && a < place[0] + wide && place[1] < b + h && b < place[1] + 17,
      )
    )
      return;
    chart.named.push(place);
    const attributes = { x: chart.x(x) + (left ? -8 : 8), y: chart.y(y) - 7, "text-anchor": left ? "end" : "start" };
    chart.labels.append(
      node("text", { ...attributes, class: "halo" }, text),
      node("text", { ...attributes, class: "label" }, text),
    );
  }

  /* The plane of two scores: known models in grey, some of them ringed, a curve or a line with its band, and one's own
   * models, each with an interval (low to high) where it has one, `joined` in their order. */
  function plane({ own, known, nearest = [], curve, line, band, joined, names, title, description }) {
    const over = (axis) => ({ ...range([...own, ...known].map((p) => p[axis]), { low: 0, high: 100 }), name: names[axis] });
    const [x, y] = [over("x"), over("y")];
    const chart = frame({ title, description, x, y });
    const along = (f, from = x.low, to = x.high) =>
      Array.from({ length: 61 }, (_, i) => from + ((to - from) * i) / 60).map((v) => [chart.x(v), chart.y(f(v))]);
    const add = (name, attributes) => chart.layer.append(node(name, attributes));
    const dot = (p, attributes) => point(chart, p.x, p.y, attributes, `${p.label ?? p.model}: ${p.x} / ${p.y}`);
    if (band) {
      const [down, up] = [0, 1].map((end) => along((v) => band(v)[end]));
      add("path", { d: `${path([...up, ...down.reverse()])}Z`, class: "prediction" });
    }
    if (line) add("path", { d: path(along(line)), fill: "none", class: "line" });
    for (const p of known) dot(p, { r: 2.6, class: "known" });
    if (curve) add("path", { d: path(along(curve, 0, 100)), fill: "none", class: "curve" });
    for (const p of nearest) dot(p, { r: 4, class: "near" });
    for (const [i, p] of own.slice(1).entries()) {
      const ends = [own[i], p].map((q) => [chart.x(q.x), chart.y(q.y)]);
      if (joined) add("path", { d: path(ends), fill: "none", class: `step ${p.phase ?? ""}` });
    }
    for (const p of own) {
      const place = { x1: chart.x(p.x), x2: chart.x(p.x), y1: chart.y(p.low), y2: chart.y(p.high), class: "interval" };
      if (p.low !== undefined) add("line", place);
      dot(p, { r: 5, class: "own" });
    }
    const ends = [own[0], own[own.length - 1]];
    for (const p of [...ends, ...own.slice(1, -1)]) label(chart, p.x, p.y, p.label);
    return chart.svg;
  }

  /* A name in two lines of about one length, where it has several words; a line that is too long is cut. */
  function twoLines(text) {
    const words = text.split(" ");
    const cuts = words.map((_, i) => [words.slice(0, i).join(" "), words.slice(i).join(" ")]);
    const [best] = cuts.sort((a, b) => Math.max(a[0].length, a[1].length) - Math.max(b[0].length, b[1].length));
    return best.filter(Boolean).map((line) => (line.length > 16 ? `${line.slice(0, 15)}\u2026` : line));
  }

  /* Estimates with intervals in a row: gamma a step, or h a release; bands and a zero line. */
  function intervals({ rows, name, title, description, bands = [], limit = 3 }) {
    const inside = rows.flatMap((r) => [r.value, r.low, r.high]).filter((v) => Number.isFinite(v));
    const reach = range(inside.length ? inside : [0], { least: 0.3 });
    const own = rows.map((r) => r.value).filter((v) => Number.isFinite(v));
    const most = Math.max(limit, ...own.map((v) => 1.3 * Math.abs(v)));
    const y = {
      low: Math.max(Math.min(reach.low, -0.3), -most),
      high: Math.min(Math.max(reach.high, 0.3), most),
      name,
    };
    const at = (i) => i + 1;
    // So many names fit side by side on a phone; the others are in the table below and in each point's own title.
    const labels = rows.map((row) => twoLines(row.label));
    const wide = Math.max(...labels.flat().map((text) => text.length));
    const every = Math.ceil(rows.length / Math.max(1, Math.floor((WIDTH - MARGIN.left) / (10.5 * (wide + 1)))));
    const named = rows.map((_, i) => i).filter((i) => (rows.length - 1 - i) % every === 0);
    const chart = frame({
      title,
      description,
      y,
      height: 300,
      x: { low: 0.5, high: rows.length + (bands.length ? 0.9 : 0.5), ticks: named.map(at), format: (v) => labels[v - 1], name: "" },
    });
    for (const b of bands) {
      const [low, high] = [Math.max(b.low, y.low), Math.min(b.high, y.high)];
      if (low >= high) continue;
      const place = {
        x: chart.x(0.5),
        width: chart.right - chart.x(0.5),
        y: chart.y(high),
        height: chart.y(low) - chart.y(high),
      };
      chart.layer.append(node("rect", { ...place, class: `band ${b.phase}` }));
      chart.labels.append(
        node(
          "text",
          { x: chart.right - 4, y: chart.y((low + high) / 2) + 4, "text-anchor": "end", class: "band-name" },
          b.phase,
        ),
      );
    }
    chart.layer.append(
      node("line", { x1: chart.x(0.5), x2: chart.right, y1: chart.y(0), y2: chart.y(0), class: "zero" }),
    );
    rows.forEach((r, i) => {
      const place = { x1: chart.x(at(i)), x2: chart.x(at(i)), class: `interval ${r.phase || ""}` };
      const stretch = (low, high) =>
        chart.layer.append(node("line", { ...place, y1: chart.y(low), y2: chart.y(high) }));
      if (r.shape === "any") stretch(y.low, y.high);
      else if (r.shape === "gap") {
        stretch(y.low, Math.max(r.high, y.low));
        stretch(Math.min(r.low, y.high), y.high);
      } else if (r.shape === "bounded") stretch(Math.max(r.low, y.low), Math.min(r.high, y.high));
      if (Number.isFinite(r.value))
        point(chart, at(i), r.value, { r: 5, class: r.known ? "near" : `own ${r.phase || ""}` }, r.title);
    });
    return chart.svg;
  }

  const STYLES = `fill stroke stroke-width stroke-dasharray opacity fill-opacity font-family font-size font-weight
    paint-order`.split(/\s+/);

  /* A copy of a chart with its colours written in: text of an SVG file. */
  function standalone(svg) {
    const copy = svg.cloneNode(true);
    const [from, to] = [svg, copy].map((s) => [s, ...s.querySelectorAll("*")]);
    from.forEach((element, i) => {
      const style = root.getComputedStyle(element);
      for (const name of STYLES) to[i].setAttribute(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", NS);
    copy.setAttribute("width", WIDTH);
    const paper = root.getComputedStyle(svg.closest(".cape-dash")).getPropertyValue("--dash-paper").trim() || "#ffffff";
    copy.insertBefore(node("rect", { width: "100%", height: "100%", fill: paper }), copy.firstChild);
    return new XMLSerializer().serializeToString(copy);
  }

  Cape.draw = { plane, intervals, standalone, WIDTH };
})(window);

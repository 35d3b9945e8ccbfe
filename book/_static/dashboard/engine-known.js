/* One model, frontier releases, a model of today: each held against what is known of others. Gives what
 * cape_lib.dashboard.known reads from cape_lib.base and cape_lib.frontier. */
"use strict";
{
  const N = Cape.numbers;
  const W = Cape.wording;
  const count = (rows, test) => rows.filter(test).length;
  const byDistance = (a, b) => a.distance - b.distance || (a.model < b.model ? -1 : 1);
  const records = ({ columns, rows }) => rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));

  /* ---- one model: what a single size can say, which is not a phase ---- */

  const PAIR = ["hellaswag", "truthfulqa"];
  const TYPICAL_GAMMA = 0.3;
  const FAR = 9;

  function diagnoseModel(model) {
    const { kit } = Cape;
    const comparable = (model.metric || "mc2") !== "mc1";
    const { params_b: size, hellaswag, truthfulqa } = model;
    const trend = Object.fromEntries(PAIR.map((name) => [name, residual(kit.trends[name], size, model[name])]));
    const [noiseX, noise] = PAIR.map((name) => 1.96 * N.scoreSd(model[name], kit.items[name]));
    const gap = Math.SQRT2 * noise;
    const seen = (kit.seen * gap) / 1.96;
    const diagnosis = {
      kind: "model",
      phase: null,
      name: model.model || "This model",
      ...{ params_b: size, hellaswag, truthfulqa, comparable, trend, noise },
      curve: readCurve(hellaswag, truthfulqa),
      steps: baseRates(size),
      nearest: comparable ? neighbours(model) : [],
      second: { dy: gap, dx: gap / TYPICAL_GAMMA, dx_least: Math.SQRT2 * noiseX },
    };
    const facts = {
      residual_size: Math.abs(trend.truthfulqa.residual),
      token_edge: kit.token_edge,
      typical: TYPICAL_GAMMA,
      seen: { dy: seen, dx: seen / TYPICAL_GAMMA },
      shots: Object.fromEntries(PAIR.map((name) => [name, model[`${name}_shots`] ?? null])),
      swapped: perhapsSwapped([[size, hellaswag, truthfulqa]]),
    };
    const result = W.answered(diagnosis, facts);
    if (!comparable) result.advice = [];
    return result;
  }

  /* Score less the web-trained trend at this size, with where one more web-trained model would lie around it. */
  function residual(trend, size, score) {
    const { n, low_b, high_b } = trend;
    const u = Math.log10(size) - trend.mean_log;
    const at = [1, u, u * u];
    const expected = N.dot(at, trend.coefficients);
    const spread = N.dot(at, trend.inverse.map((row) => N.dot(row, at)));
    const half = trend.t95 * trend.residual_sd * Math.sqrt(1 + spread);
    const off = score - expected;
    return {
      ...{ expected, residual: off, half, interval: W.interval(off - half, off + half) },
      outside: Math.abs(off) > half,
      z: off / (half / trend.t95),
      n,
      within_range: low_b <= size && size <= high_b,
      ...{ low_b, high_b },
    };
  }

  /* Whether [size, HellaSwag, TruthfulQA] rows lie far from the web trends as given and near them when exchanged. */
  function perhapsSwapped(rows) {
    const { trends } = Cape.kit;
    const z = (row, place) => place.map((i, k) => residual(trends[PAIR[k]], row[0], row[i]).z ** 2);
    const distance = (place) => N.mean(rows.flatMap((row) => z(row, place)));
    return distance([1, 2]) > FAR && distance([2, 1]) < distance([1, 2]) / 4;
  }

  /* Wilson's interval of k of n; both may be broken numbers. */
  function wilson(k, n, z) {
    if (n <= 0) return [0, 1];
    const [z2, share] = [z * z, k / n];
    const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
    const half = Math.sqrt(z2 * ((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
    return [k === 0 ? 0 : middle - half, k === n ? 1 : middle + half];
  }

  /* Interval of a share of yes where answers of one family may be alike: stats.clustered_share. */
  function clusteredShare(hits, families) {
    const { least_clusters, z95, t95 } = Cape.kit;
    const n = hits.length;
    const share = N.mean(hits.map(Number));
    const away = Map.groupBy(hits.map((hit, i) => [families[i], hit - share]), ([family]) => family);
    const sums = [...away.values()].map((rows) => N.sum(rows.map(([, off]) => off)));
    const groups = sums.length;
    if (groups < least_clusters) return wilson(count(hits, Boolean), n, z95);
    const variance = ((groups / (groups - 1)) * N.dot(sums, sums)) / (n * n);
    const plain = (share * (1 - share)) / n;
    const effect = plain > 0 ? Math.max(1, variance / plain) : 1;
    return wilson((share * n) / effect, n / effect, t95[groups - 1]);
  }

  /* Of the known steps near a size: how many are a tax and how many negative, by the tokens of their families. */
  function baseRates(size) {
    const { near: factor, token_edge, steps } = Cape.kit;
    const near = steps.filter((s) => size / factor <= s.size_b && s.size_b <= size * factor);
    const known = near.filter((s) => s.tokens_b !== null);
    const sides = {
      "": near,
      few_: known.filter((s) => s.tokens_b < token_edge),
      many_: known.filter((s) => s.tokens_b >= token_edge),
    };
    const isTax = (s) => s.phase === "tax";
    const counts = Object.entries(sides).flatMap(([side, rows]) => [
      [`${side}n`, rows.length],
      [`${side}tax`, count(rows, isTax)],
      [`${side}negative`, count(rows, (s) => s.gamma !== null && s.gamma < 0)],
    ]);
    return {
      low_b: size / factor,
      high_b: size * factor,
      share: near.length ? count(near, isTax) / near.length : null,
      interval: W.interval(...clusteredShare(near.map(isTax), near.map((s) => s.family))),
      ...Object.fromEntries(counts),
    };
  }

  /* The papers' curve at this HellaSwag score, what its two readings say, and how often each is right. */
  function readCurve(x, y) {
    const { ratio, readings } = Cape.kit;
    const critical = isocline(ratio, x);
    const above = y > critical;
    const sides = ["together", "against each other"];
    const [stated, reversed] = above ? sides : sides.reverse();
    return { ratio, critical, margin: y - critical, above, stated, reversed, record: readings };
  }

  const isocline = (ratio, x) => 100 * Math.sqrt((ratio * x) / 100);

  /* The known models nearest in log10 size, HellaSwag and TruthfulQA, each divided by its spread. */
  function neighbours(model) {
    const { base } = Cape.kit;
    const place = (row) => [Math.log10(row.params_b), ...PAIR.map((name) => row[name])];
    const distance = (row) => Math.hypot(...place(row).map((v, i) => (v - place(model)[i]) / base.spreads[i]));
    const near = records(base).map((r) => ({ ...r, source: base.sources[r.source], distance: distance(r) }));
    return near.sort(byDistance).slice(0, 5);
  }

  /* ---- releases: h, the curves, the lab's trajectory, saturation ---- */

  const [X, Y] = ["swe_bench_verified", "gpqa_diamond"];
  const AXES = [[X, Y], [X, "hle"], [Y, "hle"], [Y, "ifeval"]];
  const TOP = 5;
  const ROTATE_BELOW = 0.2;

  function diagnoseRelease(releases, { line: name = "frozen", lab = null } = {}) {
    const { releases: known, lines, curve } = Cape.kit.frontier;
    const line = lines[name];
    const rows = releases.map((row) => {
      const [ordinary_low, ordinary_high] = ordinary(line, row[X]);
      return { ...readRelease(row, line), ordinary_low, ordinary_high };
    });
    const last = rows.at(-1);
    const trail = trajectory(rows, line, lab);
    const axes = saturation(releases);
    const near = known.filter((row) => row.model !== last.model).map((row) => {
      const { model, lab, date, url, [X]: x, [Y]: y } = row;
      return { model, lab, date, x, y, url, distance: Math.hypot(x - last.x, y - last.y) };
    });
    const nearest = near.sort(byDistance).slice(0, 4);
    const own = { kind: "release", phase: last.phase, line, lab, rows, trajectory: trail, nearest, saturation: axes };
    const scored = axes.filter((axis) => axis.sigma !== null);
    const widest = scored.reduce((best, axis) => (best && best.spread_new >= axis.spread_new ? best : axis), null);
    const [low, high] = intervalOfH(line, last.y, last.x);
    return W.answered(own, {
      h_size: Math.abs(last.h),
      noise95: 1.96 * last.noise_sd,
      widest: widest && { label: Cape.read.label(widest.new), spread: widest.spread_new },
      top: TOP,
      curve,
      swapped: last.outside && low <= 0 && 0 <= high,
    });
  }

  /* A score in percent as an angle, and back: on this scale releases scatter about equally at every level. */
  const angle = (score) => Math.asin(Math.sqrt(N.clamp(score / 100, 0, 1)));
  const percent = (radians) => 100 * Math.sin(N.clamp(radians, 0, Math.PI / 2)) ** 2;
  const lineAt = (line, x) => line.slope * x + line.intercept;
  const hOf = (line, x, y) => y - lineAt(line, x);

  /* How far one new release at x may lie from the line, radians. */
  const reach = (line, x) => line.t * line.scatter * Math.sqrt(1 + 1 / line.n + (x - line.mean_x) ** 2 / line.spread_x);

  /* The range of y in which 95 % of new releases at x fall. */
  const ordinary = (line, x) => [-1, 1].map((side) => percent(angle(lineAt(line, x)) + side * reach(line, x)));

  /* The interval of h; line and end together stay within 0 to 100, unless the line has left the scale. */
  function intervalOfH(line, x, y) {
    const [at, middle, width] = [lineAt(line, x), angle(y), reach(line, x)];
    const low = middle - width <= 0 ? Math.min(at, 0) : percent(middle - width);
    const high = middle + width >= Math.PI / 2 ? Math.max(at, 100) : percent(middle + width);
    return [hOf(line, x, low), hOf(line, x, high)];
  }

  function readRelease(row, line) {
    const { items, frontier, frontier_ratios: ratios } = Cape.kit;
    const [x, y, ifeval] = [row[X], row[Y], row.ifeval ?? null];
    const h = hOf(line, x, y);
    const [low, high] = intervalOfH(line, x, y);
    const outside = low > 0 || high < 0;
    const side = (limit) => (h < -limit ? 0 : h > limit ? 2 : 1);
    const label = (limit, words) => (outside ? words[side(limit)] : "no label");
    const ifeval_critical = isocline(ratios.ifeval, y);
    return {
      model: row.model || "This release",
      date: row.date || null,
      ...{ x, y, expected: lineAt(line, x), h, interval: W.interval(low, high), outside },
      noise_sd: Math.hypot(N.scoreSd(y, items[Y]), line.slope * N.scoreSd(x, items[X])),
      phase: label(frontier.excursion, ["coding-specialist excursion", "cooperative", "reasoning-specialist"]),
      emphasis: label(frontier.balanced, ["coding-rich", "balanced", "reasoning-rich"]),
      gpqa_critical: isocline(ratios[Y], x),
      ...{ ifeval, ifeval_critical, ifeval_above: ifeval === null ? null : ifeval >= ifeval_critical },
    };
  }

  /* The kind of each release in a series of h: beyond the threshold the next release decides. */
  function classify(h, threshold) {
    const kinds = h.map((_, t) => (t ? "noise" : "first"));
    for (let t = 1; t < h.length; t++) {
      if (Math.abs(h[t] - h[t - 1]) <= threshold || kinds[t] === "return") continue;
      if (t + 1 === h.length) kinds[t] = "open";
      else if (Math.abs(h[t + 1] - h[t - 1]) >= Math.abs(h[t + 1] - h[t])) kinds[t] = "step";
      else [kinds[t], kinds[t + 1]] = ["excursion", "return"];
    }
    return kinds;
  }

  /* Middle of the period that "2025", "2025-03" or "2025-03-26" names, in days since 1970. */
  function middleDay(date) {
    const [year, month, day] = date.split("-").map(Number);
    const start = Date.UTC(year, (month || 1) - 1, day || 1) / 864e5;
    const end = day ? start + 1 : (month ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1)) / 864e5;
    return start + Math.ceil((end - start) / 2) - 1;
  }

  /* The lab's known releases up to the first given one, then those given, with the change and the kind of each. */
  function trajectory(rows, line, lab) {
    const { releases } = Cape.kit.frontier;
    const own = new Set(rows.map((row) => row.model));
    const itself = releases.find((row) => row.model === rows[0].model);
    const limit = rows[0].date ? middleDay(rows[0].date) : (itself?.day ?? Infinity);
    const earlier = releases.filter((row) => row.lab === lab && !own.has(row.model) && row.day <= limit);
    const trail = [...earlier.map((row) => ({ ...readRelease(row, line), known: true })), ...rows];
    const { change_limits: limits } = line;
    const scatter = trail.length > 1 ? limits[Math.min(trail.length, limits.length - 1)] : null;
    const kinds = classify(trail.map((row) => row.h), scatter);
    return trail.map(({ model, date, h, interval, known = false, noise_sd }, i) => ({
      ...{ model, date, h, interval, known },
      change: i ? h - trail[i - 1].h : null,
      change_noise: i ? 1.96 * Math.hypot(noise_sd, trail[i - 1].noise_sd) : null,
      limit: scatter,
      kind: kinds[i],
    }));
  }

  /* sigma = spread of the old axis / spread of the new one among the top five by the old. */
  function saturation(releases) {
    const own = new Set(releases.map((row) => row.model));
    const rows = [...Cape.kit.frontier.releases.filter((row) => !own.has(row.model)), ...releases];
    const name = (row) => row.model || "";
    return AXES.map(([old, fresh]) => {
      const both = rows.filter((row) => [old, fresh].every((axis) => row[axis] !== null && row[axis] !== undefined));
      const top = [...both].sort((a, b) => b[old] - a[old] || (name(a) < name(b) ? -1 : 1)).slice(0, TOP);
      const none = { old, new: fresh, n: both.length, sigma: null, spread_old: null, spread_new: null, rotate: null };
      if (top.length < TOP) return { ...none, models: [] };
      const [spread_old, spread_new] = [old, fresh].map((axis) => {
        const v = top.map((row) => row[axis]);
        return Math.max(...v) - Math.min(...v);
      });
      const sigma = spread_new ? spread_old / spread_new : null;
      const rotate = sigma !== null && sigma < ROTATE_BELOW;
      return { ...none, sigma, spread_old, spread_new, rotate, models: top.map((row) => row.model || "This release") };
    });
  }

  /* ---- a model of today among the variants of one laboratory ---- */

  const [KNOWS, ADMITS] = ["omniscience_accuracy", "omniscience_non_hallucination"];
  const PLACE = [Y, KNOWS, ADMITS];
  const [WIDTH, FEWEST, ALIKE, NEAREST] = [5, 10, 2, 5];

  /* What follows from the three scores: wrong share and precision. */
  function read(row) {
    const [a, q] = [row[KNOWS] / 100, row[ADMITS] / 100];
    const wrong = 100 * (1 - q) * (1 - a);
    const answered = a * 100 + wrong;
    return { ...row, wrong, precision: answered > 0 ? (100 * a * 100) / answered : null };
  }

  /* Standard deviations of the scores by their questions; of the share admitted only those not answered right count. */
  function noise(row) {
    const { items, today } = Cape.kit;
    const asked = (share) => Math.max(share * today.questions, 1);
    return {
      [Y]: N.scoreSd(row[Y], items[Y]),
      [ADMITS]: N.scoreSd(row[ADMITS], asked(1 - row[KNOWS] / 100)),
      wrong: N.scoreSd(row.wrong, asked(1)),
    };
  }

  const knownVariants = () => records(Cape.kit.today).map(read);

  const plain = ({ model, lab = null, mode = null, params_b = null, wrong, precision, ...row }) => ({
    ...{ model, lab, mode, params_b },
    ...Object.fromEntries(PLACE.map((name) => [name, row[name]])),
    ...{ wrong, precision },
  });

  function diagnoseToday(rows, { mode = null, generation = null } = {}) {
    const usual = (i) => (rows.length === 1 ? "This model" : `Effort ${i + 1}`);
    const own = rows.map((row, i) => read({ ...row, model: row.model || usual(i) }));
    const last = own.at(-1);
    const names = new Set(own.map((row) => row.model));
    const peers = knownVariants().filter((row) => !names.has(row.model) && (mode === null || row.mode === mode));
    const away = (row) => Math.sqrt(N.sum(PLACE.map((name) => (row[name] - last[name]) ** 2)));
    const nearest = peers.map((row) => ({ ...plain(row), distance: away(row) })).sort((a, b) => a.distance - b.distance);
    const family = peers.filter((row) => row.generation === generation);
    const ladder = generation === null ? null : family.map((row) => ({ ...plain(row), ran_out: row.ran_out }));
    const change = own.length > 1 ? difference(own[0], last) : null;
    const beside = amongEquals(peers, last);
    const diagnosis = { kind: "today", phase: null, mode, generation, rows: own.map(plain), beside, ladder, change };
    diagnosis.nearest = nearest.slice(0, NEAREST);
    const fell = change !== null && change[ADMITS] < -change.noise[ADMITS];
    return W.answered(diagnosis, { ...Cape.kit.today.facts, family: ofFamily(last, family), fell });
  }

  /* Its place, in percent that lie lower, among those within some points of its GPQA, at least ten of them. */
  function amongEquals(peers, last) {
    let width = WIDTH;
    const within = () => peers.filter((row) => Math.abs(row[Y] - last[Y]) <= width);
    while (within().length < FEWEST) width += WIDTH;
    const near = within();
    const sd = noise(last);
    const place = (column) => {
      const below = (shift) => (100 * count(near, (row) => row[column] < last[column] + shift)) / near.length;
      return { below: below(0), low: below(-1.96 * sd[column]), high: below(1.96 * sd[column]) };
    };
    const size = last.params_b ?? null;
    const alike = near.filter((r) => r.params_b !== null && r.params_b >= size / ALIKE && r.params_b <= size * ALIKE);
    return {
      n: near.length,
      width,
      models: new Set(near.map((row) => row.weights)).size,
      labs: new Set(near.map((row) => row.lab)).size,
      admits: place(ADMITS),
      wrong: place("wrong"),
      sized: size === null ? null : { n: alike.length, below: count(alike, (row) => row[ADMITS] < last[ADMITS]) },
    };
  }

  /* Last effort less the first, points, and what question noise alone may do to it. */
  function difference(first, last) {
    const [before, after] = [noise(first), noise(last)];
    const less = (name) => [name, last[name] - first[name]];
    const half = (name) => [name, 1.96 * Math.hypot(before[name], after[name])];
    return {
      ...Object.fromEntries([...PLACE, "wrong"].map(less)),
      noise: Object.fromEntries([Y, ADMITS, "wrong"].map(half)),
    };
  }

  /* What the sentences on its family speak of: how many are lower, and smallest beside largest size. The known variants
   * stand in order of size, and of one size in that of GPQA, whose best counts. */
  function ofFamily(last, family) {
    const sized = family.filter((row) => row.params_b !== null && !row.ran_out);
    const facts = {
      n: family.length,
      sizes: new Set(sized.map((row) => row.params_b)).size,
      admits: count(family, (row) => row[ADMITS] < last[ADMITS]),
      wrong: count(family, (row) => row.wrong < last.wrong),
    };
    if (!sized.length) return facts;
    const [low, high] = [sized.findLast((row) => row.params_b === sized[0].params_b), sized.at(-1)];
    const d = Object.fromEntries([Y, ADMITS, "wrong"].map((name) => [name, high[name] - low[name]]));
    return { ...facts, smallest: low.params_b, largest: high.params_b, d };
  }

  Object.assign(Cape, { diagnoseModel, diagnoseRelease, diagnoseToday, ordinary, isocline, perhapsSwapped, knownVariants });
  Cape.knownModels = () => records(Cape.kit.base);
}

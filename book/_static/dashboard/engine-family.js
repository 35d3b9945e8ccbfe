/* A family, or any two benchmarks: every step, the whole ladder, where it might turn and go, what would settle it. Along
 * another axis than size it is a path, and nothing here speaks of sizes. Gives what cape_lib.dashboard.one_family reads
 * from cape_lib.base.coupling, boundary and dynamics. */
"use strict";
{
  const A = Cape.axes;
  const N = Cape.numbers;
  const W = Cape.wording;
  const [TAX, BONUS] = [-0.1, 0.1];
  const SETTLED = 0.975;
  const MOST_QUESTIONS = 1000;
  const MOST_SIZES = 1000;
  const LEAST_ROWS = 6;
  const LEAST_SIZES = 3;
  const SURE = 0.95;
  const FLAT = 1e-6;
  const ILL_CONDITIONED = 1e3;
  const STEEPEST = 100;
  const ROUNDING = 1e-9;
  const SIZE = { name: "params", column: "params_b", scale: "log" };
  const isKnown = (value) => value !== null && value !== undefined;
  const steps = (v) => v.slice(1).map((item, i) => item - v[i]);

  function diagnoseFamily(rows, options = {}) {
    const { x = "hellaswag", y = "truthfulqa", at = null, items = {}, axis = "params" } = options;
    const { kit } = Cape;
    const sized = axis === "params";
    const by = sized ? "params_b" : A.named(axis).column;
    const frame = rows.filter((row) => [x, y, by].every((name) => isKnown(row[name]))).sort((a, b) => a[by] - b[by]);
    const along = sized ? SIZE : A.settled(A.ofRows(axis, frame), frame);
    const places = frame.map((row) => row[by]);
    const noise = (row, name) => W.number(row[`${name}_stderr`] ?? N.scoreSd(row[name], kit.items[name] ?? items[name]));
    const points = frame.map((row) => ({
      model: row.model && row.model.trim() ? row.model : sized ? W.shown(row[by], "B") : "",
      [by]: A.value(along, row[by]),
      x: row[x],
      y: row[y],
      x_sd: noise(row, x),
      y_sd: noise(row, y),
    }));
    const last = points.length - 1;
    const step = (i, k, count) => ({ ...ends(along, points, places, i, k), ...change(points[i], points[k], count) });
    const all = points.slice(1).map((_, i) => step(i, i + 1, last));
    const labels = Object.fromEntries([x, y].map((name) => [name, Cape.read.label(name)]));
    const result = {
      kind: !sized ? "path" : x === "hellaswag" && y === "truthfulqa" ? "family" : "pair",
      phase: all.at(-1).phase,
      x,
      y,
      n: points.length,
      labels,
      runs: [x, y].filter((name) => frame.every((row) => row[`${name}_noise`] === kit.between_runs)),
      whole: { ...step(0, last, 1), ...halves(points[0], points[last]) },
      steps: all,
      [sized ? "sizes" : "points"]: points,
      ...correlations(points, along),
      boundary: boundary(points, places, along, labels[y]),
      forecast: forecast(points, places, along, at),
    };
    if (sized) result.dimension = dimension(frame, x, y);
    else {
      const { name, column, unit, scale, serial } = along;
      Object.assign(result, { axis: name, column, unit, scale, serial, strangers: null });
    }
    result.power = power(points, result);
    return W.answered(result, { ...factsOf(frame, result), ...(sized ? ofSizes(result) : ofPath(result, places, along)) });
  }

  /* ---- steps ---- */

  /* Where a step begins and ends: by the names of two models and their sizes, or by two places in words. */
  function ends(along, points, places, i, k) {
    const [low, high] = [places[i], places[k]];
    const middle = A.middle(along, low, high);
    if (along === SIZE) {
      return { smaller: points[i].model, larger: points[k].model, low_b: low, high_b: high, mid_b: middle };
    }
    const [from, to, mid] = [low, high, middle].map((value) => A.value(along, value));
    return { first: A.shown(along, low), last: A.shown(along, high), from, to, mid };
  }

  /* P(gamma < 0) beyond which one of so many steps is settled (Bonferroni's share), and whether it is. */
  const isSettled = (p, count) => p > 1 - (1 - SETTLED) / count || p < (1 - SETTLED) / count;
  /* The variances of the changes in x and y between two points. */
  const variances = (a, b) => ["x_sd", "y_sd"].map((name) => (a[name] ?? NaN) ** 2 + (b[name] ?? NaN) ** 2);

  /* One of so many steps between two points: gamma with Fieller's interval and the exact probability of each phase. */
  function change(first, last, count) {
    const [dx, dy] = [last.x - first.x, last.y - first.y];
    const [varX, varY] = variances(first, last);
    const gamma = dx === 0 ? NaN : dy / dx;
    const [tax, zero, bonus] = [TAX, 0, BONUS].map((end) => N.ratioBelow(end, dy, dx, varY, varX));
    return {
      dx,
      dy,
      gamma: W.number(gamma),
      p_negative: W.number(zero),
      p_tax: W.number(tax),
      p_transition: W.number(N.clamp(bonus - tax, 0, 1)),
      p_bonus: W.number(1 - bonus),
      interval: W.interval(...N.fieller(dy, dx, varY, varX)),
      phase: Number.isNaN(gamma) ? "undefined" : gamma < TAX ? "tax" : gamma > BONUS ? "bonus" : "transition",
      settled: isSettled(zero, count),
    };
  }

  /* Half of the 95 % intervals of both changes, and dy in standard errors. */
  function halves(first, last) {
    const [sdX, sdY] = variances(first, last).map(Math.sqrt);
    const [dx_half, dy_half] = [sdX, sdY].map((sd) => W.number(Cape.kit.z95 * sd));
    return { dx_half, dy_half, z: W.number(sdY > 0 ? (last.y - first.y) / sdY : NaN) };
  }

  /* ---- over all points ---- */

  /* r over the points; two points always lie on a line, so that takes three. */
  function correlation(points) {
    const n = points.length;
    const r = n > 2 ? N.pearson(...["x", "y"].map((name) => points.map((p) => p[name]))) : NaN;
    return { estimate: W.number(r), interval: W.interval(...N.fisher(r, n)), n };
  }

  /* r of the levels; for one run that of its changes, with that of the levels beside it. */
  function correlations(points, along) {
    const levels = { ...correlation(points), ...(along === SIZE ? {} : { of: "levels" }) };
    if (!along.serial) return { r: levels };
    const changes = points.slice(1).map((p, i) => ({ x: p.x - points[i].x, y: p.y - points[i].y }));
    return { r: { ...correlation(changes), of: "changes" }, r_levels: levels };
  }

  /* Eigenvalues and vectors of the family's own covariance; d_eff only from six sizes on. */
  function dimension(rows, x, y) {
    const known = Cape.kit.base_benchmarks.filter((name) => rows.every((row) => isKnown(row[name])));
    const benchmarks = known.includes(x) && known.includes(y) ? known : [x, y];
    const n = rows.length;
    const scores = benchmarks.map((name) => rows.map((row) => row[name]));
    const centred = scores.map((v) => v.map((item) => item - N.mean(v)));
    const axes = N.eigen(centred.map((a) => centred.map((b) => N.dot(a, b) / (n - 1))));
    const values = axes.values.map((v) => Math.max(v, 0));
    const total = N.sum(values);
    const varies = total > (1e-12 * Math.max(1, ...scores.flat().map(Math.abs))) ** 2;
    const real = values.map((v) => v > 1e-9 * total);
    return {
      n,
      benchmarks,
      estimate: n >= LEAST_ROWS && varies ? (total * total) / N.dot(values, values) : null,
      least: LEAST_ROWS,
      eigenvalues: values.map((v, i) => (real[i] ? v : 0)),
      vectors: axes.vectors.map((v, i) => (real[i] ? v : null)),
      most: Math.min(benchmarks.length, n - 1),
    };
  }

  /* What would settle the sign of the last step, and over sizes that of r, if the values seen are the true ones. */
  function power(points, { kind, r, steps: all }) {
    const last = all.at(-1);
    const settle = {
      questions: questions(last, variances(...points.slice(-2)), all.length),
      settled: last.settled,
      most_questions: MOST_QUESTIONS,
    };
    if (kind === "path") return settle;
    const size = Math.abs(r.estimate);
    const needed = size === 1 ? 4 : Math.max(Math.ceil((1.959963984540054 / Math.atanh(size)) ** 2 + 3), 4);
    const sizes = r.estimate && needed <= MOST_SIZES ? needed : null;
    return { ...settle, sizes, most_sizes: MOST_SIZES, boundary: kind === "family" ? dip(points, Cape.kit.power) : null };
  }

  /* How many times the questions settle a step, the least that does; null where so many do not. */
  function questions({ dy, dx }, [varX, varY], count) {
    if (Number.isNaN(varX + varY) || dx === 0 || dy === 0) return null;
    let [low, high] = [1, MOST_QUESTIONS + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (isSettled(N.ratioBelow(0, dy, dx, varY / middle, varX / middle), count)) high = middle;
      else low = middle + 1;
    }
    return low <= MOST_QUESTIONS ? low : null;
  }

  /* How often a dip as deep as this family's parabola is called a boundary; null without a dip or with few sizes. */
  function dip(sizes, table) {
    const t = sizes.map((s) => Math.log10(s.params_b));
    if (t.length < table.sizes[0]) return null;
    const depth = parabola(t, sizes.map((s) => s.y)).curvature * ((t.at(-1) - t[0]) / 2) ** 2;
    if (!(depth > FLAT)) return null;
    const nearest = (values, value) => {
      const away = values.map((one) => Math.abs(Math.log(value / one)));
      return away.indexOf(Math.min(...away));
    };
    const [row, column] = [nearest(table.sizes, t.length), nearest(table.depths, depth)];
    const share = { questions: table.questions[row][column], four: table.four[row][column] };
    return { depth, near_sizes: table.sizes[row], near_depth: table.depths[column], ...share };
  }

  /* ---- where it turns ---- */

  /* Quadratic of y in t: curvature, slope and centre, by central moments. */
  function parabola(t, y) {
    const middle = N.mean(t);
    const scale = t.at(-1) - t[0] || 1;
    const u = t.map((item) => (item - middle) / scale);
    const [m1, m2, m3, m4] = [1, 2, 3, 4].map((k) => N.mean(u.map((item) => item ** k)));
    const [y0, y1, y2] = [0, 1, 2].map((k) => N.mean(u.map((item, i) => item ** k * y[i])));
    const c2 = m2 - m1 ** 2;
    const c3 = m3 - 3 * m1 * m2 + 2 * m1 ** 3;
    const c4 = m4 - 4 * m1 * m3 + 6 * m1 ** 2 * m2 - 3 * m1 ** 4;
    const vy = y1 - m1 * y0;
    const wy = y2 - 2 * m1 * y1 + m1 ** 2 * y0 - c2 * y0;
    const determinant = c2 * (c4 - c2 ** 2) - c3 ** 2;
    if (!(determinant > 1e-12 * Math.max(c2, 1e-300) ** 3)) return { curvature: NaN, slope: NaN, centre: middle };
    const curvature = (c2 * wy - c3 * vy) / determinant;
    const slope = (vy - curvature * c3) / c2 / scale;
    return { curvature: curvature / scale ** 2, slope, centre: m1 * scale + middle };
  }

  /* gamma at the mean of the steps, its slope in log10 size, and that mean; NaN where the steps do not tell. */
  function gammaLine(t, x, y) {
    const halfway = t.slice(1).map((item, i) => (item + t[i]) / 2);
    const middle = N.mean(halfway);
    const m = halfway.map((item) => item - middle);
    const [dx, dy] = [steps(x), steps(y)];
    const [s0, s1, s2] = [0, 1, 2].map((k) => N.sum(m.map((v, i) => dx[i] * dx[i] * v ** k)));
    const [r0, r1] = [0, 1].map((k) => N.sum(m.map((v, i) => dx[i] * dy[i] * v ** k)));
    const determinant = s0 * s2 - s1 ** 2;
    if (!(determinant > 1e-12 * s0 * s0)) return { level: NaN, slope: NaN, middle };
    const slope = (s0 * r1 - s1 * r0) / determinant;
    return { level: (r0 - slope * s1) / s0, slope, middle };
  }

  /* The turn where a slope goes from negative to positive; else on which side of the sizes it must lie. */
  function between(start, end, turn) {
    if (Number.isNaN(start + end)) return NaN;
    if (start < 0 && end > 0) return turn;
    return end <= 0 ? Infinity : -Infinity;
  }

  const ESTIMATORS = {
    vertex(t, x, y) {
      const { slope, curvature, centre } = parabola(t, y);
      const [start, end] = [t[0], t.at(-1)].map((at) => slope + 2 * curvature * (at - centre));
      return between(start, end, centre - slope / (2 * curvature));
    },
    zero_crossing(t, x, y) {
      const { level, slope, middle } = gammaLine(t, x, y);
      const [start, end] = [t[0], t.at(-1)].map((at) => level + slope * (at - middle));
      return between(start, end, middle - level / slope);
    },
    minimum_size(t, x, y) {
      const place = y.indexOf(Math.min(...y));
      if (place === t.length - 1) return Infinity;
      return place === 0 ? -Infinity : t[place];
    },
    best_threshold(t, x, y) {
      const dy = steps(y);
      const sign = steps(x).map((item, i) => Math.sign(item * dy[i]));
      const errors = t.map((_, j) => sign.filter((s, i) => (i < j ? s >= 0 : s <= 0)).length);
      const inner = errors.slice(1, -1);
      const [positive, negative] = [errors[0], errors.at(-1)];
      const fewest = Math.min(...inner);
      if (fewest < Math.min(positive, negative)) return N.mean(t.slice(1, -1).filter((_, i) => inner[i] === fewest));
      if (negative < positive) return Infinity;
      return positive < negative ? -Infinity : NaN;
    },
  };

  /* By how much the noise must grow for the curve of an estimator to be a fair account of the scores; 1 or more. */
  function misfit(name, t, x, y, sd) {
    const pulls = []; // residual and variance of each score, or of each step
    if (name === "vertex") {
      const p = parabola(t, y);
      const away = y.map((v, i) => v - p.slope * (t[i] - p.centre) - p.curvature * (t[i] - p.centre) ** 2);
      pulls.push(...away.map((v, i) => [v - N.mean(away), sd[i] ** 2]));
    } else if (name === "zero_crossing") {
      const { level, slope, middle } = gammaLine(t, x, y);
      const gamma = (i) => level + slope * ((t[i] + t[i + 1]) / 2 - middle);
      const dx = steps(x);
      pulls.push(...steps(y).map((v, i) => [v - dx[i] * gamma(i), sd[i] ** 2 + sd[i + 1] ** 2]));
    }
    const freedom = t.length - 3;
    if (freedom < 1 || !pulls.every(([rest, variance]) => Number.isFinite(rest) && variance > 0)) return 1;
    return Math.sqrt(Math.max(1, N.sum(pulls.map(([rest, variance]) => rest ** 2 / variance)) / freedom));
  }

  /* Where each estimator sees a turn (NaN or infinite: nowhere inside), with its interval from noise and misfit, all on
   * the scale of t. points: {x, y, x_sd, y_sd}. */
  function turns(t, points) {
    const scores = ["x", "y"].map((name) => points.map((s) => s[name]));
    const noise = ["x_sd", "y_sd"].map((name) => points.map((s) => s[name]));
    const nothing = { turn: NaN, low: NaN, high: NaN, share: null, verdict: "undecided" };
    const enough = t.length >= LEAST_SIZES && new Set(scores[1]).size > 1;
    const z = enough && noise.flat().every((sd) => sd !== null) ? N.fixedNormals(2 * t.length) : null;
    const entries = Object.entries(ESTIMATORS).map(([name, estimator]) => {
      if (!enough) return [name, nothing];
      const answer = { ...nothing, turn: estimator(t, ...scores) };
      if (!z) return [name, answer];
      const wide = misfit(name, t, ...scores, noise[1]);
      const drawn = z[0].map((_, d) =>
        estimator(t, ...scores.map((v, j) => v.map((score, i) => score + wide * noise[j][i] * z[j * t.length + i][d]))),
      );
      return [name, { ...answer, ...judged(name, t, scores[1], noise[1], answer.turn, drawn) }];
    });
    return Object.fromEntries(entries);
  }

  /* Share of the draws with a turn inside, their interval, and the verdict on the turn. */
  function judged(name, t, y, sd, turn, drawn) {
    const known = drawn.filter((v) => !Number.isNaN(v));
    if (!known.length) return {};
    const share = drawn.filter(Number.isFinite).length / drawn.length;
    let [low, high] = N.percentileInterval(known);
    if (["minimum_size", "best_threshold"].includes(name)) {
      // They answer with a size: what it may be lies between the sizes around it.
      if (Number.isFinite(low)) low = t.findLast((v) => v < low - ROUNDING) ?? low;
      if (Number.isFinite(high)) high = t.find((v) => v > high + ROUNDING) ?? high;
    }
    const inside = share >= SURE && Number.isFinite(low) && Number.isFinite(high);
    if (inside && isCertain(t, y, sd, turn)) return { share, low, high, verdict: "boundary" };
    const nowhere = !Number.isFinite(turn) && share <= 1 - SURE;
    return { share, low, high, ...(nowhere ? { verdict: "no boundary in these sizes" } : {}) };
  }

  /* True where y falls up to the turn and rises from it beyond its noise: p of boundary.turn_p below 1 - SURE. */
  function isCertain(t, y, sd, turn) {
    if (!Number.isFinite(turn)) return false;
    const away = t.map((item) => Math.abs(item - turn));
    const middle = N.clamp(away.indexOf(Math.min(...away)), 1, t.length - 2);
    let square = 0;
    const rises = [[0, middle + 1, 1], [middle, t.length, -1]].map(([from, to, sign]) => {
      const [part, scores, noise] = [t, y, sd].map((v) => v.slice(from, to));
      const u = part.map((v) => v - N.mean(part));
      const rise = N.dot(u, scores);
      const line = (i) => N.mean(scores) + (u[i] * rise) / N.dot(u, u);
      square += N.sum(scores.map((v, i) => (noise[i] > 0 ? ((v - line(i)) / noise[i]) ** 2 : 0)));
      return [sign * rise, N.sum(u.map((v, i) => (v * noise[i]) ** 2))];
    });
    const lines = t.length > 3 ? Math.sqrt(Math.max(1, square / (t.length - 3))) : 1;
    const wide = Math.min(lines, misfit("vertex", t, y, y, sd));
    const limit = N.normalQuantile((1 - SURE) / (t.length - 2));
    return rises.every(([rise, v]) => (v > 0 ? rise / (wide * Math.sqrt(v)) < limit : rise < 0));
  }

  /* Where it turns, by each estimator: of sizes with how often an interval like it is right, of a path in words. */
  function boundary(points, places, along, label) {
    const { promises } = Cape.kit;
    const value = (v) => (v !== null && Number.isFinite(v) && Number.isFinite(A.back(along, v)) ? A.back(along, v) : null);
    const seen = turns(places.map((place) => A.t(along, place)), points);
    const entries = Object.entries(seen).map(([name, { turn, low: from, high: to, share, verdict }]) => {
      const [estimate, low, high] = [turn, from, to].map(value);
      const row = { share, inside: estimate !== null, verdict };
      Object.assign(row, { estimate: A.value(along, estimate), low: A.value(along, low), high: A.value(along, high) });
      if (along === SIZE) return [name, { ...row, promise: promises[name][points.length] ?? promises[name].at(-1) }];
      const side = (v, word) => (v === null ? `${word} every ${along.point}` : A.number(along, v));
      row.text = estimate === null ? "" : `${A.shown(along, estimate)} (${side(low, "before")} to ${side(high, "beyond")})`;
      row.reason = reason({ turn, share, verdict }, places, points, along, label);
      row.verdict = verdict.replace("sizes", along.points);
      return [name === "minimum_size" ? "lowest_point" : name, row];
    });
    return Object.fromEntries(entries);
  }

  /* Why there is a turn or none, in words; the lists are in the view of a path. */
  function reason({ turn, share, verdict }, places, points, along, label) {
    const [first, last] = [places[0], places.at(-1)].map((place) => A.back(along, A.t(along, place)));
    const facts = {
      n: points.length,
      label,
      flat: new Set(points.map((p) => p.y)).size === 1,
      turn: Number.isNaN(turn) ? "none" : Number.isFinite(turn) ? "inside" : turn > 0 ? "after" : "before",
      share,
      verdict,
      without: A.even(100 * (1 - share)),
      ...{ where: A.where(along), stretch: A.between(along, first, last) },
      ...{ first: A.shown(along, first), last: A.shown(along, last), point: along.point, points: along.points },
    };
    return W.text("path", "{@reason}", facts, Cape.kit.views.path);
  }

  /* ---- where it goes ---- */

  function forecast(points, places, along, at) {
    const [first, last] = [places[0], places.at(-1)];
    const place = at ?? A.ahead(along, last, first);
    const start = along === SIZE ? 0 : A.t(along, first);
    const range = along.scale === "log" ? 1 : A.t(along, last) - start;
    const t = [...places, place].map((v) => (A.t(along, v) - start) / range);
    const scores = points.map((p) => [p.x, p.y]);
    const n = points.length;
    const methods = {};
    for (const [name, method] of Object.entries({ persistence: (_, seen) => seen.at(-1), polynomial, ode })) {
      const ahead = method(t.slice(0, n), scores, t[n]);
      const before = n > 2 ? method(t.slice(0, n - 1), scores.slice(0, -1), t[n - 1]) : null;
      const [x, y] = (ahead ?? [null, null]).map(W.number);
      methods[name] = { x, y, held_out: before ? W.number(before[1] - scores[n - 1][1]) : null };
    }
    if (along === SIZE) return { at_b: place, ratio: place / last, methods };
    return { at: A.value(along, place), text: A.shown(along, place), methods };
  }

  function polynomial(t, scores, at) {
    if (t.length < 2) return null;
    const [last, range] = [t.at(-1), t.at(-1) - t[0]];
    const powers = (v) => (t.length >= 4 ? [0, 1, 2] : [0, 1]).map((k) => ((v - last) / range) ** k);
    const { coefficients } = N.leastSquares(t.map(powers), scores);
    return coefficients && N.times([powers(at)], coefficients)[0];
  }

  /* d score / d log10 N = M score + c by least squares on midpoints, carried on from the largest size. */
  function ode(t, scores, at) {
    if (t.length < 4) return null;
    const middle = scores.slice(1).map((row, i) => row.map((v, j) => (v + scores[i][j]) / 2));
    const centre = [0, 1].map((j) => N.mean(middle.map((row) => row[j])));
    const slope = scores.slice(1).map((row, i) => row.map((v, j) => (v - scores[i][j]) / (t[i + 1] - t[i])));
    const about = (row) => [row[0] - centre[0], row[1] - centre[1], 1];
    const { coefficients, condition } = N.leastSquares(middle.map(about), slope);
    if (!coefficients || condition >= ILL_CONDITIONED) return null;
    const system = [0, 1].map((j) => coefficients.map((row) => row[j] * (at - t.at(-1))));
    if (system.some(([x, y]) => Math.abs(x) + Math.abs(y) > STEEPEST)) return null;
    const moved = N.expm([...system, [0, 0, 0]]).map((row) => N.dot(row, about(scores.at(-1))));
    return centre.map((v, j) => moved[j] + v);
  }

  /* ---- what the sentences speak of besides ---- */

  /* Of steps: labels for names, counts. */
  function factsOf(rows, result) {
    const { labels, runs } = result;
    const stated = rows.some((row) => isKnown(row.truthfulqa_stderr));
    const count = (phase) => result.steps.filter((s) => s.phase === phase).length;
    return {
      x: labels[result.x],
      y: labels[result.y],
      counts: { tax: count("tax"), transition: count("transition"), bonus: count("bonus") },
      settled: result.steps.filter((s) => s.settled).length,
      runs_of: runs.map((name) => labels[name]).join(" and "),
      mc2_bound: [result.x, result.y].includes("truthfulqa") && !stated,
    };
  }

  /* Of sizes: the known steps, whether the scores seem swapped. */
  function ofSizes({ kind, sizes }) {
    const { steps: known, dimension: panel } = Cape.kit;
    return {
      known: known.length,
      known_negative: known.filter((s) => s.gamma < 0).length,
      swapped: kind === "family" && Cape.perhapsSwapped(sizes.map((s) => [s.params_b, s.x, s.y])),
      panel,
    };
  }

  /* Of a path: the words of its axis, its two ends, where it turns, what the forecast says. */
  function ofPath(result, places, along) {
    const stretch = A.between(along, places[0], places.at(-1));
    const upper = (text) => text[0].toUpperCase() + text.slice(1);
    const rows = Object.entries(result.boundary);
    const joined = (some) => some.map(([name, row]) => `${row.text} by ${name.replace("_", " ")}`).join("; ");
    const methods = Object.entries(result.forecast.methods).filter(([, row]) => row.y !== null);
    const { noun, path, point, points } = along;
    return {
      ...{ noun, path, point, points, stretch },
      stretch_first: upper(stretch),
      path_first: upper(path),
      where: A.where(along),
      turns: {
        sure: joined(rows.filter(([, row]) => row.verdict === "boundary")),
        inside: joined(rows.filter(([, row]) => row.inside)),
        reason: rows[0][1].reason,
      },
      methods: methods.map(([name, row]) => `${W.shown(row.y, "1")} by ${name}`).join(", "),
    };
  }

  Cape.diagnoseFamily = diagnoseFamily;
}

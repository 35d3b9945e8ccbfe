/* A family, or any two benchmarks of one's own: every step, the whole ladder, what would settle it. Along another axis than
 * size it is a path, and nothing here speaks of sizes. Gives what cape_lib.dashboard.one_family reads from the instruments. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const A = Cape.axes;
  const N = Cape.numbers;
  const W = Cape.wording;
  const [TAX, BONUS] = [-0.1, 0.1];
  const SETTLED = 0.975;
  const MOST_QUESTIONS = 1000;
  const MOST_SIZES = 1000;
  const LEAST_ROWS = 6;
  const SIZE = { name: "params", column: "params_b", scale: "log" };
  const isKnown = (value) => value !== null && value !== undefined;

  function diagnoseFamily(given, options = {}, kit) {
    const { x = "hellaswag", y = "truthfulqa", at = null, items = {}, axis = "params" } = options;
    const sized = axis === "params";
    const by = sized ? "params_b" : A.named(axis).column;
    const frame = given.filter((row) => [x, y, by].every((name) => isKnown(row[name]))).sort((a, b) => a[by] - b[by]);
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
    const step = (i, k, steps) => ({ ...ends(along, points, places, i, k), ...change(points[i], points[k], steps) });
    const steps = points.slice(1).map((_, i) => step(i, i + 1, last));
    const labels = Object.fromEntries([x, y].map((name) => [name, Cape.read.label(name)]));
    const result = {
      kind: !sized ? "path" : x === "hellaswag" && y === "truthfulqa" ? "family" : "pair",
      phase: steps[last - 1].phase,
      x,
      y,
      n: points.length,
      labels,
      runs: [x, y].filter((name) => frame.every((row) => row[`${name}_noise`] === kit.between_runs)),
      whole: { ...step(0, last, 1), ...halves(points[0], points[last], kit.z95) },
      steps,
      [sized ? "sizes" : "points"]: points,
      ...correlations(points, along),
      boundary: boundary(points, places, along, labels[y], kit),
      forecast: forecast(points, places, along, at),
    };
    if (sized) result.dimension = dimension(frame, x, y);
    else {
      const { name, column, unit, scale, serial } = along;
      Object.assign(result, { axis: name, column, unit, scale, serial, strangers: null });
    }
    result.power = power(steps[last - 1], points, result, kit);
    return W.answered(result, { ...factsOf(frame, result), ...(sized ? ofSizes(result, kit) : ofPath(result, places, along)) });
  }

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

  /* P(gamma < 0) beyond which one of so many steps is settled: Bonferroni's share. */
  const settledBeyond = (steps) => 1 - (1 - SETTLED) / steps;
  const variance = (a, b, name) => (a[name] ?? NaN) ** 2 + (b[name] ?? NaN) ** 2;

  /* One of so many steps between two points: gamma with Fieller's interval and the exact probability of each phase. */
  function change(first, last, steps) {
    const limit = settledBeyond(steps);
    const [dx, dy] = [last.x - first.x, last.y - first.y];
    const [varX, varY] = ["x_sd", "y_sd"].map((name) => variance(first, last, name));
    const gamma = dx === 0 ? NaN : dy / dx;
    const [tax, zero, bonus] = [TAX, 0, BONUS].map((end) => N.ratioBelow(end, dy, dx, varY, varX, 0));
    return {
      dx,
      dy,
      gamma: W.number(gamma),
      p_negative: W.number(zero),
      p_tax: W.number(tax),
      p_transition: W.number(N.clamp(bonus - tax, 0, 1)),
      p_bonus: W.number(1 - bonus),
      interval: W.interval(...N.fieller(dy, dx, varY, varX, 0)),
      phase: phase(gamma),
      settled: zero > limit || zero < 1 - limit,
    };
  }

  /* Half of the 95 % intervals of both changes, and dy in standard errors. */
  function halves(first, last, z95) {
    const [sdX, sdY] = ["x_sd", "y_sd"].map((name) => Math.sqrt(variance(first, last, name)));
    return { dx_half: W.number(z95 * sdX), dy_half: W.number(z95 * sdY), z: W.number(sdY > 0 ? (last.y - first.y) / sdY : NaN) };
  }

  function phase(gamma) {
    if (Number.isNaN(gamma)) return "undefined";
    return gamma < TAX ? "tax" : gamma > BONUS ? "bonus" : "transition";
  }

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
    let names = Cape.kit.base_benchmarks.filter((name) => rows.every((row) => isKnown(row[name])));
    if (!names.includes(x) || !names.includes(y)) names = [x, y];
    const n = rows.length;
    const centred = names.map((name) => {
      const v = rows.map((row) => row[name]);
      return v.map((item) => item - N.mean(v));
    });
    const found = N.eigen(centred.map((a) => centred.map((b) => N.dot(a, b) / (n - 1))));
    const values = found.values.map((v) => Math.max(v, 0));
    const total = N.sum(values);
    const squares = N.dot(values, values);
    const known =
      n >= LEAST_ROWS && total > (1e-12 * Math.max(1, ...rows.flatMap((r) => names.map((m) => Math.abs(r[m]))))) ** 2;
    const kept = values.map((v) => v > 1e-9 * total);
    return {
      n,
      benchmarks: names,
      estimate: known ? (total * total) / squares : null,
      least: LEAST_ROWS,
      eigenvalues: values.map((v, i) => (kept[i] ? v : 0)),
      vectors: found.vectors.map((v, i) => (kept[i] ? v : null)),
      most: Math.min(names.length, n - 1),
    };
  }

  /* Where it turns, by each estimator: of sizes with how often an interval like it is right, of a path in words. */
  function boundary(points, places, along, label, kit) {
    const sized = along === SIZE;
    const turns = Cape.estimators.turns(
      places.map((place) => A.t(along, place)),
      points,
    );
    const value = (v) => (v !== null && Number.isFinite(v) && Number.isFinite(A.back(along, v)) ? A.back(along, v) : null);
    const entries = Object.entries(turns).map(([name, { turn, low: from, high: to, share, verdict }]) => {
      const [estimate, low, high] = [turn, from, to].map(value);
      const row = { share, inside: estimate !== null, verdict };
      Object.assign(row, { estimate: A.value(along, estimate), low: A.value(along, low), high: A.value(along, high) });
      if (sized) return [name, { ...row, promise: kit.promises[name][Math.min(points.length, kit.promises[name].length - 1)] }];
      const side = (v, word) => (v === null ? `${word} every ${along.point}` : A.number(along, v));
      row.text = estimate === null ? "" : `${A.shown(along, estimate)} (${side(low, "before")} to ${side(high, "beyond")})`;
      row.reason = reason({ turn, share, verdict }, places, points, along, label);
      row.verdict = verdict.replace("sizes", along.points);
      return [name === "minimum_size" ? "lowest_point" : name, row];
    });
    return Object.fromEntries(entries);
  }

  function reason({ turn, share, verdict }, places, points, along, label) {
    const n = points.length;
    if (n < 3) return `${n} ${along.points} cannot show a turn: it takes 3 to draw one, more to tell it from noise`;
    const [first, last] = [places[0], places[n - 1]].map((place) => A.back(along, A.t(along, place)));
    const between = A.between(along, first, last);
    if (new Set(points.map((p) => p.y)).size === 1) return `${label} is the same at every ${along.point}`;
    let text = `a turn ${A.where(along)}, ${between}`;
    if (Number.isNaN(turn)) text = `${label} has no turn from falling to rising ${between}`;
    else if (turn === Infinity) text = `${label} has not turned up by the last ${along.point}, ${A.shown(along, last)}`;
    else if (turn === -Infinity) {
      text = `${label} rises from the first ${along.point} on, ${A.shown(along, first)}: a turn would lie before it`;
    }
    if (share === null) return `${text}; the noise of the scores is unknown, so that nothing can be told from it`;
    if (!Number.isFinite(turn) || verdict === "boundary") return text;
    if (share >= 0.95) return `${text}, but the fall before it or the rise after it is within the noise`;
    const none = `${A.even(100 * (1 - share))}% of the noise draws have none inside the ${along.points}`;
    return `${text}, but ${none}`;
  }

  function forecast(points, places, along, at) {
    const [first, last] = [places[0], places[places.length - 1]];
    const place = at ?? A.ahead(along, last, first);
    const start = along === SIZE ? 0 : A.t(along, first);
    const range = along.scale === "log" ? 1 : A.t(along, last) - start;
    const t = [...places, place].map((v) => (A.t(along, v) - start) / range);
    const methods = Cape.estimators.carriedOn(t.slice(0, -1), points.map((p) => [p.x, p.y]), t[t.length - 1]);
    if (along === SIZE) return { at_b: place, ratio: place / last, methods };
    return { at: A.value(along, place), text: A.shown(along, place), methods };
  }

  /* What would settle the sign of the last step, and over sizes that of r, if the values seen are the true ones. */
  function power(last, points, { kind, r }, kit) {
    const [a, b] = points.slice(-2);
    const [varX, varY] = ["x_sd", "y_sd"].map((name) => variance(a, b, name));
    const settle = {
      questions: questions(last, varY, varX, settledBeyond(points.length - 1)),
      settled: last.settled,
      most_questions: MOST_QUESTIONS,
    };
    if (kind === "path") return settle;
    let sizes = null;
    if (r.estimate) {
      const size = Math.abs(r.estimate);
      const needed = size === 1 ? 4 : Math.ceil((1.959963984540054 / Math.atanh(size)) ** 2 + 3);
      sizes = needed <= MOST_SIZES ? Math.max(needed, 4) : null;
    }
    const dip = kind === "family" ? Cape.estimators.boundaryPower(points, kit.power) : null;
    return { ...settle, sizes, most_sizes: MOST_SIZES, boundary: dip };
  }

  function questions({ dy, dx }, varY, varX, limit) {
    if (Number.isNaN(varX + varY) || dx === 0 || dy === 0) return null;
    const settled = (times) => {
      const p = N.ratioBelow(0, dy, dx, varY / times, varX / times, 0);
      return p > limit || p < 1 - limit;
    };
    let [low, high] = [1, MOST_QUESTIONS + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (settled(middle)) high = middle;
      else low = middle + 1;
    }
    return low <= MOST_QUESTIONS ? low : null;
  }

  /* A diagnosis of steps with what its sentences say of it besides: labels for names, the last step, counts. */
  function factsOf(rows, result) {
    const { steps, labels, runs } = result;
    const stated = rows.some((row) => isKnown(row.truthfulqa_stderr));
    const count = (phase) => steps.filter((s) => s.phase === phase).length;
    return {
      ...result,
      x: labels[result.x],
      y: labels[result.y],
      n_steps: steps.length,
      last: steps[steps.length - 1],
      counts: { tax: count("tax"), transition: count("transition"), bonus: count("bonus") },
      settled: steps.filter((s) => s.settled).length,
      runs_of: runs.map((name) => labels[name]).join(" and "),
      n_runs: runs.length,
      mc2_bound: [result.x, result.y].includes("truthfulqa") && !stated,
    };
  }

  /* What the sentences on sizes speak of besides: the two ends, the known steps, whether the scores seem swapped. */
  function ofSizes({ kind, sizes }, kit) {
    return {
      smallest: sizes[0],
      largest: sizes[sizes.length - 1],
      known: kit.steps.length,
      known_negative: kit.steps.filter((s) => s.gamma < 0).length,
      swapped: kind === "family" && Cape.perhapsSwapped(kit, sizes.map((s) => [s.params_b, s.x, s.y])),
      panel: kit.dimension,
    };
  }

  /* What the sentences take from the axis: its words, its two ends, where it turns, what the forecast says. */
  function ofPath(result, places, along) {
    const stretch = A.between(along, places[0], places[places.length - 1]);
    const upper = (text) => text[0].toUpperCase() + text.slice(1);
    const rows = Object.entries(result.boundary);
    const joined = (chosen) => rows.filter(([, row]) => chosen(row)).map(([name, row]) => `${row.text} by ${name.replace("_", " ")}`).join("; ");
    const methods = Object.entries(result.forecast.methods).filter(([, row]) => row.y !== null);
    return {
      noun: along.noun,
      stretch,
      stretch_first: upper(stretch),
      path: along.path,
      path_first: upper(along.path),
      point: along.point,
      points: along.points,
      where: A.where(along),
      turns: {
        sure: joined((row) => row.verdict === "boundary"),
        inside: joined((row) => row.inside),
        reason: rows[0][1].reason,
      },
      methods: methods.map(([name, row]) => `${W.shown(row.y, "1")} by ${name}`).join(", "),
    };
  }

  Cape.diagnoseFamily = diagnoseFamily;
})(window);

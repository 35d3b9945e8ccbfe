/* A family, or any two benchmarks of one's own: every step, the whole ladder, what would settle it.
 * Gives what cape_lib.dashboard.one_family reads from the instruments of cape_lib.base. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const N = Cape.numbers;
  const W = Cape.wording;
  const [TAX, BONUS] = [-0.1, 0.1];
  const SETTLED = 0.975;
  const MOST_QUESTIONS = 1000;
  const MOST_SIZES = 1000;
  const LEAST_ROWS = 6;
  const BASE = ["hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu"];

  /* The rows with both scores and a place, in order; each as a point {model, place, x, y, x_sd, y_sd}. */
  function points(given, { x, y, by, items }, kit) {
    const has = (row, name) => row[name] !== null && row[name] !== undefined;
    const frame = given.filter((row) => [x, y, by].every((name) => has(row, name))).sort((a, b) => a[by] - b[by]);
    const noise = (row, name) => row[`${name}_stderr`] ?? N.scoreSd(row[name], kit.items[name] ?? items[name]);
    const sizes = frame.map((row) => ({
      model: row.model && row.model.trim() ? row.model : null,
      place: row[by],
      x: row[x],
      y: row[y],
      x_sd: W.number(noise(row, x)),
      y_sd: W.number(noise(row, y)),
    }));
    return { frame, sizes, label: (name) => kit.labels[name] ?? name.replaceAll("_", " ") };
  }

  function diagnoseFamily(given, options = {}, kit) {
    if (options.axis && options.axis !== "params") return Cape.diagnosePath(given, options, kit);
    const { x = "hellaswag", y = "truthfulqa", at = null, items = {} } = options;
    const { frame: rows, sizes: places, label } = points(given, { x, y, by: "params_b", items }, kit);
    const sizes = places.map(({ model, place, ...scores }) => ({
      model: model ?? W.shown(place, "B"),
      params_b: place,
      ...scores,
    }));
    const found = {
      kind: x === "hellaswag" && y === "truthfulqa" ? "family" : "pair",
      x,
      y,
      n: sizes.length,
      labels: { [x]: label(x), [y]: label(y) },
      runs: [x, y].filter((name) => rows.every((row) => row[`${name}_noise`] === kit.between_runs)),
      sizes,
      whole: wholeLadder(sizes[0], sizes[sizes.length - 1], kit.z95),
      steps: sizes.slice(1).map((larger, i) => step(sizes[i], larger, sizes.length - 1)),
      r: correlation(sizes),
      dimension: dimension(rows, x, y),
      boundary: Cape.estimators.boundary(sizes),
      forecast: Cape.estimators.forecast(sizes, at),
    };
    const last = found.steps[found.steps.length - 1];
    for (const [name, row] of Object.entries(found.boundary)) {
      const texts = kit.promises[name];
      row.promise = texts[Math.min(sizes.length, texts.length - 1)];
    }
    found.power = power(last, sizes, found.r);
    found.power.boundary = found.kind === "family" ? Cape.estimators.boundaryPower(sizes, kit.power) : null;
    const swapped = found.kind === "family" && Cape.perhapsSwapped(kit, sizes.map((s) => [s.params_b, s.x, s.y]));
    const facts = {
      ...spokenOf(rows, found),
      smallest: sizes[0],
      largest: sizes[sizes.length - 1],
      known: kit.steps.length,
      known_negative: kit.steps.filter((s) => s.gamma < 0).length,
      swapped,
      panel: kit.dimension,
    };
    return W.told({ ...found, phase: last.phase }, facts);
  }

  /* A diagnosis of steps with what its sentences say of it besides: labels for names, the last step, counts. */
  function spokenOf(rows, found) {
    const { steps, labels, runs } = found;
    const stated = rows.some((row) => row.truthfulqa_stderr !== null && row.truthfulqa_stderr !== undefined);
    const count = (phase) => steps.filter((s) => s.phase === phase).length;
    return {
      ...found,
      x: labels[found.x],
      y: labels[found.y],
      n_steps: steps.length,
      last: steps[steps.length - 1],
      counts: { tax: count("tax"), transition: count("transition"), bonus: count("bonus") },
      settled: steps.filter((s) => s.settled).length,
      runs_of: runs.map((name) => labels[name]).join(" and "),
      n_runs: runs.length,
      mc2_bound: [found.x, found.y].includes("truthfulqa") && !stated,
    };
  }

  /* P(gamma < 0) beyond which one of so many steps is settled: Bonferroni's share. */
  const settledBeyond = (steps) => 1 - (1 - SETTLED) / steps;

  /* One step between two sizes: gamma with Fieller's interval and the exact probability of each phase. */
  function step(smaller, larger, steps) {
    const limit = settledBeyond(steps);
    const dx = larger.x - smaller.x;
    const dy = larger.y - smaller.y;
    const variance = (name) => (smaller[name] ?? NaN) ** 2 + (larger[name] ?? NaN) ** 2;
    const [varX, varY] = [variance("x_sd"), variance("y_sd")];
    const gamma = dx === 0 ? NaN : dy / dx;
    const below = (limit) => N.ratioBelow(limit, dy, dx, varY, varX, 0);
    const [tax, zero, bonus] = [below(TAX), below(0), below(BONUS)];
    return {
      smaller: smaller.model,
      larger: larger.model,
      low_b: smaller.params_b,
      high_b: larger.params_b,
      mid_b: Math.sqrt(smaller.params_b * larger.params_b),
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

  /* What the ladder did from its smallest to its largest size: changes with half of their 95 % intervals, and z. */
  function wholeLadder(smallest, largest, z95) {
    const whole = step(smallest, largest, 1);
    const [sdX, sdY] = ["x_sd", "y_sd"].map((name) => Math.hypot(smallest[name] ?? NaN, largest[name] ?? NaN));
    const z = sdY > 0 ? whole.dy / sdY : NaN;
    return {
      ...whole,
      dx_half: W.number(z95 * sdX),
      dy_half: W.number(z95 * sdY),
      z: W.number(z),
    };
  }

  function phase(gamma) {
    if (Number.isNaN(gamma)) return "undefined";
    return gamma < TAX ? "tax" : gamma > BONUS ? "bonus" : "transition";
  }

  /* r over the sizes; two points always lie on a line, so that takes three. */
  function correlation(sizes) {
    const n = sizes.length;
    const r =
      n > 2
        ? N.pearson(
            sizes.map((s) => s.x),
            sizes.map((s) => s.y),
          )
        : NaN;
    return { estimate: W.number(r), interval: W.interval(...N.fisher(r, n)), n };
  }

  /* Eigenvalues and vectors of the family's own covariance; d_eff only from six sizes on. */
  function dimension(rows, x, y) {
    let names = BASE.filter((name) => rows.every((row) => row[name] !== null && row[name] !== undefined));
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

  /* What would settle the sign of the last step, and of r, if the values seen are the true ones. */
  function power(last, sizes, r) {
    const [a, b] = sizes.slice(-2);
    const variance = (name) => (a[name] ?? NaN) ** 2 + (b[name] ?? NaN) ** 2;
    let needed = null;
    if (r.estimate !== null && Math.abs(r.estimate) === 1) needed = 4;
    else if (r.estimate) {
      const count = Math.ceil((1.959963984540054 / Math.atanh(Math.abs(r.estimate))) ** 2 + 3);
      needed = count <= MOST_SIZES ? Math.max(count, 4) : null;
    }
    return {
      questions: questions(last, variance("y_sd"), variance("x_sd"), settledBeyond(sizes.length - 1)),
      sizes: needed,
      settled: last.settled,
      most_questions: MOST_QUESTIONS,
      most_sizes: MOST_SIZES,
    };
  }

  function questions({ dy, dx }, varY, varX, limit) {
    if (Number.isNaN(varX + varY) || dx === 0 || dy === 0) return null;
    const settled = (times) => {
      const p = N.ratioBelow(0, dy, dx, varY / times, varX / times, 0);
      return p > limit || p < 1 - limit;
    };
    let [low, high] = [0, 1];
    while (!settled(high)) {
      [low, high] = [high, high * 2];
      if (high > MOST_QUESTIONS) return null;
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (settled(middle)) high = middle;
      else low = middle;
    }
    return high;
  }

  Cape.diagnoseFamily = diagnoseFamily;
  Cape.family = { points, step, wholeLadder, correlation, power, spokenOf };
})(window);

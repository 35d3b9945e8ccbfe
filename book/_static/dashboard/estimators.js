/* Where two scores might turn, and where they might go. Twin of cape_lib.base.boundary and cape_lib.base.dynamics. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const N = Cape.numbers;
  const W = Cape.wording;
  const SURE = 0.95;
  const LEAST_SIZES = 3;
  const FLAT = 1e-6;
  const ILL_CONDITIONED = 1e3;
  const STEEPEST = 100;

  const { normalQuantile, fixedNormals } = Cape.normal;

  /* Quadratic of y in t: curvature, slope and centre, by central moments. */
  function parabola(t, y) {
    const middle = N.mean(t);
    const scale = t[t.length - 1] - t[0] || 1;
    const u = t.map((item) => (item - middle) / scale);
    const moment = (k) => N.mean(u.map((item) => item ** k));
    const [m1, m2, m3, m4] = [1, 2, 3, 4].map(moment);
    const [y0, y1, y2] = [0, 1, 2].map((k) => N.mean(u.map((item, i) => item ** k * y[i])));
    const c2 = m2 - m1 ** 2;
    const c3 = m3 - 3 * m1 * m2 + 2 * m1 ** 3;
    const c4 = m4 - 4 * m1 * m3 + 6 * m1 ** 2 * m2 - 3 * m1 ** 4;
    const vy = y1 - m1 * y0;
    const wy = y2 - 2 * m1 * y1 + m1 ** 2 * y0 - c2 * y0;
    const determinant = c2 * (c4 - c2 ** 2) - c3 ** 2;
    if (!(determinant > 1e-12 * Math.max(c2, 1e-300) ** 3)) return { curvature: NaN, slope: NaN, centre: middle };
    const curvature = (c2 * wy - c3 * vy) / determinant;
    return {
      curvature: curvature / scale ** 2,
      slope: (vy - curvature * c3) / c2 / scale,
      centre: m1 * scale + middle,
    };
  }

  /* The turn where a slope goes from negative to positive; else on which side of the sizes it must lie. */
  function between(start, end, turn) {
    if (Number.isNaN(start + end)) return NaN;
    if (start < 0 && end > 0) return turn;
    return end <= 0 ? Infinity : -Infinity;
  }

  function vertex(t, x, y) {
    const p = parabola(t, y);
    const slopeAt = (at) => p.slope + 2 * p.curvature * (at - p.centre);
    return between(slopeAt(t[0]), slopeAt(t[t.length - 1]), p.centre - p.slope / (2 * p.curvature));
  }

  const steps = (v) => v.slice(1).map((item, i) => item - v[i]);

  /* gamma at the mean of the steps, its slope in log10 size, and that mean; NaN where the steps do not tell. */
  function gammaLine(t, x, y) {
    const halfway = t.slice(1).map((item, i) => (item + t[i]) / 2);
    const middle = N.mean(halfway);
    const m = halfway.map((item) => item - middle);
    const [dx, dy] = [steps(x), steps(y)];
    const total = (f) => N.sum(m.map((_, i) => f(i)));
    const [s0, s1, s2] = [0, 1, 2].map((k) => total((i) => dx[i] * dx[i] * m[i] ** k));
    const [r0, r1] = [0, 1].map((k) => total((i) => dx[i] * dy[i] * m[i] ** k));
    const determinant = s0 * s2 - s1 ** 2;
    if (!(determinant > 1e-12 * s0 * s0)) return { level: NaN, slope: NaN, middle };
    const slope = (s0 * r1 - s1 * r0) / determinant;
    return { level: (r0 - slope * s1) / s0, slope, middle };
  }

  function zeroCrossing(t, x, y) {
    const { level, slope, middle } = gammaLine(t, x, y);
    const at = (where) => level + slope * (where - middle);
    return between(at(t[0]), at(t[t.length - 1]), middle - level / slope);
  }

  function minimumSize(t, x, y) {
    const place = y.indexOf(Math.min(...y));
    if (place === t.length - 1) return Infinity;
    return place === 0 ? -Infinity : t[place];
  }

  function bestThreshold(t, x, y) {
    const [dx, dy] = [steps(x), steps(y)];
    const sign = dx.map((item, i) => Math.sign(item * dy[i]));
    const errors = t.map((_, j) => sign.filter((s, i) => (i < j ? s >= 0 : s <= 0)).length);
    const inner = errors.slice(1, -1);
    const [positive, negative] = [errors[0], errors[errors.length - 1]];
    const fewest = Math.min(...inner);
    if (fewest < Math.min(positive, negative)) return N.mean(t.slice(1, -1).filter((_, i) => inner[i] === fewest));
    if (negative < positive) return Infinity;
    return positive < negative ? -Infinity : NaN;
  }

  const ESTIMATORS = {
    vertex,
    zero_crossing: zeroCrossing,
    minimum_size: minimumSize,
    best_threshold: bestThreshold,
  };
  const ON_SIZES = ["minimum_size", "best_threshold"];
  const ROUNDING = 1e-9;

  /* By how much the noise must grow for the curve of an estimator to be a fair account of the scores; 1 or more. */
  function misfit(name, t, x, y, sd) {
    let rest;
    let variance;
    if (name === "vertex") {
      const p = parabola(t, y);
      const away = y.map((v, i) => v - p.slope * (t[i] - p.centre) - p.curvature * (t[i] - p.centre) ** 2);
      rest = away.map((v) => v - N.mean(away));
      variance = sd.map((v) => v * v);
    } else if (name === "zero_crossing") {
      const { level, slope, middle } = gammaLine(t, x, y);
      const dx = steps(x);
      rest = steps(y).map((v, i) => v - dx[i] * (level + slope * ((t[i] + t[i + 1]) / 2 - middle)));
      variance = rest.map((_, i) => sd[i] ** 2 + sd[i + 1] ** 2);
    } else return 1;
    const freedom = t.length - 3;
    if (freedom < 1 || !rest.every(Number.isFinite) || !variance.every((v) => v > 0)) return 1;
    return Math.sqrt(Math.max(1, N.sum(rest.map((v, i) => (v * v) / variance[i])) / freedom));
  }

  /* The ends of an interval; of an estimator that answers with a size, carried on to the sizes around them. */
  function bracketed(name, low, high, t) {
    if (!ON_SIZES.includes(name)) return [low, high];
    const below = t.filter((v) => v < low - ROUNDING);
    const above = t.filter((v) => v > high + ROUNDING);
    return [
      Number.isFinite(low) && below.length ? below[below.length - 1] : low,
      Number.isFinite(high) && above.length ? above[0] : high,
    ];
  }

  /* Where each estimator sees a turn (NaN or infinite: nowhere inside), with its interval from noise and misfit, all on
   * the scale of t. points: {x, y, x_sd, y_sd}. */
  function turns(t, points) {
    const k = t.length;
    const [x, y] = ["x", "y"].map((name) => points.map((s) => s[name]));
    const flat = Math.max(...y) - Math.min(...y) === 0;
    let draws = null;
    if (points.every((s) => s.x_sd !== null && s.y_sd !== null)) {
      const z = fixedNormals(2 * k);
      draws = z[0].map((_, d) => [
        x.map((v, i) => v + points[i].x_sd * z[i][d]),
        y.map((v, i) => v + points[i].y_sd * z[k + i][d]),
      ]);
    }
    const noise = points.map((s) => s.y_sd);
    const entries = Object.keys(ESTIMATORS).map((name) => {
      const nothing = { turn: NaN, low: NaN, high: NaN, share: null, verdict: "undecided" };
      return [name, k >= LEAST_SIZES && !flat ? judge(nothing, name, t, [x, y], draws, noise) : nothing];
    });
    return Object.fromEntries(entries);
  }

  /* True where y falls up to the turn and rises from it beyond its noise: p of boundary.turn_p below 1 - SURE. */
  function certain(t, y, sd, turn) {
    if (!Number.isFinite(turn)) return false;
    const away = t.map((item) => Math.abs(item - turn));
    const middle = Math.min(Math.max(away.indexOf(Math.min(...away)), 1), t.length - 2);
    const limit = normalQuantile((1 - SURE) / (t.length - 2));
    let square = 0;
    const rises = [
      [0, middle + 1, 1],
      [middle, t.length, -1],
    ].map(([from, to, sign]) => {
      const [centre, level] = [N.mean(t.slice(from, to)), N.mean(y.slice(from, to))];
      let [rise, variance, spread] = [0, 0, 0];
      for (let i = from; i < to; i += 1) {
        rise += (t[i] - centre) * y[i];
        variance += ((t[i] - centre) * sd[i]) ** 2;
        spread += (t[i] - centre) ** 2;
      }
      for (let i = from; i < to; i += 1) {
        if (sd[i] > 0) square += ((y[i] - level - ((t[i] - centre) * rise) / spread) / sd[i]) ** 2;
      }
      return [sign * rise, variance];
    });
    const lines = t.length > 3 ? Math.sqrt(Math.max(1, square / (t.length - 3))) : 1;
    const wide = Math.min(lines, misfit("vertex", t, y, y, sd));
    return rises.every(([rise, v]) => (v > 0 ? rise / (wide * Math.sqrt(v)) < limit : rise < 0));
  }

  function judge(nothing, name, t, scores, draws, noise) {
    const estimator = ESTIMATORS[name];
    const found = estimator(t, ...scores);
    const answer = { ...nothing, turn: found };
    if (!draws) return answer;
    const wide = misfit(name, t, ...scores, noise);
    const widened = (v, j) => v.map((item, i) => scores[j][i] + wide * (item - scores[j][i]));
    const drawn = draws.map((pair) => estimator(t, ...pair.map(widened)));
    const known = drawn.filter((v) => !Number.isNaN(v));
    if (!known.length) return answer;
    const share = drawn.filter(Number.isFinite).length / drawn.length;
    const [low, high] = bracketed(name, ...N.percentileInterval(known), t);
    Object.assign(answer, { share, low, high });
    if (certain(t, scores[1], noise, found) && share >= SURE && Number.isFinite(low) && Number.isFinite(high)) {
      answer.verdict = "boundary";
    } else if (!Number.isFinite(found) && share <= 1 - SURE) answer.verdict = "no boundary in these sizes";
    return answer;
  }

  /* How often a dip as deep as this family's parabola is called a boundary; null without a dip or with few sizes. */
  function boundaryPower(sizes, table) {
    const t = sizes.map((s) => Math.log10(s.params_b));
    if (t.length < table.sizes[0]) return null;
    const { curvature } = parabola(
      t,
      sizes.map((s) => s.y),
    );
    const depth = curvature * ((t[t.length - 1] - t[0]) / 2) ** 2;
    if (!(depth > FLAT)) return null;
    const nearest = (values, given) => {
      const away = values.map((value) => Math.abs(Math.log(given / value)));
      return away.indexOf(Math.min(...away));
    };
    const [row, column] = [nearest(table.sizes, t.length), nearest(table.depths, depth)];
    return {
      depth,
      near_sizes: table.sizes[row],
      near_depth: table.depths[column],
      questions: table.questions[row][column],
      four: table.four[row][column],
    };
  }

  function carriedOn(t, scores, at) {
    const n = t.length;
    const methods = {};
    for (const [name, method] of Object.entries({ persistence, polynomial, ode })) {
      const ahead = method(t, scores, at);
      const before = n > 2 ? method(t.slice(0, -1), scores.slice(0, -1), t[n - 1]) : null;
      methods[name] = {
        x: ahead ? W.number(ahead[0]) : null,
        y: ahead ? W.number(ahead[1]) : null,
        held_out: before ? W.number(before[1] - scores[n - 1][1]) : null,
      };
    }
    return methods;
  }

  const persistence = (t, scores) => scores[scores.length - 1];

  function polynomial(t, scores, at) {
    if (t.length < 2) return null;
    const middle = N.mean(t);
    const powers = t.length >= 4 ? [0, 1, 2] : [0, 1];
    const { coefficients } = N.leastSquares(
      t.map((item) => powers.map((k) => (item - middle) ** k)),
      scores,
    );
    return N.times([powers.map((k) => (at - middle) ** k)], coefficients)[0];
  }

  /* d score / d log10 N = M score + c by least squares on midpoints, carried on from the largest size. */
  function ode(t, scores, at) {
    const n = t.length;
    if (n < 4) return null;
    const middle = scores.slice(1).map((row, i) => row.map((v, j) => (v + scores[i][j]) / 2));
    const centre = [0, 1].map((j) => N.mean(middle.map((row) => row[j])));
    const slope = scores.slice(1).map((row, i) => row.map((v, j) => (v - scores[i][j]) / (t[i + 1] - t[i])));
    const { coefficients, condition } = N.leastSquares(
      middle.map((r) => [r[0] - centre[0], r[1] - centre[1], 1]),
      slope,
    );
    if (!coefficients || condition >= ILL_CONDITIONED) return null;
    const ahead = at - t[n - 1];
    const system = [0, 1].map((j) => coefficients.map((row) => row[j] * ahead));
    if (system.some(([x, y]) => Math.abs(x) + Math.abs(y) > STEEPEST)) return null;
    const start = [scores[n - 1][0] - centre[0], scores[n - 1][1] - centre[1], 1];
    const moved = N.expm([...system, [0, 0, 0]]).map((row) => N.dot(row, start));
    return [moved[0] + centre[0], moved[1] + centre[1]];
  }

  Cape.estimators = { turns, boundaryPower, carriedOn };
})(window);

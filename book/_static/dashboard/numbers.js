/* Arithmetic of the dashboard: intervals, probabilities, lines, eigenvalues, fixed draws. No library, no randomness.
 *
 * Every function here has a twin in Python (cape_lib.stats, cape_lib.base ...); a test compares the two on random and
 * extreme inputs to 1e-9. A number that does not exist is NaN here and becomes null in what the engine hands out. The
 * constants (quantile of the normal, nodes of Gauss and Legendre, questions of a benchmark) come with the kit.
 */
"use strict";
const Cape = {};
{
  const TINY = 1e-60;
  const HALF = 500;
  const columns = [];
  let state = 123456789;

  const sum = (v) => v.reduce((total, item) => total + item, 0);
  const mean = (v) => sum(v) / v.length;
  const dot = (a, b) => a.reduce((total, item, i) => total + item * b[i], 0);
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
  const transposed = (A) => A[0].map((_, k) => A.map((row) => row[k]));
  const times = (A, B) => A.map((row) => transposed(B).map((column) => dot(row, column)));
  const identity = (n) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => Number(i === j)));

  /* ---- the normal distribution ---- */

  /* Integral of f from 0 to end by Gauss-Legendre with 48 nodes. */
  function integrate(f, end) {
    const { nodes, weights } = Cape.kit;
    return (end / 2) * nodes.reduce((total, node, i) => total + weights[i] * f((end / 2) * (1 + node)), 0);
  }

  const density = (t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);

  /* Normal distribution function, to 1e-14 absolute. */
  const phi = (h) => 0.5 + integrate(density, clamp(h, -9, 9));

  /* Owen's T(h, a): the mass of a wedge under the standard bivariate normal. A steep wedge is the complement of a flat
   * one, where 48 nodes are exact to rounding. */
  function owen(h, a) {
    const [height, slope] = [Math.abs(h), Math.abs(a)];
    if (slope <= 1) return Math.sign(a) * wedge(height, slope);
    const [q, p] = [phi(-height), phi(-height * slope)];
    return Math.sign(a) * ((q + p) / 2 - q * p - wedge(height * slope, 1 / slope));
  }

  function wedge(h, a) {
    return integrate((t) => Math.exp((-h * h) / (2 * Math.cos(t) ** 2)), Math.atan(a)) / (2 * Math.PI);
  }

  /* Normal quantile, to 1e-15, by Newton's method on the logarithm of the tail: it is concave and the start lies below the
   * answer, so that every step comes nearer. */
  function normalQuantile(p) {
    if (p > 0.5) return -normalQuantile(1 - p);
    let x = -Math.sqrt(-2 * Math.log(p));
    for (let step = 1; Math.abs(step) > 1e-13; x += step) {
      const below = integrate((t) => density(x - t), 9);
      step = (-Math.log(below / p) * below) / density(x);
    }
    return x;
  }

  /* The same normal draws as in Python, one array a column: 500 of Lehmer's sequence (Park and Miller), mapped to
   * normals, and their mirror image. */
  function fixedNormals(count) {
    while (columns.length < count) {
      const half = Array.from({ length: HALF }, () => {
        const draw = normalQuantile(state / 2147483647);
        state = (state * 48271) % 2147483647;
        return draw;
      });
      columns.push([...half, ...half.map((draw) => -draw)]);
    }
    return columns.slice(0, count);
  }

  /* ---- intervals and probabilities ---- */

  /* Standard deviation of a score from its number of questions alone, points. */
  function scoreSd(score, items) {
    if (!items) return NaN;
    const p = clamp(score / 100, 0.5 / items, 1 - 0.5 / items);
    return 100 * Math.sqrt((p * (1 - p)) / items);
  }

  /* Fieller's interval of dy / dx: [low, high]; low > high is the outside of a gap; [-inf, inf] is every value. */
  function fieller(dy, dx, varDy, varDx) {
    const z2 = Cape.kit.z95 ** 2;
    const [a, b, c] = [dx * dx - z2 * varDx, dx * dy, dy * dy - z2 * varDy];
    if (Number.isNaN(a + b + c)) return [NaN, NaN];
    const inside = z2 * (dx * dx * varDy + dy * dy * varDx - z2 * varDx * varDy);
    if (a <= 0 && inside <= 0) return [-Infinity, Infinity];
    const q = b + (b < 0 ? -1 : 1) * Math.sqrt(Math.max(inside, 0));
    const ends = [q / a, q === 0 ? q / a : c / q].filter((v) => !Number.isNaN(v));
    const [small, large] = [Math.min(...ends), Math.max(...ends)];
    return a < 0 ? [large, small] : [small, large];
  }

  /* Probability that the ratio of two noisy differences is below `limit`, exactly (two wedges of a normal). */
  function ratioBelow(limit, dy, dx, varDy, varDx) {
    if (Number.isNaN(dy + dx + varDy + varDx)) return NaN;
    const [sdU, sdV] = [varDy + limit * limit * varDx, varDx].map((v) => Math.sqrt(Math.max(v, TINY)));
    const h = (dy - limit * dx) / sdU || TINY;
    const k = dx / sdV || TINY;
    const rho = clamp((-limit * varDx) / (sdU * sdV), -1, 1);
    const s = Math.sqrt(Math.max((1 - rho) * (1 + rho), 0));
    const mass = (one, other) => 2 * owen(one, (other - rho * one) / (one * s) || 0);
    return clamp(Number(h < 0 !== k < 0) + mass(h, k) + mass(k, h), 0, 1);
  }

  /* Pearson r; NaN where a column is constant (to rounding). */
  function pearson(x, y) {
    const n = x.length;
    const [mx, my] = [mean(x), mean(y)];
    const [dx, dy] = [x.map((v) => v - mx), y.map((v) => v - my)];
    const [xx, yy] = [dot(dx, dx), dot(dy, dy)];
    if (n < 2 || xx <= n * (1e-12 * mx) ** 2 || yy <= n * (1e-12 * my) ** 2) return NaN;
    return clamp(dot(dx, dy) / Math.sqrt(xx * yy), -1, 1);
  }

  /* Fisher's interval of r from n rows. */
  function fisher(r, n) {
    if (Number.isNaN(r) || n <= 3) return [NaN, NaN];
    const half = Cape.kit.z95 / Math.sqrt(n - 3);
    return [Math.tanh(Math.atanh(r) - half), Math.tanh(Math.atanh(r) + half)];
  }

  /* Central 95 % of draws without NaN, as stats.percentile_interval: linear between neighbours, but one of the draws
   * where some are infinite. */
  function percentileInterval(draws) {
    const v = Float64Array.from(draws).sort();
    const places = [0.025, 0.975].map((q) => (v.length - 1) * q);
    if (!Number.isFinite(v[0]) || !Number.isFinite(v.at(-1))) return [v[Math.floor(places[0])], v[Math.ceil(places[1])]];
    return places.map((at) => {
      const low = Math.floor(at);
      return v[low] + (at - low) * ((v[low + 1] ?? v[low]) - v[low]);
    });
  }

  /* ---- matrices, as rows ---- */

  /* Least squares by the modified process of Gram and Schmidt: coefficients, one row a column of the design, or null.
   * `condition` is the ratio of the largest to the smallest diagonal of R: how well the rows determine the answer. */
  function leastSquares(design, targets) {
    const n = design[0].length;
    const columns = transposed(design.map((row, i) => [...row, ...targets[i]]));
    const R = design[0].map((_, c) => {
      const size = Math.hypot(...columns[c]);
      const unit = columns[c].map((v) => v / size);
      return columns.map((column, k) => {
        const along = k === c ? size : dot(unit, column);
        if (k > c) columns[k] = column.map((v, i) => v - along * unit[i]);
        return along;
      });
    });
    const diagonal = R.map((row, c) => row[c]);
    if (!(Math.min(...diagonal) > 0)) return { coefficients: null, condition: Infinity };
    const coefficients = [];
    for (let c = n - 1; c >= 0; c--) {
      const known = (k) => sum(coefficients.map((row, i) => R[c][i] * row[k])); // of those below c: map skips holes
      coefficients[c] = R[c].slice(n).map((value, k) => (value - known(k)) / R[c][c]);
    }
    return { coefficients, condition: Math.max(...diagonal) / Math.min(...diagonal) };
  }

  /* Eigenvalues (largest first) and unit vectors of a symmetric matrix, by Jacobi rotations. The component of largest
   * size of each vector is positive. */
  function eigen(matrix) {
    const n = matrix.length;
    let [a, v] = [matrix, identity(n)];
    for (let turn = 0; turn < 60 * n * n; turn++) {
      const [i, j] = [Math.floor(turn / n) % n, turn % n];
      if (i >= j || a[i][j] === 0) continue;
      const theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const rotation = identity(n);
      rotation[i][i] = rotation[j][j] = 1 / Math.hypot(t, 1);
      rotation[i][j] = t * rotation[i][i];
      rotation[j][i] = -rotation[i][j];
      [a, v] = [times(transposed(rotation), times(a, rotation)), times(v, rotation)];
    }
    const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
    const vectors = order.map((i) => {
      const vector = v.map((row) => row[i]);
      const lead = vector.reduce((best, item) => (Math.abs(item) > Math.abs(best) * (1 + 1e-9) ? item : best), 0);
      return vector.map((item) => (lead < 0 ? -item : item) + 0);
    });
    return { values: order.map((i) => a[i][i]), vectors };
  }

  /* Matrix exponential: Taylor series of the matrix, halved until its norm is below 1/2, then squared as often. */
  function expm(matrix) {
    const norm = Math.max(...matrix.map((row) => sum(row.map(Math.abs))));
    const halvings = Math.max(0, Math.ceil(Math.log2(2 * norm)));
    const small = matrix.map((row) => row.map((item) => item / 2 ** halvings));
    let [term, total] = [identity(matrix.length), identity(matrix.length)];
    for (let k = 1; k <= 20; k++) {
      term = times(term, small).map((row) => row.map((item) => item / k));
      total = total.map((row, i) => row.map((item, j) => item + term[i][j]));
    }
    for (let k = 0; k < halvings; k++) total = times(total, total);
    return total;
  }

  const distribution = { normalQuantile, fixedNormals, scoreSd, fieller, ratioBelow, pearson, fisher, percentileInterval };
  Cape.numbers = { sum, mean, dot, clamp, times, leastSquares, eigen, expm, ...distribution };
}

/* Arithmetic of the dashboard: intervals, probabilities, lines, eigenvalues. No library, no randomness.
 *
 * Every function here has a twin in Python (cape_lib.stats, cape_lib.base ...); a test
 * compares the two on random and extreme inputs to 1e-9. A number that does not exist is NaN here and becomes null in
 * what the engine hands out.
 */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const TINY = 1e-60;
  let kit = null;

  /* The exported constants: the normal's quantile, Gauss-Legendre nodes, items a benchmark. */
  function use(given) {
    kit = given;
  }

  const sum = (v) => v.reduce((total, item) => total + item, 0);
  const mean = (v) => sum(v) / v.length;
  const dot = (a, b) => a.reduce((total, item, i) => total + item * b[i], 0);
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

  /* Integral of f from 0 to end by Gauss-Legendre with 48 nodes. */
  function integrate(f, end) {
    const half = end / 2;
    let total = 0;
    for (let i = 0; i < kit.nodes.length; i++) total += kit.weights[i] * f(half * (1 + kit.nodes[i]));
    return half * total;
  }

  /* Normal distribution function, to 1e-14 absolute. */
  function phi(h) {
    const end = clamp(h, -9, 9);
    return 0.5 + integrate((t) => Math.exp((-t * t) / 2), end) / Math.sqrt(2 * Math.PI);
  }

  /* Owen's T(h, a): the mass of a wedge under the standard bivariate normal. A steep wedge is the complement of a flat
   * one, where 48 nodes are exact to rounding. */
  function owen(h, a) {
    const [height, slope] = [Math.abs(h), Math.abs(a)];
    if (slope > 1) {
      const along = height * slope;
      const [q, p] = [phi(-height), phi(-along)];
      return Math.sign(a) * ((q + p) / 2 - q * p - wedge(along, 1 / slope));
    }
    return Math.sign(a) * wedge(height, slope);
  }

  function wedge(h, a) {
    return integrate((t) => Math.exp((-h * h) / (2 * Math.cos(t) ** 2)), Math.atan(a)) / (2 * Math.PI);
  }

  /* Standard deviation of a score from its number of questions alone, points. */
  function scoreSd(score, items) {
    if (!items) return NaN;
    const p = clamp(score / 100, 0.5 / items, 1 - 0.5 / items);
    return 100 * Math.sqrt((p * (1 - p)) / items);
  }

  /* Fieller's interval of dy / dx: [low, high]; low > high is the outside of a gap; [-inf, inf] is every value. */
  function fieller(dy, dx, varDy, varDx, cov) {
    const z2 = kit.z95 ** 2;
    const a = dx * dx - z2 * varDx;
    const b = dx * dy - z2 * cov;
    const c = dy * dy - z2 * varDy;
    if (Number.isNaN(a + b + c)) return [NaN, NaN];
    const inside = z2 * (dx * dx * varDy + dy * dy * varDx - 2 * dx * dy * cov - z2 * (varDx * varDy - cov * cov));
    if (a <= 0 && inside <= 0) return [-Infinity, Infinity];
    const rootOf = Math.sqrt(Math.max(inside, 0));
    const q = b + (b < 0 ? -rootOf : rootOf);
    const first = q / a;
    const second = q === 0 ? first : c / q;
    const small = Number.isNaN(first) ? second : Number.isNaN(second) ? first : Math.min(first, second);
    const large = Number.isNaN(first) ? second : Number.isNaN(second) ? first : Math.max(first, second);
    return a < 0 ? [large, small] : [small, large];
  }

  /* Probability that the ratio of two noisy differences is below `limit`, exactly (two wedges of a normal). */
  function ratioBelow(limit, dy, dx, varDy, varDx, cov) {
    const varU = Math.max(varDy - 2 * limit * cov + limit * limit * varDx, 0);
    const sdU = Math.sqrt(Math.max(varU, TINY));
    const sdV = Math.sqrt(Math.max(varDx, TINY));
    const h = (dy - limit * dx) / sdU || TINY;
    const k = dx / sdV || TINY;
    if (Number.isNaN(dy + dx + varDy + varDx + cov)) return NaN;
    const rho = clamp((cov - limit * varDx) / (sdU * sdV), -1, 1);
    const s = Math.sqrt(Math.max((1 - rho) * (1 + rho), 0));
    let mass = h < 0 !== k < 0 ? 1 : 0;
    for (const [one, other] of [
      [h, k],
      [k, h],
    ]) {
      const slope = (other - rho * one) / (one * s);
      mass += 2 * owen(one, Number.isNaN(slope) ? 0 : slope);
    }
    return clamp(mass, 0, 1);
  }

  /* Pearson r; NaN where a column is constant (to rounding). */
  function pearson(x, y) {
    const n = x.length;
    const mx = mean(x);
    const my = mean(y);
    const dx = x.map((v) => v - mx);
    const dy = y.map((v) => v - my);
    const xx = dot(dx, dx);
    const yy = dot(dy, dy);
    if (n < 2 || xx <= n * (1e-12 * mx) ** 2 || yy <= n * (1e-12 * my) ** 2) return NaN;
    return clamp(dot(dx, dy) / Math.sqrt(xx * yy), -1, 1);
  }

  /* Fisher's interval of r from n rows, `given` variables held fixed. */
  function fisher(r, n, given = 0) {
    const freedom = n - 3 - given;
    if (Number.isNaN(r) || freedom <= 0) return [NaN, NaN];
    const z = Math.atanh(r);
    const half = kit.z95 / Math.sqrt(freedom);
    return [Math.tanh(z - half), Math.tanh(z + half)];
  }

  /* Solve U X = B for an upper triangle U (rows) and several right-hand sides, from the last row up. */
  function solve(U, B) {
    const X = [];
    for (let c = U.length - 1; c >= 0; c--) {
      X[c] = B[c].map((value, k) => (value - sum(X.slice(c + 1).map((row, i) => U[c][c + 1 + i] * row[k]))) / U[c][c]);
    }
    return X;
  }

  /* Least squares by Householder reflections: design (rows), targets (rows); coefficients, one row a design column.
   * `condition` is the ratio of the largest to the smallest diagonal of R: how well the rows determine the answer. */
  function leastSquares(design, targets) {
    const a = design.map((row) => [...row]);
    const b = targets.map((row) => [...row]);
    const n = a.length;
    const p = a[0].length;
    for (let c = 0; c < p; c++) {
      const size = Math.hypot(...a.slice(c).map((row) => row[c]));
      if (size === 0) continue;
      const sign = a[c][c] < 0 ? -1 : 1;
      const v = a.slice(c).map((row) => row[c]);
      v[0] += sign * size;
      const vv = dot(v, v);
      for (const m of [a, b]) {
        for (let k = 0; k < m[0].length; k++) {
          let along = 0;
          for (let r = c; r < n; r++) along += v[r - c] * m[r][k];
          for (let r = c; r < n; r++) m[r][k] -= (2 * along * v[r - c]) / vv;
        }
      }
    }
    const diagonal = a.slice(0, p).map((row, i) => Math.abs(row[i]));
    const smallest = Math.min(...diagonal);
    const condition = smallest > 0 ? Math.max(...diagonal) / smallest : Infinity;
    return { coefficients: smallest > 0 ? solve(a.slice(0, p), b.slice(0, p)) : null, condition };
  }

  /* Eigenvalues (largest first) and unit vectors of a symmetric matrix, by Jacobi rotations. The component of largest
   * size of each vector is positive. */
  function eigen(matrix) {
    const n = matrix.length;
    const a = matrix.map((row) => [...row]);
    const v = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
    for (let sweep = 0; sweep < 60; sweep++) {
      let off = 0;
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) off += a[i][j] ** 2;
      if (off === 0) break;
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) rotate(a, v, i, j);
    }
    const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
    const vectors = order.map((i) => {
      const vector = v.map((row) => row[i]);
      const lead = vector.reduce((best, item) => (Math.abs(item) > Math.abs(best) * (1 + 1e-9) ? item : best), 0);
      return vector.map((item) => (lead < 0 ? -item : item) + 0);
    });
    return { values: order.map((i) => a[i][i]), vectors };
  }

  function rotate(a, v, i, j) {
    if (a[i][j] === 0) return;
    const theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
    const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    const c = 1 / Math.sqrt(t * t + 1);
    const s = t * c;
    for (let k = 0; k < a.length; k++) {
      [a[k][i], a[k][j]] = [c * a[k][i] - s * a[k][j], s * a[k][i] + c * a[k][j]];
    }
    for (let k = 0; k < a.length; k++) {
      [a[i][k], a[j][k]] = [c * a[i][k] - s * a[j][k], s * a[i][k] + c * a[j][k]];
      [v[k][i], v[k][j]] = [c * v[k][i] - s * v[k][j], s * v[k][i] + c * v[k][j]];
    }
  }

  /* Matrix exponential: Taylor series after halving until the norm is below 1/2. */
  function expm(matrix) {
    const n = matrix.length;
    const norm = Math.max(...matrix.map((row) => sum(row.map(Math.abs))));
    const halvings = norm > 0.5 ? Math.ceil(Math.log2(norm / 0.5)) : 0;
    const small = matrix.map((row) => row.map((item) => item / 2 ** halvings));
    const unit = matrix.map((_, i) => matrix.map((__, j) => (i === j ? 1 : 0)));
    let term = unit;
    let total = unit.map((row) => [...row]);
    for (let k = 1; k <= 20; k++) {
      term = times(term, small).map((row) => row.map((item) => item / k));
      total = total.map((row, i) => row.map((item, j) => item + term[i][j]));
    }
    for (let k = 0; k < halvings; k++) total = times(total, total);
    return total;
  }

  const times = (A, B) => A.map((row) => B[0].map((_, j) => row.reduce((t, item, k) => t + item * B[k][j], 0)));

  /* Central 95 % of draws without NaN, as stats.percentile_interval: linear between neighbours, but one of the draws
   * where some are infinite. */
  function percentileInterval(draws) {
    const v = [...draws].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    if (!v.length) return [NaN, NaN];
    const places = [0.025, 0.975].map((q) => (v.length - 1) * q);
    if (!Number.isFinite(v[0]) || !Number.isFinite(v[v.length - 1])) {
      return [v[Math.floor(places[0])], v[Math.ceil(places[1])]];
    }
    return places.map((at) => {
      const low = Math.floor(at);
      return v[low] + (at - low) * ((v[low + 1] ?? v[low]) - v[low]);
    });
  }

  Cape.numbers = {
    use,
    sum,
    mean,
    dot,
    clamp,
    phi,
    owen,
    scoreSd,
    fieller,
    ratioBelow,
    pearson,
    fisher,
    leastSquares,
    eigen,
    expm,
    times,
    percentileInterval,
  };
})(window);

/* One model: what a single size can say, which is not a phase. Twin of cape_lib.dashboard.one_model. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const N = Cape.numbers;
  const W = Cape.wording;
  const TYPICAL_GAMMA = 0.3;
  const NEIGHBOURS = 5;
  const FAR = 9;

  function diagnoseModel(model, kit) {
    const comparable = (model.metric || "mc2") !== "mc1";
    const [size, x, y] = [model.params_b, model.hellaswag, model.truthfulqa];
    const trend = {
      hellaswag: residual(kit.trends.hellaswag, size, x),
      truthfulqa: residual(kit.trends.truthfulqa, size, y),
    };
    const sd = { x: N.scoreSd(x, kit.items.hellaswag), y: N.scoreSd(y, kit.items.truthfulqa) };
    const gap = 1.96 * Math.SQRT2 * sd.y;
    const diagnosis = {
      kind: "model",
      phase: null,
      name: model.model || "This model",
      params_b: size,
      hellaswag: x,
      truthfulqa: y,
      comparable,
      trend,
      noise: 1.96 * sd.y,
      curve: readCurve(kit, x, y),
      steps: baseRates(kit, size),
      nearest: comparable ? neighbours(kit, model) : [],
      second: { dy: gap, dx: gap / TYPICAL_GAMMA, dx_least: 1.96 * Math.SQRT2 * sd.x },
    };
    const facts = {
      ...diagnosis,
      lead: trend.truthfulqa,
      residual_size: Math.abs(trend.truthfulqa.residual),
      token_edge: kit.token_edge,
      typical: TYPICAL_GAMMA,
      shots: { hellaswag: model.hellaswag_shots ?? null, truthfulqa: model.truthfulqa_shots ?? null },
      swapped: perhapsSwapped(kit, [[size, x, y]]),
    };
    const result = W.answered(diagnosis, facts);
    if (!comparable) result.advice = [];
    return result;
  }

  /* Score less the web-trained trend at this size, with where one more web-trained model would lie around it. */
  function residual(trend, size, score) {
    const u = Math.log10(size) - trend.mean_log;
    const at = [1, u, u * u];
    const expected = N.dot(at, trend.coefficients);
    const spread = N.dot(
      at,
      trend.inverse.map((row) => N.dot(row, at)),
    );
    const half = trend.t95 * trend.residual_sd * Math.sqrt(1 + spread);
    const off = score - expected;
    return {
      expected,
      residual: off,
      half,
      interval: W.interval(off - half, off + half),
      outside: Math.abs(off) > half,
      z: off / (half / trend.t95),
      n: trend.n,
      within_range: trend.low_b <= size && size <= trend.high_b,
      low_b: trend.low_b,
      high_b: trend.high_b,
    };
  }

  /* Whether [size, HellaSwag, TruthfulQA] rows lie far from the web trends as given and near them when exchanged. */
  function perhapsSwapped(kit, rows) {
    const distance = (first, second) =>
      N.mean(
        rows.flatMap((row) => [
          residual(kit.trends.hellaswag, row[0], row[first]).z ** 2,
          residual(kit.trends.truthfulqa, row[0], row[second]).z ** 2,
        ]),
      );
    const given = distance(1, 2);
    return given > FAR && distance(2, 1) < given / 4;
  }

  function wilson(k, n, z) {
    if (n <= 0) return [0, 1];
    const z2 = z * z;
    const share = k / n;
    const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
    const half = Math.sqrt(z2 * ((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
    return [k === 0 ? 0 : middle - half, k === n ? 1 : middle + half];
  }

  /* Share of yes where answers of one family may be alike: stats.clustered_share. hits, families: of each answer. */
  function clusteredShare(hits, families, kit) {
    const n = hits.length;
    const share = N.mean(hits.map(Number));
    const away = new Map();
    hits.forEach((hit, i) => away.set(families[i], (away.get(families[i]) ?? 0) + (hit - share)));
    const groups = away.size;
    if (groups < kit.least_clusters) return wilson(hits.filter(Boolean).length, n, kit.z95);
    const variance = ((groups / (groups - 1)) * N.sum([...away.values()].map((sum) => sum * sum))) / (n * n);
    const plain = (share * (1 - share)) / n;
    const effect = plain > 0 ? Math.max(1, variance / plain) : 1;
    return wilson((share * n) / effect, n / effect, kit.t95[groups - 1]);
  }

  function baseRates(kit, size) {
    const near = kit.steps.filter((s) => size / kit.near <= s.size_b && s.size_b <= size * kit.near);
    const n = near.length;
    const taxes = near.map((s) => s.phase === "tax");
    const tax = taxes.filter(Boolean).length;
    const known = near.filter((s) => s.tokens_b !== null);
    const few = known.filter((s) => s.tokens_b < kit.token_edge);
    const count = (steps) => steps.filter((s) => s.phase === "tax").length;
    const negative = (steps) => steps.filter((s) => s.gamma !== null && s.gamma < 0).length;
    const families = near.map((s) => s.family);
    return {
      low_b: size / kit.near,
      high_b: size * kit.near,
      n,
      tax,
      negative: negative(near),
      share: n ? tax / n : null,
      interval: W.interval(...clusteredShare(taxes, families, kit)),
      few_n: few.length,
      few_tax: count(few),
      few_negative: negative(few),
      many_n: known.length - few.length,
      many_tax: count(known) - count(few),
      many_negative: negative(known) - negative(few),
    };
  }

  /* The papers' curve at this HellaSwag score, what its two readings say, and how often each is right. */
  function readCurve(kit, x, y) {
    const critical = 100 * Math.sqrt((kit.ratio * x) / 100);
    const above = y > critical;
    const [together, against] = ["together", "against each other"];
    return {
      ratio: kit.ratio,
      critical,
      margin: y - critical,
      above,
      stated: above ? together : against,
      reversed: above ? against : together,
      record: kit.readings,
    };
  }

  /* The panel's rows as objects, with the source's name and address. */
  function baseRows(kit) {
    return kit.base.rows.map((values) => {
      const row = {};
      kit.base.columns.forEach((name, i) => (row[name] = values[i]));
      row.source = kit.base.sources[row.source];
      return row;
    });
  }

  function neighbours(kit, model) {
    const rows = baseRows(kit);
    const spread = (v) => Math.sqrt(N.mean(v.map((item) => (item - N.mean(v)) ** 2)));
    const spreads = {
      log: spread(rows.map((r) => Math.log10(r.params_b))),
      hellaswag: spread(rows.map((r) => r.hellaswag)),
      truthfulqa: spread(rows.map((r) => r.truthfulqa)),
    };
    const found = rows.map((r) => {
      const parts = [
        Math.log10(r.params_b / model.params_b) / spreads.log,
        (r.hellaswag - model.hellaswag) / spreads.hellaswag,
        (r.truthfulqa - model.truthfulqa) / spreads.truthfulqa,
      ];
      const { model: name, family, params_b, hellaswag, truthfulqa, source } = r;
      return { model: name, family, params_b, hellaswag, truthfulqa, source, distance: Math.sqrt(N.dot(parts, parts)) };
    });
    return found.sort((a, b) => a.distance - b.distance || (a.model < b.model ? -1 : 1)).slice(0, NEIGHBOURS);
  }

  Cape.diagnoseModel = diagnoseModel;
  Cape.perhapsSwapped = perhapsSwapped;
  Cape.baseRows = baseRows;
})(window);

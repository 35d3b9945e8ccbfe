/* Frontier releases: h, the curves, the lab's trajectory, saturation. Gives what cape_lib.dashboard.one_release reads from cape_lib.frontier. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const N = Cape.numbers;
  const W = Cape.wording;
  const [X, Y] = ["swe_bench_verified", "gpqa_diamond"];
  const TOP = 5;
  const NO_LABEL = "no label";
  const ROTATE_BELOW = 0.2;
  // as cape_lib.stats.seen_share
  const POWER = 0.8;
  const KINDS = ["first", "noise", "step", "excursion", "return", "open"];

  function diagnoseRelease(releases, { line = "frozen", lab = null } = {}, kit) {
    const chosen = kit.frontier.lines[line];
    const rows = releases.map((row) => {
      const [low, high] = ordinary(chosen, row[X]);
      return { ...readRelease(row, chosen, kit), ordinary_low: low, ordinary_high: high };
    });
    const last = rows[rows.length - 1];
    const trail = trajectory(rows, chosen, kit, lab);
    const newest = trail[trail.length - 1];
    const axes = saturation(releases, kit);
    const diagnosis = {
      kind: "release",
      phase: last.phase,
      line: chosen,
      lab,
      rows,
      trajectory: trail,
      nearest: nearest(last, kit),
      saturation: axes,
    };
    const scored = axes.filter((axis) => axis.sigma !== null);
    const widest = scored.reduce((best, axis) => (best && best.spread_new >= axis.spread_new ? best : axis), null);
    const [low, high] = intervalOfH(chosen, last.y, last.x);
    const known = kit.frontier.releases;
    const critical = (row) => 100 * Math.sqrt((kit.frontier_ratios[Y] * row[X]) / 100);
    const facts = {
      ...diagnosis,
      last,
      newest,
      before: trail.length > 1 ? trail[trail.length - 2].model : null,
      h_size: Math.abs(last.h),
      noise95: 1.96 * last.noise_sd,
      widest: widest && { label: kit.labels[widest.new], spread: widest.spread_new },
      top: TOP,
      curve: {
        n: known.length,
        below: known.filter((row) => row[Y] < critical(row)).length,
        seen: 100 * (1 - Math.pow(1 - POWER, 1 / known.length)),
      },
      swapped: last.outside && low <= 0 && 0 <= high,
    };
    return W.answered(diagnosis, facts);
  }

  /* A score in percent as an angle, and back: on this scale releases scatter about equally at every level. */
  const angle = (score) => Math.asin(Math.sqrt(N.clamp(score / 100, 0, 1)));
  const percent = (radians) => 100 * Math.sin(N.clamp(radians, 0, Math.PI / 2)) ** 2;
  const lineAt = (line, x) => line.slope * x + line.intercept;
  const hOf = (line, x, y) => y - lineAt(line, x);

  /* How far one new release at x may lie from the line, radians. */
  function reach(line, x) {
    const away = x - line.mean_x;
    return line.t * line.scatter * Math.sqrt(1 + 1 / line.n + (away * away) / line.spread_x);
  }

  /* The range of y in which 95 % of new releases at x fall. */
  function ordinary(line, x) {
    const [middle, width] = [angle(lineAt(line, x)), reach(line, x)];
    return [percent(middle - width), percent(middle + width)];
  }

  /* The interval of h; line and end together stay within 0 to 100, unless the line has left the scale. */
  function intervalOfH(line, x, y) {
    const [at, middle, width] = [lineAt(line, x), angle(y), reach(line, x)];
    const low = middle - width <= 0 ? Math.min(at, 0) : percent(middle - width);
    const high = middle + width >= Math.PI / 2 ? Math.max(at, 100) : percent(middle + width);
    return [hOf(line, x, low), hOf(line, x, high)];
  }

  const phaseOf = (h, { excursion }) =>
    h < -excursion ? "coding-specialist excursion" : h > excursion ? "reasoning-specialist" : "cooperative";
  const emphasisOf = (h, { balanced }) => (h < -balanced ? "coding-rich" : h > balanced ? "reasoning-rich" : "balanced");

  function readRelease(row, line, kit) {
    const [x, y] = [row[X], row[Y]];
    const expected = lineAt(line, x);
    const h = hOf(line, x, y);
    const [low, high] = intervalOfH(line, x, y);
    const ifeval = row.ifeval ?? null;
    const outside = low > 0 || high < 0;
    const critical = 100 * Math.sqrt((kit.frontier_ratios.ifeval * y) / 100);
    return {
      model: row.model || "This release",
      date: row.date || null,
      x,
      y,
      expected,
      h,
      interval: W.interval(low, high),
      outside,
      noise_sd: Math.hypot(N.scoreSd(y, kit.items[Y]), line.slope * N.scoreSd(x, kit.items[X])),
      phase: outside ? phaseOf(h, kit.frontier) : NO_LABEL,
      emphasis: outside ? emphasisOf(h, kit.frontier) : NO_LABEL,
      gpqa_critical: 100 * Math.sqrt((kit.frontier_ratios[Y] * x) / 100),
      ifeval,
      ifeval_critical: critical,
      ifeval_above: ifeval === null ? null : ifeval >= critical,
    };
  }

  /* The kind of each release in a series of h: beyond the threshold the next release decides. */
  function classify(h, threshold) {
    const kinds = h.map(() => 1);
    kinds[0] = 0;
    for (let t = 1; t < h.length; t++) {
      const jump = Math.abs(h[t] - h[t - 1]) > threshold && kinds[t] !== 4;
      if (!jump) continue;
      if (t + 1 === h.length) kinds[t] = 5;
      else if (Math.abs(h[t + 1] - h[t - 1]) < Math.abs(h[t + 1] - h[t])) [kinds[t], kinds[t + 1]] = [3, 4];
      else kinds[t] = 2;
    }
    return kinds.map((kind) => KINDS[kind]);
  }

  /* Middle of the period that "2025", "2025-03" or "2025-03-26" names, in days since 1970. */
  function middleDay(date) {
    const [year, month, day] = String(date).split("-").map(Number);
    const start = Date.UTC(year, (month || 1) - 1, day || 1) / 864e5;
    const end = day ? start + 1 : month ? Date.UTC(year, month, 1) / 864e5 : Date.UTC(year + 1, 0, 1) / 864e5;
    return start + Math.ceil((end - start) / 2) - 1;
  }

  function trajectory(rows, line, kit, lab) {
    const given = new Set(rows.map((row) => row.model));
    const itself = kit.frontier.releases.find((row) => row.model === rows[0].model);
    const limit = rows[0].date ? middleDay(rows[0].date) : itself ? itself.day : null;
    const known = kit.frontier.releases.filter((row) => row.lab === lab && !given.has(row.model));
    const before = known.filter((row) => limit === null || row.day <= limit);
    const trail = [
      ...before.map((row) => ({ ...readRelease(row, line, kit), known: true })),
      ...rows.map((row) => ({ ...row, known: false })),
    ];
    const limits = line.change_limits;
    const limit_h = trail.length > 1 ? limits[Math.min(trail.length, limits.length - 1)] : null;
    const kinds = classify(
      trail.map((row) => row.h),
      limit_h,
    );
    return trail.map(({ model, date, h, interval, known: old, noise_sd }, i) => ({
      model,
      date,
      h,
      interval,
      known: old,
      change: i ? h - trail[i - 1].h : null,
      change_noise: i ? 1.96 * Math.hypot(noise_sd, trail[i - 1].noise_sd) : null,
      limit: limit_h,
      kind: kinds[i],
    }));
  }

  /* sigma = spread of the old axis / spread of the new one among the top five by the old. */
  function saturation(releases, kit) {
    const given = new Set(releases.map((row) => row.model));
    const rows = [...kit.frontier.releases.filter((row) => !given.has(row.model)), ...releases];
    const has = (row, axis) => row[axis] !== null && row[axis] !== undefined;
    return [
      [X, Y],
      [X, "hle"],
      [Y, "hle"],
      [Y, "ifeval"],
    ].map(([old, fresh]) => {
      const both = rows.filter((row) => has(row, old) && has(row, fresh));
      const order = (a, b) => b[old] - a[old] || ((a.model || "") < (b.model || "") ? -1 : 1);
      const top = [...both].sort(order).slice(0, TOP);
      const none = { old, new: fresh, n: both.length, sigma: null, spread_old: null, spread_new: null, rotate: null };
      if (top.length < TOP) return { ...none, models: [] };
      const [first, second] = [old, fresh].map((axis) => {
        const v = top.map((row) => row[axis]);
        return Math.max(...v) - Math.min(...v);
      });
      const sigma = second ? first / second : null;
      return {
        old,
        new: fresh,
        n: both.length,
        sigma,
        spread_old: first,
        spread_new: second,
        rotate: sigma !== null && sigma < ROTATE_BELOW,
        models: top.map((row) => row.model || "This release"),
      };
    });
  }

  function nearest(last, kit) {
    const found = kit.frontier.releases
      .filter((row) => row.model !== last.model)
      .map((r) => ({
        model: r.model,
        lab: r.lab,
        date: r.date,
        x: r[X],
        y: r[Y],
        url: r.url,
        distance: Math.hypot(r[X] - last.x, r[Y] - last.y),
      }));
    return found.sort((a, b) => a.distance - b.distance || (a.model < b.model ? -1 : 1)).slice(0, 4);
  }

  Cape.diagnoseRelease = diagnoseRelease;
  Cape.ordinary = ordinary;
})(window);

/* A family along another axis than size: twin of cape_lib.dashboard.one_path; nothing here speaks of sizes. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;

  function diagnosePath(rows, { x = "hellaswag", y = "truthfulqa", at = null, items = {}, axis }, kit) {
    const A = Cape.axes;
    const F = Cape.family;
    const { frame, label, sizes } = F.points(rows, { x, y, by: A.named(axis).column, items }, kit);
    const along = A.settled(A.ofRows(axis, frame), frame);
    const points = sizes.map(({ place, ...point }) => ({ ...point, model: point.model ?? "" }));
    const places = sizes.map((point) => point.place);
    const [first, last] = [places[0], places[places.length - 1]];
    const ends = (low, high) => ({
      first: A.shown(along, low),
      last: A.shown(along, high),
      from: A.value(along, low),
      to: A.value(along, high),
      mid: A.value(along, A.middle(along, low, high)),
    });
    const of = ({ smaller, larger, low_b, high_b, mid_b, ...step }, low, high) => ({ ...ends(low, high), ...step });
    const steps = points.slice(1).map((point, i) =>
      of(F.step(points[i], point, points.length - 1), places[i], places[i + 1]),
    );
    const result = {
      kind: "path",
      axis: along.name,
      column: along.column,
      unit: along.unit,
      scale: along.scale,
      serial: along.serial,
      x,
      y,
      n: points.length,
      labels: { [x]: label(x), [y]: label(y) },
      runs: [x, y].filter((name) => frame.every((row) => row[`${name}_noise`] === kit.between_runs)),
      points: points.map(({ model, ...rest }, i) => ({ model, [along.column]: A.value(along, places[i]), ...rest })),
      whole: of(F.wholeLadder(points[0], points[points.length - 1], kit.z95), first, last),
      steps,
      ...correlations(points, along),
      strangers: null,
      boundary: boundary(points, places, along, label(y)),
      forecast: forecast(points, places, along, at),
    };
    const { questions, settled, most_questions } = F.power(steps[steps.length - 1], points, result.r);
    result.power = { questions, settled, most_questions };
    const facts = { ...F.spokenOf(frame, result), ...words(result, places, along) };
    return W.told({ ...result, phase: facts.last.phase }, facts);
  }

  /* r of the levels; for one run that of its changes, with that of the levels beside it. */
  function correlations(points, along) {
    const levels = { ...Cape.family.correlation(points), of: "levels" };
    if (!along.serial) return { r: levels };
    const changes = points.slice(1).map((p, i) => ({ x: p.x - points[i].x, y: p.y - points[i].y }));
    return { r: { ...Cape.family.correlation(changes), of: "changes" }, r_levels: levels };
  }

  function boundary(points, places, along, label) {
    const A = Cape.axes;
    const t = places.map((place) => A.t(along, place));
    const value = (v) => (v !== null && Number.isFinite(v) && Number.isFinite(A.back(along, v)) ? A.back(along, v) : null);
    const estimates = Cape.estimators.turns(t, points);
    const entries = Object.entries(estimates).map(([name, { turn, low: from, high: to, share, verdict }]) => {
      const [estimate, low, high] = [turn, from, to].map(value);
      const side = (v, word) => (v === null ? `${word} every ${along.point}` : A.number(along, v));
      const text = `${estimate === null ? "" : A.shown(along, estimate)} (${side(low, "before")} to ${side(high, "beyond")})`;
      return [
        name === "minimum_size" ? "lowest_point" : name,
        {
          estimate: A.value(along, estimate),
          low: A.value(along, low),
          high: A.value(along, high),
          text: estimate === null ? "" : text,
          share,
          inside: estimate !== null,
          verdict: verdict.replace("sizes", along.points),
          reason: reason({ turn, share, verdict }, places, points, along, label),
        },
      ];
    });
    return Object.fromEntries(entries);
  }

  function reason({ turn, share, verdict }, places, points, along, label) {
    const A = Cape.axes;
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
    const A = Cape.axes;
    const [first, last] = [places[0], places[places.length - 1]];
    const place = at ?? A.ahead(along, last, first);
    const range = along.scale === "log" ? 1 : A.t(along, last) - A.t(along, first);
    const t = [...places, place].map((v) => (A.t(along, v) - A.t(along, first)) / range);
    const methods = Cape.estimators.carriedOn(t.slice(0, -1), points.map((p) => [p.x, p.y]), t[t.length - 1]);
    return { at: A.value(along, place), text: A.shown(along, place), methods };
  }

  /* What the sentences take from the axis: its words, its two ends, where it turns, what the forecast says. */
  function words(result, places, along) {
    const A = Cape.axes;
    const stretch = A.between(along, places[0], places[places.length - 1]);
    const upper = (text) => text[0].toUpperCase() + text.slice(1);
    const turns = Object.entries(result.boundary);
    const joined = (chosen) => turns.filter(([, row]) => chosen(row)).map(([name, row]) => `${row.text} by ${name.replace("_", " ")}`).join("; ");
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
        reason: turns[0][1].reason,
      },
      methods: methods.map(([name, row]) => `${W.shown(row.y, "1")} by ${name}`).join(", "),
    };
  }

  Cape.diagnosePath = diagnosePath;
})(window);

/* What is shown of a family, or of any two benchmarks. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const R = Cape.results;
  const { el, num, minus, f, table, chart, answers, advice, formula } = R;

  /* The parts of a result along size, or along another axis, that are named alike. */
  function ways(result) {
    if (result.kind !== "path") {
      return {
        points: result.sizes,
        many: "sizes",
        path: "whole ladder",
        step: (s) => [s.smaller, s.larger],
        short: (s) => `${W.size(s.low_b)}\u2192${W.size(s.high_b)}`,
        place: (path, none) => size(result, path, none),
        ahead: W.size(result.forecast.at_b),
        held: "largest size",
        where: "N_c",
        what: "size",
      };
    }
    const axis = { ...Cape.axes.ofRows(result.axis, result.points), scale: result.scale };
    const dated = typeof result.points[0][result.column] === "string";
    return {
      points: result.points.map((p, i) => ({ ...p, model: i ? result.steps[i - 1].last : result.whole.first })),
      many: axis.points,
      path: axis.path.replace("the ", ""),
      step: (s) => [s.first, s.last],
      short: (s) => `${s.from}\u2192${s.to}`,
      place: (path, none) => {
        const cell = num(result, path);
        const text = cell.dataset.value;
        const value = dated && text ? Cape.axes.days(text) : Number(text);
        cell.textContent = text === "" ? none : Cape.axes.number(axis, value);
        return cell;
      },
      ahead: result.forecast.text,
      held: `last ${axis.point}`,
      where: "The turn",
      what: axis.noun + (axis.unit ? `, ${axis.unit}` : ""),
    };
  }

  function family(result, kit) {
    const way = ways(result);
    const [x, y] = [result.labels[result.x], result.labels[result.y]];
    const own = way.points.map((s, i) => ({
      ...s,
      label: s.model.slice(0, 24),
      sd: s.y_sd,
      phase: i ? result.steps[i - 1].phase : null,
    }));
    const base = result.kind === "family" ? Cape.baseRows(kit) : [];
    const known = base.map((r) => ({ model: r.model, x: r.hellaswag, y: r.truthfulqa }));
    const rows = result.steps.map((s) => ({
      value: s.gamma,
      ...s.interval,
      phase: s.phase,
      label: way.short(s),
      title: `${way.step(s).join(" to ")}: ${f(s.gamma)}`,
    }));
    const bands = [
      { low: -1e9, high: -0.1, phase: "tax" },
      { low: -0.1, high: 0.1, phase: "transition" },
      { low: 0.1, high: 1e9, phase: "bonus" },
    ];
    const last = result.steps[result.steps.length - 1];
    return [
      ...answers(result),
      chart(
        Cape.draw.plane({
          own,
          known,
          names: { x, y },
          title: `${result.n} ${way.many} in the plane of ${x} and ${y}`,
          description:
            `Each of the ${way.many} a point with question noise; the path between them is coloured by the phase of the step.`,
        }),
        `Your ${result.n} ${way.many}, in order; the path is vermilion for tax, grey for transition, green for bonus.${known.length ? ` Grey points: ${known.length} known models.` : ""}`,
      ),
      el(
        "p",
        {},
        `${way.path[0].toUpperCase()}${way.path.slice(1)}: `,
        num(result, "whole.dy", "+1"),
        " \u00b1 ",
        num(result, "whole.dy_half", "1"),
        ` points of ${y} (z = `,
        num(result, "whole.z", "+1"),
        ").",
      ),
      chart(
        Cape.draw.intervals({
          rows,
          bands,
          name: `gamma: points of ${y} for a point of ${x}`,
          title: "Coupling of each step with its interval",
          description: "One point a step with its 95 percent interval; below minus 0.1 a tax, above 0.1 a bonus.",
        }),
        "Coupling of each step, 95 % Fieller intervals from score noise; cut off at the edge where they run on.",
      ),
      table(
        `The ${way.path}, then every step`,
        [["step"], ["gamma", 1], ["95 % interval", 1], ["P(tax)", 1], ["P(transition)", 1], ["P(bonus)", 1], ["phase"]],
        [[result.whole, "whole"], ...result.steps.map((s, i) => [s, `steps.${i}`])].map(([s, at]) => [
          `${way.step(s).join(" to ")}${at === "whole" ? ` (${way.path})` : ""}`,
          num(result, `${at}.gamma`, "+2"),
          num(result, `${at}.interval`, "i2"),
          num(result, `${at}.p_tax`, "%"),
          num(result, `${at}.p_transition`, "%"),
          num(result, `${at}.p_bonus`, "%"),
          s.phase,
        ]),
      ),
      table(
        `Over all ${way.many}`,
        [["number"], ["value", 1], ["95 % interval", 1]],
        [
          [`r of ${x} and ${y}${result.r.of === "changes" ? ", changes" : ""}`, num(result, "r.estimate", "+3"), num(result, "r.interval", "i3")],
          ...(result.r_levels ? [[`r of ${x} and ${y}, levels`, num(result, "r_levels.estimate", "+3"), num(result, "r_levels.interval", "i3")]] : []),
          ...(result.dimension ? dimension(result, kit) : []),
        ],
      ),
      result.dimension ? eigen(result, kit) : null,
      table(
        `Where would it turn? ${way.where} by four estimators`,
        [["estimator"], [way.what, 1], ["95 %: from", 1], ["to", 1], ["noise draws with a turn inside", 1], ["verdict"]],
        Object.keys(result.boundary).map((name) => [
          name.replace("_", " ") + promise(result.boundary[name]),
          way.place(`boundary.${name}.estimate`, "none inside"),
          way.place(`boundary.${name}.low`, "before"),
          way.place(`boundary.${name}.high`, "beyond"),
          num(result, `boundary.${name}.share`, "%"),
          result.boundary[name].verdict,
        ]),
      ),
      table(
        `Forecast to ${way.ahead}`,
        [["method"], [x, 1], [y, 1], [`error when the ${way.held} is held out`, 1]],
        Object.keys(result.forecast.methods).map((name) => [
          METHODS[name],
          num(result, `forecast.methods.${name}.x`, "1"),
          num(result, `forecast.methods.${name}.y`, "1"),
          num(result, `forecast.methods.${name}.held_out`, "+1"),
        ]),
      ),
      el("p", {}, `What would settle the sign of the last step: `, settle(result), "."),
      formula(
        `gamma = (change of ${y}) / (change of ${x}) = ${f(last.dy)} / ${f(last.dx)} = ${f(last.gamma)}\n` +
          `noise of one score = 100 sqrt(p (1 - p) / questions), the harness's own standard error, or the spread between runs\n` +
          `P(gamma below zero) = ${f(last.p_negative, 3)}; tax below -0.1, bonus above 0.1`,
      ),
      ...(result.kind === "path" ? [] : advice(result)),
    ].filter(Boolean);
  }

  /* Rows of d_eff: the family's own and the panel's. */
  function dimension(result, kit) {
    return [
      [
        `d_eff of ${result.dimension.benchmarks.length} benchmarks (yours)`,
        result.dimension.estimate === null
          ? `needs ${result.dimension.least} sizes`
          : num(result, "dimension.estimate", "2"),
        `at most ${result.dimension.most}`,
      ],
      [
        `d_eff of the ${kit.dimension.panel} panel, ${kit.dimension.n} models`,
        W.shown(kit.dimension.estimate, "2"),
        minus(W.shown(kit.dimension.interval, "i2")) + (kit.dimension.promise ? ` (${kit.dimension.promise})` : ""),
      ],
    ];
  }

  const METHODS = {
    persistence: "persistence (nothing changes)",
    polynomial: "polynomial",
    ode: "linear system of both scores",
  };

  function size(result, path, none) {
    const cell = num(result, path, "B");
    if (cell.dataset.value === "") cell.textContent = none;
    return cell;
  }

  /* How often an interval of this estimator is right, where that is less than it says. */
  const promise = (row) => (row.promise && row.share !== null ? ` (${row.promise})` : "");

  function settle(result) {
    const { questions, settled } = result.power;
    if (settled) return "nothing more, score noise does not turn it";
    return questions === null
      ? `no number of ${result.runs.length ? "runs" : "questions"} tried here`
      : el("span", {}, num(result, "power.questions"), result.runs.length ? " times as many runs" : " times as many questions");
  }

  function eigen(result, kit) {
    const { benchmarks, eigenvalues, vectors } = result.dimension;
    const rows = eigenvalues.flatMap((_, i) =>
      vectors[i] === null
        ? []
        : [
            [
              `yours ${i + 1}`,
              num(result, `dimension.eigenvalues.${i}`, "1"),
              ...benchmarks.map((__, k) => num(result, `dimension.vectors.${i}.${k}`, "+2")),
            ],
          ],
    );
    const panel = kit.dimension;
    const same = benchmarks.every((name) => panel.benchmarks.includes(name));
    const theirs = same
      ? panel.eigenvalues
          .slice(0, 2)
          .map((value, i) => [
            `panel ${i + 1}`,
            W.shown(value, "1"),
            ...benchmarks.map((name) => minus(W.shown(panel.vectors[i][panel.benchmarks.indexOf(name)], "+2"))),
          ])
      : [];
    return el(
      "details",
      {},
      el("summary", {}, "Eigenvalues and eigenvectors of your scores, beside the panel's"),
      table(
        "Eigenvalues (points squared) and loadings",
        [["direction"], ["eigenvalue", 1], ...benchmarks.map((name) => [kit.labels[name] || name, 1])],
        [...rows, ...theirs],
      ),
    );
  }

  R.family = R.pair = R.path = family;
})(window);

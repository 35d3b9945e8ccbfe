/* What is shown of one model. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const R = Cape.results;
  const { num, f, table, source, chart, answers, advice, formula } = R;

  function model(result, kit) {
    const names = { x: "HellaSwag", y: "TruthfulQA" };
    const own = [
      { x: result.hellaswag, y: result.truthfulqa, label: result.name.slice(0, 30), sd: result.noise / 1.96 },
    ];
    const points = Cape.baseRows(kit).map((r) => ({ model: r.model, x: r.hellaswag, y: r.truthfulqa }));
    const near = result.nearest.map((r) => ({ model: r.model, x: r.hellaswag, y: r.truthfulqa }));
    const t = result.trend.truthfulqa;
    const parts = answers(result);
    if (result.comparable) {
      parts.push(
        chart(
          Cape.draw.plane({
            own,
            known: points,
            nearest: near,
            curveRatio: kit.ratio,
            names,
            title: result.answers.headline,
            description: "Known models in grey, the nearest five ringed, the papers' curve dashed, your model filled.",
          }),
          `${points.length} known models (grey; nearest ringed), one harness; the papers' curve dashed; your model with question noise. Source: ${kit.base.panel} panel.`,
        ),
        table(
          "Beside web-trained models of this size",
          [["score"], ["yours", 1], ["expected", 1], ["residual", 1], ["95 % interval", 1]],
          ["hellaswag", "truthfulqa"].map((name) => [
            kit.labels[name],
            num(result, name, "1"),
            num(result, `trend.${name}.expected`, "1"),
            num(result, `trend.${name}.residual`, "+1"),
            num(result, `trend.${name}.interval`, "i1"),
          ]),
        ),
        table(
          "Nearest known models",
          [["model"], ["size", 1], ["HellaSwag", 1], ["TruthfulQA", 1], ["distance", 1]],
          result.nearest.map((r, i) => [
            source(r.source.url, r.model),
            num(result, `nearest.${i}.params_b`, "B"),
            num(result, `nearest.${i}.hellaswag`, "1"),
            num(result, `nearest.${i}.truthfulqa`, "1"),
            num(result, `nearest.${i}.distance`, "2"),
          ]),
        ),
        table(
          "The papers' curve, by the rule they state and by its opposite",
          [["reading"], ["says"], ["right", 1], ["of known steps", 1]],
          [
            ["by the stated rule", result.curve.stated, num(result, "curve.record.stated"), num(result, "curve.record.n")],
            ["by the opposite rule", result.curve.reversed, num(result, "curve.record.reversed"), num(result, "curve.record.n")],
            [
              "always 'against each other'",
              "against each other",
              num(result, "curve.record.always"),
              num(result, "curve.record.n"),
            ],
          ],
        ),
        formula(
          `expected TruthfulQA at ${W.size(result.params_b)} = ${f(t.expected)}  (parabola in log10 size, ${t.n} web-trained models)\n` +
            `residual = ${f(result.truthfulqa)} - ${f(t.expected)} = ${f(t.residual)}  +- ${f(t.half)}\n` +
            `curve: 100 sqrt(${result.curve.ratio} x ${f(result.hellaswag)} / 100) = ${f(result.curve.critical)}`,
        ),
      );
    }
    return [...parts, ...advice(result)];
  }

  R.model = model;
})(window);

/* What is shown of a release. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const R = Cape.results;
  const { num, f, table, source, chart, answers, advice, formula } = R;

  function release(result, kit) {
    const names = { x: "SWE-bench Verified", y: "GPQA Diamond" };
    const own = new Set(result.rows.map((r) => r.model));
    const known = kit.frontier.releases
      .filter((r) => !own.has(r.model))
      .map((r) => ({ model: r.model, lab: r.lab, x: r.swe_bench_verified, y: r.gpqa_diamond }));
    const last = result.rows.length - 1;
    const row = result.rows[last];
    const trail = result.trajectory.map((r) => ({
      value: r.h,
      ...r.interval,
      known: r.known,
      label: r.model.length > 11 ? `${r.model.slice(0, 10)}\u2026` : r.model,
      title: `${r.model}: ${f(r.h, 1)}`,
    }));
    const parts = [
      ...answers(result),
      chart(
        Cape.draw.frontier({
          own: result.rows,
          known,
          line: result.line,
          ordinary: Cape.ordinary,
          names,
          sameLab: (p) => p.lab === result.lab,
          title: result.answers.headline,
          description:
            "Known releases in grey, the named line with the range of 95 percent of releases, your release filled.",
        }),
        `${known.length} known releases (grey${result.lab ? `; ${result.lab} ringed` : ""}), the ${result.line.name} line of ${result.line.date} with the range of 95 % of releases.`,
      ),
      table(
        `h: points of GPQA Diamond beyond the ${result.line.name} line`,
        [["release"], ["h", 1], ["95 % interval", 1], ["question noise", 1], ["phase"], ["emphasis"]],
        result.rows.map((r, i) => [
          r.model,
          num(result, `rows.${i}.h`, "+1"),
          num(result, `rows.${i}.interval`, "i1"),
          num(result, `rows.${i}.noise_sd`, "1"),
          r.phase,
          r.emphasis,
        ]),
      ),
      table(
        "Boundaries of the papers",
        [["curve"], ["at", 1], ["score", 1], ["side"]],
        [
          [
            "GPQA from SWE-bench",
            num(result, `rows.${last}.gpqa_critical`, "1"),
            num(result, `rows.${last}.y`, "1"),
            row.y >= row.gpqa_critical ? "above" : "below",
          ],
          [
            "IFEval from GPQA",
            num(result, `rows.${last}.ifeval_critical`, "1"),
            num(result, `rows.${last}.ifeval`, "1"),
            row.ifeval_above === null ? "no IFEval score" : row.ifeval_above ? "above" : "below",
          ],
        ],
      ),
    ];
    if (trail.length > 1) {
      parts.push(
        chart(
          Cape.draw.intervals({
            rows: trail,
            name: "h (points)",
            title: "The lab's releases in order",
            limit: 20,
            description: "h of each release with its prediction interval.",
          }),
          "h in order of release; known ones ringed, yours filled.",
        ),
        table(
          `The lab's trajectory (a change up to ${f(result.trajectory[0].limit, 1)} points can be scatter)`,
          [["release"], ["date"], ["h", 1], ["change", 1], ["noise of the change", 1], ["kind"]],
          result.trajectory.map((r, i) => [
            r.model,
            r.date || "",
            num(result, `trajectory.${i}.h`, "+1"),
            num(result, `trajectory.${i}.change`, "+1"),
            num(result, `trajectory.${i}.change_noise`, "1"),
            r.kind,
          ]),
        ),
      );
    }
    parts.push(
      table(
        "Saturation: which benchmark separates the best five next",
        [["old over new"], ["spread old", 1], ["spread new", 1], ["sigma", 1], ["rotate?"]],
        result.saturation.map((s, i) => [
          `${kit.labels[s.old]} over ${kit.labels[s.new]}`,
          num(result, `saturation.${i}.spread_old`, "1"),
          num(result, `saturation.${i}.spread_new`, "1"),
          num(result, `saturation.${i}.sigma`, "2"),
          s.rotate === null ? `too few (${s.n})` : s.rotate ? "rotate" : "keep",
        ]),
      ),
      table(
        "Nearest known releases",
        [["release"], ["lab"], ["date"], ["SWE-bench", 1], ["GPQA", 1]],
        result.nearest.map((r, i) => [
          source(r.url, r.model),
          r.lab,
          r.date,
          num(result, `nearest.${i}.x`, "1"),
          num(result, `nearest.${i}.y`, "1"),
        ]),
      ),
      formula(
        `expected = ${f(result.line.slope, 3)} x ${f(row.x, 1)} + ${f(result.line.intercept, 1)} = ${f(row.expected)}\nh = ${f(row.y, 1)} - ${f(row.expected)} = ${f(row.h)}, 95 % interval ${f(row.interval.low)} to ${f(row.interval.high)}`,
      ),
      ...advice(result),
    );
    return parts;
  }

  R.release = release;
})(window);

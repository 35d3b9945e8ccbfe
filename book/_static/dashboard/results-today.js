/* What is shown of a model of today. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const R = Cape.results;
  const { num, f, table, chart, answers, advice, formula } = R;
  const COLUMNS = [
    ["gpqa_diamond", "GPQA"],
    ["omniscience_accuracy", "known"],
    ["omniscience_non_hallucination", "admitted"],
    ["wrong", "wrong"],
    ["precision", "precision"],
  ];
  const HEADS = [["variant"], ["size", 1], ...COLUMNS.map(([, head]) => [head, 1])];
  const cells = (result, place, row) => [
    row.model,
    row.params_b === null ? "" : num(result, `${place}.params_b`, "B"),
    ...COLUMNS.map(([name]) => num(result, `${place}.${name}`, "1")),
  ];
  const point = (row) => ({ model: row.model, x: row.gpqa_diamond, y: row.omniscience_non_hallucination });

  function today(result, kit) {
    const own = result.rows.map((row) => ({ ...point(row), label: row.model.slice(0, 30) }));
    const names = new Set(result.rows.map((row) => row.model));
    const known = Cape.knownVariants(kit).filter(
      (row) => !names.has(row.model) && (result.mode === null || row.mode === result.mode),
    );
    const ringed = result.ladder ?? result.nearest;
    const what = result.ladder ? `those of ${result.generation} ringed` : "nearest ringed";
    const last = result.rows[result.rows.length - 1];
    const places = [
      ["share admitted", "admits"],
      ["wrong share", "wrong"],
    ];
    const parts = [
      ...answers(result),
      chart(
        Cape.draw.plane({
          own,
          known: known.map(point),
          nearest: ringed.map(point),
          names: { x: "GPQA Diamond", y: "share admitted (q)" },
          title: result.answers.headline,
          description: `Known variants in grey, ${what}, your model filled.`,
        }),
        `${known.length} known variants (grey; ${what}); your model filled. Source: Artificial Analysis, to ${kit.today.facts.data_end}.`,
      ),
      table(
        `Place among the ${result.beside.n} that reason as well, percent of them that lie lower`,
        [["measure"], ["lower", 1], ["from, by question noise", 1], ["to", 1]],
        places.map(([head, name]) => [
          head,
          ...["below", "low", "high"].map((end) => num(result, `beside.${name}.${end}`, "0")),
        ]),
      ),
      table(
        "Yours",
        HEADS,
        result.rows.map((row, i) => cells(result, `rows.${i}`, row)),
      ),
      table(
        "Nearest known variants",
        HEADS,
        result.nearest.map((row, i) => cells(result, `nearest.${i}`, row)),
      ),
    ];
    if (result.ladder && result.ladder.length)
      parts.push(
        table(
          `Known variants of ${result.generation}`,
          [...HEADS, ["ran out of tokens?"]],
          result.ladder.map((row, i) => [...cells(result, `ladder.${i}`, row), row.ran_out ? "yes" : ""]),
        ),
      );
    const [a, q] = [last.omniscience_accuracy, last.omniscience_non_hallucination];
    parts.push(
      formula(
        `wrong = (100 - ${f(q)}) x (100 - ${f(a)}) / 100 = ${f(last.wrong)}\nprecision = ${f(a)} / (${f(a)} + ${f(last.wrong)}) = ${f(last.precision)} %`,
      ),
      ...advice(result),
    );
    return parts;
  }

  R.today = today;
})(window);

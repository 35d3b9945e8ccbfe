/* A model of today among the variants of one laboratory. Gives what cape_lib.dashboard.one_variant reads from cape_lib.frontier.variants. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const N = Cape.numbers;
  const W = Cape.wording;
  const [GPQA, KNOWS, ADMITS] = ["gpqa_diamond", "omniscience_accuracy", "omniscience_non_hallucination"];
  const PLACE = [GPQA, KNOWS, ADMITS];
  const [WIDTH, FEWEST, ALIKE, NEAREST] = [5, 10, 2, 5];

  /* What follows from the three scores: wrong share and precision, with the noise of their questions. */
  function read(row) {
    const [a, q] = [row[KNOWS] / 100, row[ADMITS] / 100];
    const wrong = 100 * (1 - q) * (1 - a);
    const answered = a * 100 + wrong;
    return { ...row, wrong, precision: answered > 0 ? (100 * a * 100) / answered : null };
  }

  function noise(row, kit) {
    const sd = (score, share) => {
      const asked = Math.max(share * kit.today.questions, 1);
      const p = N.clamp(score / 100, 0.5 / asked, 1 - 0.5 / asked);
      return 100 * Math.sqrt((p * (1 - p)) / asked);
    };
    return {
      [GPQA]: N.scoreSd(row[GPQA], kit.items[GPQA]),
      [ADMITS]: sd(row[ADMITS], 1 - row[KNOWS] / 100),
      wrong: sd(row.wrong, 1),
    };
  }

  function known(kit) {
    const { columns, rows } = kit.today;
    return rows.map((row) => read(Object.fromEntries(columns.map((name, i) => [name, row[i]]))));
  }

  const plain = ({ model, lab = null, mode = null, params_b, wrong, precision, ...row }) => ({
    model,
    lab,
    mode,
    params_b: params_b ?? null,
    ...Object.fromEntries(PLACE.map((name) => [name, row[name]])),
    wrong,
    precision,
  });
  const count = (rows, test) => rows.filter(test).length;

  function equals(peers, gpqa) {
    const within = (width) => peers.filter((row) => Math.abs(row[GPQA] - gpqa) <= width);
    let width = WIDTH;
    while (within(width).length < FEWEST) width += WIDTH;
    return { near: within(width), width };
  }

  function percentile(near, last, column, sd) {
    const below = (shift) => (100 * count(near, (row) => row[column] < last[column] + shift)) / near.length;
    return { below: below(0), low: below(-1.96 * sd), high: below(1.96 * sd) };
  }

  function diagnoseToday(given, { mode = null, generation = null } = {}, kit) {
    const own = given.map((row, i) =>
      read({ ...row, model: row.model || (given.length === 1 ? "This model" : `Effort ${i + 1}`) }),
    );
    const last = own[own.length - 1];
    const names = new Set(own.map((row) => row.model));
    const peers = known(kit).filter((row) => !names.has(row.model) && (mode === null || row.mode === mode));
    const { near, width } = equals(peers, last[GPQA]);
    const sd = noise(last, kit);
    const size = last.params_b ?? null;
    const alike = near.filter((r) => r.params_b !== null && r.params_b >= size / ALIKE && r.params_b <= size * ALIKE);
    const beside = {
      n: near.length,
      width,
      models: new Set(near.map((row) => row.weights)).size,
      labs: new Set(near.map((row) => row.lab)).size,
      admits: percentile(near, last, ADMITS, sd[ADMITS]),
      wrong: percentile(near, last, "wrong", sd.wrong),
      sized: size === null ? null : { n: alike.length, below: count(alike, (row) => row[ADMITS] < last[ADMITS]) },
    };
    const nearest = peers
      .map((row) => ({
        ...plain(row),
        distance: Math.sqrt(PLACE.reduce((sum, name) => sum + (row[name] - last[name]) ** 2, 0)),
      }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, NEAREST);
    const ladder = generation === null ? null : family(peers, generation);
    const change = own.length > 1 ? difference(own[0], last, kit) : null;
    const diagnosis = {
      kind: "today",
      phase: null,
      mode,
      generation,
      rows: own.map(plain),
      beside,
      nearest,
      ladder,
      change,
    };
    const fell = change !== null && change[ADMITS] < -change.noise[ADMITS];
    const facts = { ...kit.today.facts, ...diagnosis, last: plain(last), family: familyFacts(last, ladder ?? []), fell };
    return W.answered(diagnosis, facts);
  }

  /* The known variants of a generation, smallest first, those without a size last. */
  function family(peers, generation) {
    const size = (row) => row.params_b ?? Infinity;
    return peers
      .filter((row) => row.generation === generation)
      .sort((a, b) => (size(a) === size(b) ? a[GPQA] - b[GPQA] || (a.model < b.model ? -1 : 1) : size(a) - size(b)))
      .map((row) => ({ ...plain(row), ran_out: row.ran_out }));
  }

  function difference(first, last, kit) {
    const [before, after] = [noise(first, kit), noise(last, kit)];
    const half = (name) => [name, 1.96 * Math.hypot(before[name], after[name])];
    return {
      ...Object.fromEntries([...PLACE, "wrong"].map((name) => [name, last[name] - first[name]])),
      noise: Object.fromEntries([GPQA, ADMITS, "wrong"].map(half)),
    };
  }

  /* What the sentences on its family speak of: how many are lower, and smallest beside largest size. */
  function familyFacts(last, ladder) {
    const sized = ladder.filter((row) => row.params_b !== null && !row.ran_out);
    const sizes = sized.map((row) => row.params_b);
    const facts = {
      n: ladder.length,
      sizes: new Set(sizes).size,
      admits: count(ladder, (row) => row[ADMITS] < last[ADMITS]),
      wrong: count(ladder, (row) => row.wrong < last.wrong),
    };
    if (!sized.length) return facts;
    const [low, high] = [Math.min(...sizes), Math.max(...sizes)].map((end) =>
      sized.filter((row) => row.params_b === end).reduce((best, row) => (row[GPQA] > best[GPQA] ? row : best)),
    );
    const d = Object.fromEntries([GPQA, ADMITS, "wrong"].map((name) => [name, high[name] - low[name]]));
    return { ...facts, smallest: low.params_b, largest: high.params_b, d };
  }

  Cape.diagnoseToday = diagnoseToday;
  Cape.knownVariants = known;
})(window);

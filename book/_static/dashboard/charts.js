/* The charts of each kind of diagnosis, with their captions, and the one table whose columns are the scores at hand. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const { el, num, minus, table } = Cape.results;
  const { plane, intervals } = Cape.draw;
  const BANDS = [
    { low: -1e9, high: -0.1, phase: "tax" },
    { low: -0.1, high: 0.1, phase: "transition" },
    { low: 0.1, high: 1e9, phase: "bonus" },
  ];

  const figure = (svg, caption) => el("figure", {}, svg, el("figcaption", {}, caption));
  const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);
  const base = (row) => ({ model: row.model, x: row.hellaswag, y: row.truthfulqa });
  const noise = (y, sd) => (sd ? { low: y - 1.96 * sd, high: y + 1.96 * sd } : {});

  function place(result, kit) {
    const own = { ...base(result), label: short(result.name, 30), ...noise(result.truthfulqa, result.noise / 1.96) };
    const known = Cape.baseRows(kit).map(base);
    const svg = plane({
      own: [own],
      known,
      nearest: result.nearest.map(base),
      curve: (x) => 100 * Math.sqrt((kit.ratio * Math.max(x, 0)) / 100),
      names: { x: "HellaSwag", y: "TruthfulQA" },
      title: result.answers.headline,
      description: "Known models in grey, the nearest five ringed, the papers' curve dashed, your model filled.",
    });
    const source = `Source: ${kit.base.panel} panel.`;
    return figure(
      svg,
      `${known.length} known models (grey; nearest ringed), one harness; the papers' curve dashed; your model with question noise. ${source}`,
    );
  }

  const write = (result, text, row) => W.text("family", text, { ...result.facts, ...row }, viewOf(result));
  const viewOf = ({ kind }) => ({ ...Cape.kit.views.family, ...Cape.kit.views[kind] });

  function ladder(result, kit) {
    const { x, y } = result.facts;
    const names = result.points?.map((_, i) => (i ? result.steps[i - 1].last : result.whole.first));
    const own = (result.points ?? result.sizes).map((point, i) => ({
      ...point,
      ...noise(point.y, point.y_sd),
      label: short(names?.[i] ?? point.model, 24),
      phase: i ? result.steps[i - 1].phase : null,
    }));
    const known = result.kind === "family" ? Cape.baseRows(kit).map(base) : [];
    const many = write(result, "{@many}");
    const svg = plane({
      own,
      known,
      joined: true,
      names: { x, y },
      title: `${result.n} ${many} in the plane of ${x} and ${y}`,
      description: `Each of the ${many} a point with question noise; the path between them is coloured by the phase of the step.`,
    });
    const grey = known.length ? ` Grey points: ${known.length} known models.` : "";
    return figure(
      svg,
      `Your ${result.n} ${many}, in order; the path is vermilion for tax, grey for transition, green for bonus.${grey}`,
    );
  }

  function steps(result) {
    const { x, y } = result.facts;
    const rows = result.steps.map((step) => ({
      value: step.gamma,
      ...step.interval,
      phase: step.phase,
      label: "from" in step ? `${step.from}\u2192${step.to}` : `${W.size(step.low_b)}\u2192${W.size(step.high_b)}`,
      title: `${write(result, "{@ends}", { row: step })}: ${W.shown(step.gamma, "2")}`,
    }));
    const svg = intervals({
      rows,
      bands: BANDS,
      name: `gamma: points of ${y} for a point of ${x}`,
      title: "Coupling of each step with its interval",
      description: "One point a step with its 95 percent interval; below minus 0.1 a tax, above 0.1 a bonus.",
    });
    return figure(svg, "Coupling of each step, 95 % Fieller intervals from score noise; cut off at the edge where they run on.");
  }

  function eigen(result, kit) {
    const { benchmarks, eigenvalues, vectors } = result.dimension;
    const panel = kit.dimension;
    const own = eigenvalues.map((_, i) => [
      `yours ${i + 1}`,
      num(result, `dimension.eigenvalues.${i}`, "1"),
      ...benchmarks.map((__, k) => num(result, `dimension.vectors.${i}.${k}`, "+2")),
    ]);
    const theirs = panel.eigenvalues.slice(0, 2).map((value, i) => [
      `panel ${i + 1}`,
      W.shown(value, "1"),
      ...benchmarks.map((name) => minus(W.shown(panel.vectors[i][panel.benchmarks.indexOf(name)], "+2"))),
    ]);
    const same = benchmarks.every((name) => panel.benchmarks.includes(name));
    return el(
      "details",
      {},
      el("summary", {}, "Eigenvalues and eigenvectors of your scores, beside the panel's"),
      table(
        "Eigenvalues (points squared) and loadings",
        ["direction", "#eigenvalue", ...benchmarks.map((name) => `#${Cape.read.label(name)}`)],
        [...own.filter((_, i) => vectors[i] !== null), ...(same ? theirs : [])],
      ),
    );
  }

  function release(result, kit) {
    const { line, lab } = result;
    const names = new Set(result.rows.map((row) => row.model));
    const point = (row) => ({ model: row.model, x: row.swe_bench_verified, y: row.gpqa_diamond });
    const known = kit.frontier.releases.filter((row) => !names.has(row.model));
    const own = result.rows.map((row) => ({ ...row, label: short(row.model, 26), low: row.expected, high: row.y }));
    const svg = plane({
      own,
      known: known.map(point),
      nearest: known.filter((row) => row.lab === lab).map(point),
      line: (x) => line.slope * x + line.intercept,
      band: (x) => Cape.ordinary(line, x),
      names: { x: "SWE-bench Verified", y: "GPQA Diamond" },
      title: result.answers.headline,
      description: "Known releases in grey, the named line with the range of 95 percent of releases, your release filled.",
    });
    const grey = `${known.length} known releases (grey${lab ? `; ${lab} ringed` : ""})`;
    return figure(svg, `${grey}, the ${line.name} line of ${line.date} with the range of 95 % of releases.`);
  }

  /* A first word that all names share is that of the lab, and left out at the axis. */
  function trail(result) {
    const [first] = result.trajectory[0].model.split(" ");
    const shared = result.trajectory.every((row) => row.model.startsWith(`${first} `));
    const rows = result.trajectory.map((row) => ({
      value: row.h,
      ...row.interval,
      known: row.known,
      label: shared ? row.model.slice(first.length + 1) : row.model,
      title: `${row.model}: ${W.shown(row.h, "1")}`,
    }));
    const svg = intervals({
      rows,
      name: "h (points)",
      title: "The lab's releases in order",
      limit: 20,
      description: "h of each release with its prediction interval.",
    });
    return figure(svg, `h in order of release${shared ? `, all ${first}` : ""}; known ones ringed, yours filled.`);
  }

  function variants(result, kit) {
    const point = (row) => ({ model: row.model, x: row.gpqa_diamond, y: row.omniscience_non_hallucination });
    const names = new Set(result.rows.map((row) => row.model));
    const known = Cape.knownVariants(kit).filter(
      (row) => !names.has(row.model) && (result.mode === null || row.mode === result.mode),
    );
    const ringed = result.ladder ? `those of ${result.generation} ringed` : "nearest ringed";
    const svg = plane({
      own: result.rows.map((row) => ({ ...point(row), label: short(row.model, 30) })),
      known: known.map(point),
      nearest: (result.ladder ?? result.nearest).map(point),
      joined: true,
      names: { x: "GPQA Diamond", y: "share admitted (q)" },
      title: result.answers.headline,
      description: `Known variants in grey, ${ringed}, your model filled.`,
    });
    const source = `Source: Artificial Analysis, to ${kit.today.facts.data_end}.`;
    return figure(svg, `${known.length} known variants (grey; ${ringed}); your model filled. ${source}`);
  }

  Cape.charts = { place, ladder, steps, eigen, release, trail, variants };
})(window);

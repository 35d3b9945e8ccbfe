/* What a person types: read, checked, and answered with what is wrong and the mend.
 * What is wrong when, and in which words, is in the kit (checks.json, words.json). */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const THOUSANDS = /^\d{1,3}(,\d{3})+$/;
  const COMMA = /^[+-]?\d+,\d+$/;
  const WITH_UNIT = /^(\d+\.?\d*|\.\d+)\s*([bmkt])$/i;
  const DATE = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;
  const UNITS = { t: 1e3, b: 1, m: 1e-3, k: 1e-6 };

  /* A number as a person types it, at most six digits. */
  const plain = (value) => String(Number(value.toPrecision(6))).replace(/^(\d)\.?(\d*)e\+(\d+)$/, (_, a, b, n) => (a + b).padEnd(n - -1, "0"));

  function problem(code, text, mend = null, facts = {}) {
    const given = text.trim();
    const short = given.length <= 24 ? given : `${given.slice(0, 24)}...`;
    return { code, message: W.write(`bad_${code}`, { text: short, mend, ...facts }), mend };
  }

  /* [value, problem] of a typed number by the rules of checks.json; both null for an empty field. */
  function check(kind, text, original = text, facts = {}) {
    const rules = Cape.kit.checks[kind];
    let typed = text.trim();
    if (!typed) return [null, null];
    if (rules.comma && COMMA.test(typed)) return [null, problem(rules.comma, original, typed.replace(",", "."))];
    if (!rules.comma && THOUSANDS.test(typed)) typed = typed.replaceAll(",", "");
    const unit = rules.units ? WITH_UNIT.exec(typed) : null;
    const value = unit ? Number(unit[1]) * UNITS[unit[2].toLowerCase()] * rules.units : Number(typed);
    if (!(unit || NUMBER.test(typed)) || (rules.finite && !Number.isFinite(value))) {
      return [null, problem(rules.text, original, null, facts)];
    }
    const wrong = rules.rules.find(([condition]) => W.holds(condition, { ...facts, value }));
    if (!wrong) return [value, null];
    const [, code, times] = wrong;
    return [null, problem(code, original, times ? plain(times * value) : null)];
  }

  const checkScore = (text) => check("score", text.trim().replace(/%$/, ""), text);
  const checkSize = (text) => check("size", text);

  function checkDate(text) {
    const given = text.trim();
    if (!given) return [null, null];
    return DATE.test(given) ? [given, null] : [null, problem("date", text)];
  }

  const label = (name) => Cape.kit.labels[name] ?? name.replaceAll("_", " ");
  const cell = (row, column) => String(row[column] ?? "").trim();

  /* Rows of typed text as numbers, and every problem: {row, column, code, message, mend}. */
  function checkTable(rows, { need, also = [], sized = true, least = 1, allowMixed = false, axis = null, batch = null, target = "tokens_b" }) {
    also = also.filter((name) => name !== axis?.column);
    const clean = [];
    const problems = [];
    const sizes = new Map();
    const shots = {};
    const filled = rows.map((row, i) => [i, row]).filter(([, row]) => Object.keys(row).some((name) => cell(row, name)));
    for (const [i, row] of filled) {
      const { found, wrong } = checkRow(row, { need, also, sized, axis, batch, target });
      const by = axis ? Cape.axes.typed(axis.name) : "params_b";
      const size = found[batch !== null ? target : axis ? axis.column : by];
      if (sized && size !== null && size !== undefined) {
        if (sizes.has(size)) {
          const facts = { first: sizes.get(size) + 1 };
          wrong.push({ column: by, ...problem(axis ? "duplicate_place" : "duplicate", cell(row, by), null, facts) });
        } else sizes.set(size, i);
      }
      for (const name of [...need, ...also]) {
        const given = cell(row, `${name}_shots`);
        if (!given) continue;
        shots[name] ??= new Map();
        if (!shots[name].has(given)) shots[name].set(given, i);
      }
      problems.push(...wrong.map((item) => ({ row: i, ...item })));
      if (!wrong.length) clean.push(found);
    }
    for (const [name, seen] of Object.entries(shots)) {
      if (seen.size < 2 || allowMixed) continue;
      const [first, second] = [...seen.keys()];
      const facts = { label: label(name), first, second };
      problems.push({ row: seen.get(second), column: name, ...problem("mixed", "", null, facts) });
    }
    if (filled.length < least) {
      const key = filled.length ? "too_few" : "too_few_none";
      problems.push({ row: null, column: null, ...problem(key, "", null, { n: filled.length, least }) });
    }
    return { rows: clean, problems };
  }

  function checkRow(row, { need, also, sized, axis, batch, target }) {
    const found = { model: cell(row, "model") || null };
    const wrong = [];
    const read = (column, check, lacking) => {
      let [value, bad] = check(cell(row, column));
      const facts = { label: label(column), noun: axis?.noun };
      if (!bad && value === null && lacking) bad = problem(lacking, "", null, facts);
      if (bad) wrong.push({ column, ...bad });
      return value;
    };
    const placeOn = (along) => (text) => Cape.axes.check(text, along);
    if (axis) {
      const place = (found[axis.column] = read(Cape.axes.typed(axis.name), placeOn(axis), "missing_place"));
      if (batch !== null) {
        found.tokens_b = read("tokens_b", placeOn(Cape.axes.named("tokens")));
        if (!cell(row, "tokens_b") && place !== null) found.tokens_b = (place * batch) / 1e9;
      }
      const [size] = checkSize(cell(row, "params_b"));
      if (size !== null) found.params_b = size;
      if (batch !== null && target === "flops_1e21") {
        const stated = (found[target] = read(target, placeOn(Cape.axes.named("flops"))));
        if (stated === null) read("params_b", checkSize, "missing_size");
        if (!stated && size && found.tokens_b !== null) found[target] = 6e-3 * size * found.tokens_b;
      }
    } else if (sized) found.params_b = read("params_b", checkSize, "missing_size");
    for (const column of [...need, ...also]) {
      found[column] = read(column, column === "params_b" ? checkSize : checkScore, need.includes(column) && "missing");
    }
    if (!sized) found.date = read("date", checkDate);
    for (const column of [...need, ...also]) {
      const [shots, error, noise] = ["shots", "stderr", "noise"].map((what) => cell(row, `${column}_${what}`));
      if (/^\d+$/.test(shots)) found[`${column}_shots`] = Number(shots);
      if (NUMBER.test(error) && Number(error) > 0) found[`${column}_stderr`] = Number(error);
      if (noise) found[`${column}_noise`] = noise;
    }
    return { found, wrong };
  }

  Cape.read = { check, checkScore, checkSize, checkDate, checkTable, plain, problem, label };
})(window);

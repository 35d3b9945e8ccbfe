/* What a person types: read, checked, and answered with what is wrong and the mend.
 * The checks are those of cape_lib.dashboard.inputs, word for word (the sentences are in the kit). */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const W = Cape.wording;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const COMMA = /^[+-]?\d+,\d+$/;
  const WITH_UNIT = /^(\d+\.?\d*|\.\d+)\s*([bmkt])$/i;
  const DATE = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;
  const UNITS = { t: 1e3, b: 1, m: 1e-3, k: 1e-6 };
  const [RAW_COUNT, IN_MILLIONS] = [1e5, 5000];

  /* A number as a person types it, at most six digits. */
  const plain = (value) => String(Number(value.toPrecision(6))).replace(/^(\d)\.?(\d*)e\+(\d+)$/, (_, a, b, n) => (a + b).padEnd(n - -1, "0"));

  function problem(code, text, mend = null, facts = {}) {
    const given = text.trim();
    const short = given.length <= 24 ? given : `${given.slice(0, 24)}...`;
    return { code, message: W.write(`bad_${code}`, { text: short, mend, ...facts }), mend };
  }

  /* [value, problem]: both null for an empty field. */
  function checkScore(text) {
    const given = text.trim().replace(/%$/, "").trim();
    if (!given) return [null, null];
    if (COMMA.test(given)) return [null, problem("comma", text, given.replace(",", "."))];
    if (!NUMBER.test(given)) return [null, problem("text", text)];
    const value = Number(given);
    if (value < 0) return [null, problem("negative", text)];
    if (value > 100) return [null, problem("over", text)];
    if (value > 0 && value <= 1) return [null, problem("fraction", text, plain(100 * value))];
    return [value, null];
  }

  function checkSize(text) {
    const given = text.trim();
    if (!given) return [null, null];
    if (COMMA.test(given)) return [null, problem("size_comma", text, given.replace(",", "."))];
    const unit = WITH_UNIT.exec(given);
    if (!unit && !NUMBER.test(given)) return [null, problem("size_text", text)];
    const value = unit ? Number(unit[1]) * UNITS[unit[2].toLowerCase()] : Number(given);
    if (value <= 0) return [null, problem("size_zero", text)];
    if (value >= RAW_COUNT) return [null, problem("size_count", text, plain(value / 1e9))];
    if (value >= IN_MILLIONS) return [null, problem("size_large", text, plain(value / 1e3))];
    return [value, null];
  }

  function checkDate(text) {
    const given = text.trim();
    if (!given) return [null, null];
    return DATE.test(given) ? [given, null] : [null, problem("date", text)];
  }

  const label = (name) => Cape.kit.labels[name] ?? name.replaceAll("_", " ");
  const textOf = (value) => (value === null || value === undefined ? "" : String(value));

  /* Rows of typed text as numbers, and every problem: {row, column, code, message, mend}. */
  function checkTable(rows, { need, also = [], sized = true, least = 1, allowMixed = false, axis = null, batch = null, target = "tokens_b" }) {
    also = also.filter((name) => name !== axis?.column);
    const clean = [];
    const problems = [];
    const sizes = new Map();
    const shots = {};
    const filled = rows.map((row, i) => [i, row]).filter(([, row]) => Object.values(row).some((v) => textOf(v).trim()));
    for (const [i, row] of filled) {
      const { found, wrong } = checkRow(row, { need, also, sized, axis, batch, target });
      const by = axis ? Cape.axes.typed(axis.name) : "params_b";
      const size = found[batch !== null ? target : axis ? axis.column : by];
      if (sized && size !== null && size !== undefined) {
        if (sizes.has(size)) {
          const facts = { first: sizes.get(size) + 1 };
          wrong.push({ column: by, ...problem(axis ? "duplicate_place" : "duplicate", textOf(row[by]), null, facts) });
        } else sizes.set(size, i);
      }
      for (const name of [...need, ...also]) {
        const given = textOf(row[`${name}_shots`]).trim();
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
    const found = { model: textOf(row.model).trim() || null };
    const wrong = [];
    if (axis) {
      const column = Cape.axes.typed(axis.name);
      let [value, bad] = Cape.axes.check(textOf(row[column]), axis);
      if (!bad && value === null) bad = problem("missing_place", "", null, { noun: axis.noun });
      if (bad) wrong.push({ column, ...bad });
      found[axis.column] = value;
      if (batch !== null) {
        const [stated, wrongly] = Cape.axes.check(textOf(row.tokens_b), Cape.axes.named("tokens"));
        if (wrongly) wrong.push({ column: "tokens_b", ...wrongly });
        found.tokens_b = wrongly || stated !== null || value === null ? stated : (value * batch) / 1e9;
      }
      const [size, odd] = checkSize(textOf(row.params_b));
      if (axis.column !== "params_b" && size !== null) found.params_b = size;
      if (batch !== null && target === "flops_1e21") {
        const [stated, wrongly] = Cape.axes.check(textOf(row[target]), Cape.axes.named("flops"));
        if (size === null && stated === null) {
          const lacking = odd ?? problem("missing_size", "", null, { label: label("params_b") });
          wrong.push({ column: "params_b", ...lacking });
        }
        if (wrongly) wrong.push({ column: target, ...wrongly });
        found[target] = stated || !size || found.tokens_b === null ? stated : 6e-3 * size * found.tokens_b;
      }
    }
    const needed = sized && !axis ? ["params_b", ...need] : [...need];
    for (const column of [...needed, ...also]) {
      const check = column === "params_b" ? checkSize : checkScore;
      let [value, bad] = check(textOf(row[column]));
      if (!bad && value === null && needed.includes(column)) {
        bad = problem(column === "params_b" ? "missing_size" : "missing", "", null, { label: label(column) });
      }
      if (bad) wrong.push({ column, ...bad });
      found[column] = value;
    }
    if (!sized) {
      const [date, bad] = checkDate(textOf(row.date));
      found.date = date;
      if (bad) wrong.push({ column: "date", ...bad });
    }
    for (const column of [...need, ...also]) {
      const given = textOf(row[`${column}_shots`]).trim();
      if (/^\d+$/.test(given)) found[`${column}_shots`] = Number(given);
    }
    for (const column of [...need, ...also]) {
      const given = textOf(row[`${column}_stderr`]).trim();
      if (NUMBER.test(given) && Number(given) > 0) found[`${column}_stderr`] = Number(given);
      const noise = textOf(row[`${column}_noise`]).trim();
      if (noise) found[`${column}_noise`] = noise;
    }
    return { found, wrong };
  }

  Cape.read = { checkScore, checkSize, checkDate, checkTable, plain, problem, label };
})(window);

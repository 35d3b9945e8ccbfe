/* Along what a family goes, where it is not size: the axes of cape_lib.tables.axes, their words, their scale. */
"use strict";
{
  const UNITS = { k: 1e-6, m: 1e-3, b: 1, t: 1e3 };
  const DAY = 864e5;
  const HUGE = 1e15;

  /* A number as Python writes it: a tie goes to the even digit. */
  const even = (value) => {
    const whole = Math.round(value);
    return Math.abs(value % 1) === 0.5 && whole % 2 ? whole - 1 : whole;
  };

  /* Three digits as Python's "g" writes them. */
  function threeDigits(value) {
    const [digits, power] = value.toExponential(20).split("e");
    const cut = digits.indexOf(".") + 3;
    const tie = /^50*$/.test(digits.slice(cut)) && Number(digits[cut - 1]) % 2 === 0;
    const [short, exponent] = tie ? [digits.slice(0, cut), power] : value.toExponential(2).split("e");
    if (exponent >= -4 && exponent <= 2) return String(Number(`${short}e${exponent}`));
    return `${Number(short)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }

  const day = (value) => new Date(even(value) * DAY).toISOString().slice(0, 10);
  const days = (text) => Date.parse(`${text}-01-01`.slice(0, 10)) / DAY;

  /* The axis of a name; a name that is none of the known ones is that of a column, which has no words but its name. */
  function named(name) {
    if (Object.hasOwn(Cape.kit.axes, name)) return Cape.kit.axes[name];
    const plain = { unit: "", point: "model", points: "models", path: "the whole path", serial: false };
    return { ...plain, name, column: name, noun: name, before: `${name} `, scale: "linear" };
  }

  /* The column of an axis as it is typed: a date is text. */
  const typed = (name) => (name === "params" ? "params_b" : name === "date" ? "date" : named(name).column);

  /* Whether a column may be an axis: a plain name that means nothing else, and no benchmark of the pair. */
  const isOwn = (name, pair) =>
    /^[a-z][a-z0-9_]{0,59}$/.test(name) &&
    Cape.read.columnName(name) === name &&
    !/_(stderr|shots|protocol|noise)$/.test(name) &&
    ![...pair, ...Cape.kit.no_axes, "date", "constructor"].includes(name);

  /* The columns of numbers in rows, beside the pair: what they could go along. */
  function own(rows, pair) {
    const cells = (name) => rows.map((row) => String(row[name] ?? "").trim()).filter(Boolean);
    const numbers = (name) => cells(name).length && cells(name).every((cell) => check(cell, named(name))[0] !== null);
    return [...new Set(rows.flatMap(Object.keys))].filter((name) => isOwn(name, pair) && numbers(name));
  }

  /* The axis with the scale that fits the rows: a column of another name is logarithmic where it spans a factor of ten. */
  function settled(axis, rows) {
    const values = rows.map((row) => row[axis.column]);
    const wide = values.every((v) => v > 0) && Math.max(...values) / Math.min(...values) >= Cape.kit.wide;
    return wide && !Object.hasOwn(Cape.kit.axes, axis.name) ? { ...axis, scale: "log" } : axis;
  }

  /* The axis with the words that fit the rows: checkpoints where they are one run. */
  function ofRows(name, rows) {
    const { tokens, step } = Cape.kit.results.names;
    const run = (model) => {
      const rest = [step, tokens].reduce((text, form) => text.replace(new RegExp(form, "gi"), ""), model);
      return rest.replace(/[-_@/ .]{2,}/g, (hit) => hit[0]).replace(/^[-_@/. =]+|[-_@/. =]+$/g, "") || model;
    };
    const one = new Set(rows.map((row) => run(row.model ?? ""))).size === 1;
    const alike = rows.every((row) => row.params_b) && new Set(rows.map((row) => row.params_b)).size === 1;
    if (name !== "step" && !(["tokens", "flops"].includes(name) && (one || alike))) return named(name);
    return { ...named(name), point: "checkpoint", points: "checkpoints", path: "the whole run", serial: true };
  }

  const t = (axis, value) => (axis.scale === "log" ? Math.log10(value) : value);
  const back = (axis, place) => (axis.scale === "log" ? 10 ** place : place);
  const middle = (axis, low, high) => (axis.scale === "log" ? Math.sqrt(low * high) : (low + high) / 2);
  const ahead = (axis, last, first) => (axis.scale === "log" ? 2 * last : last + (last - first) / 2);
  const where = (axis) => (axis.serial ? "in training" : `along ${axis.noun}`);
  const value = (axis, v) => (v === null ? null : axis.name === "date" ? day(v) : v);

  function number(axis, v) {
    if (axis.name === "date") return day(v);
    const whole = axis.name === "step" || Math.abs(v) >= 1000;
    return whole && Math.abs(v) < HUGE ? even(v).toLocaleString("en-US") : threeDigits(v);
  }

  const unit = (axis) => (axis.unit ? ` ${axis.unit}` : "");
  function shown(axis, v) {
    if (!Number.isFinite(v) || (v === 0 && axis.scale === "log")) return `${v > 0 ? "beyond" : "before"} every ${axis.point}`;
    return `${axis.before}${number(axis, v)}${unit(axis)}`;
  }
  const between = (axis, low, high) => {
    const start = axis.before === `${axis.noun} ` ? `with ${axis.noun} from ` : `from ${axis.before}`;
    return `${start}${number(axis, low)} to ${number(axis, high)}${unit(axis)}`;
  };

  /* [value, problem] of a typed place on an axis; dates become days since 1970. */
  function check(text, axis) {
    if (axis.name !== "date") {
      const kind = axis.name === "tokens" ? "tokens" : "place";
      return Cape.read.check(kind, text, text, { scale: axis.scale, noun: axis.noun + unit(axis) });
    }
    const [date, bad] = Cape.read.checkDate(text);
    if (!date) return [null, bad];
    const there = Number.isFinite(days(date)) && day(days(date)).startsWith(date);
    return there ? [days(date), null] : [null, Cape.read.problem("date", text)]; // no day of the calendar
  }

  /* [value, problem] of the training tokens of one step. */
  const checkBatch = (text) => Cape.read.check("batch", text);

  /* Whether the tokens of one step make the places: along steps, and along compute where the rows have steps. */
  const stepped = (part) => part.axis === "step" || (part.axis === "flops" && part.rows.some((row) => row.step));

  /* Places that stand under another name or in the names of the models, put into their columns. */
  function fill(rows) {
    const { tokens, step } = Cape.kit.results.names;
    for (const row of rows) {
      const [at, read] = [step, tokens].map((form) => new RegExp(form, "i").exec(row.model ?? "")?.groups);
      const put = (name, v) => {
        if (!row[name] && v) row[name] = String(v);
      };
      put("step", at && Number(at.number) * (at.unit ? 1000 : 1));
      put("tokens_b", row.pretrain_tokens_b);
      put("tokens_b", read && Number(read.first ?? read.number) * UNITS[(read.after ?? read.unit).toLowerCase()]);
      put("flops_1e21", Number(row.flops) >= Cape.kit.raw_flops && Number(row.flops) / 1e21);
      put("flops_1e21", 6e-3 * Number(row.params_b) * Number(row.tokens_b));
    }
    return rows;
  }

  /* What rows go along: the chosen axis where they differ on it, else size, else the first on which they do. */
  function recognised(rows, chosen) {
    const differ = (name) => new Set(rows.map((row) => String(row[typed(name)] ?? "").trim()).filter(Boolean)).size > 1;
    const names = [...(chosen === "params" ? [] : [chosen]), "params", ...Object.keys(Cape.kit.axes)];
    return names.find(differ) ?? "params";
  }

  const places = { t, back, middle, ahead, where, value, days, number, shown, between, check, checkBatch };
  Cape.axes = { even, named, typed, isOwn, own, settled, ofRows, stepped, fill, recognised, ...places };
}

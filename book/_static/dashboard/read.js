/* What a person types or pastes: numbers and whole tables (CSV, TSV, Markdown, LaTeX, JSON), read, checked, and answered
 * with what is wrong and the mend. What is wrong when, and in which words, is in the kit (checks.json, words.json); so are
 * the names of columns (cape_lib/tables/columns.json), whose rules are those of cape_lib.tables.columns and sheets. */
"use strict";
{
  const W = Cape.wording;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const names = () => Cape.kit.columns;
  const rounded = (value, digits) => String(Number(value.toPrecision(digits)));
  const label = (name) => Cape.kit.labels[name] ?? name.replaceAll("_", " ");

  /* ---- what is typed ---- */

  const THOUSANDS = /^\d{1,3}(,\d{3})+$/;
  const COMMA = /^[+-]?\d+,\d+$/;
  const WITH_UNIT = /^(\d+\.?\d*|\.\d+)\s*([bmkt])$/i;
  const DATE = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;

  /* A number as a person types it, at most six digits. */
  const plain = (value) => rounded(value, 6).replace(/^(\d)\.?(\d*)e\+(\d+)$/, (_, a, b, n) => (a + b).padEnd(n - -1, "0"));

  function problem(code, text, mend = null, facts = {}) {
    const typed = text.trim();
    const short = typed.length <= 24 ? typed : `${typed.slice(0, 24)}...`;
    return { code, message: W.write(`bad_${code}`, { text: short, mend, ...facts }), mend };
  }
  /* A problem of the table as a whole. */
  const general = (code, facts) => ({ row: null, column: null, ...problem(code, "", null, facts) });

  /* [value, problem] of a typed number by the rules of checks.json; both null for an empty field. */
  function check(kind, text, original = text, facts = {}) {
    const rules = Cape.kit.checks[kind];
    let typed = text.trim();
    if (!typed) return [null, null];
    if (rules.comma && COMMA.test(typed)) return [null, problem(rules.comma, original, typed.replace(",", "."))];
    if (!rules.comma && THOUSANDS.test(typed)) typed = typed.replaceAll(",", "");
    const unit = rules.units ? WITH_UNIT.exec(typed) : null;
    const value = unit ? Number(unit[1]) * names().units[unit[2].toLowerCase()] * rules.units : Number(typed);
    if (!(unit || NUMBER.test(typed)) || (rules.finite && !Number.isFinite(value))) {
      return [null, problem(rules.text, original, null, facts)];
    }
    const [, code, times] = rules.rules.find(([condition]) => W.holds(condition, { ...facts, value })) ?? [];
    return code ? [null, problem(code, original, times ? plain(times * value) : null)] : [value, null];
  }

  const checkScore = (text) => check("score", text.trim().replace(/%$/, ""), text);
  const checkSize = (text) => check("size", text);

  function checkDate(text) {
    const typed = text.trim();
    if (!typed) return [null, null];
    return DATE.test(typed) ? [typed, null] : [null, problem("date", text)];
  }

  const cell = (row, column) => String(row[column] ?? "").trim();

  /* Rows of typed text as numbers, and every problem: {row, column, code, message, mend}. need and also: benchmarks that a
   * row must and may have; sized: rows have a size, or a place on the axis; batch: tokens of one step, which make the
   * places in the column `target`. */
  function checkTable(rows, { least = 1, allowMixed = false, ...scores }) {
    const asked = { sized: true, axis: null, batch: null, target: "tokens_b", ...scores };
    const { need, sized, axis, batch, target } = asked;
    asked.also = (asked.also ?? []).filter((name) => name !== axis?.column);
    const clean = [];
    const problems = [];
    const seen = new Map();
    const by = axis ? Cape.axes.typed(axis.name) : "params_b";
    const filled = [...rows.entries()].filter(([, row]) => Object.keys(row).some((name) => cell(row, name)));
    for (const [i, row] of filled) {
      const { read, wrong } = checkRow(row, asked);
      const place = read[batch !== null ? target : axis ? axis.column : by] ?? null;
      if (sized && place !== null && seen.has(place)) {
        const code = axis ? "duplicate_place" : "duplicate";
        wrong.push({ column: by, ...problem(code, cell(row, by), null, { first: seen.get(place) + 1 }) });
      } else if (sized && place !== null) seen.set(place, i);
      problems.push(...wrong.map((item) => ({ row: i, ...item })));
      if (!wrong.length) clean.push(read);
    }
    for (const name of [...need, ...asked.also]) {
      const stated = filled.filter(([, row]) => cell(row, `${name}_shots`));
      const [first, second] = [...new Set(stated.map(([, row]) => cell(row, `${name}_shots`)))];
      if (second === undefined || allowMixed) continue;
      const [row] = stated.find(([, other]) => cell(other, `${name}_shots`) === second);
      problems.push({ row, column: name, ...problem("mixed", "", null, { label: label(name), first, second }) });
    }
    const n = filled.length;
    if (n < least) problems.push(general(n ? "too_few" : "too_few_none", { n, least }));
    return { rows: clean, problems };
  }

  function checkRow(row, { need, also, sized, axis, batch, target }) {
    const read = { model: cell(row, "model") || null };
    const wrong = [];
    const take = (column, checked, lacking) => {
      let [value, bad] = checked(cell(row, column));
      if (!bad && value === null && lacking) bad = problem(lacking, "", null, { label: label(column), noun: axis?.noun });
      if (bad) wrong.push({ column, ...bad });
      return value;
    };
    const onAxis = (along) => (text) => Cape.axes.check(text, along);
    if (axis) {
      const place = (read[axis.column] = take(Cape.axes.typed(axis.name), onAxis(axis), "missing_place"));
      if (batch !== null) {
        read.tokens_b = take("tokens_b", onAxis(Cape.axes.named("tokens")));
        if (!cell(row, "tokens_b") && place !== null) read.tokens_b = (place * batch) / 1e9;
      }
      const [size] = checkSize(cell(row, "params_b"));
      if (size !== null) read.params_b = size;
      if (batch !== null && target === "flops_1e21") {
        const stated = (read[target] = take(target, onAxis(Cape.axes.named("flops"))));
        if (stated === null) take("params_b", checkSize, "missing_size");
        if (!stated && size && read.tokens_b !== null) read[target] = 6e-3 * size * read.tokens_b;
      }
    } else if (sized) read.params_b = take("params_b", checkSize, "missing_size");
    for (const column of [...need, ...also]) {
      read[column] = take(column, column === "params_b" ? checkSize : checkScore, need.includes(column) && "missing");
      const [shots, error, noise] = ["shots", "stderr", "noise"].map((what) => cell(row, `${column}_${what}`));
      if (/^\d+$/.test(shots)) read[`${column}_shots`] = Number(shots);
      if (NUMBER.test(error) && Number(error) > 0) read[`${column}_stderr`] = Number(error);
      if (noise) read[`${column}_noise`] = noise;
    }
    if (!sized) read.date = take("date", checkDate);
    return { read, wrong };
  }

  /* ---- names of columns ---- */

  const bare = (text) =>
    text
      .toLowerCase()
      .replaceAll("ß", "ss")
      .normalize("NFKD")
      .replace(/[*`#\u00ad\u0300-\u036f\u200b-\u200d\ufeff]+/g, "")
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "");

  const aliasOf = (stem) =>
    Object.keys(names().columns).find((name) => name === stem || names().columns[name].includes(stem)) ?? null;

  /* What a head means: {name, known, scale, shots}, without what trackers put around it: "eval/hellaswag/acc_norm,none"
   * is "hellaswag". A head that is in no list keeps its name, made plain. */
  function heading(text) {
    let stem = bare(text);
    for (const word of names().around) if (stem !== word && stem.startsWith(`${word}_`)) stem = stem.slice(word.length + 1);
    stem = stem.replace(/_none$/, "");
    let [shots, ending] = ["", ""];
    const shot = /_?(\d+)_?shots?(?=_|$)/.exec(stem);
    if (shot) {
      stem = stem.replace(shot[0], "").replace(/^_+|_+$/g, "");
      shots = String(Number(shot[1]));
    }
    for (const [kind, words] of Object.entries(names().endings)) {
      const word = words.find((w) => stem.endsWith(`_${w}`) && stem.length > w.length + 1);
      if (!ending && word) [stem, ending] = [stem.slice(0, -word.length - 1), `_${kind}`];
    }
    const { name, scale } = lookup(stem);
    const ours = name === "release_date" ? "date" : (name ?? stem);
    return { name: ours + ending, known: name !== null, scale, shots: ending ? "" : shots };
  }

  /* The column of a stem, and the unit of a size in billions: "params_m" is params_b by a thousandth. */
  function lookup(stem) {
    const { units, unit_columns: sized, metrics, no_scores } = names();
    const direct = aliasOf(stem);
    if (direct) return { name: direct, scale: 1 };
    const at = stem.lastIndexOf("_");
    const counted = at > 0 ? aliasOf(stem.slice(0, at).replace(/_in$/, "")) : null;
    const unit = stem.slice(at + 1);
    if (sized.includes(counted) && unit in units) return { name: counted, scale: units[unit] };
    for (const metric of metrics) {
      const of = stem.endsWith(`_${metric}`) ? aliasOf(stem.slice(0, -metric.length - 1)) : null;
      if (of) return { name: no_scores.includes(of) ? null : of, scale: 1 };
    }
    return { name: null, scale: 1 };
  }

  /* ---- numbers in cells ---- */

  const GROUPS = /^[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?$/;
  const POINT_GROUPS = /^[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?$/;
  const GROUPED = /^[+-]?\d{1,3}(,\d{3})+$/;
  const APART = /^[+-]?\d{1,3}([ \u00a0\u2007\u2009\u202f'’_]\d{3})+([.,]\d+)?$/;
  const PLUS_MINUS = /^(.+?)\s*\(?\s*(?:±|\+\/-|\+-)\s*([^()]+?)\)?$/;
  const SIZED = /^(.+?)\s*(k|m|b|bn|t|billions?|millions?)$/i;
  const MARKS = /(?<=[\d%kKmMbBtT])\s*([†‡§¶*^↑↓▲▼]+|[¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜ]|\[\^?\w{1,3}\])+$/;
  const BOTH = /^(.+?)[-\s/]*\(?\s*A\s?([\d.,]+\s*[bmkt])\)?$|^(.+?)\s*\(?\s*([\d.,]+\s*[bmkt])\s+active\)?$/i;
  const AROUND_SIZE = /^[~≈]\s*|\s*\((?:dense|total|base)\)$|\s*param(?:eter)?s?$/gi;
  const RAW_COUNT = 1e5;

  /* counts: a whole number is meant, so that "4,096" has a thousand in it. */
  function number(text, comma, counts = false) {
    let digits = text.replace(/\u2212/g, "-").replace(MARKS, "").replace(/%$/, "").trim();
    if (APART.test(digits)) digits = digits.replace(/[^\d.,+-]/g, "");
    if (counts && GROUPED.test(digits)) digits = digits.replaceAll(",", "");
    else if (comma && COMMA.test(digits)) digits = digits.replace(",", ".");
    else if (comma && POINT_GROUPS.test(digits)) digits = digits.replaceAll(".", "").replace(",", ".");
    else if (GROUPS.test(digits)) digits = digits.replaceAll(",", "");
    return NUMBER.test(digits) ? Number(digits) : null;
  }

  /* The text of a score and of its standard error ("50.5 ± 0.5"); what is no number stays as it is typed. */
  function score(text, comma, counts) {
    const parts = PLUS_MINUS.exec(text);
    const value = number(parts ? parts[1] : text, comma, counts);
    const error = parts ? number(parts[2], comma) : null;
    if (value === null || (parts && error === null)) return [text, ""];
    return [NUMBER.test(text) ? text : String(value), error === null ? "" : String(error)];
  }

  /* A size in billions as text: "410M", "1.1B", a bare number by the unit of its head. */
  function size(stated, comma, scale, counts = false) {
    if (stated.endsWith("%")) return stated;
    const text = stated.trim().replace(AROUND_SIZE, "").replace(MARKS, "");
    const both = BOTH.exec(text);
    if (both) {
      const [total, active] = [size(both[1] ?? both[3], comma, 1), size(both[2] ?? both[4], comma, 1)];
      return NUMBER.test(total) && NUMBER.test(active) && Number(active) <= Number(total) ? total : stated;
    }
    const [, digits, unit] = SIZED.exec(text) ?? [null, text, null];
    const factor = unit ? names().units[unit.toLowerCase()] : scale;
    // In millions "1,100" is a count too: nobody writes their decimals so.
    const value = digits.endsWith("%") ? null : number(digits, comma, (counts && !unit) || factor < 1);
    if (value === null) return stated;
    return factor === 1 && NUMBER.test(digits) ? digits : rounded(value * factor, 12);
  }

  /* A count as it is: "143000", "143k", "1.4M". */
  function count(text, comma) {
    const value = number(text, comma, true);
    if (value !== null) return String(value);
    const billions = size(text, comma, 1, true);
    return NUMBER.test(billions) ? rounded(Number(billions) * 1e9, 12) : text;
  }

  /* ---- from a text to rows of cells ---- */

  const FRAME = /^\s*(?=\S*[+─━═])[-=+|─━═├┌└╞╔╚╠┏┗┡┬┴┼╤╧╪╦╩╬╇┳┻╈┐┘┤╡╗╝╣┓┛┩]+\s*$/;
  const RULE = /^\s*\|?(\s*(:?-{2,}:?|:-:?|-:)\s*\|)+\s*(:?-{2,}:?|:-:?|-:)?\s*$/;
  const AROUND = /^\s*<(a|b|i|u|em|strong|code|mark|small|span|font|p)\b[^<>]*>([^<]*)<\/\1>\s*$/i;
  const isBlank = (text) => names().blank.includes(text.trim().toLowerCase());

  /* Whether decimals are commas in some cells. */
  const commas = (cells) => {
    const digits = cells.map((text) => text.replace(/%$/, "").trim());
    if (digits.some((text) => NUMBER.test(text) && text.includes("."))) return false;
    return digits.some((text) => COMMA.test(text) && text.split(",")[1].length !== 3);
  };

  /* Rows of cells and whether decimals are commas. */
  function cells(text) {
    const body = text.replace(/^\uFEFF/, "");
    const read = (rows) => ({ rows, comma: commas(rows.slice(1).flat()) });
    const json = records(body);
    if (json) return { rows: json, comma: false };
    let lines = body.split(/\r\n|\r|\n/);
    const other = drawn(lines) ?? latex(lines);
    if (other) return read(other);
    const start = lines.findIndex((line) => line.trim() && !isRemark(line, lines));
    if (start < 0) return { rows: [], comma: false };
    const declared = /^\s*"?sep=(.)"?\s*$/.exec(lines[start]);
    lines = lines.slice(declared ? start + 1 : start);
    const rules = [...lines.keys()].filter((i) => i && RULE.test(lines[i]) && lines[i - 1].includes("|"));
    const ofModels = (i) => markdown(lines[i - 1]).some((head) => heading(head).name === "model");
    const rule = rules.find(ofModels) ?? rules[0];
    if (rule && !declared) {
      const end = lines.findIndex((line, i) => i > rule && !line.includes("|"));
      return read([lines[rule - 1], ...lines.slice(rule + 1, end < 0 ? lines.length : end)].map(markdown));
    }
    const filled = lines.filter((line) => line.trim());
    const first = (filled[0] ?? "").replace(/"[^"]*"/g, "");
    const marks = [",", ";", "\t", "|"].map((m) => [m, first.split(m).length]);
    const mark = declared ? declared[1] : marks.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
    if (!declared && mark === "|" && filled.every((line) => line.trimStart().startsWith("|"))) {
      const some = filled.map((line) => line.trim()).filter((line) => /[^ |=]/.test(line));
      return read(some.map((line) => markdown(line.startsWith("||") ? line.replaceAll("||", "|") : line)));
    }
    if (!declared && !first.includes(mark)) {
      const rows = filled.filter((line) => /[^\s=-]/.test(line)).map((line) => line.trim().split(/\s+/));
      const wide = rows.length > 1 && rows[0].length > 1 && rows.every((row) => row.length === rows[0].length);
      if (wide) return { rows, comma: false };
    }
    const rows = delimited(lines.join("\n"), mark);
    return { rows, comma: mark !== "," || commas(rows.slice(1).flat()) };
  }

  /* A remark above a table: it begins with #, names no columns, and the table goes on without. */
  const isRemark = (line, lines) =>
    /^\s*#/.test(line) &&
    lines.some((next) => next.trim() && !/^\s*#/.test(next) && /[,;\t|]/.test(next)) &&
    line.split(/[,;\t|]/).filter((text) => heading(text).known).length < 2;

  /* A table in a frame of lines, as databases and terminals draw them. */
  function drawn(texts) {
    const lines = texts.map((line) => line.replace(/[│┃║]/g, "|"));
    if (!lines.slice(0, 10).some((line) => FRAME.test(line))) return null;
    const rows = lines.filter((line) => line.includes("|") && !FRAME.test(line)).map(markdown);
    return rows.length ? rows : null;
  }

  /* The rows of a LaTeX table, without the commands around its cells. */
  function latex(lines) {
    if (!lines.some((line) => line.trimStart().startsWith("\\begin{tabular"))) return null;
    const plainTex = (text) => {
      let inner = text.replaceAll("$", "").replace(/\\pm\b/g, "±");
      for (let i = 0; i < 3; i++) inner = inner.replace(/\\[a-zA-Z]+\*?\{([^{}]*)\}/g, "$1");
      return inner.replace(/\\([%&_#$])/g, "$1").trim();
    };
    const rows = lines.filter((line) => /(?<!\\)&/.test(line));
    return rows.length ? rows.map((line) => line.split("\\\\")[0].split(/(?<!\\)&/).map(plainTex)) : null;
  }

  function delimited(text, mark) {
    const rows = [[""]];
    let quoted = false;
    for (let i = 0; i < text.length; i++) {
      const [c, row] = [text[i], rows.at(-1)];
      const [open, twice] = [c === '"' && !quoted && row.at(-1) === "", c === '"' && quoted && text[i + 1] === '"'];
      if (open || (quoted && c === '"' && !twice)) quoted = !quoted;
      else if (c === mark && !quoted) row.push("");
      else if (c === "\n" && !quoted) rows.push([""]);
      else row[row.length - 1] += c;
      if (twice) i++;
    }
    return rows.filter((row) => row.some((item) => item.trim()));
  }

  const markdown = (line) =>
    line
      .trim()
      .replace(/^\||\|$/g, "")
      .split(/(?<!\\)\|/)
      .map((text) =>
        text
          .replaceAll("\\|", "|")
          .replace(/\*\*|__|`/g, "")
          .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
          .replace(/^[\s*_]+|[\s*_]+$/g, ""),
      );

  const object = (v) => v !== null && typeof v === "object" && !Array.isArray(v);

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  /* JSON records (one a line too), columns or pandas' split form as rows of cells; null where the text is none of them. */
  function records(text) {
    if (!/^\s*[[{]/.test(text)) return null;
    let value = parsed(text) ?? text.split("\n").filter((line) => line.trim()).map(parsed);
    const named = (v) => Object.keys(v).some((key) => heading(key).name === "model");
    const knownOf = (v) => Object.keys(v).filter((key) => heading(key).known).length;
    const ofObjects = () => object(value) && Object.values(value).every(object);
    if (ofObjects() && !named(value) && Object.values(value).every((v) => knownOf(flat(v)) > 1)) {
      value = Object.entries(value).map(([model, row]) => ({ model, ...row }));
    }
    const isTable = (v) => Array.isArray(v) && v[0] && typeof v[0] === "object";
    const lists = object(value) ? Object.values(value).filter(isTable) : [];
    const inner = object(value) && Array.isArray(value.data) ? value.data : lists.length === 1 ? lists[0] : null;
    if (inner) {
      const split = Array.isArray(value.columns) && inner.every(Array.isArray);
      value = split ? inner.map((row) => Object.fromEntries(value.columns.map((c, i) => [c, row[i]]))) : inner;
    } else if (ofObjects() && (named(value) || knownOf(value) > 1)) {
      const columns = Object.entries(value);
      const first = named(value) ? () => ({}) : (model) => ({ model });
      const keys = [...new Set(columns.flatMap(([, column]) => Object.keys(column)))];
      value = keys.map((key) => ({ ...first(key), ...Object.fromEntries(columns.map(([c, column]) => [c, column[key]])) }));
    }
    if (!Array.isArray(value) || !value.length || !value.every(object) || !named(value[0])) return null;
    const rows = value.map((row) => flat(row));
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const shown = (v) => (v === null || v === undefined || typeof v === "object" ? "" : String(v));
    return [columns, ...rows.map((row) => columns.map((name) => shown(row[name])))];
  }

  /* A record whose nested objects are columns: {"hellaswag": {"acc_norm": 50}} has a column "hellaswag acc_norm". */
  function flat(row, depth = 3) {
    const one = {};
    for (const [key, value] of Object.entries(row)) {
      if (!object(value) || !depth) one[key] = value;
      else {
        for (const [inner, item] of Object.entries(flat(value, depth - 1))) {
          const joint = heading(key).known || Object.hasOwn(row, inner) || Object.hasOwn(one, inner);
          one[joint ? `${key} ${inner}` : inner] = item;
        }
      }
    }
    return one;
  }

  /* ---- which row names the columns, and which rows are no model ---- */

  function headerAt(rows) {
    for (const [at, row] of rows.slice(0, 12).entries()) {
      const known = row.filter(Boolean).map(heading).filter((head) => head.known);
      if (known.length > 1 && known.some((head) => head.name === "model")) return at;
      if (row.some((text) => number(text, true) !== null)) break;
    }
    return 0;
  }

  /* Two lines of names as one, where the second names units or metrics below groups; else null. */
  function joined(header, second) {
    const at = header.findIndex((text) => text && heading(text).name === "model");
    if (at < 0 || at >= second.length || !["", "unit", "units"].includes(bare(second[at]))) return null;
    const below = second.map((text, i) => (i === at || isBlank(text) ? "" : text));
    if (below.filter(Boolean).length < 2 || below.some((text) => number(text, true) !== null)) return null;
    let above = "";
    return Array.from({ length: Math.max(header.length, second.length) }, (_, i) => {
      above = header[i] || above;
      return below[i] ? `${above} ${below[i]}`.trim() : (header[i] ?? "");
    });
  }

  /* A cell of a page as text: "&plusmn;" is "±". The parser runs nothing and loads nothing. */
  const plainText = (text) =>
    /&#?\w+;/.test(text)
      ? new DOMParser().parseFromString(text.replaceAll("<", "&lt;"), "text/html").documentElement.textContent
      : text;

  /* A cell without the link or the style around it and the mark of a footnote after it, with plain blanks. */
  const clean = (text) =>
    plainText(text.replace(/<sup>[^<]*<\/sup>|<br\s*\/?>\s*$/gi, "").replace(AROUND, "$2"))
      .replace(/\x1b\[[0-9;]*m/g, "")
      .replace(/[\u00a0\u2007\u2009\u202f]/g, " ")
      .replace(/[\u200b-\u200d\u2060\ufeff\u00ad]/g, "")
      .trim();

  /* The rows from the names of the columns on, one line of names, no names again. */
  function laidOut(whole) {
    const rows = whole.map((row) => row.map(clean));
    const [first, ...rest] = rows.slice(headerAt(rows));
    const both = rest.length ? joined(first, rest[0]) : null;
    const table = both ? [both, ...rest.slice(1)] : [first, ...rest];
    const blank = (_, i) => table.every((row) => !row[i]);
    const width = Math.max(...table.map((row) => row.length));
    const empty = Array.from({ length: width }, blank);
    const [header, ...body] = table.map((row) => row.filter((_, i) => !empty[i]));
    const text = (row) => JSON.stringify(row.slice(0, header.length)).toLowerCase();
    return [header, ...body.filter((row) => text(row) !== text(header))];
  }

  /* Rows without averages and without texts that stand alone; above the models such a text names their family. */
  function modelsOnly(heads, rows) {
    const at = heads.findIndex((head) => head.name === "model");
    if (at < 0 || heads.length < 3) return { heads, rows };
    const named = (row) => row[at] || row[0] || "";
    const alone = rows.map((row) => Boolean(named(row)) && row.filter((text) => text && !isBlank(text)).length === 1);
    const families = alone[0] && !alone.at(-1) && !heads.some((head) => head.name === "family");
    let family = "";
    const models = [];
    rows.forEach((row, i) => {
      if (names().no_models.includes(bare(named(row)))) return;
      if (alone[i]) family = named(row);
      else models.push(families ? [...heads.map((_, k) => row[k] ?? ""), family] : row);
    });
    if (!models.length) return { heads, rows };
    return { heads: families ? [...heads, { name: "family", known: true, scale: 1, shots: "" }] : heads, rows: models };
  }

  /* Of "acc" and "acc_norm" of one benchmark the normalised one is read. */
  function normalised(heads, texts) {
    const stems = texts.map(bare);
    return heads.map((head, i) => {
      const same = stems.filter((_, k) => heads[k].name === head.name);
      const several = same.length > 1 && same.every((stem) => stem.split("_").includes("acc"));
      const other = same.filter((stem) => stem.includes("acc_norm")).length === 1 && !stems[i].includes("acc_norm");
      return several && other ? { name: null, scale: 1, shots: "" } : head;
    });
  }

  /* ---- the table ---- */

  const MOST_CELLS = 20000;
  const RUN = /(?:^|[-_. /(])(?:seed|run|rep|replicate|trial|init|s|r)[-_ =]?\d+\)?(?=$|[-_. /])/gi;

  /* A pasted or dropped table: {columns, rows, problems, axis}; rows are column -> text. */
  function readTable(text, order, chosen = "params") {
    const none = (code) => ({ columns: [], rows: [], problems: [general(code)] });
    const { rows: whole, comma } = cells(text);
    if (!whole.length) return none("no_rows");
    const bareRows = whole[0].filter((item) => checkSize(item)[0] !== null || checkScore(item)[0] !== null).length > 1;
    let [heads, table] = [[], whole];
    if (bareRows) {
      const columns = whole[0].length < order.length ? order.filter((name) => name !== "model") : order;
      heads = columns.map((name) => ({ name, scale: 1, shots: "" }));
    } else {
      const [texts, ...body] = laidOut(whole);
      heads = normalised(texts.map(heading), texts);
      if (!heads.some((head) => head.known)) return none("no_header");
      if (!body.length) return none("no_rows");
      ({ heads, rows: table } = modelsOnly(heads, body));
    }
    const problems = [];
    const rows = table.slice(0, Math.floor(MOST_CELLS / heads.length)).map((line, i) => {
      const facts = { row: i + 1, n: line.length, least: heads.length };
      if (line.length > heads.length) problems.push({ ...general("wide_row", facts), row: i });
      const row = {};
      heads.forEach((head, k) => put(row, head, (line[k] ?? "").trim(), comma));
      return row;
    });
    inBillions(rows);
    if (chosen !== "params" || !heads.some((head) => head.name === "params_b")) revised(rows);
    const axis = Cape.axes.recognised(Cape.axes.fill(rows), chosen);
    const merged = repeats(rows, order, Cape.axes.typed(axis));
    const columns = [...new Set([...heads.map((head) => head.name), ...rows.flatMap(Object.keys)])];
    return { columns, rows: merged, problems, axis };
  }

  function put(row, { name, scale, shots }, content, comma) {
    if (!name || name in row) return;
    const text = name !== "model" && isBlank(content) ? "" : content;
    const counts = names().count_columns.includes(name);
    if (/^(model|family|lab|date|seed|revision)$|_(protocol|shots|noise)$/.test(name)) row[name] = text;
    else if (names().unit_columns.includes(name)) row[name] = size(text, comma, scale, counts);
    else if (name === "step") row[name] = count(text, comma);
    else {
      const [value, error] = score(text, comma, counts);
      row[name] = value;
      if (error) row[`${name}_stderr`] ??= error;
      if (shots && value) row[`${name}_shots`] ??= shots;
    }
  }

  /* Sizes that are all counts of parameters become billions. */
  function inBillions(rows) {
    const known = rows.filter((row) => NUMBER.test(row.params_b ?? ""));
    if (known.some((row) => Number(row.params_b) < RAW_COUNT)) return;
    for (const row of known) row.params_b = rounded(Number(row.params_b) / 1e9, 10);
  }

  /* Revisions ("step1000") joined to the names of the models, as checkpoints are called. */
  function revised(rows) {
    for (const row of rows) {
      const there = (row.model ?? "").includes(row.revision || "@");
      if (row.revision && !there) row.model = row.model ? `${row.model}@${row.revision}` : row.revision;
    }
  }

  /* Runs of one model at one size become their mean; their spread, pooled over the sizes that have several, is the noise
   * of every size, as in cape_lib.tables.one_family. Rows of one size that are no runs stay, and are refused later. */
  function repeats(rows, order, by) {
    const { sum, mean } = Cape.numbers;
    const scores = order.filter((name) => !["model", by, "params_b"].includes(name));
    const place = (row) => (by === "date" ? row.date || NaN : row[by] ? Number(row[by]) : NaN);
    const whole = (row) => !Number.isNaN(place(row)) && scores.every((name) => NUMBER.test(row[name] ?? ""));
    const groups = [...Map.groupBy(rows, place).values()];
    const stem = (row) => (row.model ?? "").replace(RUN, "").replace(/^[-_. /]+|[-_. /]+$/g, "");
    const differ = (group, name) => new Set(group.map((row) => row[name])).size === group.length;
    const seeds = (group) => differ(group, "seed") && group.every((row) => row.seed);
    const runs = (group) => new Set(group.map(stem)).size === 1 && (differ(group, "model") || seeds(group));
    const several = groups.filter((group) => group.length > 1);
    if (!rows.every(whole) || !several.length || !several.every(runs)) return rows;
    return groups.map((group) => {
      const row = { ...group[0], model: group.length > 1 ? stem(group[0]) : group[0].model };
      for (const name of scores) {
        const of = (some) => some.map((one) => Number(one[name]));
        const squares = groups.flatMap((some) => of(some).map((value) => (value - mean(of(some))) ** 2));
        const spread = Math.sqrt(sum(squares) / (rows.length - groups.length));
        row[name] = rounded(mean(of(group)), 12);
        if (!(spread > 0)) continue;
        row[`${name}_stderr`] = rounded(spread / Math.sqrt(group.length), 12);
        row[`${name}_noise`] = Cape.kit.between_runs;
      }
      return row;
    });
  }

  const columnName = (text) => heading(text).name;
  Cape.read = { parsed, check, checkScore, checkSize, checkDate, checkTable, plain, problem, label, heading, columnName, readTable };
}

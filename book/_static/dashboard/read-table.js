/* Tables as people have them (CSV, TSV, Markdown, JSON records), by the names of columns that Python uses too: the table
 * comes with the kit (cape_lib/tables/columns.json), the rules are those of cape_lib.tables.columns and .numbers. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const MOST_CELLS = 20000;
  const RAW_COUNT = 1e5;
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const DECIMAL_COMMA = /^[+-]?\d+,\d+$/;
  const THOUSANDS = /^[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?$/;
  const POINT_THOUSANDS = /^[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?$/;
  const PLUS_MINUS = /^(.+?)\s*\(?\s*(?:±|\+\/-|\+-)\s*([^()]+?)\)?$/;
  const WITH_UNIT = /^(.+?)\s*(k|m|b|bn|t|billions?|millions?)$/i;
  const RUN = /(?:^|[-_. /(])(?:seed|run|rep|replicate|trial|init|s|r)[-_ =]?\d+\)?(?=$|[-_. /])/gi;
  const RULE = /^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?)?\s*$/;
  const names = () => Cape.kit.columns;

  /* ---- names of columns ---- */

  const plain = (text) =>
    text
      .toLowerCase()
      .replace(/[*`#]+/g, "")
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "");

  const aliasOf = (stem) =>
    Object.keys(names().columns).find((name) => name === stem || names().columns[name].includes(stem)) ?? null;

  /* What a head means: {name, known, scale, shots}. A head that is in no list keeps its name, made plain. */
  function heading(text) {
    let stem = plain(text);
    let shots = "";
    const shot = /_?(\d+)_?shots?(?=_|$)/.exec(stem);
    if (shot) {
      stem = (stem.slice(0, shot.index) + stem.slice(shot.index + shot[0].length)).replace(/^_+|_+$/g, "");
      shots = String(Number(shot[1]));
    }
    let ending = "";
    for (const [kind, words] of Object.entries(names().endings)) {
      const word = words.find((w) => stem.endsWith(`_${w}`) && stem.length > w.length + 1);
      if (!ending && word) [stem, ending] = [stem.slice(0, -word.length - 1), `_${kind}`];
    }
    const { name, scale } = lookup(stem);
    const ours = name === "release_date" ? "date" : name;
    return { name: (ours ?? stem) + ending, known: name !== null, scale, shots: ending ? "" : shots };
  }

  function lookup(stem) {
    const { units, unit_columns: sized, metrics } = names();
    const direct = aliasOf(stem);
    if (direct) return { name: direct, scale: 1 };
    const at = stem.lastIndexOf("_");
    const counted = at > 0 ? aliasOf(stem.slice(0, at).replace(/_in$/, "")) : null;
    if (counted && sized.includes(counted) && stem.slice(at + 1) in units) {
      return { name: counted, scale: units[stem.slice(at + 1)] };
    }
    for (const metric of metrics) {
      const of = stem.endsWith(`_${metric}`) ? aliasOf(stem.slice(0, -metric.length - 1)) : null;
      if (of) return { name: names().no_scores.includes(of) ? null : of, scale: 1 };
    }
    return { name: null, scale: 1 };
  }

  /* ---- numbers ---- */

  function number(cell, comma) {
    let bare = cell.replace(/%$/, "").trim().replace(/\u2212/g, "-").replace(/[\u00a0\u202f]/g, "");
    if (comma && DECIMAL_COMMA.test(bare)) bare = bare.replace(",", ".");
    else if (comma && POINT_THOUSANDS.test(bare)) bare = bare.replaceAll(".", "").replace(",", ".");
    else if (THOUSANDS.test(bare)) bare = bare.replaceAll(",", "");
    return NUMBER.test(bare) ? Number(bare) : null;
  }

  /* The text of a score and of its standard error ("50.5 ± 0.5"); what is no number stays as it is typed. */
  function score(cell, comma) {
    const parts = PLUS_MINUS.exec(cell);
    const value = number(parts ? parts[1] : cell, comma);
    const error = parts ? number(parts[2], comma) : null;
    if (value === null || (parts && error === null)) return [cell, ""];
    return [NUMBER.test(cell) ? cell : String(value), error === null ? "" : String(error)];
  }

  /* A size in billions as text: "410M", "1.1B", a bare number by the unit of its head. */
  function size(cell, comma, scale) {
    if (cell.endsWith("%")) return cell;
    const bare = number(cell, comma);
    if (bare !== null) return scale === 1 && NUMBER.test(cell) ? cell : String(Number((bare * scale).toPrecision(12)));
    const unit = WITH_UNIT.exec(cell);
    const value = unit && !unit[1].endsWith("%") ? number(unit[1], comma) : null;
    return value === null ? cell : String(Number((value * names().units[unit[2].toLowerCase()]).toPrecision(12)));
  }

  const commas = (cells) => {
    const bare = cells.map((cell) => cell.replace(/%$/, "").trim());
    if (bare.some((cell) => NUMBER.test(cell) && cell.includes("."))) return false;
    return bare.some((cell) => DECIMAL_COMMA.test(cell) && cell.split(",")[1].length !== 3);
  };

  /* ---- cells ---- */

  /* Rows of cells and whether decimals are commas. */
  function cells(text) {
    const clean = text.replace(/^\uFEFF/, "");
    const json = records(clean);
    if (json) return { rows: json, comma: false };
    const lines = clean.split(/\r\n|\r|\n/);
    const declared = /^\s*"?sep=(.)"?\s*$/.exec(lines[0]);
    if (declared) lines.shift();
    const rule = lines.findIndex((line, i) => i > 0 && RULE.test(line) && lines[i - 1].includes("|"));
    if (rule > 0 && !declared) {
      const end = lines.slice(rule + 1).findIndex((line) => !line.includes("|"));
      const body = end < 0 ? lines.slice(rule + 1) : lines.slice(rule + 1, rule + 1 + end);
      const rows = [lines[rule - 1], ...body].map(markdown);
      return { rows, comma: commas(rows.slice(1).flat()) };
    }
    const first = (lines.find((line) => line.trim()) ?? "").replace(/"[^"]*"/g, "");
    const marks = [",", ";", "\t", "|"].map((m) => [m, first.split(m).length]);
    const mark = declared ? declared[1] : marks.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
    if (!declared && !first.includes(mark)) {
      const rows = lines.filter((line) => line.trim()).map((line) => line.trim().split(/\s+/));
      const wide = rows.length > 1 && rows[0].length > 1 && rows.every((row) => row.length === rows[0].length);
      if (wide) return { rows, comma: false };
    }
    const rows = delimited(lines.join("\n"), mark);
    return { rows, comma: mark !== "," || commas(rows.slice(1).flat()) };
  }

  function delimited(text, mark) {
    const rows = [[""]];
    let quoted = false;
    for (let i = 0; i < text.length; i++) {
      const c = text[i];
      const row = rows[rows.length - 1];
      if (quoted) {
        if (c === '"' && text[i + 1] === '"') row[row.length - 1] += text[++i];
        else if (c === '"') quoted = false;
        else row[row.length - 1] += c;
      } else if (c === '"' && row[row.length - 1] === "") quoted = true;
      else if (c === mark) row.push("");
      else if (c === "\n") rows.push([""]);
      else row[row.length - 1] += c;
    }
    return rows.filter((row) => row.some((cell) => cell.trim()));
  }

  function markdown(line) {
    const inner = line.trim().replace(/^\|/, "").replace(/\|$/, "");
    return inner.split(/(?<!\\)\|/).map((cell) =>
      cell
        .replaceAll("\\|", "|")
        .replace(/\*\*|__|`/g, "")
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .replace(/^[\s*_]+|[\s*_]+$/g, ""),
    );
  }

  /* JSON records, columns or pandas' split form as rows of cells; null where the text is none of them. */
  function records(text) {
    if (!/^\s*[[{]/.test(text)) return null;
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      try {
        value = text.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
      } catch {
        return null;
      }
    }
    const object = (v) => v !== null && typeof v === "object" && !Array.isArray(v);
    const named = (v) => Object.keys(v).some((key) => heading(key).name === "model");
    if (object(value) && Array.isArray(value.data)) {
      const split = Array.isArray(value.columns) && value.data.every(Array.isArray);
      value = split ? value.data.map((row) => Object.fromEntries(value.columns.map((c, i) => [c, row[i]]))) : value.data;
    } else if (object(value) && named(value) && Object.values(value).every(object)) {
      const keys = [...new Set(Object.values(value).flatMap(Object.keys))];
      const entries = Object.entries(value);
      value = keys.map((key) => Object.fromEntries(entries.map(([c, column]) => [c, column[key]])));
    }
    if (!Array.isArray(value) || !value.length || !value.every(object) || !named(value[0])) return null;
    const columns = [...new Set(value.flatMap(Object.keys))];
    const text_ = (v) => (v === null || v === undefined || typeof v === "object" ? "" : String(v));
    return [columns, ...value.map((row) => columns.map((name) => text_(row[name])))];
  }

  /* ---- the table ---- */

  /* A pasted or dropped table: {columns, rows, problems}; rows are column -> text. */
  function readTable(text, order) {
    const { checkSize, checkScore, problem } = Cape.read;
    const none = (code) => ({ columns: [], rows: [], problems: [{ row: null, column: null, ...problem(code, "") }] });
    const { rows: table, comma } = cells(text);
    if (!table.length) return none("no_rows");
    const count = table[0].filter((cell) => checkSize(cell)[0] !== null || checkScore(cell)[0] !== null).length;
    let heads;
    if (count >= 2) {
      const columns = table[0].length < order.length ? order.filter((name) => name !== "model") : order;
      heads = columns.map((name) => ({ name, scale: 1, shots: "" }));
    } else {
      heads = table.shift().map(heading);
      if (!heads.some((head) => head.known)) return none("no_header");
      if (!table.length) return none("no_rows");
    }
    const problems = [];
    const rows = table.slice(0, Math.floor(MOST_CELLS / heads.length)).map((line, i) => {
      if (line.length > heads.length) {
        const facts = { row: i + 1, n: line.length, least: heads.length };
        problems.push({ row: i, column: null, ...problem("wide_row", "", null, facts) });
      }
      const row = {};
      heads.forEach((head, k) => put(row, head, (line[k] ?? "").trim(), comma));
      return row;
    });
    counts(rows);
    const merged = repeats(rows, order);
    const columns = [...new Set([...heads.map((head) => head.name), ...rows.flatMap(Object.keys)])];
    return { columns, rows: merged, problems };
  }

  /* Runs of one model at one size become their mean; their spread, pooled over the sizes that have several, is the noise
   * of every size, as in cape_lib.tables.repeats. Rows of one size that are no runs stay, and are refused later. */
  function repeats(rows, order) {
    const scores = order.filter((name) => name !== "model" && name !== "params_b");
    const at = new Map();
    for (const row of rows) {
      const key = row.params_b ? Number(row.params_b) : null;
      if (key === null || Number.isNaN(key) || !scores.every((name) => NUMBER.test(row[name] ?? ""))) return rows;
      at.set(key, [...(at.get(key) ?? []), row]);
    }
    const groups = [...at.values()];
    const stem = (row) => (row.model ?? "").replace(RUN, "").replace(/^[-_. /]+|[-_. /]+$/g, "");
    const seeds = (group) => new Set(group.map((row) => row.seed)).size === group.length && group.every((row) => row.seed);
    const names = (group) => new Set(group.map((row) => row.model)).size === group.length;
    const runs = (group) => new Set(group.map(stem)).size === 1 && (names(group) || seeds(group));
    if (!groups.some((group) => group.length > 1) || !groups.every((group) => group.length < 2 || runs(group))) return rows;
    const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;
    const freedom = groups.reduce((total, group) => total + group.length - 1, 0);
    const of = (group, name) => group.map((row) => Number(row[name]));
    return groups.map((group) => {
      const row = { ...group[0], model: group.length > 1 ? stem(group[0]) : group[0].model };
      for (const name of scores) {
        const squares = groups.flatMap((g) => of(g, name).map((value) => (value - mean(of(g, name))) ** 2));
        const spread = Math.sqrt(squares.reduce((total, value) => total + value, 0) / freedom);
        row[name] = String(Number(mean(of(group, name)).toPrecision(12)));
        if (!(spread > 0)) continue;
        row[`${name}_stderr`] = String(Number((spread / Math.sqrt(group.length)).toPrecision(12)));
        row[`${name}_noise`] = Cape.kit.between_runs;
      }
      return row;
    });
  }

  function put(row, head, cell, comma) {
    const { name, scale, shots } = head;
    if (!name || name in row) return;
    const kept = ["model", "family", "lab", "date", "seed"].includes(name) || /_(protocol|shots|noise)$/.test(name);
    if (kept) row[name] = cell;
    else if (names().unit_columns.includes(name)) row[name] = size(cell, comma, scale);
    else {
      const [value, error] = score(cell, comma);
      row[name] = value;
      if (error && !(`${name}_stderr` in row)) row[`${name}_stderr`] = error;
      if (shots && value && !(`${name}_shots` in row)) row[`${name}_shots`] = shots;
    }
  }

  /* Sizes that are all counts of parameters become billions. */
  function counts(rows) {
    const known = rows.filter((row) => NUMBER.test(row.params_b ?? ""));
    if (!known.length || known.some((row) => Number(row.params_b) < RAW_COUNT)) return;
    for (const row of known) row.params_b = String(Number((Number(row.params_b) / 1e9).toPrecision(10)));
  }

  Object.assign(Cape.read, { readTable, heading, columnName: (text) => heading(text).name, isRecords: (t) => !!records(t) });
})(window);

/* Tables as people have them (CSV, TSV, Markdown, JSON records), by the names of columns that Python uses too: the table
 * comes with the kit (cape_lib/tables/columns.json), the rules are those of cape_lib.tables.columns. */
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
  const APART = /^[+-]?\d{1,3}([ \u00a0\u2007\u2009\u202f'’_]\d{3})+([.,]\d+)?$/;
  const GROUPED = /^[+-]?\d{1,3}(,\d{3})+$/;
  const MARKS = /(?<=[\d%kKmMbBtT])\s*([†‡§¶*^↑↓▲▼]+|[¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜ]|\[\^?\w{1,3}\])+$/;
  const BOTH =
    /^(.+?)[-\s/]*\(?\s*A\s?([\d.,]+\s*[bmkt])\)?$|^(.+?)\s*\(?\s*([\d.,]+\s*[bmkt])\s+active\)?$/i;
  const AROUND_SIZE = /^[~≈]\s*|\s*\((?:dense|total|base)\)$|\s*param(?:eter)?s?$/gi;
  const FRAME = /^\s*(?=\S*[+─━═])[-=+|─━═├┌└╞╔╚╠┏┗┡┬┴┼╤╧╪╦╩╬╇┳┻╈┐┘┤╡╗╝╣┓┛┩]+\s*$/;
  const AROUND = /^\s*<(a|b|i|u|em|strong|code|mark|small|span|font|p)\b[^<>]*>([^<]*)<\/\1>\s*$/i;
  const AFTER = /<sup>[^<]*<\/sup>|<br\s*\/?>\s*$/gi;
  const COLOUR = /\x1b\[[0-9;]*m/g;
  const FIRST_ROWS = 12;
  const RUN = /(?:^|[-_. /(])(?:seed|run|rep|replicate|trial|init|s|r)[-_ =]?\d+\)?(?=$|[-_. /])/gi;
  const RULE = /^\s*\|?(\s*(:?-{2,}:?|:-:?|-:)\s*\|)+\s*(:?-{2,}:?|:-:?|-:)?\s*$/;
  const names = () => Cape.kit.columns;

  /* ---- names of columns ---- */

  const plain = (text) =>
    text
      .toLowerCase()
      .replaceAll("ß", "ss")
      .normalize("NFKD")
      .replace(/[*`#\u00ad\u0300-\u036f\u200b-\u200d\ufeff]+/g, "")
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "");

  /* A head without what trackers put around it: "eval/hellaswag/acc_norm,none" becomes "hellaswag_acc_norm". */
  function stemOf(text) {
    let bare = plain(text);
    for (const word of names().around) if (bare !== word && bare.startsWith(`${word}_`)) bare = bare.slice(word.length + 1);
    return bare.replace(/_none$/, "");
  }

  const aliasOf = (stem) =>
    Object.keys(names().columns).find((name) => name === stem || names().columns[name].includes(stem)) ?? null;

  /* What a head means: {name, known, scale, shots}. A head that is in no list keeps its name, made plain. */
  function heading(text) {
    let stem = stemOf(text);
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

  /* counts: a whole number is meant, so that "4,096" has a thousand in it. */
  function number(cell, comma, counts = false) {
    let bare = cell.replace(/\u2212/g, "-").replace(MARKS, "").replace(/%$/, "").trim();
    if (APART.test(bare)) bare = bare.replace(/[^\d.,+-]/g, "");
    if (counts && GROUPED.test(bare)) bare = bare.replaceAll(",", "");
    else if (comma && DECIMAL_COMMA.test(bare)) bare = bare.replace(",", ".");
    else if (comma && POINT_THOUSANDS.test(bare)) bare = bare.replaceAll(".", "").replace(",", ".");
    else if (THOUSANDS.test(bare)) bare = bare.replaceAll(",", "");
    return NUMBER.test(bare) ? Number(bare) : null;
  }

  /* The text of a score and of its standard error ("50.5 ± 0.5"); what is no number stays as it is typed. */
  function score(cell, comma, counts) {
    const parts = PLUS_MINUS.exec(cell);
    const value = number(parts ? parts[1] : cell, comma, counts);
    const error = parts ? number(parts[2], comma) : null;
    if (value === null || (parts && error === null)) return [cell, ""];
    return [NUMBER.test(cell) ? cell : String(value), error === null ? "" : String(error)];
  }

  /* A size in billions as text: "410M", "1.1B", a bare number by the unit of its head. */
  function size(given, comma, scale, counts = false) {
    if (given.endsWith("%")) return given;
    const cell = given.trim().replace(AROUND_SIZE, "").replace(MARKS, "");
    const both = BOTH.exec(cell);
    if (both) {
      const [total, active] = [size(both[1] ?? both[3], comma, 1), size(both[2] ?? both[4], comma, 1)];
      return NUMBER.test(total) && NUMBER.test(active) && Number(active) <= Number(total) ? total : given;
    }
    const [, text, unit] = WITH_UNIT.exec(cell) ?? [null, cell, null];
    const factor = unit ? names().units[unit.toLowerCase()] : scale;
    // In millions "1,100" is a count too: nobody writes their decimals so.
    const value = text.endsWith("%") ? null : number(text, comma, (counts && !unit) || factor < 1);
    if (value === null) return given;
    return factor === 1 && NUMBER.test(text) ? text : String(Number((value * factor).toPrecision(12)));
  }

  /* A count as it is: "143000", "143k", "1.4M". */
  function count(cell, comma) {
    const bare = number(cell, comma, true);
    if (bare !== null) return String(bare);
    const billions = size(cell, comma, 1, true);
    return NUMBER.test(billions) ? String(Number((Number(billions) * 1e9).toPrecision(12))) : cell;
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
    const other = drawn(lines) ?? latex(lines);
    if (other) return { rows: other, comma: commas(other.slice(1).flat()) };
    while (lines.length && (!lines[0].trim() || isRemark(lines[0], lines))) lines.shift();
    if (!lines.length) return { rows: [], comma: false };
    const declared = /^\s*"?sep=(.)"?\s*$/.exec(lines[0]);
    if (declared) lines.shift();
    const rules = [...lines.keys()].filter((i) => i && RULE.test(lines[i]) && lines[i - 1].includes("|"));
    const ofModels = (i) => markdown(lines[i - 1]).some((cell) => heading(cell).name === "model");
    const rule = rules.find(ofModels) ?? rules[0] ?? -1;
    if (rule > 0 && !declared) {
      const end = lines.slice(rule + 1).findIndex((line) => !line.includes("|"));
      const body = end < 0 ? lines.slice(rule + 1) : lines.slice(rule + 1, rule + 1 + end);
      const rows = [lines[rule - 1], ...body].map(markdown);
      return { rows, comma: commas(rows.slice(1).flat()) };
    }
    const first = (lines.find((line) => line.trim()) ?? "").replace(/"[^"]*"/g, "");
    const filled = lines.filter((line) => line.trim());
    const marks = [",", ";", "\t", "|"].map((m) => [m, first.split(m).length]);
    const mark = declared ? declared[1] : marks.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
    if (!declared && mark === "|" && filled.every((line) => line.trimStart().startsWith("|"))) {
      const bare = filled.map((line) => line.trim()).filter((line) => /[^ |=]/.test(line));
      const rows = bare.map((line) => markdown(line.startsWith("||") ? line.replaceAll("||", "|") : line));
      return { rows, comma: commas(rows.slice(1).flat()) };
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
    line.split(/[,;\t|]/).filter((cell) => heading(cell).known).length < 2;

  /* A table in a frame of lines, as databases and terminals draw them. */
  function drawn(given) {
    const lines = given.map((line) => line.replace(/[│┃║]/g, "|"));
    if (!lines.slice(0, 10).some((line) => FRAME.test(line))) return null;
    const kept = lines.filter((line) => line.includes("|") && !FRAME.test(line)).map(markdown);
    return kept.length ? kept : null;
  }

  /* The rows of a LaTeX table, without the commands around its cells. */
  function latex(lines) {
    if (!lines.some((line) => line.trimStart().startsWith("\\begin{tabular"))) return null;
    const plainTex = (cell) => {
      let bare = cell.replaceAll("$", "").replace(/\\pm\b/g, "±");
      for (let i = 0; i < 3; i++) bare = bare.replace(/\\[a-zA-Z]+\*?\{([^{}]*)\}/g, "$1");
      return bare.replace(/\\([%&_#$])/g, "$1").trim();
    };
    const kept = lines.filter((line) => /(?<!\\)&/.test(line));
    return kept.length ? kept.map((line) => line.split("\\\\")[0].split(/(?<!\\)&/).map(plainTex)) : null;
  }

  /* ---- which row names the columns, and which rows are no model: cape_lib.tables.sheets ---- */

  function headerAt(rows) {
    for (const [at, cells] of rows.slice(0, FIRST_ROWS).entries()) {
      const known = cells.filter(Boolean).map(heading).filter((head) => head.known);
      if (known.length > 1 && known.some((head) => head.name === "model")) return at;
      if (cells.some((cell) => number(cell, true) !== null)) break;
    }
    return 0;
  }

  function joined(header, second) {
    const at = header.findIndex((cell) => cell && heading(cell).name === "model");
    if (at < 0 || at >= second.length || !["", "unit", "units"].includes(plain(second[at]))) return null;
    const below = second.map((cell, i) => (i === at || isBlank(cell) ? "" : cell));
    if (below.filter(Boolean).length < 2 || below.some((cell) => number(cell, true) !== null)) return null;
    let above = "";
    return Array.from({ length: Math.max(header.length, second.length) }, (_, i) => {
      above = header[i] || above;
      return below[i] ? `${above} ${below[i]}`.trim() : (header[i] ?? "");
    });
  }

  /* A cell of a page as text: "&plusmn;" is "±". The parser runs nothing and loads nothing. */
  const plainText = (cell) => {
    if (!/&#?\w+;/.test(cell)) return cell;
    const safe = cell.replaceAll("<", "&lt;");
    return new DOMParser().parseFromString(safe, "text/html").documentElement.textContent;
  };

  /* A cell without the link or the style around it and the mark of a footnote after it, with plain blanks. */
  const clean = (cell) =>
    plainText(cell.replace(AFTER, "").replace(AROUND, "$2"))
      .replace(COLOUR, "")
      .replace(/[\u00a0\u2007\u2009\u202f]/g, " ")
      .replace(/[\u200b-\u200d\u2060\ufeff\u00ad]/g, "")
      .trim();

  /* The rows from the names of the columns on, one line of names, no names again. */
  function laidOut(given) {
    const rows = given.map((row) => row.map(clean));
    let [header, ...body] = rows.slice(headerAt(rows));
    const both = body.length ? joined(header, body[0]) : null;
    if (both) [header, body] = [both, body.slice(1)];
    const width = Math.max(header.length, ...body.map((row) => row.length));
    const blank = [...Array(width).keys()].filter((i) => !header[i] && body.every((row) => !row[i]));
    const filled = (row) => row.filter((_, i) => !blank.includes(i));
    [header, body] = [filled(header), body.map(filled)];
    const text = (row) => JSON.stringify(row.slice(0, header.length).map((cell) => cell.toLowerCase()));
    return [header, ...body.filter((row) => text(row) !== text(header))];
  }

  /* Rows without averages and without texts that stand alone; above the models such a text names their family. */
  function modelsOnly(heads, rows) {
    const at = heads.findIndex((head) => head.name === "model");
    if (at < 0 || heads.length < 3) return { heads, rows };
    const alone = rows.map((row) => row.filter((cell) => cell && !isBlank(cell)).length === 1 && Boolean(row[0] || row[at]));
    const named = (row) => row[at] || row[0] || "";
    const families = alone[0] && !alone[alone.length - 1] && !heads.some((head) => head.name === "family");
    let family = "";
    const kept = [];
    rows.forEach((row, i) => {
      if (names().no_models.includes(plain(named(row)))) return;
      if (alone[i]) family = named(row);
      else kept.push(families ? [...heads.map((_, k) => row[k] ?? ""), family] : row);
    });
    if (!kept.length) return { heads, rows };
    return { heads: families ? [...heads, { name: "family", known: true, scale: 1, shots: "" }] : heads, rows: kept };
  }

  const isBlank = (cell) => names().blank.includes(cell.trim().toLowerCase());

  /* Of "acc" and "acc_norm" of one benchmark the normalised one is read. */
  function normalised(heads, texts) {
    return heads.map((head, i) => {
      const same = heads.map((other, k) => [other.name, plain(texts[k])]).filter(([name]) => name === head.name);
      const normed = same.filter(([, text]) => text.includes("acc_norm"));
      const several = same.length > 1 && normed.length === 1 && same.every(([, text]) => text.split("_").includes("acc"));
      return several && !plain(texts[i]).includes("acc_norm") ? { name: null, scale: 1, shots: "" } : head;
    });
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
    const knownOf = (v) => Object.keys(v).filter((key) => heading(key).known).length;
    const entriesOf = (v) => knownOf(flat(v));
    if (object(value) && Object.values(value).every((v) => object(v) && entriesOf(v) > 1) && !named(value)) {
      value = Object.entries(value).map(([model, row]) => ({ model, ...row }));
    }
    const lists = object(value) ? Object.values(value).filter((v) => Array.isArray(v) && v[0] && typeof v[0] === "object") : [];
    const inner = object(value) && Array.isArray(value.data) ? value.data : lists.length === 1 ? lists[0] : null;
    if (inner) {
      const split = Array.isArray(value.columns) && inner.every(Array.isArray);
      value = split ? inner.map((row) => Object.fromEntries(value.columns.map((c, i) => [c, row[i]]))) : inner;
    } else if (object(value) && !named(value) && knownOf(value) > 1 && Object.values(value).every(object)) {
      const models = [...new Set(Object.values(value).flatMap(Object.keys))];
      const entries = Object.entries(value);
      value = models.map((model) => ({ model, ...Object.fromEntries(entries.map(([c, column]) => [c, column[model]])) }));
    } else if (object(value) && named(value) && Object.values(value).every(object)) {
      const keys = [...new Set(Object.values(value).flatMap(Object.keys))];
      const entries = Object.entries(value);
      value = keys.map((key) => Object.fromEntries(entries.map(([c, column]) => [c, column[key]])));
    }
    if (!Array.isArray(value) || !value.length || !value.every(object) || !named(value[0])) return null;
    value = value.map((row) => flat(row));
    const columns = [...new Set(value.flatMap(Object.keys))];
    const text_ = (v) => (v === null || v === undefined || typeof v === "object" ? "" : String(v));
    return [columns, ...value.map((row) => columns.map((name) => text_(row[name])))];
  }

  /* A record whose nested objects are columns: {"hellaswag": {"acc_norm": 50}} has a column "hellaswag acc_norm". */
  function flat(row, depth = 3) {
    const found = {};
    for (const [key, value] of Object.entries(row)) {
      if (value === null || typeof value !== "object" || Array.isArray(value) || !depth) {
        found[key] = value;
        continue;
      }
      for (const [inner, cell] of Object.entries(flat(value, depth - 1))) {
        const joint = heading(key).known || Object.hasOwn(row, inner) || Object.hasOwn(found, inner);
        found[joint ? `${key} ${inner}` : inner] = cell;
      }
    }
    return found;
  }

  /* ---- the table ---- */

  /* A pasted or dropped table: {columns, rows, problems}; rows are column -> text. */
  function readTable(text, order, chosen = "params") {
    const { checkSize, checkScore, problem } = Cape.read;
    const none = (code) => ({ columns: [], rows: [], problems: [{ row: null, column: null, ...problem(code, "") }] });
    const { rows: given, comma } = cells(text);
    if (!given.length) return none("no_rows");
    const count = given[0].filter((cell) => checkSize(cell)[0] !== null || checkScore(cell)[0] !== null).length;
    let heads;
    let table = count >= 2 ? given : laidOut(given);
    if (count >= 2) {
      const columns = table[0].length < order.length ? order.filter((name) => name !== "model") : order;
      heads = columns.map((name) => ({ name, scale: 1, shots: "" }));
    } else {
      const texts = table.shift();
      heads = normalised(texts.map(heading), texts);
      if (!heads.some((head) => head.known)) return none("no_header");
      if (!table.length) return none("no_rows");
      ({ heads, rows: table } = modelsOnly(heads, table));
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
    if (chosen !== "params" || !heads.some((head) => head.name === "params_b")) revised(rows);
    const axis = Cape.axes.recognised(Cape.axes.fill(rows), chosen);
    const merged = repeats(rows, order, Cape.axes.typed(axis));
    const columns = [...new Set([...heads.map((head) => head.name), ...rows.flatMap(Object.keys)])];
    return { columns, rows: merged, problems, axis };
  }

  /* Runs of one model at one size become their mean; their spread, pooled over the sizes that have several, is the noise
   * of every size, as in cape_lib.tables.one_family. Rows of one size that are no runs stay, and are refused later. */
  function repeats(rows, order, by) {
    const scores = order.filter((name) => name !== "model" && name !== by && name !== "params_b");
    const at = new Map();
    for (const row of rows) {
      const key = by === "date" ? row.date || null : row[by] ? Number(row[by]) : null;
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
    if (name !== "model" && isBlank(cell)) cell = "";
    const counts = names().count_columns.includes(name);
    const kept = ["model", "family", "lab", "date", "seed", "revision"].includes(name) || /_(protocol|shots|noise)$/.test(name);
    if (kept) row[name] = cell;
    else if (names().unit_columns.includes(name)) row[name] = size(cell, comma, scale, counts);
    else if (name === "step") row[name] = count(cell, comma);
    else {
      const [value, error] = score(cell, comma, counts);
      row[name] = value;
      if (error && !(`${name}_stderr` in row)) row[`${name}_stderr`] = error;
      if (shots && value && !(`${name}_shots` in row)) row[`${name}_shots`] = shots;
    }
  }

  /* Revisions ("step1000") joined to the names of the models, as checkpoints are called. */
  function revised(rows) {
    for (const row of rows) {
      const there = (row.model ?? "").includes(row.revision || "@");
      if (row.revision && !there) row.model = row.model ? `${row.model}@${row.revision}` : row.revision;
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

/* Results files of lm-evaluation-harness (0.3, 0.4) and of the Open LLM Leaderboard v1, by the rules of `cape import`.
 * A file is read in the browser and goes nowhere. Tasks, patterns of names and parts of protocols come with the kit. */
"use strict";
{
  const W = Cape.wording;
  const MOST_BYTES = 20e6;
  const NAMING = ["peft", "delta", "pretrained", "model", "path", "engine"];
  const object = (v) => (v && typeof v === "object" && !Array.isArray(v) ? v : {});
  const problem = (code, facts) => Cape.read.problem(code, "", null, facts).message;
  const fail = (code, facts) => {
    throw new Refusal(problem(code, facts));
  };
  const unique = (values) => [...new Set(values)];

  class Refusal extends Error {}

  /* Text of a file, or a refusal that costs no time: a large file is not opened. */
  async function textOf(file) {
    const size = Math.round(file.size / 1e6);
    if (file.size > MOST_BYTES) fail("file_large", { name: file.name, size, most: MOST_BYTES / 1e6 });
    return decoded(new Uint8Array(await file.arrayBuffer()));
  }

  /* The text in bytes: UTF-8, UTF-16 as Excel writes it or without its mark, else Windows-1252. */
  function decoded(bytes) {
    const start = [...bytes.slice(0, 400)];
    const half = Math.floor(start.length / 2);
    const zeros = (from) => start.filter((byte, i) => i % 2 === from && byte === 0).length;
    const text16 = (a, b, from) =>
      (bytes[0] === a && bytes[1] === b) || (half > 3 && zeros(from) > 0.9 * half && zeros(1 - from) === 0);
    const coding = text16(0xff, 0xfe, 1) ? "utf-16le" : text16(0xfe, 0xff, 0) ? "utf-16be" : "utf-8";
    try {
      return new TextDecoder(coding, { fatal: coding === "utf-8" }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  }

  /* ---- one file ---- */

  /* Results of one file: {name, notes, readings}; a reading has model, identity, params_b, date, quantised, column, task,
   * value, stderr, protocol. */
  function readDocument(name, text) {
    const document = parsed(name, text);
    const tool = TOOLS.find(([, fits]) => fits(object(document), document));
    if (tool) fail("file_tool", { name, tool: tool[0] });
    const results = object(object(document).results);
    const tasks = Object.keys(results).filter((task) => Object.keys(object(results[task])).length);
    if (!tasks.length) fail("file_other", { name });
    const kind = tasks.some((task) => task.startsWith("harness|")) ? leaderboard(document, name) : harness(document, name);
    const readings = tasks.flatMap((task) => readTask(kind, task, results[task], name));
    if (!readings.length) {
      const v2 = tasks.find((task) => task.startsWith("leaderboard"));
      fail(v2 ? "file_v2" : "file_none", { name, task: v2 || tasks.slice(0, 3).join(", ") });
    }
    return { name, readings, notes: kind.notes };
  }

  /* Python writes NaN for a standard error that it does not know, which is no JSON. */
  function parsed(name, text) {
    const forms = [text, text.replace(/(?<=[:[,]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g, "null")];
    const value = forms.map(Cape.read.parsed).find((one) => one !== undefined);
    return value === undefined ? fail("file_json", { name }) : value;
  }

  /* Results of other tools, told by their shape as the readers of `cape import` tell them. */
  const barred = (key) => {
    const words = key.split("|");
    return words.length > 1 && words[0] !== "harness" && /^\d+$/.test(words.length > 2 ? words[2] : words[1]);
  };
  const TOOLS = [
    ["Inspect", (d) => "task" in object(d.eval) && "status" in d],
    ["lighteval", (d) => Object.keys(object(d.results)).some(barred)],
    ["olmes", (d) => "task_name" in d && Object.keys(object(d.metrics)).length > 0],
    ["HELM", (d, all) => Array.isArray(all) && "name" in object(object(all[0]).name) && "count" in all[0] && "sum" in all[0]],
    ["every eval ever", (d) => "model_info" in d && Array.isArray(d.evaluation_results)],
  ];

  /* The tool that wrote a table of results, or "". */
  function toolOf(name, text) {
    const start = text.slice(0, 400).trimStart().toLowerCase();
    if (/\.eval$/i.test(name)) return "Inspect";
    if (/^\|? ?dataset ?[,|] ?version ?[,|] ?metric/.test(start)) return "OpenCompass";
    const gauntlet = ["category", "benchmark", "accuracy", "number few shot"].every((word) => start.includes(word));
    if (gauntlet) return "LLM Foundry gauntlet";
    return /^---\npretty_name:/.test(start) ? "lighteval" : "";
  }

  /* The readings of one task: none where it is no benchmark here or of a version that does not count. */
  function readTask(kind, key, row, name) {
    const task = kind.task(key);
    if (kind.discards(key)) return [];
    const leaf = /^(?:mmlu_|hendrycksTest-)(.+)$/.exec(task);
    const known = Object.hasOwn(kind.known, task) ? kind.known[task] : [];
    const wanted = leaf && leaf[1] in Cape.kit.mmlu ? [[`mmlu/${leaf[1]}`, "acc"]] : known;
    const field = (metric) => (kind.filtered && !metric.includes(",") ? `${metric},none` : metric);
    // Where one of the metrics of a task is there, the other may be missing.
    const there = wanted.filter(([, metric]) => field(metric) in row);
    if (wanted.length && !there.length) fail("file_metric", { name, task, metric: field(wanted[0][1]) });
    const [n, whole] = kind.items(key);
    return there.map(([column, metric]) => {
      const value = row[field(metric)];
      if (typeof value !== "number" || !(value >= -1e-9 && value <= 1 + 1e-9)) fail("file_value", { name, task });
      if (kind.limit !== null) fail("file_partial", { name, limit: String(kind.limit).slice(0, 24) });
      if (n && whole && n < whole) fail("file_items", { name, n, whole });
      const spread = row[kind.filtered ? `${metric}_stderr,none` : `${metric}_stderr`];
      return {
        file: name,
        ...kind.run,
        column,
        task,
        value: 100 * Cape.numbers.clamp(value, 0, 1),
        stderr: typeof spread === "number" && spread > 0 ? 100 * spread : null,
        protocol: kind.protocol(key, metric),
      };
    });
  }

  function harness(document, name) {
    const config = object(document.config);
    const metrics = Object.values(object(document.results)).flatMap((row) => Object.keys(object(row)));
    const filtered = metrics.some((metric) => metric.includes(","));
    const release = filtered ? "lm-eval 0.4" : "lm-eval 0.3";
    const args = modelArguments(config.model_args);
    const stated = typeof document.model_name === "string" ? document.model_name : "";
    const named = [stated, ...NAMING.map((k) => args[k])].find(Boolean) ?? "";
    const count = config.model_num_parameters;
    const versions = object(document.versions);
    const quantised = quantisedBy(args, String(named));
    const weights = quantised ? [`quantised (${quantised})`] : [];
    const shotsOf = (task) => {
      const own = object(object(document.configs)[task]).num_fewshot ?? object(document["n-shot"])[task];
      return (filtered ? own : config.num_fewshot) ?? "unknown";
    };
    const prompted = () => [
      document.chat_template ? "chat template" : "no chat template",
      ...(document.chat_template && document.fewshot_as_multiturn ? ["shots as turns"] : []),
      ...(document.system_instruction ? [`system prompt ${digest(String(document.system_instruction))}`] : []),
      beginToken(args, document),
    ];
    const identity = ["pretrained", "peft", "delta", "revision", "subfolder"].filter((k) => args[k]);
    return {
      filtered,
      known: Cape.kit.results.tasks[release],
      limit: config.limit ?? null,
      notes: [],
      task: (key) => key,
      // Version 0 of the MMLU of 0.3 had another prompt; the leaderboard discards it.
      discards: (task) => task.startsWith("hendrycksTest-") && !(versions[task] > 0),
      items: (task) => ["effective", "original"].map((key) => object(object(document["n-samples"])[task])[key] ?? null),
      run: {
        model: shortName(named),
        identity: JSON.stringify(identity.filter((k) => k !== "revision" || args[k] !== "main").map((k) => [k, args[k]])),
        params_b: typeof count === "number" && count > 0 && count < 1e15 ? count / 1e9 : null,
        date: dateOf(document.date, name),
        quantised,
      },
      protocol(task, metric) {
        const shots = shotsOf(task);
        const parts = [release, `${shots}-shot`, metric, `task version ${versions[task] ?? "unknown"}`];
        if (filtered) parts.push(...prompted(), ...numbersAndSeed(config, args, shots));
        return [...parts, ...weights].join("; ");
      },
    };
  }

  function leaderboard(document, name) {
    const config = object(document.config_general ?? document.config);
    const versions = object(document.versions);
    const old = (key) => key.includes("hendrycksTest-") && versions[key] === 0;
    const model = shortName(String(config.model_name ?? ""));
    const version = (key) => `task version ${versions[key] ?? "unknown"}`;
    return {
      filtered: false,
      known: Cape.kit.results.tasks["leaderboard v1"],
      limit: config.max_samples || null,
      notes: Object.keys(versions).some(old) ? [W.write("note_file_mmlu_old", { name })] : [],
      items: () => [null, null],
      discards: old,
      task: (key) => (key.startsWith("harness|") ? key.split("|").slice(1, -1).join("|") : ""),
      run: { model, identity: "[]", params_b: null, date: dateOf(null, name), quantised: "" },
      protocol: (key, metric) => ["leaderboard v1", `${key.split("|").pop()}-shot`, metric, version(key)].join("; "),
    };
  }

  /* The number format and the seed of the examples, where the file states them. */
  function numbersAndSeed(config, args, shots) {
    const dtype = String(config.model_dtype || args.dtype || "").replace(/^torch\./, "");
    const parts = dtype && dtype !== "auto" ? [`dtype ${dtype.slice(0, 120)}`] : [];
    const seeded = Number.isInteger(config.fewshot_seed) && Number(shots) > 0;
    return seeded ? [...parts, `few-shot seed ${config.fewshot_seed}`] : parts;
  }

  /* How the weights are quantised, by the arguments of the run, else by the name of the model. */
  function quantisedBy(args, name) {
    const bits = ["4", "8"].find((one) => String(args[`load_in_${one}bit`] ?? "").toLowerCase() === "true");
    if (bits) return `${bits}-bit`;
    const packed = ["autogptq", "gptqmodel", "gguf_file", "awq"].find((key) => key in args);
    if (packed && !["false", "none"].includes(args[packed].toLowerCase())) {
      return packed.replace(/^auto|model$|_file$/g, "").toUpperCase();
    }
    const stated = String(args.quantization ?? "");
    return stated && stated.toLowerCase() !== "none" ? stated.toUpperCase() : quantisedName(name);
  }

  /* A short mark of a long text, so that two texts are told apart. */
  function digest(text) {
    let hash = 0x811c9dc5;
    for (const sign of text) hash = Math.imul(hash ^ sign.codePointAt(0), 0x01000193) >>> 0;
    return hash.toString(16).padStart(8, "0");
  }

  function beginToken(args, document) {
    const stated = args.add_bos_token?.toLowerCase() ?? "none";
    if (stated !== "none") return `BOS ${stated === "true" ? "on" : "off"}`;
    const numbers = (String(document.lm_eval_version ?? "").match(/\d+/g) || []).map(Number);
    const since = [0, 4, 9, 2];
    const at = since.findIndex((part, i) => numbers[i] !== part);
    return at < 0 || (numbers[at] ?? -1) > since[at] ? "BOS by tokenizer" : "BOS default before 0.4.9.2";
  }

  function modelArguments(stated) {
    if (typeof stated !== "string") return Object.fromEntries(Object.entries(object(stated)).map(([k, v]) => [k, String(v)]));
    const parts = stated.split(",").map((part) => part.split(/=(.*)/s).map((v) => v.trim()));
    return Object.fromEntries(parts.filter((part) => part[1]));
  }

  function dateOf(stated, name) {
    if (typeof stated === "number" && stated > 0 && stated < 1e11) return stated;
    const stamp = /(\d{4}-\d\d-\d\d)[T_ ](\d\d)[-:](\d\d)[-:](\d\d(?:\.\d+)?)/.exec(name);
    const text = typeof stated === "string" ? stated : stamp ? `${stamp[1]}T${stamp[2]}:${stamp[3]}:${stamp[4]}Z` : "";
    const moment = Date.parse(/[Zz]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
    return Number.isNaN(moment) ? null : moment / 1000;
  }

  /* ---- what a name says: cape_lib.tables.model_names, by the same patterns ---- */

  const form = (name, flags) => new RegExp(Cape.kit.results.names[name], flags);
  const parts = (name) => name.split(/[/\\]/).filter(Boolean);
  const lastPart = (name) => parts(name).pop() ?? name;
  const isInstruct = (name) => form("instruct", "i").test(lastPart(name));
  const quantisedName = (name) => (form("quantised", "i").exec(lastPart(name))?.[1] ?? "").toUpperCase();

  /* A hub name as it is; a path by its last folder, with the one above it for a checkpoint. */
  function shortName(stated) {
    const name = stated.trim().replace(/[/\\]+$/, "");
    const folders = parts(name);
    if (folders.length === 2 && !"./\\~".includes(name[0]) && !name.includes(":")) return name;
    const last = folders.at(-1) || "";
    const checkpoint = /^((checkpoint|step|epoch|iter|global_step)?[-_]?\d+|hf|final|last|best)$/.test(last);
    return checkpoint ? folders.slice(-2).join("/") : last;
  }

  function sizeInName(name) {
    const hit = [...name.matchAll(form("size", "gi"))].find(({ groups }) => !groups.active);
    if (!hit) return null;
    const { number, unit, digit, experts } = hit.groups;
    const billions = /b/i.test(unit);
    const value = (Number(number.replaceAll("_", billions ? "." : "")) + Number(digit ?? 0) / 10) * Number(experts ?? 1);
    return Number((billions ? value : value / 1e3).toPrecision(6));
  }

  /* The size in the name where it and the stated one are over 1.6 times apart, else null. Mixtures of experts pass. */
  function sizeDisagrees(name, stated) {
    const named = sizeInName(name);
    const active = [...name.matchAll(form("size", "gi"))].some(({ groups }) => /a/i.test(groups.active ?? ""));
    if (named === null || active || /\dx\d|moe/i.test(name)) return null;
    return Math.max(named / stated, stated / named) > 1.6 ? named : null;
  }

  /* ---- several files ---- */

  /* Readings of several files as rows of the table: {rows, notes, asks}; refuses what cannot be compared.
   * The rules and their order are those of cape_lib.ingest.intake: the way of measuring first, then the date. */
  function assemble(documents) {
    const notes = documents.flatMap((document) => document.notes);
    const asks = [];
    const groups = Map.groupBy(byRevision(documents.flatMap((document) => document.readings)), (one) => one.model);
    for (const [model, readings] of groups) sameModel(model, readings);
    const sizes = new Map([...groups].map(([model, readings]) => [model, sizeOf(model, readings, notes, asks)]));
    const left = otherWays([...groups.values()].flat(), notes);
    const rows = [...groups].map(([model, readings]) =>
      oneModel(model, readings.filter((reading) => !left.has(reading)), sizes.get(model), notes),
    );
    refuseMixed(rows);
    return { rows: rows.sort((a, b) => (a.params_b ?? Infinity) - (b.params_b ?? Infinity)), notes, asks };
  }

  /* The revision in the name ("model@step1000") where files of one model have several. */
  function byRevision(readings) {
    const of = ({ identity }) => Object.fromEntries(JSON.parse(identity)).revision ?? "";
    const groups = Map.groupBy(readings, (reading) => reading.model);
    const several = ({ model }) => new Set(groups.get(model).map(of)).size > 1;
    const named = (reading) => ({ ...reading, model: `${reading.model}@${of(reading) || "main"}`, identity: "[]" });
    return readings.map((reading) => (several(reading) ? named(reading) : reading));
  }

  function sameModel(model, [first, ...others]) {
    const differ = (a, b, none) => a !== none && b !== none && a !== b;
    const other = others.find((one) => differ(one.identity, first.identity, "[]") || differ(one.params_b, first.params_b, null));
    if (other) fail("file_names", { name: other.file, model });
  }

  /* Billions of parameters; null, with a question, where the files say nothing or what cannot be. */
  function sizeOf(model, readings, notes, asks) {
    const stated = readings.map((reading) => reading.params_b).find((value) => value !== null) ?? null;
    const named = sizeInName(model);
    if (readings.some((reading) => reading.quantised) && named !== null) {
      notes.push(W.write("note_file_quantised", { model, named }));
      return named;
    }
    const apart = stated === null ? null : sizeDisagrees(model, stated);
    const facts = { model, stated: stated === null ? "" : Number(stated.toPrecision(3)), named: apart };
    const odd = apart !== null && Math.max(apart / stated, stated / apart) > 2.5;
    if (odd) asks.push(problem("file_odd", facts));
    else if (apart !== null) notes.push(W.write("note_file_differs", facts));
    else if (stated === null) asks.push(problem("file_size", { model }));
    return odd ? null : stated;
  }

  /* The readings to leave out where models were measured in several ways: of a benchmark the way that most of them share
   * stays, then the usual shots, then the newest. */
  function otherWays(readings, notes) {
    const left = new Set();
    const models = (list) => new Set(list.map((reading) => reading.model));
    for (const [benchmark, own] of Map.groupBy(readings, (reading) => reading.column.split("/")[0])) {
      const ways = Map.groupBy(own, (reading) => reading.protocol);
      const apart = new Set(own.map((reading) => JSON.stringify([reading.model, reading.protocol]))).size;
      if (benchmark === "mmlu" || apart === models(own).size) continue;
      const usual = `${Cape.kit.results.usual_shots[benchmark]}-shot`;
      const rank = ([way, list]) => [
        models(list).size,
        Number(way.includes(usual)),
        Math.max(...list.map((reading) => reading.date ?? 0)),
        way,
      ];
      const [best, chosen] = [...ways].reduce((a, b) => (isLess(rank(a), rank(b)) ? b : a));
      const here = models(chosen);
      const gone = own.filter((reading) => reading.protocol !== best && here.has(reading.model));
      if (!gone.length) continue;
      gone.forEach((reading) => left.add(reading));
      const [one, other] = differences(best, gone[0].protocol);
      const facts = { label: Cape.read.label(benchmark), chosen: one, other, here: summary(chosen), there: summary(gone) };
      notes.push(W.write("note_file_way", facts));
    }
    return left;
  }

  function isLess(a, b) {
    const at = a.findIndex((value, i) => value !== b[i]);
    return at >= 0 && a[at] < b[at];
  }

  /* Models, days and files of readings, in a few words. */
  function summary(readings) {
    const days = readings.filter((r) => r.date).map((r) => new Date(1000 * r.date).toISOString().slice(0, 10)).sort();
    const files = unique(readings.map((reading) => reading.file)).sort();
    const count = unique(readings.map((reading) => reading.model)).length;
    const when = days.length ? `, ${unique([days[0], days.at(-1)]).join(" to ")}` : "";
    return `${count} ${count === 1 ? "model" : "models"}${when}, ${files[0]}${files.length > 1 ? " ..." : ""}`;
  }

  /* A model as a row: of two readings of one score the newer one. */
  function oneModel(model, readings, size, notes) {
    const newest = {};
    const order = [...readings].sort((a, b) => (a.date ?? -1) - (b.date ?? -1) || (a.file < b.file ? -1 : 1));
    for (const reading of order) {
      const old = newest[reading.column];
      newest[reading.column] = reading;
      if (!old || (old.value === reading.value && old.protocol === reading.protocol)) continue;
      if (old.date === null || old.date === reading.date) fail("file_two", { name: reading.file, task: reading.task, model });
      const task = reading.column.includes("/") ? "MMLU" : reading.task;
      const note = W.write("note_file_newer", { model, task });
      if (!notes.includes(note)) notes.push(note);
    }
    const row = { model, params_b: size === null ? null : Number(size.toPrecision(6)) };
    const columns = Object.entries(newest);
    const leaves = columns.filter(([column]) => column.includes("/")).map(([, reading]) => reading);
    const whole = columns.filter(([column]) => !column.includes("/"));
    const mmlu = leaves.length ? meanOf(model, leaves, notes) : null;
    for (const [column, { value, stderr, protocol }] of [...whole, ...(mmlu ? [["mmlu", mmlu]] : [])]) {
      row[column] = Number(value.toFixed(4));
      row[`${column}_stderr`] = stderr === null ? null : Number(stderr.toFixed(4));
      row[`${column}_protocol`] = protocol;
    }
    return row;
  }

  /* MMLU from its 57 leaves as their plain mean; the group in the file is never read. */
  function meanOf(model, leaves, notes) {
    const { sum } = Cape.numbers;
    const most = Object.keys(Cape.kit.mmlu).length;
    if (leaves.length < most) {
      notes.push(W.write("note_file_mmlu", { model, n: leaves.length, most }));
      return null;
    }
    const [one, other] = unique(leaves.map((leaf) => leaf.protocol)).sort();
    if (other) fail("file_mixed", { label: "MMLU", first: model, second: model, one, other });
    const known = leaves.every((leaf) => leaf.stderr !== null);
    return {
      value: sum(leaves.map((leaf) => leaf.value / most)),
      stderr: known ? Math.sqrt(sum(leaves.map((leaf) => (leaf.stderr / most) ** 2))) : null,
      protocol: `${one}; plain mean`,
    };
  }

  /* ---- whether two scores may stand in one comparison: cape_lib.tables.scores ---- */

  function partsOf(protocol) {
    const { kinds, absent } = Cape.kit.results.protocols;
    const known = {};
    for (const part of protocol.split(";").map((piece) => piece.trim())) {
      const small = part.toLowerCase();
      const kind = Object.keys(kinds).find((name) => new RegExp(`^(?:${kinds[name]})$`).test(small)) ?? "metric";
      if (!part || small.split("-")[0].split(/\s+/).includes("unknown")) continue;
      known[kind] = kind in known ? `${known[kind]}; ${part}` : part;
    }
    return "harness" in known ? { ...absent, ...known } : known;
  }

  /* What differs between two protocols, as a text of each; a part that either leaves unknown differs from nothing. */
  function differences(one, other) {
    const both = [one, other].map(partsOf);
    const unlike = (kind) => kind in both[1] && both[0][kind].toLowerCase() !== both[1][kind].toLowerCase();
    const kinds = Object.keys(both[0]).filter(unlike);
    return both.map((some) => kinds.map((kind) => some[kind]).join(", "));
  }

  function refuseMixed(rows) {
    for (const column of unique(rows.flatMap(Object.keys)).filter((name) => name.endsWith("_protocol"))) {
      const known = rows.filter((row) => row[column]);
      for (const [first, second] of known.flatMap((row, i) => known.slice(i + 1).map((next) => [row, next]))) {
        const [one, other] = differences(first[column], second[column]);
        const label = Cape.read.label(column.replace(/_protocol$/, ""));
        if (one) fail("file_mixed", { label, first: first.model, second: second.model, one, other });
      }
    }
    const models = rows.map((row) => row.model);
    const [tuned, plain] = [models.find(isInstruct), models.find((model) => !isInstruct(model))];
    if (tuned && plain) fail("file_instruct", { plain, tuned });
    const [one, other] = [models.find(quantisedName), models.find((model) => !quantisedName(model))];
    if (one && other) fail("file_quantised", { one, kind: quantisedName(one), other });
  }

  Cape.harness = { textOf, toolOf, decoded, readDocument, assemble, Refusal };
}

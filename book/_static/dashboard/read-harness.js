/* Results files of lm-evaluation-harness (0.3, 0.4) and of the Open LLM Leaderboard v1, by the rules of `cape import`.
 * A file is read in the browser and goes nowhere. Subjects of MMLU come with the kit. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const MOST_BYTES = 20e6;
  const DISCARDED_MMLU = 0;
  const NAMING = ["peft", "delta", "pretrained", "model", "path", "engine"];
  const object = (v) => (v && typeof v === "object" && !Array.isArray(v) ? v : {});
  const fail = (code, facts) => {
    throw new Refusal(Cape.read.problem(code, "", null, facts).message);
  };

  class Refusal extends Error {}

  /* Text of a file, or a refusal that costs no time: a large file is not opened. */
  async function textOf(file) {
    const size = Math.round(file.size / 1e6);
    if (file.size > MOST_BYTES) fail("file_large", { name: file.name, size, most: MOST_BYTES / 1e6 });
    return decoded(new Uint8Array(await file.arrayBuffer()));
  }

  /* The text in bytes: UTF-8, UTF-16 as Excel writes it or without its mark, else Windows-1252. */
  function decoded(bytes) {
    const zeros = (from) => bytes.slice(0, 400).filter((byte, i) => i % 2 === from && byte === 0).length;
    const half = Math.floor(Math.min(bytes.length, 400) / 2);
    const little = (bytes[0] === 0xff && bytes[1] === 0xfe) || (half > 3 && zeros(1) > 0.9 * half && zeros(0) === 0);
    const big = (bytes[0] === 0xfe && bytes[1] === 0xff) || (half > 3 && zeros(0) > 0.9 * half && zeros(1) === 0);
    if (little || big) return new TextDecoder(little ? "utf-16le" : "utf-16be").decode(bytes);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  }

  /* Results of one file: {name, readings: [{model, identity, params_b, date, column, task, value, stderr, protocol}]}. */
  function readDocument(name, text) {
    let document;
    try {
      document = JSON.parse(text);
    } catch {
      try {
        // Python writes NaN for a standard error that it does not know, which is no JSON.
        document = JSON.parse(text.replace(/(?<=[:[,]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g, "null"));
      } catch {
        fail("file_json", { name });
      }
    }
    const tool = TOOLS.find(([, fits]) => fits(document));
    if (tool) fail("file_tool", { name, tool: tool[0] });
    const results = object(object(document).results);
    const tasks = Object.keys(results).filter((task) => Object.keys(object(results[task])).length);
    if (!tasks.length) fail("file_other", { name });
    const kind = tasks.some((task) => task.startsWith("harness|"))
      ? leaderboard(document, name)
      : harness(document, name);
    const readings = tasks.flatMap((task) => read(kind, task, object(results[task]), name));
    if (!readings.length) {
      const v2 = tasks.find((task) => task.startsWith("leaderboard"));
      fail(v2 ? "file_v2" : "file_none", { name, task: v2 || tasks.slice(0, 3).join(", ") });
    }
    return { name, readings, notes: kind.notes };
  }

  /* The tool that wrote a table of results, or "". */
  function toolOf(name, text) {
    const start = text.slice(0, 400).trimStart().toLowerCase();
    if (/\.eval$/i.test(name)) return "Inspect";
    if (/^\|? ?dataset ?[,|] ?version ?[,|] ?metric/.test(start)) return "OpenCompass";
    const gauntlet = ["category", "benchmark", "accuracy", "number few shot"].every((word) => start.includes(word));
    if (gauntlet) return "LLM Foundry gauntlet";
    return /^---\npretty_name:/.test(start) ? "lighteval" : "";
  }

  function sources(task, known) {
    const leaf = /^(?:mmlu_|hendrycksTest-)(.+)$/.exec(task);
    if (leaf && leaf[1] in Cape.kit.mmlu) return [[`mmlu/${leaf[1]}`, "acc"]];
    return Object.hasOwn(known, task) ? known[task] : [];
  }

  function read(kind, key, row, name) {
    const task = kind.task(key);
    if (kind.discards(key)) return [];
    const field = (metric) => (kind.filtered && !metric.includes(",") ? `${metric},none` : metric);
    const wanted = sources(task, kind.known);
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
        value: 100 * Math.min(Math.max(value, 0), 1),
        stderr: typeof spread === "number" && spread > 0 ? 100 * spread : null,
        protocol: kind.protocol(key, metric),
      };
    });
  }

  /* Results of other tools, told by their shape as the readers of `cape import` tell them. */
  const first = (document) => (Array.isArray(document) ? object(document[0]) : {});
  const barred = (key) => {
    const words = key.split("|");
    return words.length > 1 && words[0] !== "harness" && /^\d+$/.test(words.length > 2 ? words[2] : words[1]);
  };
  const TOOLS = [
    ["Inspect", (d) => "task" in object(object(d).eval) && "status" in object(d)],
    ["lighteval", (d) => Object.keys(object(object(d).results)).some(barred)],
    ["olmes", (d) => "task_name" in object(d) && Object.keys(object(object(d).metrics)).length > 0],
    ["HELM", (d) => "name" in object(first(d).name) && "count" in first(d) && "sum" in first(d)],
    ["every eval ever", (d) => "model_info" in object(d) && Array.isArray(object(d).evaluation_results)],
  ];

  function harness(document, name) {
    const config = object(document.config);
    const results = object(document.results);
    const filtered = Object.values(results).some((row) => Object.keys(object(row)).some((k) => k.includes(",")));
    const given = modelArguments(config.model_args);
    const named = typeof document.model_name === "string" && document.model_name;
    const count = config.model_num_parameters;
    const versions = object(document.versions);
    const shots = (task) => {
      const own = object(object(document.configs)[task]).num_fewshot ?? object(document["n-shot"])[task];
      return (filtered ? own : config.num_fewshot) ?? "unknown";
    };
    const version = (task) => `task version ${versions[task] ?? "unknown"}`;
    return {
      filtered,
      known: Cape.kit.results.tasks[filtered ? "lm-eval 0.4" : "lm-eval 0.3"],
      limit: config.limit ?? null,
      notes: [],
      task: (key) => key,
      // Version 0 of the MMLU of 0.3 had another prompt; the leaderboard discards it.
      discards: (task) => task.startsWith("hendrycksTest-") && !(versions[task] > DISCARDED_MMLU),
      items: (task) => ["effective", "original"].map((key) => object(object(document["n-samples"])[task])[key] ?? null),
      run: {
        model: shortName(named || NAMING.map((k) => given[k]).find(Boolean) || ""),
        identity: JSON.stringify(
          ["pretrained", "peft", "delta", "revision", "subfolder"]
            .filter((k) => given[k] && !(k === "revision" && given[k] === "main"))
            .map((k) => [k, given[k]]),
        ),
        params_b: typeof count === "number" && count > 0 && count < 1e15 ? count / 1e9 : null,
        date: dateOf(document.date, name),
        quantised: quantisedBy(given, String(named || NAMING.map((k) => given[k]).find(Boolean) || "")),
      },
      protocol(task, metric) {
        const parts = [filtered ? "lm-eval 0.4" : "lm-eval 0.3", `${shots(task)}-shot`, metric, version(task)];
        const weights = this.run.quantised ? [`quantised (${this.run.quantised})`] : [];
        if (!filtered) return [...parts, ...weights].join("; ");
        parts.push(document.chat_template ? "chat template" : "no chat template");
        if (document.chat_template && document.fewshot_as_multiturn) parts.push("shots as turns");
        if (document.system_instruction) parts.push(`system prompt ${digest(String(document.system_instruction))}`);
        return [...parts, beginToken(given, document), ...facts(config, given, shots(task)), ...weights].join("; ");
      },
    };
  }

  /* The number format and the seed of the examples, where the file states them. */
  function facts(config, given, shots) {
    const dtype = String(config.model_dtype || given.dtype || "").replace(/^torch\./, "");
    const parts = dtype && dtype !== "auto" ? [`dtype ${dtype.slice(0, 120)}`] : [];
    const seeded = Number.isInteger(config.fewshot_seed) && Number(shots) > 0;
    return seeded ? [...parts, `few-shot seed ${config.fewshot_seed}`] : parts;
  }

  /* How the weights are quantised, by the arguments of the run, else by the name of the model. */
  function quantisedBy(given, name) {
    for (const [key, kind] of [["load_in_4bit", "4-bit"], ["load_in_8bit", "8-bit"]]) {
      if (String(given[key] ?? "").toLowerCase() === "true") return kind;
    }
    const packed = ["autogptq", "gptqmodel", "gguf_file", "awq"].find((key) => key in given);
    if (packed && !["false", "none"].includes(given[packed].toLowerCase())) {
      return packed.replace(/^auto/, "").replace(/model$/, "").replace(/_file$/, "").toUpperCase();
    }
    const stated = String(given.quantization ?? "");
    return stated && stated.toLowerCase() !== "none" ? stated.toUpperCase() : quantisedName(name);
  }

  /* A short mark of a long text, so that two texts are told apart. */
  function digest(text) {
    let hash = 0x811c9dc5;
    for (const sign of text) hash = Math.imul(hash ^ sign.codePointAt(0), 0x01000193) >>> 0;
    return hash.toString(16).padStart(8, "0");
  }

  /* ---- what a name says: cape_lib.tables.model_names, by the same patterns ---- */

  const form = (name, flags) => new RegExp(Cape.kit.results.names[name], flags);
  const lastPart = (name) => name.split(/[/\\]/).filter(Boolean).pop() ?? name;
  const isInstruct = (name) => form("instruct", "i").test(lastPart(name));
  const quantisedName = (name) => (form("quantised", "i").exec(lastPart(name))?.[1] ?? "").toUpperCase();

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

  function beginToken(given, document) {
    const stated = given.add_bos_token;
    if (stated !== undefined && stated.toLowerCase() !== "none") {
      return `BOS ${stated.toLowerCase() === "true" ? "on" : "off"}`;
    }
    const numbers = (String(document.lm_eval_version ?? "").match(/\d+/g) || []).slice(0, 4).map(Number);
    const since = [0, 4, 9, 2];
    const at = since.findIndex((part, i) => numbers[i] !== part);
    const later = at < 0 || (numbers[at] ?? -1) > since[at];
    return later ? "BOS by tokenizer" : "BOS default before 0.4.9.2";
  }

  function leaderboard(document, name) {
    const config = object(document.config_general ?? document.config);
    const versions = object(document.versions);
    const old = (key) => key.includes("hendrycksTest-") && versions[key] === DISCARDED_MMLU;
    const notes = Object.keys(versions).some(old) ? [Cape.wording.write("note_file_mmlu_old", { name })] : [];
    const shots = (key) => key.split("|").pop();
    return {
      filtered: false,
      known: Cape.kit.results.tasks["leaderboard v1"],
      limit: config.max_samples || null,
      notes,
      items: () => [null, null],
      discards: old,
      task: (key) => (key.startsWith("harness|") ? key.split("|").slice(1, -1).join("|") : ""),
      run: {
        model: shortName(String(config.model_name ?? "")),
        identity: "[]",
        params_b: null,
        date: dateOf(null, name),
        quantised: "",
      },
      protocol: (key, metric) =>
        `leaderboard v1; ${shots(key)}-shot; ${metric}; task version ${versions[key] ?? "unknown"}`,
    };
  }

  function modelArguments(given) {
    if (typeof given === "string") {
      return Object.fromEntries(
        given
          .split(",")
          .map((part) => part.split(/=(.*)/s).map((v) => v.trim()))
          .filter((p) => p[1]),
      );
    }
    return Object.fromEntries(Object.entries(object(given)).map(([k, v]) => [k, String(v)]));
  }

  /* A hub name as it is; a path by its last folder, with the one above it for a checkpoint. */
  function shortName(given) {
    const name = given.trim().replace(/[/\\]+$/, "");
    const parts = name.split(/[/\\]/).filter(Boolean);
    if (parts.length === 2 && !"./\\~".includes(name[0]) && !name.includes(":")) return name;
    const last = parts[parts.length - 1] || "";
    const checkpoint = /^((checkpoint|step|epoch|iter|global_step)?[-_]?\d+|hf|final|last|best)$/.test(last);
    return parts.length >= 2 && checkpoint ? parts.slice(-2).join("/") : last;
  }

  function dateOf(stated, name) {
    if (typeof stated === "number" && stated > 0 && stated < 1e11) return stated;
    const found = /(\d{4}-\d\d-\d\d)[T_ ](\d\d)[-:](\d\d)[-:](\d\d(?:\.\d+)?)/.exec(name);
    const text = typeof stated === "string" ? stated : found ? `${found[1]}T${found[2]}:${found[3]}:${found[4]}Z` : "";
    const moment = Date.parse(/[Zz]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
    return Number.isNaN(moment) ? null : moment / 1000;
  }

  /* Readings of several files as rows of the table: {rows, notes, asks}; refuses what cannot be compared.
   * The rules and their order are those of cape_lib.ingest.merging: the way of measuring first, then the date. */
  function assemble(documents) {
    const notes = documents.flatMap((document) => document.notes);
    const asks = [];
    const groups = new Map();
    for (const reading of byRevision(documents.flatMap((document) => document.readings))) {
      if (!groups.has(reading.model)) groups.set(reading.model, []);
      groups.get(reading.model).push(reading);
    }
    for (const [model, readings] of groups) sameModel(model, readings);
    const sizes = new Map([...groups].map(([model, readings]) => [model, sizeOf(model, readings, notes, asks)]));
    const chosen = oneProtocol(groups, notes);
    const rows = [...chosen].map(([model, readings]) => oneModel(model, readings, sizes.get(model), notes));
    refuseMixed(rows);
    return { rows: rows.sort((a, b) => (a.params_b ?? Infinity) - (b.params_b ?? Infinity)), notes, asks };
  }

  /* The revision in the name ("model@step1000") where files of one model have several. */
  function byRevision(readings) {
    const of = (reading) => Object.fromEntries(JSON.parse(reading.identity)).revision ?? "";
    const several = new Map();
    for (const reading of readings) several.set(reading.model, (several.get(reading.model) ?? new Set()).add(of(reading)));
    return readings.map((reading) =>
      several.get(reading.model).size > 1
        ? { ...reading, model: `${reading.model}@${of(reading) || "main"}`, identity: "[]" }
        : reading,
    );
  }

  function sameModel(model, readings) {
    const [first_] = readings;
    for (const other of readings) {
      const differs = first_.identity !== "[]" && other.identity !== "[]" && first_.identity !== other.identity;
      const sizes = first_.params_b !== null && other.params_b !== null && first_.params_b !== other.params_b;
      if (differs || sizes) fail("file_names", { name: other.file, model });
    }
  }

  /* Billions of parameters; null, with a question, where the files say nothing or what cannot be. */
  function sizeOf(model, readings, notes, asks) {
    const stated = readings.map((reading) => reading.params_b).find((value) => value !== null) ?? null;
    const named = sizeInName(model);
    if (readings.some((reading) => reading.quantised) && named !== null) {
      notes.push(Cape.wording.write("note_file_quantised", { model, named }));
      return named;
    }
    const apart = stated === null ? null : sizeDisagrees(model, stated);
    const facts = { model, stated: stated === null ? "" : Number(stated.toPrecision(3)), named: apart };
    if (apart !== null && Math.max(apart / stated, stated / apart) > 2.5) {
      asks.push(Cape.read.problem("file_odd", "", null, facts).message);
      return null;
    }
    if (apart !== null) notes.push(Cape.wording.write("note_file_differs", facts));
    if (stated === null) asks.push(Cape.read.problem("file_size", "", null, { model }).message);
    return stated;
  }

  /* Where models were measured in several ways: the way that most of them share, then the usual shots, then the newest. */
  function oneProtocol(groups, notes) {
    const stem = (reading) => reading.column.split("/")[0];
    const readings = [...groups.values()].flat();
    const left = new Set();
    for (const benchmark of new Set(readings.map(stem))) {
      const ways = new Map();
      for (const reading of readings.filter((r) => stem(r) === benchmark)) {
        ways.set(reading.protocol, [...(ways.get(reading.protocol) ?? []), reading]);
      }
      const twice = [...groups.values()].some(
        (group) => new Set(group.filter((r) => stem(r) === benchmark).map((r) => r.protocol)).size > 1,
      );
      if (ways.size < 2 || !twice || benchmark === "mmlu") continue;
      const models = (list) => new Set(list.map((reading) => reading.model));
      const usual = Cape.kit.results.usual_shots[benchmark];
      const rank = ([way, list]) => [
        models(list).size,
        Number(usual !== undefined && way.includes(`${usual}-shot`)),
        Math.max(...list.map((reading) => reading.date ?? 0)),
        way,
      ];
      const [best, kept] = [...ways].reduce((a, b) => (isLess(rank(a), rank(b)) ? b : a));
      const here = models(kept);
      const gone = readings.filter((r) => stem(r) === benchmark && r.protocol !== best && here.has(r.model));
      if (!gone.length) continue;
      gone.forEach((reading) => left.add(reading));
      const unlike = differences(best, gone[0].protocol);
      const [chosen, other] = [0, 1].map((i) => unlike.map((pair) => pair[i]).join(", "));
      const facts = { label: Cape.read.label(benchmark), chosen, other, here: told(kept), there: told(gone) };
      notes.push(Cape.wording.write("note_file_way", facts));
    }
    return new Map([...groups].map(([model, group]) => [model, group.filter((reading) => !left.has(reading))]));
  }

  function isLess(a, b) {
    const at = a.findIndex((value, i) => value !== b[i]);
    return at >= 0 && a[at] < b[at];
  }

  /* Models, days and files of readings, in a few words. */
  function told(readings) {
    const days = readings.filter((r) => r.date).map((r) => new Date(1000 * r.date).toISOString().slice(0, 10)).sort();
    const files = [...new Set(readings.map((reading) => reading.file))].sort();
    const count = new Set(readings.map((reading) => reading.model)).size;
    const last = days[days.length - 1];
    const when = days.length ? `, ${days[0]}${last !== days[0] ? ` to ${last}` : ""}` : "";
    return `${count} ${count === 1 ? "model" : "models"}${when}, ${files[0]}${files.length > 1 ? " ..." : ""}`;
  }

  function oneModel(model, readings, size, notes) {
    const kept = {};
    const order = [...readings].sort((a, b) => (a.date ?? -1) - (b.date ?? -1) || (a.file < b.file ? -1 : 1));
    for (const reading of order) {
      const old = kept[reading.column];
      kept[reading.column] = reading;
      if (!old || (old.value === reading.value && old.protocol === reading.protocol)) continue;
      if (old.date === null || old.date === reading.date) {
        fail("file_two", { name: reading.file, task: reading.task, model });
      }
      const task = reading.column.includes("/") ? "MMLU" : reading.task;
      const note = Cape.wording.write("note_file_newer", { model, task });
      if (!notes.includes(note)) notes.push(note);
    }
    const row = { model, params_b: size === null ? null : Number(size.toPrecision(6)) };
    for (const [column, reading] of Object.entries(kept)) {
      if (!column.includes("/")) put(row, column, reading.value, reading.stderr, reading.protocol);
    }
    mmlu(row, kept, notes);
    return row;
  }

  function put(row, column, value, stderr, protocol) {
    row[column] = Number(value.toFixed(4));
    row[`${column}_stderr`] = stderr === null ? null : Number(stderr.toFixed(4));
    row[`${column}_protocol`] = protocol;
  }

  /* MMLU from its 57 leaves as their plain mean; the group in the file is never read. */
  function mmlu(row, kept, notes) {
    const leaves = Object.entries(kept)
      .filter(([column]) => column.includes("/"))
      .map(([, reading]) => reading);
    const most = Object.keys(Cape.kit.mmlu).length;
    if (!leaves.length) return;
    if (leaves.length < most) {
      notes.push(Cape.wording.write("note_file_mmlu", { model: row.model, n: leaves.length, most }));
      return;
    }
    const protocols = [...new Set(leaves.map((leaf) => leaf.protocol))].sort();
    if (protocols.length > 1) {
      fail("file_mixed", {
        label: "MMLU",
        first: row.model,
        second: row.model,
        one: protocols[0],
        other: protocols[1],
      });
    }
    const spread = leaves.every((leaf) => leaf.stderr !== null)
      ? Math.sqrt(leaves.reduce((total, leaf) => total + (leaf.stderr / most) ** 2, 0))
      : null;
    const value = leaves.reduce((total, leaf) => total + leaf.value / most, 0);
    put(row, "mmlu", value, spread, `${protocols[0]}; plain mean`);
  }

  /* ---- whether two scores may stand in one comparison: cape_lib.tables.score_checks ---- */

  function parts(protocol) {
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

  /* What differs between two protocols, as pairs; a part that either leaves unknown differs from nothing. */
  function differences(one, other) {
    const [left, right] = [parts(one), parts(other)];
    return Object.keys(left)
      .filter((kind) => kind in right && left[kind].toLowerCase() !== right[kind].toLowerCase())
      .map((kind) => [left[kind], right[kind]]);
  }

  function refuseMixed(rows) {
    const columns = new Set(rows.flatMap((row) => Object.keys(row).filter((name) => name.endsWith("_protocol"))));
    for (const column of columns) {
      const known = rows.filter((row) => row[column]);
      for (const [at, first_] of known.entries()) {
        for (const second of known.slice(at + 1)) {
          const unlike = differences(first_[column], second[column]);
          if (!unlike.length) continue;
          const [one, other] = [0, 1].map((i) => unlike.map((pair) => pair[i]).join(", "));
          const label = Cape.read.label(column.replace(/_protocol$/, ""));
          fail("file_mixed", { label, first: first_.model, second: second.model, one, other });
        }
      }
    }
    const models = rows.map((row) => row.model);
    const [tuned, plain] = [models.find(isInstruct), models.find((model) => !isInstruct(model))];
    if (tuned && plain) fail("file_instruct", { plain, tuned });
    const [one, other] = [models.find(quantisedName), models.find((model) => !quantisedName(model))];
    if (one && other) fail("file_quantised", { one, kind: quantisedName(one), other });
  }

  Cape.harness = { textOf, toolOf, decoded, readDocument, assemble, Refusal, MOST_BYTES };
})(window);

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
      fail("file_json", { name });
    }
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

  function sources(task, known) {
    const leaf = /^(?:mmlu_|hendrycksTest-)(.+)$/.exec(task);
    if (leaf && leaf[1] in Cape.kit.mmlu) return [[`mmlu/${leaf[1]}`, "acc"]];
    return Object.hasOwn(known, task) ? known[task] : [];
  }

  function read(kind, key, row, name) {
    const task = kind.task(key);
    if (kind.discards(key)) return [];
    return sources(task, kind.known).map(([column, metric]) => {
      const field = kind.filtered ? `${metric},none` : metric;
      if (!(field in row)) fail("file_metric", { name, task, metric: field });
      const value = row[field];
      if (typeof value !== "number" || !(value >= -1e-9 && value <= 1 + 1e-9)) fail("file_value", { name, task });
      if (kind.limit !== null) fail("file_partial", { name, limit: String(kind.limit).slice(0, 24) });
      const spread = row[kind.filtered ? `${metric}_stderr,none` : `${metric}_stderr`];
      return {
        file: name,
        ...kind.run,
        column,
        task,
        value: 100 * Math.min(Math.max(value, 0), 1),
        stderr: typeof spread === "number" && spread > 0 ? 100 * spread : null,
        protocol: kind.protocol(key, metric),
        items: kind.items(key),
      };
    });
  }

  const HARNESS = {
    hellaswag: [["hellaswag", "acc_norm"]],
    arc_challenge: [["arc_challenge", "acc_norm"]],
    winogrande: [["winogrande", "acc"]],
  };
  const NEW = { ...HARNESS, truthfulqa_mc2: [["truthfulqa", "acc"]], truthfulqa_mc1: [["truthfulqa_mc1", "acc"]] };
  const OLD = {
    ...HARNESS,
    truthfulqa_mc: [
      ["truthfulqa", "mc2"],
      ["truthfulqa_mc1", "mc1"],
    ],
  };
  const BOARD = {
    hellaswag: OLD.hellaswag,
    "arc:challenge": OLD.arc_challenge,
    winogrande: OLD.winogrande,
    "truthfulqa:mc": OLD.truthfulqa_mc,
  };

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
      known: filtered ? NEW : OLD,
      limit: config.limit ?? null,
      notes: [],
      task: (key) => key,
      // Version 0 of the MMLU of 0.3 had another prompt; the leaderboard discards it.
      discards: (task) => task.startsWith("hendrycksTest-") && !(versions[task] > DISCARDED_MMLU),
      items: (task) => object(object(document["n-samples"])[task]).effective ?? null,
      run: {
        model: shortName(named || NAMING.map((k) => given[k]).find(Boolean) || ""),
        identity: JSON.stringify(
          ["pretrained", "peft", "delta", "revision", "subfolder"]
            .filter((k) => given[k] && !(k === "revision" && given[k] === "main"))
            .map((k) => [k, given[k]]),
        ),
        params_b: typeof count === "number" && count > 0 ? count / 1e9 : null,
        date: dateOf(document.date, name),
      },
      protocol(task, metric) {
        const parts = [filtered ? "lm-eval 0.4" : "lm-eval 0.3", `${shots(task)}-shot`, metric, version(task)];
        if (!filtered) return parts.join("; ");
        parts.push(document.chat_template ? "chat template" : "no chat template");
        if (document.chat_template && document.fewshot_as_multiturn) parts.push("shots as turns");
        if (document.system_instruction) parts.push("system prompt");
        return [...parts, beginToken(given, document)].join("; ");
      },
    };
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
      known: BOARD,
      limit: config.max_samples || null,
      notes,
      items: () => null,
      discards: old,
      task: (key) => (key.startsWith("harness|") ? key.split("|").slice(1, -1).join("|") : ""),
      run: {
        model: shortName(String(config.model_name ?? "")),
        identity: "[]",
        params_b: null,
        date: dateOf(null, name),
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

  /* Readings of several files as rows of the table: {rows, notes}; refuses what cannot be compared. */
  function assemble(documents) {
    const notes = documents.flatMap((document) => document.notes);
    const byModel = new Map();
    for (const reading of documents.flatMap((document) => document.readings)) {
      if (!byModel.has(reading.model)) byModel.set(reading.model, []);
      byModel.get(reading.model).push(reading);
    }
    const rows = [...byModel].map(([model, readings]) => oneModel(model, readings, notes));
    refuseMixed(rows);
    return { rows: rows.sort((a, b) => (a.params_b ?? Infinity) - (b.params_b ?? Infinity)), notes };
  }

  function oneModel(model, readings, notes) {
    const [first] = readings;
    for (const other of readings) {
      const differs = first.identity !== "[]" && other.identity !== "[]" && first.identity !== other.identity;
      const sizes = first.params_b !== null && other.params_b !== null && first.params_b !== other.params_b;
      if (differs || sizes) fail("file_names", { name: other.file, model });
    }
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
    const size = readings.map((reading) => reading.params_b).find((value) => value !== null) ?? null;
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

  function refuseMixed(rows) {
    const columns = new Set(rows.flatMap((row) => Object.keys(row).filter((name) => name.endsWith("_protocol"))));
    for (const column of columns) {
      const known = rows.filter((row) => row[column]);
      const other = known.find((row) => row[column] !== known[0][column]);
      const label = Cape.read.label(column.replace(/_protocol$/, ""));
      if (other) {
        fail("file_mixed", {
          label,
          first: known[0].model,
          second: other.model,
          one: known[0][column],
          other: other[column],
        });
      }
    }
  }

  Cape.harness = { textOf, decoded, readDocument, assemble, Refusal, MOST_BYTES };
})(window);

/* Sentences from templates: the same templates, formats and rules of advice as cape_lib.dashboard, filled here. */
"use strict";
{
  const LARGE = 1e6;
  const SLOT = /\{(@?[A-Za-z0-9_.-]+)(?:\|([^}]*))?\}/g;
  const TERM = /^(!?)([a-z0-9_.]+)(\?|(?:(<=|>=|<|>|=)(.+)))?$/;

  /* The sentence `key` of words.json, filled. */
  const write = (key, facts) => fill(Cape.kit.words[key], facts, {});

  /* A diagnosis with what is said of it: answers, notes and advice, by the rules of wording.speak. What the sentences
   * speak of stays with it for the page, and out of what is exported. */
  function answered(diagnosis, more) {
    const lists = listsOf(diagnosis.kind);
    const facts = { ...diagnosis, ...more };
    for (const [name, path] of Object.entries(lists.facts ?? {})) facts[name] = lookup(facts, path);
    const names = ["headline", ...Object.keys(Cape.kit.questions)];
    const rules = Cape.kit.rules.filter((rule) => rule.kind === diagnosis.kind && holds(rule.condition, facts));
    const whole = {
      ...diagnosis,
      answers: Object.fromEntries(names.map((name) => [name, say(lists[name], facts, lists)])),
      advice: rules.map(({ kind, condition, ...rule }) => rule),
      notes: lists.notes.filter(([condition]) => holds(condition, facts)).map(([, text]) => fill(text, facts, lists)),
    };
    return Object.defineProperty(whole, "facts", { value: facts });
  }

  function listsOf(kind) {
    const { answers } = Cape.kit;
    return { ...answers[answers[kind].like], ...answers[kind] };
  }

  /* A text of a view, filled; its own lists come before those of the answers. */
  const text = (kind, template, facts, lists) => fill(template, facts, { ...listsOf(kind), ...lists });

  function say(choices, facts, lists) {
    const choice = choices.find(([condition]) => holds(condition, facts));
    return choice ? fill(choice[1], facts, lists) : "";
  }

  const fill = (template, facts, lists) =>
    template.replace(SLOT, (_, path, form) =>
      path[0] === "@" ? say(lists[path.slice(1)], facts, lists) : shown(lookup(facts, path), form || ""),
    );

  /* The value at a path of names and places ("rows.0.model", "rows.-1", "rows.length"); null below null and beyond a list. */
  function lookup(facts, path) {
    return path.split(".").reduce((value, key) => {
      if (Array.isArray(value) && key !== "length") return value.at(key) ?? null;
      if (value !== null && value[key] === undefined) throw new Error(`no ${path}`);
      return value === null ? null : value[key];
    }, facts);
  }

  const holds = (condition, facts) => condition.split(" & ").every((term) => !term || termHolds(term, facts));

  function termHolds(term, facts) {
    const [, turned, path, ending, sign, right] = TERM.exec(term);
    const value = lookup(facts, path);
    if (!sign) return (ending ? value !== null : Boolean(value)) !== Boolean(turned);
    const limit = /^[a-z]/.test(right) ? lookup(facts, right) : right[0] === "'" ? right.slice(1, -1) : Number(right);
    const order = { "<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit };
    return (value !== null && (order[sign] ?? value === limit)) !== Boolean(turned);
  }

  /* A value as a reader sees it. Formats: "1" decimals, "+1" with sign, "%" probability, "B" size, "L" the label of a
   * benchmark, "i1" interval. */
  function shown(value, form = "") {
    if (value === null || value === undefined) return "unknown";
    if (form === "%") return `${value < 0.01 ? "under 1" : value > 0.99 ? "over 99" : fixed(100 * value, 0)}\u00a0%`;
    if (form === "B") return size(value);
    if (form === "L") return Cape.read.label(value);
    if (form[0] === "i") return intervalText(value, Number(form.slice(1)));
    if (!form) return String(value);
    const text = fixed(value, Number(form));
    return form[0] !== "+" || /^(-|over|under)/.test(text) ? text : `+${text}`;
  }

  function fixed(value, digits) {
    if (Math.abs(value) >= LARGE) return value > 0 ? "over 1,000,000" : "under -1,000,000";
    const text = value.toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text;
  }

  function size(billions) {
    if (billions >= 10000) return "over 10,000B";
    if (billions < 0.001) return "under 1M";
    if (billions < 0.9995) return `${fixed(1000 * billions, 0)}M`;
    return `${fixed(billions, billions >= 100 ? 0 : 1).replace(/\.0$/, "")}B`;
  }

  function intervalText({ low, high, shape }, digits) {
    if (shape === "none") return "[no interval]";
    if (shape === "any") return "[any value]";
    const [from, to] = [low, high].map((v) => fixed(v, digits));
    return shape === "gap" ? `[up to ${to} or from ${from}]` : `[${from}, ${to}]`;
  }

  const number = (v) => (Number.isFinite(v) ? v : null);

  /* The ends of an interval as plain data: low, high (null where infinite), shape. */
  function interval(low, high) {
    if (Number.isNaN(low) || Number.isNaN(high)) return { low: null, high: null, shape: "none" };
    const finite = [low, high].filter(Number.isFinite).length;
    const shape = finite === 2 ? (low > high ? "gap" : "bounded") : finite ? "none" : "any";
    return { low: number(low), high: number(high), shape };
  }

  Cape.wording = { write, answered, text, holds, lookup, shown, size, interval, number };
}

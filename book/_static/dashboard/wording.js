/* Sentences from templates: the same templates, formats and rules of advice as cape_lib.dashboard, filled here. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const LARGE = 1e6;
  const SLOT = /\{([a-z0-9_]+)(?:\|([^}]*))?\}/g;
  let templates = {};

  function use(kit) {
    templates = kit.words;
  }

  /* The template `key` with its slots filled: {name} or {name|format}. */
  function write(key, facts) {
    if (!(key in templates)) throw new Error(`no template ${key}`);
    return templates[key].replace(SLOT, (_, name, form) => {
      if (!(name in facts)) throw new Error(`template ${key}: no fact ${name}`);
      return shown(facts[name], form || "");
    });
  }

  /* A value as a reader sees it. Formats: "1" decimals, "+1" with sign, "%" probability, "B" size, "i1" interval. */
  function shown(value, form = "") {
    if (value === null || value === undefined) return "unknown";
    if (form === "%") return percent(value);
    if (form === "B") return size(value);
    if (form[0] === "i") return intervalText(value, Number(form.slice(1)));
    if (form[0] === "+") {
      const text = fixed(value, Number(form.slice(1)));
      return /^(-|over|under)/.test(text) ? text : `+${text}`;
    }
    return form ? fixed(value, Number(form)) : String(value);
  }

  function fixed(value, digits) {
    if (Math.abs(value) >= LARGE) return value > 0 ? "over 1,000,000" : "under -1,000,000";
    const text = value.toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text;
  }

  function percent(p) {
    if (p < 0.01) return "under 1\u00a0%";
    return p > 0.99 ? "over 99\u00a0%" : `${fixed(100 * p, 0)}\u00a0%`;
  }

  function size(billions) {
    if (billions >= 10000) return "over 10,000B";
    if (billions < 0.001) return "under 1M";
    if (billions < 0.9995) return `${fixed(1000 * billions, 0)}M`;
    return `${fixed(billions, billions >= 100 ? 0 : 1).replace(/\.0$/, "")}B`;
  }

  function intervalText(interval, digits) {
    if (interval.shape === "none") return "[no interval]";
    if (interval.shape === "any") return "[any value]";
    const [low, high] = [interval.low, interval.high].map((v) => fixed(v, digits));
    return interval.shape === "gap" ? `[up to ${high} or from ${low}]` : `[${low}, ${high}]`;
  }

  const number = (v) => (Number.isFinite(v) ? v : null);

  /* The ends of an interval as plain data: low, high (null where infinite), shape. */
  function interval(low, high) {
    if (Number.isNaN(low) || Number.isNaN(high)) return { low: null, high: null, shape: "none" };
    if (!Number.isFinite(low) && !Number.isFinite(high)) return { low: null, high: null, shape: "any" };
    if (!Number.isFinite(low) || !Number.isFinite(high)) return { low: number(low), high: number(high), shape: "none" };
    return { low, high, shape: low > high ? "gap" : "bounded" };
  }

  const OPERATORS = {
    "<": (a, b) => a < b,
    ">": (a, b) => a > b,
    "<=": (a, b) => a <= b,
    ">=": (a, b) => a >= b,
    "=": (a, b) => a === b,
  };

  /* The rules of one kind whose every term holds; a fact that is missing fails its term. */
  function advise(kind, facts, rules) {
    const holds = ([name, sign, limit]) =>
      facts[name] !== null && facts[name] !== undefined && OPERATORS[sign](facts[name], limit);
    return rules
      .filter((rule) => rule.kind === kind && rule.terms.every(holds))
      .map(({ rule, topic, advice, evidence, strength, link }) => ({ rule, topic, advice, evidence, strength, link }));
  }

  Cape.wording = { use, write, shown, fixed, size, interval, number, advise };
})(window);

/* Taking a diagnosis away: table, JSON, chart, print, link. */
(function (root) {
  "use strict";
  const Cape = (root.Cape = root.Cape || {});
  const { el } = Cape.results;
  const { button } = Cape.form;

  function save(name, type, content) {
    const link = el("a", {
      href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })),
      download: name,
    });
    link.click();
    root.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const quoted = (v) => {
    const text = v === null || v === undefined ? "" : String(v);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  function csv(rows) {
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
    return `${lines.map((line) => line.map(quoted).join(",")).join("\n")}\n`;
  }

  function asPng(svg) {
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = el("canvas");
      [canvas.width, canvas.height] = [2 * Cape.draw.WIDTH, (2 * Cape.draw.WIDTH * image.height) / image.width];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save("chart.png", "image/png", blob));
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(Cape.draw.standalone(svg))}`;
  }

  async function copyLink(done) {
    root.history.replaceState(null, "", Cape.state.toLink());
    try {
      await root.navigator.clipboard.writeText(root.location.href);
      done.textContent = "The link is copied.";
    } catch {
      done.textContent = "The link is in the address bar: copy it from there.";
    }
  }

  /* The buttons below a diagnosis; `place` is where its charts are. */
  function buttons(place) {
    const { app } = Cape;
    const done = el("span", { class: "dash-small", role: "status" });
    const whole = () =>
      JSON.stringify({ version: app.kit.version, input: app.state[app.state.tab], diagnosis: app.current }, null, 1);
    const chart = place.querySelector("svg.dash-chart");
    return el(
      "div",
      { class: "dash-buttons" },
      button("Table (CSV)", () => save("diagnosis.csv", "text/csv", csv(Cape.results.rows(app.current)))),
      button("Diagnosis (JSON)", () => save("diagnosis.json", "application/json", whole())),
      chart ? button("Chart (SVG)", () => save("chart.svg", "image/svg+xml", Cape.draw.standalone(chart))) : null,
      chart ? button("Chart (PNG)", () => asPng(chart)) : null,
      button("Print", () => root.print()),
      button("Copy link", () => copyLink(done)),
      done,
    );
  }

  Cape.exports = { buttons };
})(window);

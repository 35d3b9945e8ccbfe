// The page of all claims: search, filter, sort, open by link, download. Without this script every row is still there.
(function () {
  "use strict";
  const ledger = document.querySelector(".cape-ledger");
  if (!ledger) return;
  const form = ledger.querySelector("form"), list = ledger.querySelector(".cape-ledger-rows");
  const count = ledger.querySelector(".cape-ledger-count");
  const rows = Array.from(list.querySelectorAll(":scope > details"));
  const records = JSON.parse(ledger.querySelector(".cape-ledger-data").textContent);
  const strength = {
    verdict: ["reproduced", "reproduced with definition", "in the last digit", "differs", "not testable"],
    conclusion: ["withstands", "confounded", "artefact", "wrong data", "contradicted", "untested"],
  };
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  function shown() { return rows.filter((row) => !row.hidden); }

  function update() {
    const sought = form.search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const fits = ["verdict", "conclusion", "source", "chapter"].every((key) => !form[key].value || row.dataset[key] === form[key].value);
      row.hidden = !fits || !sought.every((word) => words.get(row).includes(word));
    }
    const key = form.sort.value;
    const rank = (row) => strength[key] ? String(strength[key].indexOf(row.dataset[key])) : key === "id" ? "" : row.dataset[key];
    rows.slice().sort((a, b) => rank(a).localeCompare(rank(b)) || a.id.localeCompare(b.id, "en", { numeric: true })).forEach((row) => list.append(row));
    const mine = shown().filter((row) => row.dataset.source === "this book").length;
    count.textContent = shown().length + " of " + rows.length + " claims" + (mine ? ", " + mine + " of them this book's" : "");
    const all = shown().every((row) => row.open) && shown().length > 0;
    form.elements.open.textContent = all ? "Close all shown" : "Open all shown";
  }

  function openLinked() {
    const row = rows.find((one) => "#" + one.id === location.hash);
    if (!row) return;
    if (row.hidden) { form.reset(); update(); }
    row.open = true;
    row.scrollIntoView();
  }

  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function cell(value) {
    const text = value === null ? "" : typeof value === "object" && !Array.isArray(value) ? value.name + ": " + value.reason : Array.isArray(value) ? value.map((one) => one === null ? "" : one).join("; ") : String(value);
    return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function chosen() {
    const ids = new Set(shown().map((row) => row.id));
    return records.filter((record) => ids.has(record.id));
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.open.addEventListener("click", () => {
    const open = !shown().every((row) => row.open);
    shown().forEach((row) => { row.open = open; });
    update();
  });
  form.elements.csv.addEventListener("click", () => {
    const keys = Object.keys(records[0]);
    const lines = [keys.join(",")].concat(chosen().map((record) => keys.map((key) => cell(record[key])).join(",")));
    save("claims.csv", "text/csv", lines.join("\n") + "\n");
  });
  form.elements.json.addEventListener("click", () => save("claims.json", "application/json", JSON.stringify(chosen(), null, 2) + "\n"));

  // The theme's button is the one place of a page that names the repository.
  const repository = document.querySelector("a.btn-source-repository-button");
  if (repository) ledger.querySelectorAll("a[data-file]").forEach((link) => {
    link.href = repository.href.replace(/\/$/, "") + "/blob/main/" + link.dataset.file + "#L" + link.dataset.line;
    link.hidden = false;
  });

  form.hidden = false;
  update();
  window.addEventListener("hashchange", openLinked);
  openLinked();
})();

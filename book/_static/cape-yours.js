/* The form for a model of yours: the base rate near its size, and the address of its diagnosis. Nothing is sent anywhere. */
(function () {
  "use strict";

  function rate(known, size) {
    var sizes = { size: size, low: size / known.near, high: size * known.near };
    var text = known.rates.filter(function (one) { return one.from <= size; }).pop().text;
    return text.replace(/\{(\w+)\}/g, function (_, name) { return Number(sizes[name].toPrecision(2)); });
  }

  function set(form) {
    var known = JSON.parse(form.querySelector("script").textContent), go = form.querySelector(".cape-yours-go");
    var said = form.querySelector(".cape-yours-rate"), page = go.getAttribute("href");
    function update() {
      var kind = form.querySelector("[name=cape-kind]:checked").value, row = {};
      form.querySelectorAll(".cape-yours-fields").forEach(function (one) { one.hidden = one.dataset.kind !== kind; });
      form.querySelectorAll("[data-kind=" + kind + "] input").forEach(function (box) {
        if (box.value !== "" && box.validity.valid) row[box.name] = box.value;
      });
      var state = kind === "model" ? { tab: kind, row: row } : { tab: kind, rows: [row] };
      go.setAttribute("href", Object.keys(row).length ? page + "#d=" + encodeURIComponent(JSON.stringify(state)) : page);
      var size = Number(row.params_b);
      if (kind === "model") said.innerHTML = size > 0 ? rate(known, size) : "Type its size to see what known models near it did.";
      else said.textContent = "Two scores bring h, how far its reasoning lies from what its coding lets one expect.";
    }
    form.addEventListener("input", update);
    form.addEventListener("submit", function (event) { event.preventDefault(); location.href = go.href; });
    update();
  }

  function start() { document.querySelectorAll("form.cape-yours").forEach(set); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();

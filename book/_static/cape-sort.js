/* A table whose headings sort it: by the key of each cell, blanks last. */
document.querySelectorAll("table.cape-sort").forEach(function (table) {
  "use strict";
  var heads = table.querySelectorAll("thead th"), body = table.tBodies[0];
  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) { return row.cells[column].dataset.key; };
      Array.from(body.rows).sort(function (a, b) {
        var p = key(a), q = key(b);
        if (p === "" || q === "") return (p === "") - (q === "");
        var order = isNaN(p) || isNaN(q) ? p.localeCompare(q) : p - q;
        return up ? order : -order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});

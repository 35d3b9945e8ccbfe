/* The switch at the head of a page with folded code: opens or folds all of it, and is remembered from page to page. */
(function () {
  "use strict";
  var KEY = "cape-code";

  function stored() { try { return localStorage.getItem(KEY) === "open"; } catch (error) { return false; } }
  function store(open) { try { localStorage.setItem(KEY, open ? "open" : "folded"); } catch (error) { /* private mode */ } }

  function start() {
    var folded = document.querySelectorAll(".bd-article .cell details.above-input");
    var title = document.querySelector(".bd-article h1");
    if (!folded.length || !title) return;
    var button = document.createElement("button");
    button.type = "button";
    button.className = "cape-code-switch";
    function set(open) {
      folded.forEach(function (one) { one.open = open; });
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "{ } Fold all code" : "{ } Show all code";
    }
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      set(open);
      store(open);
    });
    set(stored());
    title.parentNode.insertBefore(button, title);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();

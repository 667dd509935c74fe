// The appearance: the system's unless the user chose another. Loaded before the page is painted, so that nothing flashes.
(function () {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try { return localStorage.getItem("crmsync-theme") || ""; } catch { return ""; }
  }

  function paint() {
    root.setAttribute("data-bs-theme", chosen() || (system.matches ? "dark" : "light"));
  }

  function choose(theme) {
    try { localStorage.setItem("crmsync-theme", theme); } catch { /* then for this page only */ }
    paint();
  }

  paint();
  system.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", function () {
    for (const choice of document.querySelectorAll("[data-theme-choice]")) {
      choice.hidden = false;
      for (const radio of choice.querySelectorAll("input")) {
        radio.checked = radio.value === chosen();
        radio.addEventListener("change", () => choose(radio.value));
      }
    }
    // A menu closes when the user goes elsewhere.
    document.addEventListener("click", function (event) {
      for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
    document.addEventListener("keydown", function (event) {
      if (event.key !== "Escape") return;
      for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
    });
  });
})();

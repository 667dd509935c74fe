// "/" goes to the box that asks why, from anywhere but a field that is typed in.
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const box = [...document.querySelectorAll("[data-why]")].find((one) => one.checkVisibility());
    const way = document.querySelector(".why-link");
    if (!box && !way) return;
    event.preventDefault();
    if (box) { box.focus(); box.select(); } else { way.click(); }
  });
})();

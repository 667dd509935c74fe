// Ticking in the list of contacts: one box ticks the whole page, and how many are ticked is said where one chooses what to do with them.
// On a phone the views are more than fit: the one that is open is brought into sight.
(function () {
  "use strict";
  const boxes = () => [...document.querySelectorAll('#found input[name="ticked"]')];

  function tell() {
    const all = document.querySelector("[data-tick-all]");
    if (!all) return;
    const ticked = boxes().filter((box) => box.checked).length;
    all.hidden = false;
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
    const option = document.querySelector('#id_which option[value="ticked"]');
    option.dataset.label ??= option.textContent;
    option.textContent = ticked ? `${option.dataset.label} (${ticked})` : option.dataset.label;
  }

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-tick-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#found")) tell();
  });
  document.addEventListener("htmx:after:swap", tell);
  tell();
  document.querySelector(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
})();

// Keys of the queues: an element with data-key is pressed by that key, as if clicked.
(function () {
  "use strict";
  let isGone = false;

  document.addEventListener("keydown", function (event) {
    if (isGone || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select")) return;
    const pressed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!pressed) return;
    event.preventDefault();
    isGone = pressed.type !== "checkbox"; // a second key belongs to the next page
    pressed.click();
  });
  addEventListener("pageshow", () => { isGone = false; });
})();

// Copies a text that can be selected by hand, too: a button with data-copy names its element, and is there only where a script is.
(function () {
  "use strict";

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch { // without https there is no clipboard: then as if selected by hand
      getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    const label = button.querySelector("span");
    const before = label.textContent;
    if (before === button.dataset.copied) return;
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = before; }, 2000);
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
})();

// Charts: each canvas draws the JSON that its data-chart names, in the style sheet's colours. The table beside it says the same.
(function () {
  "use strict";
  const drawn = new Map();

  // A custom property is text (`light-dark(…)`); as the colour of an element it becomes a colour.
  function colour(name) {
    const probe = document.createElement("span");
    probe.hidden = true;
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function told(moment, unit) {
    if (unit === "hour") return moment.slice(11, 16);  // already in the browser's time zone
    return new Date(moment.slice(0, 10)).toLocaleDateString([], { day: "numeric", month: "short", timeZone: "UTC" });
  }

  function config(data) {
    const lines = data.type === "line";
    const axis = (stacked) => ({ stacked, grid: { color: colour("line") }, border: { display: false }, ticks: { color: colour("soft"), maxRotation: 0, autoSkipPadding: 16 } });
    return {
      type: data.type,
      data: {
        labels: data.moments.map((moment) => told(moment, data.unit)),
        datasets: data.series.map((one) => ({
          label: one.label, data: one.values, backgroundColor: colour(one.tone), borderColor: colour(one.tone),
          borderWidth: lines ? 2 : 0, pointRadius: lines ? 2 : 0, spanGaps: false, borderRadius: lines ? 0 : 3, maxBarThickness: 28, tension: 0.25,
        })),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        scales: { x: { ...axis(!lines), grid: { display: false } }, y: { ...axis(!lines), beginAtZero: true, suggestedMax: 5 } },
        plugins: {
          legend: { position: "bottom", labels: { color: colour("ink"), boxWidth: 12, boxHeight: 12 } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.formattedValue}${data.suffix}` } },
        },
      },
    };
  }

  function draw() {
    for (const [canvas, chart] of drawn) {
      chart.destroy();
      drawn.delete(canvas);
    }
    for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
      const figure = canvas.closest("figure");
      const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
      figure.querySelector(".chart-space").hidden = false;
      if (!figure.dataset.drawn) figure.querySelector("details").open = false;
      figure.dataset.drawn = "yes";
      drawn.set(canvas, new Chart(canvas, config(data)));
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    draw();
    for (const button of document.querySelectorAll("[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => window.print());
    }
  });
  document.addEventListener("htmx:after:swap", function () {
    if (document.querySelector("figure.chart:not([data-drawn])")) draw();
  });
  new MutationObserver(() => { if (drawn.size) draw(); }).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();

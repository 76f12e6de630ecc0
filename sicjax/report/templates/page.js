"use strict";
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Tables: a press on a heading sorts, a second one turns round, a third one restores; a filter hides rows.
  const collator = new Intl.Collator("en", { numeric: true });
  const asNumber = (cell) => parseFloat(cell.dataset.v ?? cell.textContent.replaceAll(",", "").replace("−", "-"));
  for (const table of all("table:has(button.sort)")) {
    const body = table.tBodies[0], rows = [...body.rows];
    for (const button of all("button.sort", table)) {
      button.addEventListener("click", () => {
        const heading = button.closest("th"), text = heading.classList.contains("text"), at = heading.cellIndex;
        const turns = text ? ["ascending", "descending"] : ["descending", "ascending"];
        const order = turns[turns.indexOf(heading.getAttribute("aria-sort")) + 1];
        for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
        if (!order) return body.append(...rows);
        heading.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const keyed = rows.map((row) => [text ? row.cells[at].textContent : asNumber(row.cells[at]), row]);
        const compare = text ? (a, b) => sign * collator.compare(a, b)
          : (a, b) => Number.isNaN(a) - Number.isNaN(b) || sign * (a - b) || 0;  // what has no number comes last
        body.append(...keyed.sort(([a], [b]) => compare(a, b)).map(([, row]) => row));
      });
    }
    const find = one(`[data-filter="${table.id}"]`), reading = one(`[data-reading="${table.id}"]`);
    const count = one(`[data-count="${table.id}"]`);
    const names = rows.map((row) => [...row.cells].filter((cell) => cell.matches("th, .name")).map((cell) => cell.textContent.toLowerCase()).join("\n"));
    const filter = () => {
      const words = (find?.value ?? "").toLowerCase(), wanted = reading?.value ?? "";
      rows.forEach((row, k) => {
        row.hidden = !names[k].includes(words) || (wanted !== "" && one(".reading", row).textContent !== wanted);
      });
      if (count) count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
    };
    for (const control of [find, reading]) control?.addEventListener("input", filter);
    filter();
    one(`[data-all="${table.id}"]`)?.addEventListener("change", (event) => table.classList.toggle("all", event.target.checked));
  }

  // The drawing of the layers is coloured by the number that is chosen.
  for (const choice of all("input[name=by]")) {
    choice.addEventListener("change", () => { choice.closest("section").className = `by-${choice.value}`; });
  }

  // What is folded away is printed too.
  addEventListener("beforeprint", () => { for (const folded of all("details:not([open])")) folded.open = true; });

  // Histograms: one at a time, of the pair that is chosen in the list, the table or the drawing.
  const which = one("#which"), plot = one(".plot");
  if (!which || typeof uPlot === "undefined") return;
  const data = JSON.parse(one("#data").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const percent = (value) => `${+value.toPrecision(2)} %`;
  let chart;
  const draw = () => {
    const shown = data.pairs[which.value];
    const xs = Array.from({ length: shown.y[0].length + 1 }, (_, k) => +(shown.x + k * shown.d).toFixed(6));
    const ys = shown.y.map((shares) => [...shares.map((share) => share / 1000), 0]);
    const stepped = uPlot.paths.stepped({ align: 1 });
    const looks = [{ stroke: colour("--accent"), fill: colour("--wash"), width: 2 }, { stroke: colour("--null"), width: 1.5, dash: [5, 3] }];
    const axis = { stroke: colour("--ink"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "13px system-ui, sans-serif" };
    chart?.destroy();
    chart = new uPlot({
      width: plot.clientWidth, height: Math.min(340, Math.max(220, plot.clientWidth * 0.5)),
      legend: { show: false }, cursor: { points: { show: false }, y: false }, scales: { x: { time: false } },
      series: [{}, ...ys.map((_, k) => ({ label: data.curves[k], paths: stepped, points: { show: false }, ...looks[k] }))],
      axes: [axis, { ...axis, size: 58, values: (_, ticks) => ticks.map(percent) }],
      hooks: {
        setCursor: [(u) => {
          const k = u.cursor.idx;
          key.textContent = k == null ? usual() : `${xs[k]} to ${+(xs[k] + shown.d).toFixed(6)}: ${ys.map((y, n) => `${data.curves[n]} ${percent(y[k])}`).join(", ")}`;
        }],
      },
    }, [xs, ...ys], plot);
    key.textContent = usual();
    one("#plot-says").textContent = shown.says;
  };
  const key = one(".key");
  const usual = () => data.key;
  const choose = (pair) => {
    if (!(pair in data.pairs)) return false;
    which.value = pair;
    draw();
    return true;
  };
  which.addEventListener("change", draw);
  for (const button of all("[data-zoom]")) {
    button.addEventListener("click", () => {
      const { min, max } = chart.scales.x, factor = +button.dataset.zoom, xs = chart.data[0];
      const half = (factor * (max - min)) / 2, middle = (min + max) / 2;
      const whole = [xs[0], xs[xs.length - 1]];
      const range = factor ? [Math.max(whole[0], middle - half), Math.min(whole[1], middle + half)] : whole;
      chart.setScale("x", { min: range[0], max: range[1] });
    });
  }
  document.addEventListener("click", (event) => {
    const from = event.target.closest("tr[data-pair] a, path[data-pair]");
    const chosen = from && choose(from.closest("[data-pair]").dataset.pair);
    if (chosen && from.matches("path")) one("#histogram").scrollIntoView();
  });
  new ResizeObserver(() => { if (plot.clientWidth && plot.clientWidth !== chart?.width) draw(); }).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();

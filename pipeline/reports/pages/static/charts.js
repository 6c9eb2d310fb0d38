// Draws every chart of a page in its colours, and anew when they change.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function config() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const font = getComputedStyle(document.body).fontFamily;
    const axis = {
      labelColor: colour("--soft"), titleColor: colour("--soft"), gridColor: colour("--line"), domain: false,
      tickColor: colour("--line"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    };
    return {
      background: "transparent", font, axis, view: { stroke: null },
      legend: { labelColor: colour("--ink"), titleColor: colour("--soft"), labelFontSize: 12 },
      text: { color: colour("--ink") }, rule: { color: colour("--soft") },
      range: { category: [colour("--accent"), "#c2703d", "#3b8f6b", "#9a5fb4", "#b8443f", "#7a8290", "#a88a1d", "#3d8fb0"] },
      style: { accent: { color: colour("--accent") }, soft: { color: colour("--soft") }, bad: { color: colour("--bad") } },
    };
  }

  async function draw(place) {
    const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const sized = { width: "container", height: Number(place.dataset.height), autosize: { type: "fit-x", contains: "padding" }, ...spec };
    await vegaEmbed(place, sized, { actions: false, ast: true, defaultStyle: false, tooltip: false, renderer: "svg", config: config() });
  }

  const drawAll = () => Promise.all([...document.querySelectorAll("[data-chart]")].map(draw));
  drawAll();
  dark.addEventListener("change", drawAll);
})();

// The page "Historique": draws the table's own figures as bars, and the day's power as lines.
import { bars, colours } from "./bars.js";
import { lines } from "./lines.js";

const table = document.getElementById("energy");
const charts = [];

function draw() {
  for (const chart of charts.splice(0)) chart.destroy();
  const palette = colours();
  for (const holder of document.querySelectorAll("[data-bars]")) charts.push(bars(holder, table, palette));
}

if (table) {
  draw();
  const power = document.querySelector("[data-lines]");
  let drawn = null;
  const drawPower = async () => {
    drawn?.destroy();
    drawn = await lines(power, colours());
  };
  if (power) drawPower();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    draw();
    if (power) drawPower();
  });
  matchMedia("print").addEventListener("change", () => {
    draw(); // paper has its own width, and is never dark
    if (power) drawPower();
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's bars come and go: only a new width needs new charts
    width = innerWidth;
    draw();
    if (power) drawPower();
  });
}

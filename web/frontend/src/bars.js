// Energy as bars, stacked: what stands on the ground first. The data are the table's cells; gaps stay gaps.
import uPlot from "uplot";

const FONT = '13px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const LETTER_PX = 7.5;
const WH = 1000;

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const pick = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(
    ["sun", "grid", "grid-wash", "home", "soft", "line", "ink", "surface"].map((name) => [name, pick(name)]),
  );
}

export const axisFont = FONT;

// English dates and hours as in Europe, like those the server writes.
export const locale = () => (document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang);

export function number(digits) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
}

function column(table, name) {
  return [...table.tBodies[0].rows].map((row) => {
    const cell = row.querySelector(`[data-column="${name}"]`);
    return cell && cell.dataset.wh !== "" ? Number(cell.dataset.wh) / WH : null;
  });
}

// What is known is drawn; only where nothing is known stays a gap.
const stack = (below, above) => below.map((low, n) => (low === null && above[n] === null ? null : low + above[n]));

function tip(holder, table, names) {
  const box = document.createElement("div");
  box.className = "tip";
  box.hidden = true;
  return {
    hooks: {
      init: (chart) => chart.over.append(box),
      setCursor: (chart) => {
        const row = chart.cursor.idx == null ? null : table.tBodies[0].rows[chart.cursor.idx];
        box.hidden = !row || chart.cursor.left < 0;
        if (box.hidden) return;
        const lines = names.map((name) => {
          const cell = row.querySelector(`[data-column="${name}"]`);
          return `${cell.dataset.label} ${cell.textContent.trim()}`;
        });
        box.replaceChildren();
        for (const text of [row.cells[0].textContent.trim(), ...lines]) {
          const line = document.createElement("div");
          line.textContent = text;
          box.append(line);
        }
        const room = chart.over.clientWidth - box.offsetWidth - 4;
        box.style.left = `${Math.max(4, Math.min(room, chart.cursor.left + 12))}px`;
      },
    },
  };
}

// data-bars="self:sun bought:grid": columns from the ground up, each with its colour.
export function bars(holder, table, palette) {
  const parts = holder.dataset.bars.split(" ").map((part) => part.split(":"));
  const ticks = [...table.tBodies[0].rows].map((row) => row.cells[0].dataset.tick);
  let sum = null;
  const layers = parts.map(([name, colour]) => {
    const values = column(table, name);
    sum = sum ? stack(sum, values) : values;
    return { values: sum.map((value) => value || null), colour }; // no outline around a zero
  });
  layers.reverse(); // the tallest is drawn first, the others over it
  const width = holder.clientWidth;
  const widest = 14 + LETTER_PX * Math.max(...ticks.map((tick) => tick.length));
  const every = Math.max(1, Math.ceil((ticks.length * widest) / (width - 44)));
  const kwh = number(2);
  const axis = { stroke: palette.soft, font: FONT, ticks: { show: false }, gap: 6 };
  const options = {
    width,
    height: holder.classList.contains("low") ? 210 : 250,
    padding: [12, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: false } },
    plugins: [tip(holder, table, parts.map(([name]) => name))],
    scales: {
      x: { time: false, range: [-0.5, ticks.length - 0.5] },
      y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, size: 28, grid: { show: false }, splits: () => ticks.map((_, n) => n).filter((n) => n % every === 0), values: (_, at) => at.map((n) => ticks[n]) },
      { ...axis, size: 44, grid: { stroke: palette.line, width: 1 }, values: (_, at) => at.map((value) => kwh.format(value)) },
    ],
    series: [
      {},
      ...layers.map(({ colour }) => ({
        fill: colour === "sent" ? palette["grid-wash"] : palette[colour],
        stroke: colour === "sent" ? palette.grid : palette[colour],
        width: colour === "sent" ? 1.5 : 0,
        points: { show: false },
        paths: uPlot.paths.bars({ size: [0.72, 46], radius: 0.12 }),
      })),
    ],
  };
  holder.replaceChildren();
  return new uPlot(options, [ticks.map((_, n) => n), ...layers.map((layer) => layer.values)], holder);
}

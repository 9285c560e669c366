// The power of one day as lines, from the box's own history; what was not measured is not drawn.
import uPlot from "uplot";
import { axisFont, locale, number } from "./bars.js";

async function series(name, holder) {
  const { from, to, history } = holder.dataset;
  const query = new URLSearchParams({ signal: name, from, to, step: "1m" });
  const answer = await fetch(`${history}?${query}`);
  if (!answer.ok) return [];
  return (await answer.json()).points;
}

// data-lines="home.power:home pv.power:sun"
export async function lines(holder, palette) {
  const wanted = holder.dataset.lines.split(" ").map((one) => one.split(":"));
  const found = await Promise.all(wanted.map(([name]) => series(name, holder)));
  if (!found.some((points) => points.length)) return null;
  const tables = found.map((points) => [points.map(([at]) => Date.parse(at) / 1000), points.map(([, value]) => value)]);
  const data = uPlot.join(tables.filter(([at]) => at.length));
  const drawn = wanted.filter((_, n) => tables[n][0].length);
  holder.closest("[hidden]")?.removeAttribute("hidden");
  const watts = number(1);
  const zone = holder.dataset.timezone;
  const hour = new Intl.DateTimeFormat(locale(), { hour: "numeric", hourCycle: "h23", timeZone: zone });
  const axis = { stroke: palette.soft, font: axisFont, ticks: { show: false }, gap: 6 };
  const end = Date.parse(holder.dataset.to) / 1000;
  holder.replaceChildren();
  return new uPlot(
    {
      width: holder.clientWidth,
      height: 210,
      padding: [12, 4, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      scales: {
        x: { range: [Date.parse(holder.dataset.from) / 1000, Date.parse(holder.dataset.to) / 1000] },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1000] },
      },
      axes: [
        { ...axis, size: 28, grid: { show: false }, space: 60, incrs: [7200, 10800, 14400, 21600], values: (_, at) => at.map((s) => (s < end ? hour.format(s * 1000) : "")) },
        { ...axis, size: 44, grid: { stroke: palette.line, width: 1 }, values: (_, at) => at.map((w) => watts.format(w / 1000)) },
      ],
      series: [
        {},
        ...drawn.map(([, colour]) => ({ stroke: palette[colour], width: 2, spanGaps: false, points: { show: false }, fill: colour === "sun" ? `${palette.sun}22` : undefined })),
      ],
    },
    data,
    holder,
  );
}

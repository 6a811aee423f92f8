// Charts over the same span of time show the same part of it: what a person's zoom, pan or range button asks for. Pure.

const BOUNDS = ["xaxis.range[0]", "xaxis.range[1]"];

/** What a change of a chart's layout asks of its time axis: {range: [from, to]}, {range: null} for all of it, or null. */
export function asked(change) {
  if (change === undefined || change === null) return null;
  if (change["xaxis.autorange"] === true) return { range: null };
  if (Array.isArray(change["xaxis.range"])) return { range: change["xaxis.range"] };
  return BOUNDS.every((name) => name in change) ? { range: BOUNDS.map((name) => change[name]) } : null;
}

/** The layout change that shows the same on another chart; null when it does so already. `axis`: its full x axis. */
export function following({ range }, axis) {
  if (range === null) return axis.autorange === true ? null : { "xaxis.autorange": true };
  const same = axis.autorange !== true && axis.range.every((end, place) => instant(end) === instant(range[place]));
  return same ? null : { "xaxis.range": [...range], "xaxis.autorange": false };
}

/** Plotly tells an end of a range as ms, or as text like "2026-01-01 10:00" without a zone. */
function instant(end) {
  if (typeof end === "number") return end;
  const text = String(end).trim().replace(" ", "T");
  return Date.parse(text.includes("T") ? `${text.padEnd(16, ":00")}Z` : text);
}

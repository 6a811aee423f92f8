// Field wall clocks: the UTC offset of an IANA zone at an instant, and dates in it. Pure.

/** Zones change their offset only at whole quarters of an hour of UTC. */
const QUARTER_MS = 900_000;
const CACHED_MAX = 4_000;

const formats = new Map();
const offsets = new Map();

/** UTC offset in ms of a zone at an instant (epoch ms); throws RangeError for a zone that is not one. */
export function offsetMs(zone, ms) {
  const quarter = Math.floor(ms / QUARTER_MS) * QUARTER_MS;
  const key = `${zone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const found = measured(zone, quarter);
  if (offsets.size >= CACHED_MAX) offsets.clear();
  offsets.set(key, found);
  return found;
}

/** An instant moved to the zone's wall clock, so that what shows it as UTC shows local time. */
export function localMs(zone, ms) {
  return ms + offsetMs(zone, ms);
}

/** The date of an instant on the zone's wall clock: "2016-12-01". */
export function localDate(zone, ms) {
  return new Date(localMs(zone, ms)).toISOString().slice(0, 10);
}

function measured(zone, ms) {
  const part = Object.fromEntries(formatOf(zone).formatToParts(ms).map(({ type, value }) => [type, value]));
  const year = part.era === "BC" ? 1 - Number(part.year) : Number(part.year);
  const shown = Date.UTC(year, part.month - 1, part.day, part.hour, part.minute, part.second);
  return shown - Math.floor(ms / 1000) * 1000;
}

function formatOf(zone) {
  if (!formats.has(zone)) {
    const parts = { era: "short", year: "numeric", month: "2-digit", day: "2-digit" };
    const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    formats.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, ...parts, ...time }));
  }
  return formats.get(zone);
}

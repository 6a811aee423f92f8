// The newest record of each well, what wells make together, how fresh they are, and how they rank. Pure.

const DAY_MS = 86_400_000;
const GRACE_S = 5;
export const GAS_PER_OE = 1_000;

/** How old the end of a record may be, in s, before it is stale. */
export function staleLimitS(record) {
  if (record.resolution === "daily") return (3 * DAY_MS) / 1000;
  if (record.resolution === "monthly") return (62 * DAY_MS) / 1000;
  return Math.max(5, 3 * record.seconds) + GRACE_S;
}

/** Whether a well has any record; the page's description lists wells without one, too. */
export function hasRecord(well) {
  return typeof well.start === "number";
}

export function endMs(record) {
  return record.start + record.seconds * 1000;
}

export function ageS(record, now) {
  return (now - endMs(record)) / 1000;
}

export function isFresh(record, now) {
  return hasRecord(record) && ageS(record, now) <= staleLimitS(record);
}

/** Volume per day of one record's column; null when it was not measured. */
export function rate(record, column) {
  const volume = record[column];
  return typeof volume === "number" && record.seconds > 0 ? (volume / record.seconds) * 86_400 : null;
}

/** Water in the liquid, in %; null when there is no liquid or a part is not measured. */
export function waterCut(oil, water) {
  return oil === null || water === null || oil + water <= 0 ? null : (100 * water) / (oil + water);
}

export class Wells {
  #newest = new Map();

  /** @param {object[]} latest the wells of the page with their newest records */
  constructor(latest = []) {
    for (const well of latest) this.#newest.set(well.well, { ...well });
  }

  /** Take a record. Returns the record of the same key that it replaced, else null; unknown wells are left out. */
  put(record) {
    const known = this.#newest.get(record.well);
    if (known === undefined) return null;
    if (!hasRecord(known)) return this.#keep(known, record, null);
    const same = known.start === record.start && known.seconds === record.seconds && known.resolution === record.resolution;
    if (same) return this.#keep(known, record, known);
    const newer = record.start > known.start || (record.start === known.start && record.seconds < known.seconds);
    return newer ? this.#keep(known, record, null) : null;
  }

  get(well) {
    return this.#newest.get(well);
  }

  all() {
    return [...this.#newest.values()];
  }

  /** The wells that a tile or header is about: one well, those of a field, or all. */
  chosen({ well = null, field = null }) {
    if (well !== null) return [this.#newest.get(well)].filter((one) => one !== undefined);
    return this.all().filter((one) => field === null || one.field === field);
  }

  #keep(known, record, replaced) {
    const { well, name, field, purpose } = known;
    this.#newest.set(well, { ...record, well, name, field, purpose });
    return replaced;
  }
}

/**
 * The records of wells that belong together at `now`: the fresh ones; when none is, those that were fresh when the
 * newest of them ended. Returns {counted, left, fresh}.
 */
export function together(wells, now) {
  const known = wells.filter(hasRecord);
  if (known.length === 0) return { counted: [], left: [], fresh: false };
  const fresh = known.some((one) => isFresh(one, now));
  const at = fresh ? now : Math.max(...known.map(endMs));
  const counted = known.filter((one) => isFresh(one, at));
  return { counted, left: known.filter((one) => !counted.includes(one)), fresh };
}

/** Sum over records of what `of` says of each; null when no record says anything. */
export function sum(records, of) {
  const values = records.map(of).filter((value) => typeof value === "number");
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
}

/** Well ids by falling rate of a column; ties and unmeasured wells keep their order in `order`, unmeasured ones last. */
export function ranked(order, rateOf) {
  const known = new Map(order.map((well) => [well, rateOf(well) ?? -Infinity]));
  return [...order].sort((a, b) => (known.get(a) === known.get(b) ? 0 : known.get(b) - known.get(a)));
}

/** Orders of the last ten minutes, one a minute, to tell who moved. */
export class Moves {
  #orders = [];

  constructor({ windowMs = 600_000, everyMs = 60_000 } = {}) {
    this.windowMs = windowMs;
    this.everyMs = everyMs;
  }

  /** Note the order at `now`. Returns {well: places}, up positive, against the oldest order of the window. */
  note(order, now) {
    const last = this.#orders.at(-1);
    if (last === undefined || now - last.at >= this.everyMs) this.#orders.push({ at: now, order: [...order] });
    while (this.#orders.length > 1 && now - this.#orders[0].at > this.windowMs) this.#orders.shift();
    const before = new Map(this.#orders[0].order.map((well, place) => [well, place]));
    return Object.fromEntries(order.map((well, place) => [well, (before.get(well) ?? place) - place]));
  }
}

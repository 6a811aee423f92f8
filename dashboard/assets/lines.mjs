// The lines of one chart as points: what the page's figure holds, joined with the records that came since. Pure.

import { doubts } from "./issues.mjs";
import { localMs } from "./local_time.mjs";
import { Series } from "./series.mjs";
import { rate } from "./wells.mjs";

export class Lines {
  #lines;
  #zones;
  #resolution;

  /** @param description a chart of the page's description */
  constructor({ traces, resolution, keep, gap_s: gapS }, zones) {
    const bounds = { keep, gapMs: gapS * 1000 };
    this.#lines = traces.map((spec) => new (kindOf(spec))(spec, bounds));
    this.#zones = zones;
    this.#resolution = resolution;
  }

  /** Take a record of the chart's topic. `replaced`: the known record of the same key, or null. Returns whether it is shown. */
  put(record, replaced) {
    if (record.resolution !== this.#resolution) return false;
    const x = localMs(this.#zones[record.field] ?? "UTC", record.start + record.seconds * 500);
    const lines = this.#lines.filter((line) => line.spec.well === null || line.spec.well === record.well);
    for (const line of lines) line.put(x, record, replaced);
    return lines.length > 0;
  }

  /** Begin from a figure: `drawn(index)` gives a trace's {x, y}. The records that came since are put on top. */
  adopt(drawn) {
    for (const line of this.#lines) line.adopt(drawn(line.spec.index));
  }

  /** What the drawing lacks since the last call, or everything: [{index, kind: "append" | "replace", x, y, text?}]. */
  patches(whole = false) {
    const all = this.#lines.map((line) => ({ index: line.spec.index, ...line.patch() }));
    if (whole) return all.map(({ index }) => ({ index, kind: "replace", ...this.drawn(index) }));
    return all.filter(({ kind }) => kind !== "none");
  }

  /** A whole line as drawn: {x, y}, and text for marks. */
  drawn(index) {
    return this.#lines.find((line) => line.spec.index === index).drawn();
  }

  /** Whether some total was to change by what nobody here knows: only a snapshot can tell. */
  get incomplete() {
    return this.#lines.some((line) => line.incomplete === true);
  }

  points() {
    return this.#lines.map((line) => line.series.points());
  }
}

/** A column of one well. */
class Line {
  #since = new Map();

  constructor(spec, bounds) {
    this.spec = spec;
    this.bounds = bounds;
    this.series = new Series(bounds);
  }

  put(x, record) {
    const y = shown(record, this.spec);
    remember(this.#since, x, y, this.bounds.keep);
    this.series.put(x, y);
  }

  adopt({ x, y }) {
    this.series.adopt(x, y);
    for (const [at, value] of this.#since) this.series.put(at, value);
  }

  patch() {
    return this.series.patch();
  }

  drawn() {
    return this.series.drawn();
  }
}

/** Marks on the points of one well's column that are suspect, with their issues as text. */
class Marks {
  #since = new Map();
  #texts = new Map();

  constructor(spec, { keep }) {
    this.spec = spec;
    this.keep = keep;
    this.series = new Series({ keep });
  }

  put(x, record) {
    const found = doubts(record, [this.spec.column]);
    const y = found.length > 0 ? shown(record, this.spec) : null;
    if (y === null && this.series.at(x) === undefined) return;
    remember(this.#since, x, { y, text: found.join(", ") }, this.keep);
    this.#mark(x, this.#since.get(x));
  }

  adopt({ x, y, text }) {
    this.series.adopt(x, y);
    this.#texts = new Map(Array.from(x, (at, place) => [Number(at), text[place] ?? ""]));
    for (const [at, mark] of this.#since) this.#mark(at, mark);
  }

  patch() {
    return this.#told(this.series.patch());
  }

  drawn() {
    return this.#told(this.series.drawn());
  }

  #mark(x, { y, text }) {
    this.series.put(x, y);
    remember(this.#texts, x, text, 2 * this.keep);
  }

  #told(points) {
    return { ...points, text: points.x.map((at) => this.#texts.get(at) ?? "") };
  }
}

/** A column summed over the wells of a field: each record adds to what its start already has, a revision its difference. */
class Total {
  #since = new Map();

  constructor(spec, bounds) {
    this.spec = spec;
    this.bounds = bounds;
    this.series = new Series(bounds);
    this.incomplete = false;
  }

  put(x, record, replaced) {
    if (record.revision > 0 && replaced === null) {
      this.incomplete = true;
      return;
    }
    const y = shown(record, this.spec);
    const before = replaced === null ? null : shown(replaced, this.spec);
    const added = y === null && before === null ? null : (y ?? 0) - (before ?? 0);
    remember(this.#since, x, plus(this.#since.get(x), added), this.bounds.keep);
    this.series.put(x, plus(this.series.at(x), added));
  }

  adopt({ x, y }) {
    this.series.adopt(x, y);
    for (const [at, added] of this.#since) this.series.put(at, plus(this.series.at(at), added));
  }

  patch() {
    return this.series.patch();
  }

  drawn() {
    return this.series.drawn();
  }
}

function kindOf({ well, only }) {
  if (only === "suspect") return Marks;
  return well === null ? Total : Line;
}

/** A sum in which what was not measured adds nothing; null when no part was. */
function plus(value, added) {
  return added === null ? value ?? null : (value ?? 0) + added;
}

function shown(record, { column, as }) {
  return as === "rate" ? rate(record, column) : record[column] ?? null;
}

/** Put into a map that forgets its oldest entries beyond a bound. */
function remember(map, key, value, bound) {
  map.set(key, value);
  if (map.size > bound) map.delete(map.keys().next().value);
}

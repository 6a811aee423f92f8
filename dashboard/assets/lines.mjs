// The lines of one chart as points: what the page's figure holds, joined with the records that came since. Pure.

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
    this.#lines = traces.map((spec) => new (spec.well === null ? Total : Line)(spec, bounds));
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

  /** What the drawing lacks since the last call, or everything: [{index, kind: "append" | "replace", x, y}]. */
  patches(whole = false) {
    if (whole) return this.#lines.map((line) => ({ index: line.spec.index, ...line.series.patch(), kind: "replace" }));
    return this.#lines
      .map((line) => ({ index: line.spec.index, ...line.series.patch() }))
      .filter(({ kind }) => kind !== "none");
  }

  /** A whole line as drawn: {x, y}. */
  drawn(index) {
    return this.#lines.find((line) => line.spec.index === index).series.drawn();
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
}

/** A column summed over the wells of a field: each record adds to what its start already has, a revision its difference. */
class Total {
  #since = new Map();

  constructor(spec, bounds) {
    this.spec = spec;
    this.bounds = bounds;
    this.series = new Series(bounds);
  }

  put(x, record, replaced) {
    if (record.revision > 0 && replaced === null) return;
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

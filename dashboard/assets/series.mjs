// One line of a chart as sorted points: upsert by x, a bound on how many are kept, nulls where the line must break. Pure.

/** More points than `keep` are dropped only beyond this share of it, so that a full line is not redrawn at each point. */
const SLACK = 0.1;

/** Longest run of appended points that is told as such; beyond it the whole line is. */
const APPEND_MAX = 2_000;

export class Series {
  #x = [];
  #y = [];
  #appended = 0;
  #replaced = false;

  /** @param {{keep: number, gapMs: number}} bounds most points kept; a longer step in x breaks the line */
  constructor({ keep = 4_000, gapMs = Infinity } = {}) {
    this.keep = keep;
    this.gapMs = gapMs;
  }

  get length() {
    return this.#x.length;
  }

  /** Put a point where its x belongs; a point already there gets the new y. */
  put(x, y) {
    const place = this.#placeOf(x);
    if (this.#x[place] === x) {
      if (this.#y[place] === y) return;
      this.#y[place] = y;
      this.#touched(place);
    } else if (place === this.#x.length) {
      this.#x.push(x);
      this.#y.push(y);
      this.#appended += 1;
    } else {
      this.#x.splice(place, 0, x);
      this.#y.splice(place, 0, y);
      this.#replaced = true;
    }
    this.#trim();
  }

  /** The y at an x; undefined where there is no point. */
  at(x) {
    const place = this.#placeOf(x);
    return this.#x[place] === x ? this.#y[place] : undefined;
  }

  /** Take over the points of a drawn line (its x may be in any order), leaving out the breaks that were drawn. */
  adopt(x, y) {
    const all = Array.from(x, (at, place) => [Number(at), y[place] ?? null]).sort((a, b) => a[0] - b[0]);
    const real = all.filter(([at, value], place) => !(value === null && all[place + 1]?.[0] === at + 1));
    const kept = real.slice(-this.keep);
    this.#x = kept.map(([at]) => at);
    this.#y = kept.map(([, value]) => value);
    this.#appended = 0;
    this.#replaced = kept.length !== real.length;
  }

  /** What the drawing lacks since the last call: {kind: "none" | "append" | "replace", x, y}, breaks included. */
  patch() {
    const kind = this.#replaced || this.#appended > APPEND_MAX ? "replace" : this.#appended > 0 ? "append" : "none";
    const first = kind === "replace" ? 0 : this.#x.length - this.#appended;
    this.#replaced = false;
    this.#appended = 0;
    return { kind, ...this.#drawn(first) };
  }

  /** The whole line as drawn, breaks included: {x, y}. */
  drawn() {
    return this.#drawn(0);
  }

  /** The points without breaks, as [x, y]. */
  points() {
    return this.#x.map((x, place) => [x, this.#y[place]]);
  }

  #placeOf(x) {
    let low = 0;
    let high = this.#x.length;
    if (high === 0 || x > this.#x[high - 1]) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#x[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #touched(place) {
    if (place < this.#x.length - this.#appended) this.#replaced = true;
  }

  #trim() {
    if (this.#x.length <= this.keep * (1 + SLACK)) return;
    const beyond = this.#x.length - this.keep;
    this.#x.splice(0, beyond);
    this.#y.splice(0, beyond);
    this.#replaced = true;
  }

  #drawn(first) {
    const x = [];
    const y = [];
    for (let place = first; place < this.#x.length; place += 1) {
      if (place > 0 && this.#x[place] - this.#x[place - 1] > this.gapMs) {
        x.push(this.#x[place] - 1);
        y.push(null);
      }
      x.push(this.#x[place]);
      y.push(this.#y[place]);
    }
    return { x, y };
  }
}

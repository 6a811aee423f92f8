// Writes tiles, table rows and field headers into the page; touches the DOM only where something changed.

import * as readings from "./readings.mjs";
import { move } from "./words.mjs";
import { Moves, ranked, rate } from "./wells.mjs";

const REORDER_MS = 2_000;

export class Board {
  #description;
  #wells;
  #moves = new Moves();
  #order;
  #reorderedAt = -Infinity;

  /** @param description the page's description @param wells the newest records */
  constructor(description, wells) {
    this.#description = description;
    this.#wells = wells;
    this.#order = description.rows.map(({ well }) => well);
  }

  /** Bring everything up to `now` (server's clock), as known at `known`; see readings.mjs. */
  refresh(now, known = now) {
    const { tiles, rows, fields, zones, ranking } = this.#description;
    for (const tile of tiles) {
      const { state, ...parts } = readings.tile(tile, this.#wells, zones, now, known);
      write(tile.id, state, parts);
    }
    const ranks = ranking === null ? {} : this.#ranks(ranking.by, now);
    for (const { id, well } of rows) {
      const { state, ...parts } = readings.row(this.#wells.get(well), zones, now, known);
      write(id, state, { ...parts, ...ranks[well] });
    }
    for (const { id, field } of fields) {
      const { state, text } = readings.header(this.#wells.chosen({ field }), zones[field] ?? "UTC", now, known);
      write(id, state, { measured: text });
    }
    if (ranking !== null) this.#reorder(ranking.table);
  }

  #ranks(by, now) {
    const rateOf = (well) => {
      const newest = this.#wells.get(well);
      return newest === undefined ? null : rate(newest, by);
    };
    if (now - this.#reorderedAt >= REORDER_MS) {
      const order = ranked(this.#order, rateOf);
      if (order.some((well, place) => well !== this.#order[place])) this.#reorderedAt = now;
      this.#order = order;
    }
    const moves = this.#moves.note(this.#order, now);
    return Object.fromEntries(
      this.#order.map((well, place) => [
        well,
        { rank: rateOf(well) === null ? "–" : String(place + 1), move: move(moves[well]) },
      ]),
    );
  }

  /** Put the rows into the order; rows that stand right are not touched. */
  #reorder(table) {
    const body = document.getElementById(table);
    if (body === null) return;
    const ids = new Map(this.#description.rows.map(({ id, well }) => [well, id]));
    const wanted = this.#order.map((well) => document.getElementById(ids.get(well)));
    const rows = wanted.filter((row) => row !== null && row.parentNode === body);
    const standing = Array.from(body.children).filter((row) => rows.includes(row));
    if (rows.every((row, place) => row === standing[place])) return;
    for (const row of rows) body.append(row);
  }
}

/** Set an element's state and the text of its parts; an element that is not there is left out. */
export function write(id, state, parts) {
  const element = document.getElementById(id);
  if (element === null) return;
  if (element.dataset.state !== state) element.dataset.state = state;
  for (const part of element.querySelectorAll("[data-part]")) {
    const text = parts[part.dataset.part];
    if (text !== undefined && part.textContent !== text) part.textContent = text;
  }
}

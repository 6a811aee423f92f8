import assert from "node:assert/strict";
import { test } from "node:test";

import { Lines } from "../../dashboard/assets/lines.mjs";

const DAY = 86_400;
const START = Date.UTC(2026, 0, 1);
const MIDDLE = START + (DAY * 1000) / 2 + 3_600_000;
const ZONES = { demo: "Europe/Oslo" };
const chart = (traces, resolution = "daily") => new Lines({ resolution, keep: 100, gap_s: 3 * DAY, traces }, ZONES);
const oil = (given = {}) => ({ index: 0, well: "demo.a", column: "oil_sm3", as: "rate", ...given });
const record = (given = {}) => ({
  well: "demo.a",
  field: "demo",
  start: START,
  seconds: DAY,
  resolution: "daily",
  revision: 0,
  oil_sm3: 10,
  ...given,
});
const figure = (x, y) => () => ({ x, y });

test("a record stands at its interval's middle on the field's wall clock", () => {
  const lines = chart([oil(), oil({ index: 1, column: "choke_pct", as: "value" })]);
  assert.equal(lines.put(record({ choke_pct: 40 }), null), true);
  assert.deepEqual(lines.points(), [[[MIDDLE, 10]], [[MIDDLE, 40]]]);
});

test("records of another well or resolution are not shown", () => {
  const lines = chart([oil()]);
  assert.equal(lines.put(record({ well: "demo.b" }), null), false);
  assert.equal(lines.put(record({ resolution: "live" }), null), false);
});

test("a quantity that was not measured is null", () => {
  const lines = chart([oil()]);
  lines.put(record({ oil_sm3: undefined }), null);
  assert.deepEqual(lines.points(), [[[MIDDLE, null]]]);
});

test("a total adds the wells of a day to what the snapshot has", () => {
  const lines = chart([oil({ well: null })]);
  lines.adopt(figure([MIDDLE], [100]));
  lines.put(record(), null);
  lines.put(record({ well: "demo.b", oil_sm3: 5 }), null);
  assert.deepEqual(lines.points(), [[[MIDDLE, 115]]]);
});

test("a day on which nothing was measured has a null total, until something is", () => {
  const lines = chart([oil({ well: null })]);
  lines.put(record({ oil_sm3: null }), null);
  assert.deepEqual(lines.points(), [[[MIDDLE, null]]]);
  lines.put(record({ well: "demo.b" }), null);
  lines.put(record({ well: "demo.c", oil_sm3: null }), null);
  assert.deepEqual(lines.points(), [[[MIDDLE, 10]]]);
});

test("a revision changes a total by its difference when the old value is known, else not at all", () => {
  const lines = chart([oil({ well: null })]);
  lines.adopt(figure([MIDDLE], [100]));
  lines.put(record({ oil_sm3: 13, revision: 1 }), record());
  lines.put(record({ oil_sm3: 99, revision: 1 }), null);
  assert.deepEqual(lines.points(), [[[MIDDLE, 103]]]);
});

test("what came before a figure was drawn, or before it was replaced, is put on top of it", () => {
  const lines = chart([oil(), oil({ index: 1, well: null })]);
  lines.put(record(), null);
  for (let times = 0; times < 2; times += 1) {
    lines.adopt(figure([MIDDLE - DAY * 1000], [7]));
    assert.deepEqual(lines.points()[0], [[MIDDLE - DAY * 1000, 7], [MIDDLE, 10]]);
    assert.deepEqual(lines.points()[1], [[MIDDLE - DAY * 1000, 7], [MIDDLE, 10]]);
  }
});

test("only traces with something new are patched, unless all are asked for", () => {
  const lines = chart([oil(), oil({ index: 3, well: "demo.b" })]);
  lines.put(record(), null);
  assert.deepEqual(lines.patches(), [{ index: 0, kind: "append", x: [MIDDLE], y: [10] }]);
  assert.deepEqual(lines.patches(), []);
  assert.deepEqual(lines.patches(true).map(({ index, kind }) => [index, kind]), [[0, "replace"], [3, "replace"]]);
});

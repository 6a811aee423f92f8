import assert from "node:assert/strict";
import { test } from "node:test";

import { Moves, Wells, isFresh, rate, ranked, staleLimitS, sum, together, waterCut } from "../../dashboard/assets/wells.mjs";

const NOW = Date.UTC(2026, 0, 1, 12);
const known = (well, given = {}) => ({ well, name: well, field: "demo", purpose: "producer", ...given });
const live = (well, given = {}) =>
  known(well, { start: NOW - 5_000, seconds: 5, resolution: "live", revision: 0, ...given });

test("a live record is stale fifteen seconds plus grace after its end, a daily one after days", () => {
  assert.equal(staleLimitS({ resolution: "live", seconds: 1 }), 10);
  assert.equal(staleLimitS({ resolution: "live", seconds: 5 }), 20);
  assert.equal(staleLimitS({ resolution: "daily", seconds: 86_400 }), 3 * 86_400);
  assert.equal(staleLimitS({ resolution: "monthly", seconds: 2_678_400 }), 62 * 86_400);
  assert.equal(isFresh(live("a"), NOW + 20_000), true);
  assert.equal(isFresh(live("a"), NOW + 20_001), false);
  assert.equal(isFresh(known("a"), NOW), false);
});

test("a rate is per day, and null where nothing was measured", () => {
  assert.equal(rate({ seconds: 5, oil_sm3: 0.05 }, "oil_sm3"), 864);
  assert.equal(rate({ seconds: 5, oil_sm3: 0 }, "oil_sm3"), 0);
  assert.equal(rate({ seconds: 5, oil_sm3: null }, "oil_sm3"), null);
  assert.equal(rate({ seconds: 5 }, "oil_sm3"), null);
});

test("water cut is water in the liquid, and undefined without liquid", () => {
  assert.equal(waterCut(30, 10), 25);
  assert.equal(waterCut(0, 0), null);
  assert.equal(waterCut(null, 10), null);
});

test("a newer record takes the place of an older one, a late one does not", () => {
  const wells = new Wells([live("a", { oil_sm3: 1 })]);
  assert.equal(wells.put(live("a", { start: NOW, oil_sm3: 2 })), null);
  assert.equal(wells.put(live("a", { start: NOW - 60_000, oil_sm3: 9 })), null);
  assert.equal(wells.get("a").oil_sm3, 2);
});

test("a revision takes the place of its record and returns it", () => {
  const wells = new Wells([live("a", { oil_sm3: 1 })]);
  assert.equal(wells.put(live("a", { oil_sm3: 3, revision: 1 })).oil_sm3, 1);
  assert.equal(wells.get("a").oil_sm3, 3);
});

test("columns that a record leaves out are not kept from the record before", () => {
  const wells = new Wells([live("a", { oil_sm3: 1 })]);
  wells.put({ well: "a", field: "demo", start: NOW, seconds: 5, resolution: "live", revision: 0 });
  assert.equal(wells.get("a").oil_sm3, undefined);
  assert.equal(wells.get("a").name, "a");
});

test("of records of one start the shorter interval is the newest, as in the snapshot", () => {
  const wells = new Wells([known("a", { start: NOW, seconds: 86_400, resolution: "daily" })]);
  wells.put(live("a", { start: NOW }));
  assert.equal(wells.get("a").resolution, "live");
  wells.put(known("a", { start: NOW, seconds: 86_400, resolution: "daily" }));
  assert.equal(wells.get("a").resolution, "live");
});

test("a well that the page does not show is left out", () => {
  const wells = new Wells([known("a")]);
  assert.equal(wells.put(live("b")), null);
  assert.deepEqual(wells.all().map(({ well }) => well), ["a"]);
});

test("wells are chosen by well, by field, or all", () => {
  const wells = new Wells([known("a"), known("b", { field: "other" })]);
  assert.deepEqual(wells.chosen({ well: "b" }).map(({ well }) => well), ["b"]);
  assert.deepEqual(wells.chosen({ field: "demo" }).map(({ well }) => well), ["a"]);
  assert.equal(wells.chosen({ well: null, field: null }).length, 2);
  assert.deepEqual(wells.chosen({ well: "gone" }), []);
});

test("sums take fresh wells only; when all are old, those that were fresh together", () => {
  const fresh = live("a");
  const old = live("b", { start: NOW - 600_000 });
  const older = live("c", { start: NOW - 9_000_000 });
  assert.deepEqual(together([fresh, old, known("d")], NOW), { counted: [fresh], left: [old], fresh: true });
  assert.deepEqual(together([old, older], NOW), { counted: [old], left: [older], fresh: false });
  assert.deepEqual(together([known("d")], NOW), { counted: [], left: [], fresh: false });
});

test("a sum of nothing measured is null, not zero", () => {
  assert.equal(sum([{ seconds: 1 }, {}], (one) => one.oil ?? null), null);
  assert.equal(sum([{ oil: 0 }, { oil: 2 }], (one) => one.oil), 2);
});

test("wells rank by rate, ties keep their order, unmeasured ones are last", () => {
  const rates = { a: 1, b: null, c: 5, d: 1, e: 0 };
  assert.deepEqual(ranked(["a", "b", "c", "d", "e"], (well) => rates[well]), ["c", "a", "d", "e", "b"]);
  assert.deepEqual(ranked(["d", "a", "b"], (well) => rates[well]), ["d", "a", "b"]);
});

test("moves are told against the order of ten minutes ago, and the window is bounded", () => {
  const moves = new Moves();
  moves.note(["a", "b", "c"], 0);
  assert.deepEqual(moves.note(["c", "a", "b"], 1_000), { a: -1, b: -1, c: 2 });
  for (let now = 60_000; now <= 700_000; now += 1_000) moves.note(["c", "a", "b"], now);
  assert.deepEqual(moves.note(["c", "a", "b"], 700_000), { a: 0, b: 0, c: 0 });
});

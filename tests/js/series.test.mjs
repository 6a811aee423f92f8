import assert from "node:assert/strict";
import { test } from "node:test";

import { Series } from "../../dashboard/assets/series.mjs";
import { below, seeded } from "./random.mjs";

/** What a drawing shows that does only what patches say. */
function applied(drawing, { kind, x, y }) {
  if (kind === "append") return { x: [...drawing.x, ...x], y: [...drawing.y, ...y] };
  return kind === "replace" ? { x, y } : drawing;
}

test("random points end up sorted, each x with its last y", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const series = new Series({ keep: 1_000 });
    const last = new Map();
    for (let step = 0; step < 200; step += 1) {
      const x = below(random, 150);
      last.set(x, step);
      series.put(x, step);
    }
    assert.deepEqual(series.points(), [...last].sort((a, b) => a[0] - b[0]), `seed ${seed}`);
  }
});

test("a drawing that follows the patches shows the whole line, with its breaks and its bound", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const series = new Series({ keep: 40, gapMs: 3_000 });
    let drawing = { x: [], y: [] };
    let x = 0;
    for (let step = 0; step < 300; step += 1) {
      x += random() < 0.1 ? 9_000 : 1_000;
      series.put(random() < 0.1 ? x - 5_500 : x, random() < 0.1 ? null : step);
      if (random() < 0.4) drawing = applied(drawing, series.patch());
    }
    drawing = applied(drawing, series.patch());
    assert.deepEqual(drawing, series.drawn(), `seed ${seed}`);
    assert.ok(series.length <= 44);
  }
});

test("points at the end are appended, others replace the line, known ones change nothing", () => {
  const series = new Series();
  series.put(10, 1);
  series.put(20, 2);
  assert.deepEqual(series.patch(), { kind: "append", x: [10, 20], y: [1, 2] });
  series.put(20, 2);
  assert.equal(series.patch().kind, "none");
  series.put(20, 3);
  assert.deepEqual(series.patch(), { kind: "replace", x: [10, 20], y: [1, 3] });
  series.put(15, 9);
  assert.deepEqual(series.patch(), { kind: "replace", x: [10, 15, 20], y: [1, 9, 3] });
});

test("a gap is drawn as a null point before the next one, and closes when the missing point comes", () => {
  const series = new Series({ keep: 100, gapMs: 15_000 });
  series.put(0, 1);
  series.put(20_000, 2);
  assert.deepEqual(series.patch(), { kind: "append", x: [0, 19_999, 20_000], y: [1, null, 2] });
  series.put(10_000, 5);
  assert.deepEqual(series.patch(), { kind: "replace", x: [0, 10_000, 20_000], y: [1, 5, 2] });
});

test("an adopted line loses its drawn breaks, keeps measured nulls, and needs no patch", () => {
  const series = new Series({ keep: 100, gapMs: 15_000 });
  series.adopt([0, 10_000, 39_999, 40_000], [1, null, null, 2]);
  assert.deepEqual(series.points(), [[0, 1], [10_000, null], [40_000, 2]]);
  assert.deepEqual(series.drawn(), { x: [0, 10_000, 39_999, 40_000], y: [1, null, null, 2] });
  assert.equal(series.patch().kind, "none");
});

test("an adopted line beyond the bound keeps its newest points and is drawn anew", () => {
  const series = new Series({ keep: 2 });
  series.adopt(new Float64Array([1, 2, 3]), new Float64Array([1, 2, 3]));
  assert.deepEqual(series.patch(), { kind: "replace", x: [2, 3], y: [2, 3] });
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, following } from "../../dashboard/assets/axes.mjs";

const RANGE = ["2026-01-01 10:00", "2026-01-02"];

test("a zoom, a slider and a range button ask for a range, a double click for all", () => {
  assert.deepEqual(asked({ "xaxis.range[0]": RANGE[0], "xaxis.range[1]": RANGE[1] }), { range: RANGE });
  assert.deepEqual(asked({ "xaxis.range": RANGE }), { range: RANGE });
  assert.deepEqual(asked({ "xaxis.autorange": true }), { range: null });
});

test("a change of anything else asks for nothing", () => {
  for (const change of [undefined, null, {}, { "yaxis.range[0]": 1 }, { "font.color": "#fff" }, { "xaxis.range[0]": 1 }]) {
    assert.equal(asked(change), null);
  }
});

test("a chart follows to a range that it does not show yet", () => {
  const change = { "xaxis.range": RANGE, "xaxis.autorange": false };
  assert.deepEqual(following({ range: RANGE }, { autorange: true, range: RANGE }), change);
  assert.deepEqual(following({ range: RANGE }, { autorange: false, range: ["2026-01-01", "2026-01-02"] }), change);
});

test("a chart that shows the range already is left alone, however its ends are written", () => {
  const ends = [Date.UTC(2026, 0, 1, 10), Date.UTC(2026, 0, 2)];
  assert.equal(following({ range: RANGE }, { autorange: false, range: ends }), null);
  assert.equal(following({ range: ends }, { autorange: false, range: ["2026-01-01T10:00:00.000", "2026-01-02"] }), null);
});

test("a chart follows to all of its time, once", () => {
  assert.deepEqual(following({ range: null }, { autorange: false, range: RANGE }), { "xaxis.autorange": true });
  assert.equal(following({ range: null }, { autorange: true, range: RANGE }), null);
});

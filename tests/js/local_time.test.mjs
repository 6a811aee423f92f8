import assert from "node:assert/strict";
import { test } from "node:test";

import { localDate, localMs, offsetMs } from "../../dashboard/assets/local_time.mjs";

const HOUR = 3_600_000;

test("a zone's offset changes at the very instant of daylight saving", () => {
  const spring = Date.UTC(2026, 2, 29, 1);
  assert.equal(offsetMs("Europe/Oslo", spring - 1), HOUR);
  assert.equal(offsetMs("Europe/Oslo", spring), 2 * HOUR);
  const autumn = Date.UTC(2026, 9, 25, 1);
  assert.equal(offsetMs("Europe/Oslo", autumn - 1), 2 * HOUR);
  assert.equal(offsetMs("Europe/Oslo", autumn), HOUR);
});

test("offsets of half hours, of the west and before 1970 are right", () => {
  assert.equal(offsetMs("Asia/Kolkata", Date.UTC(2020, 0, 1)), 5.5 * HOUR);
  assert.equal(offsetMs("America/Chicago", Date.UTC(2020, 6, 1)), -5 * HOUR);
  assert.equal(offsetMs("America/Chicago", Date.UTC(1960, 0, 1)), -6 * HOUR);
  assert.equal(offsetMs("UTC", Date.UTC(2020, 0, 1)), 0);
});

test("the wall clock keeps milliseconds, and dates are the field's", () => {
  const at = Date.UTC(2016, 10, 30, 23, 30, 1, 250);
  assert.equal(localMs("Europe/Oslo", at), at + HOUR);
  assert.equal(localDate("Europe/Oslo", at), "2016-12-01");
});

test("a zone that is not one is refused", () => {
  assert.throws(() => offsetMs("Mars/Base", 0), RangeError);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { age, clockTime, move, number, span, staleNote } from "../../dashboard/assets/words.mjs";

test("what is no number is a dash, never zero", () => {
  for (const value of [null, undefined, NaN, Infinity, "1"]) assert.equal(number(value), "–");
  assert.equal(number(0), "0");
});

test("thousands are grouped by narrow spaces and decimals are fixed", () => {
  assert.equal(number(1_234_567.26, 1), "1\u202f234\u202f567.3");
  assert.equal(number(999), "999");
  assert.equal(number(5, 2), "5.00");
});

test("a negative number has a minus sign, a rounded zero has none", () => {
  assert.equal(number(-1_234.5, 1), "−1\u202f234.5");
  assert.equal(number(-0.001, 1), "0.0");
});

test("lengths of time are told in their largest unit", () => {
  const told = { 3.9: "3 s", 59: "59 s", 60: "1 min", 3_599: "59 min", 7_200: "2 h", 172_800: "2 d", 86_400_000: "2 y" };
  for (const [seconds, text] of Object.entries(told)) assert.equal(span(Number(seconds)), text);
  assert.equal(span(-4), "0 s");
});

test("an age beyond two days is a date on the field's clock", () => {
  const start = Date.UTC(2016, 10, 30, 23, 30);
  assert.equal(age(5, start, "Europe/Oslo"), "5 s");
  assert.equal(age(172_800, start, "Europe/Oslo"), "measured 2016-12-01");
});

test("a stale number says for how long", () => {
  assert.equal(staleNote(12), "stale 12 s");
  assert.equal(staleNote(425), "no data 7 min");
});

test("a move has a direction and a size", () => {
  assert.deepEqual([2, -1, 0].map(move), ["▲2", "▼1", ""]);
});

test("a clock time has two digits each", () => {
  assert.equal(clockTime(new Date(2026, 0, 1, 4, 3, 2).getTime()), "04:03:02");
});

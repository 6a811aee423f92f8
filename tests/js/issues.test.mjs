import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { doubts, issueText, touches } from "../../dashboard/assets/issues.mjs";

test("an issue is about the column that ends its code, one without a column about all", () => {
  assert.equal(touches("jump-oil_sm3", ["oil_sm3", "gas_sm3"]), true);
  assert.equal(touches("jump-oil_sm3", ["gas_sm3"]), false);
  assert.equal(touches("nothing_measured-well", ["gas_sm3"]), true);
  assert.equal(touches("outside", ["gas_sm3"]), true);
});

test("a suspect record is doubted for what its issues are about, or altogether when it names none", () => {
  const record = { verdict: "suspect", issues: ["jump-oil_sm3", "frozen-choke_pct"] };
  assert.deepEqual(doubts(record, ["choke_pct"]), ["frozen-choke_pct"]);
  assert.deepEqual(doubts(record, ["gas_sm3"]), []);
  assert.deepEqual(doubts({ verdict: "suspect" }, ["gas_sm3"]), ["suspect"]);
  assert.deepEqual(doubts({ verdict: "verified", issues: ["jump-oil_sm3"] }, ["oil_sm3"]), []);
});

test("an issue reads as words without the column's unit", () => {
  assert.equal(issueText("no_reading-downhole_pressure_bar"), "no reading, downhole pressure");
  assert.equal(issueText("volume_without_hours-oil_sm3"), "volume without hours, oil");
  assert.equal(issueText("on_stream_of_nominal_day-on_stream_s"), "on stream of nominal day, on stream");
  assert.equal(issueText("nothing_measured-well"), "nothing measured well");
  assert.equal(issueText("jump-gas_lift_sm3_per_d"), "jump, gas lift");
});

test("pages and browser find an issue's column by the same pattern", () => {
  const pattern = (path) => /-\(\[a-z\].*\)\$/.exec(readFileSync(new URL(path, import.meta.url), "utf8"))?.[0];
  assert.equal(pattern("../../dashboard/assets/issues.mjs"), pattern("../../dashboard/figures/series.py"));
});

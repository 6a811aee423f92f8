import assert from "node:assert/strict";
import { test } from "node:test";

import { header, row, tile } from "../../dashboard/assets/readings.mjs";
import { Wells } from "../../dashboard/assets/wells.mjs";

const NOW = Date.UTC(2026, 0, 1, 12);
const ZONES = { demo: "Europe/Oslo" };
const live = (well, given = {}) => ({
  well: `demo.${well}`,
  name: well.toUpperCase(),
  field: "demo",
  purpose: "producer",
  start: NOW - 8_000,
  seconds: 5,
  resolution: "live",
  verdict: "verified",
  issues: [],
  ...given,
});
const said = (description, records, now = NOW) =>
  tile({ field: null, well: null, digits: 0, ...description }, new Wells(records), ZONES, now);

test("a sum tile adds fresh wells, says how many, and is as old as the oldest of them", () => {
  const records = [live("a", { oil_sm3: 0.05 }), live("b", { oil_sm3: 0.05, start: NOW - 12_000 }), live("i")];
  assert.deepEqual(said({ kind: "rate", column: "oil_sm3" }, records), {
    state: "live",
    value: "1\u202f728",
    age: "7 s",
    note: "2 of 2 wells",
  });
});

test("a sum tile leaves stale wells out", () => {
  const records = [live("a", { oil_sm3: 0.05 }), live("b", { oil_sm3: 0.05, start: NOW - 60_000 })];
  const { value, note, state } = said({ kind: "rate", column: "oil_sm3" }, records);
  assert.deepEqual([value, note, state], ["864", "1 of 2 wells", "live"]);
});

test("a tile whose wells are all stale says so beside their last values", () => {
  const records = [live("a", { oil_sm3: 0.05 })];
  const one = { kind: "rate", column: "oil_sm3", well: "demo.a" };
  assert.deepEqual(said(one, records, NOW + 27_000), { state: "stale", value: "864", age: "30 s", note: "stale 30 s" });
  assert.equal(said(one, records, NOW + 600_000).note, "no data 10 min");
  assert.equal(said(one, records, NOW + 400_000_000).age, "measured 2026-01-01");
});

test("a suspect record that touches the tile's column makes it bad, another column's issue does not", () => {
  const doubt = (issue) => [live("a", { oil_sm3: 0.05, verdict: "suspect", issues: [issue] })];
  const one = { kind: "rate", column: "oil_sm3", well: "demo.a" };
  assert.deepEqual(said(one, doubt("jump-oil_sm3")), { state: "bad", value: "864", age: "3 s", note: "⚠ jump, oil" });
  assert.equal(said(one, doubt("frozen-wellhead_pressure_bar")).state, "live");
  assert.equal(said(one, doubt("outside")).note, "⚠ outside");
  assert.equal(said(one, [live("a", { oil_sm3: 1, verdict: "suspect" })]).note, "⚠ suspect");
});

test("a sum tile names the well that is doubted", () => {
  const records = [live("a", { oil_sm3: 1 }), live("b", { oil_sm3: 1, verdict: "suspect", issues: ["jump-oil_sm3"] })];
  assert.equal(said({ kind: "rate", column: "oil_sm3" }, records).note, "⚠ B: jump, oil · 2 of 2 wells");
});

test("water cut, GOR, oil equivalent and uptime come from sums over the wells", () => {
  const records = [
    live("a", { oil_sm3: 3, water_sm3: 1, gas_sm3: 300, on_stream_s: 5 }),
    live("b", { oil_sm3: 1, water_sm3: 3, gas_sm3: 100, on_stream_s: 0 }),
  ];
  assert.equal(said({ kind: "water_cut", digits: 1 }, records).value, "50.0");
  assert.equal(said({ kind: "gor" }, records).value, "100");
  assert.equal(said({ kind: "boe", digits: 1 }, records).value, "76\u202f032.0");
  assert.equal(said({ kind: "uptime" }, records).value, "50");
});

test("what cannot be divided is a dash", () => {
  const shut = [live("a", { oil_sm3: 0, water_sm3: 0, gas_sm3: 5 })];
  assert.equal(said({ kind: "water_cut" }, shut).value, "–");
  assert.equal(said({ kind: "gor" }, shut).value, "–");
});

test("wells on stream and wells reporting are counted", () => {
  const records = [
    live("a", { on_stream_s: 5 }),
    live("b", { on_stream_s: 0 }),
    live("c", { on_stream_s: 5, start: NOW - 90_000 }),
    { well: "demo.d", name: "D", field: "demo", purpose: "producer" },
  ];
  assert.equal(said({ kind: "on_stream" }, records).value, "1 of 2");
  assert.equal(said({ kind: "on_stream" }, records).note, "1 not reporting");
  assert.equal(said({ kind: "reporting" }, records).value, "2 of 4");
  assert.deepEqual(said({ kind: "reporting" }, records.slice(3)), {
    state: "none",
    value: "0 of 1",
    age: "",
    note: "no records yet",
  });
});

test("a state is that of its well, and a quantity without values is not measured", () => {
  const records = [live("a", { wellhead_pressure_bar: 81.26 })];
  const one = { kind: "value", column: "wellhead_pressure_bar", well: "demo.a", digits: 1 };
  assert.equal(said(one, records).value, "81.3");
  assert.deepEqual(said({ ...one, column: "choke_pct" }, records), { state: "none", value: "–", age: "", note: "not measured" });
});

test("a tile of an unknown kind is refused", () => {
  assert.throws(() => said({ kind: "mood" }, []), /no tile is of kind mood/);
});

test("a row tells a well's rates, state and verdict, or that it has no records", () => {
  const shown = row(live("a", { oil_sm3: 3, water_sm3: 1, wellhead_pressure_bar: 80, on_stream_s: 5 }), ZONES, NOW);
  assert.deepEqual([shown.state, shown.water_cut, shown.whp, shown.choke], ["live", "25.0", "80.0", "–"]);
  assert.deepEqual([shown.status, shown.verdict, shown.age], ["on stream", "verified", "3 s"]);
  assert.equal(row(live("a", { on_stream_s: 5, purpose: "injector" }), ZONES, NOW).status, "injecting");
  const injector = live("i", { on_stream_s: 5, purpose: "injector", injected_water_sm3: 0.05 });
  assert.equal(row(injector, ZONES, NOW).status, "injecting 864 Sm³/d");
  assert.equal(row(live("a", { on_stream_s: 0 }), ZONES, NOW).status, "shut in");
  assert.equal(row(live("a"), ZONES, NOW + 400_000_000).age, "2026-01-01");
  assert.equal(row(live("a", { verdict: "suspect", issues: ["jump-oil_sm3"] }), ZONES, NOW).verdict, "⚠ jump, oil");
  assert.equal(row(live("a"), ZONES, NOW + 60_000).state, "stale");
  assert.equal(row({ well: "demo.d" }, ZONES, NOW).status, "no records yet");
  assert.equal(row(undefined, ZONES, NOW).state, "none");
});

test("a field's header tells live, replayed and old data apart", () => {
  assert.deepEqual(header([live("a")], "Europe/Oslo", NOW), { state: "live", text: "live, 3 s ago" });
  assert.equal(header([live("a")], "Europe/Oslo", NOW + 420_000).text, "measured 7 min ago");
  const old = live("a", { start: Date.UTC(2016, 11, 1), seconds: 86_400, resolution: "daily", source: "file", at: NOW });
  assert.deepEqual(header([old], "Europe/Oslo", NOW), { state: "stale", text: "measured 2016-12-01 (9 y ago)" });
  const replayed = { ...old, source: "replay:volve" };
  assert.deepEqual(header([replayed], "Europe/Oslo", NOW), { state: "live", text: "replay, field time 2016-12-01" });
  assert.equal(header([replayed], "Europe/Oslo", NOW + 11_000).state, "stale");
  assert.equal(header([{ well: "demo.d" }], "Europe/Oslo", NOW).state, "none");
});

test("without a connection numbers stay what they were, and all look stale", () => {
  const records = [live("a", { oil_sm3: 0.05, on_stream_s: 5 }), live("b", { oil_sm3: 0.05, on_stream_s: 5, start: NOW - 12_000 })];
  const later = NOW + 14_000;
  const lost = (kind) => tile({ kind, column: "oil_sm3", field: null, well: null }, new Wells(records), ZONES, later, NOW);
  assert.equal(said({ kind: "rate", column: "oil_sm3" }, records, later).value, "864", "a silent well is left out when connected");
  assert.deepEqual(lost("rate"), { state: "stale", value: "1\u202f728", age: "21 s", note: "stale 17 s · 2 of 2 wells" });
  assert.deepEqual([lost("on_stream").value, lost("on_stream").state], ["2 of 2", "stale"]);
  assert.deepEqual([lost("reporting").value, lost("reporting").state], ["2 of 2", "stale"]);
  assert.deepEqual([row(records[0], ZONES, later, NOW).state, row(records[0], ZONES, later, NOW).status], ["stale", "stale 17 s"]);
  assert.deepEqual(header(records, "Europe/Oslo", later, NOW), { state: "stale", text: "measured 17 s ago" });
});

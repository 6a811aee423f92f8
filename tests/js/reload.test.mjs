import assert from "node:assert/strict";
import { test } from "node:test";

import { Reload } from "../../dashboard/assets/reload.mjs";

function times(reload, until) {
  const asked = [];
  for (let now = 0; now <= until; now += 100) if (reload.due(now) !== null) asked.push(now);
  return asked;
}

test("a snapshot that does not come is asked for ever more rarely, at most every thirty seconds", () => {
  const reload = new Reload();
  reload.want("field/demo", "too-old");
  const asked = times(reload, 200_000);
  const waits = asked.slice(1).map((at, place) => at - asked[place]);
  assert.deepEqual(waits.slice(0, 6), [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test("several topics at once are one request, and a snapshot that came ends it", () => {
  const reload = new Reload();
  reload.want("field/a", "epoch");
  reload.want("field/b", "epoch");
  assert.deepEqual(reload.due(0), { topic: "field/a", reason: "epoch" });
  reload.came();
  assert.equal(reload.due(60_000), null);
});

test("reloads wanted again and again come no faster than every two seconds", () => {
  const reload = new Reload();
  const asked = [];
  for (let now = 0; now < 20_000; now += 100) {
    reload.want("field/demo", "ahead");
    if (reload.due(now) !== null) asked.push(now);
    reload.came();
  }
  assert.ok(asked.slice(1).every((at, place) => at - asked[place] >= 2_000));
});

test("after a quiet time the next request goes out at once with the first wait again", () => {
  const reload = new Reload();
  for (const at of [0, 2_000, 6_000]) {
    reload.want("field/demo", "ahead");
    assert.notEqual(reload.due(at), null);
    reload.came();
  }
  assert.equal(reload.due(40_000), null);
  reload.want("field/demo", "ahead");
  assert.notEqual(reload.due(41_000), null);
  assert.notEqual(reload.due(43_000), null);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  ADVICE,
  BACKOFF_MAX_MS,
  Connection,
  DEAD_MS,
  Event,
  SILENT_MS,
  State,
  TRANSITIONS,
  after,
  backoffMs,
} from "../../dashboard/assets/connection.mjs";
import { seeded } from "./random.mjs";

function opened() {
  const connection = new Connection(() => 0.5);
  connection.start(0);
  connection.opened(100);
  connection.told(false, 100);
  return connection;
}

test("every state meets every event: what the table lists is a state, what it does not is refused", () => {
  for (const state of Object.values(State)) {
    for (const event of Object.values(Event)) {
      const next = TRANSITIONS[state][event];
      if (next === undefined) assert.throws(() => after(state, event), /cannot be told/);
      else assert.ok(Object.values(State).includes(after(state, event)));
    }
  }
});

test("from every state but idle itself the connection can be stopped", () => {
  for (const state of Object.values(State).filter((one) => one !== State.IDLE)) {
    assert.equal(after(state, Event.STOP), State.IDLE);
  }
});

test("every state can be reached", () => {
  const reached = new Set([State.IDLE]);
  for (const state of reached) for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
  assert.deepEqual([...reached].sort(), Object.values(State).sort());
});

test("the advice is that of the gateway's close codes", () => {
  const source = readFileSync(new URL("../../stream/close_codes.py", import.meta.url), "utf8");
  const codes = Object.fromEntries([...source.matchAll(/^ {4}([A-Z_]+) = (\d+)$/gm)].map(([, name, code]) => [name, code]));
  const advice = [...source.matchAll(/Close\.([A-Z_]+): Advice\(".*", (True|False), ([\d.]+)\)/g)].map(
    ([, name, comeBack, withinS]) => [codes[name], { comeBack: comeBack === "True", withinS: Number(withinS) }],
  );
  assert.equal(advice.length, Object.keys(codes).length);
  assert.deepEqual(ADVICE, Object.fromEntries(advice));
});

test("a backoff lies between nothing and a bound that doubles up to its maximum", () => {
  const random = seeded(7);
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    const bound = Math.min(BACKOFF_MAX_MS, 500 * 2 ** attempt);
    const wait = backoffMs(attempt, random);
    assert.ok(wait >= 0 && wait <= bound, `${wait} at attempt ${attempt}`);
  }
});

test("a first close with advice comes back anywhere within it", () => {
  assert.equal(backoffMs(0, () => 1, 5_000), 5_000);
  assert.equal(backoffMs(0, () => 0, 5_000), 0);
});

test("no ping for three seconds is stale, the next ping catches up, no message for eight is closed", () => {
  const connection = opened();
  assert.equal(connection.shown(100).state, "live");
  assert.equal(connection.tick(100 + SILENT_MS - 1), null);
  assert.equal(connection.shown(3_000).state, "live");
  connection.tick(100 + SILENT_MS);
  assert.deepEqual(connection.shown(3_200), { state: "stale", since: 100, retryAt: null });
  connection.pinged(0, 4_000);
  assert.equal(connection.shown(4_000).state, "catching-up");
  connection.told(false, 4_000);
  assert.equal(connection.shown(4_000).state, "live");
  assert.equal(connection.tick(4_000 + DEAD_MS), "close");
});

test("a store not confirmed for more than five seconds is stale though pings come", () => {
  const connection = opened();
  connection.pinged(5.1, 1_100);
  assert.equal(connection.shown(1_100).state, "stale");
  assert.equal(connection.shown(1_100).since, 100);
  connection.pinged(0.3, 2_100);
  assert.equal(connection.shown(2_100).state, "catching-up");
});

test("being behind shows as catching up until it is caught up", () => {
  const connection = opened();
  connection.told(true, 200);
  assert.equal(connection.shown(200).state, "catching-up");
  connection.told(false, 300);
  assert.equal(connection.shown(300).state, "live");
});

test("a lost connection is offline since its last ping and opens again when it is due", () => {
  const connection = opened();
  connection.closed(1006, 900);
  assert.deepEqual(connection.shown(900), { state: "offline", since: 100, retryAt: 900 + 250 });
  assert.equal(connection.tick(1_149), null);
  assert.equal(connection.tick(1_150), "open");
  assert.equal(connection.shown(4_000).state, "offline");
});

test("attempts that fail wait longer, and a settled connection begins anew", () => {
  const connection = opened();
  const waits = [];
  let now = 200;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    connection.closed(1006, now);
    waits.push(connection.retryAt - now);
    now = connection.retryAt;
    assert.equal(connection.tick(now), "open");
  }
  assert.deepEqual(waits, [250, 500, 1_000, 2_000]);
  connection.opened(now);
  connection.told(false, now);
  connection.closed(1006, now + 6_000);
  assert.equal(connection.retryAt - now - 6_000, 250);
});

test("codes that say stay away are not retried until somebody starts again", () => {
  for (const code of [4002, 4003]) {
    const connection = opened();
    connection.closed(code, 200);
    assert.equal(connection.state, State.REFUSED);
    assert.equal(connection.tick(100_000), null);
    assert.equal(connection.shown(200).state, "offline");
    assert.equal(connection.start(100_000), true);
  }
});

test("an attempt that is not answered is closed", () => {
  const connection = new Connection(() => 0);
  connection.start(0);
  assert.equal(connection.shown(1_000).state, "catching-up");
  assert.equal(connection.tick(7_999), null);
  assert.equal(connection.shown(4_000).state, "offline");
  assert.equal(connection.tick(8_000), "close");
});

test("when the network is back the wait ends, and a stopped connection does nothing", () => {
  const connection = opened();
  connection.closed(1013, 200);
  connection.hurry(300);
  assert.equal(connection.tick(300), "open");
  connection.stop(400);
  connection.closed(1000, 500);
  assert.equal(connection.state, State.IDLE);
  assert.equal(connection.tick(99_999), null);
});

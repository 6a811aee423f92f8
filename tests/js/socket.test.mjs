import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Socket } from "../../dashboard/assets/socket.mjs";

/** A WebSocket that says what the test tells it to. */
class FakeWebSocket {
  static OPEN = 1;
  static made = [];

  constructor(url) {
    this.url = url;
    this.readyState = FakeWebSocket.OPEN;
    this.sent = [];
    FakeWebSocket.made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code;
  }

  says(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

const WELCOME = { type: "welcome", epoch: "e", now: 0, heartbeat_s: 1, version: "0" };
const records = (after, offset) => ({
  type: "records",
  topic: "field/demo",
  after,
  offset,
  head: offset,
  batches: [{ offset, at: 0, well: [] }],
});

let applied;
let reloads;
let socket;

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "Date"] });
  globalThis.WebSocket = FakeWebSocket;
  FakeWebSocket.made = [];
  applied = [];
  reloads = [];
  socket = new Socket("ws://here/ws", {
    records: (_, batch) => applied.push(batch.offset),
    reload: (topic, reason) => reloads.push([topic, reason]),
    tick: () => {},
  });
});

afterEach(() => {
  socket.follow({});
  mock.timers.reset();
  delete globalThis.WebSocket;
});

function connected(topics = { "field/demo": { epoch: "e", offset: 4 } }) {
  socket.follow(topics);
  const made = FakeWebSocket.made.at(-1);
  made.says(WELCOME);
  return made;
}

test("after the welcome the page's topics are subscribed from their positions", () => {
  const made = connected();
  assert.deepEqual(made.sent, [
    { type: "subscribe", topics: ["field/demo"], from: { "field/demo": { epoch: "e", offset: 4 } } },
  ]);
  made.says(records(4, 5));
  assert.deepEqual(applied, [5]);
  assert.equal(socket.connection.state, "live");
});

test("a hole is asked for again from the kept position, not once a frame", () => {
  const made = connected();
  mock.timers.tick(1_000);
  made.says(records(6, 7));
  made.says(records(7, 8));
  assert.equal(made.sent.length, 2);
  assert.deepEqual(made.sent[1].from, { "field/demo": { epoch: "e", offset: 4 } });
  assert.equal(socket.counters.holes, 1);
  made.says(records(4, 8));
  assert.deepEqual(applied, [8]);
});

test("a hole right after a subscription is asked for a second later, should it last", () => {
  const made = connected();
  made.says(records(6, 7));
  assert.equal(made.sent.length, 1);
  mock.timers.tick(1_250);
  assert.equal(made.sent.length, 2);
});

test("after a lost connection the kept position is asked for on the next socket", () => {
  const made = connected();
  made.says(records(4, 9));
  made.onclose({ code: 1006 });
  mock.timers.tick(1_000);
  const next = FakeWebSocket.made.at(-1);
  assert.notEqual(next, made);
  next.says(WELCOME);
  assert.deepEqual(next.sent[0].from, { "field/demo": { epoch: "e", offset: 9 } });
});

test("a silent socket is let go, and what it still says is not heard", () => {
  const made = connected();
  mock.timers.tick(8_000);
  assert.equal(made.closedWith, 4000);
  assert.equal(made.onmessage({ data: JSON.stringify(records(4, 5)) }), false);
  assert.deepEqual(applied, []);
});

test("a reload and an epoch of another database ask for a snapshot and take nothing more", () => {
  const made = connected();
  made.says({ type: "reload", topic: "field/demo", reason: "too-old", epoch: "e" });
  made.says(records(4, 5));
  socket.follow({ "field/demo": { epoch: "other", offset: 1 } });
  assert.deepEqual(reloads, [["field/demo", "too-old"], ["field/demo", "epoch"]]);
  assert.deepEqual(applied, []);
  assert.equal(socket.connection.state, "catching-up");
});

test("a reload into a new epoch lets the next snapshot of that epoch go on", () => {
  const made = connected();
  made.says({ type: "reload", topic: "field/demo", reason: "epoch", epoch: "restored" });
  socket.follow({ "field/demo": { epoch: "restored", offset: 2 } });
  assert.deepEqual(made.sent.at(-1).from, { "field/demo": { epoch: "restored", offset: 2 } });
  made.says(records(2, 3));
  assert.deepEqual(applied, [3]);
  assert.equal(reloads.length, 1);
});

test("another page's topics take the place of the old ones on the same socket", () => {
  const made = connected();
  socket.follow({ "field/other": { epoch: "e", offset: 1 } });
  assert.equal(FakeWebSocket.made.length, 1);
  assert.deepEqual(made.sent.slice(1).map(({ type, topics }) => [type, topics]), [
    ["unsubscribe", ["field/demo"]],
    ["subscribe", ["field/other"]],
  ]);
});

test("without topics the socket is closed and stays so", () => {
  const made = connected();
  socket.follow({});
  assert.equal(made.closedWith, 1000);
  mock.timers.tick(60_000);
  assert.equal(FakeWebSocket.made.length, 1);
});

test("pings that ask are answered, and a topic that is unknown is followed no more", () => {
  const warned = mock.method(console, "warn", () => {});
  const made = connected();
  made.says({ type: "ping", n: 7, now: 0, store_s: 0, reply: true });
  assert.deepEqual(made.sent.at(-1), { type: "pong", n: 7 });
  made.says({ type: "error", code: "unknown-topic", message: "there is no field/demo", topic: "field/demo" });
  assert.equal(socket.positions.size, 0);
  assert.equal(warned.mock.callCount(), 1);
  warned.mock.restore();
});

test("what is known is known until the last good moment of a connection", () => {
  socket.follow({ "field/demo": { epoch: "e", offset: 1 } });
  const [opened] = FakeWebSocket.made;
  opened.says(WELCOME);
  opened.says(records(1, 2));
  assert.equal(socket.knownAt(socket.serverNow()), socket.serverNow());
  mock.timers.tick(1_000);
  opened.says({ type: "ping", n: 1, now: 1_000, store_s: 0, reply: false });
  opened.onclose({ code: 4003 });
  mock.timers.tick(400);
  assert.equal(socket.connection.shown(Date.now()).state, "offline");
  assert.equal(socket.knownAt(1_400), 1_000);
});

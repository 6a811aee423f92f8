import assert from "node:assert/strict";
import { test } from "node:test";

import { Positions, Verdict, join, rows } from "../../dashboard/assets/position.mjs";
import { below, seeded } from "./random.mjs";

const message = (after, offset, head = offset) => ({
  topic: "field/demo",
  after,
  offset,
  head,
  batches: Array.from({ length: offset - after }, (_, step) => ({ offset: after + step + 1 })),
});

test("a message that is not beyond the position is dropped", () => {
  assert.deepEqual(join(44, message(42, 44)), { verdict: Verdict.DROP, offset: 44, batches: [] });
});

test("a message that begins beyond the position is a hole and moves nothing", () => {
  assert.deepEqual(join(41, message(42, 44)), { verdict: Verdict.HOLE, offset: 41, batches: [] });
});

test("of an overlapping message only the batches beyond the position are applied", () => {
  const { verdict, offset, batches } = join(43, message(41, 45));
  assert.equal(verdict, Verdict.APPLY);
  assert.equal(offset, 45);
  assert.deepEqual(batches.map((batch) => batch.offset), [44, 45]);
});

test("an empty message only moves the position", () => {
  const empty = { ...message(4, 4), offset: 9, head: 9 };
  assert.deepEqual(join(4, empty), { verdict: Verdict.APPLY, offset: 9, batches: [] });
});

test("any order of frames, losses, repeats and reconnects applies each offset once and in order", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const head = 1 + below(random, 60);
    const begin = below(random, head);
    const positions = new Positions();
    positions.follow({ "field/demo": { epoch: "e", offset: begin } });
    const applied = [];
    const take = (sent) => {
      const { verdict, batches } = positions.take(sent);
      applied.push(...batches.map((batch) => batch.offset));
      return verdict;
    };
    for (let step = 0; step < 80; step += 1) {
      const after = below(random, head + 1);
      const verdict = take(message(after, after + below(random, head - after + 1), head));
      if (verdict === Verdict.HOLE && random() < 0.5) {
        const { offset } = positions.ask()["field/demo"];
        take(message(offset, Math.min(head, offset + below(random, 5)), head));
      }
    }
    const { offset } = positions.ask()["field/demo"];
    assert.equal(positions.behind, true, "nothing is answered yet");
    take(message(offset, head));
    const log = Array.from({ length: head - begin }, (_, step) => begin + step + 1);
    assert.deepEqual(applied, log, `seed ${seed}`);
    assert.equal(positions.behind, false);
  }
});

test("a topic is behind until it was answered and has reached the head it was told of", () => {
  const positions = new Positions();
  positions.follow({ "field/demo": { epoch: "e", offset: 4 } });
  assert.equal(positions.behind, true);
  positions.take(message(4, 6, 8));
  assert.equal(positions.behind, true);
  positions.take(message(6, 8));
  assert.equal(positions.behind, false);
});

test("a topic that awaits a snapshot takes nothing and is not subscribed", () => {
  const positions = new Positions();
  positions.follow({ "field/demo": { epoch: "e", offset: 4 } });
  positions.await("field/demo");
  assert.equal(positions.take(message(4, 5)).verdict, Verdict.DROP);
  assert.deepEqual(positions.where(), {});
  assert.deepEqual(positions.awaited(), ["field/demo"]);
  assert.equal(positions.behind, true);
});

test("topics of another epoch than the server's await a snapshot", () => {
  const positions = new Positions();
  positions.follow({ "field/a": { epoch: "old", offset: 1 }, "field/b": { epoch: "new", offset: 2 } });
  assert.deepEqual(positions.strangersTo("new"), ["field/a"]);
  assert.deepEqual(positions.where(), { "field/b": { epoch: "new", offset: 2 } });
});

test("following another page's topics tells which are wanted no more", () => {
  const positions = new Positions();
  positions.follow({ "field/a": { epoch: "e", offset: 1 }, "field/b": { epoch: "e", offset: 2 } });
  assert.deepEqual(positions.follow({ "field/b": { epoch: "e", offset: 7 } }).removed, ["field/a"]);
  assert.deepEqual(positions.where(), { "field/b": { epoch: "e", offset: 7 } });
});

test("a columnar batch becomes one object per row", () => {
  const batch = { offset: 3, at: 5, field: "demo", well: ["demo.a", "demo.b"], oil_sm3: [1, null], issues: [[], ["x"]] };
  assert.deepEqual(rows(batch), [
    { offset: 3, at: 5, field: "demo", well: "demo.a", oil_sm3: 1, issues: [] },
    { offset: 3, at: 5, field: "demo", well: "demo.b", oil_sm3: null, issues: ["x"] },
  ]);
});

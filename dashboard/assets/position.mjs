// Positions in topics: what a client does with each `records` message so that nothing is lost, repeated or out of order.
// Pure. A position is {epoch, offset}; positions of one epoch have no holes.

export const Verdict = Object.freeze({ APPLY: "apply", DROP: "drop", HOLE: "hole" });

/**
 * What becomes of a `records` message for a client that has everything up to `offset`.
 * Returns {verdict, offset, batches}: the batches to apply, in order, and where the client then stands.
 */
export function join(offset, message) {
  if (message.offset <= offset) return { verdict: Verdict.DROP, offset, batches: [] };
  if (message.after > offset) return { verdict: Verdict.HOLE, offset, batches: [] };
  const batches = message.batches.filter((batch) => batch.offset > offset);
  return { verdict: Verdict.APPLY, offset: message.offset, batches };
}

/** A batch, columnar and without its empty columns, as one object per row. */
export function rows(batch) {
  const columns = Object.entries(batch).filter(([, values]) => Array.isArray(values));
  const alone = Object.fromEntries(Object.entries(batch).filter(([, values]) => !Array.isArray(values)));
  return batch.well.map((_, place) => {
    const row = { ...alone };
    for (const [name, values] of columns) row[name] = values[place];
    return row;
  });
}

/** The topics that a tab follows and where it stands in each. */
export class Positions {
  #topics = new Map();

  /** Follow exactly these topics ({topic: {epoch, offset}}), each from its position. Returns {added, removed}: names. */
  follow(wanted) {
    const removed = [...this.#topics.keys()].filter((topic) => !(topic in wanted));
    for (const topic of removed) this.#topics.delete(topic);
    for (const [topic, { epoch, offset }] of Object.entries(wanted)) {
      this.#topics.set(topic, { epoch, offset, head: offset, waits: false, answered: false });
    }
    return { added: Object.keys(wanted), removed };
  }

  /** Take a `records` message. Returns {verdict, batches}; a topic not followed or awaiting a snapshot drops it. */
  take(message) {
    const topic = this.#topics.get(message.topic);
    if (topic === undefined || topic.waits) return { verdict: Verdict.DROP, batches: [] };
    const { verdict, offset, batches } = join(topic.offset, message);
    topic.answered = true;
    topic.offset = offset;
    topic.head = Math.max(topic.head, message.head);
    return { verdict, batches };
  }

  /** The topic cannot go on from here: nothing of it is taken until a snapshot brings a new position. */
  await(topic) {
    const known = this.#topics.get(topic);
    if (known !== undefined) known.waits = true;
    return known !== undefined;
  }

  /** Topics whose epoch is not the server's; they now await a snapshot. */
  strangersTo(epoch) {
    const strangers = [...this.#topics].filter(([, one]) => one.epoch !== epoch).map(([topic]) => topic);
    for (const topic of strangers) this.await(topic);
    return strangers;
  }

  /** The server does not have this topic: follow it no more. */
  forget(topic) {
    this.#topics.delete(topic);
  }

  /** The open topics with their positions, the `from` of a `subscribe` message; each now awaits the server's answer. */
  ask() {
    for (const topic of this.#topics.values()) topic.answered = false;
    return this.where();
  }

  /** The open topics with the positions that they stand at. */
  where() {
    const open = [...this.#topics].filter(([, one]) => !one.waits);
    return Object.fromEntries(open.map(([topic, { epoch, offset }]) => [topic, { epoch, offset }]));
  }

  /** Topics that await a snapshot. */
  awaited() {
    return [...this.#topics].filter(([, one]) => one.waits).map(([topic]) => topic);
  }

  /** Whether some topic awaits a snapshot or an answer, or is known to have more than was taken. */
  get behind() {
    return [...this.#topics.values()].some((one) => one.waits || !one.answered || one.offset < one.head);
  }

  has(topic) {
    return this.#topics.has(topic);
  }

  get size() {
    return this.#topics.size;
  }
}

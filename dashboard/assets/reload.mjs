// When to ask for a new snapshot: at once, then ever more rarely until it comes. Pure; time is an argument, in ms.

export const FIRST_MS = 2_000;
export const MAX_MS = 30_000;

export class Reload {
  #wanted = null;
  #askedAt = -Infinity;
  #waitMs = FIRST_MS;

  /** A topic cannot go on. */
  want(topic, reason) {
    this.#wanted ??= { topic, reason };
  }

  /** A snapshot with usable positions came. */
  came() {
    this.#wanted = null;
  }

  /** What to ask for now ({topic, reason}), or null. The wait doubles with each request and falls back when all is quiet. */
  due(now) {
    if (this.#wanted === null) {
      if (now - this.#askedAt > MAX_MS) this.#askedAt = -Infinity;
      return null;
    }
    if (now - this.#askedAt < this.#waitMs) return null;
    this.#waitMs = this.#askedAt === -Infinity ? FIRST_MS : Math.min(MAX_MS, this.#waitMs * 2);
    this.#askedAt = now;
    return this.#wanted;
  }
}

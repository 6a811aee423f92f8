// The life of the tab's connection as a table, when to try again, and what each close code advises. Pure; time is an
// argument, in ms.

export const State = Object.freeze({
  IDLE: "idle",
  CONNECTING: "connecting",
  CATCHING_UP: "catching-up",
  LIVE: "live",
  STALE: "stale",
  WAITING: "waiting",
  REFUSED: "refused",
});

export const Event = Object.freeze({
  START: "start",
  STOP: "stop",
  OPENED: "opened",
  CAUGHT_UP: "caught up",
  FELL_BEHIND: "fell behind",
  FELL_SILENT: "fell silent",
  HEARD_AGAIN: "heard again",
  LOST: "lost",
  REFUSED: "refused",
  DUE: "due",
});

/** TRANSITIONS[state][event]; what is not listed is refused. */
export const TRANSITIONS = Object.freeze({
  [State.IDLE]: { [Event.START]: State.CONNECTING },
  [State.CONNECTING]: {
    [Event.OPENED]: State.CATCHING_UP,
    [Event.LOST]: State.WAITING,
    [Event.REFUSED]: State.REFUSED,
    [Event.STOP]: State.IDLE,
  },
  [State.CATCHING_UP]: {
    [Event.CAUGHT_UP]: State.LIVE,
    [Event.FELL_SILENT]: State.STALE,
    [Event.LOST]: State.WAITING,
    [Event.REFUSED]: State.REFUSED,
    [Event.STOP]: State.IDLE,
  },
  [State.LIVE]: {
    [Event.FELL_BEHIND]: State.CATCHING_UP,
    [Event.FELL_SILENT]: State.STALE,
    [Event.LOST]: State.WAITING,
    [Event.REFUSED]: State.REFUSED,
    [Event.STOP]: State.IDLE,
  },
  [State.STALE]: {
    [Event.HEARD_AGAIN]: State.CATCHING_UP,
    [Event.LOST]: State.WAITING,
    [Event.REFUSED]: State.REFUSED,
    [Event.STOP]: State.IDLE,
  },
  [State.WAITING]: { [Event.DUE]: State.CONNECTING, [Event.STOP]: State.IDLE },
  [State.REFUSED]: { [Event.START]: State.CONNECTING, [Event.STOP]: State.IDLE },
});

/** The state after an event; throws for an event that the state does not know. */
export function after(state, event) {
  const next = TRANSITIONS[state]?.[event];
  if (next === undefined) throw new Error(`a connection that is ${state} cannot be told "${event}"`);
  return next;
}

/** Whether and when to come back after a close, equal to the gateway's own table; other codes come back by backoff. */
export const ADVICE = Object.freeze({
  1001: { comeBack: true, withinS: 2 },
  1012: { comeBack: true, withinS: 2 },
  1013: { comeBack: true, withinS: 5 },
  4001: { comeBack: true, withinS: 1 },
  4002: { comeBack: false, withinS: 0 },
  4003: { comeBack: false, withinS: 0 },
  4008: { comeBack: true, withinS: 0.5 },
});

export const SILENT_MS = 3_000;
export const DEAD_MS = 8_000;
export const STORE_OLD_S = 5;
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 30_000;

/** A connection that was live for this long starts its backoff anew. */
export const SETTLED_MS = 5_000;

/** Full jitter: anything up to a bound that doubles with each attempt and is never below what the close advises. */
export function backoffMs(attempt, random, withinMs = 0) {
  const bound = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 16));
  return random() * Math.max(bound, withinMs);
}

export class Connection {
  #random;
  #attempt = 0;
  #pingAt = 0;
  #heardAt = 0;
  #storeOld = false;
  #liveAt = null;
  #goodAt = 0;

  constructor(random = Math.random) {
    this.#random = random;
    this.state = State.IDLE;
    this.retryAt = null;
  }

  /** Somebody wants live data. Returns whether a socket must be opened now. */
  start(now) {
    if (!(Event.START in TRANSITIONS[this.state])) return false;
    this.#attempt = 0;
    this.#goodAt = now;
    this.#to(Event.START, now);
    return true;
  }

  /** Nobody wants live data any more. */
  stop(now) {
    if (this.state !== State.IDLE) this.#to(Event.STOP, now);
  }

  /** The server said welcome. */
  opened(now) {
    this.#to(Event.OPENED, now);
    this.pinged(0, now);
  }

  /** A ping came; the server's store was confirmed `storeS` ago. */
  pinged(storeS, now) {
    this.#pingAt = now;
    this.heard(now);
    this.#storeOld = storeS > STORE_OLD_S;
    if (!this.#storeOld) this.#goodAt = now;
    this.#judge(now);
  }

  /** Anything at all came. */
  heard(now) {
    this.#heardAt = now;
  }

  /** Whether the page's topics are behind what the server has. */
  told(behind, now) {
    if (behind && this.state === State.LIVE) this.#to(Event.FELL_BEHIND, now);
    if (!behind && this.state === State.CATCHING_UP) this.#to(Event.CAUGHT_UP, now);
  }

  /** The socket closed with this code. Nothing follows a close that was asked for by `stop`. */
  closed(code, now) {
    if (this.state === State.IDLE || this.state === State.WAITING || this.state === State.REFUSED) return;
    const advice = ADVICE[code] ?? { comeBack: true, withinS: 0 };
    if (!advice.comeBack) return this.#to(Event.REFUSED, now);
    if (this.#liveAt !== null && now - this.#liveAt >= SETTLED_MS) this.#attempt = 0;
    this.retryAt = now + backoffMs(this.#attempt, this.#random, advice.withinS * 1000);
    this.#attempt += 1;
    this.#to(Event.LOST, now);
  }

  /** The network came back: try at once. */
  hurry(now) {
    if (this.state === State.WAITING) this.retryAt = now;
  }

  /** What is due at this time: "open" or "close" a socket, or nothing (null). */
  tick(now) {
    if (this.state === State.WAITING && now >= this.retryAt) {
      this.#to(Event.DUE, now);
      return "open";
    }
    const waits = this.#isOpen || this.state === State.CONNECTING;
    if (waits && now - this.#heardAt >= DEAD_MS) return "close";
    this.#judge(now);
    return null;
  }

  /** What people see: {state: "live" | "catching-up" | "stale" | "offline", since, retryAt}. */
  shown(now) {
    const first = this.state === State.CONNECTING && now - this.#goodAt < SILENT_MS;
    const state = this.#isOpen ? this.state : first ? State.CATCHING_UP : "offline";
    return { state, since: this.#goodAt, retryAt: this.state === State.WAITING ? this.retryAt : null };
  }

  get #isOpen() {
    return [State.CATCHING_UP, State.LIVE, State.STALE].includes(this.state);
  }

  #judge(now) {
    if (!this.#isOpen) return;
    const bad = this.#storeOld || now - this.#pingAt >= SILENT_MS;
    if (bad && this.state !== State.STALE) this.#to(Event.FELL_SILENT, now);
    if (!bad && this.state === State.STALE) this.#to(Event.HEARD_AGAIN, now);
  }

  #to(event, now) {
    this.state = after(this.state, event);
    if (this.state === State.LIVE) this.#liveAt = now;
    else if (this.state !== State.CATCHING_UP && this.state !== State.STALE) this.#liveAt = null;
    if (this.state === State.CONNECTING) this.#heardAt = now;
    if (this.state !== State.WAITING) this.retryAt = null;
  }
}

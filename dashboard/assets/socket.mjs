// Owner of the one WebSocket of the tab: speaks the protocol, keeps the positions, and hands on records in order.

import { Connection } from "./connection.mjs";
import { Positions, Verdict } from "./position.mjs";

const TICK_MS = 250;
const RESUBSCRIBE_MS = 1_000;

/** Clocks closer than this are taken to agree, so that the way of a message is not mistaken for a difference. */
const SAME_CLOCK_MS = 2_000;

export class Socket {
  #url;
  #hear;
  #now;
  #socket = null;
  #epoch = null;
  #timer = null;
  #asked = new Map();
  #holes = new Set();
  #skewMs = 0;

  /** @param {{records, reload, tick}} hear what is told: each batch in order, a topic that needs a snapshot, each tick */
  constructor(url, hear, now = Date.now) {
    this.#url = url;
    this.#hear = hear;
    this.#now = now;
    this.connection = new Connection();
    this.positions = new Positions();
    this.counters = { frames: 0, dropped: 0, holes: 0 };
  }

  /** Now, by the server's clock. */
  serverNow() {
    return this.#now() + (Math.abs(this.#skewMs) < SAME_CLOCK_MS ? 0 : this.#skewMs);
  }

  /** Until when, by the server's clock, everything has come: `now`, or the last moment with a connection that was good. */
  knownAt(now) {
    const { state, since } = this.connection.shown(this.#now());
    return state === "live" || state === "catching-up" ? now : Math.min(now, since + now - this.#now());
  }

  /** Follow exactly these topics ({topic: {epoch, offset}}) from their positions; without any the socket is closed. */
  follow(wanted) {
    const { removed } = this.positions.follow(wanted);
    if (this.positions.size === 0) return this.#stop();
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
    if (this.connection.start(this.#now())) this.#open();
    else if (this.#epoch !== null) {
      if (removed.length > 0) this.#send({ type: "unsubscribe", topics: removed });
      this.#subscribe();
    }
  }

  /** The network is back. */
  hurry() {
    this.connection.hurry(this.#now());
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.connection.stop(this.#now());
    this.#drop(1000);
    this.#hear.tick(this.#now());
  }

  /** Do what is due by now. */
  tick() {
    const now = this.#now();
    const due = this.connection.tick(now);
    if (due === "open") this.#open();
    if (due === "close") {
      this.#drop(4000);
      this.connection.closed(4000, now);
    }
    if (this.#holes.size > 0) this.#fill(now);
    this.#hear.tick(now);
  }

  #open() {
    this.#drop(1000);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => socket === this.#socket && this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
  }

  /** Let go of the socket; whatever it still says is not heard. */
  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#epoch = null;
    socket?.close(code);
  }

  #closed(code) {
    this.#socket = null;
    this.#epoch = null;
    this.connection.closed(code, this.#now());
    this.#hear.tick(this.#now());
  }

  #take(message) {
    const now = this.#now();
    this.connection.heard(now);
    const take = MESSAGES[message.type];
    if (take === undefined) console.warn("wellstream: unknown message", message.type);
    else take.call(this, message, now);
    this.connection.told(this.positions.behind, now);
  }

  welcomed({ epoch, now: serverNow }, now) {
    this.#skewMs = serverNow - now;
    this.#epoch = epoch;
    this.connection.opened(now);
    this.#subscribe();
  }

  pinged({ n, now: serverNow, store_s: storeS, reply }, now) {
    this.#skewMs = serverNow - now;
    this.connection.pinged(storeS, now);
    if (reply) this.#send({ type: "pong", n });
  }

  took(message, now) {
    this.counters.frames += 1;
    const { verdict, batches } = this.positions.take(message);
    if (verdict === Verdict.DROP && message.batches.length > 0) this.counters.dropped += 1;
    if (verdict === Verdict.HOLE) this.#holes.add(message.topic);
    if (verdict === Verdict.APPLY) this.#holes.delete(message.topic);
    this.#fill(now);
    for (const batch of batches) this.#hear.records(message.topic, batch);
  }

  mustReload({ topic, reason, epoch }) {
    this.#epoch = epoch;
    if (this.positions.await(topic)) this.#hear.reload(topic, reason);
  }

  failed({ code, message, topic }) {
    console.warn("wellstream: the server says", code, message);
    if (topic !== undefined) this.positions.forget(topic);
  }

  #subscribe() {
    for (const topic of this.positions.strangersTo(this.#epoch)) this.#hear.reload(topic, "epoch");
    this.#holes.clear();
    this.#ask(this.positions.ask());
  }

  /** Ask again, from the kept position, for topics with a hole; once a second, for frames may be on their way. */
  #fill(now) {
    const where = this.positions.where();
    for (const topic of this.#holes) {
      if (!(topic in where)) this.#holes.delete(topic);
      else if (now - (this.#asked.get(topic) ?? -Infinity) >= RESUBSCRIBE_MS) {
        this.counters.holes += 1;
        this.#holes.delete(topic);
        this.#ask({ [topic]: where[topic] });
      }
    }
  }

  #ask(start) {
    const topics = Object.keys(start);
    if (topics.length === 0) return;
    this.#asked = new Map([...this.#asked].filter(([topic]) => this.positions.has(topic)));
    for (const topic of topics) this.#asked.set(topic, this.#now());
    this.#send({ type: "subscribe", topics, from: start });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

const MESSAGES = {
  welcome: Socket.prototype.welcomed,
  ping: Socket.prototype.pinged,
  records: Socket.prototype.took,
  reload: Socket.prototype.mustReload,
  error: Socket.prototype.failed,
};

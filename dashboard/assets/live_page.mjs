// Makes the page live: follows what the element "live-page" describes, joins the socket's records to it, paints.
// The description's form is what dashboard/parts.py `live` writes.

import { Charts } from "./charts.mjs";
import { rows } from "./position.mjs";
import { Reload } from "./reload.mjs";
import { clear, show } from "./sign.mjs";
import { Socket } from "./socket.mjs";
import { Board } from "./tiles.mjs";
import { Wells } from "./wells.mjs";

const PAINT_MS = 250;
const AGES_MS = 1_000;
const NOTHING_LIVE = Object.freeze({
  topics: {},
  zones: {},
  latest: [],
  charts: [],
  tiles: [],
  rows: [],
  ranking: null,
  fields: [],
  connection: "connection",
});

class LivePage {
  #known = null;
  #description = NOTHING_LIVE;
  #wells = new Wells();
  #board = new Board(NOTHING_LIVE, new Wells());
  #reload = new Reload();
  #asked = 0;
  #paintedAt = -Infinity;
  #timer = null;

  constructor() {
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
    this.socket = new Socket(url, {
      records: (topic, batch) => this.#take(topic, batch),
      reload: (topic, reason) => this.#reload.want(topic, reason),
      tick: (now) => this.#tick(now),
    });
    this.charts = new Charts(() => this.#request());
    this.records = 0;
  }

  start() {
    const body = new MutationObserver(() => this.#look());
    body.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-live"] });
    const theme = new MutationObserver(() => this.charts.recolour());
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    window.addEventListener("online", () => this.socket.hurry());
    document.addEventListener("visibilitychange", () => this.#shown());
    setInterval(() => this.#request(), AGES_MS);
    this.#look();
  }

  /** What tests and benchmarks read. */
  window() {
    const page = this;
    return {
      state: () => page.socket.connection.shown(Date.now()).state,
      positions: () => page.socket.positions.where(),
      points: (chart) => page.charts.points(chart, Date.now()),
      latest: () => page.#wells.all(),
      get counters() {
        return { ...page.socket.counters, records: page.records, reloads: page.#asked, draws: page.charts.draws };
      },
    };
  }

  /** Follow the page's description when it is another one than before. */
  #look() {
    const told = document.getElementById("live-page")?.dataset.live ?? null;
    if (told === this.#known) return;
    this.#known = told;
    this.#description = told === null ? NOTHING_LIVE : { ...NOTHING_LIVE, ...JSON.parse(told) };
    const { topics, zones, latest, charts } = this.#description;
    this.#reload.came();
    this.#wells = new Wells(latest);
    this.#board = new Board(this.#description, this.#wells);
    this.charts.register(charts, zones, Date.now());
    this.socket.follow(topics);
    this.#request();
  }

  /** The tab is shown again; its timers were slow while it was hidden. */
  #shown() {
    if (document.hidden) return;
    this.socket.tick();
    this.#request();
  }

  #take(topic, batch) {
    for (const record of rows(batch)) {
      if (this.#description.whole && this.#wells.get(record.well) === undefined) this.#reload.want(topic, "new well");
      const replaced = this.#wells.put(record);
      if (!this.charts.put(topic, record, replaced)) this.#reload.want(topic, "revised");
      this.records += 1;
    }
    this.#request();
  }

  #tick(now) {
    const due = this.#reload.due(now);
    if (due !== null) this.#askForSnapshot(due);
    const isLive = Object.keys(this.#description.topics).length > 0;
    const { connection } = this.#description;
    if (isLive) show(connection, this.socket.connection.shown(now), now);
    else clear(connection);
  }

  #askForSnapshot({ topic, reason }) {
    this.#asked += 1;
    const detail = { topic, reason, n: this.#asked };
    document.dispatchEvent(new CustomEvent("wellstream-reload", { bubbles: true, detail }));
  }

  /** Paint soon: at most four times a second, and in a hidden tab only once it is shown. */
  #request() {
    if (this.#timer !== null || document.hidden) return;
    const wait = Math.max(0, this.#paintedAt + PAINT_MS - performance.now());
    this.#timer = setTimeout(() => requestAnimationFrame(() => this.#paint()), wait);
  }

  async #paint() {
    this.#timer = null;
    this.#paintedAt = performance.now();
    const now = this.socket.serverNow();
    this.#board.refresh(now, this.socket.knownAt(now));
    await this.charts.draw(Date.now());
  }
}

const page = new LivePage();
window.wellstream = page.window();
page.start();

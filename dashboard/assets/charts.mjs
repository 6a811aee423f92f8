// Patches Plotly's graphs with the lines of the page: appends where that is all, whole lines otherwise, only where seen.

import { asked, following } from "./axes.mjs";
import { Lines } from "./lines.mjs";

/** A redrawn page shows its new figures within this time; until then the graph still holds the old page's. */
const OLD_FIGURE_MS = 1_500;
const MARGIN = "200px";

/** After a patch a chart rests this many times as long as the patch took: charts never take the whole of a tab's time. */
const REST = 10;
const REST_MAX_MS = 5_000;

export class Charts {
  #charts = new Map();
  #linked = new WeakSet();
  #observer = null;
  #request;

  /** @param {() => void} request asks for a call of `draw` */
  constructor(request) {
    this.#request = request;
    this.draws = 0;
  }

  /** Show the charts of a description and forget all others. */
  register(descriptions, zones, now) {
    this.#observer ??= new IntersectionObserver((entries) => this.#saw(entries), { rootMargin: MARGIN });
    const before = this.#charts;
    for (const { host } of before.values()) if (host !== null) this.#observer.unobserve(host);
    this.#charts = new Map(descriptions.map((one) => [one.id, new Chart(one, zones, before.get(one.id), now)]));
  }

  /** Take a record. Returns whether every chart could: false when one needs a snapshot to be right again. */
  put(topic, record, replaced) {
    const fed = [...this.#charts.values()].filter((chart) => chart.topic === topic && chart.lines.put(record, replaced));
    for (const chart of fed) chart.dirty = true;
    return !fed.some((chart) => chart.lines.incomplete);
  }

  /** Bring all visible charts up to date. Resolves when Plotly has drawn them. */
  async draw(now) {
    if (window.Plotly === undefined) return;
    await Promise.all([...this.#charts.values()].map((chart) => this.#drawn(chart, now)));
  }

  /** The page's theme changed: the charts take its colours. */
  recolour() {
    for (const chart of this.#charts.values()) chart.coloured = false;
    this.#request();
  }

  /** The points of each trace of a chart, without breaks; null for a chart that is not on the page. */
  points(id, now) {
    const chart = this.#charts.get(id);
    if (chart === undefined) return null;
    this.#watch(chart);
    const graph = chart.graph(now);
    if (graph !== null && graph.data !== chart.adopted) chart.adopt(graph);
    return chart.lines.points();
  }

  async #drawn(chart, now) {
    this.#watch(chart);
    const graph = chart.graph(now);
    if (graph === null || !chart.visible || chart.busy || graph._dragging) return;
    chart.busy = true;
    try {
      if (graph.data !== chart.adopted) chart.adopt(graph);
      this.#link(chart.id, graph);
      if (chart.dirty && now >= chart.restsUntil && (await patch(graph, chart, now))) this.draws += 1;
      if (!chart.coloured) await paint(graph, chart);
    } catch (error) {
      chart.whole = true; // whatever of it was drawn, the next patch draws all
      throw error;
    } finally {
      chart.busy = false;
    }
    if (chart.dirty) this.#request();
  }

  /** What a person does to the graph's time axis, the page's charts over the same time do, too. */
  #link(id, graph) {
    if (this.#linked.has(graph)) return;
    this.#linked.add(graph);
    graph.on("plotly_relayout", (change) => this.#follow(id, asked(change)));
  }

  #follow(id, wanted) {
    const span = this.#charts.get(id)?.span;
    if (wanted === null || span === undefined) return;
    for (const chart of this.#charts.values()) {
      const graph = chart.span === span && chart.id !== id ? chart.graph(Infinity) : null;
      const change = graph === null ? null : following(wanted, graph._fullLayout.xaxis);
      if (change !== null) window.Plotly.relayout(graph, change);
    }
  }

  #watch(chart) {
    const host = document.getElementById(chart.id);
    if (host === chart.host) return;
    if (chart.host !== null) this.#observer.unobserve(chart.host);
    chart.host = host;
    chart.visible = false;
    if (host !== null) this.#observer.observe(host);
  }

  #saw(entries) {
    for (const { target, isIntersecting } of entries) {
      const chart = this.#charts.get(target.id);
      if (chart !== undefined && chart.host === target) chart.visible = isIntersecting;
    }
    if (entries.some(({ isIntersecting }) => isIntersecting)) this.#request();
  }
}

/** One chart: its lines, and how far the drawing has got. */
class Chart {
  constructor(description, zones, before, now) {
    this.id = description.id;
    this.topic = description.topic;
    this.span = `${description.topic} ${description.resolution}`;
    this.lines = new Lines(description, zones);
    this.host = null;
    this.visible = false;
    this.busy = false;
    this.dirty = false;
    this.coloured = false;
    this.whole = false;
    this.restsUntil = -Infinity;
    this.adopted = null;
    this.old = before?.adopted ?? null;
    this.oldUntil = now + OLD_FIGURE_MS;
  }

  /** The graph to draw in; null while Dash has not made it or it still shows the old page's figure. */
  graph(now) {
    const graph = this.host?.querySelector(".js-plotly-plot") ?? null;
    if (graph === null || !Array.isArray(graph.data) || graph._fullLayout === undefined) return null;
    return graph.data === this.old && now < this.oldUntil ? null : graph;
  }

  /** Dash put another figure there: begin from its points, with those that came since on top. */
  adopt(graph) {
    this.lines.adopt((index) => ({ x: values(graph, index, "x"), y: values(graph, index, "y"), text: values(graph, index, "text") }));
    this.adopted = graph.data;
    this.dirty = true;
    this.coloured = false;
  }
}

async function patch(graph, chart, now) {
  const began = performance.now();
  chart.dirty = false;
  const patches = chart.lines.patches(chart.whole).filter(({ index }) => graph.data[index] !== undefined);
  if (patches.length === 0) return false;
  const isMarked = patches.some(({ text }) => text !== undefined);
  const isOpen = ({ x, text }) => Array.isArray(x) && (!isMarked || Array.isArray(text));
  const isAppend = ({ index, kind }) => kind === "append" && isOpen(graph.data[index]);
  const indices = patches.map(({ index }) => index);
  const drawing = patches.every(isAppend)
    ? window.Plotly.extendTraces(graph, both(patches), indices)
    : window.Plotly.restyle(graph, both(indices.map((index) => chart.lines.drawn(index))), indices);
  chart.restsUntil = now + Math.min(REST_MAX_MS, REST * (performance.now() - began));
  await drawing;
  chart.whole = false;
  return true;
}

async function paint(graph, chart) {
  chart.coloured = true;
  const style = getComputedStyle(document.documentElement);
  const [text, grid, background] = ["--chart-text", "--chart-grid", "--chart-bg"].map((name) =>
    style.getPropertyValue(name).trim(),
  );
  const size = Math.round(parseFloat(style.fontSize) * 0.86);
  const colours = { "font.color": text, "font.size": size, paper_bgcolor: background, plot_bgcolor: background };
  for (const axis of Object.keys(graph._fullLayout).filter((name) => /^[xy]axis\d*$/.test(name))) {
    colours[`${axis}.gridcolor`] = grid;
    colours[`${axis}.zerolinecolor`] = grid;
  }
  await window.Plotly.relayout(graph, colours);
}

function both(lines) {
  const given = { x: lines.map(({ x }) => x), y: lines.map(({ y }) => y) };
  if (lines.some(({ text }) => text !== undefined)) given.text = lines.map(({ text }) => text ?? []);
  return given;
}

/** A trace's array as it is, or, when the figure packed it, as Plotly unpacked it. */
function values(graph, index, name) {
  const own = graph.data[index]?.[name];
  if (Array.isArray(own) || ArrayBuffer.isView(own)) return own;
  const unpacked = graph._fullData?.find((trace) => trace.index === index)?.[name];
  return unpacked ?? [];
}

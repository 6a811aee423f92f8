// What tiles, table rows and field headers say: value, age, note and state, from the newest records. Pure.
// `known` is until when the page has heard of everything: now, or, without a connection, the last moment with one.
// Then numbers stay what they were at that moment, and nothing counts as fresh.

import { doubts, issueText } from "./issues.mjs";
import { localDate } from "./local_time.mjs";
import { NOTHING, age, number, span, staleNote, DATED_S } from "./words.mjs";
import { GAS_PER_OE, ageS, endMs, hasRecord, isFresh, rate, sum, together, waterCut } from "./wells.mjs";

const ARRIVED_MS = 10_000;

/** Each kind of tile: the columns that it is made of, and its value from records (null: nothing measured). */
const KINDS = {
  rate: { value: (records, { column }) => sum(records, (one) => rate(one, column)) },
  value: { value: (records, { column }) => sum(records.slice(0, 1), (one) => one[column]) },
  water_cut: { columns: ["oil_sm3", "water_sm3"], value: (records) => waterCut(daily(records, "oil_sm3"), daily(records, "water_sm3")) },
  gor: { columns: ["oil_sm3", "gas_sm3"], value: (records) => ratio(daily(records, "gas_sm3"), daily(records, "oil_sm3")) },
  boe: { columns: ["oil_sm3", "gas_sm3"], some: true, value: (records) => sum(records, equivalent) },
  uptime: { columns: ["on_stream_s"], value: (records) => percent(sum(records, (one) => one.on_stream_s), sum(records, (one) => one.seconds)) },
};

/** What a tile says at `now`: {state: "live" | "stale" | "bad" | "none", value, age, note}. */
export function tile(description, wells, zones, now, known = now) {
  const chosen = wells.chosen(description);
  if (description.kind === "on_stream") return onStream(chosen, zones, now, known);
  if (description.kind === "reporting") return reporting(chosen, zones, now, known);
  const kind = KINDS[description.kind];
  if (kind === undefined) throw new Error(`no tile is of kind ${description.kind}`);
  const columns = kind.columns ?? [description.column];
  const measures = (one) => columns[kind.some ? "some" : "every"]((column) => typeof one[column] === "number");
  const { counted, left, fresh } = together(chosen.filter(measures), known);
  if (counted.length === 0) return nothing(chosen, now);
  const value = number(kind.value(counted, description), description.digits ?? 0);
  const doubt = doubted(counted, columns, chosen.length > 1);
  const share = chosen.length > 1 ? shareOf(counted.length, counted.length + left.length) : "";
  return said({ value, counted, fresh: fresh && known === now, doubt, share, zones, now });
}

/** What a table row says of one well: {state, ...text of each part}. */
export function row(well, zones, now, known = now) {
  if (well === undefined || !hasRecord(well)) return { ...EMPTY_ROW };
  const fresh = known === now && isFresh(well, now);
  const suspect = well.verdict === "suspect";
  return {
    state: !fresh ? "stale" : suspect ? "bad" : "live",
    oil: number(rate(well, "oil_sm3")),
    gas: number(rate(well, "gas_sm3")),
    water: number(rate(well, "water_sm3")),
    water_cut: number(waterCut(rate(well, "oil_sm3"), rate(well, "water_sm3")), 1),
    whp: number(well.wellhead_pressure_bar, 1),
    choke: number(well.choke_pct, 1),
    age: ageS(well, now) < DATED_S ? span(ageS(well, now)) : localDate(zones[well.field] ?? "UTC", well.start),
    verdict: suspect ? `⚠ ${issueText(well.issues?.[0] ?? "suspect")}` : well.verdict ?? NOTHING,
    status: fresh ? flowing(well) : staleNote(ageS(well, now)),
  };
}

/** What a field's header says of its newest measurement: {state, text}. */
export function header(records, zone, now, known = now) {
  const told = records.filter(hasRecord);
  if (told.length === 0) return { state: "none", text: "no records yet" };
  const newest = told.reduce((best, one) => (endMs(one) > endMs(best) ? one : best));
  const old = ageS(newest, now);
  const replayed = told.filter((one) => one.source?.startsWith("replay") && now - one.at <= ARRIVED_MS);
  const fresh = known === now && isFresh(newest, now);
  if (fresh && newest.resolution === "live") return { state: "live", text: `live, ${span(old)} ago` };
  if (replayed.length > 0 && known === now) {
    return { state: "live", text: `replay, field time ${localDate(zone, Math.max(...replayed.map((one) => one.start)))}` };
  }
  const text = old >= DATED_S ? `measured ${localDate(zone, newest.start)} (${span(old)} ago)` : `measured ${span(old)} ago`;
  return { state: fresh ? "live" : "stale", text };
}

const EMPTY_ROW = Object.freeze({
  state: "none",
  ...Object.fromEntries(["oil", "gas", "water", "water_cut", "whp", "choke", "age", "verdict"].map((part) => [part, NOTHING])),
  status: "no records yet",
});

function onStream(chosen, zones, now, known) {
  const { counted, left, fresh } = together(chosen.filter((one) => typeof one.on_stream_s === "number"), known);
  if (counted.length === 0) return nothing(chosen, now);
  const value = `${counted.filter((one) => one.on_stream_s > 0).length} of ${counted.length}`;
  const share = left.length > 0 ? `${left.length} not reporting` : "";
  return said({ value, counted, fresh: fresh && known === now, doubt: null, share, zones, now });
}

function reporting(chosen, zones, now, known) {
  const fresh = chosen.filter((one) => isFresh(one, known));
  const value = `${fresh.length} of ${chosen.length}`;
  if (fresh.length > 0) return said({ value, counted: fresh, fresh: known === now, doubt: null, share: "", zones, now });
  const last = together(chosen, known).counted;
  if (last.length === 0) return { ...nothing(chosen, now), value };
  return said({ value, counted: last, fresh: false, doubt: null, share: "", zones, now });
}

function said({ value, counted, fresh, doubt, share, zones, now }) {
  const oldest = counted.reduce((worst, one) => (endMs(one) < endMs(worst) ? one : worst));
  const old = ageS(oldest, now);
  const newestOld = Math.min(...counted.map((one) => ageS(one, now)));
  const words = [fresh ? doubt : staleNote(newestOld), share].filter((part) => part);
  return {
    state: !fresh ? "stale" : doubt === null ? "live" : "bad",
    value,
    age: age(old, oldest.start, zones[oldest.field] ?? "UTC"),
    note: words.join(" · "),
  };
}

/** A tile without a measured value: its wells report but not this quantity, or nothing of them is known. */
function nothing(chosen, now) {
  const known = chosen.filter(hasRecord);
  const note = known.length === 0 ? "no records yet" : "not measured";
  return { state: "none", value: NOTHING, age: "", note: known.some((one) => isFresh(one, now)) || known.length === 0 ? note : "no data" };
}

/** The first issue that is about these columns, as "⚠ jump, oil", with its well's name where there are several. */
function doubted(records, columns, named) {
  for (const record of records) {
    const [issue] = doubts(record, columns);
    if (issue !== undefined) return `⚠ ${named ? `${record.name}: ` : ""}${issueText(issue)}`;
  }
  return null;
}

function shareOf(counted, all) {
  return `${counted} of ${all} ${all === 1 ? "well" : "wells"}`;
}

function flowing(well) {
  if (typeof well.on_stream_s !== "number") return NOTHING;
  if (well.on_stream_s <= 0) return "shut in";
  if (well.purpose !== "injector") return "on stream";
  const injected = rate(well, "injected_water_sm3");
  return injected === null ? "injecting" : `injecting ${number(injected)} Sm³/d`;
}

function daily(records, column) {
  return sum(records, (one) => rate(one, column));
}

function equivalent(record) {
  return (rate(record, "oil_sm3") ?? 0) + (rate(record, "gas_sm3") ?? 0) / GAS_PER_OE;
}

function ratio(above, below) {
  return above === null || below === null || below <= 0 ? null : above / below;
}

function percent(part, whole) {
  const share = ratio(part, whole);
  return share === null ? null : 100 * share;
}

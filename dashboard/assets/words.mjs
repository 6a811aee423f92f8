// Numbers and ages as text. Pure.

import { localDate } from "./local_time.mjs";

export const NOTHING = "–";
const GROUP = "\u202f";
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const YEAR_S = 365.25 * DAY_S;

/** From this age on a record is shown with its date. */
export const DATED_S = 2 * DAY_S;

/** A number with a fixed count of decimals and narrow spaces between thousands; what is no number is "–". */
export function number(value, digits = 0) {
  if (typeof value !== "number" || !Number.isFinite(value)) return NOTHING;
  const [whole, decimals] = Math.abs(value).toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, GROUP);
  const text = decimals === undefined ? grouped : `${grouped}.${decimals}`;
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** A length of time in its largest unit: "3 s", "7 min", "2 h", "3 d", "9 y". */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < MINUTE_S) return `${s} s`;
  if (s < HOUR_S) return `${Math.floor(s / MINUTE_S)} min`;
  if (s < 2 * DAY_S) return `${Math.floor(s / HOUR_S)} h`;
  if (s < 2 * YEAR_S) return `${Math.floor(s / DAY_S)} d`;
  return `${Math.floor(s / YEAR_S)} y`;
}

/** The age of a record that ended `ageS` ago; an old one shows the field's date of its start instead. */
export function age(ageS, startMs, zone) {
  return ageS >= DATED_S ? `measured ${localDate(zone, startMs)}` : span(ageS);
}

/** Why a number is not live. */
export function staleNote(ageS) {
  return ageS < MINUTE_S ? `stale ${span(ageS)}` : `no data ${span(ageS)}`;
}

/** How a place changed, as in "▲2"; nothing for no change. */
export function move(places) {
  if (places === 0) return "";
  return places > 0 ? `▲${places}` : `▼${-places}`;
}

/** The time of day of an instant in the reader's own zone: "14:03:12". */
export function clockTime(ms) {
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

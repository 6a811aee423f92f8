// Issue codes of records: which column one is about, and how people read it. Pure.

/** The same pattern as in dashboard/figures/series.py: a code ends with the column that its rule looked at. */
const COLUMN = /-([a-z]+(?:_[a-z0-9]+)+)$/;
const UNIT = /_(?:sm3_per_d|sm3|bar|degc|pct|s)$/;

/** Whether an issue is about one of these columns; one that names no column is about all. */
export function touches(issue, columns) {
  const column = COLUMN.exec(issue)?.[1];
  return column === undefined || columns.includes(column);
}

/** The issues of a suspect record that are about these columns; ["suspect"] when it names none at all. */
export function doubts(record, columns) {
  if (record.verdict !== "suspect") return [];
  const issues = record.issues ?? [];
  return issues.length === 0 ? ["suspect"] : issues.filter((issue) => touches(issue, columns));
}

/** An issue as people read it: "no_reading-choke_pct" is "no reading, choke". */
export function issueText(issue) {
  const column = COLUMN.exec(issue)?.[1];
  const rule = column === undefined ? issue : issue.slice(0, -column.length - 1);
  const words = [rule, column?.replace(UNIT, "")].filter((part) => part !== undefined);
  return words.join(", ").replaceAll("_", " ").replaceAll("-", " ");
}

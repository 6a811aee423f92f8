"""Rules tried on a whole source: what they would say, and what they would change. Pure; nothing is stored."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from ingest.parse import Source, pieces, plain
from ingest.recent import Recent, earliest
from ingest.rules.rule import Known, RuleSet
from ingest.verify import Past, Verified, verified
from storage.domain.record import Verdict
from storage.domain.refused import Reason

EXAMPLES: Final = 3
"""So many rows are told of each rule, and of each change of verdict."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a row broke, as a person reads it."""

    index: int
    place: str
    verdict: str
    reason: Reason

    @property
    def code(self) -> str:
        """Rule and column."""
        return f"{self.reason.rule}-{self.reason.field}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules said of a source: the verdict of every row by its index, and every finding in order of index."""

    verdicts: dict[int, str]
    places: dict[int, str]
    findings: list[Finding]


def known_of(source: Source) -> Known:
    """The fields and wells that a source itself speaks of."""
    return Known(
        {one.id: one for one in source.fields},
        frozenset(well.id for well in source.wells),
        {well.id: well.purpose for well in source.wells},
    )


def tried(source: Source, rules: RuleSet, now: datetime) -> Trial:
    """What the rules say of a source, as if it were loaded in pieces into an empty database."""
    known, past, trial = known_of(source), _Loaded(rules), Trial({}, {}, [])
    for batch in pieces(source.batch):
        judged = verified(batch, known, now, rules, past.before(batch.candidates))
        past.add(judged.records)
        _note(trial, batch.candidates, judged, rules)
    return Trial(trial.verdicts, trial.places, sorted(trial.findings, key=lambda finding: finding.index))


class _Loaded:
    """What a database would hold of the batches before."""

    def __init__(self, rules: RuleSet) -> None:
        self._recent = Recent(rules.past_columns, rules.depth)
        self._records: list[pl.DataFrame] = []

    def before(self, candidates: pl.DataFrame) -> Past:
        """The past of a batch: groups whose rows are not later than all that is there are put together anew."""
        starts = earliest(candidates)
        asked = [group for group, start in starts.items() if start <= self._recent.newest_us(group)]
        asked += [group for group in starts if group not in self._recent]
        self._recent.begin(asked)
        if asked and self._records:
            firsts = pl.DataFrame(
                [(*group, starts[group]) for group in asked],
                schema={"well": pl.String(), "resolution": pl.String(), "first": pl.Int64()},
                orient="row",
            )
            earlier = pl.concat(self._records).join(firsts, on=["well", "resolution"])
            self._recent.append(earlier.filter(pl.col("start").to_physical() < pl.col("first")))
        return Past(self._recent)

    def add(self, records: pl.DataFrame) -> None:
        """Keep what was judged; a group is put together anew when rows of it come again."""
        self._records.append(records)
        self._recent.forget(self._recent.groups())


def _note(trial: Trial, candidates: pl.DataFrame, judged: Verified, rules: RuleSet) -> None:
    """Note the verdict of every row of a batch, and why."""
    for row in judged.refused:
        trial.verdicts[row.index] = str(Verdict.QUARANTINED)
        trial.places[row.index] = row.place
        trial.findings.extend(Finding(row.index, row.place, Verdict.QUARANTINED, reason) for reason in row.reasons)
    told = judged.records.select("index", "place", "verdict", "issues")
    trial.verdicts.update(zip(told["index"].to_list(), told["verdict"].to_list(), strict=True))
    trial.places.update(zip(told["index"].to_list(), told["place"].to_list(), strict=True))
    doubted = told.filter(pl.col("issues").list.len() > 0).join(candidates.drop(*told.columns[1:]), on="index")
    for values in doubted.iter_rows(named=True):
        trial.findings.extend(_findings(values, rules))


def _findings(values: dict[str, Any], rules: RuleSet) -> Iterator[Finding]:
    for rule in (rules.by_code[code] for code in values["issues"] if code in rules.by_code):
        reason = Reason(rule.name, rule.column, plain(values[rule.column]), rule.told(values))
        yield Finding(values["index"], values["place"], Verdict.SUSPECT, reason)


def report(source: Source, rules: RuleSet, trial: Trial) -> dict[str, Any]:
    """Counts by verdict and rule, and the first examples of each rule, for machines and for people."""
    rows = Counter(finding.code for finding in trial.findings)
    examples: dict[str, list[dict[str, Any]]] = {}
    for finding in trial.findings:
        told = examples.setdefault(finding.code, [])
        if len(told) < EXAMPLES:
            told.append(_example(finding))
    return {
        "source": source.batch.source,
        "rows": source.batch.rows,
        "rules": {"version": rules.version, "digest": rules.digest},
        "verdicts": _counted(trial),
        "by_rule": [
            {"rule": found[0]["rule"], "field": found[0]["field"], "verdict": found[0]["verdict"], "rows": rows[code],
             "examples": found}
            for code, found in sorted(examples.items(), key=lambda item: (-rows[item[0]], item[0]))
        ],
    }  # fmt: skip


def compared(before: Trial, after: Trial) -> dict[str, Any]:
    """What other rules would change: verdicts from which to which, rules that are broken more or less often, and the
    first examples of each change."""
    changes: dict[str, list[dict[str, Any]]] = {}
    counts: Counter[str] = Counter()
    why = {finding.index: finding for finding in reversed([*before.findings, *after.findings])}
    for index, verdict in sorted(after.verdicts.items()):
        was = before.verdicts.get(index, "")
        if was == verdict:
            continue
        change = f"{was} -> {verdict}"
        counts[change] += 1
        if counts[change] <= EXAMPLES:
            changes.setdefault(change, []).append(_example(why[index]))
    old, new = (Counter(finding.code for finding in trial.findings) for trial in (before, after))
    return {
        "verdicts": _counted(before),
        "changed": counts.total(),
        "changes": [
            {"change": change, "rows": rows, "examples": changes[change]} for change, rows in counts.most_common()
        ],
        "by_rule": [
            {"rule": code, "before": old[code], "after": new[code]}
            for code in sorted(old.keys() | new.keys())
            if old[code] != new[code]
        ],
    }


def _counted(trial: Trial) -> dict[str, int]:
    counts = Counter(trial.verdicts.values())
    return {str(verdict): counts[str(verdict)] for verdict in Verdict}


def _example(finding: Finding) -> dict[str, Any]:
    return {"index": finding.index, "place": finding.place, "verdict": str(finding.verdict), **asdict(finding.reason)}

"""The statements that bring a field's rollups from one position of its log to another, made from the quantities."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import TextClause, text

from storage.domain.record import QUANTITIES, Kind, Quantity
from storage.domain.rollup import EXTREMES, PATIENCE, STATES, VOLUMES, Grain

_SUMMED: Final = (
    "records",
    "suspects",
    "measured_s",
    "quality_sum",
    *(f"{quantity.column}_sum" for quantity in QUANTITIES),
    *(f"{quantity.column}_s" for quantity in QUANTITIES),
)
_LOWS: Final = tuple(f"{name}_low" for name in EXTREMES)
_HIGHS: Final = tuple(f"{name}_high" for name in EXTREMES)
VALUES: Final = ("basis", *_SUMMED, *_LOWS, *_HIGHS, "log_offset")
"""The columns of a rollup besides its key and its coverage."""

_DAY_S: Final = 86_400
_COUNTS: Final = "records.verdict <> 'withdrawn'"
_OIL_EQUIVALENT: Final = "coalesce(oil_sm3_sum, 0) + coalesce(condensate_sm3_sum, 0) + coalesce(gas_sm3_sum, 0) / 1000"


def _listed(names: Iterable[str], form: str = "{}") -> str:
    return ", ".join(form.format(name) for name in names)


def _amount(quantity: Quantity) -> str:
    """What of a record is added up."""
    name = f"records.{quantity.column}"
    return f"{name} * records.seconds" if quantity.kind is Kind.STATE else name


def _level(name: str) -> str:
    """What of a record is compared: of a volume its rate per day, of a state the state."""
    return f"records.{name} * {_DAY_S} / records.seconds" if name in VOLUMES else f"records.{name}"


_OF_RECORDS: Final = ", ".join(
    (
        "'live' AS basis",
        "count(*)::int AS records",
        "(count(*) FILTER (WHERE records.verdict = 'suspect'))::int AS suspects",
        "sum(records.seconds)::float8 AS measured_s",
        "sum(records.quality * records.seconds) AS quality_sum",
        *(f"sum({_amount(one)}) AS {one.column}_sum" for one in QUANTITIES),
        *(
            f"(sum(records.seconds) FILTER (WHERE records.{one.column} IS NOT NULL))::float8 AS {one.column}_s"
            for one in QUANTITIES
        ),
        *(f"min({_level(name)}) AS {name}_low" for name in EXTREMES),
        *(f"max({_level(name)}) AS {name}_high" for name in EXTREMES),
        "max(records.log_offset) AS log_offset",
    )
)
"""Of many records together."""

_OF_ONE_RECORD: Final = ", ".join(
    (
        "records.resolution AS basis",
        "1 AS records",
        "(records.verdict = 'suspect')::int AS suspects",
        "records.seconds::float8 AS measured_s",
        "records.quality * records.seconds AS quality_sum",
        *(f"{_amount(one)} AS {one.column}_sum" for one in QUANTITIES),
        *(
            f"CASE WHEN records.{one.column} IS NOT NULL THEN records.seconds::float8 END AS {one.column}_s"
            for one in QUANTITIES
        ),
        *(f"{_level(name)} AS {name}_low" for name in EXTREMES),
        *(f"{_level(name)} AS {name}_high" for name in EXTREMES),
        "records.log_offset AS log_offset",
    )
)

_OF_ROLLUPS: Final = ", ".join(
    (
        "CASE WHEN min(basis) = max(basis) THEN min(basis) ELSE 'mixed' END AS basis",
        *(f"sum({name}) AS {name}" for name in _SUMMED),
        *(f"min({name}) AS {name}" for name in _LOWS),
        *(f"max({name}) AS {name}" for name in _HIGHS),
        "max(log_offset) AS log_offset",
    )
)
"""Of finer rollups of one well, or of those of several wells, together."""


def _chosen() -> str:
    """A bucket from the record that covers it whole (``whole``) and the sums of finer ones (``finer``).

    What is produced comes from the whole record where there is one, even where it holds null; states from it where it
    has them. Extremes come from the finer ones where there are any.
    """
    flows = [f"{one.column}_{part}" for part in ("sum", "s") for one in QUANTITIES if one.kind is not Kind.STATE]
    produced = ("basis", "records", "suspects", "measured_s", "quality_sum", *flows)
    picked = {name: f"CASE WHEN whole.records IS NULL THEN finer.{name} ELSE whole.{name} END" for name in produced}
    picked |= {
        f"{name}_{part}": f"coalesce(whole.{name}_{part}, finer.{name}_{part})"
        for part in ("sum", "s")
        for name in STATES
    }
    picked |= {name: f"coalesce(finer.{name}, whole.{name})" for name in (*_LOWS, *_HIGHS)}
    picked["log_offset"] = "greatest(whole.log_offset, finer.log_offset)"
    return ", ".join(picked[name] for name in VALUES)


def _replaced(table: str, keys: Iterable[str], names: Iterable[str] = VALUES) -> str:
    """What an upsert does with a bucket that is there: takes the new one."""
    return f"ON CONFLICT (field_id, well_id, {_listed(keys)}) DO UPDATE SET " + ", ".join(
        f"{name} = excluded.{name}" for name in names
    )


# What changed since the position: series and buckets, kept for the transaction.

MAKE_TOUCHED: Final = tuple(
    text(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS")
    for name, columns in {
        "touched_records": "well_id int, resolution text, day date, hour smallint, since timestamptz,"
        " until timestamptz, revised boolean",
        "touched_days": "well_id int, day date, since timestamptz, until timestamptz",
        "touched_months": "well_id int, month date, since timestamptz, until timestamptz",
    }.items()
)

TOUCH: Final = (
    text(
        "INSERT INTO touched_records SELECT well_id, resolution, day, hour, min(start), max(start),"
        " bool_or(revision > 0 OR verdict = 'withdrawn')"
        " FROM records WHERE field_id = :key AND log_offset > :after GROUP BY well_id, resolution, day, hour"
    ),
    text(
        "INSERT INTO touched_days SELECT well_id, day, min(since), max(until)"
        " FROM touched_records WHERE resolution <> 'monthly' GROUP BY well_id, day"
    ),
    text(
        "INSERT INTO touched_months SELECT well_id, date_trunc('month', day)::date, min(since), max(until)"
        " FROM touched_records GROUP BY 1, 2"
    ),
    text("ANALYZE touched_records, touched_days, touched_months"),
)

# Hours of wells: what is new is added, what a revision touched is summed again.

_HOUR: Final = "field_id, well_id, day, hour"

_NEW: Final = "(SELECT * FROM records WHERE field_id = :key AND log_offset > :after OFFSET 0) AS records"
"""The records since the position, found by nothing else, whatever PostgreSQL believes of the other conditions."""

_ADD_NEW_HOURS: Final = text(
    f"INSERT INTO hour_rollups AS kept ({_HOUR}, {_listed(VALUES)})"
    f" SELECT records.field_id, records.well_id, records.day, records.hour, {_OF_RECORDS} FROM {_NEW}"
    f" WHERE resolution = 'live' AND revision = 0 AND {_COUNTS}"
    " AND (records.well_id, records.day, records.hour) NOT IN (SELECT touched.well_id, touched.day, touched.hour"
    "  FROM touched_records AS touched WHERE touched.revised AND touched.resolution = 'live')"
    " GROUP BY 1, 2, 3, 4"
    f" ON CONFLICT ({_HOUR}) DO UPDATE SET "
    + ", ".join(
        (
            *(f"{name} = coalesce(kept.{name} + excluded.{name}, kept.{name}, excluded.{name})" for name in _SUMMED),
            *(f"{name} = least(kept.{name}, excluded.{name})" for name in _LOWS),
            *(f"{name} = greatest(kept.{name}, excluded.{name})" for name in _HIGHS),
            "log_offset = greatest(kept.log_offset, excluded.log_offset)",
        )
    )
)

_DROP_REVISED_HOURS: Final = text(
    "DELETE FROM hour_rollups AS kept USING touched_records AS touched WHERE touched.revised"
    " AND touched.resolution = 'live' AND kept.field_id = :key AND kept.well_id = touched.well_id"
    " AND kept.day = touched.day AND kept.hour = touched.hour"
)

_SUM_REVISED_HOURS: Final = text(
    f"INSERT INTO hour_rollups ({_HOUR}, {_listed(VALUES)})"
    f" SELECT records.field_id, records.well_id, records.day, records.hour, {_OF_RECORDS}"
    " FROM touched_records AS touched JOIN records ON records.field_id = :key AND records.well_id = touched.well_id"
    " AND records.resolution = 'live' AND records.start > touched.since - interval '1 hour'"
    " AND records.start < touched.until + interval '1 hour'"
    " AND records.day = touched.day AND records.hour = touched.hour"
    f" WHERE touched.revised AND touched.resolution = 'live' AND {_COUNTS} GROUP BY 1, 2, 3, 4"
)


# Days and months of wells: chosen anew from the whole record and the finer rollups.


@dataclass(frozen=True, slots=True)
class _Choice:
    """How the buckets of one grain are made: from a whole record near what was touched, or from what is finer.

    ``of_day`` and ``of_finer`` say which bucket a record's production day and a finer rollup belong to.
    """

    table: str
    bucket: str
    touched: str
    resolution: str
    reach: str
    of_day: str
    finer: str
    of_finer: str


_DAYS: Final = _Choice(
    "day_rollups", "day", "touched_days", "daily", "49 hours", "records.day", "hour_rollups", "finer.day = touched.day"
)
_MONTHS: Final = _Choice(
    "month_rollups",
    "month",
    "touched_months",
    "monthly",
    "33 days",
    "date_trunc('month', records.day)::date",
    "day_rollups",
    "finer.day >= touched.month AND finer.day < touched.month + interval '1 month'",
)


def _choose(of: _Choice) -> TextClause:
    """Buckets of wells that were touched; those of which nothing is left are taken away."""
    key = f"touched.well_id, touched.{of.bucket}"
    return text(
        f"WITH finer AS (SELECT {key}, {_OF_ROLLUPS} FROM {of.touched} AS touched JOIN {of.finer} AS finer"
        f"  ON finer.field_id = :key AND finer.well_id = touched.well_id AND {of.of_finer} GROUP BY 1, 2),"
        f" whole AS (SELECT DISTINCT ON ({key}) {key}, {_OF_ONE_RECORD} FROM {of.touched} AS touched"
        "  JOIN records ON records.field_id = :key AND records.well_id = touched.well_id"
        f"  AND records.resolution = '{of.resolution}' AND records.start > touched.since - interval '{of.reach}'"
        f"  AND records.start < touched.until + interval '{of.reach}'"
        f"  AND {of.of_day} = touched.{of.bucket} AND {_COUNTS}"
        f"  ORDER BY {key}, records.log_offset DESC, records.start, records.seconds),"
        f" put AS (INSERT INTO {of.table} (field_id, well_id, {of.bucket}, {_listed(VALUES)})"
        f"  SELECT :key, {key}, {_chosen()} FROM {of.touched} AS touched"
        f"  LEFT JOIN finer USING (well_id, {of.bucket}) LEFT JOIN whole USING (well_id, {of.bucket})"
        f"  WHERE whole.records IS NOT NULL OR finer.records IS NOT NULL ORDER BY {of.bucket}, well_id"
        f"  {_replaced(of.table, (of.bucket,))} RETURNING well_id, {of.bucket})"
        f" DELETE FROM {of.table} AS kept USING {of.touched} AS touched WHERE kept.field_id = :key"
        f" AND kept.well_id = touched.well_id AND kept.{of.bucket} = touched.{of.bucket} AND NOT EXISTS"
        f" (SELECT FROM put WHERE put.well_id = kept.well_id AND put.{of.bucket} = kept.{of.bucket})"
    )


# The field itself: sums over its wells, and who is missing.


@dataclass(frozen=True, slots=True)
class _Sum:
    """How the buckets of one grain are summed over wells.

    ``ordinal`` counts buckets; a well that reported in one is expected in the ``patience - 1`` after it, too, which
    lie within ``span`` of it. The first of the ``buckets`` is the date by which the table is searched.
    """

    table: str
    buckets: tuple[str, ...]
    touched: str
    ordinal: str
    patience: int
    span: str


_FIELD_HOURS: Final = _Sum(
    "hour_rollups",
    ("day", "hour"),
    "SELECT DISTINCT day, hour FROM touched_records WHERE resolution = 'live'",
    "(({0}.day - date '1970-01-01') * 24 + least({0}.hour, 23))",
    PATIENCE[Grain.HOUR],
    "1 day",
)
_FIELD_DAYS: Final = _Sum(
    "day_rollups",
    ("day",),
    "SELECT DISTINCT day FROM touched_days",
    "({0}.day - date '1970-01-01')",
    PATIENCE[Grain.DAY],
    "7 days",
)
_FIELD_MONTHS: Final = _Sum(
    "month_rollups",
    ("month",),
    "SELECT DISTINCT month FROM touched_months",
    "(extract(year FROM {0}.month) * 12 + extract(month FROM {0}.month))::int",
    PATIENCE[Grain.MONTH],
    "3 months",
)


def _sum_field(of: _Sum) -> TextClause:
    """The field's buckets that were touched, and those after them in which a well is missing or not any more.

    Only stretches around what was touched are read: ``islands``. ``seen`` are the wells' buckets there with their oil
    equivalent and the next bucket of the same well; ``missing`` what lies between.
    """
    first, keys = of.buckets[0], _listed(of.buckets)
    of_seen, of_touched, of_wells = (of.ordinal.format(name) for name in ("kept", "touched", "wells"))
    same = " AND ".join(f"put.{name} = kept.{name}" for name in of.buckets)
    was_touched = " AND ".join(f"touched.{name} = kept.{name}" for name in of.buckets)
    expected = "(count(*) + coalesce(missing.wells, 0))"
    oil_equivalent = f"sum({_OIL_EQUIVALENT})"
    return text(
        f"WITH touched AS MATERIALIZED ({of.touched}),"
        f" islands AS MATERIALIZED (SELECT island, min({first}) - interval '{of.span}' AS low,"
        f"  max({first}) + interval '{of.span}' AS high FROM (SELECT {first}, count(*) FILTER (WHERE apart)"
        f"   OVER (ORDER BY {first}) AS island FROM (SELECT {first}, {first} > lag({first}) OVER (ORDER BY {first})"
        f"    + interval '{of.span}' + interval '{of.span}' AS apart FROM touched) AS stretches) AS numbered"
        "  GROUP BY island),"
        f" affected AS MATERIALIZED (SELECT DISTINCT {of_touched} + ahead AS ordinal"
        f"  FROM touched, generate_series(0, {of.patience - 1}) AS ahead),"
        f" seen AS MATERIALIZED (SELECT {of_seen} AS ordinal, {_OIL_EQUIVALENT} AS oil_equivalent,"
        f"  lead({of_seen}) OVER (PARTITION BY island, well_id ORDER BY {of_seen}) AS next"
        f"  FROM islands JOIN {of.table} AS kept ON kept.field_id = :key AND kept.well_id <> 0"
        f"  AND kept.{first} BETWEEN islands.low AND islands.high),"
        " missing AS MATERIALIZED (SELECT ordinal + ahead AS ordinal, count(*) AS wells,"
        "  sum(oil_equivalent) AS oil_equivalent FROM seen, LATERAL generate_series(1,"
        f"  least(coalesce(next - ordinal, {of.patience}), {of.patience}) - 1) AS ahead GROUP BY 1),"
        f" put AS (INSERT INTO {of.table} (field_id, well_id, {keys}, {_listed(VALUES)},"
        "  wells, wells_expected, potential_share)"
        f"  SELECT :key, 0, {_listed(of.buckets, 'wells.{}')}, {_OF_ROLLUPS}, count(*), {expected},"
        f"  {oil_equivalent} / nullif({oil_equivalent} + coalesce(missing.oil_equivalent, 0), 0)"
        f"  FROM islands JOIN {of.table} AS wells ON wells.field_id = :key AND wells.well_id <> 0"
        f"  AND wells.{first} BETWEEN islands.low AND islands.high"
        f"  JOIN affected ON affected.ordinal = {of_wells} LEFT JOIN missing ON missing.ordinal = {of_wells}"
        f"  GROUP BY {_listed(of.buckets, 'wells.{}')}, missing.wells, missing.oil_equivalent"
        f"  {_replaced(of.table, of.buckets, (*VALUES, 'wells', 'wells_expected', 'potential_share'))}"
        f"  RETURNING {keys})"
        f" DELETE FROM {of.table} AS kept USING touched WHERE kept.field_id = :key AND kept.well_id = 0"
        f" AND {was_touched} AND NOT EXISTS (SELECT FROM put WHERE {same})"
    )


STEPS: Final = (
    *TOUCH,
    _ADD_NEW_HOURS,
    _DROP_REVISED_HOURS,
    _SUM_REVISED_HOURS,
    _choose(_DAYS),
    _choose(_MONTHS),
    _sum_field(_FIELD_HOURS),
    _sum_field(_FIELD_DAYS),
    _sum_field(_FIELD_MONTHS),
)
"""In this order, in one snapshot: the rollups of the field ``:key``, right at position ``:after``, become right now."""

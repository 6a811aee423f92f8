"""What was stored before a batch: the last records of its wells, and those of its rows that are stored already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import polars as pl
from sqlalchemy import Connection, text

from storage.database import copied_out
from storage.domain.record import KEY_COLUMNS, QUANTITY_COLUMNS, RECORD_SCHEMA, TIMESTAMP, Verdict

Group: TypeAlias = tuple[str, str]
"""A well's public id and a resolution."""

_HEAD: Final = pl.Schema(
    {"well": pl.String(), "resolution": pl.String(), "later": pl.Int8(), "start": TIMESTAMP, "seconds": pl.Int32()}
)

STORED_SCHEMA: Final = pl.Schema(
    {
        **{name: RECORD_SCHEMA[name] for name in KEY_COLUMNS if name != "field"},
        **{name: RECORD_SCHEMA[name] for name in (*QUANTITY_COLUMNS, "issues", "audit_id")},
    }
)


def before(
    connection: Connection, groups: Mapping[Group, datetime], columns: Sequence[str], depth: int
) -> tuple[pl.DataFrame, frozenset[Group]]:
    """The last ``depth`` records of each group that start before its moment, and the groups that have later ones.

    The frame has well, resolution, start, seconds, on_stream_s and the columns, each group's sorted by start; what
    was withdrawn is left out. A group of a well that is not kept has none.
    """
    asked = dict.fromkeys(("on_stream_s", *columns))
    schema = pl.Schema({**_HEAD, **{name: pl.Float64() for name in asked}})
    statement = text(_BEFORE.format(columns=", ".join(f"r.{name}" for name in asked)))
    found = copied_out(
        connection,
        statement.bindparams(
            wells=[well for well, _ in groups],
            resolutions=[resolution for _, resolution in groups],
            moments=list(groups.values()),
            withdrawn=str(Verdict.WITHDRAWN),
            depth=depth,
        ),
        schema,
    )
    later = found.filter(pl.col("later") == 1).select("well", "resolution").unique()
    rows = found.filter(pl.col("start").is_not_null()).drop("later").sort("well", "resolution", "start", "seconds")
    return rows, frozenset(later.iter_rows())


def stored(connection: Connection, keys: pl.DataFrame) -> pl.DataFrame:
    """Those of the records with these keys (well, start, seconds, resolution) that are stored. STORED_SCHEMA."""
    statement = text(_STORED.format(columns=", ".join(f"r.{name}" for name in QUANTITY_COLUMNS)))
    parameters = {
        "wells": keys["well"].to_list(),
        "resolutions": keys["resolution"].to_list(),
        "starts": keys["start"].to_list(),
        "lengths": keys["seconds"].to_list(),
    }
    return copied_out(connection, statement.bindparams(**parameters), STORED_SCHEMA)


_MICROSECONDS: Final = "(extract(epoch from r.start) * 1000000)::bigint"
_OF_WELL: Final = "r.field_id = w.field_id AND r.well_id = w.well_id AND r.resolution = asked.resolution"

_BEFORE: Final = f"""
SELECT asked.well, asked.resolution, CAST(newer.some AS int), {_MICROSECONDS}, r.seconds, {{columns}}
FROM unnest(CAST(:wells AS text[]), CAST(:resolutions AS text[]), CAST(:moments AS timestamptz[]))
    AS asked(well, resolution, moment)
JOIN fields f ON f.slug = split_part(asked.well, '.', 1)
JOIN wells w ON w.field_id = f.field_id AND w.slug = split_part(asked.well, '.', 2)
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM records r WHERE {_OF_WELL} AND r.start >= asked.moment) AS some
) AS newer
LEFT JOIN LATERAL (
    SELECT * FROM records r WHERE {_OF_WELL} AND r.start < asked.moment AND r.verdict <> :withdrawn
    ORDER BY r.start DESC, r.seconds DESC LIMIT :depth
) AS r ON true
"""  # noqa: S608

_STORED: Final = f"""
SELECT asked.well, {_MICROSECONDS}, r.seconds, r.resolution, {{columns}}, array_to_string(r.issues, ' '), r.audit_id
FROM unnest(CAST(:wells AS text[]), CAST(:resolutions AS text[]), CAST(:starts AS timestamptz[]),
            CAST(:lengths AS int[])) AS asked(well, resolution, start, seconds)
JOIN fields f ON f.slug = split_part(asked.well, '.', 1)
JOIN wells w ON w.field_id = f.field_id AND w.slug = split_part(asked.well, '.', 2)
JOIN records r ON {_OF_WELL} AND r.start = asked.start AND r.seconds = asked.seconds
"""  # noqa: S608

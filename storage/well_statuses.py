"""Where status and type of wells are kept over time, and what their records say of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, func, select, text

from storage import rollups
from storage.database import copied_out, copy_in, microseconds
from storage.domain.record import TIMESTAMP
from storage.domain.rollup import VOLUMES, Grain
from storage.domain.well import field_of
from storage.domain.well_status import STATUS_SCHEMA, Aspect, Held, derived, merged
from storage.tables import fields, well_statuses, wells
from storage.wells import field_key, keys_of

_KEY: Final = ("field_id", "well_id", "aspect")
_HELD: Final = ("since", "until", "code", "source")
_KEYED_SCHEMA: Final = pl.Schema(
    {
        "field_id": pl.Int32(),
        "well_id": pl.Int32(),
        **{name: kind for name, kind in STATUS_SCHEMA.items() if name != "well"},
    }
)
DERIVED_SOURCE: Final = "records"


def keep(connection: Connection, statuses: pl.DataFrame, received_at: datetime) -> int:
    """Keep reported intervals (STATUS_SCHEMA): where they overlap with what is kept, they count.

    Reporting the same again writes nothing. Returns how many histories (of one well and aspect) changed.

    Raises:
        NotFound: a well is not kept.
    """
    if statuses.is_empty():
        return 0
    keys = keys_of(connection, statuses["well"].unique().to_list())
    keyed = statuses.join(keys, on="well").select(list(_KEYED_SCHEMA))
    kept = _kept(connection, keyed)
    news = _not_covered(keyed, kept).select(_KEY).unique()
    if news.is_empty():
        return 0
    before, offered = (frame.join(news, on=_KEY, how="semi") for frame in (kept, keyed))
    after = _merged(before, offered).sort(*_KEY, "since")
    connection.execute(text(_TAKE), _columns(news.sort(_KEY)))
    copy_in(connection, "well_statuses", after.with_columns(pl.lit(received_at, dtype=TIMESTAMP).alias("received_at")))
    return news.height


def history(connection: Connection, well: str) -> pl.DataFrame:
    """Everything known of one well over time, reported and derived, by aspect and since. STATUS_SCHEMA.

    What is derived is right at the position of the field's rollups.

    Raises:
        NotFound: the well is not kept.
    """
    field_id, well_key = keys_of(connection, [well]).select("field_id", "well_id").row(0)
    query = _selected().where(well_statuses.c.field_id == field_id, well_statuses.c.well_id == well_key)
    reported = copied_out(connection, query, STATUS_SCHEMA)
    periods, producing = _months(connection, field_of(well), [well])
    held = _framed(well, derived(periods, producing.get(well, []), DERIVED_SOURCE))
    return pl.concat([reported, held]).sort("aspect", "since")


def of_field(connection: Connection, field_id: str) -> pl.DataFrame:
    """What holds now for the wells of a field: well, and a column for every aspect, derived apart from reported.

    Reported aspects give the newest code that was reported, whether or not its interval has ended; ``derived`` is by
    the newest reporting periods of the field. Null where nothing is known.

    Raises:
        NotFound: the field is not kept.
    """
    key = field_key(connection, field_id)
    rows = connection.execute(select(wells.c.well_id, wells.c.slug).where(wells.c.field_id == key))
    names = {row.well_id: row.slug for row in rows}
    reported = [str(aspect) for aspect in Aspect if aspect is not Aspect.DERIVED]
    newest = copied_out(connection, _selected().where(well_statuses.c.field_id == key), STATUS_SCHEMA)
    newest = newest.sort("since").group_by("well", "aspect").agg(pl.col("code").last())
    found = pl.DataFrame({"well": [f"{field_id}.{name}" for name in names.values()]}, schema={"well": pl.String})
    for aspect in reported:
        codes = newest.filter(pl.col("aspect") == aspect).select("well", pl.col("code").alias(aspect))
        found = found.join(codes, on="well", how="left")
    return found.join(_derived_of_field(connection, field_id), on="well", how="left").sort("well")


def _derived_of_field(connection: Connection, field_id: str) -> pl.DataFrame:
    periods, producing = _months(connection, field_id, None)
    codes = {
        well: held[-1].code for well, months in producing.items() if (held := derived(periods, months, DERIVED_SOURCE))
    }
    return pl.DataFrame(
        {"well": list(codes), str(Aspect.DERIVED): list(codes.values())},
        schema={"well": pl.String, str(Aspect.DERIVED): pl.String},
    )


def _months(
    connection: Connection, field_id: str, named: Sequence[str] | None
) -> tuple[list[datetime], dict[str, list[datetime]]]:
    """The starts of the months that a field reported, ascending, and of those in which wells had a volume, by well."""
    reported = rollups.series(connection, field_id, Grain.MONTH, whole_field=True, quantities=())
    months = rollups.series(connection, field_id, Grain.MONTH, wells=named, quantities=VOLUMES)
    producing = months.filter(pl.any_horizontal(pl.col(name) > 0 for name in VOLUMES))
    by_well = producing.group_by("well", maintain_order=True).agg("start")
    return reported["start"].to_list(), dict(by_well.iter_rows())


def _kept(connection: Connection, keyed: pl.DataFrame) -> pl.DataFrame:
    query = select(
        well_statuses.c.field_id,
        well_statuses.c.well_id,
        well_statuses.c.aspect,
        microseconds("since"),
        microseconds("until"),
        well_statuses.c.code,
        well_statuses.c.source,
    ).where(
        well_statuses.c.field_id == func.any(keyed["field_id"].unique().to_list()),
        well_statuses.c.well_id == func.any(keyed["well_id"].unique().to_list()),
    )
    return copied_out(connection, query, _KEYED_SCHEMA)


def _not_covered(offered: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The offered intervals that no kept one of the same code holds all of."""
    same = [*_KEY, "code"]
    pairs = offered.join(kept, on=same, suffix="_kept").filter(
        (pl.col("since_kept") <= pl.col("since"))
        & (pl.col("until_kept").is_null() | (pl.col("until") <= pl.col("until_kept")))
    )
    return offered.join(pairs.select(*same, "since"), on=[*same, "since"], how="anti")


def _merged(kept: pl.DataFrame, offered: pl.DataFrame) -> pl.DataFrame:
    before = _histories(kept)
    rows: list[tuple[Any, ...]] = [
        (*key, held.since, held.until, held.code, held.source)
        for key, reported in _histories(offered).items()
        for held in merged(before.get(key, ()), reported)
    ]
    return pl.DataFrame(rows, schema=_KEYED_SCHEMA, orient="row")


def _histories(keyed: pl.DataFrame) -> dict[tuple[Any, ...], list[Held]]:
    found: dict[tuple[Any, ...], list[Held]] = {}
    for *key, since, until, code, source in keyed.select(*_KEY, *_HELD).iter_rows():
        found.setdefault(tuple(key), []).append(Held(since, until, code, source))
    return found


def _framed(well: str, held: Sequence[Held]) -> pl.DataFrame:
    rows = [(well, str(Aspect.DERIVED), one.since, one.until, one.code, one.source) for one in held]
    return pl.DataFrame(rows, schema=STATUS_SCHEMA, orient="row")


def _columns(keys: pl.DataFrame) -> dict[str, list[Any]]:
    return {name: keys[name].to_list() for name in _KEY}


def _selected() -> Any:
    of_well = (wells.c.field_id == well_statuses.c.field_id) & (wells.c.well_id == well_statuses.c.well_id)
    joined = well_statuses.join(wells, of_well).join(fields, fields.c.field_id == wells.c.field_id)
    return select(
        text("fields.slug || '.' || wells.slug"),
        well_statuses.c.aspect,
        microseconds("since"),
        microseconds("until"),
        well_statuses.c.code,
        well_statuses.c.source,
    ).select_from(joined)


_TAKE: Final = (
    "DELETE FROM well_statuses AS s USING unnest(CAST(:field_id AS int[]), CAST(:well_id AS int[]),"
    " CAST(:aspect AS text[])) AS k (field_id, well_id, aspect)"
    " WHERE (s.field_id, s.well_id, s.aspect) = (k.field_id, k.well_id, k.aspect)"
)

"""Where fields and wells are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, Table, case, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from storage.domain.errors import NotFound
from storage.domain.well import Field, Well
from storage.tables import fields, log_heads, rollup_heads, wells


def add_field(connection: Connection, field: Field) -> None:
    """Keep a field and give it a log and rollups; a field already kept gets the new name, zone and day start. What
    changes nothing writes nothing.

    A name that only repeats the id ("EI330" of "ei330") does not take the place of a better one. Records stay stamped
    by the clock they were written with until the rollups follow, which stamp them again.
    """
    clock = {"time_zone": field.time_zone, "day_start_s": field.day_start_s}
    _hold_log(connection, field.id)
    before = connection.execute(
        select(fields.c.time_zone, fields.c.day_start_s).where(fields.c.slug == field.id)
    ).one_or_none()
    statement = insert(fields).values({"slug": field.id, "name": field.name, **clock})
    changed = {name: statement.excluded[name] for name in clock}
    changed["name"] = _better_name(statement.excluded, fields)
    news = or_(*(fields.c[name].is_distinct_from(value) for name, value in changed.items()))
    connection.execute(statement.on_conflict_do_update(index_elements=["slug"], set_=changed, where=news))
    field_id = field_key(connection, field.id)
    connection.execute(insert(log_heads).values(field_id=field_id).on_conflict_do_nothing())
    begun = insert(rollup_heads).values(field_id=field_id, log_offset=0, **clock)
    connection.execute(begun.on_conflict_do_nothing())
    # one that was added meanwhile was not there before, but its rollups have a clock by now
    follows = (rollup_heads.c.time_zone == field.time_zone) & (rollup_heads.c.day_start_s == field.day_start_s)
    another = before is not None and tuple(before) != tuple(clock.values())
    of_field = (rollup_heads.c.field_id == field_id) & (literal(another) | ~(follows | rollup_heads.c.clock_changed))
    connection.execute(update(rollup_heads).where(of_field).values(clock_changed=True))


def _hold_log(connection: Connection, field_id: str) -> None:
    """Wait until nobody writes to the field, and keep it so until commit: no record is stamped by a clock that goes."""
    query = select(log_heads.c.head).join(fields).where(fields.c.slug == field_id)
    connection.execute(query.with_for_update(of=log_heads))


def add_fields(connection: Connection, added: Iterable[Field]) -> None:
    """Keep fields as `add_field` does, several in one transaction: the locks of those kept are taken in one order."""
    several = sorted(added, key=lambda field: field.id)
    query = select(log_heads.c.field_id).join(fields).where(fields.c.slug == func.any([field.id for field in several]))
    connection.execute(query.order_by(log_heads.c.field_id).with_for_update(of=log_heads))
    for field in several:
        add_field(connection, field)


def add_wells(connection: Connection, added: Iterable[Well]) -> None:
    """Keep wells; a well already kept gets the new purpose, and the new name unless it only repeats the id. Of a well
    that is given twice the last counts; what changes nothing writes nothing.

    Raises:
        NotFound: a well's field is not kept.
    """
    ids = _field_ids(connection)
    rows = [
        {
            "field_id": ids.get(well.field_id),
            "slug": well.id.partition(".")[2],
            "name": well.name,
            "purpose": well.purpose,
            "id": well.id,
        }
        for well in added
    ]
    for row in rows:
        if row["field_id"] is None:
            message = f"the field of well {row['id']!r} is not known"
            raise NotFound(message)
    by_key = {(row["field_id"], row["slug"]): row for row in rows}
    rows = [by_key[key] for key in sorted(by_key)]
    columns = {name: [row[name] for row in rows] for name in ("field_id", "slug", "name", "purpose")}
    connection.execute(text(_ADD_WELLS), columns)


def all_fields(connection: Connection) -> list[Field]:
    """Every field, by id."""
    columns = (fields.c.slug, fields.c.name, fields.c.time_zone, fields.c.day_start_s)
    return [Field(*row) for row in connection.execute(select(*columns).order_by(fields.c.slug))]


def wells_of(connection: Connection, field_id: str) -> list[Well]:
    """The wells of a field in the order of their ids; none for an unknown field."""
    public_id = fields.c.slug + "." + wells.c.slug
    query = (
        select(public_id, wells.c.name, wells.c.purpose)
        .join(fields, fields.c.field_id == wells.c.field_id)
        .where(fields.c.slug == field_id)
        .order_by(wells.c.slug)
    )
    return [Well(*row) for row in connection.execute(query)]


KEY_SCHEMA = pl.Schema({"well": pl.String(), "field_id": pl.Int32(), "well_id": pl.Int32()})


def keys_of(connection: Connection, well_ids: Sequence[str]) -> pl.DataFrame:
    """Internal keys of wells by public id: columns well, field_id, well_id.

    Raises:
        NotFound: names the first wells that are not kept.
    """
    public_id = fields.c.slug + "." + wells.c.slug
    query = (
        select(public_id, wells.c.field_id, wells.c.well_id)
        .join(fields, fields.c.field_id == wells.c.field_id)
        .where(fields.c.slug == func.any(sorted({well.partition(".")[0] for well in well_ids})))
        .where(wells.c.slug == func.any(sorted({well.partition(".")[2] for well in well_ids})))
    )
    found = pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=KEY_SCHEMA, orient="row")
    missing = sorted(set(well_ids) - set(found["well"]))
    if missing:
        message = f"{len(missing)} wells are not known, first {', '.join(missing[:3])}"
        raise NotFound(message)
    return found


def field_key(connection: Connection, field_id: str) -> int:
    """Internal key of a field.

    Raises:
        NotFound: the field is not kept.
    """
    key: int | None = connection.execute(
        select(fields.c.field_id).where(fields.c.slug == field_id)
    ).scalar_one_or_none()
    if key is None:
        message = f"the field {field_id!r} is not known"
        raise NotFound(message)
    return key


@dataclass(frozen=True, slots=True)
class Kept:
    """A field, or a well of it, with the internal keys by which its rows are found; a field's own well key is 0."""

    field: Field
    well: Well | None
    field_key: int
    well_key: int


def kept_field(connection: Connection, field_id: str) -> Kept:
    """A field with its key.

    Raises:
        NotFound: the field is not kept.
    """
    query = select(*_FIELD, fields.c.field_id).where(fields.c.slug == field_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        message = f"there is no field {field_id!r}"
        raise NotFound(message)
    return Kept(Field(*row[:4]), None, row[4], 0)


def kept_well(connection: Connection, well_id: str) -> Kept:
    """A well with its field and keys.

    Raises:
        NotFound: the well is not kept.
    """
    slug, _, well = well_id.partition(".")
    query = (
        select(*_FIELD, wells.c.name, wells.c.purpose, wells.c.field_id, wells.c.well_id)
        .join(fields, fields.c.field_id == wells.c.field_id)
        .where(fields.c.slug == slug, wells.c.slug == well)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        message = f"there is no well {well_id!r}"
        raise NotFound(message)
    return Kept(Field(*row[:4]), Well(well_id, *row[4:6]), *row[6:])


_FIELD = (fields.c.slug, fields.c.name, fields.c.time_zone, fields.c.day_start_s)


_ADD_WELLS: Final = """
INSERT INTO wells AS kept (field_id, slug, name, purpose)
SELECT * FROM unnest(CAST(:field_id AS int[]), CAST(:slug AS text[]), CAST(:name AS text[]), CAST(:purpose AS text[]))
ON CONFLICT (field_id, slug) DO UPDATE SET
    name = CASE WHEN lower(excluded.name) = excluded.slug THEN kept.name ELSE excluded.name END,
    purpose = excluded.purpose
WHERE (kept.name, kept.purpose) IS DISTINCT FROM (
    CASE WHEN lower(excluded.name) = excluded.slug THEN kept.name ELSE excluded.name END, excluded.purpose)
"""


def _better_name(offered: Any, kept: Table) -> Any:
    """The offered name, or the kept one when the offered only repeats the id."""
    return case((func.lower(offered.name) == offered.slug, kept.c.name), else_=offered.name)


def _field_ids(connection: Connection) -> dict[str, int]:
    return {row.slug: row.field_id for row in connection.execute(select(fields.c.slug, fields.c.field_id))}


def search(
    connection: Connection,
    *,
    after: str = "",
    limit: int | None = None,
    field: str | None = None,
    text: str | None = None,
    purpose: str | None = None,
) -> list[Well]:
    """Wells by id, of those beyond ``after``: of a field, with a text in id or name, for a purpose."""
    public_id = (fields.c.slug + "." + wells.c.slug).collate("C")
    query = select(public_id, wells.c.name, wells.c.purpose).join(fields, fields.c.field_id == wells.c.field_id)
    if after:
        query = query.where(public_id > after)
    if field is not None:
        query = query.where(fields.c.slug == field)
    if text is not None:
        query = query.where(public_id.icontains(text, autoescape=True) | wells.c.name.icontains(text, autoescape=True))
    if purpose is not None:
        query = query.where(wells.c.purpose == purpose)
    return [Well(*row) for row in connection.execute(query.order_by(public_id).limit(limit))]

"""What there is: fields and wells in pages, one in full, and those whose name is like a text."""

from datetime import date
from typing import Any, Final

import polars as pl

from dashboard.api.answer import Answer, Column, iso
from dashboard.api.asked import (
    DetailAsked,
    FieldsAsked,
    RevisionsAsked,
    SearchAsked,
    WellsAsked,
    after,
    cursor_of,
    span,
)
from dashboard.api.door import Question, Stands
from dashboard.api.series import field_head, valued, well_head
from storage import production, sums, well_headers, well_statuses, wells
from storage.domain.derived import METRICS, unit, with_measured
from storage.domain.errors import NotFound
from storage.domain.likeness import ALIKE_LEAST, likeness
from storage.domain.position import Position
from storage.domain.record import QUANTITIES, Resolution
from storage.domain.well import field_of
from storage.wells import Kept, kept_field, kept_well

_TEXT: Final = {
    "id": Column("Id", "", "text"),
    "name": Column("Name", "", "text"),
    "field": Column("Field", "", "text"),
    "purpose": Column("Purpose", "", "text"),
    "time_zone": Column("Time zone", "", "text"),
    "kind": Column("Kind", "", "text", "field or well"),
}


def all_wells(asked: WellsAsked) -> Question:
    """A page of the wells that fit."""

    def ask(stands: Stands) -> Answer:
        if asked.field is not None and asked.field not in stands.standing.heads:
            message = f"there is no field {asked.field!r}"
            raise NotFound(message)
        found = wells.search(
            stands.connection, after=after(asked.cursor), limit=asked.limit + 1, field=asked.field,
            text=asked.search, purpose=asked.purpose,
        )  # fmt: skip
        rows = [(one.id, one.name, one.field_id, one.purpose) for one in found]
        return _page(stands, rows, asked.limit, ("id", "name", "field", "purpose"))

    return Question(f"wells {asked.canonical()}", (), ask)


def all_fields(asked: FieldsAsked) -> Question:
    """A page of the fields."""

    def ask(stands: Stands) -> Answer:
        begin = after(asked.cursor)
        found = [one for one in wells.all_fields(stands.connection) if one.id > begin][: asked.limit + 1]
        rows = [(one.id, one.name, one.time_zone, one.day_start_s) for one in found]
        return _page(stands, rows, asked.limit, ("id", "name", "time_zone", "day_start_s"))

    return Question(f"fields {asked.canonical()}", (), ask)


def _page(stands: Stands, rows: list[tuple[Any, ...]], limit: int, names: tuple[str, ...]) -> Answer:
    columns = {name: _TEXT.get(name, Column("Start of the production day", "s", "duration")) for name in names}
    schema = {name: pl.Int64 if name == "day_start_s" else pl.String for name in names}
    head = {
        "rows": min(len(rows), limit),
        "next": cursor_of(rows[limit - 1][0]) if len(rows) > limit else None,
        "position": {"epoch": stands.standing.epoch},
    }
    return Answer(head, pl.DataFrame(rows[:limit], schema=schema, orient="row"), columns, items=True)


def one_well(well_id: str, asked: DetailAsked) -> Question:
    """A well with its field, how far its records reach, and the newest of each resolution."""

    def ask(stands: Stands) -> Answer:
        of = kept_well(stands.connection, well_id)
        told = {"header": _header(stands, of, well_id), "statuses": _statuses(stands, well_id)}
        detail = _detail(stands, of, asked.units)
        return Answer({**(well_head(of) or {}), "field": field_head(of.field), **told, **detail})

    return Question(f"wells/{well_id} {asked.canonical()}", (field_of(well_id),), ask, lasting=False)


def _header(stands: Stands, of: Kept, well_id: str) -> dict[str, Any]:
    """What the well's header says; no value where nothing is known."""
    found = well_headers.of_field(stands.connection, of.field.id).filter(pl.col("well") == well_id)
    known = found.drop("well", "name", "purpose", "received_at").row(0, named=True)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in known.items()}


def _statuses(stands: Stands, well_id: str) -> list[dict[str, Any]]:
    """Status and type over time, as reported and as derived from the records."""
    found = well_statuses.history(stands.connection, well_id).drop("well")
    return [{**row, "since": iso(row["since"]), "until": iso(row["until"])} for row in found.iter_rows(named=True)]


def one_field(field_id: str, asked: DetailAsked) -> Question:
    """A field with the number of its wells and how far its records reach."""

    def ask(stands: Stands) -> Answer:
        of = kept_field(stands.connection, field_id)
        members = wells.wells_of(stands.connection, field_id)
        return Answer({**field_head(of.field), "wells": len(members), **_detail(stands, of, asked.units)})

    return Question(f"fields/{field_id} {asked.canonical()}", (field_id,), ask)


def _detail(stands: Stands, of: Kept, system: str) -> dict[str, Any]:
    reach = sums.reach(stands.connection, of)
    position = stands.rolled(of.field.id)
    days = {
        grain.value: {"first": first.isoformat(), "last": last.isoformat()} for grain, (first, last) in reach.items()
    }
    found: dict[str, Any] = {
        "reach": days,
        "position": _told(position),
        "units": system,
    }
    if of.well is not None:
        newest = {one: production.newest_reading(stands.connection, of, one) for one in Resolution}
        found["newest"] = {one.value: _reading(row, system) for one, row in newest.items() if not row.is_empty()}
    return found


def _told(position: Position) -> dict[str, Any]:
    return {"epoch": position.epoch, "offset": position.offset}


def _reading(row: pl.DataFrame, system: str) -> dict[str, Any]:
    metrics = [one for one in METRICS.values() if not one.name.endswith("_producing_rate")]
    shown = valued(with_measured(row), metrics, system, extremes=False).row(0, named=True)
    return {
        "start": iso(shown["start"]),
        "seconds": shown["seconds"],
        **{name: shown[name] for name in ("verdict", "quality", "issues", "revision")},
        "values": {
            one.name: {"value": shown[one.name], "unit": unit(one, system)}
            for one in metrics
            if shown[one.name] is not None
        },
    }


def well_revisions(well_id: str, asked: RevisionsAsked) -> Question:
    """Every revision of the records of a well that were revised, with the values that they had."""

    def ask(stands: Stands) -> Answer:
        of = kept_well(stands.connection, well_id)
        since, until = span(asked, of.field)
        found = production.revisions(stands.connection, of, since=since, until=until, limit=asked.limit)
        table = found.with_columns(pl.col("issues").list.join(" "))
        head = {
            "field": field_head(of.field),
            "well": well_head(of),
            "rows": table.height,
            "position": _told(stands.head(of.field.id)),
        }
        return Answer(head, table, _REVISION_COLUMNS, items=True)

    return Question(f"wells/{well_id}/revisions {asked.canonical()}", (field_of(well_id),), ask)


_REVISION_COLUMNS: Final = {
    "start": Column("Start", "ms since 1970", "time"),
    "seconds": Column("Length of the interval", "s", "duration"),
    "resolution": Column("Resolution", "", "text"),
    "revision": Column("Revision", "", "count", "from 0"),
    "received_at": Column("Known since", "ms since 1970", "time"),
    "superseded_at": Column("Known until", "ms since 1970", "time", "null of the newest"),
    "verdict": Column("Verdict", "", "text"),
    "quality": Column("Quality", "fraction", "share"),
    "issues": Column("Issues", "", "text"),
    "audit_id": Column("Audit", "", "text"),
    "source": Column("Source", "", "text"),
    **{one.column: Column(one.label, one.unit, one.kind) for one in QUANTITIES},
}


def search(asked: SearchAsked) -> Question:
    """Fields and wells whose id or name is like a text, the likest first."""

    def ask(stands: Stands) -> Answer:
        names = [("field", one.id, one.name, one.id) for one in wells.all_fields(stands.connection)]
        names += [("well", one.id, one.name, one.field_id) for one in wells.search(stands.connection)]
        scored = [
            (max(likeness(asked.q, name), likeness(asked.q, name_id.rpartition(".")[2])), kind, name_id, name, field)
            for kind, name_id, name, field in names
        ]
        best = sorted((row for row in scored if row[0] >= ALIKE_LEAST), key=lambda row: (-row[0], row[1], row[2]))
        rows = [(kind, name_id, name, field, round(score, 4)) for score, kind, name_id, name, field in best]
        columns = {**{name: _TEXT[name] for name in ("kind", "id", "name", "field")}, "score": _SCORE}
        schema = {**dict.fromkeys(("kind", "id", "name", "field"), pl.String), "score": pl.Float64}
        table = pl.DataFrame(rows[: asked.limit], schema=schema, orient="row")
        head = {"rows": table.height, "position": {"epoch": stands.standing.epoch}}
        return Answer(head, table, columns, items=True)

    return Question(f"search {asked.canonical()}", (), ask)


_SCORE: Final = Column("Likeness", "fraction", "share")

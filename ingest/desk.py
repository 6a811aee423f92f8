"""The desk of verification over HTTP: what is in quarantine and what is done about it, and every record's trail."""

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AwareDatetime

from ingest import release
from ingest.desk_docs import (
    ENTRY_DOCS,
    PAGE_DOCS,
    RELEASE_DOCS,
    RELEASE_EXAMPLE,
    RULES_DOCS,
    TRAIL_DOCS,
    WORD_DOCS,
    WORD_EXAMPLE,
    answers,
    body_docs,
)
from ingest.pipeline import Pipeline
from ingest.release import Release
from ingest.service import body_of, problem
from storage import audit, quarantine, rule_sets, wells
from storage.audit import Revision, Trail
from storage.database import reading
from storage.domain.deed import State
from storage.domain.errors import InputRefused, WellstreamError
from storage.domain.record import Resolution
from storage.quarantine import PAGE_ROWS, Entry, Filter
from storage.rule_sets import Judge, judge_of

PAGE_DEFAULT: Final = 100
BODY_LIMIT_BYTES: Final = 64 * 1024
EVERY_STATE: Final = "all"


_Id: TypeAlias = Annotated[int, Path(ge=1, le=2**63 - 1, description="id of a quarantined row")]
_Wanted = TypeVar("_Wanted", bound=msgspec.Struct)


class _ToldAsProblem(APIRoute):
    """A route whose errors are problem details, those of its parameters too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                return problem(InputRefused("; ".join(_fault(fault) for fault in error.errors())))
            except WellstreamError as error:
                return problem(error)

        return answered


def _fault(fault: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in fault["loc"][1:])
    given = fault.get("input")
    told = f"{name} is {str(given)[:60]!r}" if given is not None else name
    return f"{told}: {fault['msg']}"


class _Word(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants a row closed, and why."""

    by: str
    reason: str


class _ReleaseWord(_Word, forbid_unknown_fields=True):
    """And how it shall be stored."""

    values: dict[str, Any] = {}
    override: bool | None = None


def desk_routes(pipeline: Pipeline) -> APIRouter:
    """The routes ``/api/v1/quarantine``, ``/api/v1/audit`` and ``/api/v1/rules``."""
    router = APIRouter(prefix="/api/v1", route_class=_ToldAsProblem)
    router.include_router(_quarantine_routes(pipeline))
    router.include_router(_audit_routes(pipeline))
    return router


def _quarantine_routes(pipeline: Pipeline) -> APIRouter:
    router = APIRouter(tags=["quarantine"], route_class=_ToldAsProblem)

    @router.get("/quarantine", summary="List quarantined rows", responses=answers(PAGE_DOCS))
    def get_quarantine(
        field: Annotated[str | None, Query(description="public id of a field, as the rows claim it")] = None,
        source: Annotated[str | None, Query(description="where rows came from")] = None,
        rule: Annotated[str | None, Query(description="a rule that rows broke, such as below_low")] = None,
        state: Annotated[
            Literal["open", "released", "rejected", "all"], Query(description="where rows stand")
        ] = "open",
        since: Annotated[AwareDatetime | None, Query(description="received at or after")] = None,
        until: Annotated[AwareDatetime | None, Query(description="received before")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS, description="most rows of a page")] = PAGE_DEFAULT,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """The newest first. `next` is the cursor of the page that follows, null on the last."""
        which = Filter(_text(field), _text(source), _text(rule), _state(state), since, until)
        with reading(pipeline.engine) as connection:
            found = quarantine.listed(connection, which, _place(cursor), limit + 1)
        page = found[:limit]
        following = str(page[-1].id) if len(found) > limit else None
        return _json({"entries": [_told(entry) for entry in page], "next": following})

    @router.get("/quarantine/{quarantine_id}", summary="Show a quarantined row", responses=answers(ENTRY_DOCS, 404))
    def get_entry(quarantine_id: _Id) -> Response:
        """The row as it came, what was understood of it, every rule it broke, and how it was closed."""
        with reading(pipeline.engine) as connection:
            return _json(_told(quarantine.entry(connection, quarantine_id)))

    @router.post(
        "/quarantine/{quarantine_id}/release",
        summary="Release a quarantined row, corrected or not",
        openapi_extra=body_docs(RELEASE_DOCS, RELEASE_EXAMPLE),
        responses=answers(ENTRY_DOCS, 404, 409, 413, 422),
    )
    async def post_release(quarantine_id: _Id, request: Request) -> Response:
        """The row takes the same way as any other and is closed in the transaction that stores it. With `values` they
        stand instead of what the row said (null: not measured), and it must keep the rules. Without, or with
        `override`, it is stored although it breaks rules that a person may break: as suspect, with these rules as
        issues. Doing it again changes nothing."""
        word = await _decoded(request, _ReleaseWord)
        override = not word.values if word.override is None else word.override
        wish = Release(word.by, word.reason, word.values, override)
        return _json(_told(await run_in_threadpool(release.release, pipeline, quarantine_id, wish)))

    @router.post(
        "/quarantine/{quarantine_id}/reject",
        summary="Reject a quarantined row for good",
        openapi_extra=body_docs(WORD_DOCS, WORD_EXAMPLE),
        responses=answers(ENTRY_DOCS, 404, 409, 413),
    )
    async def post_reject(quarantine_id: _Id, request: Request) -> Response:
        """The row stays in the quarantine with the reason. It can be released later; doing it again changes nothing."""
        word = await _decoded(request, _Word)
        return _json(_told(await run_in_threadpool(release.reject, pipeline, quarantine_id, word.by, word.reason)))

    return router


def _audit_routes(pipeline: Pipeline) -> APIRouter:
    router = APIRouter(tags=["audit"], route_class=_ToldAsProblem)

    @router.get("/audit", summary="One record's whole trail", responses=answers(TRAIL_DOCS, 404))
    def get_audit(
        well: Annotated[str, Query(description="public id of the well", examples=["demo.d-1"])],
        start: Annotated[AwareDatetime, Query(description="start of the interval")],
        resolution: Annotated[Resolution, Query(description="resolution of the record")],
        seconds: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="length of the interval")] = None,
        known_at: Annotated[AwareDatetime | None, Query(description="tell only what was known then")] = None,
    ) -> Response:
        """Every revision, with who judged it by which rules and version, the rows that were quarantined, and what
        people did about them, oldest first. `known` is what stands, or stood at `known_at`."""
        with reading(pipeline.engine) as connection:
            found = audit.trail(connection, _text(well) or "", start, resolution, seconds, known_at)
            if not any((found.revisions, found.quarantined, found.deeds)):
                wells.keys_of(connection, [well])
        return _json({
            "record": {"well": well, "start": start, "resolution": resolution, "seconds": seconds},
            "known_at": known_at,
            "known": [_revision(one) for one in standing(found, known_at)],
            "trail": events(found, known_at),
        })  # fmt: skip

    @router.get("/rules", summary="The rules that judge now", responses=answers(RULES_DOCS))
    def get_rules() -> Response:
        """Version, digest and content of the rules that this service judges by."""
        rules = pipeline.rules
        return _json({"version": rules.version, "digest": rules.digest, "document": rules.document})

    @router.get("/rules/{version}/{digest}", summary="Rules that judged once", responses=answers(RULES_DOCS, 404))
    def get_rules_of(version: str, digest: str) -> Response:
        """The rules that a record's audit id names: `rules-<version>-<digest>`."""
        with reading(pipeline.engine) as connection:
            return _json(rule_sets.document_of(connection, Judge(_text(version) or "", _text(digest) or "")))

    return router


def standing(trail: Trail, known_at: datetime | None) -> list[Revision]:
    """The revisions that stand, or stood at a moment: one for each length of the interval."""
    return [one for one in trail.revisions if _gone(one, known_at) is None]


def events(trail: Trail, known_at: datetime | None) -> list[dict[str, Any]]:
    """Everything of a trail as events with "at", "what" and "by", oldest first. Of what happened at once, first what
    was refused, then what people did, then what was stored."""
    refused = [{"at": one.pop("received_at"), "what": "quarantined", "by": one.pop("source"), **one}
               for one in (dict(row) for row in trail.quarantined)]  # fmt: skip
    deeds = [{"at": one.pop("at"), "what": one.pop("action"), **one} for one in (dict(row) for row in trail.deeds)]
    stored = [
        {"at": one.received_at, "what": "revised" if one.revision else "stored", "by": one.source,
         **_revision(one), "superseded_at": _gone(one, known_at)}
        for one in trail.revisions
    ]  # fmt: skip
    return sorted([*refused, *deeds, *stored], key=lambda event: event["at"])


def _gone(revision: Revision, known_at: datetime | None) -> datetime | None:
    """When a revision was superseded, as far as it was known."""
    gone = revision.superseded_at
    return None if gone is not None and known_at is not None and gone > known_at else gone


def _revision(one: Revision) -> dict[str, Any]:
    judge = judge_of(one.audit_id)
    return {
        "revision": one.revision,
        "seconds": one.seconds,
        "received_at": one.received_at,
        "source": one.source,
        "verdict": one.verdict,
        "quality": one.quality,
        "issues": one.issues,
        "audit_id": one.audit_id,
        "rules": judge and {"version": judge.version, "digest": judge.digest},
        "values": {name: value for name, value in one.values.items() if value is not None},
    }


def _told(entry: Entry) -> dict[str, Any]:
    closing = entry.closing
    return {
        "id": entry.id,
        "state": entry.state,
        "field": entry.field,
        "record": asdict(entry.record),
        "source": entry.source,
        "place": entry.place,
        "received_at": entry.received_at,
        "raw": entry.raw,
        "read": entry.read,
        "reasons": [asdict(reason) for reason in entry.reasons],
        "closed": closing and {
            "at": closing.at, "by": closing.by, "reason": closing.because, "values": closing.correction,
            "outcome": closing.outcome,
        },
    }  # fmt: skip


async def _decoded(request: Request, wanted: type[_Wanted]) -> _Wanted:
    """The body of a request.

    Raises:
        TooLarge: it is longer than a few words and numbers are.
        InputRefused: it is not what is wanted.
    """
    body = await body_of(request, BODY_LIMIT_BYTES, "values and reason of one row are shorter")
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.MsgspecError as error:
        message = f"the body is not what is wanted: {error}"
        raise InputRefused(message) from error


def _text(value: str | None) -> str | None:
    """Text from a query, as PostgreSQL can hold it."""
    if value is not None and "\x00" in value:
        message = f"{value[:60]!r} has a NUL character"
        raise InputRefused(message)
    return value


def _state(word: str) -> State | None:
    return None if word == EVERY_STATE else State(word)


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        message = f"cursor is {cursor[:60]!r}, but it is `next` of the page before"
        raise InputRefused(message)
    return int(cursor)


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")

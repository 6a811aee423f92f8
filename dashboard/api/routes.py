"""The routes of the query API, and the way that each takes from its parameters to the door."""

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from dashboard.api import asked, catalogue, ranking, series, trust
from dashboard.api.answer import Form, chosen_form
from dashboard.api.asked import METRICS_MOST
from dashboard.api.docs import EXAMPLES, answers
from dashboard.api.door import Door, Question
from storage.domain.derived import METRICS
from storage.domain.errors import NotFound, ParameterRefused, WellstreamError
from stream.problem import problem

PREFIX: Final = "/api/v1"
_REMEMBERED: Final = 4_096
"""Addresses whose question is known without reading the parameters again."""

WellId = Annotated[str, Path(description="Id of a well.", max_length=200, examples=["demo.d-1"])]
FieldId = Annotated[str, Path(description="Id of a field.", max_length=100, examples=["demo"])]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def routes(door: Door) -> APIRouter:
    """Every question that can be asked, under ``/api/v1``."""
    told = _Told(door)
    router = APIRouter(prefix=PREFIX, tags=["query"], route_class=_route_class(told))

    def route(path: str, kind: str, summary: str, *, table: bool = True) -> Callable[[Any], Any]:
        return router.get(
            path, summary=summary, responses=answers(kind, EXAMPLES[kind], table=table), response_class=Response
        )

    @route("/wells", "wells", "List wells, in pages")
    async def wells(request: Request, parameters: Annotated[asked.WellsAsked, Query()]) -> Response:
        """Wells by id; `next` of the answer is the `cursor` of the page that follows."""
        return await told.answer(request, catalogue.all_wells(parameters), parameters)

    @route("/wells/{well_id}", "well", "One well, with the newest of its records", table=False)
    async def well(request: Request, well_id: WellId, parameters: Annotated[asked.DetailAsked, Query()]) -> Response:
        """Name, purpose, field and clock; how far the records reach; the newest record of each resolution."""
        return await told.answer(request, catalogue.one_well(well_id, parameters), parameters)

    @route("/wells/{well_id}/production", "well series", "What a well produced, over time")
    async def well_production(
        request: Request, well_id: WellId, parameters: Annotated[asked.SeriesAsked, Query()]
    ) -> Response:
        """Metrics by live record, hour, production day or month. Every row says how far it can be trusted; a longer
        series than `points` is thinned so that extremes and gaps stay."""
        return await told.answer(request, series.well_series(well_id, parameters), parameters)

    @route("/wells/{well_id}/quality", "quality", "How far a well's records can be trusted")
    async def well_quality(request: Request, well_id: WellId, parameters: Annotated[asked.Ranged, Query()]) -> Response:
        """Records, suspects, quality and time covered by production day, and how often each issue occurred."""
        return await told.answer(request, trust.well_quality(well_id, parameters), parameters)

    @route("/wells/{well_id}/revisions", "revisions", "Records that were revised, with their earlier values")
    async def well_revisions(
        request: Request, well_id: WellId, parameters: Annotated[asked.RevisionsAsked, Query()]
    ) -> Response:
        """Every revision of each record that has more than one: its values, and from when to when they were known."""
        return await told.answer(request, catalogue.well_revisions(well_id, parameters), parameters)

    @route("/fields", "fields", "List fields, in pages")
    async def fields(request: Request, parameters: Annotated[asked.FieldsAsked, Query()]) -> Response:
        """Fields by id, with time zone and start of the production day."""
        return await told.answer(request, catalogue.all_fields(parameters), parameters)

    @route("/fields/{field_id}", "field", "One field", table=False)
    async def field(request: Request, field_id: FieldId, parameters: Annotated[asked.DetailAsked, Query()]) -> Response:
        """Name, clock, number of wells, and how far the records reach."""
        return await told.answer(request, catalogue.one_field(field_id, parameters), parameters)

    @route("/fields/{field_id}/production", "field series", "What a field produced, over time")
    async def field_production(
        request: Request, field_id: FieldId, parameters: Annotated[asked.FieldSeriesAsked, Query()]
    ) -> Response:
        """Sums over the wells; every row says how many of the expected wells stand behind it."""
        return await told.answer(request, series.field_series(field_id, parameters), parameters)

    @route("/fields/{field_id}/quality", "quality", "How far a field's records can be trusted")
    async def field_quality(
        request: Request, field_id: FieldId, parameters: Annotated[asked.Ranged, Query()]
    ) -> Response:
        """As for a well, with the wells that reported of those that were expected."""
        return await told.answer(request, trust.field_quality(field_id, parameters), parameters)

    @route("/fields/{field_id}/ranking", "ranking", "Wells in the order of a metric")
    async def field_ranking(
        request: Request, field_id: FieldId, parameters: Annotated[asked.RankingAsked, Query()]
    ) -> Response:
        """Over a range of production days (the newest 30), with rank and value of the period before it."""
        return await told.answer(request, ranking.ranking(field_id, parameters), parameters)

    @route("/fields/{field_id}/comparison", "comparison", "Several wells side by side")
    async def field_comparison(
        request: Request, field_id: FieldId, parameters: Annotated[asked.ComparisonAsked, Query()]
    ) -> Response:
        """Aligned by the calendar, or by the time since each well first produced or injected."""
        return await told.answer(request, ranking.comparison(field_id, parameters), parameters)

    @route("/fields/{field_id}/heatmap", "heatmap", "A metric of every well on every day")
    async def field_heatmap(
        request: Request, field_id: FieldId, parameters: Annotated[asked.HeatmapAsked, Query()]
    ) -> Response:
        """One row per well and production day that has records (the newest 90 days)."""
        return await told.answer(request, ranking.heatmap(field_id, parameters), parameters)

    @route("/kpis", "kpis", "The figures at a glance")
    async def kpis(request: Request, parameters: Annotated[asked.KpisAsked, Query()]) -> Response:
        """Of each field and of all together, over the newest period and the one before it."""
        return await told.answer(request, trust.kpis(parameters), parameters)

    @route("/search", "search", "Find fields and wells by name")
    async def search(request: Request, parameters: Annotated[asked.SearchAsked, Query()]) -> Response:
        """The likest first; spelling mistakes are forgiven."""
        return await told.answer(request, catalogue.search(parameters), parameters)

    return router


def unknown_paths() -> APIRouter:
    """What stands last under ``/api/v1``: a problem for every address that is none of the routes'."""
    router = APIRouter()

    @router.get(PREFIX + "/{rest:path}", include_in_schema=False)
    async def unknown(rest: str) -> Response:
        return problem(NotFound(f"there is nothing at {PREFIX}/{rest}; /api/docs shows what there is"))

    return router


class _Told:
    """From a request to its answer; remembers what question an address is, so that it is read once."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: OrderedDict[tuple[str, bytes], tuple[Question, str | None]] = OrderedDict()

    async def answer(self, request: Request, question: Question, parameters: asked.Asked) -> Response:
        """The answer to a question that was read from the request."""
        self._known[_address(request)] = (question, parameters.format)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return await self._answer(request, question, parameters.format)

    async def known(self, request: Request) -> Response | None:
        """The answer to a request whose address was read before; None for others."""
        found = self._known.get(_address(request))
        return None if found is None else await self._answer(request, *found)

    async def _answer(self, request: Request, question: Question, asked_format: str | None) -> Response:
        accept = encodings = if_none_match = ""
        for name, value in request.scope["headers"]:
            if name == b"accept":
                accept = value.decode("latin-1")
            elif name == b"accept-encoding":
                encodings = value.decode("latin-1")
            elif name == b"if-none-match":
                if_none_match = value.decode("latin-1")
        form: Form = chosen_form(asked_format, accept)
        gzips = "gzip" in encodings and "gzip;q=0" not in encodings.replace(" ", "")
        return await self._door.answered(question, form, gzips=gzips, if_none_match=if_none_match)


def _address(request: Request) -> tuple[str, bytes]:
    return request.scope["path"], request.scope["query_string"]


def _route_class(told: _Told) -> type[APIRoute]:
    """Routes that tell every error as a problem, and read the parameters of an address only once."""

    class QueryRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            read = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    _once(request)
                    known = await told.known(request)
                    return await read(request) if known is None else known
                except RequestValidationError as error:
                    return problem(_refused(error))
                except WellstreamError as error:
                    return problem(error)

            return handler

    return QueryRoute


def _once(request: Request) -> None:
    """Refuse a parameter that is given twice: which of the two was meant?"""
    query: bytes = request.scope["query_string"]
    if query.count(b"=") < 2:
        return
    names = [part.partition(b"=")[0] for part in query.split(b"&")]
    for name in names:
        if name and names.count(name) > 1:
            raise ParameterRefused(parameter=name.decode("latin-1"), value="several", allowed="given once")


def _refused(error: RequestValidationError) -> WellstreamError:
    """The first fault of a request's parameters, named."""
    fault = error.errors()[0]
    name = str(fault["loc"][-1])
    if fault["type"] == "extra_forbidden":
        return ParameterRefused(name, fault["input"], "left out: this question has no such parameter")
    if fault["type"] == "missing":
        return ParameterRefused(name, None, "given")
    if name in ("metric", "metrics") and fault["type"] == "string_pattern_mismatch":
        return _metric_refused(name, str(fault["input"]))
    told = str(fault["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    allowed = told if told[:1].islower() or told[:1] == "'" else f"as it is documented ({told})"
    return ParameterRefused(name, fault["input"], allowed)


def _metric_refused(name: str, given: str) -> ParameterRefused:
    strangers = [one for one in given.split(",") if one not in METRICS]
    if strangers and name == "metrics":
        return ParameterRefused(name, strangers[0], f"one of {', '.join(METRICS)}")
    most = f"at most {METRICS_MOST} of" if name == "metrics" else "one of"
    return ParameterRefused(name, given, f"{most} {', '.join(METRICS)}")

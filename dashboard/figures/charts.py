"""The charts of the pages, each a pure function of a snapshot's frames."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from dashboard.figures.series import GAP_FACTOR, Chart, Line, cadence_s, label_of, points, suspects, unit_of
from dashboard.theme import PENS, SUSPECT, axis, layout, well_pen
from storage.domain.record import Resolution
from storage.domain.well import Field, Well
from storage.production import KEPT_SCHEMA

DAY_S: Final = 86_400
CALENDAR_DAY: Final = "calendar-day rates"
RATES: Final = ("oil_sm3", "gas_sm3", "water_sm3", "injected_water_sm3", "injected_gas_sm3")
STATES: Final = (
    "wellhead_pressure_bar",
    "downhole_pressure_bar",
    "annulus_pressure_bar",
    "wellhead_temperature_degc",
    "downhole_temperature_degc",
    "choke_pct",
)
_SHORT: Final = {
    "wellhead_pressure_bar": "WHP",
    "downhole_pressure_bar": "DHP",
    "annulus_pressure_bar": "Annulus",
    "wellhead_temperature_degc": "WHT",
    "downhole_temperature_degc": "DHT",
}
"""Names that leave room for the lines on a small screen."""

_NO_RECORDS: Final = pl.DataFrame(schema=KEPT_SCHEMA)
_STATE_AXES: Final = {"bar": "y", "°C": "y2", "%": "y3"}
_RANGES: Final = [
    {"count": 1, "label": "1 month", "step": "month", "stepmode": "backward"},
    {"count": 6, "label": "6 months", "step": "month", "stepmode": "backward"},
    {"count": 1, "label": "1 year", "step": "year", "stepmode": "backward"},
    {"label": "all", "step": "all"},
]


def daily_totals(field: Field, totals: pl.DataFrame) -> Chart:
    """A field's production by day: oil and water on the left axis, gas on the right. ``totals``: TOTALS_SCHEMA."""
    columns = _rates(totals, injector=False) or RATES[:1]
    lines = [Line(label_of(name), name, None, PENS[name], "y2" if "gas" in name else "y") for name in columns]
    figure = _figure(field, lines, _frames(None, totals), Resolution.DAILY, DAY_S, _two_axes())
    return Chart(
        f"daily-{field.id}", "Daily production", figure, lines, field, Resolution.DAILY, DAY_S, kind=CALENDAR_DAY
    )


def stacked_oil(field: Field, wells: Sequence[Well], daily: pl.DataFrame) -> Chart:
    """Daily oil rates of a field's wells on top of each other."""
    by_well = _by_well(daily)
    lines = [
        Line(well.name, "oil_sm3", well.id, well_pen(number), stack="one")
        for number, well in enumerate(wells)
        if _may_have(by_well, well, "oil_sm3")
    ]
    given = {"yaxis": axis("Oil, Sm³/d", rangemode="tozero")}
    figure = _figure(field, lines, by_well, Resolution.DAILY, DAY_S, given | _brush())
    return Chart(
        f"stacked-{field.id}", "Daily oil by well", figure, lines, field, Resolution.DAILY, DAY_S, kind=CALENDAR_DAY
    )


def live_by_well(field: Field, wells: Sequence[Well], live: pl.DataFrame, column: str = "oil_sm3") -> Chart:
    """Live rates of a field's wells, a line each."""
    by_well = _by_well(live)
    lines = [
        Line(well.name, column, well.id, well_pen(number))
        for number, well in enumerate(wells)
        if _may_have(by_well, well, column)
    ]
    seconds = cadence_s(live, 5)
    given = {"yaxis": axis(f"{label_of(column)}, {unit_of(column)}", rangemode="tozero"), "xaxis": _time()}
    figure = _figure(field, lines, by_well, Resolution.LIVE, seconds, given)
    figure["data"] += _marks(field, lines, by_well)
    title = f"Live {label_of(column).lower()} rate"
    return Chart(f"live-{field.id}", title, figure, lines, field, Resolution.LIVE, seconds, is_marked=True)


def rates(field: Field, well: Well, frame: pl.DataFrame, resolution: Resolution) -> Chart:
    """A well's rates: liquids on the left axis, gas on the right."""
    injector = well.purpose == "injector"
    columns = _rates(frame, injector=injector) or ["injected_water_sm3" if injector else "oil_sm3"]
    lines = [Line(label_of(name), name, well.id, PENS[name], "y2" if "gas" in name else "y") for name in columns]
    seconds = cadence_s(frame, DAY_S)
    given = _two_axes() | (_brush() if resolution is Resolution.DAILY else {"xaxis": _time()})
    figure = _figure(field, lines, _frames(well.id, frame), resolution, seconds, given)
    figure["data"] += _marks(field, lines, _frames(well.id, frame))
    title, kind = ("Daily rates", CALENDAR_DAY) if resolution is Resolution.DAILY else ("Live rates", "")
    return Chart(f"rates-{resolution}", title, figure, lines, field, resolution, seconds, is_marked=True, kind=kind)


def states(field: Field, well: Well, frame: pl.DataFrame, resolution: Resolution) -> Chart:
    """A well's pressures, temperatures and choke, above each other on one time axis."""
    columns = _measured(frame, STATES) or STATES[:1]
    lines = [
        Line(_SHORT.get(name, label_of(name)), name, well.id, PENS[name], _STATE_AXES[unit_of(name)])
        for name in columns
    ]
    given = {
        "xaxis": _time() | {"anchor": "y3"},
        "yaxis": axis("bar", domain=[0.64, 1.0], rangemode="tozero"),
        "yaxis2": axis("°C", domain=[0.28, 0.58]),
        "yaxis3": axis("choke %", domain=[0.0, 0.22], range=[0, 105]),
    }
    seconds = cadence_s(frame, DAY_S)
    figure = _figure(field, lines, _frames(well.id, frame), resolution, seconds, given)
    figure["data"] += _marks(field, lines, _frames(well.id, frame))
    title = f"{'Daily' if resolution is Resolution.DAILY else 'Live'} pressures, temperatures, choke"
    return Chart(f"states-{resolution}", title, figure, lines, field, resolution, seconds, is_marked=True)


def _figure(
    field: Field,
    lines: Sequence[Line],
    frames: Mapping[str | None, pl.DataFrame],
    resolution: Resolution,
    seconds: int,
    given: Mapping[str, object],
) -> dict[str, Any]:
    data = [_trace(field, line, frames.get(line.well, _NO_RECORDS), GAP_FACTOR * seconds) for line in lines]
    return {
        "data": data,
        "layout": layout(**{"xaxis": _time(), "uirevision": f"{field.id}-{resolution}", **given}),
    }


def _frames(well: str | None, frame: pl.DataFrame) -> dict[str | None, pl.DataFrame]:
    return {well: frame}


def _trace(field: Field, line: Line, frame: pl.DataFrame, gap_s: float) -> dict[str, Any]:
    x, y = points(frame, line, field, gap_s)
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": line.name,
        "x": x,
        "y": y,
        "text": [],
        "yaxis": line.axis,
        "line": {"color": line.pen.color, "dash": line.pen.dash, "width": 1.6},
        "connectgaps": False,
        "hovertemplate": f"%{{y:.4~g}} {unit_of(line.column)}",
    }
    if line.stack is not None:
        trace |= {"stackgroup": line.stack, "stackgaps": "infer zero", "line": {"color": line.pen.color, "width": 0.8}}
    return trace


def _marks(field: Field, lines: Sequence[Line], frames: Mapping[str | None, pl.DataFrame]) -> Iterator[dict[str, Any]]:
    """Crosses where a line's points are suspect, a trace for each line: a second sign beside colour."""
    found = [suspects(frames.get(line.well, _NO_RECORDS), line, field) for line in lines]
    first = next((number for number, (x, _, _) in enumerate(found) if x), None)
    for number, (line, (x, y, text)) in enumerate(zip(lines, found, strict=True)):
        yield {
            "type": "scatter", "mode": "markers", "name": "suspect", "x": x, "y": y, "text": text,
            "yaxis": line.axis, "showlegend": number == first,
            "hovertemplate": f"{line.name}: %{{text}}<extra>suspect</extra>",
            "marker": {"symbol": "x-thin", "size": 7, "line": {"width": 1.4, "color": SUSPECT}},
        }  # fmt: skip


def _rates(frame: pl.DataFrame, *, injector: bool) -> list[str]:
    """The rates that were measured: those of the well's purpose, zero or not, and any other that is not zero."""
    moved = [name for name in RATES if frame.select((pl.col(name).fill_null(0) != 0).any()).item()]
    return [name for name in _measured(frame, RATES) if name in moved or name.startswith("injected") == injector]


def _measured(frame: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """The columns with any value, zero or not: what is zero now may move while the page is open."""
    return [name for name in columns if frame[name].null_count() < frame.height]


def _by_well(frame: pl.DataFrame) -> dict[str | None, pl.DataFrame]:
    return {str(name): rows for (name,), rows in frame.group_by("well", maintain_order=True)}


def _may_have(by_well: Mapping[str | None, pl.DataFrame], well: Well, column: str) -> bool:
    """Whether a well has measured the column, or has not reported yet and may begin while the page is open."""
    rows = by_well.get(well.id)
    return rows is None or rows[column].null_count() < rows.height


def _time() -> dict[str, object]:
    """The field's clock; the chart's caption says whose it is, which leaves the axis to the lines."""
    return axis(None, type="date", hoverformat="%Y-%m-%d %H:%M:%S")


def _brush() -> dict[str, object]:
    return {
        "xaxis": _time()
        | {
            "rangeselector": {"buttons": _RANGES, "y": -0.34, "yanchor": "top", "x": 1, "xanchor": "right"},
            "rangeslider": {"thickness": 0.06},
        }
    }


def _two_axes() -> dict[str, object]:
    return {
        "yaxis": axis("Liquids, Sm³/d", rangemode="tozero"),
        "yaxis2": axis("Gas, Sm³/d", overlaying="y", side="right", rangemode="tozero", showgrid=False, tickmode="auto"),
    }

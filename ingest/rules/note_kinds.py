"""Kinds of rules about what a source noted while it read: the row is kept, and says what is doubtful about it."""

from collections.abc import Callable
from typing import Final

import polars as pl

from ingest.rules.kind import GROUPS, RuleKind, Test, Values
from ingest.rules.rule import Row, Severity
from storage.domain.record import QUANTITY_COLUMNS


def _kind(name: str, means: str, columns: tuple[str, ...], told: Callable[[str, Row], str]) -> RuleKind:
    """A kind that is broken by the note "<name>-<column>"."""

    def tested(column: str, _: Values) -> Test:
        return Test(
            lambda row: told(column, row),
            pl.col("noted").list.contains(pl.lit(f"{name}-{column}")),
            quiet=lambda batch: batch.empty("noted"),
        )

    return RuleKind(name, means, columns, tested, severities=(Severity.SUSPECT,))


NOTE_KINDS: Final = (
    _kind(
        "no_reading",
        "The source itself says that the gauge had no reading.",
        GROUPS["states"],
        lambda column, _: f"{column} has no reading: its source says 0 where the gauge gave none",
    ),
    _kind(
        "field_inferred",
        "The row names no field; that of the well's other rows was taken.",
        ("field",),
        lambda _, row: f"field is '{row['field']}' by the well's other rows: this one leaves it out",
    ),
    _kind(
        "lease_missing",
        "A completion of the well names no lease.",
        ("well",),
        lambda _, row: f"a completion of '{row['well']}' names no lease",
    ),
    _kind(
        "fluid_assumed",
        "The source gives a volume without saying of which fluid.",
        QUANTITY_COLUMNS,
        lambda column, row: f"{column} is {row[column]:.10g} Sm3 of a fluid that nothing names",
    ),
    _kind(
        "completions_conflict",
        "A completion of the well was reported twice with different contents.",
        ("well",),
        lambda _, row: f"a completion of '{row['well']}' was reported twice with different contents",
    ),
    _kind(
        "completions_incomplete",
        "A completion of the well was refused: the sum may be short.",
        ("well",),
        lambda _, row: f"a completion of '{row['well']}' was refused: the sum may be short",
    ),
)

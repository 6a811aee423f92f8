"""Kinds of rules that a well's recent past decides: what was stored before the row, of that well and resolution."""

from typing import Final

from ingest.rules.kind import GROUPS, RuleKind, Test, Values, with_unit
from ingest.rules.parameter import Parameter, Sort
from ingest.rules.rule import SETTLED, Frozen, Jump, Severity

DEEPEST: Final = 500
"""The most records back that a rule may look."""

_SUSPECT: Final = (Severity.SUSPECT,)
_H_S: Final = 3_600.0
_REACH: Final = Parameter("reach_h", "h", "what started longer before the row is not looked at", 2_400, 0.01, 87_660)
_JUDGED: Final = (*GROUPS["volumes"], *GROUPS["states"])


def _jump(column: str, values: Values) -> Test:
    past = Jump(
        window=values["window"],
        least=min(values["least"], values["window"]),
        threshold=values["threshold"],
        floor_share=values["floor_pct"] / 100.0,
        floor=values["floor"],
        step=values["step_pct"] / 100.0,
        reach_s=values["reach_h"] * _H_S,
    )
    told = f"far from the median of the last {past.window} records"
    return Test(with_unit(column, told), past=past)


def _frozen(column: str, values: Values) -> Test:
    past = Frozen(values["records"], values["reach_h"] * _H_S)
    return Test(with_unit(column, f"the same number {past.records} times in a row"), past=past)


PAST_KINDS: Final = (
    RuleKind(
        "jump",
        "A reading is not far from the well's recent ones. Volumes are compared as rates per day on stream; a record"
        " with 0 s on stream or a volume of 0 is a well that stands still: neither judged nor looked at, so that a"
        f" restart is compared with the flow before the stop. A new level is believed after {SETTLED} records.",
        _JUDGED,
        _jump,
        (
            Parameter("window", "records", "how many records back are looked at", 30, 5, DEEPEST, Sort.COUNT),
            Parameter("least", "records", "with fewer measured ones nothing is said", 10, 3, DEEPEST, Sort.COUNT),
            Parameter("threshold", "", "how many robust standard deviations (1.4826 x MAD) are too far", 8, 1, 1_000),
            Parameter("floor_pct", "%", "the deviation is taken as at least so much of the median", 5, 0, 1_000),
            Parameter("floor", "in the column's unit, for volumes Sm3/d", "and as at least so much", 0, 0, None),
            Parameter("step_pct", "%", "a smaller change against the last three records is no jump", 25, 0, 1_000),
            _REACH,
        ),
        severities=_SUSPECT,
    ),
    RuleKind(
        "frozen",
        "A gauge does not give exactly the same number many times in a row. A record without a reading begins anew, as"
        " does one with 0 s on stream.",
        _JUDGED,
        _frozen,
        (
            Parameter("records", "records", "from so many equal ones on it is frozen", 20, 3, DEEPEST, Sort.COUNT),
            _REACH,
        ),
        severities=_SUSPECT,
    ),
)

"""The recent past of wells: a bounded ring of records for each well and resolution, and what it says of new rows.

Decides; reads nothing. The last ``depth`` records decide, whoever keeps them, so that a ring that was filled while
records came and one that was read back from storage give the same answers.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from ingest.rules.rule import SETTLED, Frozen, Jump, Rule
from storage.domain.record import QUANTITIES, Kind

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

Group: TypeAlias = tuple[str, str]
"""A well's id and a resolution."""

Starts: TypeAlias = dict[Group, int]
"""When each group's first row starts, in microseconds since 1970."""

NEVER_US: Final = -(2**62)
_NEVER_AGAIN: Final = 2**62
SIGMA_OF_MAD: Final = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation."""

_DAY_S: Final = 86_400.0
_VOLUMES: Final = frozenset(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.VOLUME)


def signals(rows: pl.DataFrame, columns: Sequence[str]) -> Floats:
    """What rules on the past compare, (rows, columns): volumes as rates per day on stream, states as they are; NaN
    where nothing was measured or the well stood still (0 s on stream, or a volume of 0)."""
    on_stream = rows["on_stream_s"].to_numpy()
    seconds = rows["seconds"].to_numpy().astype(np.float64)
    flowing = np.where(np.isnan(on_stream), seconds, on_stream)
    flowing[flowing <= 0] = np.nan
    found = np.empty((rows.height, len(columns)))
    for at, column in enumerate(columns):
        values = rows[column].to_numpy()
        if column in _VOLUMES:
            found[:, at] = np.where(values > 0, values, np.nan) * _DAY_S / flowing
        else:
            found[:, at] = np.where(np.isnan(flowing), np.nan, values)
    return found


def earliest(rows: pl.DataFrame) -> Starts:
    """The earliest start of each group."""
    found: Starts = {}
    starts = rows["start"].to_physical().to_list()
    for well, resolution, start in zip(rows["well"].to_list(), rows["resolution"].to_list(), starts, strict=True):
        group = (well, resolution)
        if start < found.get(group, _NEVER_AGAIN):
            found[group] = start
    return found


def of_groups(rows: pl.DataFrame, groups: Collection[Group]) -> pl.DataFrame:
    """The rows of some groups."""
    if not groups:
        return rows.clear()
    pairs = zip(rows["well"].to_list(), rows["resolution"].to_list(), strict=True)
    return rows.filter(pl.Series([pair in groups for pair in pairs], dtype=pl.Boolean))


class Recent:
    """Rings of the last records of groups, oldest overwritten first."""

    def __init__(self, columns: Sequence[str], depth: int) -> None:
        self.columns = tuple(columns)
        self.depth = depth = max(depth, SETTLED)
        self._slots: dict[Group, int] = {}
        self._free: list[int] = []
        self._values = np.empty((0, depth, len(columns)))
        self._starts = np.empty((0, depth), dtype=np.int64)
        self._head = np.empty(0, dtype=np.int64)
        self._newest = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, group: Group) -> bool:
        return group in self._slots

    def newest_us(self, group: Group) -> int:
        """When the newest record of a group starts, in microseconds since 1970; NEVER_US without one."""
        return int(self._newest[self._slots[group]]) if group in self._slots else NEVER_US

    def begin(self, groups: Sequence[Group]) -> None:
        """Begin these groups anew, without records."""
        if not groups:
            return
        fresh = [group for group in dict.fromkeys(groups) if group not in self._slots]
        self._grow(len(fresh) - len(self._free))
        for group in fresh:
            self._slots[group] = self._free.pop()
        slots = [self._slots[group] for group in groups]
        self._values[slots] = np.nan
        self._starts[slots] = NEVER_US
        self._head[slots] = 0
        self._newest[slots] = NEVER_US

    def forget(self, groups: Sequence[Group]) -> None:
        """Give up what is known of these groups."""
        for group in groups:
            slot = self._slots.pop(group, None)
            if slot is not None:
                self._free.append(slot)

    def groups(self) -> list[Group]:
        """Every group that is kept."""
        return list(self._slots)

    def append(self, rows: pl.DataFrame) -> None:
        """Add records (well, resolution, start, seconds, on_stream_s and the columns) to groups that have begun, each
        later than all that its group has."""
        if rows.is_empty():
            return
        laid = _Laid(rows, self._slots)
        values = signals(rows, self.columns)[laid.carriers]
        kept = laid.left < self.depth
        slots, at = laid.slots[kept], (self._head[laid.slots] + laid.rank)[kept] % self.depth
        self._values[slots, at] = values[kept]
        self._starts[slots, at] = laid.starts[kept]
        last = laid.left == 0
        self._head[laid.slots[last]] += laid.rank[last] + 1
        self._newest[laid.slots[last]] = laid.starts[last]

    def broken(self, rows: pl.DataFrame, rules: Sequence[Rule]) -> Mapping[str, Flags]:
        """Which rows break which rules, by the rules' codes; rules that no row breaks are left out.

        A row is compared with the records of its group that start before it: those kept, and those among the rows
        themselves. All its groups must have begun.
        """
        if rows.is_empty() or not rules:
            return {}
        laid = _Laid(rows, self._slots)
        offered = signals(rows, self.columns)
        window = _Window(self._values, self._starts, self._head, laid, offered[laid.carriers])
        nearest = window.nearest()
        settled, previous = _of_three(nearest), nearest[0]
        found = {}
        for rule in rules:
            at = self.columns.index(rule.column)
            if isinstance(rule.past, Jump):
                flags = _jumps(rule.past, window, offered[:, at], settled[:, at], at)
            elif isinstance(rule.past, Frozen):
                flags = _frozen(rule.past, window, offered[:, at], previous[:, at], at)
            else:
                continue
            if flags is not None:
                found[rule.code] = flags
        return found

    def _grow(self, lacking: int) -> None:
        """Make room for at least so many groups more."""
        if lacking <= 0:
            return
        size = len(self._head)
        more = max(16, size, lacking)
        self._values = np.concatenate([self._values, np.empty((more, self.depth, len(self.columns)))])
        self._starts = np.concatenate([self._starts, np.empty((more, self.depth), dtype=np.int64)])
        self._head = np.concatenate([self._head, np.empty(more, dtype=np.int64)])
        self._newest = np.concatenate([self._newest, np.empty(more, dtype=np.int64)])
        self._free += range(size + more - 1, size - 1, -1)


class _Laid:
    """Rows in the order of their groups and starts. Rows of one group and start are revisions of one record: the last
    of them carries it. ``carriers`` are their row numbers; ``slots``, ``starts``, ``rank`` (0 for a group's first) and
    ``left`` (how many follow in the group) go with them; ``carrier`` is each row's place among them."""

    def __init__(self, rows: pl.DataFrame, slots: Mapping[Group, int]) -> None:
        groups = zip(rows["well"].to_list(), rows["resolution"].to_list(), strict=True)
        slot = np.array([slots[group] for group in groups], dtype=np.int64)
        starts = rows["start"].to_physical().to_numpy()
        order = np.lexsort((starts, slot))
        slot, starts = slot[order], starts[order]
        last = np.ones(len(order), dtype=np.bool_)
        last[:-1] = (slot[1:] != slot[:-1]) | (starts[1:] != starts[:-1])
        place: Ints = np.cumsum(last) - last
        self.carrier = np.empty(len(order), dtype=np.int64)
        self.carrier[order] = place
        self.carriers: Ints = order[last]
        self.slots: Ints = slot[last]
        self.starts: Ints = starts[last]
        number = np.arange(len(self.slots))
        first = np.ones(len(number), dtype=np.bool_)
        first[1:] = self.slots[1:] != self.slots[:-1]
        self.rank: Ints = number - np.maximum.accumulate(np.where(first, number, 0))
        sizes = np.diff(np.append(np.flatnonzero(first), len(number)))
        self.left: Ints = np.repeat(sizes, sizes) - 1 - self.rank


class _Window:
    """The records before each row, of what is kept and of the rows themselves."""

    def __init__(self, values: Floats, starts: Ints, head: Ints, laid: _Laid, offered: Floats) -> None:
        self._values = values
        self._starts = starts
        self._head = head
        self._laid = laid
        self._offered = offered
        self.records: Ints = (head[laid.slots] + laid.rank)[laid.carrier]
        """How many records there were before each row, as far as is known."""

    def nearest(self) -> Floats:
        """Signals of all columns in the SETTLED records before every row, (nearest first, rows, columns)."""
        rows = np.arange(len(self._laid.carrier))
        carrier, back, inside, ring = self._places(rows, SETTLED)
        slots = self._laid.slots[carrier]
        layers = [
            np.where(inside[:, [step]], self._offered[np.maximum(back[:, step], 0)], self._values[slots, ring[:, step]])
            for step in range(SETTLED)
        ]
        return np.stack(layers)

    def before(self, rows: Ints, at: int, count: int) -> Floats:
        """Signals of one column in the ``count`` records before these rows, nearest first."""
        carrier, back, inside, ring = self._places(rows, count)
        slots = self._laid.slots[carrier][:, None]
        found: Floats = np.where(inside, self._offered[np.maximum(back, 0), at], self._values[slots, ring, at])
        return found

    def age_s(self, rows: Ints, count: int) -> Floats:
        """How long before these rows those records started."""
        carrier, back, inside, ring = self._places(rows, count)
        slots = self._laid.slots[carrier][:, None]
        starts: Ints = np.where(inside, self._laid.starts[np.maximum(back, 0)], self._starts[slots, ring])
        age_s: Floats = (self._laid.starts[carrier][:, None] - starts) / 1e6
        return age_s

    def _places(self, rows: Ints, count: int) -> tuple[Ints, Ints, Flags, Ints]:
        carrier = self._laid.carrier[rows]
        steps = np.arange(1, count + 1)
        rank = self._laid.rank[carrier][:, None]
        depth = self._values.shape[1]
        ring = (self._head[self._laid.slots[carrier]][:, None] - (steps - rank)) % depth
        return carrier, carrier[:, None] - steps, steps <= rank, ring


def _of_three(layers: Floats) -> Floats:
    """The median of three layers but NaN; NaN where all three are."""
    one, two, three = layers
    middle: Floats = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))
    some = np.isnan(middle)
    if some.any():
        middle[some] = medians(np.stack([layer[some] for layer in layers], axis=1))[0]
    return middle


def _jumps(jump: Jump, window: _Window, values: Floats, settled: Floats, at: int) -> Flags | None:
    """Which values jump; None when none does. Few differ from the last three, and only those are looked at closely."""
    step = jump.step * np.maximum(np.abs(values), np.abs(settled))
    leaps = ~(np.abs(values - settled) <= step) & ~np.isnan(values) & (window.records >= jump.least)
    rows = np.flatnonzero(leaps)
    if not rows.size:
        return None
    past = window.before(rows, at, jump.window)
    past[window.age_s(rows, jump.window) > jump.reach_s] = np.nan
    return _flagged(len(values), rows[is_jump(jump, values[rows], past)])


def is_jump(jump: Jump, values: Floats, past: Floats) -> Flags:
    """Whether values are far from the median of their past (a row each, NaN is not measured)."""
    middle, measured = medians(past)
    deviation, _ = medians(np.abs(past - middle[:, None]))
    scale = np.maximum(np.maximum(SIGMA_OF_MAD * deviation, jump.floor_share * np.abs(middle)), jump.floor)
    far: Flags = (measured >= jump.least) & (np.abs(values - middle) > jump.threshold * scale)
    return far


def medians(values: Floats) -> tuple[Floats, Ints]:
    """The median of each row's numbers but NaN (NaN without any), and how many there are."""
    ordered = np.sort(values, axis=1)  # NaN goes last
    measured = np.count_nonzero(~np.isnan(ordered), axis=1)
    rows = np.arange(len(ordered))
    low, high = np.maximum(measured - 1, 0) // 2, np.minimum(measured // 2, ordered.shape[1] - 1)
    middle = (ordered[rows, low] + ordered[rows, high]) / 2.0
    return np.where(measured > 0, middle, np.nan), measured


def _frozen(frozen: Frozen, window: _Window, values: Floats, previous: Floats, at: int) -> Flags | None:
    """Which values end a run of equal ones that is long enough; None when none does."""
    rows = np.flatnonzero(values == previous)
    if not rows.size:
        return None
    rows = rows[(window.before(rows, at, frozen.depth) == values[rows][:, None]).all(axis=1)]
    return _flagged(len(values), rows[window.age_s(rows, frozen.depth).max(axis=1, initial=0.0) <= frozen.reach_s])


def _flagged(size: int, rows: Ints) -> Flags | None:
    if not rows.size:
        return None
    flags = np.zeros(size, dtype=np.bool_)
    flags[rows] = True
    return flags

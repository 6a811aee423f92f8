"""Rule documents: YAML text becomes the rules that judge, or all its faults are told at once. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

import polars as pl

from ingest.rules.kind import QUALITY
from ingest.rules.reading import Entry, Reading
from ingest.rules.rule import Glance, Rule, RuleSet
from storage.domain.record import Resolution

DIGEST_LETTERS: Final = 12
KINDS_VERSION: Final = 1
"""Changes with every change of what a kind of rule means, so that the digest does too."""


@cache
def default() -> RuleSet:
    """The rules that Wellstream brings."""
    return parsed(default_text(), "default.yaml")


def default_text() -> str:
    """The document of the rules that Wellstream brings."""
    return files("ingest.rules").joinpath("default.yaml").read_text(encoding="utf-8")


def parsed(text: str, name: str) -> RuleSet:
    """The rules of a document; ``name`` is what a person calls it.

    Raises:
        RulesFaulty: names every fault with rule, key, value and what is allowed.
    """
    reading = Reading(name, _default_entries)
    content = reading.loaded(text)
    rules = reading.rules_of(content)
    version = reading.version(content)
    reading.raise_faults()
    document = {"version": version, "kinds": KINDS_VERSION, "rules": [_plain(entry) for entry in rules]}
    return RuleSet(version, digest(document), tuple(rule for entry in rules for rule in _made(entry)), document)


def digest(document: Mapping[str, Any]) -> str:
    """The start of the SHA-256 of a document: comments, titles, order of keys and its version do not count."""
    content = {key: value for key, value in document.items() if key != "version"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGEST_LETTERS]


def _plain(entry: Entry) -> dict[str, Any]:
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in entry.values.items()}
    return {
        "id": entry.id,
        "kind": entry.kind.name,
        "columns": list(entry.columns),
        "severity": str(entry.severity),
        "weight": entry.weight,
        "applies_to": {key: list(words) for key, words in entry.applies_to.items()},
        "explanation": entry.explanation,
        "parameters": values,
    }


def _made(entry: Entry) -> list[Rule]:
    """The rules of an entry, one a column."""
    applies = _applies(entry.applies_to)
    made = []
    for column in entry.columns:
        test = entry.kind.tested(column, entry.values)
        if test is None:
            continue
        broken = test.broken if applies is None or test.broken is None else test.broken & applies
        rule = Rule(
            name=entry.id,
            column=column,
            kind=entry.kind.name,
            severity=entry.severity,
            sentence=test.sentence,
            broken=None if broken is None else broken.alias(f"{entry.id}-{column}"),
            past=test.past,
            applies=applies,
            quiet=_quiet(test.quiet, frozenset(entry.applies_to.get("resolution", Resolution))),
            weight=entry.weight,
            in_context=entry.kind.in_context or "purpose" in entry.applies_to,
            breakable=column not in entry.kind.indispensable and column != QUALITY.column,
            blanks=entry.kind.blanks,
            explanation=entry.explanation,
        )
        made.append(rule)
    return made


def _applies(to: Mapping[str, Sequence[str]]) -> pl.Expr | None:
    if not to:
        return None
    return pl.all_horizontal(pl.col(key).is_in(list(words)).fill_null(value=False) for key, words in to.items())


def _quiet(quiet: Callable[[Glance], bool], resolutions: frozenset[str]) -> Callable[[Glance], bool]:
    if resolutions == frozenset(Resolution):
        return quiet
    return lambda batch: resolutions.isdisjoint(batch.words("resolution")) or quiet(batch)


@cache
def _default_entries() -> tuple[Entry, ...]:
    reading = Reading("default.yaml", tuple)
    entries = tuple(reading.rules_of(reading.loaded(default_text())))
    reading.raise_faults()
    return entries

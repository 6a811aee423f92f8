"""Reads rule documents: checks every key and value, fills in defaults, and collects all faults. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, Final

import yaml

from ingest.rules.kind import DECLARED, GROUPS, QUALITY, RuleKind
from ingest.rules.kinds import KINDS
from ingest.rules.rule import Severity
from storage.domain.errors import RulesFaulty
from storage.domain.record import Resolution

TEXT_LIMIT: Final = 512 * 1024
FAULTS_TOLD: Final = 50

PURPOSES: Final = ("producer", "injector")
_DOCUMENT_KEYS: Final = ("version", "title", "extends", "without", "rules")
_RULE_KEYS: Final = ("id", "kind", "columns", "severity", "weight", "applies_to", "explanation")
_APPLIES_KEYS: Final = ("resolution", "field", "purpose")
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]{0,39}")
_EXPLANATION_LETTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule of a document, checked, with defaults filled in."""

    id: str
    kind: RuleKind
    columns: tuple[str, ...]
    severity: Severity
    weight: float
    applies_to: Mapping[str, Sequence[str]]
    explanation: str
    values: Mapping[str, Any]


class Reading:
    """Reads one document and collects what is wrong with it."""

    def __init__(self, name: str, default: Callable[[], Sequence[Entry]]) -> None:
        """``default`` gives the rules of the document that may be extended."""
        self._name = name
        self._default = default
        self._faults: list[str] = []

    def raise_faults(self) -> None:
        """End here if anything was wrong.

        Raises:
            RulesFaulty: names every fault with rule, key, value and what is allowed.
        """
        if self._faults:
            told = self._faults[:FAULTS_TOLD]
            more = len(self._faults) - len(told)
            message = f"{self._name}: {'; '.join(told)}" + (f"; and {more} more faults" if more else "")
            raise RulesFaulty(message)

    def loaded(self, text: str) -> dict[str, Any]:
        """The document as a mapping; what is none is the only fault that is told then."""
        if len(text) > TEXT_LIMIT:
            self._fault("the document", f"is longer than {TEXT_LIMIT:,} characters")
            self.raise_faults()
        try:
            content = yaml.load(text, _Strict)  # noqa: S506 (a SafeLoader)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            self._fault("the document", f"is not YAML: {' '.join(str(error).split())}")
            self.raise_faults()
        if not isinstance(content, dict):
            self._fault("the document", "is not a mapping with version and rules")
            self.raise_faults()
        found: dict[str, Any] = content
        self._strangers("the document", found, _DOCUMENT_KEYS)
        return found

    def version(self, content: Mapping[str, Any]) -> str:
        """The document's version as text."""
        version = content.get("version")
        text = str(version) if type(version) in (int, str) else ""
        if not _VERSION.fullmatch(text):
            self._wrong("the document", "version", version, "a text of at most 40 letters, digits, points and _")
        return text

    def rules_of(self, content: Mapping[str, Any]) -> list[Entry]:
        """All rules, those of the document that it extends first; a rule of the same id takes the place of that."""
        extended = {entry.id: entry for entry in self._extended(content)}
        own = self._own(content)
        for entry in own:
            extended[entry.id] = entry
        if content.get("extends") in (None, "default"):
            self._lacking(list(extended.values()))
        return list(extended.values())

    def _extended(self, content: Mapping[str, Any]) -> list[Entry]:
        base, without = content.get("extends"), content.get("without", [])
        if base not in (None, "default"):
            self._wrong("the document", "extends", base, "'default', or nothing")
        if not isinstance(without, list) or (without and base is None):
            self._wrong("the document", "without", without, "a list of ids of rules of the document that is extended")
            without = []
        if base != "default":
            return []
        entries = self._default()
        ids = {entry.id for entry in entries}
        for stranger in (word for word in without if not isinstance(word, str) or word not in ids):
            self._wrong("the document", "without", stranger, f"an id of the default rules{_meant(stranger, ids)}")
        return [entry for entry in entries if entry.id not in without]

    def _own(self, content: Mapping[str, Any]) -> list[Entry]:
        rules = content.get("rules", [] if content.get("extends") else None)
        if not isinstance(rules, list):
            self._wrong("the document", "rules", rules, "a list of rules")
            return []
        found: dict[str, Entry] = {}
        for number, rule in enumerate(rules, start=1):
            entry = self._entry(f"rule {number}", rule)
            if entry is None:
                continue
            if entry.id in found:
                self._wrong(f"rule {number}", "id", entry.id, "an id that no other rule of the document has")
            found[entry.id] = entry
        return list(found.values())

    def _entry(self, where: str, rule: object) -> Entry | None:
        """A rule of the document; None when it is too faulty to go on with."""
        if not isinstance(rule, dict):
            self._fault(where, f"is {rule!r}, but a rule is a mapping with id, kind, severity and explanation")
            return None
        name = rule.get("id")
        if isinstance(name, str) and _ID.fullmatch(name):
            where = f"{where} ({name})"
        else:
            self._wrong(where, "id", name, "a text of at most 40 small letters, digits and _, a letter first")
        kind = KINDS.get(str(rule.get("kind")))
        if kind is None:
            allowed = f"one of {', '.join(KINDS)}"
            self._wrong(where, "kind", rule.get("kind"), allowed + _meant(rule.get("kind"), KINDS))
            return None
        self._strangers(where, rule, (*_RULE_KEYS, *kind.by_name))
        return self._checked(where, rule, kind)

    def _checked(self, where: str, rule: Mapping[str, Any], kind: RuleKind) -> Entry:
        severity = self._severity(where, rule, kind)
        return Entry(
            id=str(rule.get("id")),
            kind=kind,
            columns=self._columns(where, rule, kind),
            severity=severity,
            weight=self._weight(where, rule, severity),
            applies_to=self._applies_to(where, rule),
            explanation=self._explanation(where, rule),
            values=self._values(where, rule, kind),
        )

    def _severity(self, where: str, rule: Mapping[str, Any], kind: RuleKind) -> Severity:
        given = rule.get("severity")
        if given not in list(kind.severities):
            self._wrong(where, "severity", given, f"{' or '.join(kind.severities)} for the kind {kind.name}")
            return kind.severities[0]
        return Severity(str(given))

    def _weight(self, where: str, rule: Mapping[str, Any], severity: Severity) -> float:
        weight = rule.get("weight")
        if severity is Severity.QUARANTINE:
            if weight is not None:
                self._wrong(where, "weight", weight, "left out: what is quarantined has no quality")
            return 0.0
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1:
            self._wrong(where, "weight", weight, "a number above 0 and at most 1, the share of the quality it takes")
            return 1.0
        return float(weight)

    def _columns(self, where: str, rule: Mapping[str, Any], kind: RuleKind) -> tuple[str, ...]:
        given = rule.get("columns")
        if kind.fixed:
            if given is not None:
                self._wrong(where, "columns", given, f"left out: the kind {kind.name} is about {kind.columns[0]}")
            return kind.columns
        if not isinstance(given, list) or not given:
            self._wrong(where, "columns", given, "a list of columns")
            return ()
        found: dict[str, None] = {}
        words = {*kind.columns, *GROUPS}
        for word in given:
            if not isinstance(word, str) or word not in words:
                allowed = f"a column that the kind {kind.name} takes or one of {', '.join(GROUPS)}"
                self._wrong(where, "columns", word, allowed + _meant(word, words))
                continue
            found |= {name: None for name in GROUPS.get(word, (word,)) if name in kind.columns}
        return tuple(found)

    def _applies_to(self, where: str, rule: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        given = rule.get("applies_to", {})
        if not isinstance(given, dict):
            self._wrong(where, "applies_to", given, f"a mapping with {', '.join(_APPLIES_KEYS)}")
            return {}
        self._strangers(f"{where}, applies_to", given, _APPLIES_KEYS)
        words = {"resolution": tuple(Resolution), "purpose": PURPOSES}
        found = {}
        for key in (key for key in _APPLIES_KEYS if key in given):
            listed = given[key]
            fine = isinstance(listed, list) and listed and all(isinstance(word, str) for word in listed)
            if not fine or (key in words and not set(listed) <= set(words[key])):
                allowed = f"a list of {' and '.join(words[key])}" if key in words else "a list of field ids"
                self._wrong(where, f"applies_to.{key}", listed, allowed)
                continue
            found[key] = tuple(listed)
        return found

    def _explanation(self, where: str, rule: Mapping[str, Any]) -> str:
        given = rule.get("explanation")
        if not isinstance(given, str) or not 0 < len(given.strip()) <= _EXPLANATION_LETTERS:
            self._wrong(where, "explanation", given, f"a text of at most {_EXPLANATION_LETTERS} letters")
            return ""
        return " ".join(given.split())

    def _values(self, where: str, rule: Mapping[str, Any], kind: RuleKind) -> Mapping[str, Any]:
        values = {}
        for parameter in kind.parameters:
            value = rule.get(parameter.name)
            if value is None:
                if parameter.needed:
                    self._wrong(where, parameter.name, None, parameter.allowed())
                value = parameter.default
            elif not parameter.fits(value):
                self._wrong(where, parameter.name, value, parameter.allowed())
            values[parameter.name] = value
        self._bounds(where, kind, values)
        return values

    def _bounds(self, where: str, kind: RuleKind, values: Mapping[str, Any]) -> None:
        if not {"low", "high"} <= values.keys():
            return
        low, high = values["low"], values["high"]
        if low is None and high is None:
            self._fault(where, "has neither low nor high, but a range has at least one of them")
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            self._wrong(where, "low", low, f"at most high, which is {high!r}")
        if kind.name == "range" and [low, high] == [DECLARED, DECLARED]:
            self._wrong(where, "low", low, "declared for one bound a rule, so that each is told by its own name")

    def _lacking(self, entries: Sequence[Entry]) -> None:
        """Rules without which a row could not be stored are there, for every row."""
        held = {
            (entry.kind.name, column)
            for entry in entries
            if entry.severity is Severity.QUARANTINE and not entry.applies_to
            for column in entry.columns
        }
        missing = [
            f"{kind.name} ({', '.join(columns)})"
            for kind in KINDS.values()
            if (columns := [column for column in kind.indispensable if (kind.name, column) not in held])
        ]
        missing += [
            f"range ({QUALITY.column}, {side} declared)"
            for side in ("low", "high")
            if not any(_bounds_quality(entry, side) for entry in entries)
        ]
        if missing:
            told = "has no rules of severity quarantine and for all rows of the kinds without which a row could not be"
            self._fault("the document", f"{told} stored: {', '.join(missing)} (extends: default brings them)")

    def _strangers(self, where: str, given: Mapping[Any, Any], known: Sequence[str]) -> None:
        for key in (key for key in given if key not in known):
            self._fault(where, f"has the key {key!r}, which is none of {', '.join(known)}{_meant(key, known)}")

    def _wrong(self, where: str, key: str, value: object, allowed: str) -> None:
        told = "missing" if value is None else _short(value)
        self._fault(where, f"{key} is {told}, but it is {allowed}")

    def _fault(self, where: str, told: str) -> None:
        self._faults.append(f"{where}{'' if told.startswith(('is ', 'has ')) else ':'} {told}")


def _bounds_quality(entry: Entry, side: str) -> bool:
    """Whether an entry keeps an outside quality on one side of 0 to 1."""
    return (
        entry.kind.name == "range"
        and QUALITY.column in entry.columns
        and entry.values[side] == DECLARED
        and entry.severity is Severity.QUARANTINE
        and not entry.applies_to
    )


def _meant(word: object, known: Sequence[str] | Mapping[str, object] | set[str]) -> str:
    close = get_close_matches(str(word), list(known), n=1)
    return f" ({close[0]}?)" if close else ""


def _short(value: object) -> str:
    text = repr(value.isoformat() if isinstance(value, date) else value)
    return text if len(text) <= 60 else text[:57] + "..."


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping: the first would be lost silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                message = f"the key {key!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep)

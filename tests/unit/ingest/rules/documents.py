"""Rule documents for tests."""

from typing import Any

from ingest.parse import parsed_rows
from ingest.rules.document import parsed
from ingest.rules.rule import RuleSet
from ingest.verify import verified
from tests.unit.ingest.candidates import KNOWN, LIVE, NOW


def extending(*rules: str, without: str = "[]") -> RuleSet:
    """The default rules and these, each in YAML's flow style without severity, weight and explanation."""
    rest = "severity: suspect, weight: 0.25, explanation: for a test"
    listed = "".join(f"  - {{{rule}, {rest}}}\n" for rule in rules)
    return parsed(f"version: test.1\nextends: default\nwithout: {without}\nrules:\n{listed}", "test.yaml")


def issues(rules: RuleSet, *rows: dict[str, Any]) -> list[list[str]]:
    """The issues of every row (LIVE with these changes), judged as one batch."""
    judged = verified(parsed_rows([LIVE | row for row in rows], "test"), KNOWN, NOW, rules)
    assert judged.refused == ()
    found: list[list[str]] = judged.records["issues"].to_list()
    return found

"""Rule documents: what is shipped, what a site changes, and every fault told with rule, key and value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rules.document import default, default_text, parsed
from storage.domain.errors import RulesFaulty
from tests.unit.ingest.rules.documents import extending

RULE = "{id: odd, kind: range, columns: [oil_sm3], high: 5, severity: suspect, weight: 0.2, explanation: odd}"


def faults(text: str) -> str:
    with pytest.raises(RulesFaulty) as told:
        parsed(text, "site.yaml")
    message = str(told.value)
    assert message.startswith("site.yaml: ")
    assert "\n" not in message
    return message


def site(rule: str) -> str:
    return f"version: '1'\nextends: default\nrules:\n  - {rule}\n"


def test_the_shipped_document_has_version_and_digest_in_its_audit_id() -> None:
    rules = default()
    assert rules.audit_id == f"rules-{rules.version}-{rules.digest}"
    assert len(rules.digest) == 12


def test_comments_title_and_version_do_not_change_the_digest_but_a_weight_does() -> None:
    text = default_text()
    assert parsed(text.replace("title: Wellstream's own rules", "# nothing"), "a").digest == default().digest
    newer = parsed(text.replace('version: "2"', "version: 3"), "a")
    assert (newer.digest, newer.version) == (default().digest, "3")
    assert parsed(text.replace("weight: 0.3", "weight: 0.4"), "a").digest != default().digest


def test_a_site_may_extend_leave_out_and_replace_rules() -> None:
    text = f"""
        version: site.1
        extends: default
        without: [jump]
        rules:
          - {RULE}
          - {{id: frozen, kind: frozen, columns: [choke_pct], records: 5, severity: suspect, weight: 1, explanation: x}}
        """
    rules = parsed(text, "site.yaml")
    assert {"odd-oil_sm3", "frozen-choke_pct", "below_low-oil_sm3"} <= rules.by_code.keys()
    assert not {"jump-oil_sm3", "frozen-downhole_pressure_bar"} & rules.by_code.keys()


def test_a_document_that_stands_alone_has_the_rules_without_which_a_row_cannot_be_stored() -> None:
    told = faults(f"version: '1'\nrules:\n  - {RULE}\n")
    assert "known_well (well)" in told
    assert "range (quality, low declared)" in told
    assert "extends: default brings them" in told
    alone = parsed(default_text(), "alone.yaml")
    assert alone.digest == default().digest


def test_a_rule_that_is_indispensable_cannot_be_softened() -> None:
    soft = "{id: unknown_well, kind: known_well, severity: suspect, weight: 0.1, explanation: x}"
    assert "severity is 'suspect', but it is quarantine for the kind known_well" in faults(site(soft))
    some = "{id: unknown_well, kind: known_well, severity: quarantine, applies_to: {field: [a]}, explanation: x}"
    assert "known_well (well)" in faults(site(some))


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (RULE.replace("odd,", "Odd,", 1), "rule 1: id is 'Odd', but it is a text of at most 40 small letters"),
        (RULE.replace("kind: range", "kind: rage"), "kind is 'rage', but it is one of known_field"),
        (RULE.replace("oil_sm3", "oil_sm"), "rule 1 (odd): columns is 'oil_sm', but it is a column that"),
        (RULE.replace("[oil_sm3]", "oil_sm3"), "columns is 'oil_sm3', but it is a list of columns"),
        (RULE.replace("high: 5", "high: x"), "high is 'x', but it is a number in the column's unit or declared"),
        (RULE.replace("high: 5", "high: .nan"), "high is nan, but"),
        (RULE.replace("high: 5", "high: 5, low: 6"), "low is 6, but it is at most high, which is 5"),
        (RULE.replace("high: 5, ", ""), "has neither low nor high"),
        (RULE.replace("high: 5", "hihg: 5"), "has the key 'hihg', which is none of"),
        (RULE.replace("0.2", "1.2"), "weight is 1.2, but it is a number above 0 and at most 1"),
        (RULE.replace("0.2", "0"), "weight is 0, but"),
        (RULE.replace("suspect", "quarantine"), "weight is 0.2, but it is left out"),
        (RULE.replace("suspect", "warn"), "severity is 'warn', but it is quarantine or suspect"),
        (RULE.replace(", explanation: odd", ""), "explanation is missing"),
        (RULE.replace("weight", "applies_to: {resolution: [hourly]}, weight"), "applies_to.resolution is ['hourly']"),
        (RULE.replace("weight", "applies_to: {well: [a]}, weight"), "applies_to has the key 'well'"),
        (RULE.replace("weight", "applies_to: all, weight"), "applies_to is 'all', but it is a mapping"),
        ("just text", "rule 1 is 'just text', but a rule is a mapping"),
        ("{id: j, kind: jump, columns: [oil_sm3], window: 2.5, severity: suspect, weight: 1, explanation: x}",
         "window is 2.5, but it is a whole number from 5 to 500 records"),
        ("{id: e, kind: not_before, earliest: 1899-01-01, severity: quarantine, explanation: x}",
         "earliest is '1899-01-01', but it is a date of at least 1900-01-01"),
        ("{id: g, kind: gor, severity: suspect, weight: 1, explanation: x}", "high is missing, but it is a number"),
    ],
)  # fmt: skip
def test_a_fault_names_rule_key_value_and_what_is_allowed(rule: str, told: str) -> None:
    assert told in faults(site(rule))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the document is not a mapping"),
        ("- a", "the document is not a mapping"),
        ("a: [", "the document is not YAML"),
        ("version: '1'\nversion: '2'", "the key 'version' stands twice"),
        ("x: !!python/object:os.system {}", "the document is not YAML"),
        ("version: ''\nextends: default", "version is '', but it is a text"),
        ("version: '1'\nextends: other", "extends is 'other', but it is 'default', or nothing"),
        ("version: '1'\nextends: default\nwithout: [jmp]", "without is 'jmp', but it is an id of the default"),
        ("version: '1'\nextends: default\nwithout: [[]]", "without is [], but it is an id"),
        ("version: '1'\nextends: default\nrules: x", "rules is 'x', but it is a list of rules"),
        ("version: '1'\nextends: default\nextra: 1", "has the key 'extra'"),
        ("version: '1'\nextends: default\nwithout: [unknown_well]", "known_well (well)"),
        (f"version: '1'\nextends: default\nrules: [{RULE}, {RULE}]", "id is 'odd', but it is an id that no other rule"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_told(text: str, told: str) -> None:
    assert told in faults(text)


def test_all_faults_are_told_at_once() -> None:
    told = faults(site(RULE.replace("high: 5", "high: x").replace("0.2", "7").replace("odd}", "''}")))
    assert all(part in told for part in ("high is 'x'", "weight is 7", "explanation is ''"))


def test_words_for_several_columns_take_those_that_the_kind_takes() -> None:
    rules = extending("id: hot, kind: range, columns: [temperatures, oil_sm3], high: 300")
    assert [rule.column for rule in rules.rules if rule.name == "hot"] == [
        "wellhead_temperature_degc", "downhole_temperature_degc", "oil_sm3"
    ]  # fmt: skip


ANY: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["id", "kind", "columns", "severity", "weight", "applies_to", "explanation", "high"]), ANY)
def test_whatever_stands_in_a_rule_is_taken_or_told(key: str, value: object) -> None:
    import yaml

    rule = yaml.safe_load(RULE) | {key: value}
    text = yaml.safe_dump({"version": "1", "extends": "default", "rules": [rule]})
    try:
        told = str(parsed(text, "any.yaml").version)
    except RulesFaulty as error:
        told = str(error)
    assert told == "1" or "rule 1" in told

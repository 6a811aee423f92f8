"""The reference is what the kinds declare, and its example is a document that judges."""

import re
from pathlib import Path
from textwrap import dedent

from ingest.rules import reference
from ingest.rules.document import parsed
from ingest.rules.kinds import KINDS

FILE = Path(reference.__file__).parent / "README.md"


def test_the_reference_is_in_step_with_the_kinds() -> None:
    told = "make it anew: python -m ingest.rules.reference > ingest/rules/README.md"
    assert FILE.read_text(encoding="utf-8") == reference.markdown(), told


def test_every_kind_and_parameter_has_its_line() -> None:
    text = reference.markdown()
    for kind in KINDS.values():
        section = text.split(f"### {kind.name}\n")[1].split("\n##")[0]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == [one.name for one in kind.parameters]


def test_the_example_of_a_site_s_document_can_be_used() -> None:
    example = re.search(r"((?:^    .*\n)+)", FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert example is not None
    rules = parsed(dedent(example[1]), "README.md")
    assert "water_cut_high-water_sm3" in rules.by_code
    assert "jump_of_gauge-downhole_pressure_bar" not in rules.by_code


def test_defaults_are_within_their_bounds() -> None:
    for kind in KINDS.values():
        for parameter in kind.parameters:
            assert parameter.needed or parameter.default is None or parameter.fits(parameter.default), parameter

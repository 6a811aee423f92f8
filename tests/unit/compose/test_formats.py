"""Formats and what each takes beside the file."""

from dataclasses import fields
from pathlib import Path

import pytest

from compose.formats import READERS, Format, Options, check, read
from storage.domain.errors import InputRefused


def test_every_format_has_a_reader_and_takes_what_there_is() -> None:
    assert set(READERS) == set(Format)
    known = {field.name for field in fields(Options)}
    assert all(set(reader.needs) <= set(reader.takes) <= known for reader in READERS.values())


@pytest.mark.parametrize(
    ("form", "options", "told"),
    [
        (Format.VOLVE, Options(mapping=Path("m.yaml")), "the format volve takes no option --mapping; it takes none"),
        (Format.CSV, Options(), "the format csv needs the option --mapping"),
        (Format.CSV, Options(Path(), Path()), "takes no option --reference; it takes --mapping"),
        (Format.CSV, Options(mapping=Path("nowhere.yaml")), "there is no file 'nowhere.yaml'"),
    ],
)
def test_options_that_do_not_fit_a_format_are_refused(form: Format, options: Options, told: str) -> None:
    with pytest.raises(InputRefused, match=told):
        check(form, options)


@pytest.mark.parametrize("form", list(Format))
def test_every_reader_refuses_a_file_that_is_not_there(form: Format, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("field: a\nwell: b\ncolumns: {D: day, O: {is: oil_sm3, unit: Sm3}}")
    options = Options(mapping=tmp_path / "m.yaml") if form is Format.CSV else Options()
    with pytest.raises(InputRefused, match="there is no file"):
        read(form, tmp_path / "nowhere", options)

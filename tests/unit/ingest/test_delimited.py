"""Delimited text: every row with its line, a broken one costs itself and no other."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.delimited import table

cells = st.text(
    st.characters(exclude_characters="\r\x00\ufffd", exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=8
)


def read(text: str, wanted: int = 3, delimiter: str = ",") -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    found = table(text, [f"c{n}" for n in range(wanted)], delimiter)
    return found.rows.rows(), [(one.line, one.what) for one in found.broken]


def test_rows_come_with_their_lines_and_blank_lines_count() -> None:
    assert read('a,b,c\r\n\r\n1,"2,5",3\n') == ([(1, "a", "b", "c"), (3, "1", "2,5", "3")], [])


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_what_a_writer_of_csv_writes_is_read_as_it_was(rows: list[list[str]], delimiter: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    found, broken = read(written.getvalue(), delimiter=delimiter)
    assert (broken, [list(row[1:]) for row in found]) == ([], rows)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("1,2", "which has 2 columns, but there are 3"),
        ("1,2,3,4", "which has 4 columns, but there are 3"),
        ('1,"2,3', "which has a quote that is not closed"),
        ("1,\ufffd,3", "which has bytes that are not of the file's encoding"),
    ],
)
def test_a_broken_line_costs_itself_and_no_other(line: str, what: str) -> None:
    assert read(f'a,"b",c\n{line}\nd,"e",f\n') == ([(1, "a", "b", "c"), (3, "d", "e", "f")], [(2, what)])


def test_two_unclosed_quotes_do_not_swallow_the_rows_between() -> None:
    found, broken = read('1,"2,3\n4,5,6\n7,"8,9\n')
    assert ([row[0] for row in found], [line for line, _ in broken]) == ([2], [1, 3])


def test_a_cell_may_go_on_in_the_next_line() -> None:
    assert read('1,"two\nlines",3\n4,5,6') == ([(1, "1", "two\nlines", "3"), (3, "4", "5", "6")], [])


def test_a_single_column_and_no_line_at_all_are_fine() -> None:
    assert read("a\nb", 1) == ([(1, "a"), (2, "b")], [])
    assert read("", 2) == ([], [])

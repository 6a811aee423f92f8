"""Files are opened with bounds, and refused in one sentence when they cannot be."""

import zipfile
from pathlib import Path

import pytest

from ingest import files
from ingest.files import byte_order_mark, content, decoded, member, require_file
from storage.domain.errors import InputRefused


def packed(path: Path, **parts: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(f"folder/{name}.txt", text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        content(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_file_and_the_one_file_in_a_zip_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    assert content(tmp_path / "a.txt") == b"one"
    assert content(packed(tmp_path / "a.zip", a="two")) == b"two"


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").touch()
    assert refusal(tmp_path / "empty").endswith("is empty")
    assert refusal(tmp_path).endswith("is not a file")
    assert refusal(tmp_path / "none").startswith("there is no file")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))
    assert "a zip archive of 2 files" in refusal(packed(tmp_path / "two.zip", a="1", b="2"))
    assert "is empty" in refusal(packed(tmp_path / "hollow.zip", a=""))
    whole = packed(tmp_path / "whole.zip", a="text" * 1_000).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut short" in refusal(tmp_path / "cut.zip")
    (tmp_path / "hurt.zip").write_bytes(whole[:50] + b"\xff" * 8 + whole[58:])
    assert "damaged or cut short" in refusal(tmp_path / "hurt.zip")
    monkeypatch.setattr(files, "FILE_LIMIT_BYTES", 100)
    assert "unpacks to more than the 100 bytes" in refusal(packed(tmp_path / "bomb.zip", a="x" * 101))


def test_a_file_beyond_the_limit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(2_000))
    with pytest.raises(InputRefused, match="has 2,000 bytes, and at most 1,999 are read at once"):
        require_file(tmp_path / "large", 1_999)


def test_a_member_is_found_in_whatever_folder_it_is(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", a="1", b="2")
    assert (member(archive, "b.txt"), member(archive, "c.txt")) == (b"2", None)


def test_marks_say_the_encoding_and_bad_bytes_are_replaced(tmp_path: Path) -> None:
    assert [byte_order_mark(text) for text in (b"\xef\xbb\xbfa", b"\xff\xfea\x00", b"\xfe\xff\x00a", b"a")] == [
        "utf-8", "utf-16", "utf-16", None
    ]  # fmt: skip
    assert decoded(b"\xef\xbb\xbfa\xff", "utf-8", tmp_path) == "a\ufffd"
    with pytest.raises(InputRefused, match="begins as utf-8, but the encoding given is latin-1"):
        decoded(b"\xef\xbb\xbfa", "latin-1", tmp_path)

"""The command line: one clear sentence for what cannot be, exit 1 or 2, never a traceback, nothing half done."""

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine

from compose import cli
from storage import wells
from storage.database import reading


@pytest.fixture
def wellstream(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, redis_url: str
) -> Iterator[object]:
    """Run the command in this process: (exit status, standard output, standard error); what it set up is taken back."""
    monkeypatch.setenv("WELLSTREAM_DATABASE_URL", database_url)
    monkeypatch.setenv("WELLSTREAM_REDIS_URL", redis_url)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    root_handlers = logging.getLogger().handlers

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wellstream", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
    logging.getLogger().handlers = root_handlers
    structlog.reset_defaults()


def is_one_sentence(text: str) -> bool:
    return text.strip().startswith("wellstream: ") and text.strip().count("\n") == 0 and "Traceback" not in text


FILES = {
    "text.xlsx": b"hello",
    "empty.xlsx": b"",
    "cut.xlsx": b"PK\x03\x04" + b"\x00" * 5_000,
}


@pytest.mark.parametrize("name", [*FILES, "nowhere.xlsx"])
@pytest.mark.parametrize("command", ["load", "replay"])
def test_a_file_that_is_not_what_it_claims_is_one_sentence(
    wellstream: object, engine: Engine, tmp_path: Path, command: str, name: str
) -> None:
    file = tmp_path / name
    if name in FILES:
        file.write_bytes(FILES[name])
    status, out, err = wellstream(command, "volve", str(file))  # type: ignore[operator]
    assert (status, out) == (1, "")
    assert is_one_sentence(err), err
    assert name in err
    with reading(engine) as connection:
        assert wells.all_fields(connection) == []


def test_an_unreachable_database_is_one_sentence(wellstream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLSTREAM_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    for command in (["migrate"], ["simulate"], ["up", "--port", "0"]):
        status, _, err = wellstream(*command)  # type: ignore[operator]
        assert status == 1
        assert is_one_sentence(err), err
        assert "port 9" in err


def test_a_port_in_use_is_one_sentence_that_names_it(wellstream: object) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = wellstream("up", "--port", str(port))  # type: ignore[operator]
    assert status == 1
    assert is_one_sentence(err), err
    assert f"127.0.0.1:{port}" in err


def test_a_data_folder_that_cannot_be_is_one_sentence(wellstream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WELLSTREAM_DATABASE_URL")
    status, _, err = wellstream("migrate", "--data", "/proc/nowhere")  # type: ignore[operator]
    assert status == 1
    assert is_one_sentence(err), err
    assert "/proc/nowhere" in err


def test_faulty_settings_are_told_all_at_once(wellstream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLSTREAM_DATABASE_URL", "mysql://x")
    monkeypatch.setenv("WELLSTREAM_PORT", "abc")
    status, _, err = wellstream("migrate")  # type: ignore[operator]
    assert status == 2
    assert "WELLSTREAM_PORT='abc'" in err
    assert "WELLSTREAM_DATABASE_URL='mysql://x'" in err


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["load", "word", "x"], ["up", "--demo", "--empty"], ["serve", "kitchen"]]
)
def test_what_cannot_be_asked_for_is_refused_with_status_2(wellstream: object, arguments: list[str]) -> None:
    status, out, err = wellstream(*arguments)  # type: ignore[operator]
    assert (status, out) == (2, "")
    assert "Usage" in err


def test_a_speed_that_is_no_speed_is_one_sentence(wellstream: object, volve_file: Path) -> None:
    status, _, err = wellstream("replay", "volve", str(volve_file), "--speed", "0")  # type: ignore[operator]
    assert status == 1
    assert is_one_sentence(err), err


def test_results_are_printed_for_machines_on_request(wellstream: object, volve_file: Path) -> None:
    status, out, _ = wellstream("load", "volve", str(volve_file), "--json")  # type: ignore[operator]
    assert status == 0
    counts = json.loads(out)
    assert (counts["rows"], counts["accepted"], counts["quarantined_by_rule"]) == (15_634, 15_630, {"below_low": 4})
    assert json.loads(wellstream("migrate", "--json")[1]) == {"schema": "0004"}  # type: ignore[operator]


def test_a_mapping_is_proposed_and_loads_its_file(wellstream: object, tmp_path: Path) -> None:
    file, mapping = tmp_path / "d.csv", tmp_path / "m.yaml"
    file.write_text("Date;Well;Oil (bbl)\n31.03.2024;F-1;12,5\n01.04.2024;F-1;much\n")
    status, out, _ = wellstream("mapping", str(file))  # type: ignore[operator]
    assert status == 0
    assert "UNSURE" in out
    mapping.write_text(out.replace("my-field", "Demo"))
    status, out, _ = wellstream("load", "csv", str(file), "--mapping", str(mapping), "--json")  # type: ignore[operator]
    counts = json.loads(out)
    assert (status, counts["accepted"], counts["quarantined_by_rule"]) == (0, 1, {"not_a_number": 1})


def test_a_folder_is_watched_until_a_signal_comes(wellstream: object, tmp_path: Path) -> None:
    folder, mapping = tmp_path / "in", tmp_path / "m.yaml"
    folder.mkdir()
    mapping.write_text("field: Demo\nwell: F-1\ncolumns: {Date: day, Oil: {is: oil_sm3, unit: bbl}}\n")
    for name, text in (("good.csv", "Date,Oil\n2024-01-01,5\n"), ("bad.csv", "x,y\n1,2\n")):
        (folder / name).write_text(text)

    def end() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(folder.glob("*.csv")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    ending = threading.Thread(target=end)
    ending.start()
    status, out, _ = wellstream("watch", str(folder), "csv", "--mapping", str(mapping), "--json")  # type: ignore[operator]
    ending.join()
    assert status == 0
    told = {one["file"]: one for one in map(json.loads, out.splitlines())}
    assert told["good.csv"]["counts"]["accepted"] == 1
    assert told["bad.csv"]["moved_to"] == str(folder / "failed" / "bad.csv")
    assert "lacks the columns" in told["bad.csv"]["error"]


def test_faults_of_a_mapping_are_one_sentence_before_anything_starts(wellstream: object, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("encoding: morse\ncolumns: {}\n")
    for command in (["load", "csv", "x.csv"], ["watch", str(tmp_path), "csv"], ["replay", "csv", "x.csv"]):
        status, out, err = wellstream(*command, "--mapping", str(tmp_path / "m.yaml"))  # type: ignore[operator]
        assert (status, out) == (1, "")
        assert is_one_sentence(err), err
        assert "encoding is 'morse'" in err


def test_an_option_of_another_format_is_one_sentence(wellstream: object, tmp_path: Path) -> None:
    status, _, err = wellstream("load", "volve", "x.xlsx", "--reference", str(tmp_path))  # type: ignore[operator]
    assert status == 1
    assert is_one_sentence(err), err
    assert "--reference" in err


def test_the_doctor_says_what_is_fine_and_what_is_not(wellstream: object) -> None:
    status, out, _ = wellstream("doctor", "--port", "0", "--json")  # type: ignore[operator]
    found = json.loads(out)
    assert status == 0, out
    assert found["schema"] == {"fine": True, "found": "current"}
    assert set(found) == {"python", "port", "postgresql", "redis", "schema"}

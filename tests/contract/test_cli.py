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
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from compose import cli
from storage import migrations, wells
from storage.database import reading
from storage.wells import all_fields
from tests.unit.ingest.workbooks import daily_workbook, day


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
        assert all_fields(connection) == []


def test_an_unreachable_database_is_one_sentence(wellstream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLSTREAM_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    for command in (["migrate"], ["simulate"], ["up", "--port", "0"]):
        status, _, err = wellstream(*command)  # type: ignore[operator]
        assert status == 1
        assert is_one_sentence(err), err
        assert "port 9" in err


@pytest.mark.parametrize("command", [["up"], ["serve", "gateway"]])
def test_a_port_in_use_is_one_sentence_that_names_it(wellstream: object, command: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = wellstream(*command, "--port", str(port))  # type: ignore[operator]
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
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgres://amy:secret@host/x"),
        ("DATABASE_URL", "postgresql://amy:secret@host:port/x"),
        ("DATABASE_URL", "postgresql://amy:secret@:::bad/x"),
        ("DATABASE_URL", "postgresql://amy:secret%zz@host/x?nonsense=1"),
        ("DATABASE_URL", "postgres://amy:a/secret@b@host/x"),
        ("DATABASE_URL", "postgresql://amy:secret@host/x?nonsense=1"),
        ("REDIS_URL", "http://host"),
        ("REDIS_URL", "redis://amy:secret@host:port"),
        ("REDIS_URL", "redis://amy:secret@host:99999"),
        ("REDIS_URL", "redis://amy:secret@host?db=x"),
        ("REDIS_URL", "redis://[::1"),
        ("HOST", ""),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence_that_gives_no_password_away(
    wellstream: object, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"WELLSTREAM_{variable}", value)
    status, out, err = wellstream("migrate")  # type: ignore[operator]
    assert (status, out) == (2, "")
    assert is_one_sentence(err), err
    assert f"WELLSTREAM_{variable}=" in err
    assert "secret" not in err


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["load", "word", "x"], ["up", "--demo", "--empty"], ["serve", "kitchen"]]
)
def test_what_cannot_be_asked_for_is_refused_with_status_2(wellstream: object, arguments: list[str]) -> None:
    status, out, err = wellstream(*arguments)  # type: ignore[operator]
    assert (status, out) == (2, "")
    assert "Usage" in err


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf"])
@pytest.mark.parametrize("command", [["replay"], ["up", "--port", "0", "--replay"]])
def test_a_speed_that_is_no_speed_is_one_sentence_before_anything_starts(
    wellstream: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], speed: str
) -> None:
    monkeypatch.setenv("WELLSTREAM_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    file = daily_workbook(tmp_path / "some.xlsx", [day()])
    status, out, err = wellstream(*command, "volve", str(file), "--speed", speed)  # type: ignore[operator]
    assert (status, out) == (1, "")
    assert is_one_sentence(err), err
    assert f"the speed is {float(speed)}" in err


@pytest.mark.parametrize("wells", ["0", "-1", "10001"])
def test_a_number_of_wells_that_cannot_be_is_one_sentence(wellstream: object, engine: Engine, wells: str) -> None:
    status, out, err = wellstream("simulate", "--wells", wells)  # type: ignore[operator]
    assert (status, out) == (1, "")
    assert is_one_sentence(err), err
    assert f"{wells} wells" in err
    with reading(engine) as connection:
        assert all_fields(connection) == []


@pytest.mark.parametrize("seconds", ["0.9", "-1", "nan", "3601"])
def test_a_time_that_cannot_be_measured_for_is_one_sentence(wellstream: object, seconds: str) -> None:
    status, out, err = wellstream("bench", "latency", "--seconds", seconds)  # type: ignore[operator]
    assert (status, out) == (1, "")
    assert is_one_sentence(err), err
    assert f"{float(seconds)} s" in err


def test_results_are_printed_for_machines_on_request(wellstream: object, volve_file: Path) -> None:
    status, out, _ = wellstream("load", "volve", str(volve_file), "--json")  # type: ignore[operator]
    assert status == 0
    counts = json.loads(out)
    assert (counts["rows"], counts["accepted"], counts["quarantined_by_rule"]) == (15_634, 15_630, {"below_low": 4})
    newest = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
    assert json.loads(wellstream("migrate", "--json")[1]) == {"schema": newest}  # type: ignore[operator]


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
    for name, content in (("good.csv", "Date,Oil\n2024-01-01,5\n"), ("bad.csv", "x,y\n1,2\n")):
        (folder / name).write_text(content)

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


SITE = """
version: site.1
extends: default
without: [volume_without_hours]
rules:
  - {id: wet, kind: water_cut, high: 0.9, severity: suspect, weight: 0.2, explanation: The meter cannot tell.}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    return file


def test_rules_are_tried_on_a_file_and_nothing_is_stored(wellstream: object, engine: Engine, volve_file: Path) -> None:
    status, out, _ = wellstream("verify", "volve", str(volve_file), "--json")  # type: ignore[operator]
    found = json.loads(out)
    assert (status, found["rows"], found["compared"]) == (0, 15_634, None)
    assert found["verdicts"] == {"verified": 12_977, "suspect": 2_653, "quarantined": 4, "withdrawn": 0}
    (negative,) = [one for one in found["by_rule"] if one["rule"] == "below_low"]
    assert (negative["rows"], negative["examples"][0]["place"]) == (4, "Daily Production Data row 1984")
    with reading(engine) as connection:
        assert wells.all_fields(connection) == []


def test_what_other_rules_change_is_told(wellstream: object, volve_file: Path, rules: Path) -> None:
    asked = ("verify", "volve", str(volve_file), "--rules", str(rules))
    found = json.loads(wellstream(*asked, "--json")[1])  # type: ignore[operator]
    assert found["rules"]["version"] == "site.1"
    changed = {one["rule"]: (one["before"], one["after"]) for one in found["compared"]["by_rule"]}
    assert changed["wet-water_sm3"] == (0, 1_240)
    assert changed["volume_without_hours-injected_water_sm3"] == (31, 0)
    assert found["compared"]["changed"] == sum(one["rows"] for one in found["compared"]["changes"])
    status, out, _ = wellstream(*asked)  # type: ignore[operator]
    assert status == 0
    assert "volve Volve production data.xlsx: 15,634 rows by rules site.1" in out
    assert "verified -> suspect" in out
    assert "water_sm3 is 1201.2 Sm3, which makes 0.9156185685 of the liquid as water, above 0.9" in out


@pytest.mark.parametrize("command", [("verify", "volve"), ("load", "volve")])
def test_rules_of_a_site_judge_when_the_settings_name_them(
    wellstream: object, monkeypatch: pytest.MonkeyPatch, engine: Engine, volve_file: Path, rules: Path,
    command: tuple[str, str],
) -> None:  # fmt: skip
    monkeypatch.setenv("WELLSTREAM_RULES", str(rules))
    status, out, _ = wellstream(*command, str(volve_file), "--json")  # type: ignore[operator]
    assert status == 0
    if command[0] == "verify":
        assert json.loads(out)["rules"]["version"] == "site.1"
        return
    with reading(engine) as connection:
        judges = connection.execute(text("SELECT DISTINCT audit_id FROM records")).scalars().all()
        kept = connection.execute(text("SELECT 'rules-' || version || '-' || digest FROM rule_sets")).scalars().all()
    assert judges == kept
    assert judges[0].startswith("rules-site.1-")


@pytest.mark.parametrize("command", [("serve", "ingest"), ("up", "--port", "0"), ("simulate",), ("verify", "volve")])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"version: 1", "rules is missing"),
        (SITE.replace("0.9", "9").replace("0.2", "2").encode(), "high is 9"),
    ],
)
def test_faulty_rules_are_one_sentence_before_anything_starts(
    wellstream: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, volve_file: Path, command: tuple[str, ...],
    content: bytes | None, told: str,
) -> None:  # fmt: skip
    file = tmp_path / "faulty.yaml"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("WELLSTREAM_RULES", str(file))
    asked = (*command, str(volve_file)) if command[0] == "verify" else command
    status, out, err = wellstream(*asked)  # type: ignore[operator]
    assert (status, out) == (1, "")
    assert is_one_sentence(err), err
    assert "faulty.yaml" in err
    assert told in err

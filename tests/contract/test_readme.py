"""README's tables and links are what the code says."""

import re
from pathlib import Path

import pytest
import typer.main
from fastapi.routing import APIRoute
from sqlalchemy import create_engine

from compose.cli import app
from compose.formats import Format, Options, read
from compose.settings import Settings
from dashboard.api.door import Door
from dashboard.api.routes import routes as query_routes
from ingest.admission import AT_WORK, MOST_BODIES, MOST_BYTES
from ingest.bodies import BODY_LIMIT_BYTES, ROWS_LIMIT, UNPACKED_LIMIT_BYTES
from stream import frames
from stream.close_codes import ADVICE
from stream.topics import topic

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose header row begins so."""
    lines = README.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return [[cell.strip("` ") for cell in row] for row in rows]


def test_the_settings_are_those_of_the_code() -> None:
    told = {row[0]: (row[1], row[2]) for row in table("variable")}
    assert told == {
        f"WELLSTREAM_{name.upper()}": ("" if field.default is None else str(field.default), field.description)
        for name, field in Settings.model_fields.items()
    }


def test_the_commands_are_those_of_the_code() -> None:
    command = typer.main.get_command(app)
    assert {row[0]: row[1] for row in table("command")} == {
        f"wellstream {name}": (one.help or "").strip()
        for name, one in command.commands.items()  # type: ignore[attr-defined]
    }


def test_the_formats_are_those_of_the_code() -> None:
    assert [row[0] for row in table("format")] == [str(form) for form in Format]


def test_the_mapping_that_is_shown_reads_the_rows_that_are_shown(tmp_path: Path) -> None:
    lines = README[README.index("    field: Demo") : README.index("A watched folder")].splitlines()
    shown = [line[4:] for line in lines if line.startswith("    ")]
    at = next(number for number, line in enumerate(shown) if line.startswith("Date;"))
    (tmp_path / "m.yaml").write_text("\n".join(shown[:at]))
    (tmp_path / "d.csv").write_text("\n".join(shown[at:]))
    source = read(Format.CSV, tmp_path / "d.csv", Options(mapping=tmp_path / "m.yaml"))
    assert (source.batch.candidates.height, source.batch.refused) == (1, ())


def test_the_limits_of_a_body_are_those_of_the_code() -> None:
    mib = 1024 * 1024
    limits = (BODY_LIMIT_BYTES // mib, UNPACKED_LIMIT_BYTES // mib, ROWS_LIMIT, MOST_BODIES, MOST_BYTES // mib, AT_WORK)
    told = "at most {} MiB, and unpacks to at most {} MiB and {:,} rows; of {} bodies or {} MiB at once"
    assert told.format(*limits[:5]) in " ".join(README.split())
    assert AT_WORK == 4


def test_the_close_codes_are_those_of_the_code() -> None:
    assert [row[0] for row in table("close code")] == [str(int(code)) for code in ADVICE]
    assert [row[2] for row in table("close code")] == [advice.reason for advice in ADVICE.values()]
    for (_, told, _), advice in zip(table("close code"), ADVICE.values(), strict=True):
        assert told == (f"within {advice.within_s:g} s" if advice.come_back else "no")


def test_the_messages_of_the_client_are_understood_and_those_of_the_server_are_made_as_shown() -> None:
    shown = {row[0]: (row[1], re.search(r"\{.*\}", row[2])) for row in table("message")}
    for name, (sender, example) in shown.items():
        assert example is not None, name
        if sender == "client":
            assert frames.client_message(example[0].encode()) is not None
    made = {
        "welcome": frames.welcome("9f2c", 1767225600000, 1.0, "0.1.0"),
        "ping": frames.ping(7, 1767225600000, 0.4, reply=False),
        "reload": frames.reload(topic("field/demo"), "too-old", "9f2c"),
        "error": frames.error("unknown-topic", "there is no field/x", "field/x"),
        "records": frames.records(topic("field/demo"), 42, 44, 44, ())[0].payload.replace(b"[]", b"[...]"),
    }
    for name, payload in made.items():
        example = shown[name][1]
        assert example is not None
        assert example[0] == payload.decode()
    assert set(shown) == set(made) | {"subscribe", "unsubscribe", "pong"}


def test_the_questions_are_those_of_the_code() -> None:
    routes = query_routes(Door(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"), None)).routes
    assert {row[0]: row[1] for row in table("question")} == {
        f"GET {route.path}": route.summary for route in routes if isinstance(route, APIRoute)
    }


def test_each_step_of_the_journey_names_a_file_and_what_is_in_it() -> None:
    for row in table("step"):
        named = re.findall(r"`([^`]+)`", f"`{row[1]}`")
        current = ""
        for name in named:
            if "/" in name:
                current = (ROOT / name).read_text() if (ROOT / name).is_file() else ""
                assert (ROOT / name).exists(), name
            elif current:
                last = name.split(".")[-1]
                assert re.search(rf"(?:def|class) {last}\b", current), f"{name} in step {row[0]}"


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_every_runtime_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}  # type: ignore[index]
    told = {name.strip() for row in table("package") for name in row[0].split(",")}
    assert told == wanted


def test_no_address_and_no_unpinned_package_stands_in_the_requirements() -> None:
    for file in (ROOT / "compose").glob("requirements*.txt"):
        for line in file.read_text().splitlines():
            assert "://" not in line
            assert re.match(r"\S+==\S+( ;.*)? \\$|    --hash=sha256:[0-9a-f]{64}( \\)?$", line), line

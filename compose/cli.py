"""The `wellstream` command. What a subcommand needs is imported when it runs, so that each starts fast."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from compose import logs
from compose.bench import LONGEST_S, SHORTEST_S, Name, bench
from compose.formats import Format, Options
from compose.roles import Role
from compose.settings import Settings, settings
from storage.domain.errors import InputRefused, SettingsFaulty, WellstreamError

EXIT_FAILED = 1
EXIT_USAGE = 2

app = typer.Typer(
    name="wellstream",
    help="Live production of verified well records: from file or feed to a chart that moves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Data = Annotated[Path | None, typer.Option("--data", help="Folder of the embedded servers' data.")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on; 0 takes a free one.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Speed = Annotated[float, typer.Option("--speed", help="Field-seconds sent per second.")]
Reference = Annotated[
    Path | None, typer.Option("--reference", help="Folder of BSEE's reference files, for ogor-a.", show_default=False)
]
Mapping = Annotated[
    Path | None, typer.Option("--mapping", help="What the columns are, for csv: a YAML file.", show_default=False)
]
Form = Annotated[Format, typer.Argument(metavar="FORMAT", help="The kind of file.", show_default=False)]


def main() -> NoReturn:
    """Run the command line: exit 0, 1 when it failed, 2 when it was asked for something that cannot be."""
    try:
        app()
    except SettingsFaulty as error:
        _fail(error, EXIT_USAGE)
    except WellstreamError as error:
        _fail(error, EXIT_FAILED)
    sys.exit(0)


@app.command()
def up(
    data: Data = None,
    port: Port = None,
    demo: Annotated[bool, typer.Option("--demo", help="Stream the demonstration field (the default).")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Stream nothing.")] = False,
    replayed: Annotated[
        tuple[Format, Path] | None, typer.Option("--replay", metavar="FORMAT FILE", help="Stream a file's records.")
    ] = None,
    speed: Speed = 86_400.0,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    if sum((demo, empty, replayed is not None)) > 1:
        message = "--demo, --empty and --replay exclude each other"
        raise typer.BadParameter(message)
    known = _configured(data=data, port=port)
    feed = [] if empty else ["simulate"]
    if replayed is not None:
        from compose.feeding import replayable

        form, file = replayed
        replayable(form, file, speed)
        feed = ["replay", form, str(file.resolve()), "--speed", str(speed)]
    from compose import rulebook
    from compose import up as running

    rulebook.active(known)
    running.up(known, feed)


@app.command()
def migrate(data: Data = None, as_json: Json = False) -> None:
    """Bring the database to this version's schema."""
    from compose.embedded import servers
    from storage import migrations
    from storage.database import engine_for

    known = _configured(data=data)
    with servers(known.folder, **known.server_options()) as found:
        engine = engine_for(found.database_url)
        revision = migrations.migrate(engine)
        engine.dispose()
    _print({"schema": revision}, f"The database is at schema {revision}.", as_json=as_json)


@app.command()
def serve(
    roles: Annotated[list[Role], typer.Argument(help="What to serve; several share one port.")],
    data: Data = None,
    port: Port = None,
) -> None:
    """Run services in this process until SIGTERM or Ctrl-C."""
    from compose import rulebook, wiring
    from compose.embedded import servers
    from compose.ports import require_free_port

    known = _configured(data=data, port=port)
    rules = rulebook.active(known)
    require_free_port(known.host, known.port)
    with servers(known.folder, **known.server_options()) as found:
        addresses = wiring.Addresses(
            found.database_url, found.redis_url, known.host, known.port, known.tick_ms, known.log_days
        )
        wiring.serve(roles, addresses, rules)


@app.command()
def load(
    form: Form,
    files: Annotated[list[Path], typer.Argument(help="The files to read.", show_default=False)],
    reference: Reference = None,
    mapping: Mapping = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Load whole files, with progress and a summary. Doing it again adds nothing."""
    from compose import feeding

    for result, text in feeding.load_files(_configured(data=data), form, files, Options(reference, mapping)):
        _print(result, text, as_json=as_json)


@app.command()
def verify(
    form: Form,
    file: Annotated[Path, typer.Argument(help="The file to read.", show_default=False)],
    rules: Annotated[
        Path | None, typer.Option("--rules", help="YAML document of rules to try; what it changes is told.")
    ] = None,
    reference: Reference = None,
    mapping: Mapping = None,
    as_json: Json = False,
) -> None:
    """Run rules on a file before they go live. Nothing is stored."""
    from compose import rulebook
    from compose.formats import read

    report = rulebook.report(_configured(), read(form, file, Options(reference, mapping)), rules)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        rulebook.show(report)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(help="The folder to watch.", show_default=False)],
    form: Form,
    reference: Reference = None,
    mapping: Mapping = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Load every file that appears in a folder until Ctrl-C, and put it into done or failed with a report beside."""
    from compose import feeding

    feeding.watch_folder(
        _configured(data=data), form, folder, Options(reference, mapping), lambda *one: _print(*one, as_json=as_json)
    )


@app.command(name="mapping")
def propose(
    file: Annotated[Path, typer.Argument(help="The CSV file to look at.", show_default=False)],
) -> None:
    """Propose what the columns of a CSV file are, as YAML for --mapping, with a reason at every line."""
    from ingest.sources.proposal import proposed

    typer.echo(proposed(file), nl=False)


@app.command()
def replay(
    form: Form,
    file: Annotated[Path, typer.Argument(help="The file to read.", show_default=False)],
    speed: Speed = 86_400.0,
    reference: Reference = None,
    mapping: Mapping = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send a file's records as if they were live."""
    from compose import feeding

    options = Options(reference, mapping)
    _print(*feeding.replay_file(_configured(data=data), form, file, speed, options), as_json=as_json)


@app.command()
def simulate(
    wells: Annotated[int, typer.Option(help="Number of wells.")] = 8,
    every: Annotated[int, typer.Option(help="Seconds between a well's live records.")] = 5,
    records: Annotated[
        int | None,
        typer.Option(help="Make so many records of the past at once, in a field of their own, instead of streaming."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Stream the demonstration field until Ctrl-C; a restart continues the same curves."""
    from compose import feeding

    known = _configured(data=data)
    if records is None:
        feeding.simulate_field(known, wells, every)
    else:
        _print(*feeding.fill_field(known, wells, records), as_json=as_json)


@app.command()
def doctor(data: Data = None, port: Port = None, as_json: Json = False) -> None:
    """Say what this machine has and lacks for Wellstream."""
    from compose.doctor import findings

    found = findings(_configured(data=data, port=port))
    result = {one.subject: {"fine": one.fine, "found": one.found} for one in found}
    _print(result, "\n".join(map(str, found)), as_json=as_json)
    if not all(one.fine for one in found):
        raise typer.Exit(EXIT_FAILED)


@app.command(name="bench")
def measure(
    name: Annotated[Name, typer.Argument(help="What to measure.", show_default=False)],
    seconds: Annotated[float, typer.Option(help="How long to measure.")] = 20.0,
    records: Annotated[int, typer.Option(min=1_000, help="Records to measure with.")] = 1_000_000,
    clients: Annotated[int, typer.Option(min=1, help="Clients at once.")] = 100,
    as_json: Json = False,
) -> None:
    """Measure on servers of its own, and print the figures beside their limit."""
    if not SHORTEST_S <= seconds <= LONGEST_S:
        message = f"cannot measure for {seconds} s: it must be {SHORTEST_S:.0f} to {LONGEST_S:.0f} s"
        raise InputRefused(message)
    result = bench(name, records=records, clients=clients)(seconds)
    _print(result, "\n".join(f"{key:60} {value}" for key, value in result.items()), as_json=as_json)


def _configured(**given: object) -> Settings:
    known = settings(**given)
    logs.configure(known.log_format, known.log_level)
    return known


def _print(result: object, text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(result) if as_json else text)


def _fail(error: WellstreamError, code: int) -> NoReturn:
    typer.echo(f"wellstream: {error}", err=True)
    sys.exit(code)

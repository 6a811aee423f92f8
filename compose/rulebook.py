"""Which rules judge: those of the settings or the shipped ones; and rules tried on a file, told to people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from compose.settings import Settings
from ingest import trial
from ingest.parse import Source
from ingest.rules.document import default, parsed
from ingest.rules.rule import RuleSet
from storage.domain.errors import RulesFaulty


def active(known: Settings) -> RuleSet:
    """The rules that judge what comes in.

    Raises:
        RulesFaulty: the document that the settings name cannot be used, and all that is wrong with it.
    """
    return default() if known.rules is None else from_file(known.rules.expanduser())


def from_file(path: Path) -> RuleSet:
    """The rules of a file.

    Raises:
        RulesFaulty: it cannot be read or used, and all that is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"the rules '{path}' cannot be read: {error.strerror}"
        raise RulesFaulty(message) from error
    except UnicodeDecodeError as error:
        message = f"the rules '{path}' are not text in UTF-8: {error.reason} at byte {error.start}"
        raise RulesFaulty(message) from error
    return parsed(text, f"'{path}'")


def report(known: Settings, source: Source, rules: Path | None) -> dict[str, Any]:
    """What the active rules say of a source; with other rules what those say, and what they would change.

    Raises:
        RulesFaulty: as for `from_file`.
    """
    judging = active(known)
    now = datetime.now(UTC)
    if rules is None:
        return {**trial.report(source, judging, trial.tried(source, judging, now)), "compared": None}
    wanted = from_file(rules)
    before, after = trial.tried(source, judging, now), trial.tried(source, wanted, now)
    compared = {"rules": {"version": judging.version, "digest": judging.digest}, **trial.compared(before, after)}
    return {**trial.report(source, wanted, after), "compared": compared}


def show(found: dict[str, Any]) -> None:
    """The report for people, on standard output."""
    console = Console(highlight=False, soft_wrap=True)
    verdicts = ", ".join(f"{rows:,} {verdict}" for verdict, rows in found["verdicts"].items())
    console.print(Text(f"{found['source']}: {found['rows']:,} rows by rules {_named(found['rules'])}: {verdicts}"))
    for one in found["by_rule"]:
        console.print(Text(f"\n{one['rule']}, {one['field']}: {one['rows']:,} {one['verdict']}", style="bold"))
        _show_examples(console, one["examples"])
    if found["compared"] is not None:
        _show_compared(console, found["compared"])


def _show_compared(console: Console, compared: dict[str, Any]) -> None:
    told = f"Beside the active rules {_named(compared['rules'])} {compared['changed']:,} verdicts change"
    console.print(Text(f"\n{told}", style="bold"))
    for change in compared["changes"]:
        console.print(Text(f"{change['change']}: {change['rows']:,}"))
        _show_examples(console, change["examples"])
    if compared["by_rule"]:
        table = Table("rule", "rows by the active rules", "rows by these rules")
        for one in compared["by_rule"]:
            table.add_row(*map(Text, (one["rule"], f"{one['before']:,}", f"{one['after']:,}")))
        console.print(table)


def _show_examples(console: Console, examples: list[dict[str, Any]]) -> None:
    for example in examples:
        console.print(Text(f"  {example['place']}: {example['message']}"))


def _named(rules: dict[str, str]) -> str:
    return f"{rules['version']} ({rules['digest']})"

"""The reference of rule documents, made from what the kinds declare: README.md beside this file.

`python -m ingest.rules.reference` prints it.
"""

import sys
from datetime import date
from importlib.resources import files

from ingest.rules.document import default
from ingest.rules.kind import GROUPS, RuleKind
from ingest.rules.kinds import KINDS
from ingest.rules.parameter import Parameter
from ingest.rules.rule import Rule, RuleSet


def markdown() -> str:
    """The whole reference."""
    introduction = files("ingest.rules").joinpath("introduction.md").read_text(encoding="utf-8")
    words = "\n".join(f"- `{word}`: {', '.join(columns)}" for word, columns in GROUPS.items())
    parts = [introduction.replace("GROUPS", words)]
    parts += [_kind(kind) for kind in KINDS.values()]
    parts.append(_rules(default()))
    return "\n".join(parts)


def _kind(kind: RuleKind) -> str:
    lines = [f"### {kind.name}", "", kind.means, ""]
    columns = ", ".join(f"`{column}`" for column in kind.columns)
    lines.append(f"It is about {columns}; `columns` is left out." if kind.fixed else f"Columns: {columns}.")
    lines.append(f"Severity: {' or '.join(kind.severities)}.")
    if kind.indispensable:
        lines.append("Indispensable: every document has it, and nobody can release a row that breaks it.")
    if kind.parameters:
        lines += ["", "| parameter | default | allowed | meaning |", "| --- | --- | --- | --- |"]
        lines += [_parameter(parameter) for parameter in kind.parameters]
    return "\n".join([*lines, ""])


def _parameter(parameter: Parameter) -> str:
    default_value = parameter.default
    told = default_value.isoformat() if isinstance(default_value, date) else default_value
    shown = "needed" if parameter.needed else "" if told is None else f"{told}"
    return f"| `{parameter.name}` | {shown} | {parameter.allowed()} | {parameter.means} |"


def _rules(rules: RuleSet) -> str:
    lines = [
        f"## The shipped rules (version {rules.version}, digest {rules.digest})",
        "",
        "| rule | kind | severity | weight | can be released | why |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    first: dict[str, Rule] = {}
    for rule in rules.rules:
        first.setdefault(rule.name, rule)
    for rule in first.values():
        released = "yes" if rule.breakable else "no"
        told = released if rule.severity == "quarantine" else ""
        weight = f"{rule.weight:g}" if rule.weight else ""
        lines.append(f"| `{rule.name}` | {rule.kind} | {rule.severity} | {weight} | {told} | {rule.explanation} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(markdown())

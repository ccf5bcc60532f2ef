"""The parameter tables as a person or a program reads them."""

from __future__ import annotations

from dataclasses import asdict

from ..console.parameters import BUSES, MASTER, STRIP
from ..console.table import Parameter

TITLES = {
    STRIP: "Strip: one for each stem",
    BUSES: "Buses: reverb and delay",
    MASTER: "Master: mix bus, mastering chain, delivery",
}


def describe_tables() -> dict[str, list[dict[str, object]]]:
    """Every parameter's fields by table, as JSON can hold them."""
    return {table.name: [asdict(parameter) for parameter in table] for table in TITLES}


def as_markdown() -> str:
    """The manual's page on parameters."""
    lines = [
        "# Parameters",
        "",
        "Everything that can be set, from `console/parameters.py`; preset files hold these names,",
        "in these units. `mixgym parameters --markdown` makes this page.",
    ]
    for table, title in TITLES.items():
        lines += ["", f"## {title}", "", "| name | range | default | scale | meaning |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        lines += [
            f"| `{p.name}` | {_range(p)} | {_default(p)} | {p.scale} | {p.about} |" for p in table
        ]
    return "\n".join(lines) + "\n"


def print_tables() -> None:
    """The tables in a terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for table, title in TITLES.items():
        shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for heading in ("name", "range", "default", "meaning"):
            shown.add_column(heading, overflow="fold")
        for p in table:
            shown.add_row(p.name, _range(p), _default(p), p.about)
        console.print(shown)
        console.print()


def _range(p: Parameter) -> str:
    if p.scale == "switch":
        return "0 or 1"
    return f"{p.low:g} to {p.high:g} {p.unit}".strip()


def _default(p: Parameter) -> str:
    if p.scale == "switch":
        return "on" if p.default else "off"
    return f"{p.default:g}"

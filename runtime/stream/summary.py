"""What a person reads after playing live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from ..._text import printable


def print_live(report: Mapping[str, Any]) -> None:
    """Print block times, latency and what the control loop did."""
    times = report["times"]
    table = Table(title=f"{report['stems']} stems at {report['sample_rate']} Hz", show_header=False)
    table.add_row("block", f"{report['block_frames']} frames, {times['block_ms']:.2f} ms")
    table.add_row("latency, one block included", f"{report['latency_ms']:.1f} ms")
    if times["blocks"]:
        table.add_row("time of a block, median", f"{times['median_ms']:.3f} ms")
        table.add_row("99th percentile", f"{times['p99_ms']:.3f} ms")
        table.add_row("longest", f"{times['longest_ms']:.3f} ms")
        table.add_row("share of one core", f"{100 * times['share']:.1f} %")
        table.add_row("blocks too late", f"{times['late']} of {times['blocks']}")
    if report["control_step_ms"] is not None:
        steps = f"{report['control_steps']}, {report['control_step_ms']:.0f} ms each"
        table.add_row("updates of the settings", steps)
    if "gaps" in report:
        table.add_row("blocks that were not read in time", str(report["gaps"]))
        table.add_row("latency that the device reports", f"{report['device_latency_ms']:.1f} ms")
    console = Console()
    console.print(table)
    if "output" in report:
        console.print(f"Written: {printable(report['output'])}", markup=False)

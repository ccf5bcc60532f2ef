"""Benchmark results for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Result = Mapping[str, Any]

RENDER_ROWS = {
    "seconds": ("load to written file", "{:.2f} s"),
    "realtime_factor": ("of real time", "{:.4f}"),
    "process_seconds": ("whole process", "{:.2f} s"),
    "cpu_seconds": ("processor time", "{:.2f} s"),
    "peak_mb": ("peak memory", "{:.0f} MB"),
}
GOALS = {"realtime_factor": ("of real time", "{:.4f}"), "peak_mb": ("peak memory", "{:.0f} MB")}
MASTERING_ROWS = {
    "true_peak_overshoot_db": ("true peak over own ceiling", "{:.3f} dB"),
    "loudness_error_lu": ("loudness off the reference", "{:.3f} LU"),
    "third_octave_db": ("third octaves off the reference", "{:.2f} dB"),
    "seconds_per_second": ("time per second of track", "{:.4f} s"),
    "peak_mb": ("peak memory", "{:.0f} MB"),
}


def print_table(result: Result) -> None:
    """Print what a benchmark gave."""
    console = Console()
    machine = result["machine"]
    commit = f", commit {machine['commit']}" if machine["commit"] else ""
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}{commit}",
        markup=False,
    )
    console.print(result["inputs"], markup=False)
    tables = {
        "render": _render_tables,
        "mastering": _mastering_tables,
        "songs": _song_tables,
        "mixes": _mixes_tables,
        "fidelity": _fidelity_tables,
        "speed": _speed_tables,
        "reward": _reward_tables,
        "env": _env_tables,
        "search": _search_tables,
        "stream": _stream_tables,
        "policy": _policy_tables,
        "inference": _inference_tables,
    }
    for table in tables[result["benchmark"]](result):
        console.print(table)


def _render_tables(result: Result) -> list[Table]:
    speed, memory = result["speed"], result["memory"]
    tables = [
        _table(f"{speed['stems']} stems x {speed['minutes']:g} min", "mixgym", "plain script")
    ]
    for name, (about, form) in RENDER_ROWS.items():
        tables[0].add_row(about, form.format(speed[name]), form.format(speed["baseline"][name]))
    tables[0].add_row("times as fast", f"{speed['ratio']:.2f}", "1")
    if memory:
        table = _table(
            f"{memory['stems']} stems x {memory['minutes']:g} min", "mixgym", "plain script"
        )
        for ours, theirs, about, form in (
            ("peak_mb", "baseline_peak_mb", "peak memory", "{:.0f} MB"),
            ("seconds", "baseline_seconds", "load to written file", "{:.2f} s"),
        ):
            table.add_row(about, form.format(memory[ours]), form.format(memory[theirs]))
        tables.append(table)
    goals = _table("Goals", "at most", "reached", "met")
    for name, goal in result["goals"].items():
        about, form = GOALS[name]
        goals.add_row(
            about, form.format(goal["goal"]), form.format(goal["value"]), _yes(goal["met"])
        )
    return [*tables, goals]


def _mastering_tables(result: Result) -> list[Table]:
    table = _table("Mastering after a reference: median (worst)", "mixgym", "matchering", "ahead")
    for name, (about, form) in MASTERING_ROWS.items():
        cells = [
            f"{form.format(result[who][name]['median'])} "
            f"({form.format(result[who][name]['worst'])})"
            for who in ("ours", "matchering")
        ]
        table.add_row(about, *cells, _yes(result["ahead"][name]))
    return [table]


def _song_tables(result: Result) -> list[Table]:
    table = _table("Songs", "stems", "length", "off target", "true peak", "s per s")
    for name, row in result["songs"].items():
        table.add_row(
            name,
            str(row["stems"]),
            f"{row['duration_s']:.0f} s",
            f"{row['loudness_error_lu']:+.3f} LU",
            f"{row['true_peak_dbtp']:.2f} dBTP",
            f"{row['seconds_per_second']:.3f}",
        )
    for what in ("median", "worst"):
        overall = {name: value[what] for name, value in result["overall"].items()}
        table.add_row(
            what,
            "",
            "",
            f"{overall['loudness_error_lu']:.3f} LU",
            f"{overall['true_peak_dbtp']:.2f} dBTP",
            f"{overall['seconds_per_second']:.3f}",
        )
    return [table]


def _mixes_tables(result: Result) -> list[Table]:
    from .mixes_tables import mixes_tables

    return [table.grid() for table in mixes_tables(result)]


def _fidelity_tables(result: Result) -> list[Table]:
    mastering = result["mastering"]
    return [
        _nearness_table("Mix bus", result["overall"], result["goals"]["mix"]),
        _nearness_table("Mastering", mastering["overall"], result["goals"]["mastering"]),
        _song_table(result["songs"]),
    ]


def _nearness_table(title: str, readings: Result, goals: Result) -> Table:
    table = _table(title, "mean error", "goal", "Spearman", "goal", "worst", "met")
    for meter, reading in readings.items():
        goal = goals[meter]
        table.add_row(
            meter,
            _figure(reading["mae"]),
            _figure(goal["mae"]),
            _figure(reading["spearman_median"]),
            _figure(goal["spearman_median"]),
            _figure(reading["worst"]),
            _yes(goal["met"]),
        )
    return table


def _song_table(songs: Result) -> Table:
    meters = list(next(iter(songs.values())))
    table = _table("Mean error (Spearman) by song", *meters)
    for name, readings in songs.items():
        cells = [
            f"{_figure(readings[meter]['mae'])} ({_figure(readings[meter]['spearman'])})"
            for meter in meters
        ]
        table.add_row(name, *cells)
    return table


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _speed_tables(result: Result) -> list[Table]:
    table = _table("Steps per second and core", "")
    for name in ("simulate", "simulate_master", "render", "pipeline", "dasp"):
        table.add_row(name, "-" if result[name] is None else f"{result[name]:.1f}")
    table.add_row("simulate / pipeline", f"{result['ratio']:.0f}")
    table.add_row("analysis", f"{result['analysis_s']:.3f} s")
    tables = [table]
    for what, rates in result["scaling"].items():
        scaling = _table(f"Steps per second by {what}", *rates)
        scaling.add_row("simulate", *(f"{rate:.0f}" for rate in rates.values()))
        tables.append(scaling)
    return tables


def _env_tables(result: Result) -> list[Table]:
    batches = _table("Steps per second by batch", *result["env"])
    for name, about in (("env", "environment"), ("simulate", "simulate alone")):
        batches.add_row(about, *(f"{rate:.0f}" for rate in result[name].values()))
    batches.add_row("share", *(f"{share:.2f}" for share in result["share"].values()))
    others = _table("Steps per second", "")
    for name, about in (("singles", "single environments"), ("render", "rendered"), ("ppo", "PPO")):
        others.add_row(about, "-" if result[name] is None else f"{result[name]:.1f}")
    others.add_row("environment / rendered", f"{result['ratio']:.0f}")
    goals = _table("Goals", "at least", "met")
    for name, goal in result["goals"].items():
        goals.add_row(name, f"{goal['goal']:g}", _yes(goal["met"]))
    return [batches, others, goals]


def _stream_tables(result: Result) -> list[Table]:
    tables = []
    for stems, runs in result["runs"].items():
        table = _table(f"{stems} stems: a block of {result['block_ms']:.2f} ms", *runs)
        for clock, about in (("wall", "wall clock"), ("cpu", "processor")):
            for name in ("median", "p99", "longest"):
                cells = (f"{run[clock][name]:.3f} ms" for run in runs.values())
                table.add_row(f"{about}, {name}", *cells)
        table.add_row("share of one core", *(f"{100 * r['share']:.1f} %" for r in runs.values()))
        tables.append(table)
    goals = _table("Goals", "less than", "reached", "met")
    for name, goal in result["goals"].items():
        goals.add_row(name, f"{goal['goal']:.3g}", f"{goal['value']:.3g}", _yes(goal["met"]))
    return [*tables, goals]


def _reward_tables(result: Result) -> list[Table]:
    red = _table("Red team: score less that of equal loudness", "worst", "rendered", "songs held")
    for case, songs in result["red_team"].items():
        leaves = songs.values()
        margins = [leaf["score"] - leaf["equal_loudness"] for leaf in leaves]
        rendered = max(leaf["rendered"] - leaf["rendered_equal_loudness"] for leaf in leaves)
        held = f"{sum(margin < 0 for margin in margins)} of {len(margins)}"
        red.add_row(case, f"{max(margins):+.3f}", f"{rendered:+.3f}", held)
    pairs = _table("Order: share of pairs won", "strong", "mild", "goals met")
    goals = ", ".join(_yes(goal["met"]) for goal in result["goals"].values())
    pairs.add_row(
        "all", _figure(result["order"]["strong"]), _figure(result["order"]["mild"]), goals
    )
    for base, detail in result["order_detail"].items():
        rows = {
            "all": detail["all"],
            **detail["kinds"],
            "no restraint": detail["without_restraint"],
        }
        for kind, shares in rows.items():
            cells = (_figure(shares["strong"]), _figure(shares["mild"]))
            pairs.add_row(f"{base}: {kind}", *cells, "")
    people = _table("People: share of random balances below", "12 dB", "6 dB")
    for name, ranks in result["people_detail"].items():
        people.add_row(name, _figure(ranks["wide"]), _figure(ranks["narrow"]))
    search = _table("CMA-ES", "score", "rendered", "equal", "judges that fell")
    for name, runs in result["search"].items():
        for kind, found in runs.items():
            figures = (found["score"], found["rendered"], found["equal_loudness"])
            search.add_row(
                f"{name}: {kind}", *map(_figure, figures), ", ".join(found["judges_fell"])
            )
    return [red, pairs, people, search]


def _search_tables(result: Result) -> list[Table]:
    tables = []
    for axis, marks, unit in (("evaluations", "marks", ""), ("seconds", "marks_s", " s")):
        table = _table(f"Best score by {axis}", *(f"{mark:g}{unit}" for mark in result[marks]))
        for name, medians in result["searchers"].items():
            table.add_row(name, *(f"{score:.4f}" for score in medians[axis]))
        tables.append(table)
    columns = ("start", "long", "score_at_2_s", "gain_at_2_s", "seconds_to_99", "gain_kept")
    songs = _table("Default searcher by song", *columns)
    for name, row in (*result["songs"].items(), ("median", result["overall"])):
        songs.add_row(name, *(f"{row[column]:.4f}" for column in columns))
    goals = _table("Goals", "at least", "reached", "met")
    for name, goal in result["goals"].items():
        goals.add_row(name, f"{goal['goal']:g}", f"{goal['value']:.4f}", _yes(goal["met"]))
    return [*tables, songs, goals]


def _inference_tables(result: Result) -> list[Table]:
    table = _table("Policies", "p50", "p99", "load", "resident", "file")
    for row in result["rows"]:
        label = f"{row['size']} {row['format']} {row['precision']}, {row['runs_on']}"
        memory = "-" if row["resident_mb"] is None else f"{row['resident_mb']:.1f} MB"
        times = (f"{row[name]:.3f} ms" for name in ("p50_ms", "p99_ms"))
        load, size = f"{row['load_ms']:.0f} ms", f"{row['file_mb']:.2f} MB"
        table.add_row(label, *times, load, memory, size)
    goals = _table("Goals", "at most", "reached", "met")
    for name, goal in result["goals"].items():
        goals.add_row(name, f"{goal['goal']:g}", f"{goal['value']:.3g}", _yes(goal["met"]))
    return [table, goals]


def _policy_tables(result: Result) -> list[Table]:
    gains = _table("Gain of one pass", "songs", "over equal loudness", "over role rules", "above")
    for name, row in result["gains"].items():
        if row is not None:
            over = [row[f"over_{rule}"] for rule in ("equal_loudness", "roles")]
            gains.add_row(
                name.replace("_", " "),
                str(row["songs"]),
                *(
                    f"{of['mean']:+.4f} [{of['interval'][0]:+.4f}, {of['interval'][1]:+.4f}]"
                    for of in over
                ),
                " / ".join(f"{100 * of['share_above']:.0f} %" for of in over),
            )
    swaps, every = result["swaps"], result["spread"]["all"]
    apart = _table("Different songs, different mixes", "")
    apart.add_row("score lost with another song's mix", f"{swaps['lost']:.4f}")
    apart.add_row("swaps that lose", f"{100 * swaps['share_lower']:.1f} % of {swaps['pairs']}")
    apart.add_row("spread of settings, [-1, 1]", f"{every['sd']:.3f}")
    apart.add_row("spread within a role", f"{every['sd_within_role']:.3f}")
    apart.add_row("variance explained by features", f"{100 * every['explained']:.0f} %")
    apart.add_row("variance explained by roles", f"{100 * every['explained_by_role']:.0f} %")
    red = _table("Red team", "score", "equal loudness", "highest true peak", "held")
    for case, songs in result["red_team"]["cases"].items():
        rows = list(songs.values())
        red.add_row(
            case.replace("_", " "),
            f"{sum(row['policy'] for row in rows) / len(rows):.4f}",
            f"{sum(row['equal_loudness'] for row in rows) / len(rows):.4f}",
            f"{max(row['true_peak_dbtp'] for row in rows):.2f} dBTP",
            f"{sum(row['held'] for row in rows)} of {len(rows)}",
        )
    return [gains, apart, red]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _yes(value: bool) -> str:
    return "yes" if value else "no"

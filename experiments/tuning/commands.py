"""What `mixgym tune` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import MixgymError
from ...rewards import load_reward
from ...runtime.staging import Staged, refuse_existing
from ..arena.pieces import Piece, find_pieces
from ..mapper import make_mapper
from .findings import Findings, best_of, compared, importances, tried_of
from .searchers import check_space
from .settings import read_tuning
from .storage import Place, kept, open_study, place_of
from .summary import page_of
from .validation import other_pieces, validate

Tell = Callable[[str, float], None]


def run_tune(
    config: Path,
    trials: int,
    *,
    storage: str | None,
    out: Path | None,
    jobs: int,
    summary: Path | None,
    tell: Tell,
) -> Findings:
    """Tune, compare the best settings with the defaults, and write what was asked for.

    Args:
        config: the study's YAML file, whose name is the study's.
        trials: finished ones in the end, those of earlier commands among them.
        storage: URL of a database.
        out: the journal where there is no database; `tune-NAME.journal` beside the file if None.
        jobs: processes at work.
        summary: gets the findings as Markdown.
        tell: told what is being done.

    Raises:
        MixgymError: settings, songs or a place that will not do, a full disk.
    """
    if trials < 1:
        raise MixgymError(f"A study needs at least 1 trial, not {trials}: raise --trials.")
    if storage is not None and out is not None:
        raise MixgymError("--out names a journal and --storage a database; give one of them.")
    tuning = read_tuning(config)
    load_reward(tuning.style)
    defaults = check_space(tuning)
    journal = out or config.with_name(f"tune-{config.stem}.journal")
    place = place_of(config.stem, journal, storage)
    refuse_existing((summary,), overwrite=True, inputs=(config, journal))
    with make_mapper("inline" if jobs == 1 else f"processes:{jobs}") as mapper:
        pieces = find_pieces(tuning.of_songs(tuning.split), mapper, tell)
        with kept(place):
            from .study import run_study  # Optuna is known to be there

            found = run_study(place, tuning, pieces, defaults, trials, mapper, tell)
            tried = tried_of(found, tuning, len(pieces), place)
            shares = importances(open_study(place), tuning.space)
        best, validated, others = best_of(tried), None, pieces
        if best.trial:
            others = other_pieces(tuning, pieces, mapper, tell)
            validated = validate(tuning, others, best.params, defaults, mapper, tell)
    findings = Findings(
        trials=tried,
        best=best,
        tuned=compared(best, tried[0], tuning),
        songs=_names(pieces),
        importances=shares,
        validated=validated,
        validation_songs=_names(others),
    )
    if summary is not None:
        with Staged() as staged:
            page = page_of(findings, tuning, place, _command(config, trials, place))
            staged.file(summary).write_text(page, encoding="utf-8")
    return findings


def _names(pieces: list[Piece]) -> list[str]:
    return list(dict.fromkeys(piece.song for piece in pieces))


def _command(config: Path, trials: int, place: Place) -> list[str]:
    """The command that makes the study, without a password."""
    words = ["mixgym", "tune", str(config), "--trials", str(trials)]
    return words if place.url is None else [*words, "--storage", str(place)]

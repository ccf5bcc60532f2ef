"""What `mixgym tune` does."""

from __future__ import annotations

from pathlib import Path

from ...errors import MixgymError
from ...runtime.staging import Staged, refuse_existing
from ..mapper import Mapper, make_mapper
from .findings import Findings, best_of, compared, importances, tried_of
from .searchers import TunedSearch
from .settings import SearchTuning, TrainTuning, read_tuning
from .storage import Place, kept, open_study, place_of
from .summary import page_of
from .tunable import Tell, Tunable
from .validation import validate


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
    journal = out or config.with_name(f"tune-{config.stem}.journal")
    place = place_of(config.stem, journal, storage)
    refuse_existing((summary,), overwrite=True, inputs=(config, journal))
    with make_mapper("inline" if jobs == 1 else f"processes:{jobs}") as mapper:
        tunable = _tunable(tuning, mapper, tell)
        defaults = tunable.defaults()
        with kept(place):
            from .study import run_study  # Optuna is known to be there

            found = run_study(place, tunable, defaults, trials, mapper, tell)
            tried = tried_of(found, tunable, place)
            shares = importances(open_study(place), tuning.space)
        best, validated, elsewhere = best_of(tried), None, tunable
        if best.trial:
            elsewhere = tunable.elsewhere(mapper, tell)
            validated = validate(elsewhere, best.params, defaults, mapper, tell)
    findings = Findings(
        trials=tried,
        best=best,
        tuned=compared(best, tried[0], tunable),
        measure=tunable.measure,
        songs=tunable.songs,
        importances=shares,
        validated=validated,
        validation_songs=elsewhere.songs,
    )
    if summary is not None:
        with Staged() as staged:
            page = page_of(findings, tunable, place, _command(config, trials, place))
            staged.file(summary).write_text(page, encoding="utf-8")
    return findings


def _tunable(tuning: SearchTuning | TrainTuning, mapper: Mapper, tell: Tell) -> Tunable:
    if isinstance(tuning, TrainTuning):
        from .learners import TunedTraining  # brings PyTorch

        return TunedTraining(tuning)
    return TunedSearch.of(tuning, mapper, tell)


def _command(config: Path, trials: int, place: Place) -> list[str]:
    """The command that makes the study, without a password."""
    words = ["mixgym", "tune", str(config), "--trials", str(trials)]
    return words if place.url is None else [*words, "--storage", str(place)]

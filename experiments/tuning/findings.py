"""What came of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import MixgymError
from ..statistics import interquartile_mean
from .dimensions import Value
from .validation import Comparison, compare

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

    from .storage import Place
    from .tunable import Tunable

FEWEST = 20  # trials that importances are told from


class Tried(NamedTuple):
    """A trial that came to an end.

    Attributes:
        trial: its number; 0 is of the defaults.
        value: what is maximised; None where it was stopped.
        params: hyperparameters.
        gains: reported, seed by seed: of a search on each excerpt, of training in each validation.
    """

    trial: int
    value: float | None
    params: dict[str, Value]
    gains: list[float]

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        state = "pruned" if self.value is None else "complete"
        return {"trial": self.trial, "state": state, **self._asdict()}


class Findings(NamedTuple):
    """What came of a study.

    Attributes:
        trials: in the order of their numbers.
        best: of them.
        tuned: the best beside the defaults, on what trials were judged by.
        measure: what a gain is, in a sentence.
        songs: that trials were judged by.
        importances: share of each hyperparameter in doing well, the largest first; none where
            trials are few.
        validated: the best beside the defaults elsewhere; None where the defaults are the best.
        validation_songs: of that.
    """

    trials: list[Tried]
    best: Tried
    tuned: Comparison
    measure: str
    songs: list[str]
    importances: dict[str, float]
    validated: Comparison | None
    validation_songs: list[str]

    @property
    def completed(self) -> list[Tried]:
        """Trials that were not stopped, the best first."""
        return sorted(
            (tried for tried in self.trials if tried.value is not None),
            key=lambda tried: (-(tried.value or 0.0), tried.trial),
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "best": self.best.to_json(),
            "defaults": self.trials[0].to_json(),
            "tuned": self.tuned.to_json(),
            "songs": self.songs,
            "importances": self.importances,
            "validated": self.validated.to_json() if self.validated else None,
            "validation_songs": self.validation_songs,
            "trials": [tried.to_json() for tried in self.trials],
        }


def tried_of(trials: Sequence[FrozenTrial], tunable: Tunable, place: Place) -> list[Tried]:
    """Optuna's finished trials without what nobody needs to know.

    Args:
        trials: in the order of their ordinals.
        tunable: what is tuned.
        place: where the trials were kept.

    Raises:
        MixgymError: trials that the study cannot have come to.
    """
    from optuna.trial import TrialState

    from .study import ORDINAL

    tried = [
        Tried(
            trial.user_attrs.get(ORDINAL, -1),
            trial.value if trial.state == TrialState.COMPLETE else None,
            dict(trial.params),
            [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)],
        )
        for trial in trials
    ]
    in_order = [one.trial for one in tried] == list(range(len(tried)))
    if not in_order or not all(_possible(one, tunable) for one in tried):
        raise MixgymError(
            f"{place} holds trials that this study cannot have come to; begin another by --out or "
            "--storage."
        )
    return tried


def _possible(tried: Tried, tunable: Tunable) -> bool:
    space, told = tunable.tuning.space, len(tried.gains)
    every = tunable.tuning.seeds * tunable.per_seed
    if tried.value is None:
        fits = tried.trial > 0 and 0 < told <= every
    else:
        fits = told == every and tried.value == interquartile_mean(tunable.gains(tried.gains))
    return (
        fits
        and tried.params.keys() == space.keys()
        and all(space[name].holds(value) for name, value in tried.params.items())
    )


def best_of(trials: Sequence[Tried]) -> Tried:
    """The trial of the highest value, the first of several; trials that were stopped have none."""
    return max((tried for tried in trials if tried.value is not None), key=_value)


def compared(best: Tried, defaults: Tried, tunable: Tunable) -> Comparison:
    """The best trial beside the defaults, on what trials were judged by."""
    return compare(tunable.gains(best.gains), tunable.gains(defaults.gains))


def importances(study: optuna.Study, space: Mapping[str, Any]) -> dict[str, float]:
    """Share of each hyperparameter in being among the best tenth: PED-ANOVA.

    S. Watanabe, A. Bansal, F. Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance
    in Arbitrary Subspaces", IJCAI 2023.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(space) < 2 or len(complete) < FEWEST:
        return {}
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


def _value(tried: Tried) -> float:
    assert tried.value is not None
    return tried.value

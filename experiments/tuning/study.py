"""Trials of a study, one after another or several at a time.

What is maximised: the interquartile mean of what a trial gains over all stems equally loud, in
`simulate`. Of a search that is the gain of its best mix when the budget is spent, for every pair of
an excerpt and a seed; of training the mean gain on validation songs after the last step, for every
seed.

Every pair, or every validation of a run, is reported to Optuna, and Wilcoxon's signed-rank test
against the best trial so far stops a trial that does worse. It compares report by report: gains
differ more between songs, and along a run, than between hyperparameters, which a median over trials
would have to see through.

The first trial is of the defaults, which nothing stops. The others are drawn by TPE: J. Bergstra,
R. Bardenet, Y. Bengio, B. Kégl, "Algorithms for Hyper-Parameter Optimization", NIPS 2011.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from ..arena.play import one_thread
from ..mapper import Mapper
from ..statistics import interquartile_mean
from .dimensions import Value
from .storage import Place, claim, give_up_lost, in_words, open_study, quiet
from .tunable import Tell, Tunable

ORDINAL = "ordinal"  # a trial's place in the study, which a repeated trial takes over
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
WORSE = 0.1  # significance at which a trial is stopped
POLL_S = 0.5  # how often trials of other machines are looked at


class Work(NamedTuple):
    """What a worker needs to do a trial.

    Attributes:
        place: of the study.
        tunable: what is tuned.
        defaults: of that.
        total: trials asked for.
        threads: at work on one batch of mixes; None takes all processors.
    """

    place: Place
    tunable: Tunable
    defaults: Mapping[str, Value]
    total: int
    threads: int | None


class _TakenError(Exception):
    """Somebody else does this trial."""


def run_study(
    place: Place,
    tunable: Tunable,
    defaults: Mapping[str, Value],
    total: int,
    mapper: Mapper,
    tell: Tell,
) -> list[FrozenTrial]:
    """Do the trials that a study still lacks; within `storage.kept`.

    Where one works, what is drawn depends on the sampler's seed, a trial's ordinal and the trials
    before it: a study that was killed and gone on with is the same as one that never stopped.

    Args:
        place: of the study.
        tunable: what is tuned.
        defaults: of that.
        total: finished trials in the end, those of earlier commands among them.
        mapper: who works.
        tell: told what is being done and the share of it that is done.

    Returns:
        The finished trials in the order of their ordinals, all of them if more than `total`.

    Raises:
        MixgymError: a study of other settings, or a song that cannot be read.
    """
    study = open_study(place)
    claim(study, tunable.identity())
    threads = None if mapper.workers == 1 else 1
    work = Work(place, tunable, defaults, total, threads)
    while True:
        give_up_lost(study, place)
        before = len(finished(study))
        tell("Tuning", min(1.0, before / total))
        if before >= total:
            return finished(study)
        for _ in mapper.map(run_trial, [work] * (total - before)):
            tell("Tuning", min(1.0, len(finished(study)) / total))
        if len(finished(study)) == before:
            time.sleep(POLL_S)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that came to an end, in the order of their ordinals."""
    trials = study.get_trials(deepcopy=False, states=FINISHED)
    return sorted(trials, key=_ordinal)


def run_trial(work: Work) -> None:
    """Do one trial that nobody else does, if there is one.

    Raises:
        MixgymError: a song cannot be read, the disk is full, or the database fails.
    """
    with in_words(work.place), quiet(), one_thread():
        sampler = _OrderedSampler(work.tunable.tuning.sampler_seed)
        pruner = optuna.pruners.WilcoxonPruner(p_threshold=WORSE)
        study = open_study(work.place, sampler, pruner)
        trials = study.get_trials(deepcopy=False)
        taken = {_ordinal(trial) for trial in trials if trial.state != TrialState.FAIL}
        free = next((number for number in range(work.total) if number not in taken), None)
        if free is not None:
            given = {} if free else dict(work.defaults)
            study.enqueue_trial(given, user_attrs={ORDINAL: free})
        elif not any(trial.state == TrialState.WAITING for trial in trials):
            return
        with _unless_given_up():
            study.optimize(partial(_objective, work), n_trials=1, catch=(_TakenError,))


@contextmanager
def _unless_given_up() -> Iterator[None]:
    """Pass over a trial that another machine took for lost and will do itself."""
    try:
        yield
    except optuna.exceptions.UpdateFinishedTrialError:
        return
    except ValueError as error:
        if not str(error).startswith("Cannot tell"):
            raise


def _objective(work: Work, trial: Trial) -> float:
    ordinal = trial.user_attrs.get(ORDINAL)
    if ordinal is None or any(
        other.number < trial.number and _ordinal(other) == ordinal
        for other in trial.study.get_trials(deepcopy=False)
        if other.state != TrialState.FAIL
    ):
        raise _TakenError
    tunable, reports = work.tunable, list[float]()
    space = tunable.tuning.space
    options = {name: values.suggest(trial, name) for name, values in space.items()}

    def report(value: float) -> None:
        trial.report(value, len(reports))
        reports.append(value)
        if ordinal and trial.should_prune():
            raise optuna.TrialPruned

    for seed in tunable.tuning.tuning_seeds:
        tunable.judge(seed, options, work.threads, report)
    return interquartile_mean(tunable.gains(reports))


def _ordinal(trial: FrozenTrial) -> int:
    return int(trial.user_attrs.get(ORDINAL, -1))


class _OrderedSampler(optuna.samplers.BaseSampler):
    """TPE whose draws depend on a trial's ordinal, not on how many this process has drawn before.

    Args:
        seed: of the study.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = optuna.samplers.TPESampler(seed=seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Begin to draw afresh."""
        entropy = np.random.SeedSequence((self._seed, _ordinal(trial) + 1))
        seed = int(entropy.generate_state(1)[0])
        self._tpe = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As TPE."""
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As TPE."""
        return self._tpe.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """As TPE."""
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """As TPE."""
        self._tpe.after_trial(study, trial, state, values)

"""A song's mix by search: found on an excerpt, carried to the song, rendered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..console.carry import carry
from ..console.mix import Budget, Mix
from ..console.preset import Preset, apply_preset
from ..console.rules import roles
from ..console.styles import Style
from ..errors import MixgymError
from ..evolution.mixers import DEFAULT_SEARCH, Choice, search_excerpt, searcher
from ..evolution.search import MEASURES, group_names
from ..rewards.reward import Reward
from ..songs import most_active_excerpt
from .gallery import Exhibit, write_gallery
from .mixing import MixOptions, mix_song
from .results import Outputs, Result, finite
from .selection import spread_out
from .staging import Staged, refuse_existing

if TYPE_CHECKING:
    from ..console.render import Progress as Tell
    from ..evolution.map_elites import MapElites
    from ..evolution.nsga2 import Nsga2
    from ..evolution.search import OnBatch
    from ..songs import Excerpt, Song

MOST_OF_FRONT = 16  # mixes of a Pareto front that are shown
POLL_S = 0.2
MEANS_LITTLE = 0.02  # by which scores may differ without a mix being better


@dataclass(frozen=True, slots=True)
class EvolveOptions:
    """How to search.

    Attributes:
        reward: what a mix is worth.
        search: name of the searcher; what the gallery needs, or the default, if None.
        evaluations: of both fidelities together.
        seconds: length of the excerpt.
        seed: of everything that is drawn.
        lean: style of the rules that a search begins with.
        start: a preset to begin with instead.
        refine: how many of the evaluations are renders around the best that was found.
        pareto: folder for the front of NSGA-II.
        variations: how many different mixes of MAP-Elites to keep, 0 for none.
        variations_folder: where.
        checkpoint: file to keep what the searcher was told in.
        resume: such a file, to go on from.
        bit_depth, threads, overwrite: as `MixOptions`.
    """

    reward: Reward
    search: str | None = None
    evaluations: int = 5000
    seconds: float = 5.0
    seed: int = 0
    lean: Style | None = None
    start: Preset | None = None
    refine: int = 16
    pareto: Path | None = None
    variations: int = 0
    variations_folder: Path | None = None
    checkpoint: Path | None = None
    resume: Path | None = None
    bit_depth: int = 24
    threads: int = 2
    overwrite: bool = False

    @property
    def gallery(self) -> Path | None:
        """The folder of mixes to choose from, if one was asked for."""
        return self.pareto or (self.variations_folder if self.variations else None)

    @property
    def searcher(self) -> str:
        """Name of the searcher.

        Raises:
            MixgymError: there is none, or it makes no gallery of the kind that was asked for.
        """
        if self.pareto and self.variations:
            raise MixgymError("--pareto and --variations take searches of their own; choose one.")
        needed = "nsga2" if self.pareto else "map_elites" if self.variations else None
        name = self.search or needed or DEFAULT_SEARCH
        searcher(name)
        if needed and name != needed:
            asked = "--pareto" if self.pareto else "--variations"
            raise MixgymError(f"{asked} needs --search {needed}, not {name}.")
        return name


@dataclass(frozen=True, slots=True)
class Evolved:
    """What came of a search and the mix that it made."""

    result: Result
    choice: Choice
    gallery: Path | None
    excerpt_start_s: float
    excerpt_s: float

    def to_json(self) -> dict[str, object]:
        """Numbers, strings and lists that JSON can hold."""
        found, choice = self.choice.found, self.choice
        return {
            **self.result.to_json(),
            "search": {
                "name": choice.mix.made_by,
                "evaluations": choice.evaluations,
                "seconds": found.seconds,
                "interrupted": found.interrupted,
                "start": {"simulate": finite(choice.simulated[0]), "render": _held(choice, 0)},
                "found": {"simulate": finite(choice.simulated[1]), "render": _held(choice, 1)},
                "curve": found.curve.tolist(),
                "excerpt_start_s": self.excerpt_start_s,
                "excerpt_s": self.excerpt_s,
                "gallery": str(self.gallery) if self.gallery else None,
            },
        }


def _held(choice: Choice, which: int) -> float | None:
    return finite(choice.heard[which])


def refuse_outputs(outputs: Outputs, options: EvolveOptions, inputs: Iterable[Path | None]) -> None:
    """Refuse outputs or a search that cannot be, before any work.

    Args:
        outputs: audio, preset and report.
        options: with a gallery and a checkpoint, which may be the one that is gone on from.
        inputs: what is read.

    Raises:
        MixgymError: naming what is in the way.
    """
    _ = options.searcher
    new = options.checkpoint if options.checkpoint != options.resume else None
    refuse_existing(
        (outputs.audio, outputs.preset, outputs.report, new),
        options.overwrite,
        folder=options.gallery,
        inputs=(*inputs, options.resume),
    )


def evolve_song(song: Song, options: EvolveOptions, on_batch: OnBatch) -> tuple[Excerpt, Choice]:
    """Search the song's most active seconds.

    Args:
        song: the stems.
        options: how.
        on_batch: told after every batch; it may raise KeyboardInterrupt to end the search.

    Raises:
        MixgymError: an option that cannot be used, or stems that cannot be read.
    """
    excerpt = most_active_excerpt(song, options.seconds)
    start = None
    if options.start is not None:
        whole = apply_preset(options.start, song).mix
        start = carry(whole, song, excerpt, otherwise=whole)
    choice = search_excerpt(
        excerpt,
        options.searcher,
        Budget(options.evaluations),
        reward=options.reward,
        seed=options.seed,
        start=start,
        lean=options.lean,
        refine=options.refine,
        checkpoint=options.checkpoint,
        resume=options.resume,
        on_batch=on_batch,
    )
    return excerpt, choice


def listen_to(excerpt: Excerpt, choice: Choice, seed: int, invite: Callable[[str], None]) -> Choice:
    """Let a person go on from what was found, by ear, until they are done or press Ctrl-C.

    Args:
        excerpt: what was searched, and is heard.
        choice: where it begins.
        seed: of what is drawn.
        invite: told the address of the page.

    Returns:
        The same choice with the person's mix; the scores are still those of the search.

    Raises:
        MixgymError: a stem cannot be read.
    """
    from .interruption import gentle_interrupt
    from .listening import Listening
    from .listening_page import served

    listening = Listening(excerpt, choice.mix, seed)
    with gentle_interrupt() as asked_to_end, served(listening) as page:
        invite(page.url)
        while not (page.done.wait(POLL_S) or asked_to_end()):
            pass
    return replace(choice, mix=listening.mix) if listening.answers else choice


def write_evolved(
    excerpt: Excerpt,
    choice: Choice,
    outputs: Outputs,
    options: EvolveOptions,
    progress: Tell | None = None,
) -> Evolved:
    """Carry what was found to the whole song, render it, and write all that was asked for.

    Raises:
        MixgymError: an output is in the way, or the audio cannot be mixed.
    """
    song = excerpt.parent
    otherwise = roles(song, lean=options.lean)

    def for_song(mix: Mix) -> Mix:
        return carry(mix, excerpt, song, otherwise=otherwise)

    mixing = MixOptions(
        mixer=lambda song, budget: for_song(choice.mix),
        lean=options.lean,
        bit_depth=options.bit_depth,
        threads=options.threads,
        overwrite=options.overwrite,
    )
    with Staged() as staged:
        if options.gallery is not None:
            write_gallery(
                staged.folder(options.gallery),
                f"{song.title}: {'Pareto front' if options.pareto else 'variations'}",
                excerpt,
                _exhibits(choice, options, for_song),
                progress,
            )
        result = mix_song(song, outputs, mixing, progress)
    return Evolved(result, choice, options.gallery, excerpt.start_s, excerpt.duration_s)


def _exhibits(
    choice: Choice, options: EvolveOptions, for_song: Callable[[Mix], Mix]
) -> list[Exhibit]:
    found: Any = choice.searcher
    if options.pareto:
        genomes, figures, names = _front(found, options.reward)
    else:
        genomes, figures, names = _variations(found, options.variations, choice.simulated[0])
    if not len(genomes):
        raise MixgymError("The search was too short for mixes to choose from; allow more.")
    mixes = [choice.mix_of(genome) for genome in genomes]
    return [
        Exhibit(mix, for_song(mix), dict(zip(names, row, strict=True)))
        for mix, row in zip(mixes, figures.tolist(), strict=True)
    ]


def _front(found: Nsga2, reward: Reward) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Genomes of the front, groups of each: the extremes and what lies furthest apart."""
    genomes, objectives = found.front
    if not len(genomes):
        return genomes, objectives, ()
    kept = spread_out(objectives, objectives.mean(axis=1), MOST_OF_FRONT)
    return genomes[kept], objectives[kept], group_names(reward)


def _variations(
    found: MapElites, count: int, floor: float
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Genomes of different mixes as good as the start, where there are so many; their measures."""
    genomes, outcome = found.elites
    if not len(genomes):
        return genomes, outcome.measures, ()
    order = np.argsort(-outcome.score, kind="stable")
    good = int((outcome.score > floor - MEANS_LITTLE).sum()) if math.isfinite(floor) else len(order)
    order = order[: max(good, count)]
    measures, scores = outcome.measures[order], outcome.score[order]
    kept = spread_out(measures, scores, count)
    figures = np.column_stack((scores[kept], measures[kept]))
    return genomes[order][kept], figures, ("score", *MEASURES)

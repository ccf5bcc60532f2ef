"""A policy's weights to a file that runs anywhere, checked before it appears."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .. import __version__
from ..agents.load import read_network
from ..agents.run_folder import BEST
from ..agents.weights import About
from ..console.parameters import tables_digest
from ..errors import MixgymError
from ..runtime.policy.backends import open_policy
from ..runtime.policy.contract import Described, sizes
from ..runtime.staging import Staged, refuse_existing
from .card import card
from .deployed import MasteringPolicy, MixingPolicy
from .parity import TOLERANCE, differences, reference_of
from .worth import Tell, Worth, looks_at, worth
from .writers import writer

MOST_LICENCE = 200  # letters


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a policy is to be exported.

    Attributes:
        precision: of an ONNX file's weights, one of `PRECISIONS`.
        songs: to calibrate on and to score the file on; generated ones if None.
        licence: of the weights, an SPDX expression.
        overwrite: whether files may be replaced.
    """

    precision: str = "fp32"
    songs: Path | None = None
    licence: str = "Apache-2.0"
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: of the file.
        card: of the page that says what it is.
        described: what the file says of itself.
        bytes: its size.
        parity: by output, how far it is from the network, as a share of a parameter's range.
        worth: of its mixes.
    """

    path: Path
    card: Path
    described: Described
    bytes: int
    parity: dict[str, float]
    worth: Worth

    def to_json(self) -> dict[str, object]:
        """Numbers, strings, lists and dictionaries that JSON can hold."""
        return {
            "path": str(self.path),
            "card": str(self.card),
            "bytes": self.bytes,
            "parity": self.parity,
            "worth": {**self.worth._asdict(), "lost": self.worth.lost},
            **self.described.model_dump(mode="json"),
        }


def export_policy(source: Path, output: Path, wanted: Wanted, tell: Tell) -> Exported:
    """Write a policy's file, and a page about it beside.

    Args:
        source: weights of `mixgym train` (.npz), or the folder of a run, whose best are taken.
        output: .onnx, .pt, .pt2 or .tflite.
        wanted: how.
        tell: told the share that is done.

    Raises:
        MixgymError: weights that cannot be read or exported, an output that exists, a format or
            precision that there is not, or a file that does not do what its network does.
    """
    weights = source / BEST if source.is_dir() else source
    if source.is_dir() and not weights.is_file():
        raise MixgymError(f"{source} holds no {BEST}: name the folder of a run, or weights (.npz).")
    if not 0 < len(wanted.licence.strip()) <= MOST_LICENCE:
        raise MixgymError(
            f"A licence of {len(wanted.licence)} letters is none; name it as SPDX does, such as "
            "Apache-2.0."
        )
    page = output.with_name(f"{output.name}.md")
    write = writer(output, wanted.precision)
    refuse_existing((output, page), wanted.overwrite, inputs=(weights,))
    network, about = read_network(weights)
    described = describe(weights, about, wanted)
    space = described.space
    make = MasteringPolicy if described.task == "mastering" else MixingPolicy
    reference = reference_of(network, space, described.task)
    looks = looks_at(wanted.songs, described, tell)
    with Staged() as staged:
        tell("Exporting", 0.0)
        partial = staged.file(output)
        write(make(network, space), described, [look.inputs for look in looks], partial)
        tell("Exporting", 0.5)
        backend = open_policy(partial)
        parity = differences(backend, reference)
        if wanted.precision == "fp32" and max(parity.values()) > TOLERANCE:
            raise MixgymError(
                f"{output} would be {max(parity.values()):.1e} of a range away from its network, "
                f"more than {TOLERANCE:g}; nothing was written."
            )
        scored = worth(output, backend, reference, looks)
        size = partial.stat().st_size
        text = card(output, size, backend, parity, scored)
        staged.file(page).write_text(text, encoding="utf-8")
        tell("Exporting", 1.0)
    return Exported(output, page, backend.described, size, parity, scored)


def describe(weights: Path, about: About, wanted: Wanted) -> Described:
    """What a file says of itself.

    Raises:
        MixgymError: a policy that looks more than once.
    """
    if about.control != "absolute" or about.episode_steps != 1:
        raise MixgymError(
            f"{weights} sets a mix in {about.episode_steps} steps ({about.control}); only policies "
            "trained with `control: absolute` and `episode_steps: 1` can be exported."
        )
    task: Literal["mixing", "mastering"] = "mixing" if about.strip else "mastering"
    return Described(
        task=task,
        mixgym=__version__,
        tables=tables_digest(),
        features=about.features,
        sizes=sizes(task),
        strip=about.strip,
        buses=about.buses,
        master=about.master,
        styles=about.styles,
        songs=about.songs,
        steps=about.steps,
        licence=wanted.licence,
        scores=about.gains,
        precision=wanted.precision,
    )

"""A deployed policy as a LiteRT file (.tflite).

The converter, litert-torch, asks for older packages than are tested here (pydantic below 2.12), so
it is in no extra: install it into an environment of its own. It keeps no axis free: the file holds
one song with room for `STEMS` stems, and masks what is not there.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import MixgymError
from ..runtime.policy.contract import TASKS, Described, metadata
from .parity import random_inputs

STEMS = 64
IDENTIFIER = b"TFL3"


def save_litert(policy: nn.Module, described: Described, path: Path) -> None:
    """Write a policy with its metadata.

    Raises:
        MixgymError: the converter is not installed.
    """
    try:
        import litert_torch
    except ImportError as error:
        raise MixgymError(
            f"{path.suffix} files need {error.name}: install mixgym[train,export] and litert-torch "
            "into an environment of their own."
        ) from error
    if "mask" in TASKS[described.task].inputs:
        described = described.model_copy(update={"stems": STEMS})
    inputs = random_inputs(described.task, 1, described.stems or 1, seed=0)
    example = {name: torch.from_numpy(values) for name, values in inputs.items()}
    with contextlib.redirect_stdout(io.StringIO()):
        model = litert_torch.convert(policy.eval(), sample_kwargs=example)
        model.export(str(path))
    path.write_bytes(_described_as(path.read_bytes(), described))


def _described_as(content: bytes, described: Described) -> bytes:
    """The file with metadata, after the schema that LiteRT comes with."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for key, text in metadata(described).items():
        entry, buffer = schema.MetadataT(), schema.BufferT()
        buffer.data = list(text.encode())
        entry.name, entry.buffer = key, len(model.buffers)
        model.buffers.append(buffer)
        model.metadata = [*(model.metadata or ()), entry]
    builder = flatbuffers.Builder(len(content) + 65_536)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())

"""What running a policy takes, on the smallest one and a few runs."""

import json
from copy import deepcopy

import pytest

from mixgym.experiments.bench_inference import bench_inference
from mixgym.experiments.tables import print_table


@pytest.fixture
def one_graph(monkeypatch):
    """The graph of a network is the same in every precision; it is made once."""
    from mixgym.export import onnx_file

    make, made = onnx_file.to_onnx, []

    def to_onnx(*given):
        made.append(deepcopy(made[0]) if made else make(*given))
        return made[-1]

    monkeypatch.setattr(onnx_file, "to_onnx", to_onnx)


@pytest.mark.slow
@pytest.mark.usefixtures("one_graph")
def test_every_format_is_measured(capsys):
    result = bench_inference(runs=10, repeats=1, sizes=("small",))
    rows = {(row["size"], row["format"], row["precision"]): row for row in result["rows"]}
    kinds = {
        **{suffix: ["fp32"] for suffix in (".npz", ".pt", ".pt2")},
        ".onnx": ["fp32", "fp16", "int8", "int8-static"],
    }
    for suffix, precisions in kinds.items():
        for precision in precisions:
            row = rows["small", suffix, precision]
            assert 0 < row["p50_ms"] <= row["p99_ms"] and row["load_ms"] > 0
    full, small = rows["small", ".onnx", "fp32"], rows["small", ".onnx", "int8"]
    assert small["file_mb"] < full["file_mb"] / 2 < 0.5
    assert ("policy", ".onnx", "") in rows
    assert json.loads(json.dumps(result)) == result
    print_table(result)
    printed = capsys.readouterr().out
    assert "policy load_ms" in printed and "Goals" in printed

"""`mixgym bench stream`, shortened."""

import json

import pytest

from mixgym.errors import MixgymError
from mixgym.experiments.bench_stream import bench_stream
from mixgym.experiments.tables import print_table


@pytest.mark.slow
def test_it_times_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    result = bench_stream(seconds=1.0)
    json.dumps(result, allow_nan=False)
    for runs in result["runs"].values():
        assert set(runs) == {"alone", "steered", "board"}
        for run in runs.values():
            assert 0 < run["cpu"]["median"] <= run["cpu"]["p99"] <= run["cpu"]["longest"]
            assert run["share"] > 0
    assert result["goals"]["whole latency in ms"]["met"]
    assert result["goals"]["share of one core, 8 stems"]["met"]
    print_table(result)
    printed = capsys.readouterr().out
    assert "8 stems" in printed and "16 stems" in printed and "steered" in printed


def test_blocks_that_cannot_be_streamed() -> None:
    with pytest.raises(MixgymError, match="multiple of 64"):
        bench_stream(block_frames=100)

"""What a person sees of a training on the way."""

import json

import pytest

from cotdistill.training.watching import duration, note

ROW = {"step": 20, "loss": 1.9312, "tokens_per_second": 40960.4, "mfu": 0.43, "seconds_left": 1204.0}


def test_the_note_is_the_last_whole_row(tmp_path):
    metrics = tmp_path / "metrics.jsonl"
    assert note(metrics) is None
    metrics.write_text("")
    assert note(metrics) is None
    rows = [{**ROW, "step": n, "loss": 3.0} for n in range(200)]
    metrics.write_text("".join(json.dumps(row) + "\n" for row in [*rows, ROW]))
    assert note(metrics) == "loss 1.931, 40,960 tokens/s, MFU 43%, 20 min left"
    with metrics.open("a") as file:
        file.write('{"step": 30, "lo')
    assert note(metrics) == "loss 1.931, 40,960 tokens/s, MFU 43%, 20 min left"


def test_what_is_not_known_is_not_said(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(json.dumps(ROW | {"mfu": None, "seconds_left": 0.0}) + "\n")
    assert note(tmp_path / "metrics.jsonl") == "loss 1.931, 40,960 tokens/s"


@pytest.mark.parametrize(("seconds", "text"), [(45, "45 s"), (89.6, "90 s"), (600, "10 min"), (7800, "2 h 10 min")])
def test_a_time_is_said_in_its_largest_units(seconds, text):
    assert duration(seconds) == text

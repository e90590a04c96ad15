"""The filter with several processes: the same rows in the same order and the same bytes, whoever works on them."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cotdistill.data.task import Task
from cotdistill.engines.local import LocalEngine
from cotdistill.records import Completion, Problem, Trace
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.filter import FilterOptions
from cotdistill.storage.encoded import encode
from cotdistill.storage.jsonl import RowFile
from tests.support.block_work import failing_on_tails

FILTER = stages()["filter"].function
EXAM = {"e": Task("e", (Problem(id="e1", question="How many pears are in the basket of the third market stall now?"),))}
OPTIONS = FilterOptions(pass_rate=(0.1, 1), duplicates="drop", max_kept_per_problem=2, prefer="longest")

TEXTS = st.text(st.sampled_from('ab 7八\u2028\\"\n\x01é'), max_size=30)
TRACES = st.builds(
    lambda problem, question, said, status, hinted: (problem, question, said, status, hinted),
    st.integers(0, 9),
    TEXTS,
    st.sampled_from(["The answer is 7.", "The answer is 8.", "**7**", "No idea.", "So 7 or 8?"]),
    st.sampled_from(["ok", "ok", "ok", "truncated"]),
    st.booleans(),
)


def trace(number, problem, reasoning, said, status, hinted):
    completion = Completion(key="k", index=number, text=said, reasoning=reasoning, status=status, is_hinted=hinted)
    return Trace(problem=Problem(id=f"p{problem}", question="Which?", gold="7"), completion=completion)


def filtered(folder, traces, *, verifier=None, engine=None, options=OPTIONS):
    work = Workspace(folder, folder, 1, engine=engine)
    verifier = verifier or make("verifiers", "numeric")
    return list(FILTER(traces, options, work, verifier=verifier, tasks=EXAM))


@pytest.mark.slow
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TRACES, min_size=1, max_size=200))
def test_any_number_of_processes_gives_the_same_bytes(drawn):
    traces = [trace(number, *row) for number, row in enumerate(drawn)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "t.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in traces))
        expected = filtered(folder, traces, engine=LocalEngine(1))
        assert len(expected) == len(traces)
        for processes in (2, 3):
            engine = LocalEngine(processes, start_after_s=0)
            assert filtered(folder, RowFile(folder / "t.jsonl", Trace), engine=engine) == expected


def test_what_is_written_is_what_the_rows_say(tmp_path):
    rows = filtered(tmp_path, [trace(n, n // 3, "é\u2028", f"It is {7 + n % 2}.", "ok", n == 4) for n in range(9)])
    assert {row.kind for row in rows} > {None, "wrong"}
    for row in rows:
        assert encode(row.decode()) == row.data


@pytest.mark.parametrize("processes", [1, 2])
def test_what_goes_wrong_in_a_verifier_is_its_rows_alone(tmp_path, processes):
    traces = [trace(n, n, "so", "It is 7." + " tail" * (n == 3), "ok", False) for n in range(6)]
    engine = LocalEngine(processes, start_after_s=0)
    rows = [row.decode() for row in filtered(tmp_path, traces, verifier=failing_on_tails, engine=engine)]
    kinds = [getattr(row, "kind", None) for row in rows]
    assert kinds == [None, None, None, "error", None, None]
    assert "the verifier failed: ZeroDivisionError" in rows[3].reason


def test_the_number_of_processes_is_no_part_of_the_key():
    assert "processes" not in FilterOptions(processes=3).key_options()

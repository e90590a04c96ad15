import itertools

from cotdistill.records import Checkpoint, Conversation, Problem, Score, Trace
from cotdistill.stage import stages


def test_stages_stand_in_their_order_and_read_what_the_one_before_writes():
    table = [(s.number, s.name, s.reads, s.writes, s.uses) for s in stages().values()]
    assert table == [
        (1, "sample", Problem, Trace, ("teacher", "verifier")),
        (2, "filter", Trace, Trace, ("verifier", "judge", "tasks")),
        (3, "convert", Trace, Conversation, ()),
        (4, "train", Conversation, Checkpoint, ("student", "style")),
        (5, "evaluate", Checkpoint, Score, ("tasks", "style", "verifier", "judge")),
    ]
    for before, after in itertools.pairwise(table):
        assert after[2] is before[3]


def test_a_stage_is_named_alike_everywhere():
    for stage in stages().values():
        assert stage.folder == f"{stage.number}-{stage.name}"
        assert stage.function.__module__ == f"cotdistill.stages.{stage.name}"
        assert stage.summary.endswith(".")

from cotdistill.records import Completion, Problem, Rejected, Trace
from cotdistill.registry import make
from cotdistill.stage import Workspace, stages
from cotdistill.stages.convert import ConvertOptions

CONVERT = stages()["convert"].function
PROBLEM = Problem(id="p", question="q", gold="7")


def test_every_trace_becomes_a_conversation_and_an_empty_one_is_named(tmp_path):
    traces = [
        Trace(problem=PROBLEM, completion=Completion(key="k", index=0, text="It is 7.", reasoning="r")),
        Trace(problem=PROBLEM, completion=Completion(key="k", index=1, text=" ", reasoning="r")),
    ]
    work = Workspace(tmp_path, tmp_path, 1)
    first, second = CONVERT(traces, ConvertOptions(), work, style=make("styles", "answer_only"))
    assert [m.content for m in first.messages] == ["q", "It is 7."]
    assert isinstance(second, Rejected) and second.reason_class == "empty"

"""Traces for the tests of screens."""

from cotdistill.records import Completion, Problem, Trace, Usage, Verdict


def trace(
    text="The answer is 7.", reasoning="so 7", *, problem="p", question="q?", gold="7", index=0, tokens=0, **more
):
    verdict = more.pop("verdict", "correct")
    pass_rate = more.pop("pass_rate", None)
    usage = Usage(completion_tokens=tokens)
    return Trace(
        problem=Problem(id=problem, question=question, gold=gold),
        completion=Completion(key="k", index=index, text=text, reasoning=reasoning, usage=usage, **more),
        verdict=Verdict(outcome=verdict),
        pass_rate=pass_rate,
    )

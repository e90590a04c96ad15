"""The convert stage: which row is written how."""

from collections import Counter

import pytest
from pydantic import ValidationError

from cotdistill.engines.local import LocalEngine
from cotdistill.errors import UserError
from cotdistill.formats import encode_line
from cotdistill.recipe.recipe import read_recipe
from cotdistill.records import Completion, Conversation, Message, Problem, Rejected, Trace
from cotdistill.registry import make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.stages.convert import ConvertOptions
from cotdistill.storage.encoded import encode
from cotdistill.styles.thought_solution import SYSTEM

FOUR_FORMATS = {
    "mixture": [
        {"style": "plain", "shots": 4, "weight": 0.25},
        {"style": "answer_only", "shots": 4, "weight": 0.25},
        {"style": "plain", "weight": 0.25},
        {"style": "answer_only", "weight": 0.25},
    ]
}
"""Fu et al. 2023, sec. 4: in-context and zero-shot, with rationale and answer only."""


def traces(problems, rationales=1):
    return [
        Trace(
            problem=Problem(id=f"p{n}", question=f"q{n}", gold="7"),
            completion=Completion(key=f"k{n}", index=index, text="It is 7.", reasoning=f"r{n}.{index}"),
        )
        for n in range(problems)
        for index in range(rationales)
    ]


def converted(folder, given, seed=1, **options):
    work = Workspace(folder, folder, seed)
    return list(stages()["convert"].function(iter(given), ConvertOptions.model_validate(options), work))


def shape(row: Conversation) -> tuple[int, bool]:
    """Return the number of worked examples, and whether the row teaches a rationale."""
    return len(row.messages) // 2 - 1, row.messages[-1].content.startswith("r")


def test_every_trace_becomes_a_conversation_and_an_empty_one_is_named(tmp_path):
    given = traces(1, rationales=2)
    given[1] = given[1].model_copy(update={"completion": given[1].completion.model_copy(update={"text": " "})})
    first, second = converted(tmp_path, given, style="answer_only")
    assert [m.content for m in first.messages] == ["q0", "It is 7."]
    assert isinstance(second, Rejected)
    assert (second.kind, second.reason) == ("empty", "style answer_only has nothing to write")


def test_the_missions_row_is_written_to_the_byte(tmp_path):
    completion = Completion(key="k", index=0, reasoning="Okay, so.\n\nTwo\tsteps. \n", text=" **72**\n")
    trace = Trace(problem=Problem(id="p", question=" How many\nclips? "), completion=completion)
    (row,) = converted(tmp_path, [trace])
    assert row.messages == (
        Message(role="system", content=SYSTEM),
        Message(role="user", content=" How many\nclips? "),
        Message(
            role="assistant",
            content="<|begin_of_thought|>\n\nOkay, so.\n\nTwo\tsteps. \n<|end_of_thought|>\n\n"
            "<|begin_of_solution|>\n\n **72**\n<|end_of_solution|>",
        ),
    )


def test_real_line_ends_give_the_rows_of_a_script_that_holds_the_prompt_in_a_string(tmp_path):
    given = [
        Trace(
            problem=Problem(id=f"p{n}", question=f"{'小明' * n} has {n} pens.\n\nHow many? ", gold="7"),
            completion=Completion(
                key=f"k{n}", index=0, reasoning=f"\nOkay,\n\n{n} …  ", text=f"\\boxed{{{n}}}\n" * n + "7"
            ),
        )
        for n in range(20)
    ]
    style = {"kind": "thought_solution", "newlines": "real"}
    layout = make("formats", "sharegpt")
    rows = [layout.encode(row) for row in converted(tmp_path, given, style=style)]
    for trace, row in zip(given, rows, strict=True):
        thought = "<|begin_of_thought|>\n\n" + trace.completion.reasoning + "<|end_of_thought|>\n\n"
        solution = "<|begin_of_solution|>\n\n" + trace.completion.text + "<|end_of_solution|>"
        assert row["conversations"] == [
            {"from": "user", "value": trace.problem.question},
            {"from": "assistant", "value": thought + solution},
        ]
        assert row["system"] == SYSTEM.replace(r"'\n\n'", "'\n\n'")
    assert layout.entry("f.json")["tags"]["system_tag"] == "system"


def test_the_rationales_of_one_problem_stay_together_each_under_the_id_of_its_trace(tmp_path):
    rows = converted(tmp_path, traces(5, rationales=3), style="plain", shots=2)
    assert [row.id for row in rows] == [f"p{n}/{i}" for n in range(5) for i in range(3)]
    assert [row.messages[-1].content[:4] for row in rows] == [f"r{n}.{i}" for n in range(5) for i in range(3)]


def test_examples_come_from_other_problems_of_the_set(tmp_path):
    for row in converted(tmp_path, traces(9, rationales=2), style="plain", shots=4):
        asked = [m.content for m in row.messages if m.role == "user"]
        assert len(set(asked)) == 5
        assert asked[-1] == row.id.partition("/")[0].replace("p", "q")
    assert list(tmp_path.iterdir()) == [], "what was set down for the second look is gone"


def test_a_mixture_of_four_formats_keeps_their_shares(tmp_path):
    found = Counter(shape(row) for row in converted(tmp_path, traces(2000), **FOUR_FORMATS))
    assert set(found) == {(4, True), (4, False), (0, True), (0, False)}
    assert all(abs(count - 500) < 90 for count in found.values()), found


def test_rows_that_come_or_go_move_no_other_to_another_style(tmp_path):
    given = traces(300, rationales=2)
    whole = {row.messages[-1].content[:6]: shape(row) for row in converted(tmp_path, given, **FOUR_FORMATS)}
    every_third = converted(tmp_path, given[::3], **FOUR_FORMATS)
    assert all(shape(row) == whole[row.messages[-1].content[:6]] for row in every_third if shape(row)[1])
    again = converted(tmp_path, given, **FOUR_FORMATS)
    assert again == converted(tmp_path, given, **FOUR_FORMATS)
    assert again != converted(tmp_path, given, seed=2, **FOUR_FORMATS)


def test_weights_are_relative(tmp_path):
    mixture = [{"style": "plain", "weight": 3}, {"style": "answer_only", "weight": 1}]
    found = Counter(shape(row) for row in converted(tmp_path, traces(2000), mixture=mixture))
    assert abs(found[0, True] - 1500) < 90


def test_too_few_problems_for_the_examples_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"4 examples .* need rationales of 5 problems; there are 4"):
        converted(tmp_path, traces(4), style="plain", shots=4)


def test_evaluation_asks_in_the_first_style_of_a_mixture():
    assert ConvertOptions.model_validate(FOUR_FORMATS).taught_style.kind == "plain"
    assert ConvertOptions.model_validate({"style": "think"}).taught_style.kind == "think"
    assert ConvertOptions().taught_style.kind == "thought_solution"


@pytest.mark.parametrize(
    "options",
    [
        {"mixture": [{"style": "plain", "weight": 0}]},
        {"mixture": [{"shots": 4}]},
        {"mixture": [{"style": "plane"}]},
        {"mixture": [{"style": "plain", "shoots": 4}]},
        {"style": "plain", "shots": -1},
    ],
)
def test_what_cannot_be_meant_is_refused(options):
    with pytest.raises(ValidationError):
        ConvertOptions.model_validate(options)


def test_a_style_beside_a_mixture_is_an_error_with_its_place(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("name: r\nconvert:\n  style: plain\n  shots: 2\n  mixture: [{style: plain}]\n")
    with pytest.raises(UserError) as refused:
        read_recipe(path)
    assert "r.yaml:5" in str(refused.value)
    assert "remove `shots` and `style`" in str(refused.value)


@pytest.mark.parametrize(
    "options", [{"style": "plain"}, {"style": "answer_only"}, {**FOUR_FORMATS, "format": "openai"}]
)
def test_on_a_cluster_the_lines_of_the_file_are_the_same(tmp_path, options):
    given = [*traces(150, 2), traces(1)[0].model_copy(update={"completion": Completion(key="k", index=0, text=" ")})]
    here = converted(tmp_path, given, **options)
    chosen = ConvertOptions.model_validate(options)
    there = list(stages()["convert"].function(given, chosen, Workspace(tmp_path, tmp_path, 1, engine=LocalEngine(1))))
    assert [row.kind for row in there] == [getattr(row, "kind", None) for row in here]
    writer = chosen.format.build()
    expected = [encode(row) if isinstance(row, Rejected) else encode_line(writer, row) for row in here]
    assert [row.data for row in there] == expected
    assert any(isinstance(row, Rejected) for row in here)

import pytest

from cotdistill.think_tags import (
    STRAY_TAG,
    Split,
    after_thinking,
    has_empty_thought,
    split_recorded,
    split_thinking,
    tag_fault,
)

MARKS = [
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>"), ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("<THINK>", "</THINK>"), ("<Thinking>", "</Thinking>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
]  # fmt: skip


@pytest.mark.parametrize(("opening", "closing"), MARKS)
def test_thinking_is_told_from_the_answer_however_it_is_marked(opening, closing):
    assert after_thinking(f"{opening}r{closing}a") == after_thinking(f"r{closing}a") == "a"
    assert after_thinking(f"{opening}r") is None
    assert after_thinking(f"{opening}r{closing}a{opening}s") is None
    assert split_thinking(f"{opening}\nr\n{closing}\na")[:2] == ("r", "a")
    assert split_thinking(f"r{closing}a")[:2] == ("r", "a")
    assert split_thinking(f"{opening}r")[:2] == ("r", "")
    assert split_thinking(f"{opening}\n{closing}a").is_empty
    assert STRAY_TAG.search(f"a {opening}") and STRAY_TAG.search(f"a {closing}")


@pytest.mark.parametrize("opening", ["<reasoning>", "<think>", "[THINK]"])
def test_an_answer_tag_ends_thinking_that_was_not_closed(opening):
    assert after_thinking(f"{opening}r<answer>a</answer>") == "<answer>a</answer>"
    assert split_thinking(f"{opening}r<answer>a</answer>")[:2] == ("r", "<answer>a</answer>")


@pytest.mark.parametrize("text", ["a", "I think > 5", "a < b", "[1, 2]", "the thought", "<b>think</b>"])
def test_text_without_marks_is_left_whole(text):
    assert after_thinking(text) == text
    assert split_thinking(text) == Split("", text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a", ""),
        ("<think>r</think>a", ""),
        ("<|begin_of_thought|>r<|end_of_thought|><|begin_of_solution|>a<|end_of_solution|>", ""),
        ("<think>r", "<think> is not closed"),
        ("r</think>a", "</think> without <think>"),
        ("</think>r<think>", "</think> comes before <think>"),
        ("<think>r</think><think>s</think>", "<think> occurs 2 times"),
        ("<|begin_of_solution|>a", "<|begin_of_solution|> is not closed"),
        ("<reasoning>r</reasoning><answer>a</answer>", ""),
        ("[THINK]r[/think]a", ""),
        ("[THINK]r", "[THINK] is not closed"),
        ("r◁/think▷a", "◁/think▷ without ◁think▷"),
        ("</thinking>r<thinking>", "</thinking> comes before <thinking>"),
        ("<think>r</thinking>a", "<think> is not closed"),
    ],
)
def test_tags_stand_in_pairs(text, fault):
    assert tag_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "is_empty"),
    [
        ("<think>\n \n</think>a", True),
        ("<|begin_of_thought|><|end_of_thought|>a", True),
        ("<Thinking> </thinking>a", True),
        ("[THINK]\n[/THINK]a", True),
        ("</think>a", False),
        ("<think>", False),
        ("<think>r</think>", False),
        ("a", False),
    ],
)
def test_an_empty_place_for_thinking_is_seen(text, is_empty):
    assert has_empty_thought(text) is is_empty


SKY = "<|begin_of_thought|>r<|end_of_thought|>"
SOLVED = "<|begin_of_solution|>a<|end_of_solution|>"


@pytest.mark.parametrize(
    ("content", "split"),
    [
        (SKY + SOLVED, ("r", "a")),
        (f"{SKY}\n\nso\n{SOLVED}\nthe end", ("r", "so\n\na\n\nthe end")),
        (f"first {SKY} a", ("r", "first\n\na")),
        (SKY, ("r", "")),
        ("so <|begin_of_thought|>r", ("r", "")),
    ],
)
def test_what_stands_outside_of_sky_t1_s_tags_is_said(content, split):
    assert split_recorded(content)[:2] == split

import pytest

from cotdistill.think_tags import has_empty_thought, tag_fault


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
    ],
)
def test_tags_stand_in_pairs(text, fault):
    assert tag_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "is_empty"),
    [
        ("<think>\n \n</think>a", True),
        ("<|begin_of_thought|><|end_of_thought|>a", True),
        ("<think>r</think>", False),
        ("a", False),
    ],
)
def test_an_empty_place_for_thinking_is_seen(text, is_empty):
    assert has_empty_thought(text) is is_empty

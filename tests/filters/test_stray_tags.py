import pytest

from cotdistill.filters.stray_tags import reason_against_tags
from tests.support.traces import trace


@pytest.mark.parametrize("tag", ["<think>", "</think>", "</ Think >", "<thinking>", "<|end_of_thought|>"])
def test_a_stray_tag_in_either_text_is_named(tag):
    assert (
        str(reason_against_tags(trace(f"It is {tag} 7.")))
        == f"format: 1 thinking tags in the answer (limit 0), the first `{tag}`"
    )
    assert "in the reasoning" in reason_against_tags(trace(reasoning=f"{tag}so 7{tag}")).text


@pytest.mark.parametrize("text", ["I think 3 < 4 > 2.", "`<thin>` and <b>bold</b>", "rethink", "x <think"])
def test_words_and_signs_are_no_tags(text):
    assert reason_against_tags(trace(text, text)) is None

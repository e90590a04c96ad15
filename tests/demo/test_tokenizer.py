"""The word-level tokenizer: one token a word or number, nothing lost, and loadable beside a Qwen2 model."""

import random

import pytest

from cotdistill.demo.answers import answer
from cotdistill.demo.exercises import NOT_FOUND
from cotdistill.demo.problems import make_problems, solve
from cotdistill.demo.tokenizer import build

pytest.importorskip("transformers")

WORDS = build(max_length=512)


def pieces(text: str) -> list[str]:
    return [WORDS.decode([token]) for token in WORDS.encode(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ben has 23 pears.", ["Ben", " has", " 23", " pears", "."]),
        (
            "First 5 + 13 = 18.\n\nThe answer is 18.",
            ["First", " 5", " +", " 13", " =", " 18", ".", "\n\n", "The", " answer", " is", " 18", "."],
        ),
        (
            "<think>\nFirst 9 minus 2 is 7.\n</think>",
            ["<think>", "\n", "First", " 9", " minus", " 2", " is", " 7", ".", "\n", "</think>"],
        ),
        ("#### 7", ["####", " 7"]),
        (" --> 7 END", [" -->", " 7", " END"]),
        (NOT_FOUND, NOT_FOUND.replace(" ", "| ").replace(".", "|.").split("|")),
    ],
)
def test_words_marks_and_numbers_are_single_tokens(text, expected):
    assert pieces(text) == expected


def test_questions_and_answers_are_whole_words_and_come_back():
    rng = random.Random(1)
    for problem in make_problems(2000, seed=2):
        solution = solve(problem.question)
        assert solution is not None
        worked = answer(solution, rng, error_rate=0.15)
        for text in (
            problem.question,
            f"{worked.reasoning}\n\n{worked.text}",
            f"<think>\n{worked.reasoning}\n</think>\n\n{worked.text}",
        ):
            assert WORDS.decode(WORDS.encode(text)) == text
            words = text.replace(".", " .").replace("?", " ?").split()
            breaks = text.count("\n\n") + text.replace("\n\n", "").count("\n")
            assert len(WORDS.encode(text)) == len(words) + breaks


@pytest.mark.parametrize("text", ["", "zebra  123 héé\t7万", " a<b ", "A friend Adas 1000", "\r\n\n\n"])
def test_any_text_comes_back(text):
    assert WORDS.decode(WORDS.encode(text)) == text


def test_the_chat_template_marks_turns_with_control_tokens():
    turns = [
        {"role": "system", "content": "So"},
        {"role": "user", "content": "How many?"},
        {"role": "assistant", "content": "The answer is 7."},
    ]
    text = WORDS.apply_chat_template(turns, tokenize=False)
    assert text == (
        "<|im_start|>system\nSo<|im_end|>\n<|im_start|>user\nHow many?<|im_end|>\n"
        "<|im_start|>assistant\nThe answer is 7.<|im_end|>\n"
    )
    asked = WORDS.apply_chat_template(turns[:-1], tokenize=False, add_generation_prompt=True)
    assert asked == text[: text.index("The answer")]
    assert pieces(asked)[-3:] == ["<|im_start|>", "assistant", "\n"]
    assert WORDS.decode(WORDS.encode(text), skip_special_tokens=True).count("<|") == 0


def test_control_tokens_are_apart_and_padding_is_not_the_end():
    assert (WORDS.eos_token, WORDS.pad_token) == ("<|im_end|>", "<|endoftext|>")
    assert WORDS.eos_token_id != WORDS.pad_token_id
    inside = WORDS.encode("Ben<|im_end|>", split_special_tokens=True)
    assert WORDS.eos_token_id not in inside
    assert WORDS.decode(inside) == "Ben<|im_end|>"


def test_it_is_the_same_when_loaded_beside_a_qwen2_model(tmp_path):
    from transformers import AutoTokenizer, Qwen2Config

    WORDS.save_pretrained(tmp_path)
    Qwen2Config().save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.get_vocab() == WORDS.get_vocab()
    assert loaded.chat_template == WORDS.chat_template
    text = "<|im_start|>user\nBen has 23 pears.<|im_end|>"
    assert loaded.encode(text) == WORDS.encode(text)

"""Rows without a thought stand behind an empty one, which is shown and not learned."""

import pytest

from cotdistill.losses import IGNORED
from cotdistill.prompts import as_chat, tokens_of
from cotdistill.records import Conversation, Message
from cotdistill.registry import make
from cotdistill.training.checks import faults
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.tokens import Encoder
from tests.support.chat_templates import ENDS, shaped_tokenizer

EMPTY = "<think>\n\n</think>\n\n"


def asked(answer):
    messages = (Message(role="user", content="What is 2 + 2?"), Message(role="assistant", content=answer))
    return Conversation(id="p/0", messages=messages)


def encoded(tokenizer, answer, *, gives_empty_thoughts=True):
    (row,) = Encoder(tokenizer, gives_empty_thoughts=gives_empty_thoughts).encode([asked(answer)])
    return row


def learned(tokenizer, row):
    return tokenizer.decode([label for label in row.labels if label != IGNORED])


@pytest.mark.parametrize("answer", ["It is 4.", f"{EMPTY}It is 4.", "<think></think>It is 4."])
def test_the_empty_thought_is_what_a_prefill_shows_and_is_not_learned(shaped, shape, answer):
    row = encoded(shaped, answer)
    shown = answer.removesuffix("It is 4.") or EMPTY
    if shape.startswith("opens"):  # the template has written the tag
        shown = shown.removeprefix("<think>").removeprefix("\n")
    prompt = tokens_of(shaped, as_chat(shaped, asked(answer).prompt, shown))
    assert row.input_ids[: len(prompt)] == prompt
    assert row.labels[: len(prompt)] == [IGNORED] * len(prompt)
    assert learned(shaped, row) == "It is 4." + ENDS.get(shape, "<|im_end|>")
    assert shaped.decode(row.input_ids).count("</think>") == 1


def test_a_row_that_thinks_is_learned_as_without_the_option(shaped):
    answer = "<think>\n2 and 2.\n</think>\n\nIt is 4."
    assert encoded(shaped, answer) == encoded(shaped, answer, gives_empty_thoughts=False)


def test_without_the_option_an_empty_thought_is_learned_like_all_of_an_answer(shaped):
    said = learned(shaped, encoded(shaped, f"{EMPTY}It is 4.", gives_empty_thoughts=False))
    assert "</think>\n\nIt is 4." in said


def test_a_template_that_writes_the_empty_thought_itself_is_left_as_it_is(tokenizer_folder):
    tokenizer = shaped_tokenizer(tokenizer_folder, "verbatim")
    opening = "<|im_start|>assistant\\n' -}}{%- endif -%}"
    empty = EMPTY.replace("\n", "\\n")
    tokenizer.chat_template = tokenizer.chat_template.replace(opening, opening.replace("' -", f"{empty}' -"))
    row = encoded(tokenizer, "It is 4.")
    assert row == encoded(tokenizer, "It is 4.", gives_empty_thoughts=False)
    assert tokenizer.decode(row.input_ids).count("</think>") == 1


def test_an_encoder_decoder_has_no_prompt_that_an_empty_thought_could_end():
    options = TrainOptions(empty_thought=True)
    (fault,) = faults(options, make("students", "demo_t5"), None)
    assert str(fault).startswith("train.empty_thought: an encoder-decoder reads no prompt")
    assert not list(faults(options, make("students", "demo"), None))

"""Which answers of a conversation are learned: those that inference shows as they were given."""

from itertools import groupby

import pytest

from cotdistill.errors import UserError
from cotdistill.losses import IGNORED
from cotdistill.records import Conversation, Message
from cotdistill.registry import make
from cotdistill.training.prepare.tokens import Encoder
from tests.support.chat_templates import CONTROL, ENDS, conversations, shaped_tokenizer


def _dicts(messages):
    return [message.model_dump() for message in messages]


def _said(tokenizer, messages):
    return tokenizer.apply_chat_template(_dicts(messages), add_generation_prompt=True, tokenize=False)


def _continued(prompt, answer):
    """What the student writes after a prompt so that both together are its answer."""
    if not (prompt.endswith("<think>\n") and answer.lstrip().startswith("<think>")):
        return answer
    return answer.lstrip().removeprefix("<think>").removeprefix("\n")


def _learned(tokenizer, row):
    """Texts of the stretches of a row that are learned; one answer's end and the next one never touch."""
    stretches = groupby(zip(row.labels, row.input_ids, strict=True), key=lambda token: token[0] != IGNORED)
    return [tokenizer.decode([i for _, i in tokens]) for is_learned, tokens in stretches if is_learned]


def _expected(tokenizer, conversation, end):
    """The answers that stand in the last prompt as they were given, after what was asked; then the last one."""
    *given, last = conversation.messages
    prompt = _said(tokenizer, given)
    found = []
    for number, message in enumerate(given):
        if message.role == "assistant":
            asked = _said(tokenizer, given[:number])
            answer = _continued(asked, message.content) + end
            found += [answer] if prompt.startswith(asked + answer) else []
    return [*found, _continued(prompt, last.content) + end]


def test_the_prompt_is_what_inference_encodes_and_every_unchanged_answer_is_learned(shaped, shape):
    end = ENDS.get(shape, "<|im_end|>")
    asked = conversations(200, seed=1)
    turns = 0
    for conversation, row in zip(asked, Encoder(shaped).encode(asked), strict=True):
        prompt = shaped.apply_chat_template(
            _dicts(conversation.messages[:-1]), add_generation_prompt=True, return_dict=False
        )
        assert row.input_ids[: len(prompt)] == prompt
        expected = _expected(shaped, conversation, end)
        assert _learned(shaped, row) == expected
        assert shaped.decode(row.input_ids) == _said(shaped, conversation.messages[:-1]) + expected[-1]
        assert row.input_ids[-1] == Encoder(shaped).end_id == shaped.convert_tokens_to_ids(end)
        turns += len(expected)
    answers = sum(message.role == "assistant" for c in asked for message in c.messages)
    least, most = {"verbatim": (answers, answers), "opens_thoughts": (200, 200)}.get(shape, (250, answers - 50))
    assert least <= turns <= most


def test_a_control_token_in_a_content_stays_text_where_the_template_changes_contents_too(shaped, shape):
    end = ENDS.get(shape, "<|im_end|>")
    trapped = conversations(200, seed=2, control=CONTROL)
    control = set(shaped.all_special_ids)
    traps = 0
    for conversation, row in zip(trapped, Encoder(shaped).encode(trapped), strict=True):
        prompt, expected = _said(shaped, conversation.messages[:-1]), _expected(shaped, conversation, end)
        assert shaped.decode(row.input_ids) == prompt + expected[-1]
        assert _learned(shaped, row) == expected
        harmless = [m.model_copy(update={"content": _without_control(m.content)}) for m in conversation.messages[:-1]]
        templates_own = shaped.apply_chat_template(_dicts(harmless), add_generation_prompt=True, return_dict=False)
        own = [i for i in [*templates_own, Encoder(shaped).end_id] if i in control]
        assert [i for i in row.input_ids if i in control] == own
        traps += any(token in m.content for m in conversation.messages for token in CONTROL)
    assert traps > 100


def _without_control(content):
    for token in CONTROL:
        content = content.replace(token, "x" * len(token))
    return content


def test_the_last_answer_alone_is_learned_where_history_is_masked(shaped, shape):
    asked = conversations(50, seed=3)
    whole, masked = Encoder(shaped).encode(asked), Encoder(shaped, masks_history=True).encode(asked)
    for conversation, row, other in zip(asked, whole, masked, strict=True):
        assert other.input_ids == row.input_ids
        assert _learned(shaped, other) == _expected(shaped, conversation, ENDS.get(shape, "<|im_end|>"))[-1:]


def _asked(*contents):
    roles = ["user", "assistant"] * len(contents)
    messages = tuple(Message(role=role, content=text) for role, text in zip(roles, contents, strict=False))
    return Conversation(id="p", messages=messages)


def test_a_token_that_is_half_the_templates_is_given(tokenizer_folder):
    tokenizer = shaped_tokenizer(tokenizer_folder, "verbatim")
    tokenizer.add_tokens(["\n~"])
    (row,) = Encoder(tokenizer).encode([_asked("1?", "~2", "3?", "~4")])
    assert _learned(tokenizer, row) == ["2<|im_end|>", "~4<|im_end|>"]


def test_an_answer_whose_end_the_template_leaves_out_is_given(tokenizer_folder):
    tokenizer = shaped_tokenizer(tokenizer_folder, "verbatim")
    tokenizer.chat_template = "{% for m in messages %}{{ m.content + '\n' }}{% endfor %}"
    (row,) = Encoder(tokenizer).encode([_asked("1?", "2", "3?", "4")])
    assert _learned(tokenizer, row) == ["4<|im_end|>"]


def test_tags_of_thinking_that_are_special_tokens_are_written_as_tokens(tokenizer_folder, shape):
    """Else a student would learn to spell them, and never write the token that its template looks for."""
    tokenizer = shaped_tokenizer(tokenizer_folder, shape, tags_are_special=True)
    spelled = shaped_tokenizer(tokenizer_folder, shape)
    asked = [*conversations(60, seed=4), *conversations(60, seed=5, control=CONTROL)]
    for row, other in zip(Encoder(tokenizer).encode(asked), Encoder(spelled).encode(asked), strict=True):
        assert tokenizer.decode(row.input_ids) == spelled.decode(other.input_ids)
        for tag in ("<think>", "</think>"):
            token = tokenizer.convert_tokens_to_ids(tag)
            assert row.input_ids.count(token) == tokenizer.decode(row.input_ids).count(tag)
        assert _learned(tokenizer, row) == _learned(spelled, other)


def test_a_conversation_that_the_template_refuses_is_named_by_its_roles(tokenizer_folder):
    tokenizer = shaped_tokenizer(tokenizer_folder, "verbatim")
    tokenizer.chat_template = (
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('roles must alternate') }}{% endif %}{{ m.content }}{% endfor %}"
    )
    messages = _asked("1?", "2").messages
    with pytest.raises(UserError, match=r"refuses the roles user, user: roles must alternate.*write `template:`"):
        list(Encoder(tokenizer).encode([Conversation(id="p", messages=(messages[0], *messages))]))


def test_a_tokenizer_that_tells_no_places_learns_last_answers_alone():
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer(extra_ids=0)
    tokenizer.chat_template = "{% for m in messages %}{{ m.content + '</s>' }}{% endfor %}"
    for encoder, asked in (
        (Encoder(tokenizer), _asked("1?", "2")),
        (Encoder(tokenizer, masks_history=True), _asked("1?", "2", "3?", "4")),
        (Encoder(tokenizer), _asked("1 </s> 1?", "2")),
    ):
        (row,) = encoder.encode([asked])
        assert (
            tokenizer.decode([label for label in row.labels if label != IGNORED]) == asked.messages[-1].content + "</s>"
        )
        assert row.labels[-1] == tokenizer.eos_token_id
    with pytest.raises(UserError, match=r"which characters a token is made of .write `mask_history: true`"):
        list(Encoder(tokenizer).encode([_asked("1?", "2", "3?", "4")]))
    with pytest.raises(UserError, match=r"which characters a token is made of .leave out `loss_weights`"):
        Encoder(tokenizer, style=make("styles", "think"))


def test_answers_without_a_thought_behind_an_opened_one_are_said_aloud_once(tokenizer_folder, caplog):
    tokenizer = shaped_tokenizer(tokenizer_folder, "opens_thoughts")
    list(Encoder(tokenizer).encode([_asked("1?", "<think>so</think>2"), _asked("1?", "so</think>2")]))
    assert not caplog.records
    list(Encoder(tokenizer).encode([_asked("1?", "2")] * 3))
    (said,) = caplog.messages
    assert said.startswith("the chat template opens <think> before each answer, and there are answers without </think>")


@pytest.mark.parametrize("masks_history", [False, True])
def test_what_a_template_leaves_out_of_earlier_answers_is_said_once(tokenizer_folder, caplog, masks_history):
    def told(shape, answer):
        caplog.clear()
        messages = tuple(
            Message(role=role, content=content)
            for role, content in (("user", "q"), ("assistant", answer), ("user", "r"), ("assistant", answer))
        )
        encoder = Encoder(shaped_tokenizer(tokenizer_folder, shape), masks_history=masks_history)
        list(encoder.encode([Conversation(id="c", messages=messages)] * 3))
        return caplog.text.count("leaves out parts of earlier answers")

    thought = "<think>\nhm\n</think>\n\n72"
    assert told("drops_thoughts", thought) == told("opens_thoughts", thought) == 1
    assert told("verbatim", thought) == told("drops_thoughts", "72") == told("trims", " 72 ") == 0

"""Which template a tokenizer gets, and what stands around the messages."""

import pytest

from cotdistill.errors import UserError
from cotdistill.training.prepare.templates import text_around, use_template, written_already
from tests.support.chat_templates import shaped_tokenizer

SYSTEM = "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"


@pytest.fixture
def fresh(tokenizer_folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tokenizer_folder)


def test_qwen_adds_its_system_prompt_where_there_is_none(fresh):
    use_template(fresh, "qwen")
    user = "<|im_start|>user\n"
    after = "<|im_end|>\n<|im_start|>assistant\n"
    assert text_around(fresh, ["user"], is_prompt=True) == [SYSTEM + user, after]
    assert text_around(fresh, ["system", "user"], is_prompt=True) == [
        "<|im_start|>system\n",
        "<|im_end|>\n" + user,
        after,
    ]


def test_qwen3_nothink_is_the_same_without_a_system_prompt_of_its_own(fresh):
    use_template(fresh, "qwen")
    with_system = text_around(fresh, ["system", "user", "assistant"], is_prompt=False)
    use_template(fresh, "qwen3_nothink")
    assert text_around(fresh, ["system", "user", "assistant"], is_prompt=False) == with_system
    assert text_around(fresh, ["user"], is_prompt=True) == [
        "<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n",
    ]


@pytest.mark.parametrize("name", [None, "default"])
def test_by_default_the_tokenizer_keeps_its_own(fresh, name):
    own = fresh.chat_template
    use_template(fresh, name)
    assert fresh.chat_template == own
    assert text_around(fresh, ["user"], is_prompt=True)[0] == "<|im_start|>user\n"


@pytest.mark.parametrize(("name", "shape"), [("qwen3", "drops_thoughts"), ("llama3", "trims")])
def test_a_name_of_a_template_that_the_student_has_means_its_own(tokenizer_folder, name, shape):
    tokenizer = shaped_tokenizer(tokenizer_folder, shape)
    own = tokenizer.chat_template
    use_template(tokenizer, name)
    assert tokenizer.chat_template == own
    for other in {"qwen3", "llama3"} - {name}:
        with pytest.raises(UserError, match=f"own template is not `{other}`: it writes other control tokens"):
            use_template(tokenizer, other)
    with pytest.raises(UserError, match="template `deepseekr1` needs <｜User｜>, <｜Assistant｜>, "):
        use_template(tokenizer, "deepseekr1")


def test_an_unknown_name_is_refused_with_the_known_ones(fresh):
    with pytest.raises(
        UserError,
        match=r"unknown template `qwem`.*known: deepseek3, deepseekr1, default, llama3, qwen, qwen3, qwen3_nothink",
    ):
        use_template(fresh, "qwem")


def test_no_template_at_all_is_refused(fresh):
    fresh.chat_template = None
    with pytest.raises(
        UserError, match=r"no chat template.*known: deepseek3, deepseekr1, default, llama3, qwen, qwen3, qwen3_nothink"
    ):
        use_template(fresh, None)


def test_a_vocabulary_without_the_control_tokens_is_refused():
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1, "<|im_end|>": 2}, unk_token="<unk>"))
    with pytest.raises(UserError, match=r"needs <\|im_start\|> in"):
        use_template(PreTrainedTokenizerFast(tokenizer_object=words), "qwen")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "{{ raise_exception('no system role') }}",
            r"refuses the roles system, user: no system role.*leave the system prompt out.*or write `template:`",
        ),
        ("{{ messages[1]['content'] }}", r"leaves out a system message.*leave the system prompt out"),
        (
            "{{ messages[0]['content'] }}",
            r"leaves out a user message.*write `template:`.*known: deepseek3, deepseekr1, default, llama3, qwen, qwen3, qwen3_nothink",
        ),
    ],
)
def test_a_template_that_cannot_hold_the_messages_is_refused(fresh, template, message):
    fresh.chat_template = template
    with pytest.raises(UserError, match=message) as refused:
        text_around(fresh, ["system", "user"], is_prompt=True)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ m['content'] * 2 }}{% endfor %}",
        "{% for m in messages[::-1] %}{{ m['content'] }}{% endfor %}",
        "{% for m in messages %}{{ m['content'] | trim }}{% endfor %}",
        "{% for m in messages %}{{ m['content'].split('</think>')[-1] }}{% endfor %}",
    ],
)
def test_nothing_stands_around_messages_that_are_repeated_moved_or_changed(fresh, template):
    fresh.chat_template = template
    assert text_around(fresh, ["system", "user"], is_prompt=True) is None


@pytest.mark.parametrize(
    ("prompt", "answer", "rest"),
    [
        ("assistant\n<think>\n", "<think>\nso\n</think>9", "so\n</think>9"),
        ("assistant\n<think>\n", " <think>so</think>9", "so</think>9"),
        ("assistant\n<think>", "<think>\nso</think>9", "\nso</think>9"),
        ("assistant\n<think>\n", "9 <think>", "9 <think>"),
        ("assistant\n", "<think>\nso", "<think>\nso"),
        ("<|begin_of_thought|>\n\n", "<|begin_of_thought|>\n\nso", "so"),
        ("<think>\n\n</think>\n\n", "<think>\nso", "<think>\nso"),
    ],
)
def test_a_thought_that_the_prompt_opens_is_not_opened_twice(prompt, answer, rest):
    assert answer[written_already(prompt, answer) :] == rest

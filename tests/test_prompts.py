import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill import prompts
from cotdistill.errors import UserError
from cotdistill.records import Message

TEMPLATES = sorted((Path(__file__).parents[1] / "configs" / "prompts").rglob("*.txt"))


@pytest.mark.parametrize(
    ("template", "values", "rendered"),
    [
        ("Solve: {question}", {"question": "1 + 1"}, "Solve: 1 + 1"),
        ("{question} in \\boxed{} or \\boxed{72}", {"question": "q"}, "q in \\boxed{} or \\boxed{72}"),
        ("{question}{question} {gold} {", {"question": "q"}, "qq {gold} {"),
        ("{{question}} {0} {question!r}", {"question": "q"}, "{q} {0} {question!r}"),
        ("{a} {ab}", {"a": "1", "ab": "2"}, "1 2"),
        ("{a} {b}", {"a": "{b}", "b": "{a}"}, "{b} {a}"),
        ("{question}", {"question": r"\1 \g<0> \n"}, r"\1 \g<0> \n"),
        ("{question}", {}, "{question}"),
    ],
)
def test_only_declared_names_are_replaced(template: str, values: dict[str, str], rendered: str) -> None:
    assert prompts.render(template, **values) == rendered


@given(st.text(alphabet="{}question\\ "))
def test_no_question_is_changed_by_being_put_in(question: str) -> None:
    assert prompts.render("<{question}>", question=question) == f"<{question}>"


def test_a_template_without_the_question_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "typo.txt"
    path.write_text("Solve {qestion}")
    with pytest.raises(UserError) as caught:
        prompts.load(path)
    assert caught.value.lines() == [f"{path}: {{question}} is missing (write {{question}} where the question belongs)"]


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file"), (b"\xff{question}", "is not UTF-8"), (b"", "is missing")]
)
def test_a_template_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "template.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        prompts.load(path)
    assert caught.value.where.startswith(str(path))


def test_every_character_of_the_file_is_part_of_the_prompt(tmp_path: Path) -> None:
    path = tmp_path / "template.txt"
    path.write_bytes(b"\xef\xbb\xbf  {question}\n\nAnswer: \r\n")
    assert prompts.load(path) == "  {question}\n\nAnswer: \n"


@given(st.text(alphabet="ab 题\n\t\"'\\"), st.text(alphabet="ab 题\n\t\"'\\"), st.text(alphabet="{}ab\n\\"))
def test_a_prompt_is_what_format_makes_of_it(before: str, after: str, question: str) -> None:
    template = f"{before}{{question}}{after}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompt.txt"
        path.write_text(template, encoding="utf-8")
        assert prompts.render(prompts.load(path), question=question) == template.format(question=question)


@pytest.mark.parametrize("path", [pytest.param(p, id=f"{p.parent.name}-{p.stem}") for p in TEMPLATES])
def test_every_template_of_the_repository_asks_the_question(path: Path) -> None:
    assert "1 + 1 in \\boxed{}?" in prompts.render(prompts.load(path), question="1 + 1 in \\boxed{}?")


def test_there_are_templates() -> None:
    assert {"plain", "patient_father"} <= {path.stem for path in TEMPLATES}


def said(system: str | None, *context: tuple[str, str]) -> list[str]:
    system_turn, turns = prompts.opening(system, [Message(role=role, content=text) for role, text in context])
    return [message.content for message in (*system_turn, *turns)]


def test_a_question_keeps_its_own_system_prompt_behind_that_of_the_recipe() -> None:
    turns = [("user", "q"), ("assistant", "a")]
    assert said(None) == said("") == []
    assert said("s") == ["s"]
    assert said(None, ("system", "own"), *turns) == ["own", "q", "a"]
    assert said("s", ("system", "own"), *turns) == ["s\n\nown", "q", "a"]
    assert said("my own way", ("system", "own")) == ["my own way"]


class Template:
    """A tokenizer's template that ends as it is told."""

    def __init__(self, end: str) -> None:
        self.end = end

    def apply_chat_template(self, rows: list[dict[str, str]], **options: bool) -> str:
        assert options == {"tokenize": False, "add_generation_prompt": True}
        return f"{rows[-1]['content']}<|assistant|>{self.end}"


@pytest.mark.parametrize(
    ("end", "begun", "written"),
    [
        ("\n", "", "\n"),
        ("\n", "<think>\n", "\n<think>\n"),
        ("<think>\n", "", "<think>\n"),
        ("<think>\n", "<think>", "<think>\n"),
        ("<think>\n", "<think>\n", "<think>\n"),
        ("<think>", "<think>\nFirst", "<think>\nFirst"),
        ("<think>\n", "<think>First", "<think>\nFirst"),
        ("<think>\n", "<think>\n\n</think>\n\n", "<think>\n\n</think>\n\n"),
        ("<think>\n", "First", "<think>\nFirst"),
        ("<think>\n", "[THINK]", "<think>\n[THINK]"),
        ("A", "A thought", "AA thought"),
    ],
)
def test_a_thinking_tag_that_the_template_writes_is_not_written_twice(end: str, begun: str, written: str) -> None:
    asked = [Message(role="user", content="Why?")]
    assert prompts.as_chat(Template(end), asked, begun) == f"Why?<|assistant|>{written}"

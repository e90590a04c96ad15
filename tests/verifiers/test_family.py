"""What every verifier that needs nothing but text does with any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.registry import kinds, make

GOLDS = {
    "auto": ["72", "C", "Paris", "2\\sqrt{3}"],
    "choice": ["A", "C", "J"],
    "exact": ["Paris", "no", "New York"],
    "judge": ["72", "-3/4", "Paris"],
    "last_number": ["72", "-3", "1,234.5"],
    "math": ["72", "2\\sqrt{3}", "[2,5)", "-2, 6", "\\text{east}"],
    "numeric": ["72", "-3/4", "1,234.5"],
}
RENDERINGS = [
    "{}", "**{}**", "The answer is {}.", "\\boxed{{{}}}", "Answer: {}", "<think>Who knows?</think>\n{}", "#### {}",
    "**Final Answer:** {}", "Let us see.\n\nThe final answer is {}.",
]  # fmt: skip

TEXT = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.text("0123456789.,-+*/=()[]{}\\$%^_#:;!? \n", max_size=12),
        st.sampled_from(
            ["\\boxed{", "}", "\\frac{1}{2}", "\\sqrt{", "^{9^{9}}", "\\begin{pmatrix}", " & ", "\\\\", "\\end{pmatrix}",
             "$", "\\(", "\\]", "**", "Final Answer:", "The answer is ", "So, ", "<think>", "</think>", "7万", "\n#### ",
             " A ", "(B)", " not C", " or ", "I", "x = 2", "\\text{", "\\infty", "[2, 5)", "\\{1, 2\\}", "12:00"]
        ),
    )
).map("".join)  # fmt: skip

HOSTILE = {
    "empty": "",
    "digits": "7" * 30_000,
    "declared digits": "The answer is " + "7" * 30_000,
    "nested braces": "{" * 100_000 + "}" * 100_000,
    "nested boxes": "\\boxed{" * 100_000,
    "nested roots": "\\boxed{" + "\\sqrt{" * 200 + "}" * 201,
    "dollars": "$" * 100_000,
    "brackets": "\\(" * 50_000,
    "letters": "A B C D " * 20_000,
    "choices": "the answer is B and C, " * 10_000,
    "denials": "not A, " * 20_000,
    "lines": "(A) x\n(B) y\n" * 20_000,
    "options": "option " * 20_000,
    "bold": "*" * 100_000,
    "dots": "." * 100_000,
    "ellipses": "and so on… ?!" + "?!" * 50_000,
    "blanks": "answer:" + " " * 100_000 + "x",
    "controls": "\x00\x1b\ud7ff" * 10_000,
}


@pytest.mark.parametrize(("kind", "gold"), [(kind, gold) for kind, golds in GOLDS.items() for gold in golds])
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_gold_passes_its_own_verifier(kind, gold, rendering):
    assert make("verifiers", kind)(gold, rendering.format(gold)).outcome == "correct"


def test_every_verifier_that_needs_no_more_than_a_name_is_tested_here():
    for name, kind in kinds("verifiers").items():
        needed = {field for field, info in kind.options.model_fields.items() if info.is_required()}
        assert name in GOLDS or needed != {"kind"}


@pytest.mark.parametrize("kind", [kind for kind in GOLDS if kind not in ("math", "auto")])
@settings(max_examples=150)
@given(gold=TEXT, answer=TEXT)
def test_any_text_gets_the_same_verdict_twice(kind, gold, answer):
    verify = make("verifiers", kind)
    assert verify(gold, answer) == verify(gold, answer)
    for gold in GOLDS[kind]:
        assert verify(gold, answer) == verify(gold, answer)


@pytest.mark.parametrize("kind", ["math", "auto"])
@settings(max_examples=60)
@given(gold=TEXT, answer=TEXT)
def test_any_text_gets_an_outcome_from_math(kind, gold, answer):
    verify = make("verifiers", kind, timeout_s=0.3)
    assert verify(gold, answer).outcome in ("correct", "wrong", "unparsed", "error")
    first, second = (verify("2\\sqrt{3}", answer) for _ in range(2))
    assert first == second or "error" in (first.outcome, second.outcome)  # at the limit a busy machine decides


@pytest.mark.parametrize("kind", GOLDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_comes_back(kind, name):
    verify = make("verifiers", kind)
    assert verify(GOLDS[kind][0], HOSTILE[name]).outcome in ("wrong", "unparsed")
    assert verify(HOSTILE[name], GOLDS[kind][0]).outcome in ("wrong", "unparsed", "error")


@pytest.mark.parametrize("kind", GOLDS)
@pytest.mark.parametrize("gold", ["", " \n", "#### "])
def test_empty_gold_is_an_error(kind, gold):
    verdict = make("verifiers", kind)(gold, "The answer is 7.")
    assert verdict.outcome == "error"
    assert "gold" in verdict.reason

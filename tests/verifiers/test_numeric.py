import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.registry import make
from cotdistill.verifiers.numeric import numeric
from tests.support.number_pairs import LANGUAGES, LATEX, NO_NUMBER, PLAIN

GARBAGE = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.text("0123456789.,-+*/=()[]{}\\$%^_#:;!? \n", max_size=12),
        st.sampled_from(
            [
                "\\boxed{",
                "\\frac{1}{2}",
                "**",
                "Final Answer:",
                "So, ",
                "<think>",
                "</think>",
                "7万",
                "\n#### ",
                "five hundred",
            ]
        ),
    )
).map("".join)


def outcome(gold: str, answer: str, **options: str) -> str:
    return make("verifiers", "numeric", **options)(gold, answer).outcome


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("72", "She sold **72** clips."),
        ("#### 72", "#### 72"),
        ("Half of 48 is 24.\n#### 72", "Answer: 72"),
        ("The answer is 72.", "72"),
        ("1,234", "The answer is 1234."),
        ("$5", "It costs 5 dollars."),
        ("3/4", "The answer is 0.75"),
        ("0.75", "\\boxed{\\frac{3}{4}}"),
        ("x=5", "So x = 5."),
        ("\\text{13}", "13"),
        ("90^\\circ", "90"),
        ("3.0 \\times 10^{8}", "300000000"),
        ("১৮", "18"),
        ("18", "উত্তর হল ১৮।"),
        ("twelve", "The answer is 12."),
        ("-5", "The answer is −5."),
    ],
)
def test_same_number_in_another_notation_is_correct(gold, answer):
    assert outcome(gold, answer) == "correct"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("25", "The answer is 0.25"),
        ("100000", "The answer is 100009"),
        ("5", "The answer is -5."),
        ("3", "It takes 3 1/2 hours."),
        ("15", "Die Antwort lautet 1,5."),
        ("25%", "The answer is 0.25%"),
        ("-3/4", "\\boxed{\\frac{3}{4}}"),
        ("24", "She sold 24 in May. Final answer: 72"),
        ("4", "The answer is not 4, it is 5."),
    ],
)
def test_another_number_is_wrong(gold, answer):
    assert outcome(gold, answer) == "wrong"


@pytest.mark.parametrize(("gold", "answer"), [*LANGUAGES, *LATEX, *PLAIN])
def test_the_stated_number_is_read(gold, answer):
    assert outcome(gold, answer) == "correct"


@pytest.mark.parametrize(("gold", "answer"), NO_NUMBER)
def test_a_number_that_is_not_the_stated_result_does_not_count(gold, answer):
    assert outcome(gold, answer) in ("wrong", "unparsed")


@pytest.mark.parametrize(
    ("gold", "answer"), [("25", "25%"), ("0.25", "25%"), ("25%", "0.25"), ("25%", "25"), ("25%", "25 percent")]
)
def test_a_percentage_equals_its_number_and_its_hundredth(gold, answer):
    assert outcome(gold, answer) == "correct"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no final number found"),
        ("I'm sorry, but I can't help with that.", "no final number found"),
        ("<think>The answer is 5", "no final number found"),
        ("<think>a</think>The answer is 5 <think>no, 6", "no final number found"),
        ("\\boxed{}", "no final number found"),
        ("\\boxed{5", "no final number found"),
        ("He leaves at 5:30.", "no final number found"),
        ("The answer is 5:30.", "final is no number: 5:30"),
        ("The answer is 5-10.", "final is no number: 5-10"),
        ("\\boxed{5^{9^{9}}}", "final is no number: 5^{9^{9}}"),
        ("The answer is 5 or 6.", "finals disagree: 5, 6"),
        ("Final answer: **4** pens and **5** pencils", "finals disagree: 4, 5"),
        ("Final answer:\n- Pens: 4\n- Pencils: 5", "finals disagree: 4, 5"),
        ("The answer is 6. The answer is 5.", "finals disagree: 6, 5"),
        ("\\boxed{6} and \\boxed{5}", "finals disagree: 6, 5"),
    ],
)
def test_an_answer_without_one_final_number_is_unparsed(answer, reason):
    verdict = numeric("5", answer)
    assert (verdict.outcome, verdict.extracted) == ("unparsed", None)
    assert verdict.reason == reason


@pytest.mark.parametrize(
    "answer",
    [
        "The answer is 7. Wait, that is wrong. The answer is 5.",
        "\\boxed{7}. Wait, that is wrong. \\boxed{5}",
        "Answer: 7\n\nActually, I made a mistake: she has 5 left.",
        "**Answer:** 7 apples.\n\nThen 7 - 2 = 5.\n\n**Answer:** 5",
        "Step 1. Answer: 7\nStep 2: 7 - 2 = 5\nAnswer: 5",
    ],
)
def test_a_later_statement_wins_over_the_one_it_corrects_or_goes_on_from(answer):
    assert outcome("5", answer) == "correct"
    assert outcome("7", answer) == "wrong"


@pytest.mark.parametrize("gold", ["", "   ", "n/a", "1, 2", "4 or 5", "2:30", "9" * 30_000, "{" * 1000])
def test_gold_that_is_not_one_number_is_an_error_that_shows_it(gold):
    verdict = numeric(gold, "The answer is 5.")
    assert verdict.outcome == "error"
    assert verdict.reason.startswith("gold is not one number: ")


def test_the_locale_option_decides_what_a_point_means():
    assert outcome("1234", "1.234", locale="de") == "correct"
    assert outcome("1.234", "1.234", locale="en") == "correct"
    assert outcome("1.234", "1,234", locale="fr") == "correct"


def test_the_verdict_names_the_number_and_the_statement_kind():
    verdict = numeric("5", "**Final Answer:** She pays **$5.00** for 2 kg.")
    assert (verdict.outcome, verdict.extracted, verdict.reason) == ("correct", "5.00", "final answer")


RENDERINGS = [
    "{0}", "**{0}**", "#### {0}", "\\boxed{{{0}}}", "The answer is {0}.", "**Final Answer:**\nShe has **{0} apples**.",
    "So, she has {0} apples left.", "答案是{0}。", "Die Antwort lautet {0}.", "Answer: ${0}", "<think>1 or 2?</think>\n{0}",
]  # fmt: skip


@given(st.integers(-(10**9), 10**9), st.sampled_from(RENDERINGS))
def test_gold_passes_its_own_verifier(number, rendering):
    assert numeric(str(number), rendering.format(number)).outcome == "correct"
    assert numeric(f"{number:,}", rendering.format(number)).outcome == "correct"
    assert numeric(str(number), rendering.format(number + 1)).outcome == "wrong"


@given(st.decimals(-(10**6), 10**6, places=2), st.sampled_from(RENDERINGS))
def test_decimal_gold_passes_its_own_verifier(number, rendering):
    assert numeric(str(number), rendering.format(f"{number:,}")).outcome == "correct"


@given(st.integers(1, 999), st.integers(2, 99), st.sampled_from(["{}/{}", "\\frac{{{}}}{{{}}}", "\\dfrac{{{}}}{{{}}}"]))
def test_fraction_gold_passes_its_own_verifier(top, bottom, rendering):
    assert numeric(f"{top}/{bottom}", f"\\boxed{{{rendering.format(top, bottom)}}}").outcome == "correct"


@settings(max_examples=300)
@given(GARBAGE, GARBAGE)
def test_any_text_gets_the_same_verdict_twice(gold, answer):
    assert numeric(gold, answer) == numeric(gold, answer)
    assert numeric("7", answer) == numeric("7", answer)


HOSTILE = {
    "digits": "7" * 30_000,
    "a declared run of digits": "The answer is " + "7" * 30_000,
    "groups": "Answer: " + "1," * 15_000,
    "nested braces": "{" * 100_000 + "}" * 100_000,
    "nested boxes": "\\boxed{" * 20_000 + "7" + "}" * 20_000,
    "open boxes": "\\boxed{" * 100_000,
    "bold": "**7** " * 10_000,
    "answers": "The answer is 7. " * 5_000,
    "labels": "answer is " * 10_000,
    "list": "Answer:\n" + "- 7 apples\n" * 10_000,
    "equals": "Answer: " + "= 7 " * 10_000,
    "questions": "if " * 30_000,
    "parentheses": "(7" * 30_000,
    "number words": "answer: " + "twenty and " * 10_000,
    "line breaks": "\n" * 100_000,
    "blanks": "answer:" + " " * 100_000 + "x",
    "stars": "*" * 100_000,
    "han": "答案是" + "7万" * 10_000,
    "exponent": "Answer: 1e999999",
    "fractions": "answer " + "1/" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_comes_back(name):
    assert numeric("42", HOSTILE[name]).outcome in ("wrong", "unparsed")


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("18", "Die Antwort lautet achtzehn."),
        ("250", "Antwort: zweihundertfünfzig Euro"),
        ("18", "La respuesta es dieciocho."),
        ("97", "La réponse est quatre-vingt-dix-sept euros."),
        ("18", "A resposta é dezoito."),
        ("3", "La risposta è tre."),
    ],
)
def test_number_words_of_other_languages_are_read(gold, answer):
    pytest.importorskip("text_to_num")
    assert outcome(gold, answer) == "correct"
    assert outcome(f"{gold}0", answer) == "wrong"


@pytest.mark.parametrize(
    "answer", ["Die Antwort ist ein Apfel.", "La respuesta es una casa.", "La réponse est un chat."]
)
def test_an_article_is_no_number(answer):
    assert outcome("1", answer) == "unparsed"

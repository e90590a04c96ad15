import pytest

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._extract import statements


def first(answer: str) -> tuple[str, str]:
    statement = next(statements(answer))
    return statement.kind, statement.text.strip(" *\n")


BOXED = [
    ("so $\\boxed{72}$ clips", "72"),
    ("\\boxed{x = \\frac{1}{2}}", "x = \\frac{1}{2}"),
    ("\\fbox{1} \\boxed{\\text{a {nested} brace} 3}", "\\text{a {nested} brace} 3"),
    ("Final Answer: 1\n\\boxed{2}\n#### 3", "2"),
    ("\\fbox{$8 \\cdot 5 = \\boxed{40}$}", "40"),
    ("\\boxed{\\sqrt{\\frac{1}{x^{2}}}}", "\\sqrt{\\frac{1}{x^{2}}}"),
]
HASH_MARK = [("6 x 7 = 42\n#### 42", "42"), ("Final answer: 1\n#### 42\n", "42"), ("####42", "42")]
FINAL_ANSWER = [
    ("**Final Answer:** She has **5** left.", "She has **5** left."),
    ("**Final Answer**\nShe has **5** left.\n\nWell done, 3 stars!", "She has **5** left."),
    ("### Final Answer\n\n48 people came. Great!", "48 people came."),
    ("Answer: 3\n\nThe final answer is 5.", "5."),
    ("Final answer: Mr. Hill paid $5. He had 9.", "Mr. Hill paid $5."),
]
ANSWER = [
    ("The answer is 42. Note that 2 of the boxes were empty.", "42."),
    ("**Answer:** 5 apples", "5 apples"),
    ("The answer is an even number.\n\nIt has 3 digits.", "an even number."),
    ("The answer is simply:\n\n5 apples", "simply:\n\n5 apples"),
    ("**Answer**\nThere are 5 apples.", "There are 5 apples."),
    ("So yes, $62 is the right answer. Well done!", "So yes, $62"),
    ("Die Antwort lautet 70.000.", "70.000."),
    ("La respuesta es 18.", "18."),
    ("La réponse est 18.", "18."),
    ("Ответ: 18", "18"),
    ("答案是7万。", "7万。"),
    ("答えは18です。", "18です。"),
    ("উত্তর হল ১৮।", "১৮।"),
    ("उत्तर है १८", "१८"),
    ("సమాధానం: 18", "18"),
    ("คำตอบคือ 1,080 บาท", "1,080 บาท"),
    ("Jibu ni 26.", "26."),
]
CONCLUDING = [
    ("He had 7.\n\nSo, he has 5 left.", "So, he has 5 left."),
    ("She has **5**.\nTherefore she needs 3 more.\nHer dog has 4 legs.", "Therefore she needs 3 more."),
    ("所以，她有18个苹果。", "所以，她有18个苹果。"),
    ("Donc, elle a 18 pommes.", "Donc, elle a 18 pommes."),
]
BOLD = [
    ("So he has 3 cards.\n\nLater he has **5 cards**. Bye!", "Later he has **5 cards**."),
    ("**Great job! He has 5 emus.**", "He has 5 emus."),
    ("Great job! Each boy gets **$52**. 😊", "Each boy gets **$52**."),
]
RESULT = [("First 1 + 1 = 2\nthen 48 + 24 = 72", "then 48 + 24 = 72")]
LAST_SENTENCE = [
    ("He ate 3. Lisa has 5 apples left.\n\n----\n\n1. Add\n2. Subtract", "Lisa has 5 apples left."),
    ("She has 72 clips. Do you want 3 more?", "She has 72 clips."),
    ("She has twelve apples.", "She has twelve apples."),
]


@pytest.mark.parametrize(
    ("kind", "answer", "text"),
    [
        (kind, *row)
        for kind, rows in {
            "boxed": BOXED,
            "hash mark": HASH_MARK,
            "final answer": FINAL_ANSWER,
            "answer": ANSWER,
            "concluding sentence": CONCLUDING,
            "bold final": BOLD,
            "result": RESULT,
            "last sentence": LAST_SENTENCE,
        }.items()
        for row in rows
    ],
)
def test_each_statement_kind_finds_its_statement(kind, answer, text):
    assert first(answer) == (kind, text)


@pytest.mark.parametrize(
    "aside",
    [
        "**Practice:** What is 3 + 4?\n**Answer: 7**",
        "**Check your understanding:**\nIf he had 9 friends, how many would come?\n*(Answer: 7)*",
        "If he had 9 friends, how many would come? (Answer: 7)",
        "**Check:** 12 - 5 = **7**.",
        "Let's check: 12 - 5 = 7. Perfect!",
        "Let me double-check: **12 - 5 = 7**.",
        "**Real-life example:**\nImagine 12 candies. You eat 5, so you have **7 candies** left.",
        "Does that make sense? 12 - 5 is **7**.",
        "*Quick check:*\n- 12 - 5 = **7** ✔️",
        "Note: **7** days make a week.",
        "How about **7** more?",
    ],
)
@pytest.mark.parametrize(
    "final", ["**Final Answer:** He has **12**.", "So, he has **12**.", "**Answer:** 12", "He has **12** now."]
)
def test_what_follows_the_answer_is_not_the_answer(final, aside):
    assert "12" in first(f"10 + 2 = 12\n\n{final}\n\n{aside}")[1]


def test_the_solution_goes_on_after_an_aside():
    answer = "**Step 1:** 5 + 5 = **10**.\n\nLet's check: 10 - 5 = 5.\n\n**Step 2:** 10 + 2 = **12**."
    assert first(answer) == ("bold final", "Step 2:** 10 + 2 = **12**.")


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ("5", "5"),
        ("<think>a</think>5", "5"),
        ("a</think>5", "5"),
        ("<think>a</think>b<think>c</think>5", "5"),
        ("<think>5", None),
        ("<think>a</think>5<think>b", None),
    ],
)
def test_only_what_follows_closed_thinking_counts(answer, rest):
    assert after_thinking(answer) == rest


def test_an_empty_answer_states_nothing():
    assert list(statements("")) == list(statements(" \n")) == list(statements("<think>5")) == []

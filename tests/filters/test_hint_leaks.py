import pytest

from cotdistill.filters.hint_leaks import PHRASES, reason_against_hint_leak
from tests.support.shared_data import tsv_rows
from tests.support.traces import trace


@pytest.mark.parametrize(
    "said",
    [
        "We know that the given answer is 7.",
        "This matches the provided answer.",
        "That agrees with the reference answer, so we are done.",
        "Since the answer is already given as 7, we check it.",
        "The answer provided says 7.",
        "The hint says that it is 7.",
        "I was told the correct answer is 7.",
        "We are given the final answer, 7.",
        "I already know the answer should be 7.",
        "Let us work backwards from the answer.",
        "The answer is supposed to be 7.",
        "Hmm, the final answer must be **7**, so there is a mistake.",
        "根据提示，我们知道结果是7。",
        "已知答案是7，所以我们来验证。",
        "这与给定的答案一致。",
        "题目已经告诉我们正确答案是7。",
        "提示中说结果是7。",
        "由答案倒推可得。",
        "参考答案为7。",
        "Die vorgegebene Antwort ist 7.",
        "Das stimmt mit der Musterlösung überein.",
        "Laut dem Hinweis ist es 7.",
        "Uns wurde die richtige Antwort bereits genannt: 7. Uns wurde die Antwort mitgeteilt.",
        "Esto coincide con la respuesta proporcionada.",
        "Según la pista, el resultado es 7.",
        "Ya sabemos que la respuesta es 7.",
        "Cela correspond à la réponse fournie.",
        "L’indice dit que c’est 7.",
        "Nous savons déjà que la bonne réponse est 7.",
        "Это совпадает с указанным ответом, ответ уже дан.",
        "Согласно подсказке, получается 7.",
        "Мы уже знаем, что ответ 7.",
        "与えられた答えは7です。",
        "ヒントによると7になります。",
        "答えから逆算します。",
        "คำตอบที่ให้มาคือ 7",
        "ตามคำใบ้ คำตอบคือ 7",
        "প্রদত্ত উত্তর হল 7।",
        "ইঙ্গিত অনুযায়ী উত্তর 7।",
        "ఇచ్చిన సమాధానం 7.",
        "Jibu lililotolewa ni 7.",
        "Kulingana na kidokezo, jibu ni 7.",
    ],
)
def test_speaking_of_the_answer_shown_is_a_leak(said):
    for hinted in (trace(reasoning=said, is_hinted=True), trace(text=said, is_hinted=True)):
        reason = reason_against_hint_leak(hinted)
        assert reason.kind == "hint_leak"
        assert reason.text.startswith("the ")
        assert "limit 0" in reason.text
    assert reason_against_hint_leak(trace(reasoning=said)) is None


@pytest.mark.parametrize(
    "said",
    [
        "So the correct answer is 7.",
        "The final answer is 7. The answer should be in dollars, because the answer needs to be a price.",
        "We are given that Tom has 3 apples, and told to find the sum.",
        "The given numbers are 3 and 4, a known result of addition is 7.",
        "所以正确答案是7。",
        "题目给出了3和4，答案是7。",
        "已知小明有3个苹果。",
        "Die Antwort ist 7. Gegeben sind 3 und 4, das Ergebnis ist bekannt als Summe.",
        "La respuesta es 7. Los datos proporcionados son 3 y 4.",
        "La réponse est 7. Les nombres donnés sont 3 et 4.",
        "Ответ: 7. Данный результат верен, даны числа 3 и 4.",
        "答えは7です。与えられた数は3と4です。",
        "คำตอบคือ 7 โจทย์ให้มา 3 และ 4",
        "উত্তর 7। দেওয়া আছে 3 এবং 4।",
        "సమాధానం 7.",
        "Jibu ni 7. Nambari zilizotolewa ni 3 na 4.",
    ],
)
def test_giving_an_answer_is_no_leak(said):
    assert reason_against_hint_leak(trace(text=said, reasoning=said, is_hinted=True)) is None


def test_every_language_of_mgsm_has_phrases():
    assert {"bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"} <= set(PHRASES)


@pytest.mark.parametrize("before", [0, 50, 99, 100, 101, 350])
def test_a_leak_is_found_wherever_it_stands(before):
    text = (
        "An answer. " * (before // 11) + "x" * (before % 11) + " This is the answer that we were given. " + "y" * before
    )
    assert reason_against_hint_leak(trace(reasoning=text, is_hinted=True)).text.endswith("(limit 0 times)")


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_a_question_of_mgsm_is_no_leak(language):
    for question, _ in tsv_rows(f"mgsm/mgsm_{language}.tsv"):
        assert reason_against_hint_leak(trace(reasoning=question, is_hinted=True)) is None

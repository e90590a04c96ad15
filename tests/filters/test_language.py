import csv

import pytest

from cotdistill.filters import language as language_filter
from cotdistill.filters.language import LANGUAGES, letters_by_language, reason_against_language
from tests.support.shared_data import FOLDER, json_rows
from tests.support.traces import trace

pytest.importorskip("py3langid")

ENGLISH = "First we add the apples that Tom bought to those that he found, and then we take away the ones he ate. "
CHINESE = "首先我们把小明买的苹果和他找到的苹果加在一起，然后减去他吃掉的那些，就得到剩下的苹果数量。"
GERMAN = "Zuerst zählen wir die gekauften Äpfel zusammen, und danach ziehen wir die gegessenen wieder ab. "
TEXTS = {
    "en": ENGLISH,
    "zh": CHINESE,
    "de": GERMAN,
    "fr": "D'abord nous ajoutons les pommes achetées à celles qu'il a trouvées, puis nous enlevons les autres. ",
    "es": "Primero sumamos las manzanas compradas con las que encontró, y después quitamos las que se comió. ",
    "ru": "Сначала мы складываем купленные яблоки с найденными, а затем вычитаем те, которые он съел. ",
    "ja": "まず、買ったりんごと見つけたりんごを足して、それから食べた分を引くと残りの数がわかります。",
    "ko": "먼저 산 사과와 찾은 사과를 더하고 그다음 먹은 사과를 빼면 남은 사과의 수를 알 수 있습니다. ",
    "th": "ก่อนอื่นเราบวกแอปเปิลที่ซื้อกับแอปเปิลที่พบ แล้วลบแอปเปิลที่กินไปออก",
    "bn": "প্রথমে আমরা কেনা আপেলগুলো যোগ করি এবং তারপর খাওয়া আপেলগুলো বাদ দিই।",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_is_kept_in_its_own_language_and_dropped_in_every_other(language):
    own = trace(TEXTS[language] * 2, TEXTS[language] * 3)
    assert reason_against_language(own, language) is None
    for other in TEXTS.keys() - {language}:
        reason = reason_against_language(own, other)
        assert str(reason).startswith(f"language: 0% of the reasoning is {other} (limit 90%)")


@pytest.mark.parametrize(
    ("reasoning", "answer", "wanted", "dropped"),
    [
        (CHINESE * 4, ENGLISH * 2, "zh", "of the answer is zh"),
        (CHINESE * 4 + ENGLISH * 3, CHINESE, "zh", "of the reasoning is zh"),
        (ENGLISH * 4 + CHINESE, ENGLISH, "en", "of the reasoning is en"),
        (ENGLISH * 4 + GERMAN * 3, ENGLISH, "en", "of the reasoning is en"),
    ],
)
def test_a_switch_of_language_is_found_in_either_text(reasoning, answer, wanted, dropped):
    assert dropped in reason_against_language(trace(answer, reasoning), wanted).text


@pytest.mark.parametrize(
    ("reasoning", "language"),
    [
        ("x = 3 + 4 = 7", "zh"),
        ("OK, 7.", "zh"),
        ("", "zh"),
        (CHINESE * 2 + "Natalia 和 Weng 一共有 48 个 clips，每个 $5$。", "zh"),
        (CHINESE + "```python\n" + "total = apples + found  # add all of the apples together\n" * 9 + "```", "zh"),
        (ENGLISH * 4 + "苹果", "en"),
    ],
)
def test_formulas_code_names_and_short_texts_are_not_held_against_it(reasoning, language):
    assert reason_against_language(trace("7", reasoning), language) is None


def test_han_among_kana_is_japanese():
    assert set(letters_by_language(TEXTS["ja"])) == {"ja"}


def test_the_classifier_knows_every_language_that_can_be_asked_for():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    assert set(LANGUAGES) <= set(LanguageIdentifier.from_model_file(MODEL_FILE).labels)
    assert list(LANGUAGES) == sorted(LANGUAGES)
    assert len(LANGUAGES) <= 30  # as many as an error message lists


MGSM = FOLDER / "mgsm"


def test_the_share_of_another_language_is_an_option():
    mixed = trace("7", ENGLISH * 9 + GERMAN)
    assert reason_against_language(mixed, "en", 0.85) is None
    found = str(reason_against_language(mixed, "en", 0.95))
    assert found.endswith("of the reasoning is en (limit 95%); de 11%")


def test_one_sentence_in_another_language_shows():
    sentence = (
        "Das ist aber wirklich eine sehr schöne und auch eine einfache Aufgabe gewesen, und jetzt rechnen wir weiter. "
    )
    for before in range(6):
        letters = letters_by_language(ENGLISH * before + sentence + ENGLISH * 4)
        assert letters["de"] >= 60, before


def test_what_is_remembered_of_words_changes_nothing(monkeypatch):
    expected = [letters_by_language(text * 3) for text in TEXTS.values()]
    monkeypatch.setattr(language_filter, "MOST_REMEMBERED", 5)
    assert [letters_by_language(text * 3) for text in TEXTS.values()] == expected


def test_real_rationales_are_english():
    rows = json_rows("r1_gsm8k/traces.jsonl")
    assert not [r["id"] for r in rows if reason_against_language(trace(r["answer"], r["reasoning"]), "en", 0.97)]


@pytest.mark.skipif(not MGSM.is_dir(), reason="MGSM is not part of the project")
@pytest.mark.parametrize("language", ["bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"])
def test_mgsm_questions_are_told_apart(language):
    with (MGSM / f"mgsm_{language}.tsv").open(encoding="utf-8") as file:
        questions = [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    dropped = [q for q in questions if reason_against_language(trace("7", q), language)]
    assert len(dropped) <= 0.02 * len(questions), dropped[:3]

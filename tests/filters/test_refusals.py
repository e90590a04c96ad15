import pytest

from cotdistill.filters.refusals import LEAD_CHARS, PHRASES, reason_against_refusal
from tests.support.shared_data import tsv_rows
from tests.support.traces import trace


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot answer this question.",
        "I cannot assist with this request.",
        "Unfortunately, I am unable to provide a solution.",
        "As an AI language model, I have no apples.",
        "I must decline.",
        "抱歉，我无法回答这个问题。",
        "对不起，我不能提供帮助。",
        "作为一个人工智能，我没有苹果。",
        "Es tut mir leid, aber ich kann diese Frage nicht beantworten.",
        "Leider kann ich dabei nicht helfen.",
        "Ich kann Ihnen dabei leider nicht weiterhelfen.",
        "Als KI-Sprachmodell habe ich keine Äpfel.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "No puedo proporcionar esa información.",
        "Como modelo de lenguaje, no tengo manzanas.",
        "Désolé, je ne peux pas répondre à cette question.",
        "Je ne peux pas vous aider.",
        "En tant qu’IA, je n’ai pas de pommes.",
        "Извините, я не могу помочь с этим.",
        "К сожалению, я не могу ответить на этот вопрос.",
        "Как языковая модель, я не имею яблок.",
        "申し訳ありませんが、お答えできません。",
        "そのご質問にはお答えすることができません。",
        "AIとして、りんごは持っていません。",
        "ขออภัย ฉันไม่สามารถช่วยได้",
        "ในฐานะปัญญาประดิษฐ์ ฉันไม่มีแอปเปิล",
        "দুঃখিত, আমি এই প্রশ্নের উত্তর দিতে পারছি না।",
        "క్షమించండి, నేను సహాయం చేయలేను.",
        "Samahani, siwezi kujibu swali hili.",
        "Kama modeli ya lugha, sina matufaha.",
    ],
)
def test_declining_is_a_refusal(text):
    assert str(reason_against_refusal(trace(text))).startswith("refused: the answer begins with `")


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 7.",
        "I can't find a smaller one, so it is 7.",
        "Tom says: sorry, there are 7 apples.",
        "I cannot help but notice that 3 + 4 = 7.",
        "抱歉，刚才算错了：答案是7。",
        "Leider habe ich mich verrechnet: Die Antwort ist 7. Man kann 7 nicht durch 2 teilen.",
        "Lo siento, me equivoqué: la respuesta es 7. No puedo dividir 7 entre 2.",
        "Désolé, je me suis trompé : la réponse est 7. Je ne peux pas diviser 7 par 2.",
        "Извините, я ошибся: ответ 7. 7 не делится на 2.",
        "すみません、計算を間違えました。答えは7です。7は2で割り切れません。",
        "ขอโทษ คำนวณผิด คำตอบคือ 7",
        "দুঃখিত, হিসাব ভুল ছিল। উত্তর 7।",
        "క్షమించండి, లెక్క తప్పు. సమాధానం 7.",
        "Samahani, nilikosea. Jibu ni 7.",
        "x" * LEAD_CHARS + " I cannot help with that.",
    ],
)
def test_an_answer_is_no_refusal(text):
    assert reason_against_refusal(trace(text)) is None


def test_every_language_of_mgsm_has_phrases():
    assert {"bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"} <= set(PHRASES)


@pytest.mark.parametrize("language", sorted(PHRASES))
def test_a_question_of_mgsm_is_no_refusal(language):
    for question, _ in tsv_rows(f"mgsm/mgsm_{language}.tsv"):
        assert reason_against_refusal(trace(question)) is None

"""Words that announce an answer, a conclusion or an aside.

All are matched against lower-case text with straight apostrophes. The eleven languages of MGSM and Hindi have the
words that state an answer; what opens an aside was collected from tutoring answers, where English is most frequent.
"""

from typing import Literal

ANSWER = (
    "result", "solution",  # en
    "antwort", "ergebnis", "lösung",  # de
    "respuesta", "resultado", "réponse", "résultat", "resposta", "risposta",  # es fr pt it
    "ответ",
    "答案", "答え", "解答", "答(?=[:：是为為])",  # zh ja
    "উত্তর", "उत्तर", "సమాధానం", "คำตอบ", "jibu",  # bn hi te th sw
)  # fmt: skip
"""Nouns for the final answer besides `answer`; what must follow them is in `LINK`."""

LINK = (
    r"(?:\w{1,15} ){0,2}(?:is|was|are|equals|comes to|will be|would be|must be|should be)\b",
    r"(?:ist|lautet|beträgt|es|est|é|è|ni)\b", "=", ":", "：", "–", "—", "-", "→",
    "是", "为", "為", "は", "হল", "হলো", "হচ্ছে", "है", "คือ",
)  # fmt: skip
"""What ties the noun to the number: `the answer is 5`, `答案是5`, `Answer: 5`."""

CORRECTION = (
    r"wait,? (?:no|that|this|actually|i)\b", "actually, ", r"correction\b", "scratch that", "oops",
    r"i (?:made|think i made|see) an? (?:mistake|error|slip)", r"i was wrong",
    r"(?:no,? )?(?:that|this|which)(?:'s| is| was) (?:wrong|incorrect|not right)",
    "let me (?:correct|fix|redo)", "on second thought", "more accurately", "sorry, ",
)  # fmt: skip
"""First words of a sentence that takes back what was stated before it."""

CueKind = Literal["practice", "question", "check", "example", "final", "answer", "conclude", "step", "next", "praise"]

_FILLERS = (
    r"(?:(?:can|also|me|us|let's|just|do|it|use|with|another|fun|simple|check|quick|quickly|double|an?|try|now)[ -])*"
)
_ON_READER = r"[- ](?:your understanding|for understanding|in\b|question)"
_CHECKING = r"(?:check|verif|confirm|prove|proof|test (?:it|this|our)|make sure|review|see if)"
_SHOWING = r"(?:imagine|pretend|picture|visuali|suppose|use a |use an |say you|think of)"
_REAL = r"(?:real[- ](?:life|world)|example|analogy|everyday)"

CUES: tuple[tuple[CueKind, str, str], ...] = (
    ("final", "final", r" (?:answer|result)"),
    ("answer", "answer antwort respuesta réponse ответ 答案 答え", ""),
    # a question to the reader with numbers of its own
    ("practice", "practice practise challenge exercise extension", ""),
    ("practice", "übung práctica exercice zoezi 练习 練習 অনুশীলন अभ्यास ฝึก", ""),
    ("practice", "quick extra more bonus now let's interactive", r" (?:let's )?(?:practi[cs]e|challenge|try)"),
    ("practice", "check checking", _ON_READER), ("practice", "quick interactive", rf" check(?:ing)?{_ON_READER}"),
    ("practice", "question", r" (?:for|time)"),
    ("practice", "think bonus test", r" (?:about it|question|your)"),
    ("practice", "your my", r" turn"),
    ("practice", "try can want could", r" (?:it|this|another|one|solving|a similar|you|to)\b"),
    ("practice", "follow", r"-up"),
    ("question", "what how", r" (?:if|about|would)\b"),
    ("question", "if", r"\b(?:[^.!?\n]|\.[0-9]){0,300}\?"),
    # a check of the result, whose last number is often one of the problem
    ("check", "check checking verify verifying verification confirm confirming proof", ""),
    ("check", "probe überprüfung comprobación comprobemos verificación verifiquemos vérification", ""),
    ("check", "vérifions провер 检查 验证 检验 検算 確認", ""),
    ("check", "যাচাই जाँच ตรวจสอบ తనిఖీ hakiki kuhakikisha", ""),
    ("check", "quick double sanity final interactive self", r"[- ](?:double[- ])?check"),
    ("check", "let's let we you now but and to i'll", rf" {_FILLERS}{_CHECKING}"),
    ("check", "does did do", r" (?:this|that|it|you|we|our)\b"),
    # an example, an analogy or a remark
    ("example", "real", r"[- ](?:life|world)"),
    ("example", "example visual visualize analogy beispiel ejemplo exemple", ""),
    ("example", "for", r" (?:example|instance)"),
    ("example", "imagine suppose pretend picture note remember tip hint why fun key", ""),
    ("example", "think", r" of\b"),
    ("example", "let's now a another quick like here's", rf" {_FILLERS}(?:{_SHOWING}|{_REAL})"),
    ("example", "zum por par", r" (?:beispiel|ejemplo|exemple)"),
    ("example", "например пример 例如 举例 比如 例えば উদাহরণ उदाहरण ตัวอย่าง ఉదాహరణ mfano", ""),
    # a conclusion
    ("conclude", "so therefore thus hence altogether overall consequently that's", ""),
    ("conclude", "in", r" (?:total|conclusion|the end|summary)\b"),
    ("conclude", "that this", r" means\b"),
    ("conclude", "also daher somit deshalb insgesamt entonces portanto logo quindi donc ainsi", ""),
    ("conclude", "por así en au par kwa", r" (?:lo tanto|que|total|conséquent|hiyo|hivyo)\b"),
    ("conclude", "итак следовательно поэтому значит всего таким 所以 因此 总共 一共 したがって よって だから 合計", ""),
    ("conclude", "সুতরাং অতএব তাই মোট इसलिए अतः కాబట్టి అందువల్ల ดังนั้น hivyo", ""),
    # the solution goes on
    ("step", "step total summary conclusion recap", ""),
    ("step", "let's quick", r" recap"),
    ("next", "first second third fourth fifth next then finally lastly now add", ""),
    # a confirmation, after which the solution goes on or its result is said again
    ("praise", "great good nice awesome amazing excellent fantastic wonderful brilliant well", r"(?! job if| if)"),
    ("praise", "yes yep yup exactly perfect correct right you", ""),
)  # fmt: skip
"""(kind, first words, what must follow them as a regular expression); the first row that fits decides."""


def any_of(fragments: tuple[str, ...]) -> str:
    """Return one alternation of the fragments, in their order."""
    return "(?:" + "|".join(fragments) + ")"

"""Finds which option's letter an answer chooses, never looking at the gold answer.

| order | kind | example |
|---|---|---|
| 1 | boxed, hash mark, final answer, answer (see `_extract`) | `\\boxed{B}`, `Answer: B and not C`, `答案：B` |
| 2 | the letter is called right | `Option (B) is correct`, `B is the best answer`, `B 是正确的` |
| 3 | a sentence about the answer or option | `The answer is not C, it is B`, `The correct option is (B)` |
| 4 | a concluding sentence | `So it must be B.`, `因此，B` |
| 5 | the first or the last line is a letter, with its option's text or alone | `B`, `**(C)**`, `C. Paris` |

Within a row of the table the last one counts, unless two that stand together name different letters. A letter that
is denied (`not C`, `B is wrong`, `rather than A`) is not chosen; the article `A` and the pronoun `I` are no letters.
What follows a correction comes before what precedes it.
"""

import re
from typing import NamedTuple

from cotdistill.think_tags import after_thinking
from cotdistill.verifiers._extract import statements
from cotdistill.verifiers._languages import pattern

LETTERS = "ABCDEFGHIJ"
"""MMLU-Pro has ten options."""


class Choice(NamedTuple):
    """What an answer chooses."""

    letters: tuple[str, ...]
    """One, or the several that it chooses between."""
    kind: str
    text: str
    """The statement from its letter on, where the option's text may follow."""


_PLAIN = str.maketrans(
    {chr(0xFF21 + i): letter for i, letter in enumerate(LETTERS)}
    | {chr(0xFF41 + i): letter.lower() for i, letter in enumerate(LETTERS)}
    | {chr(0x24B6 + i): f"({letter})" for i, letter in enumerate(LETTERS)}
    | {"（": "(", "）": ")", "．": ".", "：": ":", "’": "'", "【": "(", "】": ")", "［": "[", "］": "]"}
)
_LATEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox|boldsymbol)\s?\{|\\[()\[\]!,]|\\boxed\s?\{|[{}$]")

_BEFORE, _AFTER = r"(?<![a-zA-Z0-9'\\])", r"(?![a-zA-Z0-9+#]|['-][a-zA-Z])"
_BARE = re.compile(rf"{_BEFORE}(?:[([]\s?(?P<framed>[A-Ja-j])\s?[)\]]|(?P<bare>[A-J])){_AFTER}")
"""A capital, or any letter in brackets; letters of other scripts may touch it (`选B`)."""
_NO_LETTER = re.compile(r"A(?= [a-z])|I(?= [a-z']|,? (?:am|think|believe)\b)|I'")
"""The article and the pronoun; after `answer is` and the like they are letters where no noun or verb follows."""
_VERB = re.compile(r"[AI] (?:is|was|because|since|and|or|as|not|but|for)\b")
_DENIED_BEFORE = re.compile(
    rf"(?:{pattern('@denies@').pattern}|n't|\b(?:neither|nor|unlike|except|excluding|eliminat\w+|rul\w+ out|reject\w*|"
    r"incorrect\w*|wrong\w*|than|over|against|no)|不选|排除)"
    r"[\s*:,(\[]*(?:\b(?:the|both|options?|choices?|answers?|la|le|el|die|der)\b[\s*]*|选项)*$",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"[)\]*\s]*(?:,|/|&|、|和|\band\b|\bor\b|\bund\b|\bor both\b)[\s,*(\[]*(?:and |or |option |options )?[(\[*\s]*"
)
_DENIED_AFTER = re.compile(
    r"[)\].*\s]{0,4}(?:\([^()\n]{1,60}\)\s*)?(?:(?:(?!because|since)[^.,;:!?\n]){0,60}?\s)?"
    r"(?:(?:is|are|was|were|must be|would be|can be|ist|sind|est|es|são)"
    r"(?: all| both| clearly| also| definitely| therefore| each)?"
    r" (?:not|wrong|incorrect|false|out|eliminated|ruled out|excluded|impossible|irrelevant|unlikely|unrelated|falsch|"
    r"incorrecta|fausse)\b"
    r"|isn't|aren't|can't|cannot|doesn't|don't|does not|do not|fails?\b)|[)\]]?\s?(?:是错误的|不正确|错误|不对|不是)",
    re.IGNORECASE,
)
_OPTION_NOUN = (
    r"(?:answer|option|choice|letter|alternative|selection|opción|alternativa|respuesta|resposta|réponse|risposta|"
    r"antwort|lösung|ответ|вариант|jibu|chaguo|उत्तर|विकल्प|উত্তর|বিকল্প|సమాధానం|ఎంపిక|คำตอบ|ตัวเลือก|ข้อ|"
    r"答案|选项|選項|正解|答え|解答|選択肢|정답|답)"
)
_RIGHT = (
    r"(?:(?:the |la |le |die |der |el |a )?(?:only |single |most |one )?"
    r"(?:correct|right|best|true|accurate|appropriate|likely|answer|proper|valid|richtig\w*|correct[ao]?|bonne|corretta|"
    r"certa|juste)\b)"
)
_CALLED_RIGHT = re.compile(
    r"[)\].*:\s]{0,4}(?:\([^()\n]{1,80}\)\s*|[^.;!?\n]{0,80}?,\s|(?<=[)\]:])[^.;!?\n]{1,80}?\s)?[*\s]*"
    rf"(?:is|are|would be|must be|should be|seems|looks|ist|est|es|é|è) "
    rf"(?:therefore |clearly |thus |indeed |the )*{_RIGHT}"
    r"|[)\]]?[ ]?(?:是正确|正确|对|が正解|が正しい|가 정답|이 정답|सही है)",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    rf"{_OPTION_NOUN}|\b(?:i(?:'d| would|'ll| will)? (?:choose|pick|select|go with|say|opt for)|choose|select|pick|"
    r"going with|correct one|right one|best one)\b|[选選]|ตอบ",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(
    r"(?:^\W{0,6}|[,;] (?:and )?)(?:so|therefore|thus|hence|consequently|in conclusion|"
    r"overall|clearly|it(?:'s| is| must be| has to be)|"
    r"that(?:'s| is)|this is|must be|also|daher|somit|donc|por lo tanto|entonces|portanto|quindi|итак|следовательно|"
    r"所以|因此|综上|故|よって|したがって|따라서)(?![a-z])",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[^.!?。！？\n]|[.!?](?!\s|$))+[.!?。！？]*")
_ALONE = re.compile(
    r"[\s*_#>-]*(?:(?i:option|choice|answer)\s)?[(\[*]*(?P<letter>[A-J](?=[)\]*.:]|\s*$)|[a-j](?=[)\]*.:\s]*$))"
)
"""A small letter is all of its line; `I.` and `A.` are letters like others."""
_SPECIES = re.compile(
    r"\b[A-J]\.\s?(?=(?:aegypti|albicans|anthracis|aureus|baumannii|botulinum|burgdorferi|cereus|coli|difficile|diphtheriae|"
    r"discoideum|elegans|erectus|faecalis|fragilis|fumigatus|gallus|gambiae|gondii|habilis|histolytica|influenzae|jejuni|"
    r"lamblia|melanogaster|mellifera|neoformans|niger|perfringens|pertussis|pylori|rerio|sapiens|scapularis|subtilis|"
    r"tetani|thaliana|trachomatis|tularensis)\b)"
)
"""The genus of a species is no option: `E. coli`."""
_SMALL = re.compile(r"^\W*[a-j](?=[).\]*:\n]|$)")
"""A small letter that opens a declared answer."""
_CHANGE = re.compile(pattern(r"[\n.!?:;,—–…}]\W{0,8}@correction@").pattern, re.IGNORECASE)
_MOST = 4000
"""Characters from the end that are looked at beside declared answers: garbage has letters by the thousand."""


def chosen(answer: str) -> Choice | None:
    """Return what the answer chooses; None where it chooses nothing."""
    text = _SPECIES.sub("", (after_thinking(answer) or "").translate(_PLAIN))
    changes = list(_CHANGE.finditer(text, max(0, len(text) - _MOST)))
    for part in (text[changes[-1].end() :], text[: changes[-1].start()]) if changes else (text,):
        tail = _LATEX.sub("", part[-_MOST:])
        if choice := _declared(part) or _in_sentences(tail) or _alone(tail):
            return choice
    return None


def _declared(text: str) -> Choice | None:
    """Return the letters of the most trustworthy declared answer, with those of its like where they disagree."""
    best: Choice | None = None
    kind = ""
    is_afresh = False
    for statement in statements(text):
        if not statement.is_declared or (best is not None and (statement.kind != kind or is_afresh)):
            break
        said = _SMALL.sub(lambda small: small[0].upper(), _LATEX.sub("", statement.text))
        if (choice := _first_named(said, statement.kind)) is None:
            continue
        if best is not None and choice.letters != best.letters:
            return best._replace(letters=(*choice.letters, *best.letters))
        best, kind, is_afresh = best or choice, statement.kind, statement.is_afresh
    return best


class _Row(NamedTuple):
    """Letters that stand together: `A, B and C`."""

    start: int
    last: int
    """Where the last letter is."""
    end: int
    letters: tuple[str, ...]


def _rows(text: str) -> list[_Row]:
    """Return the letters that are not denied: `not B or C` denies both, as does `B and C are wrong`."""
    rows: list[_Row] = []
    for match in _BARE.finditer(text):
        (start, end), letter = match.span(), (match["framed"] or match["bare"]).upper()
        if match["framed"] or not _NO_LETTER.match(text, start) or _VERB.match(text, start):
            is_listed = bool(rows) and bool(_LISTED.fullmatch(text, rows[-1].end, start))
            before = rows.pop() if is_listed else _Row(start, start, start, ())
            rows.append(_Row(before.start, start, end, tuple(dict.fromkeys((*before.letters, letter)))))
    return [
        row
        for row in rows
        if not _DENIED_BEFORE.search(text[max(0, row.start - 40) : row.start])
        and not _DENIED_AFTER.match(text, row.end)
    ]


def _first_named(text: str, kind: str) -> Choice | None:
    """Return the letters that the first sentence of a declared answer names first."""
    sentence = _SENTENCE.search(text)
    row = next(iter(_rows(text[: sentence.end()])), None) if sentence else None
    return Choice(row.letters, kind, text[row.last :]) if row else None


def _in_sentences(text: str) -> Choice | None:
    """Return what a sentence says, from the last: that a letter is right, of the answer, as a conclusion."""
    ends = reversed(_SENTENCE.findall(text))
    sentences = [one.strip() for one in ends if not one.rstrip(" *\"')").endswith(("?", "？"))]
    for sentence in sentences:
        for row in reversed(_rows(sentence)):
            if _CALLED_RIGHT.match(sentence, row.end):
                return Choice(row.letters, "called right", sentence[row.last :])
    for cue, kind in ((_ABOUT, "choice"), (_CONCLUDES, "concluding sentence")):
        for sentence in sentences:
            if (said := cue.search(sentence)) and (rows := _rows(sentence[said.end() :])):
                letters = dict.fromkeys(letter for row in rows for letter in row.letters)
                return Choice(tuple(letters), kind, sentence[said.end() + rows[-1].last :])
    return None


def _alone(text: str) -> Choice | None:
    """Return the letter that is a line of its own, if the lines name one option only: else they list them all."""
    lines = [line for line in text.splitlines() if line.strip(" *_#>-")]
    found = {match["letter"].upper(): match for line in lines if (match := _ALONE.match(line))}
    for letter, match in found.items() if len(found) == 1 else ():
        if match.string in (lines[0], lines[-1]):
            return Choice((letter,), "line", match.string[match.start("letter") :])
    return None

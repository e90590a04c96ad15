"""How word problems and their answers are put in a language: sentences to choose from, written and read back."""

import functools
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NUMBER = "[0-9]{1,9}"


@dataclass(frozen=True)
class Phrases:
    """The sentences of one language; `{name}`, `{things}` and the number `{n}` are replaced."""

    names: tuple[str, ...]
    things: tuple[str, ...]
    starts: tuple[str, ...]
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    questions: tuple[str, ...]
    between: str
    """What stands between two sentences."""
    opening: str
    """A worked answer begins with a word, so that every number has the space before it that makes it one token."""
    equations: tuple[tuple[str, str], ...]
    """Each for a gain and for a loss, with `{a}`, `{b}`, `{c}`. A worked answer keeps to one of them."""
    finals: tuple[str, ...]
    """With the answer as `{c}`."""
    leak: str
    """What gives away that the answer `{c}` was given."""

    def write(self, start: int, changes: tuple[int, ...], rng: random.Random) -> str:
        """Return a problem in words."""
        words = {"name": rng.choice(self.names), "things": rng.choice(self.things)}
        sentences = [rng.choice(self.starts).format(n=start, **words)]
        for change in changes:
            template = rng.choice(self.gains if change > 0 else self.losses)
            sentences.append(template.format(n=abs(change), **words))
        sentences.append(rng.choice(self.questions).format(**words))
        return self.between.join(sentences)

    def read(self, text: str) -> Iterator[tuple[re.Match[str], list[int]]]:
        """Yield every problem that stands in a text, and its numbers: the start, then the signed changes."""
        for found in self._problem.finditer(text):
            yield found, [_signed(sentence) for sentence in self._sentence.finditer(found[0])]

    @functools.cached_property
    def _problem(self) -> re.Pattern[str]:
        gap = r"\s+" if self.between else r"\s*"
        changes = f"(?:{gap}(?:{self._any(self.gains + self.losses)}))+"
        return re.compile(f"(?:{self._any(self.starts)}){changes}{gap}(?:{self._any(self.questions)})")

    @functools.cached_property
    def _sentence(self) -> re.Pattern[str]:
        roles = {"start": self.starts, "gain": self.gains, "loss": self.losses}
        return re.compile("|".join(self._any(templates, role) for role, templates in roles.items()))

    def _any(self, templates: tuple[str, ...], role: str = "") -> str:
        """Return an alternation; with a role, the number of each alternative is a group named after it."""
        words = {"name": f"(?:{'|'.join(self.names)})", "things": f"(?:{'|'.join(self.things)})"}
        return "|".join(
            pattern(template, {**words, "n": f"(?P<{role}{i}>{_NUMBER})" if role else _NUMBER})
            for i, template in enumerate(templates)
        )


def pattern(template: str, blanks: Mapping[str, str]) -> str:
    """Return a regular expression that finds a template with its blanks filled in, whatever the white space."""
    literal = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\ ", r"\s+")
    return re.sub(r"\{(\w+)\}", lambda blank: blanks[blank[1]], literal)


def _signed(sentence: re.Match[str]) -> int:
    role = sentence.lastgroup or ""
    return -int(sentence[role]) if role.startswith("loss") else int(sentence[role])


ENGLISH = Phrases(
    names=("Ada", "Ben", "Chen", "Dana", "Emil", "Fatima", "Goran", "Hana", "Ivan", "Jun", "Kofi", "Lena"),
    things=(
        *("apples", "books", "cards", "coins", "eggs", "marbles"),
        *("pears", "pens", "shells", "stamps", "stickers", "stones"),
    ),
    starts=("{name} has {n} {things}.", "{name} starts with {n} {things}."),
    gains=("{name} finds {n}.", "{name} buys {n} more.", "Then {name} wins {n}.", "A friend gives {n}."),
    losses=("{name} loses {n}.", "{name} sells {n}.", "Then {name} drops {n}.", "A friend takes {n}."),
    questions=("How many {things} are left?", "How many are there now?"),
    between=" ",
    opening="First",
    equations=(
        ("{a} + {b} = {c}.", "{a} - {b} = {c}."),
        ("{a} plus {b} is {c}.", "{a} minus {b} is {c}."),
    ),
    finals=("The answer is {c}.", "So the answer is {c}."),
    leak="The given answer is {c}.",
)

CHINESE = Phrases(
    names=("小明", "小红", "小刚", "小丽", "阿华", "阿强"),
    things=("苹果", "本子", "卡片", "硬币", "鸡蛋", "贝壳"),
    starts=("{name}有{n}个{things}。", "一开始{name}有{n}个{things}。"),
    gains=("{name}又买了{n}个。", "{name}捡到{n}个。", "朋友送来{n}个。"),
    losses=("{name}卖掉{n}个。", "{name}弄丢{n}个。", "朋友拿走{n}个。"),
    questions=("现在有多少个{things}？", "还剩多少个？"),
    between="",
    opening="先算",
    equations=(("{a}+{b}={c}。", "{a}-{b}={c}。"), ("{a}加{b}等于{c}。", "{a}减{b}等于{c}。")),
    finals=("答案是{c}。", "所以答案是{c}。"),
    leak="给定的答案是{c}。",
)

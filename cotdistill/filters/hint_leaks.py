"""Rationales that speak of the answer that the teacher was shown: the student will be shown none.

Only completions drawn with the gold answer in the prompt are looked at (`is_hinted`): elsewhere `the given answer`
means something in the question. `The correct answer is 7` is how answers are written, and no leak.
"""

import re

from cotdistill.filters import Reason
from cotdistill.records import Trace

_GIVEN = r"(?:given|provided|supplied|known|expected|reference|gold(?:en)?|ground[- ]truth|target)"
_ENGLISH = (
    rf"\bthe {_GIVEN} (?:final |correct )*(?:answer|solution|result)\b",
    rf"\b(?:answer|solution|result) (?:that )?(?:is|was|were|has been|I was|we were|you) (?:already )?{_GIVEN}\b",
    r"\b(?:answer|solution|result) (?:given|provided|supplied)\b",
    r"\b(?:the|this|your|a) hint\b",
    r"\bas (?:hinted|indicated by the answer)\b",
    r"\b(?:I|we|you)(?:'re|'m| am| are| were| was|'ve been| have been) (?:told|informed|given) (?:that )?"
    r"(?:the )?(?:\w+ )?(?:answer|solution|result)\b",
    r"\b(?:I|we) (?:already )?know (?:that )?the (?:\w+ )?(?:answer|result) (?:is|should|must|to)\b",
    r"\bwork(?:ing|ed)? back(?:wards?)? from the (?:\w+ )?(?:answer|result|solution)\b",
    r"\bthe (?:final |correct )?answer (?:is supposed to|ought to|has to|needs to|must) "
    r"(?:be|equal|come out (?:as|to)) \W{0,3}\d",
)
_CHINESE = (
    r"(?:给定|给出|所给|提供|已知|参考|标准|预期)的?(?:最终|正确)?(?:答案|结果)",
    r"(?:答案|结果)(?:已经|已)(?:给出|给定|提供|告诉|知道)",
    r"(?:题目|提示|用户|系统)(?:中|里)?(?:已经|已)?(?:给出|给|提供|告诉|说明|说)(?:了|出)?(?:我们|我)?的?(?:最终|正确)*答案",
    r"(?:根据|按照|依据|参照|从)(?:这个|该|所给的?)?提示",
    r"提示(?:中|里)?(?:说|给出|告诉|表明|指出|是)",
    r"(?:我们|我)(?:已经|已)?(?:知道|得知|被告知)(?:了)?(?:最终|正确)*答案",
    r"(?:由|从)(?:正确)?答案(?:倒推|反推|逆推)",
    r"答案(?:应该|理应)是[^。，]{1,20}(?:所以|因此|那么)我(?:们)?(?:需要|要)?(?:凑|反推|倒推)",
)
_LEAK = re.compile("|".join((*_ENGLISH, *_CHINESE)), re.IGNORECASE)


def reason_against_hint_leak(trace: Trace) -> Reason | None:
    """Return the phrase that speaks of the answer shown; None where there is none, or none was shown."""
    if not trace.completion.is_hinted:
        return None
    for name, text in (("reasoning", trace.completion.reasoning), ("answer", trace.completion.text)):
        if leak := _LEAK.search(text):
            return Reason("hint_leak", f"the {name} says `{leak[0]}` (limit 0 times)")
    return None

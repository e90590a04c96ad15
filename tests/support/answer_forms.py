"""Solutions that a test makes: a declared answer in MGSM's languages, forms and positions, and MATH-like answers."""

LABELS = {
    "bn": ["উত্তর: {}", "উত্তর হল {}।", "চূড়ান্ত উত্তর: {}", "সুতরাং উত্তর হল {}।"],
    "de": ["Antwort: {}", "Die Antwort ist {}.", "Die Antwort lautet {}.", "Das Ergebnis beträgt {}.", "Endergebnis: {}"],
    "en": ["Answer: {}", "The answer is {}.", "**Final Answer:** {}", "A: {}", "Ans: {}", "So the final answer is {}.", "The result is {}."],
    "es": ["Respuesta: {}", "La respuesta es {}.", "Respuesta final: {}", "Por lo tanto, la respuesta es {}."],
    "fr": ["Réponse : {}", "La réponse est {}.", "Réponse finale : {}", "Donc la réponse est {}."],
    "ja": ["答え：{}", "答えは{}です。", "答えは {} です。", "最終的な答え：{}"],
    "ru": ["Ответ: {}", "Ответ — {}.", "Окончательный ответ: {}", "Ответ: {}."],
    "sw": ["Jibu: {}", "Jibu ni {}.", "Jibu la mwisho ni {}.", "Hivyo jibu ni {}."],
    "te": ["సమాధానం: {}", "సమాధానం {}.", "తుది సమాధానం: {}"],
    "th": ["คำตอบ: {}", "คำตอบคือ {}", "คำตอบสุดท้ายคือ {}", "ดังนั้น คำตอบคือ {}"],
    "zh": ["答案：{}", "答案是{}。", "最终答案是{}。", "答：{}", "因此，答案是{}。"],
}  # fmt: skip
"""How each language announces an answer."""

MARKS = ["{}", "**{}**", "${}$", "\\boxed{{{}}}", "\\({}\\)"]
"""How the number is set within the announcement."""

ALONE = ["#### {}", "\\boxed{{{}}}", "$\\boxed{{{}}}$", "\\[\\boxed{{{}}}\\]", "<answer>{}</answer>"]
"""Announcements of no language."""

POSITIONS = [
    "{}",
    "3 + 4 = 7, 7 × 2 = 14.\n\n{}",
    "<think>3? Or 14? The answer is 7.</think>3 + 4 = 7.\n{}",
    "{}\n\n**Practice:** What is 3 + 4?\n(Answer: 7)",
    "3 + 4 = 7\n{}\n\n**Check:** 7 - 4 = 3 ✓",
    "First 3.\n\n{}\n\nQuestion: Tom has 3 pens and 4 books. How many things?\nAnswer: 7",
    "3 + 4 = 7\n{}\n\nQ: Tom has 3 pens and 4 books. How many things?\nA: He has 3 + 4 = 7 things. #### 7",
    "3 + 4 = 7\n{}\nQ: Tom has 3 pens and 4 books. How many things?\nA:",
    "3 + 4 = 7\n{}<|endoftext|>Tom has 3 pens and 4 books.\n#### 7",
    "{}\n\n### Instruction:\nTom has 3 pens and 4 books. How many things?\n\n### Response:\n\\boxed{{7}}",
    "{}\n\nTom has 3 pens and buys 4 books more at the shop. How many things does he have now?\n3 + 4 = 7\nThe answer is 7.",
]
"""Where a solution declares its answer; 3, 4, 7 and 14 are its working."""

NO_NUMBERS = [
    "x+5", "5!", "\\pm 5", "[5,\\infty)", "(3,4)", "5x", "x^5", "\\sqrt{5}", "2\\sqrt{3}", "5i", "5\\pi", "\\frac{x}{5}", "\\{5,6\\}",
    "x > 5", "x \\ge 5", "y = 2x + 3", "\\frac{\\pi}{2}", "\\emptyset", "\\text{even}", "\\text{Tuesday}", "n-5", "\\log_2 7",
    "\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}", "3 \\pmod 7", "x \\in \\{3, 4\\}", "\\infty", "1210_3", "2^{n}", "3a + 4b", "x",
    "(-\\infty, 3) \\cup (7, \\infty)", "5, 7", "3 \\text{ or } 4", "a_7", "f(3)", "\\sin 3", "|x-3|", "7 \\le x \\le 14", "x \\ne 3", "\\tan 14^\\circ x",
]  # fmt: skip
"""Answers of MATH's kind that are no number, with digits that are none."""

MATH_ANSWERS = [
    *NO_NUMBERS, "0", "-5", "\\frac{3}{4}", "3\\frac{1}{2}", "10\\%", "\\$36", "10,080", "90^\\circ", "5\\text{ cm}", "2^{10}", "3.0 \\times 10^{8}",
    "6 - 5i", "p - q", "A = \\frac{1}{2}bh", "\\left(\\frac{3}{5},\\frac{8}{3}\\right]", "7:30", "3:4", "e^{2}", "\\binom{5}{2}", "x^2+3x+2", "18 \\text{ square units}",
]  # fmt: skip

MATH_TEXTS = [
    "We have $2 + 3 = 5$ and $3 \\cdot 4 = 12$, so $a = 7$.\n\nTherefore, the answer is $\\boxed{{{}}}$.",
    "**Step 1:** $5^2 - 3^2 = 16$.\n**Step 2:** $16 - 2 = 14$.\n\n\\[\\boxed{{{}}}\\]",
    "Since $f(3) = 7$, we find that $n = 14$ works.\n\n**Final Answer**\n$\\boxed{{{}}}$\n\nCheck: $f(3) = 7$.",
    "Let $x = 3$ and $y = 4$. Then $x + y = 7$.\n\n**Answer:** ${}$",
]

"""Numbers as texts write them: separators, fractions, percent, scales, units, words, LaTeX, digits of every script.

`notation` rewrites a text into plain notation, in which `reading` finds numbers and reads them; `digits` reads those
with separators, `words` those in words.
"""

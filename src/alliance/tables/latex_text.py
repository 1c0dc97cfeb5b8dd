"""Text that pdfLaTeX can set: every character beyond ASCII as a command, nothing lost in silence.

Works on finished LaTeX: its commands are ASCII, so that what lies beyond can only be text. Letters
of Latin scripts stay as they are where T1 fonts with UTF-8 input have them. A character for which
there is no command is printed by its Unicode number.
"""

from __future__ import annotations

import re
import unicodedata

COMMANDS = {
    "\u2212": r"\ensuremath{-}",
    "\u00a0": "~",
    "\u202f": r"\,",
    "\u2009": r"\,",
    "\u2003": r"\quad{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "„": r"\quotedblbase{}",
    "…": r"\dots{}",
    "•": r"\textbullet{}",
    "×": r"\ensuremath{\times}",
    "·": r"\ensuremath{\cdot}",
    "±": r"\ensuremath{\pm}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "≠": r"\ensuremath{\neq}",
    "≈": r"\ensuremath{\approx}",
    "∞": r"\ensuremath{\infty}",
    "√": r"\ensuremath{\surd}",
    "→": r"\ensuremath{\rightarrow}",
    "←": r"\ensuremath{\leftarrow}",
    "↔": r"\ensuremath{\leftrightarrow}",
    "↑": r"\ensuremath{\uparrow}",
    "↓": r"\ensuremath{\downarrow}",
    "↳": r"\ensuremath{\hookrightarrow}",
    "✓": r"\ensuremath{\surd}",
    "□": r"\ensuremath{\Box}",
    "µ": r"\ensuremath{\mu}",
    "€": r"\texteuro{}",
    "°": r"\textdegree{}",
    "\ufffd": r"\fbox{?}",
    "\u200b": "",
    "\u200d": "",
}
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "varphi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₋₊", "0123456789-+", strict=True))
ACCENTS = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=",
    "\u0306": r"\u", "\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r", "\u030b": r"\H",
    "\u030c": r"\v", "\u0323": r"\d", "\u0327": r"\c", "\u0328": r"\k", "\u0331": r"\b",
}  # fmt: skip
# Letters without a decomposition that T1 has.
LETTERS = {
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "đ": r"\dj{}", "Đ": r"\DJ{}", "ð": r"\dh{}",
    "Ð": r"\DH{}", "þ": r"\th{}", "Þ": r"\TH{}", "ı": r"\i{}", "ŋ": r"\ng{}", "Ŋ": r"\NG{}",
    "¡": r"\textexclamdown{}", "¿": r"\textquestiondown{}", "«": r"\guillemotleft{}",
    "»": r"\guillemotright{}", "§": r"\S{}", "¶": r"\P{}", "£": r"\pounds{}", "©": r"\copyright{}",
    "®": r"\textregistered{}", "™": r"\texttrademark{}", "½": r"\ensuremath{\frac12}",
}  # fmt: skip
# Pairs that LaTeX takes for one sign (dashes, quotes, Spanish marks), and what keeps them apart.
LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=`)(?=`)|(?<=')(?=')|(?<=,)(?=,)|(?<=[!?])(?=`)")


MEANT = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "_": r"\_\allowbreak{}",
    **{sign: f"\\{sign}" for sign in "&%$#{}"},
}  # fmt: skip


def escaped(text: str) -> str:
    """Return a text in which no sign is taken for LaTeX's own; long names may break at `_`."""
    return "".join(MEANT.get(character, character) for character in text)


def settable(latex: str) -> str:
    """Return finished LaTeX with every character beyond ASCII as something pdfLaTeX can set."""
    apart = LIGATURES.sub("{}", latex)
    return "".join(character if character.isascii() else _command(character) for character in apart)


def _command(character: str) -> str:
    if character in COMMANDS:
        return COMMANDS[character]
    if character in LETTERS:
        return LETTERS[character]
    if character in GREEK:
        return rf"\ensuremath{{\{GREEK[character]}}}"
    if character in RAISED:
        return rf"\textsuperscript{{{RAISED[character]}}}".replace("{-}", r"{\ensuremath{-}}")
    if character in LOWERED:
        return rf"\textsubscript{{{LOWERED[character]}}}".replace("{-}", r"{\ensuremath{-}}")
    return _accented(character) or rf"\texttt{{U+{ord(character):04X}}}"


def _accented(character: str) -> str:
    """Return a letter of the Latin script as base and accents; empty where it is none."""
    apart = unicodedata.normalize("NFD", character)
    base, marks = apart[0], apart[1:]
    if not base.isascii() or not base.isalpha() or not all(mark in ACCENTS for mark in marks):
        return ""
    for mark in marks:
        base = f"{ACCENTS[mark]}{{{base}}}"
    return base if marks else ""

"""The near miss: what somebody meant by a word that is none. Knows only words."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 60
"""Longer words are nobody's slip of the finger, and comparing them is slow."""


def near(word: str, known: Iterable[str]) -> str:
    """The known word that `word` most likely stands for, or ""."""
    from difflib import get_close_matches  # 5 ms to import, and only needed when something is wrong

    if len(word) > LONGEST:
        return ""
    folded = {name.casefold().replace("-", "_"): name for name in known}
    guesses = get_close_matches(word.casefold().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[guesses[0]] if guesses else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence with the near miss, or with all that is known when nothing is near."""
    words = sorted(known)
    if guess := near(word, words):
        return f'Did you mean "{guess}"?'
    return f"Known here: {', '.join(words)}" if words else ""

"""For the guess of the arm: a key for each choice."""

from django import template

register = template.Library()
# D is "don't know", R the reason.
LETTERS = "ABCEFGHIJKLMNOPQSTUVWXYZ"


@register.filter
def key_letter(number: int) -> str:
    """The key of the choice with this number, counted from 1; empty where the letters run out.

    >>> key_letter(1), key_letter(4), key_letter(99)
    ('A', 'E', '')
    """
    return LETTERS[number - 1] if number <= len(LETTERS) else ""

"""What the gate refuses, in the reader's language.

The gate and the tasks speak English, to pages, to the API and to programs alike; pages for people translate it here.
"""

import re

from django.utils.translation import gettext, gettext_noop

SENTENCES = (
    # Any answer.
    gettext_noop("Choose Yes, No or Cannot judge."),
    gettext_noop("Say how sure you are: 1 (guess), 2 or 3 (sure)."),
    gettext_noop("Write the rule or category in a few words: a Yes needs one."),
    gettext_noop("The rule has %(length)s characters; shorten it to %(most)s."),
    gettext_noop("A mark is 'fits', 'misfits' or empty; reload the page."),
    gettext_noop("Received %(marks)s marks for %(snippets)s snippets; send one per snippet or none."),
    gettext_noop("The answer could not be read: the body is not a JSON object."),
    gettext_noop("The answer holds something that the page does not ask for; reload it and answer again."),
    gettext_noop("“%(name)s” is not a text; reload the page and answer again."),
    gettext_noop("The marks are not one word per snippet; reload the page and mark again."),
    gettext_noop("This page sent no valid key with its answer; reload it and send again."),
    gettext_noop("Another rater used this key on the same seat; make a random one."),
    # Tasks.
    gettext_noop("Question %(number)s: choose A or B; guess if you do not know."),
    gettext_noop("Question %(number)s: choose the snippet that does not belong; guess if you do not know."),
    gettext_noop("Question %(number)s: say how sure you are: 1 (guess), 2 or 3 (sure)."),
    gettext_noop("Received answers to more than %(number)s questions; reload the page."),
    gettext_noop("Snippet %(number)s: does the neuron fire here? Choose Yes or No."),
    gettext_noop("Group %(number)s: say whether your rule holds there."),
    gettext_noop("Received answers to more than %(number)s groups; reload the page."),
    gettext_noop("Your rule holds in no group: say Yes to a group in which it does, or answer No."),
    gettext_noop("The explanation has %(length)s characters; shorten it to %(most)s."),
    gettext_noop("Write your explanation, or give 0 points everywhere if you found none."),
    gettext_noop("Give 0 to %(most)s points for %(name)s."),
    gettext_noop("Received points for %(names)s; reload the page."),
    # Where a rater stands.
    gettext_noop("“%(title)s” is not open for rating at the moment."),
    gettext_noop("“%(title)s” is paused. What you have entered is kept; please come back later."),
    gettext_noop("Rating starts after the consent, the instructions and the practice; go to %(where)s."),
    gettext_noop("Your verdicts are locked, because you have begun with the last questions."),
    gettext_noop("Your last answer cannot be opened again: another rater works with your rule already."),
    # Consent and guess.
    gettext_noop("The text has changed since you opened this page. Please read it once more."),
    gettext_noop("Say whether you have to do with the models that are judged."),
    gettext_noop("Say in a few words what you have to do with the models."),
    gettext_noop("That is too long; at most %(most)s characters fit."),
    gettext_noop("Choose one of the kinds of network, or “don't know”."),
    gettext_noop("The reason has %(length)s characters; shorten it to %(most)s."),
)
BLANK = re.compile(r"%\((\w+)\)s")


def _pattern(sentence: str) -> re.Pattern[str]:
    """What matches a sentence with its blanks filled in."""
    text, *rest = BLANK.split(sentence)
    blanks = [f"(?P<{name}>.+?){re.escape(after)}" for name, after in zip(rest[::2], rest[1::2], strict=True)]
    return re.compile("".join([re.escape(text), *blanks]), re.DOTALL)


PATTERNS = {sentence: _pattern(sentence) for sentence in SENTENCES}


def in_words(message: str) -> str:
    """A refusal in the reader's language; as it is, if it is none of the sentences above."""
    for sentence, pattern in PATTERNS.items():
        if found := pattern.fullmatch(message):
            return gettext(sentence) % found.groupdict()
    return message

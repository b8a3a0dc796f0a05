"""Worked items of the spectrum task, written for raters to learn it on: one rule that holds in some groups, and none.

The first has three groups: weather where the neuron fires strongly and where it fires less, something else where it does
not fire. In the second the strongest group has a rule of its own and the others do not, and in the third no group has one.
"""

# ruff: noqa: E501 -- a snippet is one line, as the rater reads it

from typing import Any

from annotation.protocols.practice import snippet_from_markup
from annotation.protocols.task import NO, YES

WEATHER = (
    (
        "The forecast promised sunshine, and by ten o'clock it was[[ raining]] on every tent in the field.",
        "Because of the[[ fog]] the morning flights were cancelled and the hotel filled up again.",
        "They could see the[[ storm]] coming over the lake long before they heard it.",
        "Drive slowly: the road behind the farm is covered with[[ ice]] until March.",
    ),
    (
        "He kept the receipt in the same[[ drawer]] as the spare keys and never looked at it again.",
        "The committee will meet on[[ Tuesday]] to decide who pays for the new roof.",
        "A good knife needs a good[[ handle]], and this one was made for larger hands.",
        "She translated the whole book without once asking what the[[ title]] meant.",
    ),
    (
        "The harbour lay still in the[[ wind]]less hour before the boats came back.",
        "Put the seedlings outside only when the last[[ frost]] is over, usually in the middle of May.",
        "My grandmother said that cats wash their ears before a[[ shower]], and she was right once.",
        "The walls are thick enough to keep the rooms[[ cool]] even in the hottest weeks of August.",
    ),
)

MONTHS = (
    (
        "The lamp above the[[ table]] had been broken since the children learned to throw.",
        "It was the third time that the[[ minister]] had forgotten the name of the town.",
        "Most of the[[ water]] is lost before it reaches the fields on the other side.",
        "You can[[ borrow]] the ladder, but bring it back before the weekend.",
    ),
    (
        "The exhibition opens in early[[ March]] and closes when the last print is sold.",
        "Her letters from that[[ October]] are short and mostly about the price of bread.",
        "Applications must arrive by the end of[[ July]]; later ones are kept for the next year.",
        "Nothing grows here in[[ January]] except the pile of unpaid bills.",
    ),
    (
        "The dog refused to walk past the[[ red]] gate, whoever held the lead.",
        "We were told to[[ wait]] until the second bell and then to leave by the side door.",
        "Each of the[[ seven]] drawings shows the same tree from another window.",
        "If the[[ price]] is right, she will sell the boat and buy a smaller one.",
    ),
)

NOTHING = (
    (
        "The baker closes at noon, and the[[ key]] hangs behind the flour.",
        "Nobody[[ laughed]] when the curtain fell too early.",
        "It takes nine[[ minutes]] to walk from here to the bridge.",
        "Their[[ cousin]] repairs violins in a garage near the airport.",
    ),
    (
        "Set the oven to the[[ lowest]] heat and leave the door open a little.",
        "The report was printed[[ twice]], once with the wrong map.",
        "Between the two villages there is a[[ tunnel]] that no train uses any more.",
        "She had never seen so many[[ buttons]] on a single coat.",
    ),
    (
        "The[[ river]] turns brown for a week after the thaw.",
        "He[[ answered]] in a language that only the driver understood.",
        "For each guest there was a[[ green]] envelope with a number on it.",
        "After the vote the[[ microphone]] was switched off and everybody talked.",
    ),
)


def _item(groups: tuple[tuple[str, ...], ...], expected: str, holds: tuple[str, ...], text: str) -> dict[str, Any]:
    numbers = iter(range(sum(len(group) for group in groups)))
    return {
        "snippets": [snippet_from_markup(snippet) for group in groups for snippet in group],
        "layout": {"groups": [[next(numbers) for _ in group] for group in groups]},
        "expected": expected,
        "responses": {f"group_{number}": said for number, said in enumerate(holds, start=1)},
        "text": text,
    }


PRACTICE = (
    _item(
        WEATHER,
        YES,
        (YES, NO, YES),
        "A careful rater says Yes, with a rule such as “weather”. It holds in group 1 (rain, fog, storm, ice) and in "
        "group 3: wind, frost and a shower are weather, “ cool” perhaps not, and three of four are enough. In group 2 "
        "nothing has to do with weather. It does not count against the rule: there this neuron may hardly fire.",
    ),
    _item(
        MONTHS,
        YES,
        (NO, YES, NO),
        "A careful rater says Yes: the marked tokens of group 2 are months. The rule holds in no other group, and one "
        "group is enough for a Yes. Where a rule does not hold, say so: whether neurons keep their meaning when they fire "
        "more weakly is what this study wants to know.",
    ),
    _item(
        NOTHING,
        NO,
        (),
        "A careful rater says No. No word, topic or kind of word covers three of four marked tokens in any group. Then the "
        "single groups need no answer. No is as good an answer as Yes.",
    ),
)

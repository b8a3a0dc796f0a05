"""Every random choice of a study. Pure: seeds, numbers and ids in, tuples out.

`streams` (where chance comes from), `sampling` (which neurons), `allocation` (who judges what), `order` (in which
order), `balance` (how even it came out), `plan` (the lists of all seats), `reserve` (where the reserve would go),
`predictions` (who predicts from whose rule), `guesses` (whose arm is asked at the end).
"""

from annotation.randomize.allocation import Unit, seats_allocate
from annotation.randomize.balance import Balance, balance_of
from annotation.randomize.guesses import guess_orders
from annotation.randomize.order import seat_order
from annotation.randomize.plan import Lists, Rules, SeatList, lists_make, rules_from
from annotation.randomize.predictions import Prediction, predictions_choose, predictions_listed
from annotation.randomize.reserve import ReserveLists, reserve_lists, rounds_of
from annotation.randomize.sampling import Draw, Layer, Part, StratumExhausted, apportioned, draw_stratum, sample_parts
from annotation.randomize.streams import public_id, shuffled, stream

__all__ = [
    "Balance",
    "Draw",
    "Layer",
    "Lists",
    "Part",
    "Prediction",
    "ReserveLists",
    "Rules",
    "SeatList",
    "StratumExhausted",
    "Unit",
    "apportioned",
    "balance_of",
    "draw_stratum",
    "guess_orders",
    "lists_make",
    "predictions_choose",
    "predictions_listed",
    "public_id",
    "reserve_lists",
    "rounds_of",
    "rules_from",
    "sample_parts",
    "seat_order",
    "seats_allocate",
    "shuffled",
    "stream",
]

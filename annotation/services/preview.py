"""One item of a design that is not frozen, as a rater would get it. Nothing is stored, and no arm is told."""

import secrets

from annotation.design import StudyDesign
from annotation.protocols.task import CannotCompose
from annotation.services.draw import DrawnItem, item_of
from annotation.services.errors import NotEnoughNeurons
from annotation.services.harvests import strata_open

TRIES = 60  # neurons


def design_preview(design: StudyDesign) -> DrawnItem:
    """The item of a neuron picked by chance over all arms; every call picks another.

    Raises what a freeze would raise: HarvestMissing, NotEnoughNeurons.
    """
    strata, salt, reason = strata_open(design), secrets.token_hex(16), ""
    for _ in range(TRIES):
        stratum = secrets.choice(strata)
        layer, neuron = secrets.choice(stratum.pair.layers), secrets.randbelow(stratum.store.d_mlp)
        try:
            return item_of(design, stratum, design.corpora[0], layer, neuron, salt)[0]
        except CannotCompose as refused:
            reason = str(refused)
    raise NotEnoughNeurons(f"None of {TRIES} neurons picked by chance can be shown; the last one: {reason}.")

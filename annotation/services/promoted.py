"""Which tokens a neuron makes the model expect next, for tasks that show them."""

from annotation.protocols.task import CannotCompose
from annotation.services.errors import HarvestMissing
from annotation.services.harvests import Stratum
from neurons.selectors import neuron_index
from neurons.store.neuron_index import NeuronIndex


def promoted_tokens(stratum: Stratum, layer: int, neuron: int, count: int) -> list[tuple[str, float]]:
    """The tokens whose logits the neuron's weights raise most, strongest first, with the effect in logits.

    Raises HarvestMissing if this is not known of the arm at all, and CannotCompose if too few tokens are raised.
    """
    index = _index(stratum)
    vocabulary = index.vocabulary
    # A token that the corpus never shows has no text to be shown by.
    known = [one for one in index.effect(layer, neuron)[0] if one.number > 0 and vocabulary.token_bytes(one.token)]
    if len(known) < count:
        raise CannotCompose(f"{len(known)} of {count} tokens that it promotes")
    return [(vocabulary.token_text(one.token), one.number) for one in known[:count]]


def _index(stratum: Stratum) -> NeuronIndex:
    index = neuron_index(stratum.run)
    if index is None or not index.has("weights"):
        raise HarvestMissing(
            f"Which tokens the arm {stratum.arm.name} of {stratum.pair.size} promotes is not known; run neurons_index "
            f"on {stratum.run.network.name!r}, or leave those questions out with the option logits = 'none'."
        )
    return index

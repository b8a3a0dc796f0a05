"""Which neurons a study shows: drawn stratum by stratum, with a reserve, from layers whose neurons are counted."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from annotation.design import DesignRefused, StudyDesign
from annotation.randomize import Draw, Layer, Part, StratumExhausted, draw_stratum, sample_parts, stream
from annotation.sealed.keys import StratumRow
from annotation.services.errors import NotEnoughNeurons
from annotation.services.harvests import Stratum
from annotation.services.population import living, population
from neurons.store.harvest import HarvestError

Reject = Callable[[int, int], str]  # layer, neuron -> why it cannot be shown; empty: it can


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm at one size, over every corpus of the study: its own first."""

    over: tuple[Stratum, ...]

    @property
    def first(self) -> Stratum:
        return self.over[0]


def arms_of(strata: list[Stratum]) -> list[Arm]:
    """The strata of all corpora, brought together by arm and size, in the order of the design."""
    names = dict.fromkeys(stratum.name for stratum in strata)
    return [Arm(tuple(stratum for stratum in strata if stratum.name == name)) for name in names]


def populations(design: StudyDesign, arms: list[Arm]) -> list[StratumRow]:
    """The counted neurons of every layer of every arm over every corpus."""
    rows = [
        population(design, stratum, layer, corpus)
        for arm in arms
        for stratum, corpus in zip(arm.over, design.corpora, strict=True)
        for layer in stratum.pair.layers
    ]
    return [replace(row, number=number) for number, row in enumerate(rows, start=1)]


def parts_of(design: StudyDesign, counted: list[StratumRow], salt: str) -> dict[str, tuple[Part, ...]]:
    """How many neurons of each size and part of its layers."""
    layers = [Layer(row.size, row.arm, row.layer, living(row)) for row in counted if row.corpus == design.corpus]
    return sample_parts(
        design.seed,
        salt,
        layers,
        per_arm=design.neurons_per_arm,
        across_sizes=design.sampling.sizes,
        across_layers=design.sampling.layers,
    )


def arm_draw(design: StudyDesign, arm: Arm, parts: tuple[Part, ...], salt: str, reject: Reject) -> list[Draw]:
    """Every draw of one arm at one size, part by part, each with its own reserve.

    Raises
    ------
    NotEnoughNeurons
        If too few neurons can be shown.
    DesignRefused
        If the harvest does not hold as much text around a peak as the design shows.
    """
    return [draw for part in parts if part.count for draw in _part_draw(design, arm.first, part, salt, reject)]


def _part_draw(design: StudyDesign, stratum: Stratum, part: Part, salt: str, reject: Reject) -> tuple[Draw, ...]:
    try:
        return draw_stratum(
            stream(design.seed, salt, f"draw:{stratum.name}:{part.name}"),
            layers=part.layers,
            d_mlp=stratum.store.d_mlp,
            count=part.count,
            reserve=design.sampling.reserve,
            reject=reject,
        )
    except StratumExhausted as error:
        place = f"{stratum.arm.network or 'random snippets'} (arm {stratum.arm.name}, {stratum.pair.size}"
        raise NotEnoughNeurons(f"{place}{_layer_told(stratum, part)}): {error}") from None
    except HarvestError as error:
        raise DesignRefused([("context_before", str(error))]) from None


def _layer_told(stratum: Stratum, part: Part) -> str:
    return "" if part.layers == stratum.pair.layers else f", layer {part.layers[0]}"


def drawn_counted(counted: list[StratumRow], arm: Arm, draws: list[Draw]) -> list[StratumRow]:
    """The rows with the numbers drawn from this arm's layers filled in."""
    place = (arm.first.pair.size, arm.first.arm.name)
    return [_with_draws(row, draws) if (row.size, row.arm) == place else row for row in counted]


def _with_draws(row: StratumRow, draws: list[Draw]) -> StratumRow:
    here = [draw for draw in draws if draw.accepted and draw.layer == row.layer]
    reserved = sum(draw.reserve for draw in here)
    return replace(row, sampled=len(here) - reserved, reserved=reserved)

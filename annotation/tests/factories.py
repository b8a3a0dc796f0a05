"""Studies, raters and harvests for tests. The harvest is a small fake with the methods of `HarvestStore`."""

import itertools
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from annotation import services
from annotation.blinding import (
    BlindAnswer,
    ConsentAnswer,
    RatePage,
    blind_consent_answer,
    blind_instructions_read,
    blind_judgment_submit,
    blind_next,
    blind_practice_answer,
)
from annotation.design import StudyDesign, design_from_dict
from annotation.models import Evaluator, MachineRater, RaterKind, Study
from annotation.protocols.display import mark_peak
from annotation.protocols.practice import careful_answer
from annotation.protocols.task import Composition, Task
from annotation.services import harvests
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, RunStatus
from neurons.store.harvest import Sample
from neurons.store.pieces import Snippet

PASSWORD = "a-long-enough-password"
ARMS = {"baseline": "tiny-gelu", "solu": "tiny-solu-ln", "ln_only": "tiny-gelu-ln"}
ACTIVATIONS = {"tiny-gelu": "gelu", "tiny-solu-ln": "solu_ln", "tiny-gelu-ln": "gelu_ln"}
SAMPLED = 2_000  # tokens of a fake harvest's sample
_numbers = itertools.count(1)


@dataclass(frozen=True)
class FakeHarvest:
    """A harvest whose snippets say nothing real: neuron 0 is dead, neuron 1 has one snippet, all others have `kept`."""

    network: str
    n_layers: int = 1
    d_mlp: int = 40
    kept: int = 8
    pieces: int = 9

    def is_dead(self, layer: int, neuron: int) -> bool:
        return neuron == 0

    def top_count(self, layer: int, neuron: int) -> int:
        return {0: 0, 1: 1}.get(neuron, self.kept)

    def top_counts(self, layer: int) -> np.ndarray:
        return np.array([self.top_count(layer, neuron) for neuron in range(self.d_mlp)])

    def known(self, layer: int) -> np.ndarray:
        return np.ones(self.d_mlp, dtype=bool)

    def top_values(self, layer: int, neuron: int) -> list[float]:
        return [10.0 / (1 + rank) for rank in range(self.top_count(layer, neuron))]

    def top_documents(self, layer: int, neuron: int) -> np.ndarray:
        return np.array([self._snippet(neuron, rank).doc for rank in range(self.top_count(layer, neuron))], dtype=int)

    def top_snippets(self, layer: int, neuron: int, count: int, before: int, after: int) -> list[Snippet]:
        return [self._snippet(neuron, rank) for rank in range(min(count, self.top_count(layer, neuron)))]

    def _snippet(self, neuron: int, rank: int) -> Snippet:
        """Words that tell the neuron and the network only through a number, as a real text would not."""
        tag = (neuron * 31 + rank * 7 + len(self.network) * 3) % 97
        words = [f" word{(tag * (i + 1)) % 89}" for i in range(self.pieces)]
        peak = (tag + rank) % self.pieces
        values = [float((tag * (i + 3)) % 11) / 10 for i in range(self.pieces)]
        values[peak] = 10.0 / (1 + rank)
        return Snippet(doc=tag, peak=peak, pieces=tuple(zip(words, values, strict=True)))

    def sample(self, layer: int, neuron: int) -> Sample:
        """Every other token fires, none like another; each stands in a text of its own."""
        values = np.random.default_rng(neuron).permutation(np.linspace(-4.0, 4.0, SAMPLED))
        return Sample(values.astype(np.float32), 1_000 + np.arange(SAMPLED), np.arange(SAMPLED))

    def sample_snippet(self, layer: int, neuron: int, place: int, before: int, after: int) -> Snippet:
        words = [f" text{place}word{i}" for i in range(self.pieces)]
        values = [np.nan] * self.pieces
        values[place % self.pieces] = float(self.sample(layer, neuron).values[place])
        return Snippet(1_000 + place, place % self.pieces, tuple(zip(words, values, strict=True)))


@dataclass(frozen=True)
class FakeMaterial:
    """A neuron that offers as many snippets of each kind as a task may ask for, each of another document."""

    pieces: int = 9

    def top(self, count: int) -> list[Snippet]:
        return [self._snippet(f"top{rank}", 100.0 - rank) for rank in range(count)]

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> list[Snippet]:
        return [self._snippet(f"between{low:g}to{high:g}number{n}", 10.0 * high) for n in range(count)]

    def silent(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        return [self._snippet(f"silent{n}", -1.0) for n in range(count)]

    def _snippet(self, name: str, peak: float) -> Snippet:
        middle = self.pieces // 2
        values = [peak if n == middle else peak / (2 + n) for n in range(self.pieces)]
        pieces = tuple((f" {name}word{n}", value) for n, value in enumerate(values))
        return Snippet(doc=zlib.crc32(name.encode()), peak=middle, pieces=pieces)


def make_composition(task: Task, snippets: int = 20, seed: int = 1, **options: Any) -> Composition:
    """What a task shows of a neuron that offers everything."""
    return task.compose(
        FakeMaterial(),
        snippets=snippets,
        options=task.options_filled(options),
        marker=lambda snippet: mark_peak(snippet.pieces, snippet.peak, 3),
        rng=np.random.default_rng(seed),
    )


def make_design(**changes: Any) -> StudyDesign:
    values: dict[str, Any] = {
        "title": "Tiny study",
        "slug": f"tiny-{next(_numbers)}",
        "seed": 7,
        "corpus": "tiny",
        "pairs": [{"size": "tiny", "layers": [0], "arms": ARMS}],
        "neurons_per_arm": 4,
        "snippets_per_neuron": 5,
        "raters": 2,
        "blinding": {"unblinders": 1},
        "guess": {"items": 0},
    }
    return design_from_dict(values | changes)


def make_user(username: str = "", group: str = "") -> Any:
    user = get_user_model().objects.create_user(username=username or f"user-{next(_numbers)}", password=PASSWORD)
    if group:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def make_evaluator(username: str = "", kind: str = RaterKind.HUMAN) -> Evaluator:
    username = username or f"rater-{next(_numbers)}"
    evaluator = services.evaluator_create(username=username, password=PASSWORD, kind=kind)
    if kind == RaterKind.MACHINE:
        MachineRater.objects.create(evaluator=evaluator, name="a test", version="1")
    return evaluator


def make_harvest_run(network: str, corpus: str = "tiny", site: str = "post_act", basis: str = "neurons") -> HarvestRun:
    """The rows that a finished harvest stands on; the same names give the same row."""
    text, _ = Corpus.objects.get_or_create(
        name=corpus,
        defaults={
            "fingerprint": "c" * 64,
            "tokenizer_fingerprint": "t" * 64,
            "documents": 9,
            "text_bytes": 99,
            "tokens": 90,
        },
    )
    pair, _ = NetworkPair.objects.get_or_create(name="tiny", defaults={"size": "tiny", "config": {}})
    net, _ = Network.objects.get_or_create(
        name=network,
        defaults={
            "pair": pair,
            "activation": ACTIVATIONS.get(network, network[:20]),
            "n_layers": 1,
            "d_mlp": 40,
            "sha256": "n" * 64,
            "corpus_fingerprint": "c" * 64,
            "tokens_trained": 1000,
        },
    )
    run, _ = HarvestRun.objects.get_or_create(
        network=net, corpus=text, site=site, basis=basis, defaults={"config": {"k": 8}, "status": RunStatus.DONE}
    )
    return run


@contextmanager
def fake_harvests(**changes: Any) -> Iterator[None]:
    """Every network has a finished harvest, and it is a `FakeHarvest`."""
    with (
        patch.object(harvests, "harvest_finished", make_harvest_run),
        patch.object(harvests, "harvest_store", lambda run: FakeHarvest(run.network.name, **changes)),
    ):
        yield


def make_study(**changes: Any) -> Study:
    """A draft."""
    return services.study_create(design=make_design(**changes))


def make_frozen_study(**changes: Any) -> Study:
    with fake_harvests():
        return services.study_freeze(study=make_study(**changes))


def make_open_study(**changes: Any) -> Study:
    return services.study_open(study=make_frozen_study(**changes))


def make_rater(study: Study, *, practised: bool = True) -> int:
    """The user id of a rater with a seat, ready to rate unless told otherwise."""
    evaluator = make_evaluator(kind=study.rater_kind)
    services.seat_take(study=study, evaluator=evaluator)
    if practised:
        practise(evaluator.user_id, study)
    return int(evaluator.user_id)


def agree(user_id: int, study: Study) -> None:
    """Answer the consent page, where the study has one."""
    if (shown := study.rater_text["consent"]) is not None:
        blind_consent_answer(user_id, study.slug, ConsentAnswer(shown["version"], agrees=True, conflict="no"))


def practise(user_id: int, study: Study) -> None:
    agree(user_id, study)
    blind_instructions_read(user_id, study.slug)
    for number, item in enumerate(study.rater_text["practice"], start=1):
        blind_practice_answer(user_id, study.slug, number, expected_answer(item))


def expected_answer(item: dict[str, Any]) -> BlindAnswer:
    """What a careful rater answers to a practice item."""
    return replace(careful_answer(item), active_ms=4_000, wall_ms=5_000)


def make_answer(verdict: str = "yes", **changes: Any) -> BlindAnswer:
    values: dict[str, Any] = {
        "verdict": verdict,
        "confidence": None if verdict == "cannot" else 2,
        "rule": "words that end in a number" if verdict == "yes" else "",
        "active_ms": 4_000,
        "wall_ms": 5_000,
    }
    return BlindAnswer(**values | changes)


def rate_all(user_id: int, study: Study, verdict: str = "yes") -> int:
    """Answer everything that is left; the number of answers given."""
    given = 0
    while isinstance(page := blind_next(user_id, study.slug), RatePage):
        blind_judgment_submit(user_id, page.assignment, make_answer(verdict), f"key-{page.assignment}")
        given += 1
    return given


def make_closed_study(**changes: Any) -> Study:
    """Rated by everybody, then closed."""
    study = make_open_study(**changes)
    for number in range(study.seats.count()):
        rate_all(make_rater(study), study, "yes" if number % 2 == 0 else "no")
    return services.study_close(study=study, reason="All raters are done.")


def make_unblinded_study(**changes: Any) -> Study:
    return services.study_unblind(study=make_closed_study(**changes), reason="All judgments are in.")

"""Studies built from rows: with judgments by plan, closed or unblinded, without a harvest behind them."""

import hashlib
from datetime import timedelta

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from annotation.design import canonical_json, design_from_dict, design_to_dict
from annotation.models import Assignment, Evaluator, Item, Judgment, Seat, Study, Unblinding
from annotation.sealed.models import SealedDraw, SealedKey, SealedSalt, SealedStratum
from neurons.models import Corpus, HarvestRun, Network, NetworkPair

ARMS = {"baseline": "gelu", "solu": "solu_ln", "ln_only": "gelu_ln"}


def make_user(name: str, group: str):
    user = get_user_model().objects.create_user(name, password="a long enough password")
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def make_study(
    slug: str = "small-study",
    *,
    yes: dict[str, int] | None = None,
    neurons: int = 60,
    raters: int = 3,
    sizes: tuple[str, ...] = ("1L-256",),
    rater_kind: str = "simulated",
    unblinded: bool = True,
    answered: bool = True,
    seed: int = 7,
) -> Study:
    """A study in which every rater says yes to the first `yes[arm]` neurons of an arm."""
    yes = yes or {"baseline": 21, "solu": 36}
    study = _frozen_study(slug, tuple(yes), sizes, neurons, raters, rater_kind, seed)
    keys = _keys(study, sizes, tuple(yes), neurons)
    seats = [_seat(study, number + 1, rater_kind) for number in range(raters)]
    SealedDraw.objects.create(
        study=study, number=10**6, size=sizes[0], arm="baseline", layer=0, neuron=999, accepted=False, reason="dead"
    )
    generator = np.random.default_rng(seed)
    for seat in seats:
        order = generator.permutation(len(keys))
        places = Assignment.objects.bulk_create(
            Assignment(seat=seat, item=keys[index].item, position=place + 1) for place, index in enumerate(order)
        )
        if answered:
            _answer(seat, [(place, keys[index]) for place, index in zip(places, order, strict=True)], yes)
    if unblinded:
        _unblind(study)
    return study


def _frozen_study(slug, arms, sizes, neurons, raters, rater_kind, seed) -> Study:
    pairs = [
        {"size": size, "layers": [0], "arms": {arm: f"{size}-{ARMS[arm]}".lower() for arm in arms}} for size in sizes
    ]
    design = design_from_dict(
        {
            "title": f"Study {slug}", "slug": slug, "seed": seed, "corpus": "tiny", "pairs": pairs, "raters": raters,
            "neurons_per_arm": neurons, "rater_kind": rater_kind,
        }
    )  # fmt: skip
    data = design_to_dict(design)
    protocol = canonical_json({"design": data, "shown_to_raters": {"question": "Is there one rule?"}})
    return Study.objects.create(
        slug=slug, title=design.title, state="closed", rater_kind=rater_kind, design=data, protocol=protocol,
        protocol_sha256=hashlib.sha256(protocol.encode()).hexdigest(), closed_at=timezone.now(),
    )  # fmt: skip


def _keys(study: Study, sizes, arms, neurons: int) -> list[SealedKey]:
    rows = []
    for size in sizes:
        for arm in arms:
            harvest = _harvest(size, ARMS[arm])
            for neuron in range(neurons):
                item = Item.objects.create(study=study, snippets=[[["text", 0]]])
                place = {"study": study, "size": size, "arm": arm, "layer": 0, "neuron": neuron}
                SealedDraw.objects.create(number=len(rows) + 1, accepted=True, **place)
                rows.append(SealedKey.objects.create(item=item, harvest=harvest, corpus="tiny", **place))
            SealedStratum.objects.create(
                study=study, number=len(rows), size=size, arm=arm, layer=0, corpus="tiny", width=1024, neurons=1024,
                unrecorded=0, dead=24, enough=900, sampled=neurons, reserved=0,
            )  # fmt: skip
    SealedSalt.objects.create(study=study, salt="ab" * 16)
    return rows


def _harvest(size: str, activation: str) -> HarvestRun:
    corpus, _ = Corpus.objects.get_or_create(
        name="tiny", defaults={"url": "tiny", "fingerprint": "0", "tokenizer_fingerprint": "0", "documents": 1,
                               "text_bytes": 1, "tokens": 1},
    )  # fmt: skip
    pair, _ = NetworkPair.objects.get_or_create(name=size.lower(), defaults={"size": size, "config": {}})
    network, _ = Network.objects.get_or_create(
        name=f"{size}-{activation}".lower().replace("_", "-"),
        defaults={"pair": pair, "activation": activation, "n_layers": 1, "d_mlp": 1024, "url": "x", "sha256": "0",
                  "corpus_fingerprint": "0", "tokens_trained": 1},
    )  # fmt: skip
    run, _ = HarvestRun.objects.get_or_create(
        network=network, corpus=corpus, site="post_act", defaults={"config": {}, "status": "done"}
    )
    return run


def _seat(study: Study, number: int, rater_kind: str) -> Seat:
    name = f"{study.slug}-rater-{number}"[:24]
    evaluator = Evaluator.objects.create(user=make_user(name, "evaluators"), pseudonym=name, kind=rater_kind)
    return Seat.objects.create(study=study, number=number, kind=rater_kind, evaluator=evaluator)


def _answer(seat: Seat, places: list[tuple[Assignment, SealedKey]], yes: dict[str, int]) -> None:
    now = timezone.now()
    Judgment.objects.bulk_create(
        Judgment(
            assignment=place,
            idempotency_key=f"{seat.pk}-{place.position}",
            verdict="yes" if key.neuron < yes[key.arm] else "no",
            confidence=2,
            rule="=SUM(A1:A9)" if key.neuron < yes[key.arm] else "",
            active_ms=20_000 + 100 * place.position,
            wall_ms=30_000 + 100 * place.position,
            shown_at=now - timedelta(seconds=60),
        )
        for place, key in places
    )
    for place, _ in places:
        place.shown_at, place.done_at = now - timedelta(seconds=60), now
    Assignment.objects.bulk_update([place for place, _ in places], ["shown_at", "done_at"])


def _unblind(study: Study) -> None:
    by = make_user(f"admin-{study.slug}", "admin")
    Unblinding.objects.create(study=study, by=by, reason="all answers are in", judgments_sha256="0" * 64)
    study.state = Study.State.UNBLINDED
    study.save()

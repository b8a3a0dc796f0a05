"""Randomization: even, complete, without repeats, and the same for the same seed."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.randomize import StratumExhausted, draw_stratum, public_id, seats_allocate, shuffled, stream

salts = st.text("abcdef0123456789", min_size=1, max_size=64)


@st.composite
def allocations(draw):
    raters = draw(st.integers(1, 6))
    per_neuron = draw(st.integers(1, raters))
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    strata = [[f"{stratum}-{item}" for item in range(size)] for stratum, size in enumerate(sizes)]
    return raters, per_neuron, strata, draw(st.integers(0, 2**32))


@given(allocations())
def test_every_item_goes_to_exactly_as_many_different_seats_as_asked(case):
    raters, per_neuron, strata, seed = case
    seats = seats_allocate(stream(seed, "s", "x"), strata=strata, raters=raters, raters_per_neuron=per_neuron)
    assert len(seats) == raters
    assert all(len(set(seat)) == len(seat) for seat in seats)
    given_to = Counter(itertools.chain.from_iterable(seats))
    assert given_to == {item: per_neuron for stratum in strata for item in stratum}


@given(allocations())
def test_loads_differ_by_at_most_one_in_every_stratum_and_in_all(case):
    raters, per_neuron, strata, seed = case
    seats = seats_allocate(stream(seed, "s", "x"), strata=strata, raters=raters, raters_per_neuron=per_neuron)
    for stratum in [*strata, list(itertools.chain.from_iterable(strata))]:
        loads = [len(set(seat) & set(stratum)) for seat in seats]
        assert max(loads) - min(loads) <= 1


def test_fully_crossed_gives_every_item_to_every_seat():
    seats = seats_allocate(stream(1, "s", "x"), strata=[["a", "b"], ["c"]], raters=3, raters_per_neuron=3)
    assert seats == (("a", "b", "c"),) * 3


@pytest.mark.parametrize("per_neuron", [0, 4])
def test_more_judgments_than_raters_are_refused(per_neuron):
    with pytest.raises(ValueError, match=f"raters_per_neuron={per_neuron}"):
        seats_allocate(stream(1, "s", "x"), strata=[["a"]], raters=3, raters_per_neuron=per_neuron)


@given(
    seed=st.integers(0, 2**63 - 1),
    salt=salts,
    layers=st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
    d_mlp=st.integers(1, 30),
    data=st.data(),
)
def test_a_stratum_is_drawn_without_repeats_from_the_asked_layers_and_the_same_again(seed, salt, layers, d_mlp, data):
    count = data.draw(st.integers(1, len(layers) * d_mlp))
    first, second = (
        draw_stratum(stream(seed, salt, "d"), layers=layers, d_mlp=d_mlp, count=count, reject=lambda layer, neuron: "")
        for _ in range(2)
    )
    assert first == second
    assert len({(draw.layer, draw.neuron) for draw in first}) == count
    assert {draw.layer for draw in first} <= set(layers)
    assert all(0 <= draw.neuron < d_mlp for draw in first)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_rejected_draws_keep_their_place_and_reason_and_are_never_counted(seed, count):
    def reject(layer: int, neuron: int) -> str:
        return "odd" if neuron % 2 else ""

    draws = draw_stratum(stream(seed, "s", "d"), layers=[0, 1], d_mlp=40, count=count, reject=reject)
    assert sum(draw.accepted for draw in draws) == count
    assert draws[-1].accepted
    assert all(draw.reason == reject(draw.layer, draw.neuron) for draw in draws)


def test_an_exhausted_stratum_says_how_far_it_came():
    with pytest.raises(StratumExhausted, match="0 of 8 neurons can be shown and 1 are wanted"):
        draw_stratum(stream(1, "s", "d"), layers=[0, 1], d_mlp=4, count=1, reject=lambda layer, neuron: "dead")


def test_draws_are_uniform_over_layers_and_indices():
    """Chi-square over 2 × 5 cells, 4,000 first draws: 9 degrees of freedom, 99.99 % quantile 33.7."""
    first = Counter()
    for seed in range(4_000):
        (draw,) = draw_stratum(stream(seed, "s", "d"), layers=[3, 7], d_mlp=5, count=1, reject=lambda layer, neuron: "")
        first[draw.layer, draw.neuron] += 1
    assert len(first) == 10
    assert sum((observed - 400) ** 2 / 400 for observed in first.values()) < 33.7


@given(st.integers(0, 2**32), st.lists(st.text(max_size=3), unique=True, max_size=20))
def test_shuffling_loses_and_adds_nothing(seed, things):
    assert sorted(shuffled(stream(seed, "s", "o"), things)) == sorted(things)


@given(st.integers(0, 2**63 - 1), salts)
def test_another_seed_salt_or_purpose_is_another_stream(seed, salt):
    def start(*key):
        return stream(*key).integers(0, 2**63, size=4).tolist()

    assert start(seed, salt, "a") == start(seed, salt, "a")
    assert start(seed, salt, "a") != start(seed, salt, "b")
    assert start(seed, salt, "a") != start(seed, salt + "0", "a")
    assert start(seed, salt, "a") != start(seed + 1, salt, "a")


def test_public_ids_are_safe_in_addresses_and_do_not_repeat():
    ids = {public_id(1, "salt", f"item:{i}") for i in range(2_000)}
    assert len(ids) == 2_000
    assert all(set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") for name in ids)


def test_no_function_moves_the_global_random_state():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 -- the state that must not move
    seats_allocate(stream(1, "s", "x"), strata=[["a", "b"]], raters=2, raters_per_neuron=1)
    draw_stratum(stream(1, "s", "d"), layers=[0], d_mlp=9, count=3, reject=lambda layer, neuron: "")
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002

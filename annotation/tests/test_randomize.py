"""Randomization: even, complete, without repeats, and the same for the same seed."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.randomize import (
    Rules,
    StratumExhausted,
    Unit,
    apportioned,
    balance_of,
    draw_stratum,
    lists_make,
    public_id,
    seat_order,
    seats_allocate,
    shuffled,
    stream,
)
from annotation.randomize.streams import permutation

salts = st.text("abcdef0123456789", min_size=1, max_size=64)


def make_units(sizes, layers=1, corpora=1):
    return [
        Unit(f"s{stratum}", number % layers, tuple(f"{stratum}-{number}-{c}" for c in range(corpora)))
        for stratum, size in enumerate(sizes)
        for number in range(size)
    ]


@st.composite
def allocations(draw):
    raters = draw(st.integers(1, 6))
    per_neuron = draw(st.integers(1, raters))
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    units = make_units(sizes, layers=draw(st.integers(1, 3)), corpora=draw(st.integers(1, 2)))
    return raters, per_neuron, units, draw(st.integers(0, 2**32))


@given(allocations())
def test_every_unit_goes_to_exactly_as_many_different_seats_as_asked(case):
    raters, per_neuron, units, seed = case
    seats = seats_allocate(stream(seed, "s", "x"), units=units, raters=raters, raters_per_neuron=per_neuron)
    assert len(seats) == raters
    assert all(len(set(seat)) == len(seat) for seat in seats)
    assert Counter(itertools.chain.from_iterable(seats)) == dict.fromkeys(units, per_neuron)


@given(allocations())
def test_loads_differ_by_at_most_one_in_every_stratum_and_in_all(case):
    raters, per_neuron, units, seed = case
    seats = seats_allocate(stream(seed, "s", "x"), units=units, raters=raters, raters_per_neuron=per_neuron)
    measured = balance_of(seats)
    assert measured.stratum_difference <= 1
    assert measured.most_load - measured.least_load <= 1


@given(st.integers(0, 2**32), st.integers(2, 6), st.data())
def test_pairs_of_raters_share_nearly_equally_many_neurons(seed, per_neuron, data):
    raters = data.draw(st.integers(per_neuron + 1, 12))
    units = make_units([24, 24, 24], layers=2)
    seats = seats_allocate(stream(seed, "s", "x"), units=units, raters=raters, raters_per_neuron=per_neuron)
    measured = balance_of(seats)
    assert measured.most_overlap - measured.least_overlap <= 3
    assert measured.layer_difference <= 2


def test_a_design_that_can_be_exact_is_exact_to_one():
    """Seven raters, three per neuron, 7 × 12 neurons: every pair could share exactly 12."""
    seats = seats_allocate(stream(1, "s", "x"), units=make_units([42, 42]), raters=7, raters_per_neuron=3)
    measured = balance_of(seats)
    assert (measured.least_load, measured.most_load, measured.stratum_difference) == (36, 36, 0)
    assert measured.mean_overlap == 12
    assert measured.most_overlap - measured.least_overlap <= 2


def test_fully_crossed_gives_every_unit_to_every_seat():
    units = make_units([2, 1])
    seats = seats_allocate(stream(1, "s", "x"), units=units, raters=3, raters_per_neuron=3)
    assert seats == (tuple(units),) * 3


@pytest.mark.parametrize("per_neuron", [0, 4])
def test_more_judgments_than_raters_are_refused(per_neuron):
    with pytest.raises(ValueError, match=f"raters_per_neuron={per_neuron}"):
        seats_allocate(stream(1, "s", "x"), units=make_units([1]), raters=3, raters_per_neuron=per_neuron)


@st.composite
def studies(draw):
    """Units, rules and catch trials that fit together."""
    sizes = draw(st.lists(st.integers(8, 14), min_size=1, max_size=3))
    raters, machines = draw(st.integers(1, 5)), draw(st.integers(0, 2))
    per_neuron = draw(st.integers(1, raters))
    rules = Rules(
        raters=raters,
        raters_per_neuron=per_neuron,
        machine_raters=machines,
        machine_raters_per_neuron=draw(st.integers(0, machines)),
        calibration=draw(st.integers(0, 3)),
        repeats=draw(st.sampled_from([0.0, 0.1, 0.3])) if sum(sizes) * per_neuron / raters >= 8 else 0.0,
        repeat_distance=draw(st.integers(1, 3)),
        block=draw(st.sampled_from([0, 2, 5])),
    )
    common = [f"catch-{number}" for number in range(draw(st.integers(0, 3)))]
    return make_units(sizes, layers=2, corpora=draw(st.integers(1, 2))), rules, common, draw(st.integers(0, 2**32))


@given(studies(), salts)
def test_lists_lose_nothing_repeat_only_what_is_declared_and_are_the_same_again(study, salt):
    units, rules, common, seed = study
    lists = lists_make(seed, salt, units, rules, common)
    assert lists == lists_make(seed, salt, list(reversed(units)), rules, common)
    assert [seat.machine for seat in lists.seats] == [False] * rules.raters + [True] * rules.machine_raters
    for machine, each in ((False, rules.raters_per_neuron), (True, rules.machine_raters_per_neuron)):
        seats = [seat for seat in lists.seats if seat.machine == machine]
        calibrated = [unit for unit in units if seats and all(unit.items[0] in seat.items for seat in seats)]
        assert not seats or len(calibrated) >= rules.calibration * len({unit.stratum for unit in units})
        given_to = Counter(item for seat in seats for item in set(seat.items))
        wanted = {len(seats)} | {each or len(seats)}
        assert not seats or {given_to[item] for unit in units for item in unit.items} <= wanted
        assert all(given_to[item] == len(seats) for item in common)
    for seat in lists.seats:
        times = Counter(seat.items)
        own = [item for item in times if item not in common]
        again = [item for item in times if times[item] == 2]
        assert max(times.values()) <= 2
        assert len(again) == int(rules.repeats * len(own) + 0.5)
        assert not set(again) & set(common)
        for item in again:
            first, second = (place for place, other in enumerate(seat.items) if other == item)
            assert second - first > rules.repeat_distance
        assert all(set(unit.items) <= times.keys() or not set(unit.items) & times.keys() for unit in units)


def test_another_salt_or_seed_gives_other_lists():
    units, rules = make_units([20, 20]), Rules(raters=4, raters_per_neuron=2, repeats=0.2)
    first = lists_make(1, "salt", units, rules)
    assert first != lists_make(1, "pepper", units, rules)
    assert first != lists_make(2, "salt", units, rules)


@given(st.integers(0, 2**32), st.integers(2, 9), st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_every_block_mixes_the_strata_as_the_whole_list_does(seed, block, sizes):
    groups = {f"s{stratum}": [f"{stratum}-{n}" for n in range(size)] for stratum, size in enumerate(sizes)}
    order = seat_order(stream(seed, "s", "o"), groups, block=block)
    assert sorted(order) == sorted(item for items in groups.values() for item in items)
    for start in range(0, len(order), block):
        here = Counter(item.split("-")[0] for item in order[start : start + block])
        for stratum, size in enumerate(sizes):
            expected = size * min(block, len(order) - start) / len(order)
            assert abs(here[str(stratum)] - expected) < 2 + len(sizes) / 2


def test_repeats_come_from_all_strata_equally():
    groups = {stratum: [f"{stratum}{n}" for n in range(20)] for stratum in "abc"}
    order = seat_order(stream(1, "s", "o"), groups, repeats=9, distance=5)
    again = Counter(item[0] for item, times in Counter(order).items() if times == 2)
    assert again == {"a": 3, "b": 3, "c": 3}


def test_a_list_too_short_for_its_repeats_is_refused_with_numbers():
    with pytest.raises(ValueError, match="repeats=2 at a distance of 5 on a list of 6; 1 items can be repeated"):
        seat_order(stream(1, "s", "o"), {"a": ["1", "2", "3", "4", "5", "6"]}, repeats=2, distance=5)


def test_a_calibration_set_larger_than_a_stratum_is_refused():
    rules = Rules(raters=2, raters_per_neuron=1, calibration=3)
    with pytest.raises(ValueError, match="calibration set of 3; s1 has 2 neurons"):
        lists_make(1, "s", make_units([5, 2]), rules)


@given(st.integers(0, 2**32), st.integers(0, 1_000), st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_numbers_shared_out_add_up_and_lie_within_one_of_their_exact_share(seed, total, weights):
    weights[0] += 1
    shares = apportioned(stream(seed, "s", "a"), total, weights)
    assert sum(shares) == total
    assert all(abs(share - total * w / sum(weights)) < 1 for share, w in zip(shares, weights, strict=True))
    assert all(w or not share for share, w in zip(shares, weights, strict=True))


def test_orders_are_made_from_raw_words_that_no_version_of_numpy_changes():
    """The first words of PCG64 of seed 1, salt "salt", purpose "order:1", and the order that they give."""
    assert permutation(stream(1, "salt", "order:1"), 8).tolist() == [5, 1, 0, 6, 4, 7, 3, 2]
    assert stream(1, "salt", "order:1").bit_generator.random_raw(2).tolist() == [
        2534418616834713655,
        1363954078070749617,
    ]


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


def test_the_reserve_comes_after_the_sample_and_only_accepted_neurons_are_in_it():
    def reject(layer: int, neuron: int) -> str:
        return "odd" if neuron % 2 else ""

    draws = draw_stratum(stream(1, "s", "d"), layers=[0], d_mlp=40, count=5, reserve=3, reject=reject)
    alone = draw_stratum(stream(1, "s", "d"), layers=[0], d_mlp=40, count=5, reject=reject)
    assert draws[: len(alone)] == alone
    assert not any(draw.reserve for draw in alone)
    assert [draw.reserve for draw in draws[len(alone) :] if draw.accepted] == [True] * 3
    assert not any(draw.reserve for draw in draws if not draw.accepted)


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
    lists_make(1, "s", make_units([4, 4]), Rules(raters=2, raters_per_neuron=1))
    draw_stratum(stream(1, "s", "d"), layers=[0], d_mlp=9, count=3, reject=lambda layer, neuron: "")
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002

"""What the benchmark of other people's harvesters hands over, and how it compares what they found."""

import numpy as np

from benchmarks.peers.exchange import Job, Result, agreement

OURS = [(9.0, 4, 2), (8.0, 1, 7), (7.0, 3, 5), (6.0, 2, 5)]


def make_result(top, columns=(1, 8)):
    return Result(
        version="made up 1.0",
        neurons=len(top),
        tokens=64,
        seconds_forward=1.0,
        seconds_harvest=2.0,
        seconds_saving=0.5,
        peak_bytes=1,
        disk_bytes=1,
        columns=columns,
        top=top,
    )


def compare(theirs, columns=(1, 8)):
    return agreement(make_result([theirs], columns), make_result([OURS]))


def test_a_job_is_read_as_it_was_written(tmp_path):
    tokens = np.arange(12, dtype=np.int32).reshape(3, 4)
    weights = {"blocks.1.mlp.w_in.weight": np.ones((8, 2)), "blocks.1.mlp.w_in.bias": np.arange(8.0)}
    Job(tokens, weights, {"n_layers": 2}).write(tmp_path)
    job = Job.read(tmp_path)
    weight, bias = job.linear("blocks.1.mlp.w_in")
    assert (job.tokens == tokens).all()
    assert job.tokens.dtype == np.int32
    assert (weight.shape, bias.tolist(), job.layer) == ((2, 8), list(range(8)), 1)


def test_a_result_is_read_from_its_line():
    result = make_result([OURS])
    again = Result.from_line(result.as_line())
    assert again.as_line() == result.as_line()
    assert compare(again.top[0]) == (4, 4)


def test_entries_of_one_row_count_once():
    assert compare([(9.0, 4, 2), (8.9, 4, 3), (8.0, 1, 7)]) == (2, 2)


def test_another_row_or_value_does_not_agree():
    assert compare([(9.0, 4, 2), (8.0, 6, 7)]) == (1, 2)
    assert compare([(9.0, 4, 2), (8.1, 1, 7)]) == (1, 2)


def test_a_weaker_row_in_place_of_a_stronger_one_does_not_agree():
    assert compare([(9.0, 4, 2), (6.0, 2, 5)]) == (1, 2)


def test_values_that_rounding_made_equal_may_trade_places():
    ours = make_result([[(9.0, 4, 2), (5.0001, 1, 7), (5.0, 3, 5)]])
    assert agreement(make_result([[(9.0, 4, 2), (5.0, 3, 5)]]), ours) == (2, 2)


def test_rows_with_our_peak_where_they_do_not_look_are_left_out():
    assert compare([(9.0, 4, 2), (7.5, 1, 4), (7.0, 3, 5)], columns=(1, 7)) == (2, 2)

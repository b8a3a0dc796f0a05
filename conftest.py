"""What every test gets: no test may move global random state, and shapes in the lab are checked while it runs."""

import numpy as np
import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

# Annotated shapes in the lab are checked at every call: a wrong axis fails where it happens.
install_import_hook("neurons.lab", "beartype.beartype")

settings.register_profile("blindscope", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("blindscope")


# Tiny networks are slower on many threads than on one, and much slower when tests run side by side.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_test_moves_global_random_state():
    """Code of ours takes a generator; a draw from a global one cannot be reproduced from a stored seed.

    Python's own `random` is left out: the run-time shape checks draw from it.
    """
    numpy, pytorch = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    yield
    assert (np.random.get_state()[1] == numpy).all(), "this test moved NumPy's global state; pass a generator"  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), pytorch), "this test moved torch's global state; pass a generator"

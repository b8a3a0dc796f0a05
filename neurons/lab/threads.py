"""How many threads torch computes with."""

import torch


def use_threads(count: int) -> None:
    """Let torch compute with `count` threads; 0 leaves the choice to torch."""
    if count:
        torch.set_num_threads(count)

"""What a harvest keeps."""

from dataclasses import asdict, dataclass
from typing import Any

from neurons.store.harvest import HarvestError

PRECISIONS = ("float32", "bfloat16")
MOST_RESERVE = 256


@dataclass(frozen=True)
class HarvestConfig:
    """What is kept; everything here can change the bytes of the result."""

    site: str = "post_act"  # where activations are read: before any extra LayerNorm, as in the SoLU paper
    split: str = "harvest"
    max_tokens: int | None = None  # tokens to read (whole documents, chosen by hash); None: the whole split
    top: int = 32  # snippets kept for each neuron
    reserve: int = 64  # candidates from which they are chosen once near-duplicates are passed over
    before: int = 64  # tokens of stored activations before the peak
    after: int = 32  # and after it
    equal_before: int = 8  # candidates with equal tokens from here …
    equal_after: int = 4  # … to here around their peaks are one
    alike_before: int = 24  # near-duplicates are compared on tokens from here …
    alike_after: int = 8  # … to here
    likeness: float = 0.5  # Jaccard index of three-token shingles from which on two snippets are near-duplicates
    sample_one_in: int = 64  # one token in so many is sampled, …
    sample_most: int = 65_536  # … fewer where that would be more than so many
    tile_tokens: int = 4096  # tokens in one forward pass; small enough for the activations to stay in a CPU's cache
    block_tokens: int = 32_768  # tokens in a block, the smallest unit of work
    precision: str = "float32"  # of the forward pass; bfloat16 is for graphics cards, where it makes ties common

    def __post_init__(self) -> None:
        if not 1 <= self.top <= self.reserve <= MOST_RESERVE:
            raise HarvestError(
                f"`top` is {self.top} and `reserve` {self.reserve}; they need 1 ≤ top ≤ reserve ≤ {MOST_RESERVE}."
            )
        for name in ("sample_one_in", "sample_most", "tile_tokens", "block_tokens"):
            if getattr(self, name) < 1:
                raise HarvestError(f"`{name}` is {getattr(self, name)}; give at least 1.")
        if min(self.before, self.after, self.equal_before, self.equal_after, self.alike_before, self.alike_after) < 0:
            raise HarvestError("a window cannot have a negative length; give 0 or more tokens on each side.")
        if self.precision not in PRECISIONS:
            raise HarvestError(f"`precision` is {self.precision!r}; choose one of {', '.join(PRECISIONS)}.")

    @property
    def window(self) -> int:
        """Activations stored around each peak."""
        return self.before + 1 + self.after

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

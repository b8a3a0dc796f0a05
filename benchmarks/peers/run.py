"""Our harvest and other people's, on the same network and tokens: `make bench-harvest PEERS=1`.

Each harvester runs in a process of its own, on one thread, without a network, on its own model object with the same
weights. Times are processor time, so that other programs on the machine disturb them little. A tool whose environment
is not there is left out, with a line that says so. Also alone: python -m benchmarks.peers.run --neurons 128
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from benchmarks.peers.exchange import Job, Result, agreement
from neurons.lab.checkpoint import load_network
from neurons.lab.tokenizer import BOS_ID, load_tokenizer
from neurons.lab.transformer import Transformer

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "neurons" / "shipped"
ENVIRONMENTS = ROOT / ".venv-peers"
OURS = "benchmarks.peers.ours"
PEERS = {"sae-dashboard": "benchmarks.peers.sae_dashboard_peer", "delphi": "benchmarks.peers.delphi_peer"}
# Beyond this the others need hours or more memory than a workstation has.
MOST_NEURONS, MOST_TOKENS = 1024, 500_000
BATCH = 32  # contexts; delphi leaves out what does not fill a batch
NEURONS, TOKENS = 1024, 65_536
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "WANDB_MODE": "disabled"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LONGEST_SECONDS = 3600
SHOWN_LINES = 3  # of what a failed tool said last


class PeerError(RuntimeError):
    """A measurement of one harvester failed."""


def run_peers(network: Transformer | None = None, neurons: int = NEURONS, tokens: int = TOKENS) -> None:
    """Measure everyone and print a table.

    Parameters
    ----------
    network : Transformer, optional
        With activation "gelu"; the shipped one-layer network of width 256 if None.
    neurons : int
        The first so many of the last layer, at most 1,024.
    tokens : int
        Beginnings of sequences included, in whole contexts; at most 500,000.

    Raises
    ------
    ValueError
        If more is asked for than the others can do, or the network has another activation.
    PeerError
        If our own harvest fails.
    """
    network = load_network(SHIPPED / "1l-256" / "gelu") if network is None else network
    neurons = min(neurons, network.config.d_mlp)
    _check(network, neurons, tokens)
    with tempfile.TemporaryDirectory() as folder:
        rows = write_job(Path(folder), network, tokens)
        print(f"\nOther people's harvesters: {neurons:,} neurons, {rows.size:,} tokens, processor time of one thread")
        ours = run_one(sys.executable, OURS, Path(folder), neurons)
        print(HEADINGS)
        print_line(ours)
        for tool, module in PEERS.items():
            try:
                print_line(run_one(environment_of(tool), module, Path(folder), neurons), ours)
            except PeerError as error:
                print(f"  {tool} was left out: {error}", flush=True)
        longer = write_job(Path(folder), network, MOST_TOKENS)
        print_line(run_one(sys.executable, OURS, Path(folder), neurons), title=f"ours, {longer.size:,}")
    print(REMARKS)


def write_job(folder: Path, network: Transformer, tokens: int) -> np.ndarray:
    """Write what everyone reads; returns the rows of tokens."""
    rows = real_tokens(tokens, network.config.context)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    Job(rows, weights, network.config.as_dict()).write(folder)
    return rows


def _check(network: Transformer, neurons: int, tokens: int) -> None:
    if network.config.activation != "gelu":
        raise ValueError(f"the network's activation is {network.config.activation}; other tools are measured on gelu.")
    if not (1 <= neurons <= MOST_NEURONS and BATCH * network.config.context <= tokens <= MOST_TOKENS):
        raise ValueError(
            f"asked for {neurons:,} neurons and {tokens:,} tokens; give at most {MOST_NEURONS:,} neurons and "
            f"{BATCH * network.config.context:,} (a batch) to {MOST_TOKENS:,} tokens."
        )


def real_tokens(tokens: int, context: int) -> np.ndarray:
    """Distinct full contexts of the standard library's modules: int32 (rows, context), whole batches of 32 rows."""
    rows = tokens // context // BATCH * BATCH
    found = islice(_distinct_rows(load_tokenizer(SHIPPED / "tokenizer.json"), context), rows)
    return np.array(list(found), dtype=np.int32)


def _distinct_rows(tokenizer: Tokenizer, context: int) -> Iterator[list[int]]:
    seen: set[tuple[int, ...]] = set()
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        ids = tokenizer.encode(path.read_text(encoding="utf-8")).ids
        for first in range(0, len(ids) - context + 2, context - 1):
            row = tuple(ids[first : first + context - 1])
            if row not in seen:
                seen.add(row)
                yield [BOS_ID, *row]


def environment_of(tool: str) -> str:
    """The Python of a tool's environment."""
    if not (ENVIRONMENTS / tool / ".made").is_file():
        raise PeerError("its environment is not there; `make bench-harvest PEERS=1` makes it where pip can.")
    return str(ENVIRONMENTS / tool / "bin" / "python")


def run_one(python: str, module: str, job: Path, neurons: int) -> Result:
    """Run one harvester in its environment."""
    with tempfile.TemporaryDirectory() as output:
        command = [python, "-m", module, str(job), output, "--neurons", str(neurons)]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | OFFLINE | ONE_THREAD,
                capture_output=True,
                text=True,
                timeout=LONGEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise PeerError(f"it took more than {LONGEST_SECONDS} seconds; ask for fewer neurons or tokens.") from None
    if done.returncode:
        said = "\n    ".join(done.stderr.strip().splitlines()[-SHOWN_LINES:])
        raise PeerError(f"{module} ended with code {done.returncode} and said last:\n    {said}")
    return Result.from_line(done.stdout.splitlines()[-1])


HEADINGS = f"  {'':20}{'forward':>10}{'harvest':>10}{'ratio':>8}{'to files':>10}{'peak':>9}{'files':>9}  same top"
REMARKS = """\
  forward    µs/token of the bare forward pass: on the tool's own model object, in its own batches, without logits
  harvest    µs/token until the result is there, and its ratio to the bare forward pass
  to files   the same ratio with the time for writing what was kept in memory; ours writes while it reads
  peak       MiB of memory, the imported packages included; files: MiB on disk
  ours, …    ours again on so many tokens: the longer the text, the less the filling of the tops weighs
  same top   of each neuron's strongest contexts that the tool lists, those that ours lists too, with the same value"""


def print_line(result: Result, ours: Result | None = None, title: str = "") -> None:
    """One line of the table; with what was found beside what ours found, where that is given."""
    agreed, compared = agreement(result, ours) if ours else (0, 0)
    same = f"{agreed:,} of {compared:,} ({agreed / max(1, compared):.2%})" if ours else ""
    micro, forward = 1e6 / result.tokens, result.seconds_forward
    print(
        f"  {title or result.version:20}{micro * forward:10.1f}{micro * result.seconds_harvest:10.1f}"
        f"{result.seconds_harvest / forward:8.2f}{(result.seconds_harvest + result.seconds_saving) / forward:10.2f}"
        f"{result.peak_bytes / 2**20:9.0f}{result.disk_bytes / 2**20:9.1f}  {same}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, help="network folder (default: the shipped one-layer gelu)")
    parser.add_argument("--neurons", type=int, default=NEURONS, help=f"default and most: {NEURONS:,}")
    parser.add_argument("--tokens", type=int, default=TOKENS, help=f"default {TOKENS:,}, most {MOST_TOKENS:,}")
    options = parser.parse_args()
    try:
        run_peers(load_network(options.network) if options.network else None, options.neurons, options.tokens)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()

"""How fast the pages about neurons are at 100,000 neurons. Run with `make bench-browser`.

Makes artifacts in a temporary folder (benchmarks.browser_artifacts), then asks each kind of page many times through
Django's test client, all middleware included, another neuron each time, and prints wall times, processor times and
sizes. A page passes if 95 of 100 answers took less than 50 ms on the wall clock. On a machine with other work the wall
clock also counts waiting: compare with the processor time beside it.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GOAL = 50.0  # ms, 95th percentile
WARM_UP = 15  # requests of each kind before the clock starts
RUNS = {"bench-a": 1, "bench-b": 2}
Address = Callable[[random.Random], str]


def prepare(folder: Path) -> None:
    """A site of its own: database and artifacts in the folder."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "BLINDSCOPE_SECRET_KEY": "only-for-this-benchmark",
        "BLINDSCOPE_DATA_DIR": str(folder),
        "BLINDSCOPE_ALLOWED_HOSTS": "testserver",
        "BLINDSCOPE_LOG_LEVEL": "ERROR",
    }
    for name in ("DATABASE_URL", "REDIS_URL", "BLINDSCOPE_ARTIFACTS_URL", "BLINDSCOPE_DEBUG"):
        os.environ.pop(name, None)
    import django

    django.setup()


def make_rows(artifacts: Any) -> None:
    """The rows of two public networks with a harvest each, and an admin."""
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command

    from neurons.models import Corpus, HarvestRun, Network, NetworkPair

    call_command("migrate", verbosity=0, interactive=False)
    facts, store = artifacts.corpus.meta, artifacts.store
    corpus = Corpus.objects.create(
        name="bench", url="corpora/bench", fingerprint=facts["fingerprint"], documents=facts["documents"],
        tokenizer_fingerprint=facts["tokenizer_fingerprint"], text_bytes=facts["text_bytes"], tokens=facts["tokens"],
    )  # fmt: skip
    pair = NetworkPair.objects.create(name="bench", size="10L-256", config={})
    for name, run in RUNS.items():
        network = Network.objects.create(
            name=name, pair=pair, activation=name, n_layers=store.n_layers, d_mlp=store.d_mlp, sha256="0" * 64,
            is_public=True,
        )  # fmt: skip
        HarvestRun.objects.create(
            pk=run, network=network, corpus=corpus, site="post_act", config=store.meta["config"], status="done",
            url="harvests/bench", index_url=f"indexes/{name}", tokens_seen=corpus.tokens,
        )  # fmt: skip
    User.objects.create_user("admin").groups.add(Group.objects.get_or_create(name="admin")[0])


def pages(artifacts: Any) -> dict[str, Address]:
    """An address of each kind of page, of another neuron at each call."""
    store, network = artifacts.store, "/neurons/networks/bench-a/"

    def neuron(draw: random.Random) -> str:
        layer, index = draw.choice(artifacts.asked)
        return f"{network}{layer}/{index}/"

    def text(draw: random.Random) -> str:
        layer, index = draw.choice(artifacts.asked)
        return f"{network}{layer}/{index}/text/{draw.choice(store.top_snippets(layer, index, 20, 0, 0)).doc}/"

    def beside(draw: random.Random) -> str:
        layer, index = draw.choice(artifacts.asked)
        return (
            f"{network}{layer}/{index}/beside/bench-b/{draw.randrange(store.n_layers)}/{draw.randrange(store.d_mlp)}/"
        )

    def words(draw: random.Random) -> str:
        snippet = store.top_snippets(*draw.choice(artifacts.asked), 1, 6, 6)[0]
        found = [word for word in "".join(piece for piece, _ in snippet.pieces).split() if word.isalpha()]
        return draw.choice(found or ["return"])

    def layer(draw: random.Random) -> str:
        sort = draw.choice(["index", "-strongest", "density", "-cosine"])
        return f"{network}{draw.randrange(store.n_layers)}/?sort={sort}&page={draw.randrange(1, 200)}"

    return {
        "index": lambda draw: "/neurons/",
        "network": lambda draw: network,
        "layer, sorted": layer,
        "neuron": neuron,
        "neuron, long context": lambda draw: neuron(draw) + "?context=long",
        "full text": text,
        "side by side": beside,
        "search, a word": lambda draw: f"/neurons/search/?q={words(draw)}",
        "search, the commonest word": lambda draw: "/neurons/search/?q=the",
        "search, one network": lambda draw: f"/neurons/search/?q={words(draw)}&network=bench-a",
        "search, a token": lambda draw: f"/neurons/search/?by=token&q={words(draw)}",
    }


def measure(client: Any, address: Address, requests: int) -> tuple[list[float], list[float], int]:
    """Wall and processor milliseconds of each request, ascending, and the largest answer in bytes."""
    draw, wall, processor, largest = random.Random(7), [], [], 0
    for number in range(WARM_UP + requests):
        asked = address(draw)
        begun, used = time.perf_counter(), time.process_time()
        answer = client.get(asked)
        if answer.status_code != 200:
            sys.exit(f"{asked} answered {answer.status_code}")
        if number >= WARM_UP:
            wall.append(1000 * (time.perf_counter() - begun))
            processor.append(1000 * (time.process_time() - used))
            largest = max(largest, len(answer.content))
    return sorted(wall), sorted(processor), largest


def report(artifacts: Any, requests: int) -> bool:
    """Print a line for each kind of page; whether all passed."""
    from django.contrib.auth.models import User
    from django.test import Client

    staff, visitor = Client(), Client()
    staff.force_login(User.objects.get())
    found = pages(artifacts)
    asked = [(name, staff, address) for name, address in found.items()]
    asked.append(("neuron, by a visitor", visitor, found["neuron"]))
    print(f"\n{'ms':28}{'p50':>8}{'p95':>8}{'max':>8}{'p95 of processor':>19}{'kB':>7}")
    passed = []
    for name, client, address in asked:
        wall, processor, largest = measure(client, address, requests)
        half, most = len(wall) // 2, int(0.95 * (len(wall) - 1))
        passed.append(wall[most] < GOAL)
        print(
            f"{name:28}{wall[half]:8.1f}{wall[most]:8.1f}{wall[-1]:8.1f}{processor[most]:19.1f}{largest / 1000:7.0f}"
            f"  {'pass' if passed[-1] else 'FAIL'}",
            flush=True,
        )
    return all(passed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="of each kind (default 200)")
    parser.add_argument("--keep", type=Path, help="make the artifacts in this folder and leave them there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blindscope-bench-") as temporary:
        folder = options.keep or Path(temporary)
        prepare(folder)
        from django.conf import settings

        from benchmarks.browser_artifacts import make_artifacts

        begun = time.perf_counter()

        def say(what: str) -> None:
            print(f"{time.perf_counter() - begun:5.0f} s  {what}", flush=True)

        tokenizer = settings.SHIPPED_NETWORKS_DIR / "tokenizer.json"
        artifacts = make_artifacts(Path(settings.ARTIFACTS_URL), tokenizer, RUNS, say)
        make_rows(artifacts)
        neurons = artifacts.store.n_layers * artifacts.store.d_mlp
        say(f"{neurons:,} neurons in each of {len(RUNS)} networks, load average {os.getloadavg()[0]:.1f}")
        passed = report(artifacts, options.requests)
    print(f"\n{'pass' if passed else 'FAIL'}: 95 of 100 answers in less than {GOAL:.0f} ms")
    sys.exit(not passed)


if __name__ == "__main__":
    main()

"""How long readers wait for the inference service. Run with `make bench-inference`.

A service of its own is started on a shipped network, in a throw-away data folder: the time until its first answer
(process, torch, network), then requests one after the other, each over a connection of its own as pages send them.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

TEXT = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software. "
NETWORK = "1l-256/solu_ln"


def prepare(folder: Path) -> None:
    """Settings of a fresh installation that has the shipped tokenizer as its corpus."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "BLINDSCOPE_SECRET_KEY": "only-for-this-benchmark",
        "BLINDSCOPE_DATA_DIR": str(folder),
        "BLINDSCOPE_ARTIFACTS_URL": str(folder / "artifacts"),
    }
    import django

    django.setup()
    from django.conf import settings

    corpus = folder / "artifacts/corpora/shipped"
    corpus.mkdir(parents=True)
    shutil.copy(Path(settings.SHIPPED_NETWORKS_DIR) / "tokenizer.json", corpus / "tokenizer.json")


def milliseconds(work: Callable[[], object], repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return sorted(taken)


def told(name: str, taken: list[float]) -> str:
    p95 = taken[min(len(taken) - 1, int(0.95 * len(taken)))]
    return f"{name:58s} {taken[0]:8.1f} {statistics.median(taken):8.1f} {p95:8.1f}"


def measure(repeats: int) -> None:
    from neurons.inference import read_text, stop_service, text_maxima
    from neurons.models import Corpus, Network

    network = Network(name="1l-256-solu-ln", url=f"shipped:{NETWORK}", sha256="shipped")
    corpus = Corpus(name="shipped", url="corpora/shipped", tokenizer_fingerprint="shipped")
    neuron = [(0, 7)]

    def read(times: int) -> None:
        read_text(network, corpus, TEXT * times, neuron, site="post_act")

    print(f"start to first answer {milliseconds(lambda: read(1), 1)[0] / 1000:27.1f} s")
    drops = [f"{TEXT}{number}" for number in range(64)]
    lines = [f"{TEXT}{number}" for number in range(40)]
    print(f"{'milliseconds for a request':58s} {'fastest':>8s} {'median':>8s} {'p95':>8s}")
    print(told("a text of about 25 tokens, one neuron", milliseconds(lambda: read(1), repeats)))
    print(told("a text of 255 tokens, one neuron", milliseconds(lambda: read(20), repeats)))
    few = max(3, repeats // 5)
    maxima = partial(text_maxima, network, corpus, site="post_act")
    print(told("64 variants of a text, one neuron", milliseconds(lambda: maxima(drops, neurons=neuron), few)))
    print(told("40 texts, all 1,024 neurons", milliseconds(lambda: maxima(lines), few)))
    stop_service()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
        prepare(Path(folder))
        measure(options.repeats)


if __name__ == "__main__":
    main()

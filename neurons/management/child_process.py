"""What a local worker process of `harvest_run --processes` does; imports nothing of Django's models before set-up."""

import signal
from contextlib import suppress

import django


def work_in_child(run_ids: list[int], threads: int, device: str | None) -> None:
    """Be one worker of some harvests. Ctrl-C reaches the parent only, which cancels what this process then leaves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    django.setup()
    from neurons.pipeline import REFUSALS, harvest_work

    with suppress(*REFUSALS):  # noted on the harvest's row, from where the parent tells it
        harvest_work(run_ids, threads=threads, device=device)

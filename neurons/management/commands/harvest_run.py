"""Harvest networks on a corpus in this terminal; a harvest that was interrupted goes on where it stood."""

import os
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.models import HarvestRun, RunStatus
from neurons.selectors import DEFAULT_SITE, NotFound, corpus_by_name, network_by_name
from neurons.services import SITES, NeuronsRefused, harvest_create

POLL_SECONDS = 0.5  # between two looks at the progress of other processes


def harvest_in_child(run_id: int, threads: int, device: str) -> None:
    """One harvest in a process of its own."""
    from neurons import pipeline

    pipeline.harvest_execute(run_id, device=device, threads=threads)


class Command(BaseCommand):
    help = "Harvest networks on a corpus, with a progress bar. Interrupt it with Ctrl-C; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("networks", metavar="NETWORK", nargs="+", help="names of networks")
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--site", default=DEFAULT_SITE, choices=SITES, help="before or after an extra LayerNorm")
        parser.add_argument("--max-tokens", type=int, help="read so many tokens of the split (default: all of them)")
        parser.add_argument(
            "--processes", type=int, default=1, help="networks harvested side by side, the cores shared among them"
        )
        parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")

    def handle(self, *args: Any, **options: Any) -> None:
        config = {} if options["max_tokens"] is None else {"max_tokens": options["max_tokens"]}
        try:
            corpus = corpus_by_name(options["corpus"])
            networks = [network_by_name(name) for name in options["networks"]]
            runs = [
                harvest_create(network=network, corpus=corpus, site=options["site"], config=config)
                for network in networks
            ]
        except (NotFound, NeuronsRefused) as error:
            raise CommandError(str(error)) from None
        if options["processes"] > 1:
            self._harvest_side_by_side(runs, options["processes"], options["device"])
        for run in runs:
            self._harvest(run, options["device"])

    def _harvest_side_by_side(self, runs: list[HarvestRun], processes: int, device: str) -> None:
        """A network a process: on a machine with other work, one thread each loses less than many that wait for each
        other. A harvest that failed here is tried again, and its error told, by the loop that follows."""
        threads = max(1, (os.cpu_count() or 1) // processes)
        pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=django.setup)
        try:
            with pool, tqdm(total=100, unit="%", desc=f"harvest {len(runs)} networks") as bar:
                waiting: set[Future[None]] = {pool.submit(harvest_in_child, run.pk, threads, device) for run in runs}
                while waiting:
                    waiting = wait(waiting, timeout=POLL_SECONDS).not_done
                    bar.update(int(100 * sum(self._progress(run) for run in runs) / len(runs)) - bar.n)
        except KeyboardInterrupt:
            raise CommandError("interrupted; run the same command again to go on.", returncode=130) from None

    @staticmethod
    def _progress(run: HarvestRun) -> float:
        run.refresh_from_db()
        return run.progress

    def _harvest(self, run: HarvestRun, device: str) -> None:
        if run.status != RunStatus.DONE:
            run = self._harvest_here(run, device)
        if run.status != RunStatus.DONE:
            raise CommandError(f"{run.network}: {run.message}")
        self.stdout.write(f"{run.network}: {run.tokens_seen:,} tokens read, {run.dead_neurons:,} dead neurons")

    def _harvest_here(self, run: HarvestRun, device: str) -> HarvestRun:
        from neurons import pipeline

        with tqdm(unit=" tokens", desc=f"harvest {run.network.name}", unit_scale=True) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                return pipeline.harvest_execute(run.pk, show, device=device)
            except pipeline.REFUSALS as error:
                raise CommandError(str(error)) from None
            except KeyboardInterrupt:
                raise CommandError("interrupted; run the same command again to go on.", returncode=130) from None

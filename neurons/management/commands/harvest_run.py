"""Harvest networks on a corpus: in this terminal, in several processes, or by the workers of the queue."""

import os
import time
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.management.child_process import work_in_child
from neurons.management.indexing import make_indexes
from neurons.models import HarvestRun, RunStatus
from neurons.selectors import (
    DEFAULT_SITE,
    NotFound,
    corpus_by_name,
    harvest_goes_on,
    harvests_without_worker,
    network_by_name,
)
from neurons.services import SITES, NeuronsRefused, harvest_create, harvest_interrupt
from neurons.store.basis import NEURONS
from neurons.tasks import harvest_send

POLL_SECONDS = 0.5  # between two looks at the progress of other processes
INTERRUPTED = "interrupted; run the same command again to go on."


class Command(BaseCommand):
    help = "Harvest networks on a corpus, with a progress bar. Interrupt it with Ctrl-C; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("networks", metavar="NETWORK", nargs="+", help="names of networks")
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--site", default=DEFAULT_SITE, choices=SITES, help="before or after an extra LayerNorm")
        parser.add_argument(
            "--basis",
            default=NEURONS,
            help="neurons, or random:COUNT:SEED for random directions in the space of their activations",
        )
        parser.add_argument("--max-tokens", type=int, help="read so many tokens of the split (default: all of them)")
        parser.add_argument(
            "--set",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="what is kept, such as reserve=32 or precision=bfloat16 (docs/operations.md); can be given again",
        )
        parser.add_argument(
            "--processes", type=int, default=1, help="workers side by side; with --queue: for each network"
        )
        parser.add_argument("--shards", type=int, default=0, help="parts of each harvest (default: suits the workers)")
        parser.add_argument(
            "--queue", action="store_true", help="let the Celery workers do it and watch; Ctrl-C stops watching only"
        )
        parser.add_argument("--device", help="cpu or cuda (default: BLINDSCOPE_DEVICE)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["processes"] < 1 or options["shards"] < 0:
            raise CommandError("give at least 1 process, and a number of shards that is not negative.")
        runs = self._create(options)
        if options["queue"]:
            self._queue(runs, options["processes"])
        elif options["processes"] > 1:
            self._side_by_side(runs, options["processes"], options["device"])
        for run in runs:
            self._finish(run, options)
        if not options["queue"]:  # otherwise a worker does it
            make_indexes(runs, options["device"])

    def _create(self, options: dict[str, Any]) -> list[HarvestRun]:
        config = self._config(options)
        names, processes = options["networks"], options["processes"]
        workers = processes if options["queue"] else -(-processes // len(names))
        try:
            corpus, networks = corpus_by_name(options["corpus"]), [network_by_name(name) for name in names]
            return [
                harvest_create(
                    network=network,
                    corpus=corpus,
                    site=options["site"],
                    basis=options["basis"],
                    config=config,
                    workers=workers,
                    shards=options["shards"],
                )
                for network in networks
            ]
        except (NotFound, NeuronsRefused) as error:
            raise CommandError(str(error)) from None

    @staticmethod
    def _config(options: dict[str, Any]) -> dict[str, Any]:
        config = {} if options["max_tokens"] is None else {"max_tokens": options["max_tokens"]}
        for said in options["set"]:
            name, _, value = said.partition("=")
            config[name] = _number_or_word(value)
        if config:
            from neurons import pipeline

            try:
                pipeline.config_check(config)
            except pipeline.REFUSALS as error:
                raise CommandError(str(error)) from None
        return config

    # -- by others -----------------------------------------------------------------------------------------------------
    def _queue(self, runs: list[HarvestRun], workers: int) -> None:
        """Send what waits for workers; what is worked at already is only watched."""
        alone = harvests_without_worker()
        for run in runs:
            if run.status == RunStatus.WAITING or run in alone:
                harvest_send(run, workers)
        try:
            self._watch(runs, lambda: any(harvest_goes_on(run.pk) for run in runs))
        except KeyboardInterrupt:
            self.stdout.write("\nNo longer watching; the workers go on. The same command watches again.")
            raise CommandError("to stop the harvest, cancel it on its page.", returncode=130) from None

    def _side_by_side(self, runs: list[HarvestRun], processes: int, device: str | None) -> None:
        """Each process begins with another network; on a machine with other work, one thread each loses less than
        many that wait for each other. What a process that died leaves behind is done by `_finish`."""
        threads = max(1, (os.cpu_count() or 1) // processes)
        ids = [run.pk for run in runs]
        starts = [number % len(ids) for number in range(processes)]
        spawn = get_context("spawn").Process
        children = [spawn(target=work_in_child, args=(ids[at:] + ids[:at], threads, device)) for at in starts]
        for child in children:
            child.start()
        try:
            self._watch(runs, lambda: any(child.is_alive() for child in children))
        except KeyboardInterrupt:
            for run in runs:
                harvest_interrupt(run=run)
            for child in children:
                child.join()
            raise CommandError(INTERRUPTED, returncode=130) from None

    @staticmethod
    def _watch(runs: list[HarvestRun], going: Callable[[], bool]) -> None:
        title = f"harvest {runs[0].network.name}" if len(runs) == 1 else f"harvest {len(runs)} networks"
        with tqdm(total=100, unit="%", desc=title) as bar:
            on = True
            while on:
                on = going()
                for run in runs:
                    run.refresh_from_db()
                bar.set_postfix_str(runs[0].message[:60] if len(runs) == 1 else "", refresh=False)
                bar.update(int(100 * sum(run.progress for run in runs) / len(runs)) - bar.n)
                if on:
                    time.sleep(POLL_SECONDS)

    # -- here ----------------------------------------------------------------------------------------------------------
    def _finish(self, run: HarvestRun, options: dict[str, Any]) -> None:
        run.refresh_from_db()
        if run.status in (RunStatus.WAITING, RunStatus.RUNNING):
            run = self._harvest_here(run, options["device"])
        if run.status != RunStatus.DONE:
            raise CommandError(f"{run.network}: {run.message}")
        self.stdout.write(f"{run.network}: {run.tokens_seen:,} tokens read, {run.dead_neurons:,} dead neurons")
        if run.not_finite:
            self.stdout.write(f"{run.network}: {run.not_finite:,} activations were NaN or infinite and were left out")

    @staticmethod
    def _harvest_here(run: HarvestRun, device: str | None) -> HarvestRun:
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
                raise CommandError(INTERRUPTED, returncode=130) from None


def _number_or_word(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

"""What the commands after which neurons can be browsed share: their indexes, with a progress bar."""

from collections.abc import Iterable

from django.core.management.base import CommandError
from tqdm import tqdm

from neurons.models import HarvestRun


def make_indexes(runs: Iterable[HarvestRun], device: str | None = None) -> None:
    """Make the indexes of finished harvests and of their twins; what is up to date is left alone."""
    from neurons import pipeline

    with tqdm(desc="index of neurons", unit=" parts", bar_format="{desc}: {n_fmt} parts{postfix}") as bar:

        def show(part: str, done: int, total: int) -> None:
            bar.set_postfix_str(f"{part} {done} of {total}", refresh=False)
            bar.update(done == total)

        try:
            for run in runs:
                pipeline.indexes_make(run.pk, show, device=device)
        except pipeline.REFUSALS as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("interrupted; neurons_index goes on with the index.", returncode=130) from None

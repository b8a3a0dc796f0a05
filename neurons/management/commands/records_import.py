"""Import neurons or SAE latents that somebody else harvested, so that a study can be run on them without a model."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.management.indexing import make_indexes
from neurons.models import HarvestRun
from neurons.store.records.build import AUTO, FORMATS, Wanted
from neurons.store.records.tokens import SPELLINGS


class Command(BaseCommand):
    help = (
        "Import activation records: Neuronpedia's activations and features (.jsonl, .jsonl.gz), or OpenAI's "
        "NeuronRecords (.json, .jsonl). See docs/formats.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="files and folders of one network")
        parser.add_argument("--format", default=AUTO, choices=FORMATS, help="default: what the first record looks like")
        parser.add_argument("--pair", required=True, help="name of the pair (size) that the network belongs to")
        parser.add_argument("--size", help="label of the size in tables (default: the pair's name)")
        parser.add_argument("--arm", required=True, help="what tells this network from the others of the pair: gelu")
        parser.add_argument("--name", help="name of the network (default: <pair>-<arm>)")
        parser.add_argument("--corpus", help="name of the corpus of the records' texts (default: <pair>-records)")
        parser.add_argument(
            "--texts-of",
            metavar="PATH",
            nargs="+",
            type=Path,
            default=[],
            help="records of the networks that will be imported into this corpus later: it gets their texts now, "
            "because it does not grow",
        )
        parser.add_argument("--layer", default="", help="read this layer only: its number, or its name as in 6-res-jb")
        parser.add_argument("--tokens", default="", choices=SPELLINGS, help="how tokens are spelt (default: judged)")
        parser.add_argument("--skip-bad", action="store_true", help="leave bad records out and count them")

    def handle(self, *args: Any, **options: Any) -> None:
        pair, arm = options["pair"], options["arm"]
        wanted = Wanted(
            paths=options["paths"],
            texts_of=options["texts_of"],
            format=options["format"],
            layer=options["layer"],
            spelling=options["tokens"],
            skip_bad=options["skip_bad"],
        )
        names = {
            "pair": pair,
            "size": options["size"] or pair,
            "arm": arm,
            "name": options["name"] or f"{pair}-{arm}".replace("_", "-"),
            "corpus": options["corpus"] or f"{pair}-records",
        }
        run = self._import(wanted, names)
        self._report(run)
        make_indexes([run])

    def _import(self, wanted: Wanted, names: dict[str, str]) -> HarvestRun:
        from neurons import pipeline

        with tqdm(unit="B", unit_scale=True, desc=f"records of {names['name']}") as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                return pipeline.records_import(wanted, **names, progress=show)
            except pipeline.REFUSALS as error:
                raise CommandError(str(error)) from None
            except KeyboardInterrupt:
                raise CommandError("interrupted; nothing is left behind, start again.", returncode=130) from None

    def _report(self, run: HarvestRun) -> None:
        from neurons.selectors import harvest_store

        meta = harvest_store(run).meta
        told = meta["records"]
        self.stdout.write(
            f"{run.network}: {run.message}, {run.dead_neurons:,} of them dead, over {run.corpus.documents:,} texts of "
            f"{run.corpus}; tokens spelt as {told['spelling']}"
        )
        for count, what in (
            (told["other_layers"], "records were of other layers"),
            (told["repeated"], "excerpts repeat a text of their neuron and are not shown twice"),
            (told["ungrouped"], "neurons had no group of strongest excerpts: their strongest of any group are shown"),
            (told["cut"], "snippets are longer than can be shown"),
            (told["repaired_bytes"], "bytes of tokens were no UTF-8 and became U+FFFD"),
            (sum(told["read"]["skipped"].values()), "bad records were skipped"),
        ):
            if count:
                self.stdout.write(f"{count:,} {what}")
        for example in told["read"]["examples"]:
            self.stdout.write(f"  {example}")

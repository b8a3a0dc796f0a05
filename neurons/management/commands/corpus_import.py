"""Import texts as a corpus: files and folders, or the text that every installation has."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.models import Corpus


class Command(BaseCommand):
    help = (
        "Import a corpus: texts from .txt, .md, .jsonl, .csv (also .gz) and .parquet files, streamed, deduplicated, "
        "cut, tokenized and split. What was repaired or skipped is reported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name of the new corpus")
        parser.add_argument("paths", metavar="PATH", nargs="*", type=Path, help="files and folders to read")
        parser.add_argument("--embedded", action="store_true", help="the text of Python and its installed packages")
        parser.add_argument("--text-field", default="text", help="key or column that holds the text (default: text)")
        parser.add_argument("--description", default="", help="a sentence for the corpus page")
        parser.add_argument(
            "--tokenizer",
            type=Path,
            default=Path(settings.SHIPPED_NETWORKS_DIR) / "tokenizer.json",
            help="any Hugging Face tokenizer.json; a network can only read a corpus of its own tokenizer (default: the "
            "shipped one)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["embedded"] == bool(options["paths"]):
            raise CommandError("give either paths to read or --embedded.")
        if Corpus.objects.filter(name=options["name"]).exists():
            raise CommandError(f"a corpus {options['name']!r} exists already; choose another name.")
        with tqdm(unit=" documents", desc=f"corpus {options['name']}", unit_scale=True) as bar:
            corpus = self._import(options, lambda documents, _: bar.update(documents - bar.n))
        self._report(corpus)

    def _import(self, options: dict[str, Any], progress: Any) -> Corpus:
        from neurons import pipeline

        shared = {key: options[key] for key in ("name", "tokenizer", "description")} | {"progress": progress}
        try:
            if options["embedded"]:
                return pipeline.corpus_import_embedded(**shared)
            return pipeline.corpus_import(**shared, paths=options["paths"], text_field=options["text_field"])
        except pipeline.REFUSALS as error:
            raise CommandError(str(error)) from None

    def _report(self, corpus: Corpus) -> None:
        report = corpus.import_report
        self.stdout.write(
            f"{corpus.name}: {corpus.documents:,} documents, {corpus.tokens:,} tokens; of {report['read']:,} "
            f"pieces read {report['duplicates']:,} were duplicates and {report['too_short']:,} too short."
        )
        if report.get("without_tokens"):  # a corpus of an earlier version does not say
            self.stdout.write(
                f"{report['without_tokens']:,} documents were left out: the tokenizer makes nothing of them."
            )
        reader = report["reader"]
        if reader.get("repaired_bytes"):
            self.stdout.write(f"{reader['repaired_bytes']:,} bytes were no UTF-8 and were replaced.")
        for reason, count in reader.get("skipped", {}).items():
            self.stdout.write(f"skipped {count:,}: {reason}")
        for example in reader.get("examples", []):
            self.stdout.write(f"  {example}")

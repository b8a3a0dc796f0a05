"""Texts in, corpora out."""

from collections.abc import Iterable
from pathlib import Path

from neurons import artifacts, services
from neurons.lab.corpus import ImportReport, build_corpus
from neurons.lab.embedded import embedded_documents
from neurons.lab.readers import ReadReport, read_texts
from neurons.lab.tokenizer import open_tokenizer
from neurons.models import Corpus
from neurons.pipeline.runs import Count
from neurons.store.corpus import CorpusStore

MARKER = "corpus.json"


def corpus_import(
    *, name: str, paths: list[Path], text_field: str, tokenizer: Path, description: str, progress: Count | None = None
) -> Corpus:
    """Import the texts of files and folders as a corpus."""
    read, report = ReadReport(), ImportReport()

    def texts() -> Iterable[str]:
        for _, text in read_texts(paths, read, text_field=text_field):
            yield text
        report.reader = read.as_dict()

    return _build(name, texts(), report, tokenizer, description, progress)


def corpus_import_embedded(*, name: str, tokenizer: Path, description: str, progress: Count | None = None) -> Corpus:
    """Import the text that every installation has."""
    report = ImportReport()
    return _build(name, embedded_documents(report), report, tokenizer, description, progress)


def _build(
    name: str, texts: Iterable[str], report: ImportReport, tokenizer: Path, description: str, progress: Count | None
) -> Corpus:
    address = artifacts.corpus_address(name)
    with artifacts.exclusive(address) as folder:
        # An artifact without a row is left by a crash between the two; it is complete, so it is taken as it is.
        if not artifacts.artifact_exists(address, MARKER):
            if not (folder / MARKER).is_file():
                build_corpus(folder, texts, open_tokenizer(tokenizer), name=name, report=report, progress=progress)
            artifacts.publish(address)
        store = CorpusStore.open(artifacts.artifact_folder(address))
        return services.corpus_register(name=name, url=address, facts=store.meta, description=description)

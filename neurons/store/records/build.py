"""From files of records to a corpus folder and a harvest folder."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from neurons.store.corpus import CorpusStore
from neurons.store.harvest import FORMAT as HARVEST_FORMAT
from neurons.store.harvest import META, corpus_identity
from neurons.store.records import neuronpedia, openai
from neurons.store.records.files import Progress, ReadReport, guarded, read_objects, record_files
from neurons.store.records.ranked import LayerFacts, longest_windows, write_layers
from neurons.store.records.record import AS_RECORDED, BadRecord, NeuronRecord, RecordsError
from neurons.store.records.spool import RecordSpool
from neurons.store.records.store import RECORDS, RecordStore
from neurons.store.records.texts import KnownTexts, TextWriter, fresh
from neurons.store.records.tokens import SPELLINGS, spelling_of

AUTO, NEURONPEDIA, OPENAI = "auto", "neuronpedia", "openai"
FORMATS = (AUTO, NEURONPEDIA, OPENAI)
JUDGED = 200  # records by whose tokens the spelling is judged


@dataclass
class ImportReport:
    """What became of the records.

    Attributes
    ----------
    format, spelling, model, source_set : str
    read, texts_of : dict
        What was read of the records, and of others' records for their texts (see ReadReport).
    other_layers : int
        Records of layers that were not asked for.
    excerpts : int
        Texts with activations, duplicates included.
    repaired_bytes : int
        Bytes of tokens that were no UTF-8 when joined and became U+FFFD.
    repeated : int
        Excerpts of a text that its neuron has a stronger excerpt of; kept in the records, not among the snippets.
    ungrouped : int
        Neurons without a group of strongest excerpts; their strongest ones of any group are taken.
    cut : int
        Snippets of which activations far from the peak were not kept for showing.
    """

    format: str = ""
    spelling: str = ""
    model: str = ""
    source_set: str = ""
    read: dict[str, Any] = field(default_factory=dict)
    texts_of: dict[str, Any] = field(default_factory=dict)
    other_layers: int = 0
    excerpts: int = 0
    repaired_bytes: int = 0
    repeated: int = 0
    ungrouped: int = 0
    cut: int = 0

    def as_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class Wanted:
    """What is asked of an import.

    Attributes
    ----------
    paths, texts_of : list of Path
        Records; and records of which only the texts go into the corpus, so that theirs can be imported into it later.
    format : {"auto", "neuronpedia", "openai"}
    layer : str
        Number of the only layer to read, or its full name ("6-res-jb"); empty: all.
    spelling : str
        How tokens are spelt (neurons.store.records.tokens); empty: judged by the records.
    skip_bad : bool
    """

    paths: list[Path]
    texts_of: list[Path] = field(default_factory=list)
    format: str = AUTO
    layer: str = ""
    spelling: str = ""
    skip_bad: bool = False


class RecordImport:
    """An import: first the texts, then the neurons. Nothing gets its final name before it is complete."""

    def __init__(self, wanted: Wanted, progress: Progress | None = None) -> None:
        self.wanted, self.progress = wanted, progress
        self.files, self.others = record_files(wanted.paths), record_files(wanted.texts_of)
        self.report = ImportReport(format=wanted.format)
        self._read = ReadReport(wanted.skip_bad)
        self._texts_of = ReadReport(wanted.skip_bad)
        self._judge()

    def _judge(self) -> None:
        """Find out the format and the spelling from the first records."""
        head = ReadReport(skip_bad=True)
        first = list(islice(read_objects([*self.files, *self.others], head), 2 * JUDGED))
        if self.report.format == AUTO:
            if not first:
                raise RecordsError(f"{self.files[0]} and what follows hold no JSON object; give files of records.")
            self.report.format = OPENAI if openai.is_record(first[0][1]) else NEURONPEDIA
        self.report.spelling = self.wanted.spelling
        if self.report.spelling not in SPELLINGS:
            self.report.spelling = spelling_of(islice(self._tokens_of(first), JUDGED))

    def _tokens_of(self, objects: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, ...]]:
        for place, item in objects:
            record = guarded(place, ReadReport(skip_bad=True), self._parse_any, item)
            for excerpt in record.excerpts if record else ():
                yield excerpt.tokens

    def _parse(self, item: dict[str, Any]) -> NeuronRecord:
        return openai.read_record(item) if self.report.format == OPENAI else neuronpedia.read_line(item)

    @staticmethod
    def _parse_any(item: dict[str, Any]) -> NeuronRecord:
        """A record of either format: the arms that share a corpus may come from different tools."""
        return openai.read_record(item) if openai.is_record(item) else neuronpedia.read_line(item)

    def into_new_corpus(self, corpus: Path, harvest: Path, *, name: str, facts: dict[str, Any]) -> None:
        """Make both folders; `facts` goes into the harvest's meta.json."""
        unfinished = fresh(corpus)
        with TextWriter(unfinished, self.report.spelling) as texts:
            spooled = self._spool(harvest, texts)
            for place, item in read_objects(self.others, self._texts_of, self.progress):
                record = guarded(place, self._texts_of, self._parse_any, item)
                for excerpt in record.excerpts if record else ():
                    guarded(place, self._texts_of, texts.document, excerpt.tokens)
            self.report.repaired_bytes = texts.repaired
            self.report.texts_of = self._texts_of.as_dict()
            texts.finish({"name": name, "report": {"records": self.report.as_dict()}})
        _take_name(unfinished, corpus)
        self._finish(spooled, CorpusStore.open(corpus), harvest, facts)

    def into_known_corpus(self, corpus: CorpusStore, harvest: Path, *, facts: dict[str, Any]) -> None:
        """Make the harvest folder; every text must be in the corpus.

        Raises
        ------
        RecordsError
            If one is not, or if the corpus has its tokens spelt otherwise.
        """
        texts = KnownTexts(corpus)
        if self.wanted.spelling not in ("", texts.spelling):
            raise RecordsError(
                f"the corpus {corpus.meta['name']!r} has its tokens spelt as {texts.spelling!r}, asked for was "
                f"{self.wanted.spelling!r}; leave the spelling out or import into a new corpus."
            )
        self.report.spelling = texts.spelling
        self._finish(self._spool(harvest, texts), corpus, harvest, facts)

    def _spool(self, harvest: Path, texts: TextWriter | KnownTexts) -> RecordSpool:
        unfinished = fresh(harvest)
        unfinished.mkdir(parents=True)
        with RecordSpool(unfinished / RECORDS) as spool:
            for place, item in read_objects(self.files, self._read, self.progress):
                guarded(place, self._read, self._add, item, spool, texts)
            self.report.read = self._read.as_dict()
            self.report.excerpts = spool.rows
            if not spool.rows:
                raise RecordsError(
                    f"no text with activations was found in {self._read.records} records of {self._read.files} files "
                    f"({self.report.other_layers} of other layers, {sum(self._read.skipped.values())} bad ones "
                    "skipped); give records of neurons that fire."
                )
            spool.finish()
        return spool

    def _add(self, item: dict[str, Any], spool: RecordSpool, texts: TextWriter | KnownTexts) -> None:
        record = self._parse(item)
        if not self._is_wanted(item, record):
            self.report.other_layers += 1
            return
        self._same_set(item)
        # All texts first: a record with a bad one is left out as a whole.
        documents = [texts.document(excerpt.tokens) for excerpt in record.excerpts]
        if record.facts:
            spool.add_facts(record.layer, record.neuron, record.facts)
        for excerpt, document in zip(record.excerpts, documents, strict=True):
            spool.add(record.layer, record.neuron, excerpt, document)

    def _is_wanted(self, item: dict[str, Any], record: NeuronRecord) -> bool:
        return self.wanted.layer in ("", str(record.layer), str(item.get("layer")))

    def _same_set(self, item: dict[str, Any]) -> None:
        """Records of one import are about one set of neurons, because a number names one neuron."""
        found = ("", "") if self.report.format == OPENAI else neuronpedia.names_of(item)
        if (self.report.model, self.report.source_set) == ("", ""):
            self.report.model, self.report.source_set = found
        if found != (self.report.model, self.report.source_set):
            raise BadRecord(
                f"set {found[1]!r} of {found[0]!r} follows set {self.report.source_set!r} of {self.report.model!r}; "
                "expected one set of neurons (choose its folder, or a layer by its full name)"
            )

    def _finish(self, spool: RecordSpool, corpus: CorpusStore, harvest: Path, facts: dict[str, Any]) -> None:
        unfinished = spool.folder.parent
        records = RecordStore(spool.folder, corpus, spool.layers, spool.neurons)
        before, after = longest_windows(records)
        layers: list[LayerFacts] = write_layers(unfinished, records, before, after)
        self.report.repeated = sum(layer.repeated for layer in layers)
        self.report.ungrouped = sum(layer.ungrouped for layer in layers)
        self.report.cut = sum(layer.cut for layer in layers)
        meta = facts | corpus_identity(corpus) | {
            "format": HARVEST_FORMAT,
            "config": {"before": before, "after": after, "site": AS_RECORDED},
            "site": AS_RECORDED,
            "n_layers": spool.layers,
            "d_mlp": spool.neurons,
            # One context holds the longest document: what a record shows was read in one piece.
            "context": records.longest_document + 1,
            "dead": [layer.dead for layer in layers],
            "known": [layer.known for layer in layers],
            "tokens": 0,
            "sampled": 0,
            "not_finite": 0,
            "records": self.report.as_dict(),
            "records_sha256": _sha256(spool.folder),
        }  # fmt: skip
        marker = unfinished / (META + ".tmp")
        marker.write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
        _synced(unfinished)
        marker.rename(unfinished / META)
        _take_name(unfinished, harvest)


def _sha256(folder: Path) -> str:
    """Over all files of the records: what a study's protocol names where a network has the hash of its weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as handle:
            digest.update(path.name.encode() + hashlib.file_digest(handle, "sha256").digest())
    return digest.hexdigest()


def _synced(folder: Path) -> None:
    for path in filter(Path.is_file, folder.rglob("*")):
        with path.open("rb") as handle:
            os.fsync(handle.fileno())


def _take_name(unfinished: Path, folder: Path) -> None:
    _synced(unfinished)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)

"""Small tokenizers of every make, trained on a few sentences: the layouts of well-known models."""

from collections.abc import Callable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "the river rose in the night and the letter was read twice",
    "the numbers 4 and 8 are even, naïve café",
] * 9
FALLBACK = [f"<0x{byte:02X}>" for byte in range(256)]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()


def byte_level(*, prefix: bool = False, normalizer: normalizers.Normalizer | None = None) -> Tokenizer:
    """As GPT-2 has it."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=ALPHABET, special_tokens=["<|endoftext|>"], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def neox() -> Tokenizer:
    """Byte-level with NFC and added tokens for runs of spaces, as GPT-NeoX and Pythia have it."""
    tokenizer = byte_level(normalizer=normalizers.NFC())
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in (4, 3, 2)])
    return tokenizer


def qwen() -> Tokenizer:
    """Byte-level with NFC and a pattern of its own, as Qwen and Llama 3 have it."""
    tokenizer = byte_level(normalizer=normalizers.NFC())
    pattern = Regex(r"\p{N}| ?\p{L}+|\s+(?!\S)|\s+|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def sentencepiece_bpe(*normalize: normalizers.Normalizer) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([*normalize, normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=360, show_progress=False, special_tokens=["<unk>", "<s>", "</s>", *FALLBACK]
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def llama() -> Tokenizer:
    """A space in front, bytes for unknown characters, as Llama 2 and Mistral have it."""
    return sentencepiece_bpe(normalizers.Prepend("▁"))


def gemma() -> Tokenizer:
    """The same without the space in front, as Gemma has it."""
    return sentencepiece_bpe()


def metaspace() -> Tokenizer:
    """SentencePiece's Unigram with NFKC, as T5 and XLNet have it."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=70, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def wordpiece() -> Tokenizer:
    """Lower case, no accents, no control characters, as BERT has it."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    trainer = trainers.WordPieceTrainer(vocab_size=90, special_tokens=["[UNK]", "[CLS]"], show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def words() -> Tokenizer:
    """Whole words and nothing in between."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(SENTENCES, trainers.WordLevelTrainer(special_tokens=["[UNK]"], show_progress=False))
    return tokenizer


MAKES: dict[str, Callable[[], Tokenizer]] = {
    "byte_level": byte_level,
    "byte_level_prefix": lambda: byte_level(prefix=True),
    "neox": neox,
    "qwen": qwen,
    "llama": llama,
    "gemma": gemma,
    "metaspace": metaspace,
    "wordpiece": wordpiece,
    "words": words,
}

"""What lies beside a network's weights: its tokenizer."""

import json
from pathlib import Path

from neurons.lab.tokenizer import open_tokenizer, tokenizer_fingerprint

TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"


def fingerprint_in(folder: Path) -> str:
    """Fingerprint of the folder's tokenizer.json, as a corpus made with it has it; empty where there is none."""
    path = folder / TOKENIZER
    return tokenizer_fingerprint(open_tokenizer(path)) if path.is_file() else ""


def bos_in_files(folder: Path) -> int | None:
    """The token that tokenizer_config.json says begins a sequence; None where the files do not tell."""
    config, tokenizer = folder / TOKENIZER_CONFIG, folder / TOKENIZER
    if not (config.is_file() and tokenizer.is_file()):
        return None
    name = json.loads(config.read_text(encoding="utf-8")).get("bos_token")
    name = name.get("content") if isinstance(name, dict) else name
    return None if name is None else open_tokenizer(tokenizer).token_to_id(str(name))

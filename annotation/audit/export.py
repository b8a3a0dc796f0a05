"""The log as a file that others can check, and the anchor that fixes it."""

from pathlib import Path

from annotation.audit.check import chain_line
from annotation.design import canonical_json
from annotation.models import LogChain, Study, StudyEvent

VERIFIER = Path(__file__).with_name("verify_log.py")


def chain_of(study: Study | None) -> LogChain | None:
    """A study's chain, or the site's; None before its first line."""
    name = f"study:{study.pk}" if study else LogChain.SITE
    return LogChain.objects.filter(name=name).first()


def log_text(chain: LogChain | None) -> str:
    """One JSON object per line, oldest first: what `verify_log.py` reads."""
    rows = StudyEvent.objects.filter(chain=chain).order_by("number") if chain else ()
    return "".join(canonical_json(chain_line(row)) + "\n" for row in rows)


def anchor(chain: LogChain | None) -> str:
    """The chain's id, its length and its last hash. Published somewhere else, it fixes all lines up to here."""
    return f"{chain.public_id}:{chain.length}:{chain.head_sha256}" if chain and chain.length else ""


def anchor_of(event: StudyEvent) -> str:
    """The anchor as it was right after this line."""
    return f"{event.chain.public_id}:{event.number}:{event.sha256}"


def verifier_text() -> str:
    """The stand-alone script."""
    return VERIFIER.read_text()

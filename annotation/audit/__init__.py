"""The log that cannot be changed unseen: lines chained by hashes, checked by anybody, protected by the database.

record       what a line says and how it is hashed
append       the one writer of lines (`annotation.services.log.event_add` for everybody above)
verify_log   checks a log outside this site; Python's standard library only, shipped with every export
check        the same check on the database's own rows
export       the log as a file, and the anchor to publish
protect      triggers and rights of the database
"""

from annotation.audit.append import actor_of, event_append
from annotation.audit.check import chain_problems
from annotation.audit.export import anchor, anchor_of, chain_of, log_text, verifier_text
from annotation.audit.record import Entry, record_sha256, record_text

__all__ = [
    "Entry",
    "actor_of",
    "anchor",
    "anchor_of",
    "chain_of",
    "chain_problems",
    "event_append",
    "log_text",
    "record_sha256",
    "record_text",
    "verifier_text",
]

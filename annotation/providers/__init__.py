"""What crowd providers send and expect, as far as it can be said without a database. Pure.

Prolific's side follows its public API reference: signed entry (well-known endpoints), webhooks (verifying,
idempotency), submissions (list, object).
"""

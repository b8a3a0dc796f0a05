"""Dawid and Skene's latent class model: what share of neurons is "truly" interpretable, if raters err independently."""

from analysis.stats.dawid_skene.answers import NotIdentified
from analysis.stats.dawid_skene.fit import DawidSkene, dawid_skene

__all__ = ["DawidSkene", "NotIdentified", "dawid_skene"]

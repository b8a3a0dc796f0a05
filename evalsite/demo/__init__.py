"""The demo: the whole experiment on this machine, from text to an unblinded report."""

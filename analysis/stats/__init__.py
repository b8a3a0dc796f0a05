"""Pure statistics: arrays and counts in, intervals out. No Django, no pandas, no global random state."""

"""The lab: pure PyTorch. Networks, their training, and the harvest of their neurons; no Django, no queue."""

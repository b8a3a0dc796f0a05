"""File formats that the lab writes and the web pages read: pure NumPy, no torch, no Django."""

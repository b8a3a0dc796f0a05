"""Loaders of networks that others trained. Each kind has its module, imported when a network of the kind is opened."""

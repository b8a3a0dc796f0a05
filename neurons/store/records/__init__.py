"""Activation records in other tools' formats: read into our folders, written from them. Pure NumPy."""

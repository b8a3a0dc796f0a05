"""The page on which anybody, without an account, can look up the hash of a frozen protocol."""

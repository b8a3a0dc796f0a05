"""Passwords that an admin reads out or copies to a rater."""

import secrets

# Without the signs that are mistaken for each other in print and by telephone (0 o, 1 l i, u v).
ALPHABET = "abcdefghjkmnpqrstwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4  # 16 signs of 29: 77 bits


def password_make() -> str:
    """A new random password in groups, such as `k7mw-p3xd-9qfh-2bnt`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))

"""Under which licence a study's data may be passed on: chosen with the design, written into every export."""

from dataclasses import dataclass

DEFAULT_LICENCE = "CC-BY-4.0"
NO_LICENCE = "none"


@dataclass(frozen=True, slots=True)
class Licence:
    """Attributes
    ----------
    name : str
        SPDX identifier; "none" where nothing is allowed yet.
    title, address : str
        The licence's own name, and where its text stands.
    allows : str
        What it comes to, in one sentence.
    """

    name: str
    title: str
    address: str
    allows: str


LICENCE_TEXTS = {
    licence.name: licence
    for licence in (
        Licence(
            "CC-BY-4.0",
            "Creative Commons Attribution 4.0 International",
            "https://creativecommons.org/licenses/by/4.0/legalcode",
            "Anybody may share and adapt the data, also commercially, if the authors are named.",
        ),
        Licence(
            "CC0-1.0",
            "Creative Commons Zero 1.0 Universal",
            "https://creativecommons.org/publicdomain/zero/1.0/legalcode",
            "Anybody may do anything with the data; naming the authors is asked for and not required.",
        ),
        Licence(
            "CC-BY-SA-4.0",
            "Creative Commons Attribution-ShareAlike 4.0 International",
            "https://creativecommons.org/licenses/by-sa/4.0/legalcode",
            "Anybody may share and adapt the data if the authors are named, under the same licence.",
        ),
        Licence(
            "CC-BY-NC-4.0",
            "Creative Commons Attribution-NonCommercial 4.0 International",
            "https://creativecommons.org/licenses/by-nc/4.0/legalcode",
            "Anybody may share and adapt the data, not commercially, if the authors are named.",
        ),
        Licence(
            NO_LICENCE,
            "No licence",
            "",
            "No licence was chosen for these data. Ask those who led the study before you pass them on.",
        ),
    )
}
LICENCES = tuple(LICENCE_TEXTS)

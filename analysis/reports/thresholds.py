"""What excludes raters and single answers from the main analysis, as frozen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What excludes; the defaults exclude nothing.

    Attributes
    ----------
    least_catches_right : float
        A rater with a smaller share of right catch trials is excluded, 0 … 1.
    most_beyond_times : float
        A rater with a larger share of answers outside the credible times is excluded, 0 … 1.
    exclude_beyond_times : bool
        Whether single answers outside the credible times are excluded.
    least_seconds, most_seconds : float
        The credible active seconds.
    """

    least_catches_right: float = 0.0
    most_beyond_times: float = 1.0
    exclude_beyond_times: bool = False
    least_seconds: float = 0.0
    most_seconds: float = float("inf")

    def strict(self) -> "Thresholds":
        """Every catch trial right, no answer outside the credible times, at most a tenth of a rater's."""
        return Thresholds(1.0, min(self.most_beyond_times, 0.1), True, self.least_seconds, self.most_seconds)

    def as_json(self) -> dict[str, float | bool | None]:
        most = None if self.most_seconds == float("inf") else self.most_seconds
        return {
            "least_catches_right": self.least_catches_right,
            "most_beyond_times": self.most_beyond_times,
            "exclude_beyond_times": self.exclude_beyond_times,
            "least_seconds": self.least_seconds,
            "most_seconds": most,
        }

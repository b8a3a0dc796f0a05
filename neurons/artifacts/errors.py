"""What can go wrong with artifacts."""


class ArtifactError(ValueError):
    """An artifact or its address cannot be used."""


class ArtifactUnreachable(ArtifactError):
    """The artifact store does not answer, or refuses; the same call may succeed later."""


class ArtifactBusy(RuntimeError):
    """Another process is writing this artifact."""

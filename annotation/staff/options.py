"""What a study can be made of: finished harvests, grouped by the size of their networks."""

from collections import defaultdict

from annotation.staff.pair_form import ArmOption, SizeOption
from neurons.models import HarvestRun, Network, RunStatus
from neurons.selectors import DEFAULT_SITE, POST_LN, STUDY_SITES

Shown = tuple[Network, str, str]  # network, site, basis


def size_options() -> list[SizeOption]:
    """Sizes at which something was harvested."""
    corpora: dict[Shown, set[str]] = defaultdict(set)
    done = HarvestRun.objects.filter(status=RunStatus.DONE, site__in=STUDY_SITES).select_related(
        "network__pair", "corpus"
    )
    for run in done.order_by("network__pair__size", "network__name", "site", "basis"):
        # Records have the site that they came with; in a design they stand where neurons usually do.
        site = POST_LN if run.site == POST_LN else DEFAULT_SITE
        corpora[run.network, site, run.basis].add(run.corpus.name)
    by_size: dict[str, list[Shown]] = defaultdict(list)
    for shown in corpora:
        by_size[shown[0].pair.size].append(shown)
    return [_size_option(size, shown, corpora) for size, shown in by_size.items()]


def _size_option(size: str, shown: list[Shown], corpora: dict[Shown, set[str]]) -> SizeOption:
    return SizeOption(
        size=size,
        n_layers=min(network.n_layers for network, _, _ in shown),
        options=tuple(
            ArmOption(
                network=network.name,
                activation=network.activation,
                corpora=frozenset(corpora[network, site, basis]),
                site=site,
                basis=basis,
                untrained=network.tokens_trained == 0,
            )
            for network, site, basis in shown
        ),
    )

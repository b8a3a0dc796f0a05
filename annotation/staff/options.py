"""What a study can be made of: networks with a finished harvest, grouped by size."""

from collections import defaultdict

from annotation.staff.study_form import NetworkOption, SizeOption
from neurons.models import HarvestRun, Network, RunStatus
from neurons.selectors import STUDY_SITES


def size_options() -> list[SizeOption]:
    """Sizes that have at least two networks to compare."""
    corpora: dict[Network, set[str]] = defaultdict(set)
    done = HarvestRun.objects.filter(status=RunStatus.DONE, site__in=STUDY_SITES)
    for run in done.select_related("network__pair", "corpus").order_by("network__pair__size", "network__name"):
        corpora[run.network].add(run.corpus.name)
    by_size: dict[str, list[Network]] = defaultdict(list)
    for network in corpora:
        by_size[network.pair.size].append(network)
    return [_size_option(size, networks, corpora) for size, networks in by_size.items() if len(networks) > 1]


def _size_option(size: str, networks: list[Network], corpora: dict[Network, set[str]]) -> SizeOption:
    return SizeOption(
        size=size,
        n_layers=min(network.n_layers for network in networks),
        networks=tuple(NetworkOption(n.name, n.activation, frozenset(corpora[n])) for n in networks),
    )

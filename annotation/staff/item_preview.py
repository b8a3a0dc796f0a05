"""A design's item in the form in which the gate gives it to a rater."""

from annotation.blinding import BlindPiece, BlindProgress, BlindSnippet, RatePage
from annotation.design import SIMULATED, StudyDesign
from annotation.protocols import TASKS
from annotation.services.preview import design_preview


def preview_page(design: StudyDesign) -> RatePage:
    """The page of one neuron, picked by chance over all arms; nothing of it says which."""
    item, task = design_preview(design), TASKS[design.protocol]
    snippets = tuple(BlindSnippet(tuple(BlindPiece(*piece) for piece in snippet)) for snippet in item.snippets)
    return RatePage(
        study=design.slug,
        title=design.title,
        assignment="preview",
        position=1,
        progress=BlindProgress(done=0, total=design.items_total),
        task=item.layout.get("task") or task.name,
        snippets=snippets,
        layout=item.layout,
        question=task.question,
        threshold=task.threshold,
        rule="",
        simulated=design.rater_kind == SIMULATED,
        draft=None,
        can_undo=False,
        notices=(),
    )

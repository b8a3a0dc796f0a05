"""An item as any rater would get it, for checks that must see what raters see."""

from typing import Any

from annotation.blinding.answers import question_of, task_of
from annotation.blinding.pages import BlindProgress, RatePage
from annotation.blinding.rating import blind_snippets
from annotation.models import Study

NOBODY = BlindProgress(done=0, total=1)


def blind_specimen(study: Study, snippets: list[list[list[Any]]], layout: dict[str, Any]) -> RatePage:
    """The page of an item on nobody's list, so that two items' pages differ by what is shown and by nothing else."""
    task = task_of(study, layout)
    return RatePage(
        study=study.slug,
        title=study.title,
        assignment="specimen",
        position=1,
        progress=NOBODY,
        task=task.name,
        snippets=blind_snippets(snippets),
        layout=layout,
        question=question_of(study, task),
        threshold=study.rater_text["threshold"],
        rule="",
        simulated=study.simulated,
        draft=None,
        can_undo=False,
        notices=(),
    )

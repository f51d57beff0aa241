"""All statistics of a reader study, computed from its answers."""

from __future__ import annotations

from dataclasses import replace

from core.measure import preference
from core.measure.accuracy import detections, fooling, verdicts
from core.measure.agreement import agreement
from core.measure.answers import Collected
from core.measure.bootstrap import Bootstrap
from core.measure.coding import categories, repeated, scored
from core.measure.correlation import correlations
from core.measure.findings import Results
from core.measure.limitations import notes
from core.measure.marks import marks
from core.measure.raters import summaries
from core.measure.scales import scale


def analyse(collected: Collected, *, resamples: int = 1000, seed: int = 0) -> Results:
    """Return the results of a study, finished or not.

    Training items count for no statistic, catch items only for each rater's share of expected answers, repeats only for
    the agreement of raters with themselves. resamples, seed: of the bootstrap over items; the
    same answers and seed give the same results.
    """
    bootstrap = Bootstrap(resamples, seed)
    questions = collected.questions
    counted = scored(collected.answers)
    repeats = repeated(collected.answers, counted)
    given = verdicts(counted)
    chosen = preference.choices(counted)
    results = Results(
        study=collected.study,
        title=collected.title,
        raters=len({answer.rater for answer in counted}),
        items=len({answer.item for answer in counted}),
        answers=len(counted),
        resamples=resamples,
        seed=seed,
        people=summaries(collected, counted, repeats),
        detections=detections(given, bootstrap),
        fooling=fooling(given),
        pairs=preference.pairs(chosen),
        strengths=preference.strengths(chosen, bootstrap),
        scales=tuple(scale(question, counted, bootstrap) for question in questions if question.kind == "scale"),
        agreements=tuple(
            agreement(question, counted, repeats, bootstrap) for question in questions if categories(question)
        ),
        correlations=correlations(questions, counted, bootstrap),
        marks=marks(counted, bootstrap),
        notes=(),
    )
    return replace(results, notes=notes(results, questions, counted))

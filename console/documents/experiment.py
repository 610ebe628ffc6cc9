"""The file that an experiment is defined from (`docs/examples/experiment.toml`)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import Field, StrictInt, StrictStr

from console.documents.canary import Capital, Currency
from console.documents.model import Document, model_of, plain_text, record_of
from console.documents.reading import read
from console.domain.experiment.record import MAX_BYTES
from console.domain.experiment.trial import Experiment
from console.domain.state.flags import check_name
from console.domain.statistics.evidence import Settings

Text: TypeAlias = Annotated[StrictStr, plain_text(256)]


class ExperimentFile(Document):
    """An A/B test of two values of a flag."""

    flag: Annotated[Text, Field(description="the flag that both strategies are values of")]
    a: Annotated[Text, Field(description="its text for one half of the units")]
    b: Annotated[Text, Field(description="its text for the other")]
    capital: Annotated[Capital, Field(description="that both halves share evenly")]
    currency: Annotated[Currency, Field(description="of the capital and of every result")]
    settings: Annotated[model_of(Settings), Field(description="of the judge")]  # type: ignore[valid-type]
    rounds_each: Annotated[StrictInt, Field(ge=1, description="rounds of each half after which it is due")] = 1000
    cluster: Annotated[
        Text,
        Field(
            description="what several rounds hang together by (a customer, a market), as names joined by dots where a "
            "record of the decision log has it: a cluster is assigned as one and counts once, and rounds_each counts "
            "clusters"
        ),
    ] = ""


def read_definition(path: Path, name: str) -> tuple[Experiment, Decimal, str]:
    """The experiment in a file, its capital and its currency.

    Raises:
        UsageError: the file can't be read, or something in it is missing, unknown, or can't be an experiment.
    """
    file = read(path, ExperimentFile, MAX_BYTES)
    settings = record_of(Settings, file.settings)
    experiment = Experiment(name, check_name(file.flag), file.a, file.b, settings, file.rounds_each, file.cluster)
    return experiment, file.capital, file.currency

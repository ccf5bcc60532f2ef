"""The values that a hyperparameter may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

if TYPE_CHECKING:
    import optuna

Value = bool | int | float | str | None
MOST = 100_000.0  # keeps a population within memory
_Number = Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
_Text = Annotated[str, Field(max_length=200)]
_Choice = bool | int | _Number | _Text | None


class Range(BaseModel):
    """Numbers from `low` to `high`, both of them included.

    Attributes:
        low, high: `low` is smaller.
        log: whether ratios count alike rather than differences; from above 0 on.
        whole: whole numbers alone; `int` in a file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: _Number
    high: _Number
    log: bool = False
    whole: bool = Field(default=False, alias="int")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be less than high {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low:g} must be above 0 on a logarithmic scale")
        if self.whole and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("low and high must be whole numbers where int is true")
        return self

    @property
    def ends(self) -> tuple[Value, ...]:
        """The extreme values."""
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or value % 1 == 0)

    def suggest(self, trial: optuna.Trial, name: str) -> Value:
        """The value that a trial is to try."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def __str__(self) -> str:
        """As a sentence names it."""
        return f"{self.low:g} to {self.high:g}"


class Choices(BaseModel):
    """Values without an order.

    Attributes:
        choices: two or more, each once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    choices: tuple[_Choice, ...] = Field(min_length=2, max_length=100)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if any(value in self.choices[:i] for i, value in enumerate(self.choices)):
            raise ValueError("each choice may stand there once, and 1 and true are the same")
        return self

    @property
    def ends(self) -> tuple[Value, ...]:
        """All of them."""
        return self.choices

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.choices

    def suggest(self, trial: optuna.Trial, name: str) -> Value:
        """The value that a trial is to try."""
        return trial.suggest_categorical(name, self.choices)

    def __str__(self) -> str:
        """As a sentence names them."""
        return ", ".join(map(str, self.choices))


def _kind(value: Any) -> str:
    choices = "choices" in value if isinstance(value, dict) else isinstance(value, Choices)
    return "choices" if choices else "range"


Dimension = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)
]

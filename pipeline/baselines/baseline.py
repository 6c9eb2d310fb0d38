"""What a reference model is to readers: an id, a title, what it does and where it comes from."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.baselines.prices import Floats

Predict = TypeVar("Predict", bound=Callable[..., Floats])


@dataclass(frozen=True)
class Baseline(Generic[Predict]):
    """One reference model.

    Parameters
    ----------
    title : str
        Name to show.
    predict : callable
        From prices and rows of cycles, shape (cycles,), to its predictions of every cycle and stock. Its name is the
        model's id, the first paragraph of its docstring the description, the section References the reference.
    """

    title: str
    predict: Predict

    @property
    def model_id(self) -> str:
        """The model's id: the name of its function."""
        return str(getattr(self.predict, "__name__", ""))

    @property
    def description(self) -> str:
        """What the model does, in one sentence."""
        return self._documentation[0]

    @property
    def reference(self) -> str:
        """Where the model comes from."""
        return self._documentation[1]

    @property
    def _documentation(self) -> tuple[str, str]:
        text, _, reference = (inspect.getdoc(self.predict) or "").partition("\n\nReferences\n----------\n")
        return " ".join(text.split("\n\n")[0].split()), " ".join(reference.split())

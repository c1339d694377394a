"""What the layers gave last time, so that a change re-runs only the layers that it reaches.

A synthesis network is a chain of steps. Each has a key: the numbers that go into it beside what the step
before gave, such as a row of ws. Two runs whose keys agree up to some step have the same result there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor

State = tuple[Tensor | None, Tensor | None, Tensor | None]  # features, the residual way's input, picture
EMPTY: State = (None, None, None)
BUDGET = 384 << 20
RUNS = 2


class Step(NamedTuple):
    """``run`` turns one state into the next; it must not write into the tensors it is given."""

    key: Hashable
    run: Callable[[State], State]


@dataclass
class _Run:
    keys: list[Hashable] = field(default_factory=list)
    states: list[State] = field(default_factory=list)  # of the first steps, as far as the budget reached


class Trail:
    """Keeps the states of the last ``runs`` different chains, within ``budget`` bytes together.

    A second chain is kept because what is asked for in between (a thumbnail, a comparison) should not
    cost the picture that is being dragged its start.
    """

    def __init__(self, budget: int = BUDGET, runs: int = RUNS) -> None:
        self._budget = budget // runs
        self._kept: list[_Run] = [_Run() for _ in range(runs)]

    def clear(self) -> None:
        """Forget everything: the weights, their precision or their device changed."""
        self._kept = [_Run() for _ in self._kept]

    def run(self, steps: Sequence[Step]) -> State:
        """The last step's state, from the latest state kept whose keys agree."""
        keys = [step.key for step in steps]
        kept = max(self._kept, key=lambda run: _agreeing(run, keys))
        done = _agreeing(kept, keys)
        if done == 0:
            kept = self._kept[0]  # the one that was not used for longest
        self._kept.remove(kept)
        self._kept.append(kept)
        del kept.states[done:]
        kept.keys = keys
        state = kept.states[-1] if kept.states else EMPTY
        room = self._budget - sum(
            _added(before, after) for before, after in zip([EMPTY, *kept.states], kept.states, strict=False)
        )
        for step in steps[done:]:
            before, state = state, step.run(state)
            room -= _added(before, state)
            if room >= 0:
                kept.states.append(state)
        return state


def _agreeing(run: _Run, keys: list[Hashable]) -> int:
    """Up to which step ``run`` can be used."""
    count = 0
    for state_key, key in zip(run.keys[: len(run.states)], keys, strict=False):
        if state_key != key:
            break
        count += 1
    return count


def _added(before: State, after: State) -> int:
    """Bytes that a state holds beyond the one before it."""
    old = {id(tensor) for tensor in before}
    return sum(t.numel() * t.element_size() for t in after if t is not None and id(t) not in old)


def row_keys(ws: Tensor) -> list[bytes]:
    """One key for each layer of ws (N, num_ws, w_dim)."""
    array = ws.detach().cpu().numpy()
    return [array[:, i].tobytes() for i in range(array.shape[1])]

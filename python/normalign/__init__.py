"""The local geometry of trained models: networks, slices, certificates and kernel machines on NumPy arrays."""

import os as _os
from typing import TYPE_CHECKING
from typing import Any as _Any
from typing import List as _List

# OpenMP reads how long a thread that waits for others spins when it is loaded. Its default, milliseconds, costs more than
# it gains where other programs run, as for the programs of this project.
_SPINS = "GOMP_SPINCOUNT"
_is_ours = not {_SPINS, "OMP_WAIT_POLICY"} & set(_os.environ)
if _is_ours:
    _os.environ[_SPINS] = "20000"

from ._core import (  # noqa: E402
    SGD,
    AdamW,
    Attack,
    Certificates,
    GradcheckReport,
    GrokAlign,
    GrokFast,
    InputError,
    KernelMachine,
    LocalGeometry,
    Network,
    Operation,
    OrthoGrad,
    Plane,
    PowerCell,
    Regions,
    RfmFit,
    RunError,
    Slice,
    Tape,
    TrainingResult,
    TrainingState,
    Var,
    __version__,
    attack,
    blas_description,
    certificates,
    count_regions,
    fit_rfm,
    grad,
    gradcheck,
    hvp,
    jacobian,
    jvp,
    load,
    load_machine,
    local_complexity,
    local_geometry,
    power_diagram,
    random_directions,
    regions,
    slice,
    train,
)
from . import _core, ops  # noqa: E402
from ._signatures import give_signatures as _give_signatures  # noqa: E402
from ._signatures import with_signature as _with_signature  # noqa: E402
from .torch_network import from_torch  # noqa: E402

if _is_ours:
    _os.environ.pop(_SPINS, None)

if TYPE_CHECKING:
    from .estimators import MLPClassifier, MLPRegressor, RFMClassifier, RFMRegressor

# scikit-learn takes its time, so they are loaded when they are first asked for.
_ESTIMATORS = ("MLPClassifier", "MLPRegressor", "RFMClassifier", "RFMRegressor")

__all__ = [name for name in dir() if not name.startswith("_") and name not in ("TYPE_CHECKING", "torch_network")]
__all__ += [name for name in _ESTIMATORS if name not in __all__]

for _name in __all__:
    _value = globals().get(_name)
    if isinstance(_value, type):
        _value.__module__ = __name__  # where users find it
        if _name not in ("Operation", "Tape", "Var"):  # which are called often
            _give_signatures(_value)
    elif hasattr(_core, _name) and callable(_value):
        globals()[_name] = _with_signature(_value, _name)
        globals()[_name].__module__ = __name__


def __getattr__(name: str) -> _Any:
    if name in _ESTIMATORS:
        from . import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> _List[str]:
    return [*__all__, "__version__"]

"""Files that have no graph: their layers as chains, in the order of the file or as a sidecar states it."""

from sicjax.networks.chain._chain import begins, strides_given
from sicjax.networks.chain._draft import draft
from sicjax.networks.chain._infer import IN_MEMORY
from sicjax.networks.chain._sidecar import from_sidecar
from sicjax.networks.chain._state_dict import from_names

__all__ = ["IN_MEMORY", "begins", "draft", "from_names", "from_sidecar", "strides_given"]

"""Small files that ask for much, by what they ask for: each writes a file into a folder."""

from bombs_archives import ARCHIVES
from bombs_keras import KERAS
from bombs_onnx import ONNX

BOMBS = ARCHIVES | KERAS | ONNX
# Those that take seconds are for the campaign alone; each has a quicker one of its kind.
SLOW = {
    "keras: 300 dense layers",
    "keras: models in models",
    "onnx: 19,999 pairs",
    "onnx: 20,000 small constants",
    "onnx: 30,000 operations",
    "onnx: 600 dense layers",
    "onnx: Ifs in Ifs",
    "pytorch: a legacy pickle of lists",
}

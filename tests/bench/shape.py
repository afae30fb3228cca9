"""GLM-Edge-1.5B's dimensions, and what its INT8 matrices weigh."""

LAYERS = 28
HIDDEN = 2048
INTERMEDIATE = 6144
HEADS = 16
KV_HEADS = 4
HEAD_DIM = 128
VOCABULARY = 59264
CONTEXT = 8192
NORM_EPSILON = 1e-5
ROPE_THETA = 10000.0

# Weights of the matrices of all layers, each of which every token is multiplied by.
LAYER_WEIGHTS = LAYERS * HIDDEN * (2 * (HEADS + KV_HEADS) * HEAD_DIM + 3 * INTERMEDIATE)
# A decoding step reads them once, and the output matrix: a byte each in INT8.
STEP_BYTES = LAYER_WEIGHTS + VOCABULARY * HIDDEN

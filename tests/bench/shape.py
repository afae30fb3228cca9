"""GLM-Edge-1.5B's dimensions, and the sizes of its matrices."""

NAME = "glm-edge-1.5b"  # for `edgegate bench --shape`
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

# Number of weights in the matrices of all layers. Every token is multiplied by each of them.
LAYER_WEIGHTS = LAYERS * HIDDEN * (2 * (HEADS + KV_HEADS) * HEAD_DIM + 3 * INTERMEDIATE)

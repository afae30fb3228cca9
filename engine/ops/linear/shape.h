// The shape of a linear layer, and the sizes of the buffers that compute it.
#pragma once

namespace edgegate {

// The shape of a layer y[n] = sum_k x[k] w[n][k].
struct LinearShape {
  int n = 0;  // outputs
  int k = 0;  // inputs
};

// The largest sizes that are computed at once.
struct LinearSizes {
  int max_rows = 0;
  int max_columns = 0;  // maximum of the inputs and outputs of all layers
};

}  // namespace edgegate

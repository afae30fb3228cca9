// The shape of a linear layer, and the sizes of the buffers that compute it.
#pragma once

namespace edgegate {

// y[n] = sum_k x[k] w[n][k].
struct LinearShape {
  int n = 0;  // outputs
  int k = 0;  // inputs
};

// The most that is computed at once.
struct LinearSizes {
  int max_rows = 0;
  int max_columns = 0;  // inputs and outputs of any layer
};

}  // namespace edgegate

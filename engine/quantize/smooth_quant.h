// SmoothQuant factors (Xiao et al. 2022, arXiv:2211.10438), and passes that fold them into weights.
// Folded factors take no time at run time.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

// Returns the largest magnitude of each column of [rows][columns].
std::vector<float> ColumnMaxima(const std::vector<float>& x, int columns);

// Returns sqrt(activation / weight) for each channel (alpha = 0.5), or 1 if either is zero. The
// factors are rounded to powers of 2^(1/8). This removes the last bits of calibration, so that
// bundles are the same from run to run.
std::vector<float> SmoothingFactors(const std::vector<float>& activation_max,
                                    const std::vector<float>& weight_max);

// Sets each element of `maxima` to the larger of the two.
void RaiseTo(std::vector<float>* maxima, const std::vector<float>& other);

// Raises each element of `maxima` to the largest magnitude in its column of rows, float
// [count][maxima.size()]. Computes on the calling thread.
void RaiseToMagnitudes(const float* rows, int64_t count, std::vector<float>* maxima);

// Multiplies the columns of [rows][factors.size()] by the factors.
void ScaleColumns(std::vector<float>* w, const std::vector<float>& factors);

// Divides the rows of [factors.size()][columns] by the factors. A vector has one column. No effect
// if `w` is empty.
void DivideRows(std::vector<float>* w, const std::vector<float>& factors);

}  // namespace edgegate

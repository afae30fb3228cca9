// SmoothQuant factors (Xiao et al. 2022, arXiv:2211.10438), and passes that fold them into weights.
// Folded factors cost nothing at run time.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

// Largest magnitude of each column of [rows][columns].
std::vector<float> ColumnMaxima(const std::vector<float>& x, int columns);

// sqrt(activation / weight) for each channel; 1 where either is zero. Rounded to powers of 2^(1/8),
// which drops the last bits of calibration, so that bundles are the same from run to run.
std::vector<float> SmoothingFactors(const std::vector<float>& activation_max,
                                    const std::vector<float>& weight_max);

// Each element becomes the larger of the two.
void RaiseTo(std::vector<float>* maxima, const std::vector<float>& other);

// Each element becomes at least the largest magnitude in its column of rows [count][maxima.size()].
// On the calling thread.
void RaiseToMagnitudes(const float* rows, int64_t count, std::vector<float>* maxima);

// Multiplies the columns of [rows][factors.size()].
void ScaleColumns(std::vector<float>* w, const std::vector<float>& factors);

// Divides the rows of [factors.size()][columns]. A vector has one column. No effect if it is empty.
void DivideRows(std::vector<float>* w, const std::vector<float>& factors);

}  // namespace edgegate

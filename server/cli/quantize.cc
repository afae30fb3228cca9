// `edgegate quantize`.

#include "engine/family/quantize.h"

#include <malloc.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>

#include "engine/family/model_source.h"
#include "server/catalog/compute_threads.h"
#include "server/catalog/progress.h"
#include "server/cli/commands.h"
#include "server/cli/fail.h"
#include "server/cli/stop_signals.h"

namespace edgegate {

int QuantizeModel(const QuantizeArguments& arguments) {
  // All layers need the same amount of memory, one after the other. This makes the C library keep
  // it. The kernel clears each page that it hands out, on one thread, which takes time.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  QuantizeOptions options;
  const auto format = ParseWeightFormat(arguments.format);
  if (!format.ok()) return Fail(format.status(), kExitUsage);
  options.format = *format;
  const auto head_format = ParseWeightFormat(arguments.head_format);
  if (!head_format.ok()) return Fail(head_format.status(), kExitUsage);
  options.head_format = *head_format;
  const StopSignals signals;
  options.progress = ProgressPrinter("quantizing", [&] { return signals.pending(); });
  if (!arguments.calibration.empty()) {
    std::ifstream file(arguments.calibration, std::ios::binary);
    std::stringstream text;
    if (!file || !(text << file.rdbuf())) {
      return Fail(NotFound("cannot read {}", arguments.calibration), kExitFailure);
    }
    options.calibration_text = text.str();
  }
  const ModelSetting model = ParseModel(arguments.source);
  auto source = ModelSource::Open(model.path, model.mmproj);
  if (!source.ok()) return Fail(source.status(), kExitModel);
  const auto pool = MakeThreadPool({});
  const ThreadPool::Use use(pool.get());
  const Status status = Quantize(**source, arguments.destination, options);
  if (!status.ok()) return Fail(status, kExitFailure);
  std::fprintf(stderr, "wrote %s\n", arguments.destination.c_str());
  return kExitOk;
}

}  // namespace edgegate

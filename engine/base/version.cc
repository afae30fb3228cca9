#include "engine/base/version.h"

namespace edgegate {

const char* Version() { return EDGEGATE_VERSION; }

}  // namespace edgegate

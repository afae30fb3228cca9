# Writes a C++ source with the descriptions of the endpoints (server/api/ops/api_files.h).
#   cmake -DOUTPUT=FILE.cc -DFOLDER=server/api -DFILES=A;B;C -P embed_api.cmake
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  string(JSON members ERROR_VARIABLE error LENGTH "${text}")
  if(error)
    message(FATAL_ERROR "${file}: ${error}")
  endif()
  file(RELATIVE_PATH name ${FOLDER} ${file})
  string(REGEX REPLACE "\\.api\\.json$" "" name ${name})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "const unsigned char kFile${index}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\",\n"
                     "     {reinterpret_cast<const char*>(kFile${index}), sizeof kFile${index}}},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE ${OUTPUT} "// Written by cmake/embed_api.cmake.
#include \"server/api/ops/api_files.h\"

namespace edgegate {
namespace {

${arrays}
const ApiFile kFiles[] = {
${rows}};

}  // namespace

std::span<const ApiFile> ApiFiles() { return kFiles; }

}  // namespace edgegate
")

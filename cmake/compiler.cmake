# If ccache is installed, it finds what other clones have compiled.
find_program(EDGEGATE_CCACHE ccache)
if(EDGEGATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  ${EDGEGATE_CCACHE})
endif()

# One set of flags for every target. The binary is portable across x86-64: no -march here; kernels
# pick their instruction set at run time.
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
else()
  # GCC 12 reports these inside its own standard library.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
                      -Wno-array-bounds -Wno-stringop-overread)
endif()
if(EDGEGATE_EMULATED)
  add_compile_definitions(EDGEGATE_EMULATED)
endif()
# So an expression gives the same bits, whether the compiler inlines it or not.
add_compile_options(-ffp-contract=off)

if(EDGEGATE_SANITIZE)
  add_compile_options(-fsanitize=${EDGEGATE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${EDGEGATE_SANITIZE})
endif()

include_directories(${CMAKE_SOURCE_DIR})

# edgegate_library(name SOURCES ... DEPENDS ...): one static library per folder.
function(edgegate_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPENDS})
  endif()
endfunction()

# edgegate_test(name SOURCES ... DEPENDS ...): a doctest program, run by ctest.
function(edgegate_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE doctest_main ${ARG_DEPENDS})
  target_compile_definitions(${name} PRIVATE
                             EDGEGATE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
endfunction()

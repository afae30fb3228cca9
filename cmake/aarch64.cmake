# The toolchain file of a cross build for ARM64 with Debian's g++. scripts/build-arm64 makes the
# root: Debian's arm64 packages, extracted. EDGEGATE_ARM64_ROOT names it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

# CMake's test projects read this file too.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EDGEGATE_ARM64_ROOT)
if(NOT EDGEGATE_ARM64_ROOT)
  message(FATAL_ERROR "set EDGEGATE_ARM64_ROOT to a root that scripts/build-arm64 has made")
endif()

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc-12)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++-12)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_SYSROOT ${EDGEGATE_ARM64_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(ENV{PKG_CONFIG_SYSROOT_DIR} ${EDGEGATE_ARM64_ROOT})
set(ENV{PKG_CONFIG_LIBDIR}
    ${EDGEGATE_ARM64_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${EDGEGATE_ARM64_ROOT}/usr/share/pkgconfig)

# ctest and the build run the programs in QEMU.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static;-L;${EDGEGATE_ARM64_ROOT})

# Cargo's target, with the compiler that scripts/build-arm64 has put beside the root.
set(EDGEGATE_CARGO_TARGET aarch64-unknown-linux-gnu)
set(EDGEGATE_CARGO_ENVIRONMENT
    RUSTC=${EDGEGATE_ARM64_ROOT}-rust/rustc
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=${CMAKE_C_COMPILER}
    CC_aarch64_unknown_linux_gnu=${CMAKE_C_COMPILER}
    CXX_aarch64_unknown_linux_gnu=${CMAKE_CXX_COMPILER}
    CFLAGS_aarch64_unknown_linux_gnu=--sysroot=${EDGEGATE_ARM64_ROOT}
    CXXFLAGS_aarch64_unknown_linux_gnu=--sysroot=${EDGEGATE_ARM64_ROOT})

#!/usr/bin/env bash
# Builds the C tests against what `make lib lib-shim` built, and runs them: static and shared, under AddressSanitizer and
# UndefinedBehaviorSanitizer, under valgrind, and from an install prefix with pkg-config alone. Valgrind has one vector in
# five, unless told otherwise.
#   tests/c/run.sh [EVERY]
set -euo pipefail

every=${1:-5}
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/c
lib=$root/target/donjon
shim=$root/target/donjon-shim
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

strict=(-Wall -Wextra -Wpedantic -Werror)
c=("${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L "${strict[@]}" -g)
sanitized=(-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
# A static library leaves what it needs itself to the program.
system=(-lgcc_s -lpthread -lm -ldl)
shared=(-L"$lib/lib" -Wl,-rpath,"$lib/lib" -ldonjon -lpthread)
valgrind=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible
    --suppressions="$here/valgrind.supp")
vectors=("$root"/tests/vectors/*.json)

say() { echo "-- $*"; }

say "header, as C++"
"${CXX:-c++}" -std=c++17 "${strict[@]}" -I"$lib/include" "$here/header.cpp" -o "$work/header" "${shared[@]}"
"$work/header"

say "static library, sanitizers"
"${c[@]}" "${sanitized[@]}" -I"$lib/include" "$here/test_donjon.c" -o "$work/static-sanitized" "$lib/lib/libdonjon.a" "${system[@]}"
"$work/static-sanitized"

say "shared library, sanitizers"
"${c[@]}" "${sanitized[@]}" -I"$lib/include" "$here/test_donjon.c" -o "$work/shared-sanitized" "${shared[@]}"
"$work/shared-sanitized"

say "vectors, sanitizers"
"${c[@]}" "${sanitized[@]}" -I"$shim/include" "$here/vectors.c" -o "$work/vectors-sanitized" "$shim/lib/libdonjon.a" -ljansson "${system[@]}"
"$work/vectors-sanitized" 1 "${vectors[@]}"

say "static library, valgrind"
"${c[@]}" -O2 -I"$lib/include" "$here/test_donjon.c" -o "$work/static" "$lib/lib/libdonjon.a" "${system[@]}"
"${valgrind[@]}" "$work/static"

say "vectors, valgrind"
"${c[@]}" -O2 -I"$shim/include" "$here/vectors.c" -o "$work/vectors" "$shim/lib/libdonjon.a" -ljansson "${system[@]}"
"${valgrind[@]}" "$work/vectors" "$every" "${vectors[@]}"

say "an installed library, pkg-config alone"
"$root/tools/install-library" "$lib" "$work/prefix"
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
# shellcheck disable=SC2046
"${c[@]}" "$here/installed.c" -o "$work/installed" $(pkg-config --cflags --libs donjon)
LD_LIBRARY_PATH=$work/prefix/lib "$work/installed"
readelf --dynamic "$work/installed" | grep -q 'NEEDED.*\[libdonjon\.so\.1\]'

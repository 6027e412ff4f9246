#!/bin/sh
# The oneDNN adapter against API v3: builds with PyPI's 3.x (the libgomp variant) and runs the
# engines' fast tests. SOURCE is the checkout; VERSION another release. Needs python3-venv and PyPI.
set -eu

version=${VERSION:-2023.2.0} # oneDNN 3.2.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" ||
    ! "$folder/venv/bin/pip" install --quiet "onednn-devel-cpu-gomp==$version" \
        "onednn-cpu-gomp==$version"; then
    echo "skipped: this needs python3-venv and PyPI"
    exit 77
fi
cmake -S "$SOURCE" -B "$folder/build" -DCMAKE_BUILD_TYPE=Release -DRESNET_WERROR=ON \
    -DCMAKE_PREFIX_PATH="$folder/venv" >"$folder/log" || { cat "$folder/log"; exit 1; }
grep -q "^dnnl_DIR:PATH=$folder/venv" "$folder/build/CMakeCache.txt" ||
    { echo "another oneDNN was found:"; grep dnnl_DIR "$folder/build/CMakeCache.txt"; exit 1; }
cmake --build "$folder/build" -j "$(nproc)" >"$folder/log" || { cat "$folder/log"; exit 1; }

# The run path must lead to the 3.x library, not to the system's.
program=$(find "$folder/build/tests" -name engine_test_onednn -type f)
ldd "$program" | grep -q "libdnnl.so.3 => $folder/venv" || { ldd "$program"; exit 1; }
cd "$folder/build"
ctest --output-on-failure -R '^engine/test_'

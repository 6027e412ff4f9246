# A sanitizer that is set up badly finds nothing: each must report a defect planted for it, and none
# where there is none.
set -u

if [ -z "$SANITIZE" ]; then
    echo "skipped: not a sanitized build"
    exit 77
fi
"$CC" -g -O1 -fopenmp "-fsanitize=$SANITIZE" -fno-sanitize-recover=all \
    "$SOURCE/tests/build/planted.c" -o planted || exit 1

expect() # DEFECT TEXT-OF-REPORT
{
    if ./planted "$1" >said 2>&1; then
        echo "'$1' was not found"
        exit 1
    fi
    grep -q "$2" said || { cat said; exit 1; }
}

./planted "" >said 2>&1 || { cat said; exit 1; }
case $SANITIZE in
*address*)
    expect leak "LeakSanitizer: detected memory leaks"
    expect overrun "heap-buffer-overflow"
    ;;
esac
case $SANITIZE in
*undefined*) expect overflow "signed integer overflow" ;;
esac
case $SANITIZE in
*thread*)
    expect race "data race"
    # oneDNN was linked with GNU's OpenMP, which TSan does not understand: LLVM's must serve it.
    LD_BIND_NOW=1 LD_DEBUG=bindings "$BUILD/tests/base_test_threads" 2>&1 |
        grep 'libdnnl.*GOMP_parallel' | grep -q 'to .*libomp' ||
        { echo "libdnnl does not use libomp"; exit 1; }
    ;;
esac

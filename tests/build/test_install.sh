# Install into a folder, then build and run a program against it with nothing but pkg-config.
set -eu

if [ -n "$SANITIZE" ]; then
    echo "skipped: a sanitized library needs the sanitizer's flags, which resnet.pc does not carry"
    exit 77
fi
prefix=$PWD/prefix
cmake --install "$BUILD" --prefix "$prefix" >install.log || { cat install.log; exit 1; }

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name resnet.pc)")
export PKG_CONFIG_PATH
libraries=$(pkg-config --variable=libdir resnet)
[ "$(cd "$libraries" && pwd -P)" = "$(cd "$PKG_CONFIG_PATH/.." && pwd -P)" ]

# shellcheck disable=SC2046 # the flags are words
"$CC" -std=c17 -Wall -Werror "$SOURCE/tests/build/consumer.c" -o consumer \
    $(pkg-config --cflags --libs resnet)
LD_LIBRARY_PATH=$libraries ldd ./consumer | grep -q "$libraries/.*libresnet.so.0"
said=$(LD_LIBRARY_PATH=$libraries ./consumer)
version=$(pkg-config --modversion resnet)
[ "$said" = "$version invalid argument: -1 threads, expected 0 to 1024" ] || {
    echo "the consumer says '$said'"
    exit 1
}

# The program that README.md shows, compiled as it says there, says what `resnet predict` says.
check_example() # PROGRAM
{
    case $(LD_LIBRARY_PATH=$libraries "./$1" fresh.safetensors pixel.ppm) in
    *"% $label") ;;
    *)
        echo "$1 does not say '$label'"
        exit 1
        ;;
    esac
    if LD_LIBRARY_PATH=$libraries "./$1" fresh.safetensors missing.ppm 2>message; then
        echo "$1 succeeds without a picture"
        exit 1
    fi
    grep -q "missing.ppm" message
}
if [ -x "$RESNET" ]; then
    sed -n '/^#include/,/^}/p' "$SOURCE/examples/predict.c" >predict.c
    sed -n '/^#include/,/^}/p' "$SOURCE/README.md" >shown.c
    cmp predict.c shown.c
    # shellcheck disable=SC2046
    "$CC" predict.c -o predict $(pkg-config --cflags --libs resnet)
    # shellcheck disable=SC2046
    "$CC" predict.c -o predict-static $(pkg-config --cflags resnet) "$libraries/libresnet.a" \
        $(pkg-config --libs $(pkg-config --print-requires-private resnet)) \
        -ldnnl -fopenmp -pthread -lm
    "$RESNET" convert resnet-8 fresh.safetensors --classes 3 >convert.log
    printf 'P6 1 1 255\n\377\200\001' >pixel.ppm
    label=$("$RESNET" predict fresh.safetensors pixel.ppm --csv | sed -n '2s/.*,1,"\(.*\)",.*/\1/p')
    [ -n "$label" ]
    check_example predict
    check_example predict-static
    # shellcheck disable=SC2046
    "$CC" -Wall -Werror "$SOURCE/examples/train.c" -o train $(pkg-config --cflags --libs resnet)
    for _ in trained resumed; do
        LD_LIBRARY_PATH=$libraries ./train run >said
        grep -q '^run/model.safetensors: [0-9]* of 200 wrong$' said
    done
    [ "$(wc -l <said)" = 2 ] # it had nothing left to do but to say its last evaluation
    "$RESNET" summary run/model.safetensors >described
    if LD_LIBRARY_PATH=$libraries ./train /proc/none 2>message; then
        echo "train succeeds without a folder"
        exit 1
    fi
    grep -q "cannot create folder '/proc/none'" message
    ldd ./predict-static >needed
    [ "$(grep -c libresnet needed)" = 0 ]
fi

# The archive, with the shared libraries that resnet.pc says it needs. (Plain `--static` asks for
# static copies of what these need in turn, which Debian does not all have.)
rm "$libraries"/libresnet.so*
# shellcheck disable=SC2046
"$CC" -std=c17 "$SOURCE/tests/build/consumer.c" -o static $(pkg-config --cflags --libs resnet) \
    $(pkg-config --libs $(pkg-config --print-requires-private resnet)) \
    $(sed -n 's/^Libs.private: //p' "$PKG_CONFIG_PATH/resnet.pc")
[ "$(./static)" = "$said" ]

# Every public header stands alone, in C++ too where there is a compiler for it.
for header in "$prefix"/include/resnet/*.h; do
    printf '#include <resnet/%s>\nint main(void) { return 0; }\n' "$(basename "$header")" >alone.c
    # shellcheck disable=SC2046
    "$CC" -std=c17 -Wall -Werror -fsyntax-only alone.c $(pkg-config --cflags resnet)
    if command -v g++ >/dev/null; then
        # shellcheck disable=SC2046
        g++ -std=c++11 -Wall -Werror -fsyntax-only -x c++ alone.c $(pkg-config --cflags resnet)
    fi
done

if [ -x "$RESNET" ]; then
    [ "$("$prefix/bin/resnet" --version)" = "resnet $version" ]
    grep -q '^\.TH ' "$prefix/share/man/man1/resnet.1"
    bash -n "$prefix/share/bash-completion/completions/resnet"
fi

# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # used by, and set by, who reads this file
# Functions that ./run, ./check and .ci/run share: `. scripts/setup.sh` after setting `root`.
# POSIX sh and Debian's essential packages only: nothing else need be there yet.

# "a|b": either will do, a is installed if both are missing.
build_packages="gcc libc6-dev ninja-build cmake pkgconf|pkg-config libdnnl-dev ocl-icd-opencl-dev libcjson-dev
    zlib1g-dev libcurl4-openssl-dev|libcurl4-gnutls-dev libarchive-dev libjpeg62-turbo-dev|libjpeg-dev
    libpng-dev libwebp-dev libmd-dev libmicrohttpd-dev ca-certificates"
test_packages="libcmocka-dev"

say()
{
    printf '%s\n' "$*" >&2
}

die()
{
    say "$0: error: $*"
    exit 1
}

# Run a command quietly: its output goes to build/NAME.log and is shown only if it fails.
quietly() # NAME COMMAND...
{
    log=$root/build/$1.log
    shift
    mkdir -p "$root/build"
    if "$@" >"$log" 2>&1 </dev/null; then
        return 0
    fi
    tail -n 30 "$log" >&2
    say "$0: error: '$*' failed; the whole output is in $log"
    return 1
}

installed() # PACKAGE
{
    case $(dpkg-query -W -f '${db:Status-Status} ' "$1" 2>/dev/null) in
    "installed "*) return 0 ;;
    *) return 1 ;;
    esac
}

# Print what is to be installed so that each of the packages is there.
missing_packages() # PACKAGE[|PACKAGE...]...
{
    for choice in "$@"; do
        found=no
        for package in $(printf '%s' "$choice" | tr '|' ' '); do
            if installed "$package"; then
                found=yes
            fi
        done
        if [ $found = no ]; then
            printf '%s ' "${choice%%|*}"
        fi
    done
}

# Run a command as root; require_packages has asked for sudo's password if need be.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

install_packages() # PACKAGE...
{
    set -- -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
    # A mirror that cannot be reached may still be in apt's cache, so that the second command decides.
    quietly apt-update as_root apt-get -o Acquire::Retries=3 update ||
        say "going on with the package lists as they are"
    quietly apt-install as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@"
}

# Install what is missing of these Debian packages; touches nothing where all are there.
require_packages() # PURPOSE PACKAGE[|PACKAGE...]...
{
    purpose=$1
    shift
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "This is no Debian system, so that nothing is installed. To $purpose, it must have what"
        say "these Debian 12 packages hold: $*"
        return 0
    fi
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        die "to $purpose, these packages are missing: $missing
As root: apt-get install --no-install-recommends $missing"
    fi
    say "Installing Debian packages that are missing to $purpose: $missing"
    if [ "$(id -u)" -ne 0 ] && [ -t 0 ]; then
        say "(as root, through sudo)"
        sudo -v || die "no right to install packages; as root: apt-get install $missing"
    fi
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing ||
        die "the packages could not be installed (no network, no right to, or not Debian 12?).
By hand: apt-get install --no-install-recommends $missing"
}

# Configure a preset and build it, or the target in `build_target`, into build/PRESET.
build_preset() # PRESET [CMAKE OPTION...]
{
    preset=$1
    folder=$root/build/$preset
    shift
    # A checkout that was moved or copied: its build folder still names the old place.
    if [ -f "$folder/CMakeCache.txt" ] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
        rm -rf "$folder"
    fi
    if [ ! -f "$folder/build.ninja" ]; then
        say "Building in build/$preset ..."
    fi
    quietly "$preset-configure" cmake -S "$root" --preset "$preset" "$@" &&
        quietly "$preset-build" cmake --build "$folder" ${build_target:+--target "$build_target"}
}

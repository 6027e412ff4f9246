# The house's rules (rules.awk): they hold in the checkout, and each is seen to catch a breach.
set -u
rules=$SOURCE/tests/house/rules.awk
status=0

# Print the breaches in a tree; fails if there are any.
check_tree() # FOLDER
{
    (
        cd "$1" || exit 2
        find src include cli examples bench -name '*.[ch]' 2>/dev/null | LC_ALL=C sort >"$OLDPWD/files"
        xargs awk -f "$rules" <"$OLDPWD/files"
    )
}

# In a clean little tree plus one file, the rules must report that file and line, and nothing else.
expect() # FILE:LINE TEXT-OF-REPORT CONTENT-OF-FILE
{
    rm -rf tree
    mkdir -p tree/src/base tree/src/cli tree/include/resnet "tree/$(dirname "$1")"
    printf '#include <stdio.h>\n#include "resnet/base.h"\n/* printf( */ // exit(1)\n' \
        >tree/src/base/text.c
    printf 'static const char *t = "abort()"; // says "stderr"\nsnprintf(a, 1, "");\n' \
        >>tree/src/base/text.c
    printf '#include "resnet/resnet.h"\nint main(void) { printf("a"); exit(0); }\n' \
        >tree/src/cli/main.c
    printf '#include "resnet/base.h"\n' >tree/include/resnet/graph.h
    printf '%b' "$3" >"tree/${1%%:*}"
    if [ -z "$2" ]; then
        found=$(check_tree tree) || fail "'$3' in $1: wrongly reported: $found"
        return
    fi
    found=$(check_tree tree) && fail "'$3' in $1 was not reported"
    case $found in
    *"
"*) fail "'$3' in $1: more than one report: $found" ;;
    "$1: "*"$2"*) ;;
    *) fail "'$3' in $1: reported as '$found'" ;;
    esac
}

fail()
{
    echo "$*"
    status=1
}

expect include/resnet/data.h:1 "" '#include "resnet/base.h"\n'
expect include/resnet/graph.h:2 "stands below" '\n#include "resnet/engine.h"\n'
expect include/resnet/train.h:1 "" '#include "resnet/batch.h"\n#include "resnet/base.h"\n'
expect src/graph/chain.c:1 "stands below" '#include "engine/ref/ref.h"\n'
expect src/graph/chain.c:1 "stands below" '#include "resnet/plan.h"\n'
expect src/graph/chain.c:1 "" '#include "graph/chain.h"\n'
expect src/base/more.c:1 "stands below" '#  include "data/idx.h"\n'
expect src/base/more.c:1 "no place in the order" '#include "resnet/resnet.h"\n'
expect src/base/more.c:1 "no known folder" '#include "elsewhere/a.h"\n'
expect src/misc/more.c:1 "no place in the order" 'int a;\n'
expect src/optim/sgd.c:1 "never sees a network" '#include "resnet/graph.h"\n'
expect src/optim/sgd.c:2 "never sees a network" '\nint a = rn_graph_count(g);\n'
expect src/engine/cpu/conv.c:1 "may" '#include <dnnl.h>\n'
expect src/engine/onednn/conv.c:1 "" '#include <dnnl.h>\n'
expect src/engine/onednn/conv.c:1 "may" '#include <immintrin.h>\n'
expect src/engine/cpu/conv.c:1 "" '#include <immintrin.h>\n'
expect src/train/trainer.c:1 "may" '#include <mpi.h>\n'
expect src/parallel/ring.c:1 "" '#include <mpi.h>\n'
expect src/report/page.c:1 "may" '#include <microhttpd.h>\n'
expect src/dashboard/server.c:1 "" '#include <microhttpd.h>\n'
expect src/report/page.c:1 "stands below" '#include "dashboard/request.h"\n'
expect src/store/meta.c:1 "may" '#include <cjson/cJSON.h>\n'
expect src/base/json.h:1 "" '#include <cjson/cJSON.h>\n'
expect src/cli/train.c:1 "public headers" '#include "base/file.h"\n'
expect src/cli/train.c:1 "" '#include "cli/options.h"\n#include "resnet/store.h"\n'
expect examples/small.c:1 "public headers" '#include "cli/options.h"\n'
expect bench/conv.c:1 "public headers" '#include "engine/cpu/cpu.h"\n'
expect bench/conv.c:1 "" '#include "bench/clock.h"\n#include <resnet/plan.h>\n'
expect src/store/text.c:1 "a second file named" 'int a;\n'
expect src/data/idx.c:2 "never prints" '/* a */\n    printf("%%d", 1);\n'
expect src/data/idx.c:1 "never prints" 'fprintf(stderr, "a");\n'
expect src/data/idx.c:2 "never prints" '/* a\n*/ exit (1);\n'
expect src/data/idx.c:1 "never prints" 'if (c == 0x22) /* a */ abort(); // b\n'
expect src/data/idx.c:1 "" 'snprintf(a, "exit(1)"); on_exit_hook(b); /* c */ // abort()\n'
[ $status -eq 0 ] || echo "the rules themselves are at fault"

check_tree "$SOURCE" || status=1
exit $status

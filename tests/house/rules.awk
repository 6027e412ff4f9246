# The house's rules over C files: prints "FILE:LINE: RULE", one line a breach, nothing where all is
# well. Run in the checkout's root, with the files' paths relative to it as arguments (mawk will do).

BEGIN {
    # Who stands above may be included from below (docs/ARCHITECTURE.md).
    split("base image data augment batch graph plan engine optim parallel store train report reproduce dashboard cli", list)
    for (i in list)
        rank[list[i]] = i + 0
    # public headers beside their folder's own
    rank["history"] = rank["plot"] = rank["report"]
    rank["recipe"] = rank["evaluate"] = rank["compare"] = rank["measure"] = rank["train"]

    # header pattern -> the only places that may include it
    only["^<(dnnl|oneapi/)"] = "^src/engine/onednn/"
    only["^<(openmpi/)?mpi"] = "^src/parallel/"
    only["^<[a-z0-9]*(intrin|avx[a-z0-9]*)\\.h>"] = "^src/engine/cpu/"
    only["^<microhttpd"] = "^src/dashboard/"
    only["^[<\"](cjson/)?cJSON"] = "^src/(base/json(_[a-z]+)?|cli/json_output)\\.h$"

    # what a library must not do: its caller decides
    forbidden = "(^|[^A-Za-z0-9_])(printf|vprintf|puts|putchar|perror|exit|_exit|_Exit|quick_exit" \
                "|abort)[ \t]*[(]"
    streams = "(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)"
}

FNR == 1 {
    in_comment = 0
    folder = ""
    program = FILENAME ~ /^(src\/cli|examples|bench)\//
    if (FILENAME ~ /^src\//) {
        split(FILENAME, parts, "/")
        folder = parts[2]
    } else if (FILENAME ~ /^include\/resnet\//) {
        folder = FILENAME
        sub(/.*\//, "", folder)
        sub(/\.h$/, "", folder)
    }
    if (folder != "" && folder != "resnet" && !(folder in rank))
        breach("folder '" folder "' has no place in the order")
    name = FILENAME
    sub(/.*\//, "", name)
    if (FILENAME ~ /^src\// && (name in seen))
        breach("a second file named '" name "', after " seen[name])
    if (FILENAME ~ /^src\//)
        seen[name] = FILENAME
}

{
    code = strip($0)
    if (code ~ /^[ \t]*#[ \t]*include/)
        check_include($0)
    else if (FILENAME ~ /^src\// && !program)
        check_library(code)
}

END {
    exit found > 0
}

function breach(rule)
{
    printf "%s:%d: %s\n", FILENAME, FNR, rule
    found++
}

# The line without its comments, and with its texts and characters emptied.
function strip(line, start)
{
    if (!in_comment) {
        if (line !~ /^[ \t]*#[ \t]*include/) {
            gsub(/'(\\.|[^\\'])'/, "0", line)
            gsub(/"(\\.|[^"\\])*"/, "\"\"", line)
        }
        sub(/\/\/.*/, "", line)
    }
    for (;;) {
        if (in_comment) {
            start = index(line, "*/")
            if (start == 0)
                return ""
            line = substr(line, start + 2)
            in_comment = 0
        }
        start = index(line, "/*")
        if (start == 0)
            return line
        # what stands before a comment is checked, what stands after a closed one also
        if (index(substr(line, start + 2), "*/") == 0) {
            in_comment = 1
            return substr(line, 1, start - 1)
        }
        line = substr(line, 1, start - 1) " " \
               substr(line, start + 3 + index(substr(line, start + 2), "*/"))
    }
}

function check_include(line, target, parts, pattern)
{
    target = line
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
    for (pattern in only)
        if (target ~ pattern && FILENAME !~ only[pattern])
            breach("includes " target ", which only " only[pattern] " may")
    if (target !~ /^["<]([A-Za-z0-9_]+)\//)
        return
    split(substr(target, 2), parts, "/")
    if (parts[1] == "resnet") {
        sub(/\.h[">].*/, "", parts[2])
        if (!program)
            check_order(parts[2])
    } else if (substr(target, 1, 1) == "<") {
        return
    } else if (program && FILENAME !~ ("^(src/)?" parts[1] "/")) {
        breach("includes " target ": programs know public headers only")
    } else if (!program && !(parts[1] in rank)) {
        breach("includes " target " of no known folder")
    } else if (!program) {
        check_order(parts[1])
    }
}

function check_order(target)
{
    if (folder == "" || folder == "resnet")
        return
    if (!(target in rank))
        breach("includes '" target "', which has no place in the order")
    else if (rank[target] > rank[folder])
        breach("'" folder "' includes '" target "', which stands below it")
    else if (folder == "optim" && target == "graph")
        breach("'optim' includes 'graph': it never sees a network")
}

function check_library(code)
{
    if (code ~ forbidden || code ~ streams)
        breach("a library never prints, exits or aborts: " code)
    if (FILENAME ~ /^src\/optim\// && code ~ /rn_graph_/)
        breach("optim never sees a network: " code)
}

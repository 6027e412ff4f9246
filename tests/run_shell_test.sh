#!/bin/sh
# run_shell_test.sh SCRIPT: run it in a fresh folder that goes away afterwards.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
sh "$1"

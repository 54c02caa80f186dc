#!/usr/bin/env bash
# quickstart.sh [FILE]: from a table to its report. Without FILE, a sample table with known effects is made first.
# Prints the report's path on stdout; everything else goes to stderr. Exit codes are those of the commands.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

if [ $# -gt 1 ]; then
  fail 2 "usage: bash scripts/quickstart.sh [FILE]"
fi

absolute() {
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s\n' "$PWD/$1" ;;
  esac
}

# Paths are the caller's; the commands run from the checkout, where no other folder can hide a package of this project.
export TOOLKIT_APPDATA
TOOLKIT_APPDATA=$(absolute "${TOOLKIT_APPDATA:-$root/appdata}")
table=${1:+$(absolute "$1")}
if [ -n "$table" ] && [ ! -e "$table" ]; then
  fail 2 "no such file: $table"
fi
cd "$root"

prepare_environment "$root"

if [ -z "$table" ]; then
  table=$TOOLKIT_APPDATA/sample/orders.csv
  say "1/3 sample: a table with known effects (docs/sample-table.md)"
  "$python" -m toolkit.sample --rows "${TOOLKIT_SAMPLE_ROWS:-200000}" --seed 20260101 --out "$table" >&2
fi

say "2/3 convert: $table"
store=$("$python" -m toolkit.convert "$table")

say "3/3 run: every plugin over every row of $store"
status=0
report=$("$python" -m toolkit.run "$store" --workers auto) || status=$?
if [ -n "$report" ]; then
  say "the report:"
  printf '%s\n' "$report"
fi
exit "$status"

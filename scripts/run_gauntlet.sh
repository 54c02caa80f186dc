#!/usr/bin/env bash
# run_gauntlet.sh: every check of the project. All groups run, whatever fails; the exit code is 1 when one did.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"

# A setting of the caller's must not change what is tested; only the place of the real data is the caller's to choose.
real_data=${TOOLKIT_REAL_DATA:-}
for name in "${!TOOLKIT_@}"; do unset "$name"; done
if [ -z "$real_data" ] && [ -d "$root/../shared/data" ]; then
  real_data=$(cd "$root/../shared/data" && pwd -P)
elif [ -n "$real_data" ] && [ -d "$real_data" ]; then
  real_data=$(cd "$real_data" && pwd -P)
fi
if [ -n "$real_data" ]; then export TOOLKIT_REAL_DATA=$real_data; fi

cd "$root"
prepare_environment "$root" "dev,excel,hdf5"

# The tests of report.html drive a browser; without one they say that they were skipped.
if ! command -v chromium >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  say "installing chromium for the tests in a browser"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y chromium; } >/dev/null 2>&1 ||
    say "chromium could not be installed: the tests in a browser will be skipped"
fi

summary=()
failed=0

group() {
  local name=$1 started=$SECONDS verdict=ok
  shift
  printf '\n== %s\n' "$name"
  "$@" || { verdict=FAILED; failed=$((failed + 1)); }
  summary+=("$(printf '%-7s %-14s %4d s' "$verdict" "$name" $((SECONDS - started)))")
}

bin=$root/.venv/bin
group "format" "$bin/ruff" format --check .
group "lint" "$bin/ruff" check .
group "types" "$bin/mypy"
group "import rules" "$bin/lint-imports" --config setup.cfg
# An empty -m lifts the default of leaving out slow tests. The size rules are tests/unit/test_size_rules.py.
group "tests" "$python" -m pytest -q -m ""

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
if [ "$failed" -gt 0 ]; then
  say "error: $failed of ${#summary[@]} groups failed"
  exit 1
fi

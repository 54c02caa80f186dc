# Sourced by the other scripts: makes the checkout's own environment, .venv, and keeps it in step with the project's files.
# Needs bash and Python 3.11 or later; nothing else.

say() { printf '%s\n' "$*" >&2; }

fail() {
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}

# Print the first interpreter that is new enough and able to make environments.
find_python() {
  local name
  for name in python3.11 python3 python3.12 python3.13 python3.14 python; do
    # Run it: a version manager's stub may be on the path with nothing behind it.
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

# What the environment must match: the project's files, this folder (environments can't be moved) and the interpreter.
environment_digest() {
  "$1" - "$2" <<'PY'
import hashlib, pathlib, sys

root = pathlib.Path(sys.argv[1])
digest = hashlib.sha256(f"{root}\n{sys.version}\n".encode())
for name in ("pyproject.toml", "setup.cfg", "constraints.txt"):
    digest.update((root / name).read_bytes())
print(digest.hexdigest())
PY
}

# prepare_environment ROOT [EXTRAS]: sets `python` to the environment's interpreter. EXTRAS as in "dev,hdf5"; an environment
# with more extras than asked for will do.
prepare_environment() {
  local root=$1 extras=${2:-} stamp=$1/.venv/.stamp base wanted have=""
  python=$root/.venv/bin/python
  unset PYTHONHOME PYTHONPATH
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  base=$(find_python) || fail 3 "no Python 3.11 or later with the venv and ensurepip modules was found on the PATH" \
    "(on Debian and Ubuntu they are in the package python3-venv)"
  wanted=$(environment_digest "$base" "$root")
  if [ -f "$stamp" ]; then have=$(cat "$stamp"); fi
  if [ "${have%% *}" = "$wanted" ] && { [ -z "$extras" ] || [ "${have#* }" = "$extras" ]; } && "$python" -c '' 2>/dev/null; then
    return 0
  fi
  say "preparing $root/.venv (once; some minutes when packages must be downloaded)"
  rm -f "$stamp"
  if ! "$python" -m pip --version >/dev/null 2>&1; then
    "$base" -m venv --clear "$root/.venv" || fail 3 "$base could not make the environment $root/.venv"
  fi
  # The build tool is installed from the same pins, so that nothing outside constraints.txt takes part.
  "$python" -m pip install --quiet -c "$root/constraints.txt" setuptools >&2 ||
    fail 3 "pip could not install setuptools; is a package index within reach?"
  "$python" -m pip install --quiet --no-build-isolation -c "$root/constraints.txt" -e "$root${extras:+[$extras]}" >&2 ||
    fail 3 "pip could not install the project's dependencies; its messages are above"
  # As pip does for packages that are not editable: else, where PYTHONDONTWRITEBYTECODE is set, every command compiles anew.
  "$python" -m compileall -q "$root/toolkit" "$root/stores" || true
  printf '%s %s\n' "$wanted" "$extras" >"$stamp"
}

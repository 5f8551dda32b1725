# Shared by scripts/demo, scripts/test and the suites: what they need to find or set up. Sourced, never run.

here=$(dirname -- "$0")
[ -f "$here/lib.sh" ] || here=$here/.. # a suite lies one folder deeper
root=$(CDPATH='' cd -- "$here/.." && pwd)
cd "$root" || exit 2

# Compiled files may be kept outside the clone between runs.
target=${CARGO_TARGET_DIR:-$root/target}
export CARGO_TARGET_DIR="$target"
tools=${CHANGEOVER_TOOLS:-$target/tools}

say() { printf '%s\n' "$*" >&2; }

# The one line to run when something of the system is missing; as root it is run here.
packages() {
    missing=''
    for pair in "$@"; do
        program=${pair%%:*} package=${pair#*:}
        command -v "$program" >/dev/null 2>&1 || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    line="apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing:$missing"
        # Services of the packages must not start by themselves.
        { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive sh -c "$line -qq"; } >&2 && return 0
    fi
    say "missing:$missing"
    say "run: sudo $line"
    return 1
}

# A virtual environment of Python packages, kept between runs: venv NAME REQUIREMENT...
venv() {
    name=$1
    shift
    dir=$tools/$name
    stamp=$(printf '%s\n' "$@" | cksum | tr ' ' -)
    if [ ! -f "$dir/$stamp" ]; then
        say "setting up Python packages: $* (about a minute)"
        rm -rf "$dir"
        mkdir -p "$tools"
        python3 -m venv "$dir" || { say "run: sudo apt-get install -y python3-venv"; return 1; }
        "$dir/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 || return 1
        : >"$dir/$stamp"
    fi
}

moto_requirement='moto[ec2,rds,s3,server]==5.2.5'

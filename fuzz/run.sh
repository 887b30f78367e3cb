#!/bin/sh
# Runs every fuzz target for SECONDS (20) seconds each, or those named behind it; any finding fails.
#
#     [FUZZ_SEED=1] fuzz/run.sh [SECONDS [TARGET...]]
#
# The same seed tries the same inputs, as far as the time reaches; 0 draws another at each run.
# What a run learns is kept in target/fuzz-corpus and read again by the next; fuzz/corpus holds the seeds.
# A finding is an input in fuzz/artifacts; `cargo fuzz run TARGET FILE` repeats it.
set -eu

cd "$(dirname "$0")/.."
seconds=${1:-20}
[ $# -eq 0 ] || shift
version=0.13.2

# cargo-fuzz needs the compiler's sanitizers, which stable has behind this switch.
export RUSTC_BOOTSTRAP=1
PATH="$PWD/target/tools/bin:$PATH"
if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $version" ]; then
    echo "fuzz: installing cargo-fuzz $version (about a minute, once)"
    # With the caller's own compiler settings, not the switch above.
    env -u RUSTC_BOOTSTRAP cargo install --quiet --locked --root target/tools "cargo-fuzz@$version"
fi

[ $# -gt 0 ] || set -- $(cargo fuzz list)
cargo fuzz build --target-dir target/fuzz
for target; do
    echo "fuzz: $target, $seconds s"
    mkdir -p "target/fuzz-corpus/$target"
    log="target/fuzz-corpus/$target.log"
    if ! cargo fuzz run --target-dir target/fuzz "$target" "target/fuzz-corpus/$target" "fuzz/corpus/$target" -- \
        -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -max_len=16384 -timeout=5 -rss_limit_mb=2048 -malloc_limit_mb=256 \
        -print_final_stats=1 >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz: $target FAILED; the whole log is $log" >&2
        exit 1
    fi
    sed -n 's/^stat::number_of_executed_units: */fuzz:   inputs run: /p' "$log"
done

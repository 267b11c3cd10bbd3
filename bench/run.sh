#!/bin/sh
# Runs the benches that have goals and writes one table: bench/results/<commit>.md, or the file that is named.
#
# usage: bench/run.sh BUILD_DIR [FILE]
set -eu
build=${1:?usage: bench/run.sh BUILD_DIR [FILE]}
cd "$(dirname "$0")/.."
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- src include || commit="$commit and changes"
file=${2:-bench/results/$(git rev-parse --short HEAD).md}
mkdir -p "$(dirname "$file")"

{
  echo "# Results"
  echo
  echo "Commit $commit, $(date -u +%Y-%m-%d). $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors,"
  echo "$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, Linux $(uname -r | sed 's/-.*//'), libtorrent $(pkg-config --modversion libtorrent-rasterbar)."
  echo "Load at the start, 1 and 5 minutes: $(cut -d' ' -f1,2 /proc/loadavg)."
  echo
  echo "Medians; competitors take turns, each sample in a process of its own. *ratio* is ours to libtorrent's mmap disk on"
  echo "tmpfs, or our own figure where the goal is absolute. *vectors* is the simplest disk in memory, a vector for each piece and all work on the"
  echo "network thread. *reached* allows 8 % on CPU and 15 % on wall figures. Where the load is above the number of processors, CPU figures"
  echo "say more than wall figures, and latencies say how long the queue for a processor was."
  echo
  echo "| goal | work | ours | mmap | posix | vectors | ratio | wanted | reached |"
  echo "|--:|---|--:|--:|--:|--:|--:|--:|:-:|"
} >"$file"
for bench in bench_disk bench_pool bench_disk_growth; do
  echo "$bench" >&2
  "$build/$bench" >>"$file"
done
echo "bench_swarm" >&2
"$build/bench_swarm" >>"$file"
# nginx is the competitor of one; installing Debian's starts a server on port 80, so that is for you to do.
PATH="$PATH:/usr/sbin"
parts=seek
if command -v nginx >/dev/null; then parts="throughput seek"; else echo "no nginx (Debian: nginx-light): goal 16 is left out" >&2; fi
for script in "http_cached.py $parts" "streaming.py window"; do
  echo "$script" >&2
  # shellcheck disable=SC2086  # a name and its arguments
  SLIPSTREAM_BIN="$build/slipstream" python3 -B bench/$script >>"$file"
done
cat "$file"

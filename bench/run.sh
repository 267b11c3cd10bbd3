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
  echo "tmpfs, or our own figure where the goal is absolute. *reached* allows 8 % on CPU and 15 % on wall figures. Where the load is"
  echo "above the number of processors, CPU figures say more than wall figures, and latencies say how long the queue for a processor was."
  echo
  echo "| goal | work | ours | mmap | posix | ratio | wanted | reached |"
  echo "|--:|---|--:|--:|--:|--:|--:|:-:|"
} >"$file"
for bench in bench_disk bench_pool bench_disk_growth; do
  echo "$bench" >&2
  "$build/$bench" >>"$file"
done
cat "$file"

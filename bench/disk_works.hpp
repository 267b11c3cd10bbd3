// The works that bench_disk gives each disk. Each makes its own disk, does its work on the network thread as a session
// would (a few blocks an event, then submit_jobs(); a peer that was told to stop waits for its observer; async_hash right
// behind a piece's last write), checks every byte or hash, and answers its figures. A wrong answer throws.
//
// Reads in a timed pass are checked by each block's stamp; the same reads are then done again, untimed, and compared
// byte by byte.
#pragma once

#include "disk_driver.hpp"

namespace slipstream::bench {

struct fill_options
{
	std::int64_t total_bytes = std::int64_t{1} << 30;
	int piece_blocks = 16;
	protocol kind = protocol::v1;
	bool hashed = true;
};

// wall_gbs: GB (10^9) a second until every piece is verified; cpu, net: seconds a GB, of all threads and the network's.
[[nodiscard]] figures fill(std::string const& disk, fill_options const& o);
// Pieces of 4 MiB arriving in order at 1 GB/s. p50, p99: us from the last block's write to the hash.
[[nodiscard]] figures hash_latency(std::string const& disk);

struct read_options
{
	int depth = 1;
	bool straddling = false; // half of one block, half of the next
	int reads = 20'000;
};
// p50, p99: us; ops: a second; cpu, net: us a read.
[[nodiscard]] figures random_reads(std::string const& disk, read_options const& o);

// 16 torrents of 32 MiB at depth 32; one is deleted and added anew every 512 operations. ops: a second; cpu: us each.
[[nodiscard]] figures mixed(std::string const& disk);

// A torrent of 1 GiB is stopped and removed. net: ms of the network thread; longest: us in one call.
[[nodiscard]] figures removal(std::string const& disk);

} // namespace slipstream::bench

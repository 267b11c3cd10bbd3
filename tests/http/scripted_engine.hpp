// An engine for tests of what lies above it: torrents made of strings, whose bytes come, stall and fail
// when the test says so.
//
// script.cpp is what the test says; scripted_engine.cpp defines the functions of <slipstream/engine.hpp>; a program links either it or the
// real engine. Each engine that is constructed is told by the newest `script`. Any thread.
#pragma once

#include <slipstream/engine.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace slipstream::test {

struct scripted_torrent
{
	torrent_summary summary;
	std::vector<std::string> contents;  // by file index
	std::size_t here_bytes = 0;         // bytes from the start of each file that can be read now
	std::optional<errc> read_failure;   // of reads beyond
	std::string failure_detail;         // what readers say of it
	std::vector<std::function<void(boost::system::error_code)>> ready_waits;
};

class script
{
public:
	script();

	// A ready torrent. `here_bytes` of each file can be read at once.
	void add(std::string const& id, std::vector<std::pair<std::string, std::string>> files
		, std::size_t here_bytes = std::string::npos);
	void add_waiting(std::string const& id);  // in the metadata phase

	// Bytes up to here can be read from now on; waiting reads are served.
	void arrive(std::string const& id, std::size_t here_bytes);
	// Reads of what is not here fail from now on, waiting ones too.
	void fail_reads(std::string const& id, errc e, std::string const& detail = {});
	// Ends the waits for the metadata.
	void set_use(std::string const& id, torrent_use use, std::optional<std::chrono::system_clock::time_point> drops_at);
	void fail_metadata(std::string const& id, errc e);
	void become_ready(std::string const& id, std::vector<std::pair<std::string, std::string>> files);

	// Waits, at most 20 s, until so many readers are open, reads wait, or waits for metadata.
	[[nodiscard]] bool wait_for_readers(std::size_t count);
	[[nodiscard]] bool wait_for_waiting_reads(std::size_t count);
	[[nodiscard]] bool wait_for_ready_waits(std::size_t count);
	// Waits until no lease is given for a while: every client has what it takes.
	[[nodiscard]] bool wait_until_still();
	[[nodiscard]] int readers_opened();
	[[nodiscard]] std::size_t largest_lease();
	// Of all leases that were alive at once.
	[[nodiscard]] std::size_t most_lent_bytes();
	// What engine::add was called with.
	[[nodiscard]] std::vector<std::string> added();

	class state;
	[[nodiscard]] std::shared_ptr<state> const& shared() const { return m_state; }

private:
	std::shared_ptr<state> m_state;
};

} // namespace slipstream::test

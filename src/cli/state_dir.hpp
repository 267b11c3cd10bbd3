// A folder that remembers torrents and the DHT from one run of `slipstream serve` to the next.
//
//   DIR/lock                  held while a server uses the folder
//   DIR/session.state         the DHT's nodes
//   DIR/torrents/<id>.resume  one torrent each, as libtorrent's resume data
//   ... .tmp                  being written; left behind only when the machine or the process died in the middle
//   ... .unreadable           what could not be used is kept under this name, and never written over
//
// Each file is written beside its place, synced and renamed: after a crash it is the old one or the
// new one, whole. Owned by `serve`; one thread. It knows files, and nothing of what is in them.
#pragma once

#include <slipstream/error.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::cli {

class state_dir
{
public:
	struct remembered
	{
		std::string id;  // the file's name says so; hex, 40 or 64
		std::vector<char> bytes;
	};
	struct contents
	{
		std::vector<remembered> torrents;     // in order of their ids
		std::vector<char> session;            // empty when there is none
		std::vector<std::string> complaints;  // one sentence for each file that was passed over
	};

	// Makes the folder where it is not there (for its owner alone), and takes the lock. Throws
	// std::runtime_error, with the path and the reason: it cannot be used, or another server uses
	// it.
	explicit state_dir(std::string const& path);
	~state_dir();
	state_dir(state_dir const&) = delete;
	state_dir& operator=(state_dir const&) = delete;

	[[nodiscard]] contents load();

	// Errors: bad_argument, with the path and the system's reason; what was there before is still
	// there then. The value is the path.
	[[nodiscard]] expected<std::string> save(std::string_view id, std::span<char const> bytes);
	[[nodiscard]] expected<std::string> save_session(std::span<char const> bytes);
	// Idempotent.
	[[nodiscard]] expected<std::string> forget(std::string_view id);
	// Keeps a file that cannot be used under another name, which is the value.
	[[nodiscard]] expected<std::string> set_aside(std::string_view id);
	[[nodiscard]] expected<std::string> set_session_aside();

private:
	[[nodiscard]] std::filesystem::path path_of(std::string_view id) const;

	std::filesystem::path const m_path;
	int m_lock = -1;
};

} // namespace slipstream::cli

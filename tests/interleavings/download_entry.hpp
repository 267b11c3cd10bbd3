// libtorrent's download entry of one piece, by hand: which of its blocks are being written or written, by whom, whether it is
// being hashed, has passed, is locked. Owned by fake_torrent, one thread. It asks for no hash and judges nobody.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace slipstream::test {

struct fake_peer;

class download_entry
{
public:
	explicit download_entry(int const num_blocks) : m_blocks(static_cast<std::size_t>(num_blocks)) {}

	// -- what is written; `by`: null where it is no peer

	// It is there from now on, if it was not.
	void writing(int block, std::shared_ptr<fake_peer> const& by);
	// Likewise. Whether the block was not written before.
	bool finished(int block, std::shared_ptr<fake_peer> const& by);
	// Whether the block was being written. It may leave an entry of no block: closing it is the torrent's.
	bool cancelled(int block);
	// Its blocks stay, without that name.
	void disconnected(std::shared_ptr<fake_peer> const& peer);
	// There is none any more.
	void close();

	// -- its hash

	void hash_begins() { m_hashing = true; }
	void hash_ends() { m_hashing = false; }
	void passes() { m_passed = true; }
	// And is locked, until it is closed.
	void fails();

	// -- what it is

	[[nodiscard]] int num_blocks() const { return static_cast<int>(m_blocks.size()); }
	[[nodiscard]] bool is_open() const { return m_open; }
	[[nodiscard]] bool is_hashing() const { return m_hashing; }
	[[nodiscard]] bool has_passed() const { return m_passed; }
	[[nodiscard]] bool is_locked() const { return m_locked; }
	// A block is written or being written.
	[[nodiscard]] bool is_begun() const;
	// Every block is written or being written.
	[[nodiscard]] bool is_finished() const;
	// It has passed, and every block is written.
	[[nodiscard]] bool is_flushed() const;
	[[nodiscard]] bool is_begun(int block) const;
	[[nodiscard]] bool is_written(int block) const;
	// Whether a wrong hash would be blamed on somebody.
	[[nodiscard]] bool names_anybody() const;

private:
	enum class block_state { none, writing, finished };
	struct part
	{
		block_state state = block_state::none;
		std::weak_ptr<fake_peer> by; // whom a wrong hash is blamed on
	};

	bool m_open = false;
	bool m_hashing = false;
	bool m_passed = false;
	bool m_locked = false;
	std::vector<part> m_blocks;
};

} // namespace slipstream::test

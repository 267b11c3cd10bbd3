// Carries what the disk tells of pieces (verified, gone, failed, a block that was awaited) from
// libtorrent's thread, and "the capacity is another" from anyone's, to the engine's.
//
// Owned by the core, known weakly by the disk's extension. It only posts: no lock but the loop's gate, no
// libtorrent call, nothing that can throw but for want of memory, which is caught. It holds no state.
#pragma once

#include "engine/core.hpp"
#include "engine/engine_loop.hpp"

#include <slipstream/memory_disk.hpp>

#include <memory>
#include <utility>

namespace slipstream {

class piece_wakeup final : public memory_events
{
public:
	piece_wakeup(std::shared_ptr<engine_loop> loop, std::weak_ptr<core> c)
		: m_loop(std::move(loop)), m_core(std::move(c)) {}

	void piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t const piece) override
	{ tell(&core::piece_verified, torrent, piece); }
	void piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t const piece) override
	{ tell(&core::piece_gone, torrent, piece); }

	void block_written(lt::info_hash_t const& torrent, lt::piece_index_t const piece) override
	{ tell(&core::block_written, torrent, piece); }
	void piece_failed(lt::info_hash_t const& torrent, lt::piece_index_t const piece) override
	{ tell(&core::piece_failed, torrent, piece); }

	void capacity_changed(std::int64_t) override
	{
		try { m_loop->post([weak = m_core] { if (auto const c = weak.lock()) c->capacity_changed(); }); }
		catch (std::exception const&) {}  // peers keep the limits they have; the disk's own hold
	}

private:
	void tell(void (core::*what)(lt::info_hash_t const&, lt::piece_index_t), lt::info_hash_t const& torrent
		, lt::piece_index_t const piece)
	{
		try
		{
			m_loop->post([weak = m_core, what, torrent, piece]
				{ if (auto const c = weak.lock()) (c.get()->*what)(torrent, piece); });
		}
		catch (std::exception const&) {}  // no memory for a post: the reader's time-out stands
	}

	std::shared_ptr<engine_loop> const m_loop;
	std::weak_ptr<core> const m_core;
};

} // namespace slipstream

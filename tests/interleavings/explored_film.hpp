// One torrent of forgetting_explorer, and what its application knows of it. Owned by its explorer; one thread.
#pragma once

#include "disk/torrent_storage.hpp"
#include "interleavings/forgetting_explorer.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace slipstream::test {

struct forgetting_explorer::film
{
	struct events final : memory_events
	{
		forgetting_explorer& all;
		film& of;
		events(forgetting_explorer& e, film& f) : all(e), of(f) {}
		void piece_verified(lt::info_hash_t const&, lt::piece_index_t const piece) override
		{
			of.verified.insert(static_cast<int>(piece));
			++all.m_seen.passed;
		}
		void piece_gone(lt::info_hash_t const&, lt::piece_index_t const piece) override
		{
			auto const p = static_cast<int>(piece);
			++all.m_seen.gone;
			all.expect(of.verified.erase(p) == 1, of.text(p) + " is gone, and was not verified");
			all.expect(of.going.erase(p) == 1 || of.stands(p) != standing::kind::kept, of.text(p) + " was protected, and is gone");
		}
	};

	forgetting_explorer& all;
	std::shared_ptr<fake_torrent> torrent;
	std::shared_ptr<events> hears;
	std::set<int> verified;
	std::set<int> going;       // forgetting them began
	std::vector<bool> wished;  // by the application
	int position = 0;          // of its reader
	std::set<int> given;       // by the application, with add_piece()

	film(forgetting_explorer& e, std::shared_ptr<fake_torrent> t)
		: all(e), torrent(std::move(t)), hears(std::make_shared<events>(e, *this)) {}
	[[nodiscard]] std::shared_ptr<torrent_storage> storage() const { return all.m_core->find_owned_by(torrent.get()); }
	[[nodiscard]] std::string text(int const p) const
	{ return "piece " + std::to_string(p) + " of torrent " + std::to_string(torrent->number); }
	// By libtorrent's fault, not by forgetting's own add_piece().
	[[nodiscard]] bool is_never_hashed(int const p) const { return given.count(p) != 0 && torrent->is_never_hashed(p); }
	[[nodiscard]] standing::kind stands(int const p) const
	{
		auto const s = storage();
		return s ? all.m_core->cache.standing_of(s->cache_id(), p).what : standing::kind::unprotected;
	}
};

} // namespace slipstream::test

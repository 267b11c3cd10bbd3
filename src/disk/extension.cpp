#include "disk/extension.hpp"

#include "disk/admission.hpp"
#include "disk/asking_again.hpp"
#include "disk/disk_core.hpp"
#include "disk/sending_at_once.hpp"
#include "disk/torrent_storage.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace slipstream {

namespace {

// A message of BEP 3's framing with a piece's index at its end.
template <std::size_t N>
void append(std::vector<char>& to, std::array<char, N> const& head, lt::piece_index_t const piece)
{
	auto const p = static_cast<std::uint32_t>(static_cast<int>(piece));
	to.insert(to.end(), head.begin(), head.end());
	for (int const shift : {24, 16, 8, 0}) to.push_back(static_cast<char>(p >> shift));
}

// Belongs to one connection, which owns it. Tells the peer what libtorrent does not: the pieces of
// which a write is held (before 2.0.11 its bitfield, sent at the handshake, knows only of pieces
// all of whose writes completed), and what is gone. Knows whether the peer understands lt_donthave
// (BEP 54).
class peer_part final : public lt::peer_plugin
{
public:
	using held_pieces = std::function<std::vector<lt::piece_index_t>()>;
	using is_verified = std::function<bool(lt::piece_index_t)>;

	peer_part(lt::peer_connection_handle peer, held_pieces held, is_verified is_here)
		: m_peer(std::move(peer)), m_held(std::move(held)), m_is_here(std::move(is_here)) {}

	// The first call for which the connection is open, whoever opened it.
	bool on_handshake(lt::span<char const>) override { send_at_once(m_peer); return true; }
	// Our bitfield is sent when the peer's handshake has come, so each of these comes after it.
	void sent_have_none() override { tell_held(); }
	bool on_bitfield(lt::bitfield const&) override { tell_held(); return false; }
	bool on_have_all() override { tell_held(); return false; }
	bool on_have_none() override { tell_held(); return false; }
	bool on_interested() override { tell_held(); return false; }
	// A peer that has nothing and does not speak BEP 6 says nothing before it hears of something.
	void tick() override
	{
		if (!m_told && !m_peer.is_connecting() && !m_peer.in_handshake()) tell_held();
	}

	bool on_extension_handshake(lt::bdecode_node const& handshake) override
	{
		// BEP 10: a later handshake says what has changed, and 0 that it is not understood any more.
		auto const m = handshake.dict_find_dict("m");
		if (auto const id = m ? m.dict_find_int("lt_donthave") : lt::bdecode_node())
			m_dont_have_id = static_cast<std::uint8_t>(id.int_value());
		// What went before this came. What is here again was announced again, after that.
		if (!std::exchange(m_greeted, true))
		{
			for (auto const piece : std::exchange(m_gone_early, {}))
				if (!m_is_here(piece)) tell_gone(piece);
		}
		tell_held();
		return true;
	}

	void tell_gone(lt::piece_index_t const piece)
	{
		if (!m_greeted) m_gone_early.insert(piece);
		if (m_dont_have_id == 0) return;
		std::vector<char> message;
		// BEP 10: length, extended (20), the peer's number for the message; BEP 54: the piece.
		append(message, std::array<char, 6>{0, 0, 0, 6, 20, static_cast<char>(m_dont_have_id)}, piece);
		m_peer.send_buffer(message.data(), static_cast<int>(message.size()));
	}

private:
	// Once. What passes its hash later is announced by libtorrent.
	void tell_held()
	{
		if (std::exchange(m_told, true)) return;
		std::vector<char> messages;
		// BEP 3: length, have (4), the piece.
		for (auto const piece : m_held()) append(messages, std::array<char, 5>{0, 0, 0, 5, 4}, piece);
		if (!messages.empty()) m_peer.send_buffer(messages.data(), static_cast<int>(messages.size()));
	}

	lt::peer_connection_handle m_peer;
	held_pieces const m_held;
	is_verified const m_is_here;
	std::uint8_t m_dont_have_id = 0;
	bool m_greeted = false;                    // its extension handshake came
	std::set<lt::piece_index_t> m_gone_early; // before that; no more than the torrent has pieces
	bool m_told = false;
};

// Belongs to one libtorrent torrent, which owns it. Network thread only.
class torrent_part final : public lt::torrent_plugin, public forgetting_host
	, public std::enable_shared_from_this<torrent_part>
{
public:
	torrent_part(lt::torrent_handle torrent, std::shared_ptr<disk_core> core, std::weak_ptr<memory_events> events
		, wanting const who)
		: m_torrent(std::move(torrent)), m_core(std::move(core)), m_events(std::move(events)), m_admission(who) {}

	std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& peer) override
	{
		if (peer.type() != lt::connection_type::bittorrent) return nullptr; // web seeds are told nothing
		std::erase_if(m_peers, [](auto const& weak) { return weak.expired(); });
		auto part = std::make_shared<peer_part>(peer, [weak = weak_from_this()] {
			auto const self = weak.lock();
			auto const s = self ? self->storage() : nullptr;
			return s ? s->held_pieces() : std::vector<lt::piece_index_t>{};
		}, [weak = weak_from_this()](lt::piece_index_t const piece) {
			auto const self = weak.lock();
			auto const s = self ? self->storage() : nullptr;
			return s && s->pieces().state(piece) == piece_state::verified;
		});
		m_peers.push_back(part);
		return part;
	}

	// Once a second. What is wanted has changed, or what fits.
	void tick() override
	{
		auto const s = storage();
		if (!s) return;
		m_admission.review(*s, m_torrent);
		for (auto const piece : s->held_pieces()) keep_wanted(piece);
		s->tell_cache_what_it_missed();
		s->core().cache.make_room(); // for pieces that could not go when they were asked to
		s->core().look_for_room();
		bool const paused = bool(m_torrent.flags() & lt::torrent_flags::paused);
		if (!paused) s->recheck_if_due();
		if (!paused && !s->core().cache.is_low() && s->has_heard_of_cancelled() && ask_again(m_torrent, s->pieces().states()))
			s->asked_again();
		if (s->core().cache.crowded())
			s->forget_stranded([&](lt::piece_index_t const p) { return m_torrent.piece_priority(p) != lt::dont_download; });
	}

	void on_piece_pass(lt::piece_index_t const piece) override
	{
		auto const s = storage();
		if (!s) return;
		if (s->holds(piece) && s->pieces().state(piece) == piece_state::verified) return s->counted_twice();
		s->verified(piece);
		if (s->holds(piece)) keep_wanted(piece);
	}

	// In a torrent of v2 alone libtorrent asks peers for the hashes of the piece's blocks now (see
	// forgetting.hpp).
	void on_piece_failed(lt::piece_index_t const piece) override
	{
		if (auto const s = storage(); s && !s->info_hashes().has_v1()) s->never_hold(piece);
	}

	// Where libtorrent stops the torrent for a peer's hashes the error is cleared, and there is no
	// pause (true), unless the torrent was paused before: then this is the end of a graceful pause,
	// which stands. The engine's alert_pump relies on the error being gone.
	bool on_pause() override
	{
		if (stops_for_hashes_of_a_peer())
		{
			m_torrent.clear_error();
			if (!m_is_paused_by_others)
			{
				m_torrent.resume();
				return true;
			}
		}
		m_is_paused_by_others = true;
		return false;
	}

	bool on_resume() override
	{
		m_is_paused_by_others = false;
		return false;
	}

	// After a check libtorrent has pieces that never "passed": it hashed what was in memory. And it
	// clears none that it found wrong: these are noted.
	void on_files_checked() override
	{
		auto const s = storage();
		if (!s) return;
		m_admission.review(*s, m_torrent);
		if (s->pieces().empty()) return;
		auto const have = m_torrent.status(lt::torrent_handle::query_pieces).pieces;
		// Without piece layers (BEP 52: a magnet link's may still be on their way) nothing was judged.
		bool const judged = s->info_hashes().has_v1() || knows_piece_layers();
		for (auto const piece : have.range())
		{
			if (s->pieces().state(piece) != piece_state::complete) continue;
			if (have.get_bit(piece)) s->verified(piece);
			else if (judged) s->found_wrong(piece);
		}
		s->core().cache.make_room();
	}

	void on_state(lt::torrent_status::state_t const state) override
	{
		auto const s = storage();
		if (s && state == lt::torrent_status::checking_resume_data) s->recheck_begins();
	}

	void withhold(lt::piece_index_t const piece) override
	{
		if (auto const s = storage()) m_admission.withhold(*s, m_torrent, piece);
	}

	void tell_peers(lt::piece_index_t const piece) override
	{
		for (auto const& weak : m_peers)
			if (auto const peer = weak.lock()) peer->tell_gone(piece);
	}

	void review() override
	{
		if (auto const s = storage()) m_admission.review(*s, m_torrent);
	}

private:
	// A hybrid torrent stops when a peer sends right hashes of a piece that libtorrent does not
	// "have": because a write is held, or because it was given up (see forgetting.hpp). What v1 and
	// v2 really disagree about is found when a hash is delivered.
	[[nodiscard]] bool stops_for_hashes_of_a_peer()
	{
		auto const s = storage();
		return s && s->core().cache.enabled() && !s->delivers_hash()
			&& m_torrent.status({}).errc == lt::errors::torrent_inconsistent_hashes;
	}

	// At this moment: of those that come later libtorrent 2.0.8 takes no note, and goes on asking.
	[[nodiscard]] bool knows_piece_layers() const
	{
		auto const info = m_torrent.torrent_file();
		if (!info) return false;
		auto const& files = info->orig_files();
		auto const layers = m_torrent.piece_layers();
		for (auto const file : files.file_range())
		{
			// A file of one piece has none: its root is that piece's hash.
			if (files.pad_file_at(file) || files.file_size(file) <= files.piece_length()) continue;
			auto const i = static_cast<std::size_t>(static_cast<int>(file));
			if (i >= layers.size() || layers[i].empty()) return false;
			if (std::ranges::any_of(layers[i], [](lt::sha256_hash const& hash) { return hash.is_all_zeros(); })) return false;
		}
		return true;
	}

	// An application may have stopped wanting a piece while it came. libtorrent counts one that
	// passed, of which a write is held, and that is not wanted twice, and then thinks that it has
	// finished (see forgetting.hpp).
	void keep_wanted(lt::piece_index_t const piece)
	{
		if (m_torrent.piece_priority(piece) == lt::dont_download) m_torrent.piece_priority(piece, lt::low_priority);
	}

	// Looked up when needed: a magnet link's storage comes with its metadata.
	[[nodiscard]] std::shared_ptr<torrent_storage> storage()
	{
		if (auto s = m_storage.lock()) return s;
		auto const owner = m_torrent.native_handle();
		auto s = m_core->find_owned_by(owner.get());
		if (!s) return nullptr;
		m_storage = s;
		s->learn(m_torrent.info_hashes());
		if (!s->info_hashes().has_v1() && !knows_piece_layers()) s->hold_none();
		m_core->enter_names(s);
		s->report_to(m_events);
		s->attach(m_torrent, weak_from_this());
		return s;
	}

	lt::torrent_handle const m_torrent;
	std::shared_ptr<disk_core> const m_core;
	std::weak_ptr<memory_events> const m_events;
	std::vector<std::weak_ptr<peer_part>> m_peers;
	std::weak_ptr<torrent_storage> m_storage;
	admission m_admission;
	bool m_is_paused_by_others = false; // by the application, or libtorrent for another reason
};

class session_part final : public lt::plugin
{
public:
	session_part(std::shared_ptr<disk_core> core, std::weak_ptr<memory_events> events, wanting const who)
		: m_core(std::move(core)), m_events(std::move(events)), m_who(who) {}

	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const& torrent, lt::client_data_t) override
	{
		return std::make_shared<torrent_part>(torrent, m_core, m_events, m_who);
	}

	lt::feature_flags_t implemented_features() override { return alert_feature; }

	// What the alert's resume data says of priorities is of this moment; what is withheld may
	// change before the application looks at it.
	void on_alert(lt::alert const* const alert) override
	{
		auto const* const saved = lt::alert_cast<lt::save_resume_data_alert>(alert);
		if (!saved) return;
		auto const owner = saved->handle.native_handle();
		if (auto const s = m_core->find_owned_by(owner.get())) s->resume_data_saved();
	}

private:
	std::shared_ptr<disk_core> const m_core;
	std::weak_ptr<memory_events> const m_events;
	wanting const m_who;
};

} // namespace

std::shared_ptr<lt::plugin> make_extension(std::shared_ptr<disk_core> core, std::weak_ptr<memory_events> events
	, wanting const who)
{
	core->tell_of_capacity(events);
	return std::make_shared<session_part>(std::move(core), std::move(events), who);
}

} // namespace slipstream

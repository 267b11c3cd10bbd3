#include "hostile/peer_connection.hpp"

#include <libtorrent/hasher.hpp>
#include <libtorrent/torrent_info.hpp>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

namespace slipstream::test {

namespace {

using tcp = boost::asio::ip::tcp;
using boost::system::error_code;

// A leecher asks this often, and for so much at once: neither it nor the one it asks should be busy with it alone.
constexpr std::chrono::milliseconds pace{2};
constexpr std::size_t most_asked = 8;
// Who does not speak BEP 6 gets no reject, and goes on after this.
constexpr std::chrono::milliseconds patience{200};
constexpr std::uint32_t longest_message = 1 << 20;

std::string wrong(std::string bytes)
{
	for (char& c : bytes) c = static_cast<char>(~c);
	return bytes;
}

std::string hash_of(lt::torrent_info const& info)
{
	auto const h = info.info_hashes();
	return h.has_v1() ? h.v1.to_string() : h.v2.to_string().substr(0, 20);
}

} // namespace

scripted_peer::connection::connection(scripted_peer& peer)
	: m_peer(peer)
	, m_socket(peer.m_context)
	, m_tick(peer.m_context)
	, m_random(static_cast<std::uint32_t>(std::hash<std::string>{}(peer.m_address)))
{}

void scripted_peer::connection::start()
{
	error_code ec;
	m_socket.open(tcp::v4(), ec);
	m_socket.set_option(tcp::socket::reuse_address(true), ec);
	m_socket.bind({boost::asio::ip::make_address(m_peer.m_address), 0}, ec);
	m_socket.async_connect(m_peer.m_other, [self = shared_from_this()](error_code const e) {
		if (e) return self->close(false);
		auto id = "-XX0001-" + std::to_string(100'000 + self->m_random() % 900'000) + "script";
		self->send(wire::handshake(hash_of(self->film().info()), id, self->script().fast
			, self->film().info().info_hashes().has_v2()));
		self->m_in.resize(wire::handshake_bytes);
		self->read_then([&c = *self] { c.greet(); });
	});
}

void scripted_peer::connection::close(bool const by_us)
{
	if (std::exchange(m_closed, true)) return;
	error_code ignored;
	m_socket.close(ignored);
	m_tick.cancel();
	if (!by_us && m_greeted) m_peer.note([](peer_record& r) { ++r.lost; });
	if (by_us || script().returns || !m_greeted) m_peer.reconnect();
}

void scripted_peer::connection::shake_hands()
{ if (m_greeted && !m_closed) send(wire::extension_handshake(script().dont_have)); }

void scripted_peer::connection::send_hashes(int const piece)
{
	if (!m_greeted || m_closed) return;
	auto const& info = film().info();
	std::vector<std::string> hashes;
	for (std::size_t i = 0; i < film().num_blocks(piece); ++i)
	{
		auto const hash = lt::hasher256(film().bytes(film().block_at(piece, static_cast<int>(i)))).final();
		hashes.emplace_back(hash.data(), hash.size());
	}
	auto const first = piece * (info.piece_length() / peer_film::block_bytes);
	auto const root = info.orig_files().root(lt::file_index_t(0));
	send(wire::hashes_message({root.data(), static_cast<std::size_t>(root.size())}, first, hashes));
}

void scripted_peer::connection::tell_interest(bool const is_interested)
{ if (m_greeted && !m_closed) send(wire::message(is_interested ? wire::interested : wire::not_interested)); }

void scripted_peer::connection::leave()
{
	if (m_closed) return;
	if (m_out.empty()) drop();
	else m_leave = true; // when this is out
}

void scripted_peer::connection::drop()
{
	m_closed = true;
	error_code ignored;
	m_socket.close(ignored);
	m_tick.cancel();
}

template <typename Next>
void scripted_peer::connection::read_then(Next next)
{
	boost::asio::async_read(m_socket, boost::asio::buffer(m_in)
		, [self = shared_from_this(), next = std::move(next)](error_code const ec, std::size_t) {
			if (ec || self->m_closed) return self->close(false);
			try { next(); }
			catch (std::exception const&) { self->close(true); } // what it says makes no sense
		});
}

void scripted_peer::connection::greet()
{
	m_greeted = true;
	m_fast = script().fast && wire::says_fast(m_in);
	m_peer.note([](peer_record& r) { ++r.connections; r.there.clear(); });
	if (script().seeds) send(m_fast ? wire::message(wire::have_all) : wire::full_bitfield(film().info().num_pieces()));
	else if (m_fast) send(wire::message(wire::have_none));
	if (wire::says_extensions(m_in) && !script().late_handshake)
	{
		send(wire::extension_handshake(script().dont_have));
		if (script().second_handshake) send(wire::second_extension_handshake());
	}
	if (script().seeds && !script().chokes) send(wire::message(wire::unchoke));
	read_message();
	tick();
}

void scripted_peer::connection::read_message()
{
	m_in.resize(4);
	read_then([this] {
		auto const size = static_cast<std::uint32_t>(wire::read_int(m_in, 0));
		if (size > longest_message) return close(true);
		if (size == 0) return read_message();
		m_in.resize(size);
		read_then([this] {
			handle(static_cast<std::uint8_t>(m_in.front()), std::string_view(m_in).substr(1));
			if (!m_closed) read_message();
		});
	});
}

void scripted_peer::connection::handle(std::uint8_t const m, std::string_view const payload)
{
	auto const& info = film().info();
	switch (m)
	{
	case wire::choke:
		m_choked = true;
		m_asked.clear(); // without BEP 6 that rejects all; with it the rejects follow, and find nothing
		return m_peer.note([](peer_record& r) { ++r.chokes; });
	case wire::unchoke:
		m_choked = false;
		return m_peer.note([](peer_record& r) { ++r.unchokes; });
	case wire::have:
		return m_peer.note([&](peer_record& r) { r.there.insert(wire::read_int(payload, 0)); });
	case wire::have_all:
		return m_peer.note([&](peer_record& r) { for (int i = 0; i < info.num_pieces(); ++i) r.there.insert(i); });
	case wire::bitfield:
		return m_peer.note([&](peer_record& r) {
			for (int i = 0; i < info.num_pieces() && std::size_t(i / 8) < payload.size(); ++i)
				if (payload[std::size_t(i / 8)] & (0x80 >> i % 8)) r.there.insert(i);
		});
	case wire::request: return serve(wire::read_block(payload));
	case wire::piece: return look_at(payload);
	case wire::reject:
		m_asked.erase(wire::read_block(payload));
		return m_peer.note([](peer_record& r) { ++r.rejects; });
	case wire::extended:
		if (payload.empty() || payload[0] != char(wire::dont_have_id)) return;
		return m_peer.note([&](peer_record& r) {
			auto const gone = wire::read_int(payload, 1);
			r.there.erase(gone);
			++r.told_gone[gone];
		});
	case wire::hash_request:
		// Of blocks (BEP 52: after the root's 32 bytes the base layer, 0), which are asked for when a v2 piece has failed: no
		// answer before send_hashes(). libtorrent 2.0.8 writes beyond an array when such a request is turned down (hash_picker::hashes_rejected).
		if (wire::read_int(payload, 32) == 0)
			return m_peer.note([&](peer_record& r) { r.hashes_asked.push_back(film().piece_of_block(wire::read_int(payload, 36))); });
		return send(wire::message(wire::hash_reject, payload));
	default: return;
	}
}

void scripted_peer::connection::send(std::string message)
{
	m_out.push_back(std::move(message));
	if (m_out.size() == 1) write_next();
}

void scripted_peer::connection::write_next()
{
	boost::asio::async_write(m_socket, boost::asio::buffer(m_out.front())
		, [self = shared_from_this()](error_code const ec, std::size_t) {
			if (ec || self->m_closed) return self->close(false);
			self->m_out.pop_front();
			if (!self->m_out.empty()) self->write_next();
			else if (self->m_leave) self->drop();
			else if (self->m_vanish) self->close(true);
		});
}

// -- as a seed

void scripted_peer::connection::serve(wire::block const& b)
{
	if (!script().seeds || m_leave) return;
	if (script().withholds && script().withholds(b)) return;
	auto right = film().bytes(b);
	if (script().vanishes_after > 0 && ++m_served % script().vanishes_after == 0)
	{
		auto half = wire::piece_message(b, right);
		half.resize(half.size() / 2);
		m_vanish = true; // when this is out
		return send(std::move(half));
	}
	if (script().corrupts_alone) return keep(b);
	bool const lie = script().corrupt && script().corrupt(b);
	m_peer.note([&](peer_record& r) { ++(lie ? r.wrong_blocks_sent : r.blocks_sent); });
	send(wire::piece_message(b, lie ? wrong(right) : right));
	if (script().twice) send(wire::piece_message(b, right));
	for (int i = 0; i < script().unasked; ++i)
	{
		auto const other = film().any_block(static_cast<int>(m_random() % std::size_t(film().info().num_pieces())), any());
		send(wire::piece_message(other, film().bytes(other)));
	}
}

void scripted_peer::connection::keep(wire::block const& b)
{
	auto& kept = m_kept[b.piece];
	kept.blocks.insert(b);
	if (kept.blocks.size() < film().num_blocks(b.piece)) return;
	for (auto const& each : kept.blocks) send_wrong(each);
	m_kept.erase(b.piece);
}

void scripted_peer::connection::let_go()
{
	std::erase_if(m_kept, [&](auto const& k) {
		if (std::chrono::steady_clock::now() - k.second.since < std::chrono::seconds(1)) return false;
		for (auto const& b : k.second.blocks) send(wire::piece_message(b, film().bytes(b)));
		return true;
	});
}

void scripted_peer::connection::send_wrong(wire::block const& b)
{
	m_peer.note([](peer_record& r) { ++r.wrong_blocks_sent; });
	send(wire::piece_message(b, wrong(film().bytes(b))));
}

// -- at its own pace

void scripted_peer::connection::tick()
{
	if (m_leave) return;
	if (!script().pushes.empty() && m_out.size() < most_asked)
		send_wrong(film().any_block(script().pushes[m_random() % script().pushes.size()], any()));
	let_go();
	if (!script().seeds) ask();
	m_tick.expires_after(pace);
	m_tick.async_wait([self = shared_from_this()](error_code const ec) { if (!ec && !self->m_closed) self->tick(); });
}

// -- as a leecher

void scripted_peer::connection::ask()
{
	// Who is interested and then never asks is sent away after a minute by a libtorrent that wants nothing itself.
	if (!m_interested && (script().leeches || !script().asks_for.empty()))
	{
		m_interested = true;
		send(wire::message(wire::interested));
	}
	auto const now = std::chrono::steady_clock::now();
	std::erase_if(m_asked, [&](auto const& a) { return now - a.second > patience; });
	while (!m_choked && m_asked.size() < most_asked)
	{
		auto const b = next();
		if (!b || !m_asked.emplace(*b, now).second) break;
		m_ever_asked.insert(*b);
		m_peer.note([](peer_record& r) { ++r.asked; });
		send(wire::message(wire::request, *b));
	}
}

std::optional<wire::block> scripted_peer::connection::next()
{
	std::vector<int> pieces = script().asks_for;
	if (script().leeches) m_peer.note([&](peer_record& r) { pieces.insert(pieces.end(), r.there.begin(), r.there.end()); });
	if (pieces.empty()) return std::nullopt;
	return film().any_block(pieces[m_random() % pieces.size()], any());
}

void scripted_peer::connection::look_at(std::string_view const payload)
{
	wire::block const b{wire::read_int(payload, 0), wire::read_int(payload, 4), static_cast<int>(payload.size()) - 8};
	m_asked.erase(b);
	bool const right = m_ever_asked.count(b) != 0 && payload.substr(8) == film().bytes(b);
	m_peer.note([&](peer_record& r) { ++(right ? r.right_blocks : r.wrong_blocks); });
}

} // namespace slipstream::test

#include "hostile/scripted_peer.hpp"

#include "hostile/peer_connection.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

namespace slipstream::test {

namespace {

using tcp = boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds pause_before_return{50};

} // namespace

scripted_peer::scripted_peer(shared_files const& files, peer_script script, std::string const& address, tcp::endpoint other)
	: scripted_peer({files.torrent_file(), [&files](std::int64_t const at, std::size_t const size) {
		auto const& film = files.content(0);
		return static_cast<std::size_t>(at) < film.size() ? film.substr(static_cast<std::size_t>(at), size) : std::string();
	}}, std::move(script), address, std::move(other))
{}

scripted_peer::scripted_peer(peer_film film, peer_script script, std::string const& address, tcp::endpoint other)
	: m_film(std::move(film))
	, m_address(address)
	, m_other(std::move(other))
	, m_script(std::move(script))
	, m_thread([this] {
		boost::asio::post(m_context, [this] { connect(); });
		m_context.run();
	})
{}

scripted_peer::~scripted_peer()
{
	boost::asio::post(m_context, [this] {
		m_over = true;
		m_pause.cancel(); // which is too late where its time has come
		if (m_connection) m_connection->drop();
		m_connection.reset();
		m_work.reset();
	});
	m_thread.join();
}

peer_record scripted_peer::record() const
{
	std::lock_guard const lock(m_mutex);
	return m_record;
}

void scripted_peer::ask_for(std::vector<int> pieces)
{
	boost::asio::post(m_context, [this, pieces = std::move(pieces)]() mutable { m_script.asks_for = std::move(pieces); });
}

void scripted_peer::push(std::vector<int> pieces)
{
	boost::asio::post(m_context, [this, pieces = std::move(pieces)]() mutable { m_script.pushes = std::move(pieces); });
}

void scripted_peer::shake_hands()
{
	boost::asio::post(m_context, [this] { if (m_connection) m_connection->shake_hands(); });
}

void scripted_peer::send_hashes(int const piece)
{
	boost::asio::post(m_context, [this, piece] { if (m_connection) m_connection->send_hashes(piece); });
}

void scripted_peer::tell_interest(bool const is_interested)
{
	boost::asio::post(m_context, [this, is_interested] { if (m_connection) m_connection->tell_interest(is_interested); });
}

void scripted_peer::leave()
{
	boost::asio::post(m_context, [this] { if (m_connection) m_connection->leave(); });
}

void scripted_peer::connect()
{
	if (m_over) return;
	m_connection = std::make_shared<connection>(*this);
	m_connection->start();
}

void scripted_peer::reconnect()
{
	m_pause.expires_after(pause_before_return);
	m_pause.async_wait([this](error_code const ec) { if (!ec) connect(); });
}

} // namespace slipstream::test

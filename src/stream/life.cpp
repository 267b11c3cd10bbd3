#include "stream/life.hpp"

namespace slipstream::stream {

bool life::users(clock::time_point const now, int const count)
{
	bool const was_used = m_use == torrent_use::used;
	if ((count > 0) == was_used) return false;
	m_use = was_used ? torrent_use::idle : torrent_use::used;
	m_since = now;
	return true;
}

std::optional<life::clock::time_point> life::unused_for(clock::duration const time) const
{
	if (m_use == torrent_use::used) return std::nullopt;
	return m_since + time;
}

} // namespace slipstream::stream

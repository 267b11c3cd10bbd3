#include "cli/watching.hpp"

#include "cli/size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace slipstream::cli {
namespace {

constexpr std::chrono::seconds observed_at_most{10};
constexpr std::chrono::seconds observed_at_least{3};

std::string lasting(std::int64_t const bytes, std::optional<double> const bytes_per_s)
{
	if (!bytes_per_s) return size_text(bytes);
	return fmt::format("{:.0f} s ({})", static_cast<double>(bytes) / *bytes_per_s, size_text(bytes));
}

} // namespace

std::int64_t offset_of(std::vector<file_entry> const& files, int const index)
{
	std::int64_t offset = 0;
	for (file_entry const& file : files)
	{
		if (file.index == index) break;
		offset += file.size_bytes;
	}
	return offset;
}

buffered buffered_around(std::span<piece_run const> const pieces, int const piece_length_bytes
	, std::int64_t const file_offset_bytes, std::int64_t const file_size_bytes, std::int64_t const position_bytes)
{
	std::int64_t const here = file_offset_bytes + position_bytes;
	std::int64_t const file_end = file_offset_bytes + file_size_bytes;
	buffered b;
	for (piece_run const& run : pieces)
	{
		if (run.state != piece_state::verified) continue;
		std::int64_t const first = std::max(std::int64_t{run.first} * piece_length_bytes, file_offset_bytes);
		std::int64_t const end = std::min((std::int64_t{run.first} + run.count) * piece_length_bytes, file_end);
		if (first > here || end < here || first >= end) continue;
		b.behind_bytes = std::max(b.behind_bytes, here - first);
		b.ahead_bytes = std::max(b.ahead_bytes, end - here);
	}
	return b;
}

std::optional<reader_entry> nearest_reader(std::span<reader_entry const> const readers, int const file_index
	, std::int64_t const last_position_bytes)
{
	reader_entry const* nearest = nullptr;
	auto const distance = [&](reader_entry const& r) { return std::abs(r.position_bytes - last_position_bytes); };
	for (reader_entry const& r : readers)
		if (r.file_index == file_index && (nearest == nullptr || distance(r) < distance(*nearest))) nearest = &r;
	if (nearest == nullptr) return std::nullopt;
	return *nearest;
}

void pace::observe(time_point const when, std::int64_t const position_bytes
	, std::int64_t const within_reach_bytes)
{
	std::int64_t const bytes = position_bytes - m_position_bytes;
	m_position_bytes = position_bytes;
	bool const seek = m_steps.empty() || bytes < 0 || bytes > within_reach_bytes;
	m_steps.push_back({when, seek ? 0 : bytes});
	while (m_steps.size() > 2 && when - m_steps[1].when >= observed_at_most) m_steps.pop_front();
}

std::optional<double> pace::bytes_per_s() const
{
	if (m_steps.size() < 2) return std::nullopt;
	auto const span = m_steps.back().when - m_steps.front().when;
	if (span < observed_at_least) return std::nullopt;
	std::int64_t bytes = -m_steps.front().bytes;  // it was consumed before the span
	for (advance const& step : m_steps) bytes += step.bytes;
	if (bytes == 0) return std::nullopt;
	return static_cast<double>(bytes) / std::chrono::duration<double>(span).count();
}

std::string status_text(torrent_summary const& torrent, buffered const& around
	, std::optional<double> const consumed_bytes_s, memory_stats const& memory)
{
	return fmt::format("{} peer{}  {}/s  ahead {}  behind {}  memory {} of {}", torrent.peers, torrent.peers == 1 ? "" : "s"
		, size_text(torrent.download_rate_bytes_s), lasting(around.ahead_bytes, consumed_bytes_s)
		, lasting(around.behind_bytes, consumed_bytes_s), size_text(memory.used_bytes), size_text(memory.capacity_bytes));
}

} // namespace slipstream::cli

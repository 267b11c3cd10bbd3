#include "soak/watch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace slipstream::soak {

namespace {

constexpr std::chrono::milliseconds interval{20};
constexpr std::chrono::seconds shrinking{30};
constexpr int samples_a_resident_one = 10;

} // namespace

std::int64_t resident_bytes()
{
	std::ifstream in("/proc/self/status");
	for (std::string word; in >> word;)
	{
		std::int64_t kib = 0;
		if (word == "VmRSS:" && in >> kib) return kib * 1024;
	}
	throw std::runtime_error("/proc/self/status has no VmRSS");
}


int open_files()
{
	auto const files = std::filesystem::directory_iterator("/proc/self/fd");
	return static_cast<int>(std::distance(begin(files), end(files))) - 1; // one is the folder's own
}

watch::watch(memory_disk memory) : m_memory(std::move(memory)), m_thread([this] { run(); }) {}

watch::~watch() { stop(); }

void watch::stop()
{
	{
		std::lock_guard const lock(m_mutex);
		m_over = true;
	}
	m_changed.notify_all();
	if (m_thread.joinable()) m_thread.join();
}

bool watch::is_within(memory_stats const& now)
{
	auto const time = std::chrono::steady_clock::now();
	if (now.used_bytes <= now.capacity_bytes || now.capacity_bytes >= m_capacity_in_force)
	{
		m_capacity_in_force = now.capacity_bytes;
		m_since = time;
	}
	return now.used_bytes <= m_capacity_in_force && time - m_since < shrinking;
}

void watch::run()
{
	auto const began = std::chrono::steady_clock::now();
	std::unique_lock lock(m_mutex);
	while (!m_changed.wait_for(lock, interval, [&] { return m_over; }))
	{
		auto const now = m_memory.stats();
		if (!is_within(now)) ++m_cap_passed;
		if (m_samples++ % samples_a_resident_one != 0) continue;
		std::chrono::duration<double, std::ratio<60>> const minutes = std::chrono::steady_clock::now() - began;
		auto const resident = resident_bytes();
		m_most_resident = std::max(m_most_resident, resident);
		m_resident.push_back({minutes.count(), static_cast<double>(resident - now.mapped_bytes)});
	}
}

double watch::slope_bytes_per_minute() const
{
	auto const first = m_resident.begin() + std::ssize(m_resident) / 5;
	double const n = static_cast<double>(m_resident.end() - first);
	double x = 0, y = 0, xx = 0, xy = 0;
	std::for_each(first, m_resident.end(), [&](sample const& s) {
		x += s.minutes / n;
		y += s.bytes / n;
		xx += s.minutes * s.minutes / n;
		xy += s.minutes * s.bytes / n;
	});
	double const spread = xx - x * x;
	return spread > 0 ? (xy - x * y) / spread : 0;
}

} // namespace slipstream::soak

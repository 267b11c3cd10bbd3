#include "stream/allotment.hpp"

#include <algorithm>
#include <numeric>

namespace slipstream::stream {

namespace {

constexpr std::int64_t whole = 1'000'000;

// Of automatic read-ahead.
constexpr std::int64_t ahead_ms = 10'000;
constexpr std::int64_t ahead_before_known_bytes = std::int64_t{64} << 20;

// An eighth of the capacity, 1..64 MiB.
std::int64_t least_ahead_bytes(std::int64_t const capacity_bytes)
{
	constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
	return std::min(std::clamp(capacity_bytes / 8, mebibyte, 64 * mebibyte), capacity_bytes);
}

// Each has what it wants as far as the others leave it, and where they do not, its bound.
portion cut(appetite const& a, std::int64_t const head_bytes, std::int64_t const beyond_bytes)
{
	auto const within = [&](std::int64_t const want, std::int64_t const bound, std::int64_t const others)
		{ return std::min(want, std::max(bound, beyond_bytes - others)); };
	portion p;
	p.head_bytes = head_bytes;
	p.probed_bytes = within(a.probed_bytes, beyond_bytes / 8, a.lookbehind_bytes + a.read_ahead_bytes);
	p.lookbehind_bytes = within(a.lookbehind_bytes, beyond_bytes / 2, a.read_ahead_bytes + p.probed_bytes);
	p.read_ahead_bytes = std::min(a.read_ahead_bytes, beyond_bytes - p.lookbehind_bytes - p.probed_bytes);
	return p;
}

// Exact where doubles are not: a capacity of 2^50 times a million does not fit 64 bits.
std::int64_t share_of(std::int64_t const capacity_bytes, std::int64_t const millionths)
{
	return capacity_bytes / whole * millionths + capacity_bytes % whole * millionths / whole;
}

std::int64_t taken_in(std::int64_t const ms, std::int64_t const bytes_s, std::int64_t const most)
{
	if (ms == 0) return 0;
	if (bytes_s / 1000 > most / ms) return most; // the product may not fit
	return std::min(most, bytes_s / 1000 * ms + bytes_s % 1000 * ms / 1000);
}

} // namespace

std::vector<std::int64_t> divide_fairly(std::int64_t total, std::span<std::int64_t const> const wants)
{
	std::vector<std::size_t> by_want(wants.size());
	std::iota(by_want.begin(), by_want.end(), std::size_t{0});
	std::sort(by_want.begin(), by_want.end(), [&](auto const a, auto const b) { return wants[a] < wants[b]; });
	std::vector<std::int64_t> parts(wants.size());
	auto left = static_cast<std::int64_t>(wants.size());
	total = std::max<std::int64_t>(total, 0);
	for (auto const i : by_want)
	{
		parts[i] = std::min(wants[i], total / left);
		total -= parts[i];
		--left;
	}
	return parts;
}

std::vector<portion> allot(std::int64_t const protectable_bytes, std::span<appetite const> const appetites)
{
	auto left = std::max<std::int64_t>(protectable_bytes, 0);
	std::vector<portion> portions(appetites.size());
	for (std::size_t i = 0; i < appetites.size(); ++i)
	{
		portions[i].head_bytes = std::min(appetites[i].head_bytes, left);
		left -= portions[i].head_bytes;
	}
	for (bool const idle : {false, true})
	{
		std::vector<std::size_t> who;
		std::vector<std::int64_t> wants;
		for (std::size_t i = 0; i < appetites.size(); ++i)
		{
			appetite const& a = appetites[i];
			if (a.idle != idle) continue;
			who.push_back(i);
			wants.push_back(a.lookbehind_bytes + a.read_ahead_bytes + a.probed_bytes);
		}
		auto const parts = divide_fairly(left, wants);
		for (std::size_t i = 0; i < who.size(); ++i)
		{
			auto& p = portions[who[i]];
			p = cut(appetites[who[i]], p.head_bytes, parts[i]);
			left -= p.total_bytes() - p.head_bytes;
		}
	}
	return portions;
}

namespace {

// Of one reader; `otherwise` where the extent does not say, or not yet.
std::int64_t bytes_of(extent const& e, circumstances const& c, std::int64_t const otherwise)
{
	switch (e.in)
	{
		case extent::unit::automatic: break;
		case extent::unit::bytes: return std::min(e.amount, c.capacity_bytes);
		case extent::unit::share: return share_of(c.capacity_bytes, e.amount) / std::max(c.readers, 1);
		case extent::unit::time:
			if (c.consumed_bytes_s) return taken_in(e.amount, *c.consumed_bytes_s, c.capacity_bytes);
			break;
	}
	return otherwise;
}

} // namespace

std::int64_t lookbehind_bytes(extent const& e, circumstances const& c)
{ return bytes_of(e, c, share_of(c.capacity_bytes, whole / 4) / std::max(c.readers, 1)); }

std::int64_t read_ahead_bytes(extent const& e, circumstances const& c)
{
	// Not divided by the readers: what they want together may be more than there is, and allot()
	// divides that.
	auto const most = share_of(c.capacity_bytes, whole / 4);
	auto const wanted = c.consumed_bytes_s ? taken_in(ahead_ms, *c.consumed_bytes_s, most) : std::min(ahead_before_known_bytes, most);
	return bytes_of(e, c, std::max(least_ahead_bytes(c.capacity_bytes), wanted));
}

} // namespace slipstream::stream

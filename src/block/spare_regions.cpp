#include "block/spare_regions.hpp"
#include "block/region.hpp"

#include <algorithm>
#include <utility>

namespace slipstream {

namespace {

// Who copies into new memory as fast as it can takes eight regions in the 2 to 3 ms that another
// thread may wait for a processor.
constexpr int most = 8;
constexpr std::int64_t least_regions_a_spare = 32;

} // namespace

block_region* spare_regions::take() noexcept
{
	block_region* const r = m_first;
	if (r == nullptr) return nullptr;
	m_first = std::exchange(r->next, nullptr);
	--m_num;
	return r;
}

void spare_regions::add(block_region& r) noexcept
{
	r.next = std::exchange(m_first, &r);
	++m_num;
}

int spare_regions::wanted(std::int64_t const regions) const noexcept
{
	auto const bound = std::clamp<std::int64_t>(regions / least_regions_a_spare, 1, most);
	return int(std::min<std::int64_t>(m_wanted, bound));
}

void spare_regions::was_missing() noexcept
{
	m_wanted = std::min(2 * m_wanted, most);
	m_was_missing = true;
}

int spare_regions::settle() noexcept
{
	if (!std::exchange(m_was_missing, false)) m_wanted = std::max(m_wanted / 2, 1);
	return m_wanted;
}

} // namespace slipstream
